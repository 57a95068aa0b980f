import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class WeakCacheTest {
    private static final Duration LONG = Duration.ofDays(1);
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

    @AfterEach
    void close() {
        executor.shutdownNow();
        executor.close();
    }

    private static void collectUntil(WeakCache<?, ?> cache, int size) throws InterruptedException {
        while (cache.size() > size) {
            System.gc();
            Thread.sleep(1);
        }
    }

    @Test
    void oneLoadForAllWhoWait() throws Exception {
        var go = new CountDownLatch(1);
        var loads = new AtomicInteger();
        var cache = new WeakCache<String, Object>(1, LONG, key -> {
            loads.incrementAndGet();
            go.await();
            return new Object();
        });
        var answers = new ArrayList<Future<Object>>();
        for (int i = 0; i < 50; i++) {
            answers.add(executor.submit(() -> cache.get("k")));
        }
        go.countDown();
        for (var answer : answers) {
            assertSame(answers.getFirst().get(), answer.get());
        }
        assertEquals(1, loads.get());
    }

    @Test
    void theLastUsedAreKeptAndTheOthersOnlyWhileSomebodyHoldsThem() throws Exception {
        var loads = new AtomicInteger();
        var cache = new WeakCache<Integer, byte[]>(2, LONG, key -> {
            loads.incrementAndGet();
            return new byte[100];
        });
        byte[] held = cache.get(0);
        for (int key = 1; key <= 3; key++) {
            cache.get(key);
        }
        cache.get(2); // used again, so 3 goes first
        cache.get(4);
        collectUntil(cache, 3);
        assertEquals(5, loads.get());
        cache.get(2);
        cache.get(4);
        assertEquals(5, loads.get());
        // last: it takes the place of 2, which any collection may take from then on
        assertSame(held, cache.get(0), "held by the caller, so not loaded again");
        cache.get(3);
        assertEquals(6, loads.get());
        Reference.reachabilityFence(held);
    }

    @Test
    void aValueExpiresThoughHeld() throws Exception {
        var now = new AtomicLong(Long.MAX_VALUE - 5); // nanoTime may overflow
        var cache = new WeakCache<String, Object>(1, Duration.ofNanos(10), key -> new Object(), now::get);
        Object first = cache.get("k");
        assertSame(first, cache.get("k"));
        now.addAndGet(9);
        assertSame(first, cache.get("k"));
        now.addAndGet(1);
        assertNotSame(first, cache.get("k"));
        assertEquals(1, cache.size());
    }

    @Test
    void failuresAndNullAreNotKept() throws Exception {
        var loads = new AtomicInteger();
        var boom = new IOException("boom");
        var cache = new WeakCache<String, Object>(1, LONG, key -> switch (loads.incrementAndGet()) {
            case 1 -> throw boom;
            case 2 -> null;
            default -> "v";
        });
        assertSame(boom, assertThrows(ExecutionException.class, () -> cache.get("k")).getCause());
        assertInstanceOf(NullPointerException.class,
                assertThrows(ExecutionException.class, () -> cache.get("k")).getCause());
        assertEquals("v", cache.get("k"));
        assertEquals("v", cache.get("k"));
        assertEquals(3, loads.get());
    }

    @Test
    void ifTheLoaderIsInterruptedAnotherTakesOver() throws Exception {
        var begun = new CountDownLatch(1);
        var loads = new AtomicInteger();
        var cache = new WeakCache<String, Object>(1, LONG, key -> {
            if (loads.incrementAndGet() == 1) {
                begun.countDown();
                new CountDownLatch(1).await();
            }
            return "v";
        });
        var first = new AtomicReference<Exception>();
        Thread loader = Thread.ofVirtual().start(() -> {
            try {
                cache.get("k");
            } catch (InterruptedException | ExecutionException e) {
                first.set(e);
            }
        });
        begun.await();
        var others = new ArrayList<Thread>();
        var values = new AtomicInteger();
        for (int i = 0; i < 10; i++) {
            others.add(Thread.ofVirtual().start(() -> {
                try {
                    assertEquals("v", cache.get("k"));
                    values.incrementAndGet();
                } catch (InterruptedException | ExecutionException e) {
                    throw new AssertionError(e);
                }
            }));
        }
        for (Thread other : others) {
            while (other.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
        }
        Thread impatient = others.removeFirst();
        impatient.setUncaughtExceptionHandler((thread, e) -> { });
        impatient.interrupt();
        impatient.join();
        loader.interrupt();
        loader.join();
        for (Thread other : others) {
            other.join();
        }
        assertInstanceOf(InterruptedException.class, first.get());
        assertEquals(9, values.get());
        assertEquals(2, loads.get());
    }

    @Test
    void forgetDuringALoadAndRecursion() throws Exception {
        var go = new CountDownLatch(1);
        var begun = new CountDownLatch(1);
        var loads = new AtomicInteger();
        var cache = new WeakCache<String, Integer>(5, LONG, key -> {
            int load = loads.incrementAndGet();
            if (load == 1) {
                begun.countDown();
                go.await();
            }
            return load;
        });
        var stale = executor.submit(() -> cache.get("k"));
        begun.await();
        cache.forget("k");
        assertEquals(2, cache.get("k"));
        go.countDown();
        assertEquals(1, stale.get());
        assertEquals(2, cache.get("k"), "the stale value did not replace the new one");

        var self = new AtomicReference<WeakCache<Integer, Integer>>();
        self.set(new WeakCache<>(5, LONG, key -> key == 0 ? self.get().get(0) : self.get().get(key - 1)));
        Throwable cause = assertThrows(ExecutionException.class, () -> self.get().get(3));
        while (cause instanceof ExecutionException) {
            cause = cause.getCause();
        }
        assertInstanceOf(IllegalStateException.class, cause);
        assertThrows(IllegalArgumentException.class, () -> new WeakCache<>(-1, LONG, key -> key));
    }

    @Test
    void crossedLoadsAreTold() {
        var both = new CountDownLatch(2);
        var crossed = new AtomicReference<WeakCache<Integer, Integer>>();
        crossed.set(new WeakCache<>(5, LONG, key -> {
            both.countDown();
            both.await();
            return crossed.get().get(1 - key);
        }));
        var zero = executor.submit(() -> crossed.get().get(0));
        var one = executor.submit(() -> crossed.get().get(1));
        assertThrows(ExecutionException.class, zero::get);
        assertThrows(ExecutionException.class, one::get);
    }

    private record Moody(int n, AtomicBoolean broken) {
        @Override
        public int hashCode() {
            if (broken.get()) {
                throw new StackOverflowError("session is closed");
            }
            return n;
        }

        @Override
        public String toString() {
            return "" + hashCode();
        }
    }

    @Test
    void aKeyWhoseCodeThrowsCostsNobodyElse() throws Exception {
        var broken = new AtomicBoolean();
        var begun = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var cache = new WeakCache<Moody, Object>(5, LONG, key -> {
            begun.countDown();
            go.await();
            return "v";
        });
        var first = executor.submit(() -> cache.get(new Moody(1, broken)));
        begun.await();
        var waiter = new AtomicReference<Object>();
        Thread second = Thread.ofVirtual().start(() -> {
            try {
                waiter.set(cache.get(new Moody(1, broken)));
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        while (second.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        broken.set(true);
        go.countDown();
        assertEquals("v", first.get());
        second.join();
        assertEquals("v", waiter.get());
        assertThrows(StackOverflowError.class, () -> cache.get(new Moody(1, broken)));
        broken.set(false);
        assertEquals("v", cache.get(new Moody(1, broken)), "what could not be kept is not in the way");
        assertThrows(NullPointerException.class, () -> new WeakCache<>(1, null, key -> key));
        assertThrows(NullPointerException.class, () -> cache.get(null));
    }

    @Test
    void stress() throws Exception {
        int keys = 16;
        int callers = 16;
        int each = 10_000;
        var running = new AtomicIntegerArray(keys);
        var problems = new AtomicInteger();
        var loads = new AtomicInteger();
        var values = new AtomicInteger();
        var failures = new AtomicInteger();
        var interrupted = new AtomicInteger();
        var cache = new WeakCache<Integer, List<Integer>>(4, Duration.ofNanos(200_000), key -> {
            loads.incrementAndGet();
            if (running.incrementAndGet(key) != 1) {
                problems.incrementAndGet();
            }
            try {
                switch (ThreadLocalRandom.current().nextInt(8)) {
                    case 0 -> Thread.sleep(Duration.ofNanos(ThreadLocalRandom.current().nextInt(100_000)));
                    case 1 -> throw new IOException();
                    default -> { }
                }
                return new ArrayList<>(List.of(key));
            } finally {
                running.decrementAndGet(key);
            }
        });
        var tasks = new ArrayList<Chaos.Task>();
        for (int c = 0; c < callers; c++) {
            tasks.add(() -> {
                for (int i = 0; i < each; i++) {
                    int key = ThreadLocalRandom.current().nextInt(keys);
                    try {
                        assertEquals(List.of(key), cache.get(key));
                        values.incrementAndGet();
                    } catch (ExecutionException e) {
                        assertInstanceOf(IOException.class, e.getCause());
                        failures.incrementAndGet();
                    } catch (InterruptedException e) {
                        interrupted.incrementAndGet();
                    }
                }
            });
        }
        Chaos.run(tasks);
        System.out.printf("WeakCache: %,d calls: %,d values, %,d failures, %,d interrupted, %,d loads%n",
                callers * each, values.get(),
                failures.get(), interrupted.get(), loads.get());
        assertEquals(0, problems.get(), "never two loads of a key at once");
        assertEquals(callers * each, values.get() + failures.get() + interrupted.get());
        assertTrue(cache.size() <= keys);
        for (int key = 0; key < keys; key++) {
            cache.forget(key);
        }
        assertEquals(0, cache.size());
    }
}
