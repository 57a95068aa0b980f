package harness;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/** Programs with a bug that {@code references/debugging.md} has to find. Each runs until its standard input ends. */
final class Planted {

    private Planted() {
    }

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "deadlock" -> deadlock();
            case "monitors" -> monitors();
            case "leak" -> leak();
            case "starvation" -> starvation();
            case "pinning" -> pinning();
            default -> throw new IllegalArgumentException(args[0]);
        }
        System.out.println("ready");
        while (System.in.read() >= 0) {
            // until the test closes it, or is gone
        }
        System.exit(0);
    }

    private static void deadlock() throws Exception {
        var a = new ReentrantLock();
        var b = new ReentrantLock();
        var holding = new CyclicBarrier(2);
        var pay = Thread.ofVirtual().name("pay").start(() -> lockBoth(a, b, holding));
        var refund = Thread.ofVirtual().name("refund").start(() -> lockBoth(b, a, holding));
        // beside them, what a service has
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        for (int i = 0; i < 100; i++) {
            executor.submit(() -> {
                new CountDownLatch(1).await();
                return null;
            });
        }
        while (!a.hasQueuedThreads() || !b.hasQueuedThreads() || pay.getState() != Thread.State.WAITING
                || refund.getState() != Thread.State.WAITING) { // one that is queued may not be parked yet
            Thread.sleep(1);
        }
    }

    private static void lockBoth(ReentrantLock first, ReentrantLock second, CyclicBarrier holding) {
        first.lock();
        try {
            await(holding);
            second.lock();
            second.unlock();
        } finally {
            first.unlock();
        }
    }

    private static void monitors() throws InterruptedException {
        var a = new Object();
        var b = new Object();
        var holding = new CyclicBarrier(2);
        await(Thread.State.BLOCKED, List.of(Thread.ofVirtual().name("pay").start(() -> enterBoth(a, b, holding)),
                Thread.ofVirtual().name("refund").start(() -> enterBoth(b, a, holding))));
    }

    private static void await(Thread.State state, List<Thread> threads) throws InterruptedException {
        while (!threads.stream().allMatch(thread -> thread.getState() == state)) {
            Thread.sleep(1);
        }
    }

    private static void enterBoth(Object first, Object second, CyclicBarrier holding) {
        synchronized (first) {
            await(holding);
            synchronized (second) {
                System.out.println("never");
            }
        }
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void leak() throws InterruptedException {
        Runnable leaking = Planted::waitForAnAnswerThatNeverComes;
        await(Thread.State.WAITING, Stream.generate(() -> Thread.startVirtualThread(leaking)).limit(5_000).toList());
    }

    private static void waitForAnAnswerThatNeverComes() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void starvation() throws InterruptedException {
        int carriers = Runtime.getRuntime().availableProcessors();
        var computing = new CountDownLatch(carriers);
        for (int i = 0; i < carriers; i++) {
            Thread.ofVirtual().name("report").start(() -> computeForEver(computing));
        }
        computing.await();
        for (int i = 0; i < 10; i++) {
            Thread.startVirtualThread(() -> System.out.println("no turn"));
        }
    }

    private static void computeForEver(CountDownLatch computing) {
        computing.countDown();
        for (long i = 0; ; i++) {
            if (i == Long.MIN_VALUE) {
                System.out.println("wrapped");
            }
        }
    }

    /**
     * A class initialiser that waits pins on every JDK; {@code synchronized} does on 21 only. Again and again, one
     * loader each.
     */
    private static void pinning() {
        Thread.ofPlatform().daemon().start(() -> {
            try {
                while (true) {
                    Thread.startVirtualThread(() -> initialise(new Again())).join();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private static void initialise(ClassLoader loader) {
        try {
            Class.forName(Slow.class.getName(), true, loader);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    private static final class Again extends ClassLoader {
        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.equals(Slow.class.getName())) {
                return super.loadClass(name, resolve);
            }
            try (InputStream in = Planted.class.getResourceAsStream("Planted$Slow.class")) {
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    static final class Slow {
        static {
            readConfiguration();
        }

        private static void readConfiguration() {
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
