import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

@Timeout(600)
class PeriodicTaskTest {

    private static final Duration NEVER = Duration.ofSeconds(Long.MAX_VALUE);
    private final AtomicInteger runs = new AtomicInteger();
    private final LinkedBlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();

    private PeriodicTask start(Duration first, Duration delay, PeriodicTask.Job job) {
        return PeriodicTask.start("periodic", first, delay, job, (task, cause) -> {
            assertEquals("periodic", task);
            failures.add(cause);
        });
    }

    @Test
    void runsAgainAndAgain() throws Exception {
        var five = new CountDownLatch(5);
        var task = start(Duration.ZERO, Duration.ofMillis(1), five::countDown);
        try (task) {
            five.await();
        }
        assertEquals(List.of(), List.copyOf(failures));
    }

    @Test
    void theDelayCountsFromTheEndOfARunAndNothingIsCaughtUp() throws Exception {
        var ends = new ArrayList<Long>();
        var gaps = new ArrayList<Long>();
        var done = new CountDownLatch(6);
        var task = start(Duration.ofMillis(-1), Duration.ofMillis(20), () -> {
            if (!ends.isEmpty()) {
                gaps.add(System.nanoTime() - ends.getLast());
            }
            Thread.sleep(runs.incrementAndGet() == 2 ? 200 : 0); // as long as ten delays
            ends.add(System.nanoTime());
            done.countDown();
            Thread.currentThread().interrupt(); // a leftover flag does not shorten the delay
        });
        try (task) {
            done.await();
        }
        assertTrue(gaps.stream().allMatch(gap -> gap >= 20_000_000), gaps::toString);
    }

    @Test
    void nothingTheJobDoesEndsTheRuns() throws Exception {
        var flagLeft = new CompletableFuture<Boolean>();
        var task = start(Duration.ZERO, Duration.ZERO, () -> {
            switch (runs.incrementAndGet()) {
                case 1 -> throw new IOException();
                case 2 -> throw new StackOverflowError();
                case 3 -> throw new InterruptedException("its own");
                case 4 -> Thread.currentThread().interrupt();
                case 5 -> {
                    Thread.currentThread().interrupt();
                    throw new IllegalStateException();
                }
                case 6 -> flagLeft.complete(Thread.currentThread().isInterrupted());
                default -> {
                }
            }
        });
        try (task) {
            for (String name : List.of("IOException", "StackOverflowError", "InterruptedException",
                    "IllegalStateException")) {
                assertEquals(name, failures.take().getClass().getSimpleName());
            }
            assertFalse(flagLeft.get());
        }
    }

    @Test
    void anInterruptFromElsewhereEndsNeitherTheDelayNorTheRuns() throws Exception {
        var thread = new CompletableFuture<Thread>();
        var first = new CompletableFuture<Long>();
        var second = new CompletableFuture<Long>();
        var task = start(Duration.ZERO, Duration.ofMillis(50), () -> {
            thread.complete(Thread.currentThread());
            if (!first.complete(System.nanoTime())) {
                second.complete(System.nanoTime());
            }
        });
        try (task) {
            thread.get();
            while (!second.isDone()) {
                thread.get().interrupt();
                Thread.sleep(1);
            }
            assertTrue(second.get() - first.get() >= 50_000_000);
        }
    }

