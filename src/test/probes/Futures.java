import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Method;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Logger;
import java.util.stream.Stream;

/** Futures, pools, timers, interrupts and streams, on two processors. */
public final class Futures {

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            if (args[0].equals("hook")) {
                logInHook();
                System.exit(0);
            }
            System.out.println(uncaught(args[0]));
            Probe.end();
        }
        Probe.print("futures.supplyAsync-on", supplyAsync());
        Probe.print("futures.close-waits-after-cancel", closeWaits(true, false));
        Probe.print("futures.close-waits-after-cancel-and-shutdownNow", closeWaits(true, true));
        Probe.print("futures.close-waits-after-shutdownNow", closeWaits(false, true));
        Probe.print("futures.cancel-stops-completable-future", cancelled());
        Probe.print("futures.done-before-work-ended", doneBeforeEnd());
        Probe.print("futures.allOf-fails-fast",
                CompletableFuture.allOf(CompletableFuture.failedFuture(new IOException()),
                new CompletableFuture<>()).isDone() ? "yes" : "no");
        Probe.print("futures.join-hears-interrupt", joinInterrupted());
        timers();
        Probe.print("futures.periodic-task-after-exception", periodic());
        Probe.print("futures.periodic-task-catches-up", catchesUp());
        Probe.print("futures.cancelled-timer-stays-queued", cancelledTimer());
        Probe.print("futures.fork-join-pool-is-scheduler",
                ForkJoinPool.commonPool() instanceof ScheduledExecutorService ? "yes" : "no");
        Probe.print("futures.fork-join-pool-invokeAll-throws", invokeAll());
        Probe.print("futures.inheritable-thread-local-in-supplyAsync", inheritable());
        Probe.print("futures.invokeAny-waits-for-losers", invokeAny());
        Probe.print("futures.semaphore-over-release", overRelease());
        Probe.print("futures.priority-queue-keeps-order-of-equals", priorityQueue());
        Probe.print("futures.barrier-after-interrupt", barrier());
        for (String executor : List.of("virtual", "fixed", "scheduled", "common")) {
            Probe.print("futures.execute-reaches-handler-" + executor, Probe.jvm(List.of(), "Futures", executor));
        }
        Probe.print("futures.logging-in-hook", Probe.jvm(List.of(), "Futures", "hook").contains("in the hook")
                ? "printed" : "lost");
        sockets();
        mapConcurrent();
        Probe.print("futures.transferTo-buffer", transferTo());
        Probe.print("futures.buffered-output-on-virtual", bufferedOutput());
        Probe.print("futures.readNBytes-at-end", new ByteArrayInputStream(new byte[2]).readNBytes(5).length);
        Probe.print("futures.virtual-priority", priority());
        Probe.print("futures.virtual-name", Thread.ofVirtual().unstarted(() -> { }).getName().isEmpty() ? "empty"
                : "some");
        Probe.print("futures.virtual-daemon", Thread.ofVirtual().unstarted(() -> { }).isDaemon());
        processes();
        Probe.end();
    }

    private static String supplyAsync() {
        var threads = Stream.generate(() -> CompletableFuture.supplyAsync(() -> {
            sleep(50);
            return Thread.currentThread().getName().replaceAll("-?\\d+.*", "") + Thread.currentThread().threadId();
        })).limit(4).toList().stream().map(CompletableFuture::join).distinct().toList();
        return threads.size() == 1 ? "one thread of the common pool" : "a thread each";
    }

    private static String closeWaits(boolean cancel, boolean shutdownNow) throws Exception {
        var running = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        Future<?> future = executor.submit(() -> {
            running.countDown();
            uninterruptibly(release);
            return 1;
        });
        running.await();
        if (cancel) {
            future.cancel(true);
        }
        if (shutdownNow) {
            executor.shutdownNow();
        }
        Thread closing = Probe.daemon(executor::close);
        String waits = Probe.happens(() -> !closing.isAlive()) ? "no" : "yes";
        release.countDown();
        closing.join();
        return waits;
    }

    private static String cancelled() throws Exception {
        var running = new CountDownLatch(1);
        var interrupted = new AtomicBoolean();
        try (var executor = Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory())) {
            var future = CompletableFuture.runAsync(() -> {
                running.countDown();
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    interrupted.set(true);
                }
            }, executor);
            running.await();
            future.cancel(true);
            String stops = Probe.happens(interrupted::get) ? "yes" : "no";
            executor.shutdownNow();
            return stops;
        }
    }

    private static String doneBeforeEnd() throws Exception {
        var running = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        var task = new FutureTask<>(() -> {
            running.countDown();
            uninterruptibly(release);
            return 1;
        });
        Thread thread = Thread.startVirtualThread(task);
        running.await();
        task.cancel(true);
        String done = task.isDone() && thread.isAlive() ? "yes" : "no";
        release.countDown();
        return done;
    }

    private static String joinInterrupted() throws Exception {
        var future = new CompletableFuture<Integer>();
        var heard = new AtomicBoolean();
        Thread thread = Thread.startVirtualThread(() -> {
            try {
                future.join();
            } catch (RuntimeException e) {
                heard.set(true);
            }
        });
        Probe.until(() -> thread.getState() == Thread.State.WAITING);
        thread.interrupt();
        String hears = Probe.happens(heard::get) ? "yes" : "no";
        future.complete(1);
        return hears;
    }

    /**
     * Which thread runs what depends on a timed-out future: registered before it, so that it cannot run in the caller.
     */
    private static void timers() throws Exception {
        var timer = new CompletableFuture<String>();
        var future = new CompletableFuture<>();
        future.whenComplete((value, failure) -> timer.complete(Thread.currentThread().getName()));
        future.orTimeout(10, TimeUnit.MILLISECONDS);
        Probe.print("futures.timer-thread", timer.get());
        var release = new CountDownLatch(1);
        var blocked = new AtomicBoolean();
        var blocking = new CompletableFuture<>();
        blocking.whenComplete((value, failure) -> {
            blocked.set(true);
            uninterruptibly(release);
        });
        blocking.orTimeout(1, TimeUnit.MILLISECONDS);
        Probe.until(blocked::get);
        var other = new CompletableFuture<>().orTimeout(10, TimeUnit.MILLISECONDS);
        Probe.print("futures.blocked-dependent-delays-all-timeouts", Probe.happens(other::isDone) ? "no" : "yes");
        release.countDown();
    }

    private static String periodic() throws Exception {
        var runs = new AtomicInteger();
        try (var timer = new ScheduledThreadPoolExecutor(1)) {
            timer.scheduleAtFixedRate(() -> {
                if (runs.incrementAndGet() == 3) {
                    throw new IllegalStateException();
                }
            }, 0, 1, TimeUnit.MILLISECONDS);
            Probe.until(() -> runs.get() == 3);
            String goesOn = Probe.happens(() -> runs.get() > 3) ? "goes on" : "never runs again";
            timer.shutdownNow();
            return goesOn;
        }
    }

    private static String catchesUp() throws Exception {
        var runs = new AtomicInteger();
        var end = new AtomicLong();
        var early = new AtomicBoolean();
        try (var timer = new ScheduledThreadPoolExecutor(1)) {
            timer.scheduleAtFixedRate(() -> {
                long now = System.nanoTime();
                int since = runs.getAndIncrement();
                if (since == 0) {
                    sleep(400);
                    end.set(System.nanoTime());
                } else if (now - end.get() < (since - 10) * 20_000_000L) {
                    early.set(true); // what held up a run is caught up as well: with a period between all, never
                }
            }, 0, 20, TimeUnit.MILLISECONDS);
            Probe.until(() -> early.get() || runs.get() > 5_000);
            timer.shutdownNow();
        }
        return early.get() ? "in a burst" : "no";
    }

    private static String cancelledTimer() {
        try (var timer = new ScheduledThreadPoolExecutor(1)) {
            timer.schedule(() -> { }, 1, TimeUnit.DAYS).cancel(true);
            return timer.getQueue().size() == 1 ? "yes" : "no";
        }
    }

    private static String invokeAll() throws Exception {
        Method method = ForkJoinPool.class.getMethod("invokeAll", java.util.Collection.class);
        return method.getExceptionTypes().length == 0 ? "nothing" : method.getExceptionTypes()[0].getSimpleName();
    }

    private static String inheritable() throws Exception {
        var local = new InheritableThreadLocal<String>();
        local.set("x");
        return CompletableFuture.supplyAsync(local::get).get() == null ? "no" : "yes";
    }

    private static String invokeAny() throws Exception {
        var release = new CountDownLatch(1);
        var running = new CountDownLatch(1);
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        Callable<Integer> loser = () -> {
            running.countDown();
            uninterruptibly(release);
            return 1;
        };
        Callable<Integer> winner = () -> {
            running.await();
            return 2;
        };
        var result = new CompletableFuture<Integer>();
        Probe.daemon(() -> result.complete(executor.invokeAny(List.of(loser, winner))));
        String waits = Probe.happens(result::isDone) ? "no" : "yes";
        release.countDown();
        return waits;
    }

    private static String overRelease() {
        var semaphore = new Semaphore(1);
        semaphore.release();
        return semaphore.availablePermits() == 2 ? "adds a permit" : "refused";
    }

    private static String priorityQueue() throws InterruptedException {
        var queue = new PriorityBlockingQueue<int[]>(11, Comparator.comparingInt(item -> item[0]));
        for (int i = 0; i < 6; i++) {
            queue.put(new int[] {1, i});
        }
        var order = new StringBuilder();
        while (!queue.isEmpty()) {
            order.append(queue.take()[1]);
        }
        return order.toString().equals("012345") ? "yes" : "no";
    }

    private static String barrier() throws Exception {
        var barrier = new CyclicBarrier(3);
        var other = new CompletableFuture<String>();
        Thread.startVirtualThread(() -> other.complete(Probe.outcome(barrier::await)));
        Thread thread = Thread.startVirtualThread(() -> Probe.outcome(barrier::await));
        Probe.until(() -> barrier.getNumberWaiting() == 2);
        thread.interrupt();
        return other.get();
    }

    private static String uncaught(String kind) throws Exception {
        var calls = new AtomicInteger();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> calls.incrementAndGet());
        ExecutorService executor = switch (kind) {
            case "virtual" -> Executors.newVirtualThreadPerTaskExecutor();
            case "fixed" -> Executors.newFixedThreadPool(1);
            case "scheduled" -> Executors.newScheduledThreadPool(1);
            default -> ForkJoinPool.commonPool();
        };
        executor.execute(() -> {
            throw new IllegalStateException();
        });
        return Probe.happens(() -> calls.get() > 0) ? "yes" : "no";
    }

    private static void logInHook() {
        System.setErr(System.out);
        var logger = Logger.getLogger("hook");
        var root = Logger.getLogger("");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            // the logging's own hook runs at the same time, and takes the handlers away
            Probe.outcome(() -> Probe.happens(() -> root.getHandlers().length == 0));
            logger.info("in the hook");
        }));
        logger.info("before");
    }

    private static void sockets() throws Exception {
        try (var server = new ServerSocket(0)) {
            for (boolean virtual : new boolean[] {true, false}) {
                var socket = new Socket("127.0.0.1", server.getLocalPort());
                var outcome = new AtomicReference<String>();
                var inside = new CountDownLatch(1);
                Thread thread = (virtual ? Thread.ofVirtual() : Thread.ofPlatform().daemon()).start(() -> {
                    inside.countDown();
                    outcome.set(Probe.outcome(() -> socket.getInputStream().read()));
                });
                inside.await();
                Thread.sleep(50);
                thread.interrupt();
                Probe.print("futures.interrupt-in-socket-read-" + (virtual ? "virtual" : "platform"),
                        Probe.happens(() -> outcome.get() != null) ? outcome + (socket.isClosed() ? ", closed" : "")
                                : "reads on");
            }
        }
        var datagram = new DatagramSocket(0);
        Thread receiver = Thread.startVirtualThread(() -> Probe.outcome(() -> {
            datagram.receive(new DatagramPacket(new byte[1], 1));
            return "";
        }));
        Thread.sleep(50);
        receiver.interrupt();
        Probe.print("futures.interrupt-in-datagram-receive", Probe.happens(datagram::isClosed) ? "closes the socket"
                : "receives on");
    }

    /** By reflection: 21 has no gatherers. */
    private static void mapConcurrent() throws Exception {
        Class<?> gatherers;
        try {
            gatherers = Class.forName("java.util.stream.Gatherers");
        } catch (ClassNotFoundException e) {
            Probe.print("futures.mapConcurrent-caller-interrupted", "-");
            Probe.print("futures.mapConcurrent-failure-interrupts-others", "-");
            return;
        }
        var running = new CountDownLatch(3);
        var release = new CountDownLatch(1);
        var interrupted = new AtomicInteger();
        var outcome = new CompletableFuture<String>();
        java.util.function.Function<Integer, Integer> waiting = item -> {
            running.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                interrupted.incrementAndGet();
            }
            return item;
        };
        Thread caller = Thread.startVirtualThread(() ->
                outcome.complete(Probe.outcome(() -> gathered(gatherers, waiting).size()
                + (Thread.currentThread().isInterrupted() ? ", flag set" : ""))));
        running.await();
        caller.interrupt();
        String first = Probe.happens(() -> interrupted.get() > 0) ? "cancels" : "waits for all";
        release.countDown();
        outcome.get();
        Probe.print("futures.mapConcurrent-caller-interrupted", first);
        var others = new CountDownLatch(2);
        var hit = new AtomicInteger();
        Probe.outcome(() -> gathered(gatherers, item -> {
            if (item == 1) {
                uninterruptibly(others);
                throw new IllegalStateException();
            }
            others.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                hit.incrementAndGet();
            }
            return item;
        }));
        Probe.print("futures.mapConcurrent-failure-interrupts-others", Probe.happens(() -> hit.get() == 2) ? "yes"
                : "no");
    }

    private static List<?> gathered(Class<?> gatherers, java.util.function.Function<Integer,
            Integer> mapper) throws Exception {
        Object gatherer = gatherers.getMethod("mapConcurrent", int.class, java.util.function.Function.class)
                .invoke(null, 3, mapper);
        Method gather = Stream.class.getMethod("gather", Class.forName("java.util.stream.Gatherer"));
        return ((Stream<?>) gather.invoke(Stream.of(1, 2, 3), gatherer)).toList();
    }

    private static int transferTo() throws IOException {
        var asked = new AtomicInteger();
        new InputStream() {
            @Override
            public int read() {
                return -1;
            }

            @Override
            public int read(byte[] buffer, int offset, int length) {
                asked.compareAndSet(0, length);
                return -1;
            }
        }.transferTo(OutputStream.nullOutputStream());
        return asked.get();
    }

    private static String bufferedOutput() throws Exception {
        var written = new AtomicInteger();
        Thread.startVirtualThread(() -> {
            try (var out = new BufferedOutputStream(new OutputStream() {
                @Override
                public void write(int single) {
                    written.compareAndSet(0, 1);
                }

                @Override
                public void write(byte[] bytes, int offset, int length) {
                    written.compareAndSet(0, length);
                }
            })) {
                for (int i = 0; i < 20_000; i++) {
                    out.write(1);
                }
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }).join();
        return "written from " + written + " bytes on";
    }

    private static String priority() {
        Thread thread = Thread.ofVirtual().unstarted(() -> { });
        thread.setPriority(Thread.MAX_PRIORITY);
        return thread.getPriority() == Thread.NORM_PRIORITY ? "fixed" : "set";
    }

    private static void processes() throws Exception {
        Process process = new ProcessBuilder("sh", "-c", "trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done")
                .start();
        var in = process.inputReader();
        in.readLine();
        process.destroy();
        Probe.print("futures.destroy-closes-output", Probe.outcome(in::readLine));
        process.waitFor();
        Process killed = new ProcessBuilder("cat").start(); // waits for its input, however late the signal is
        killed.destroy();
        Process forced = new ProcessBuilder("cat").start();
        forced.destroyForcibly();
        Probe.print("futures.exit-code-after-destroy", killed.waitFor() + ", " + forced.waitFor());
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(Duration.ofMillis(millis));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void uninterruptibly(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