    @Test
    void aHandlerThatThrowsCostsNothingNorDoesAnUncaughtHandler() throws Exception {
        var done = new CountDownLatch(3);
        var uncaught = new ConcurrentLinkedQueue<Throwable>();
        var error = new AssertionError("handler");
        var task = PeriodicTask.start("handler fails", Duration.ZERO, Duration.ZERO, () -> {
            Thread.currentThread().interrupt();
            throw new IOException();
        }, (name, cause) -> {
            assertFalse(Thread.currentThread().isInterrupted(), "the handler may block");
            Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> {
                uncaught.add(e);
                throw new IllegalStateException("the uncaught handler too");
            });
            Thread.currentThread().interrupt(); // left behind
            done.countDown();
            throw error;
        });
        try (task) {
            done.await();
        }
        assertEquals(error, uncaught.peek());
    }

    @Test
    void aHandlerThatNeverReturnsCostsNeitherRunsNorClose() throws Exception {
        var blocked = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var release = new CountDownLatch(1);
        var many = new CountDownLatch(100);
        var calls = new AtomicInteger();
        var last = new CountDownLatch(1);
        var task = PeriodicTask.start("handler blocks", Duration.ZERO, Duration.ZERO, () -> {
            many.countDown();
            throw new IOException("run " + runs.incrementAndGet());
        }, (name, cause) -> {
            calls.incrementAndGet();
            blocked.countDown();
            while (release.getCount() > 0) {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                }
            }
            last.countDown();
        });
        blocked.await();
        many.await();
        assertEquals(1, calls.get());
        task.close(); // a second, then the handler is interrupted and left behind
        task.close();
        release.countDown();
        last.await();
        assertTrue(interrupts.get() <= 1);
    }

    @Test
    void closedWhileItReadsFromASocketIsNoFailure() throws Exception {
        try (var listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            var reading = new CountDownLatch(1);
            var task = start(Duration.ZERO, Duration.ZERO, () -> {
                try (var socket = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
                    reading.countDown();
                    socket.getInputStream().read();
                }
            });
            reading.await();
            task.close();
        }
        assertEquals(List.of(), List.copyOf(failures));
    }

    @Test
    void planOfAFixedDelay() {
        long ms = 1_000_000;
        var plan = PeriodicTask.Plan.fixedDelay(5 * ms, Duration.ofMillis(10), Duration.ofMillis(20));
        assertEquals(10 * ms, plan.waitNanos(5 * ms));
        assertFalse(plan.begin(15 * ms - 1));
        assertEquals(0, plan.waitNanos(99 * ms));
        assertTrue(plan.begin(99 * ms));
        assertFalse(plan.begin(200 * ms), "one runs");
        assertEquals(Long.MAX_VALUE, plan.waitNanos(200 * ms));
        plan.ended(300 * ms);
        assertEquals(20 * ms, plan.waitNanos(300 * ms));
    }

    @Test
    void planOfAFixedRate() {
        long ms = 1_000_000;
        var plan = PeriodicTask.Plan.fixedRate(0, Duration.ZERO, Duration.ofMillis(20));
        assertTrue(plan.begin(3 * ms));
        plan.ended(10 * ms);
        assertEquals(10 * ms, plan.waitNanos(10 * ms), "from start to start, and back on the grid");
        assertTrue(plan.begin(20 * ms));
        plan.ended(90 * ms);
        assertEquals(ms, plan.waitNanos(90 * ms), "late: a thread parks once all the same");
        assertTrue(plan.begin(91 * ms));
        plan.ended(92 * ms);
        assertEquals(19 * ms, plan.waitNanos(92 * ms), "what was missed is not made up for");
    }

    @Test
    void planOfDurationsOfAnySize() {
        var past = Duration.ofSeconds(Long.MIN_VALUE);
        for (long now : new long[] {Long.MIN_VALUE, 0, Long.MAX_VALUE}) {
            for (var plan
                    : List.of(PeriodicTask.Plan.fixedDelay(now, past, past),
                            PeriodicTask.Plan.fixedRate(now, past, past))) {
                assertTrue(plan.begin(now));
                plan.ended(now);
                assertEquals(1_000_000, plan.waitNanos(now));
            }
            for (var plan
                    : List.of(PeriodicTask.Plan.fixedDelay(now, NEVER, NEVER),
                            PeriodicTask.Plan.fixedRate(now, past, NEVER))) {
                plan.begin(now);
                plan.ended(now + 1);
                assertTrue(plan.waitNanos(now + 1) > Duration.ofDays(25_000).toNanos());
            }
        }
    }

    @Test
    void runsAtAFixedRateAlsoFromTheFarPast() throws Exception {
        var five = new CountDownLatch(5);
        var task = PeriodicTask.startAtFixedRate("rate", Duration.ofSeconds(Long.MIN_VALUE), Duration.ofMillis(2),
                () -> {
            five.countDown();
            Thread.sleep(3);
        }, (name, cause) -> failures.add(cause));
        try (task) {
            five.await();
        }
        assertEquals(List.of(), List.copyOf(failures));
    }

    @Test
    void aTaskThatHangsDelaysNoOther() throws Exception {
        var five = new CountDownLatch(5);
        var hanging = start(Duration.ZERO, Duration.ZERO, () -> new CountDownLatch(1).await());
        var other = start(Duration.ZERO, Duration.ofMillis(1), five::countDown);
        try (hanging; other) {
            five.await();
        }
    }

    @Test
    void refusesWhatCannotWork() {
        PeriodicTask.FailureHandler handler = (name, cause) -> { };
        PeriodicTask.Job job = () -> { };
        var zero = Duration.ZERO;
        for (var missing : List.<Executable>of(() -> PeriodicTask.start(null, zero, zero, job, handler),
                () -> PeriodicTask.start("name", null, zero, job, handler),
                        () -> PeriodicTask.start("name", zero, null, job, handler),
                () -> PeriodicTask.start("name", zero, zero, null, handler),
                        () -> PeriodicTask.start("name", zero, zero, job, null),
                () -> PeriodicTask.startAtFixedRate("name", zero, null, job, handler))) {
            assertTrue(List.of("name", "firstDelay", "delay", "period", "job", "onFailure")
                    .contains(assertThrows(NullPointerException.class, missing).getMessage()));
        }
    }

    @Test
    void withoutADelayItStarvesNobody() throws Exception {
        int many = 2 * Runtime.getRuntime().availableProcessors() + 2;
        var all = new CountDownLatch(many);
        var tasks = IntStream.range(0, many).mapToObj(i -> {
            var ran = new AtomicInteger();
            return start(Duration.ZERO, Duration.ZERO, () -> {
                if (ran.getAndIncrement() == 0) {
                    all.countDown();
                }
            });
        }).toList();
        all.await();
        tasks.forEach(PeriodicTask::close);
    }

    @Test
    void closeEndsTheDelayAtOnce() throws Exception {
        for (Duration first : List.of(NEVER, Duration.ofDays(1))) {
            var waiting = start(first, Duration.ZERO, runs::incrementAndGet);
            waiting.close();
            waiting.close();
        }
        assertEquals(0, runs.get());
        var ran = new CountDownLatch(1);
        var task = start(Duration.ZERO, NEVER, ran::countDown);
        try (task) {
            ran.await();
        }
    }

    @Test
    void closeInterruptsARunOnceAndAwaitsItsCleanup() throws Exception {
        var running = new CountDownLatch(1);
        var ended = new AtomicInteger();
        var task = start(Duration.ZERO, Duration.ZERO, () -> {
            try {
                running.countDown();
                new CountDownLatch(1).await();
            } finally {
                Thread.sleep(30); // not interrupted a second time
                ended.incrementAndGet();
            }
        });
        running.await();
        var others = IntStream.range(0, 5).mapToObj(i -> Thread.ofVirtual().start(task::close)).toList();
        task.close();
        assertEquals(1, ended.get());
        for (var other : others) {
            other.join();
        }
        assertEquals(List.of(), List.copyOf(failures), "an interrupted run is no failure");
    }

    @Test
    void aFailedCleanupIsReported() throws Exception {
        var running = new CountDownLatch(1);
        var task = start(Duration.ZERO, Duration.ZERO, () -> {
            running.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                throw new IOException("cleanup");
            }
        });
        running.await();
        task.close();
        assertEquals("cleanup", failures.take().getMessage());
    }

    @Test
    void fromInsideTheJobCloseIsRefusedAndStopMakesThisRunTheLast() throws Exception {
        var self = new CompletableFuture<PeriodicTask>();
        var after = new CompletableFuture<Boolean>();
        var task = start(Duration.ZERO, Duration.ZERO, () -> {
            runs.incrementAndGet();
            assertThrows(IllegalStateException.class, () -> self.get().close());
            self.get().stop();
            Thread.sleep(1);
            after.complete(Thread.currentThread().isInterrupted());
        });
        self.complete(task);
        assertFalse(after.get(), "the run goes on to its end");
        task.close();
        assertEquals(1, runs.get());
        assertEquals(List.of(), List.copyOf(failures));
    }

    @Test
    void fromInsideTheHandlerCloseIsRefused() throws Exception {
        var self = new CompletableFuture<PeriodicTask>();
        var refused = new CompletableFuture<Throwable>();
        var task = PeriodicTask.start("handler closes", Duration.ZERO, NEVER, () -> {
            throw new IOException();
        }, (name, cause) -> refused.complete(assertThrows(IllegalStateException.class, () -> self.get().close())));
        self.complete(task);
        refused.get();
        task.close();
    }

    @Test
    void anInterruptOfTheCloserDoesNotEndTheWait() throws Exception {
        var running = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var ended = new AtomicInteger();
        var task = start(Duration.ZERO, NEVER, () -> {
            running.countDown();
            for (boolean waited = false; !waited; ) {
                try {
                    go.await(); // ignores its interrupt
                    waited = true;
                } catch (InterruptedException e) {
                    continue;
                }
            }
            ended.incrementAndGet();
        });
        running.await();
        var seen = new CompletableFuture<String>();
        var closer = Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            task.close();
            seen.complete(ended + " " + Thread.currentThread().isInterrupted());
        });
        closer.interrupt();
        go.countDown();
        assertEquals("1 true", seen.get());
    }

    /**
     * Many tasks that throw, leave flags and are closed at any moment, from inside too: no overlap, no run after close,
     * none dies early.
     */
    @Test
    @Timeout(600)
    void stress() throws Exception {
        var total = new AtomicInteger();
        var overlaps = new AtomicInteger();
        var afterClose = new AtomicInteger();
        var reported = new AtomicInteger();
        var thrown = new AtomicInteger();
        var ways = Stream.generate(AtomicInteger::new).limit(5).toList();
        int rounds = 0;
        for (; total.get() < 120_000; rounds++) {
            var enough = new Semaphore(0);
            var tasks = new ArrayList<PeriodicTask>();
            for (int t = 0; t < 200; t++) {
                var random = new Random(rounds * 200L + t);
                var inside = new AtomicInteger();
                var closed = new AtomicInteger();
                int target = 20 + random.nextInt(60);
                boolean selfClosing = t % 2 == 0;
                var self = new CompletableFuture<PeriodicTask>();
                var count = new AtomicInteger();
                var task = PeriodicTask.start("t" + t, Duration.ZERO, Duration.ofNanos(random.nextInt(2)), () -> {
                    overlaps.addAndGet(inside.getAndIncrement());
                    try {
                        total.incrementAndGet();
                        afterClose.addAndGet(closed.get());
                        int run = count.incrementAndGet();
                        if (run == target) {
                            enough.release();
                            if (selfClosing) {
                                closed.set(1);
                                self.get().stop();
                            }
                        }
                        int way = random.nextInt(5);
                        ways.get(way).incrementAndGet();
                        switch (way) {
                            case 0 -> Thread.currentThread().interrupt();
                            case 1 -> {
                                thrown.incrementAndGet();
                                throw new IOException();
                            }
                            case 2 -> {
                                thrown.incrementAndGet();
                                throw new AssertionError();
                            }
                            case 3 -> Thread.yield();
                            default -> {
                            }
                        }
                    } finally {
                        inside.decrementAndGet();
                    }
                }, (name, cause) -> reported.incrementAndGet());
                self.complete(task);
                tasks.add(task);
            }
            enough.acquire(200); // each made its runs: none died
            tasks.forEach(PeriodicTask::close);
            int atClose = total.get();
            Thread.yield();
            assertEquals(atClose, total.get(), "a run after close()");
        }
        System.out.println("PeriodicTask: " + total + " runs in " + rounds * 200 + " tasks, " + reported + " failures");
        assertEquals(0, overlaps.get());
        assertEquals(0, afterClose.get());
        assertTrue(reported.get() > 0 && reported.get() <= thrown.get(), () -> thrown + " thrown, " + reported
                + " reported");
        assertTrue(ways.stream().allMatch(way -> way.get() > 0));
    }
}
