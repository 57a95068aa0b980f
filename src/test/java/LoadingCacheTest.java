import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class LoadingCacheTest {
    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5); // it may overflow
    private final AtomicInteger loads = new AtomicInteger();

    @AfterEach
    void close() {
        executor.shutdownNow();
        executor.close();
    }

    private <K, V> LoadingCache<K, V> cache(int size, int life, int refresh, LoadingCache.Loader<K, V> loader) {
        return new LoadingCache<>(size, Duration.ofNanos(life), Duration.ofNanos(refresh), value -> true, now::get,
                key -> {
            loads.incrementAndGet();
            return loader.load(key);
        });
    }

    private static void awaitWaiters(LoadingCache<?, ?> cache, int count) {
        while (cache.waiters() != count) {
            Thread.yield();
        }
    }

    @Test
    void oneLoadForAllWhoWaitAndHitsAfterIt() throws Exception {
        var go = new CountDownLatch(1);
        var cache = cache(9, 10, 10, key -> {
            go.await();
            return new Object();
        });
        var answers = new ArrayList<Future<Object>>();
        for (int i = 0; i < 100; i++) {
            answers.add(executor.submit(() -> cache.get("k")));
        }
        awaitWaiters(cache, 100);
        assertEquals(Optional.empty(), cache.present("k"));
        go.countDown();
        for (var answer : answers) {
            assertSame(answers.getFirst().get(), answer.get());
        }
        assertSame(answers.getFirst().get(), cache.get("k"));
        assertSame(answers.getFirst().get(), cache.get("k", Duration.ZERO));
        Thread.currentThread().interrupt();
        assertSame(answers.getFirst().get(), cache.get("k"), "a hit does not wait");
        assertTrue(Thread.interrupted());
        assertEquals(1, loads.get());
        assertEquals(1, cache.size());
    }

    @Test
    void aValueExpires() throws Exception {
        var cache = cache(9, 10, 10, key -> loads.get());
        assertEquals(1, cache.get("k"));
        now.addAndGet(9);
        assertEquals(1, cache.get("k"));
        now.addAndGet(1);
        assertEquals(Optional.empty(), cache.present("k"));
        assertEquals(2, cache.get("k"));
        assertEquals(1, cache.size());
        for (Duration none : new Duration[] {Duration.ZERO, Duration.ofSeconds(Long.MIN_VALUE)}) {
            var off = new LoadingCache<String, Integer>(9, none, key -> loads.incrementAndGet());
            assertTrue(off.get("k") < off.get("k"), "nothing is kept");
            assertEquals(0, off.size());
        }
        var ever = new LoadingCache<String, Integer>(9, LONG, key -> loads.incrementAndGet());
        assertEquals(ever.get("k"), ever.get("k"));
    }

    @Test
    void failuresNullAndWhatIsRefusedAreNotKept() throws Exception {
        var boom = new IOException("boom");
        var cache = new LoadingCache<String, String>(9, LONG, LONG, value -> !value.equals("partial"), now::get,
                key -> switch (loads.incrementAndGet()) {
                    case 1 -> throw boom;
                    case 2 -> null;
                    case 3 -> "partial";
                    default -> "v";
                });
        assertSame(boom, assertThrows(ExecutionException.class, () -> cache.get("k")).getCause());
        assertInstanceOf(NullPointerException.class,
                assertThrows(ExecutionException.class, () -> cache.get("k")).getCause());
        assertEquals("partial", cache.get("k"));
        assertEquals("v", cache.get("k"));
        assertEquals("v", cache.get("k"));
        assertEquals(4, loads.get());
        cache.put("k", "partial");
        assertEquals("v", cache.get("k"), "refused, so the old one stays");
        var picky = new LoadingCache<String, String>(9, LONG, LONG, value -> {
            throw new StackOverflowError();
        }, now::get, key -> "v");
        assertInstanceOf(StackOverflowError.class,
                assertThrows(ExecutionException.class, () -> picky.get("k")).getCause());
    }

    @Test
    void aHitOnAnOldValueStartsOneLoadAndDoesNotWait() throws Exception {
        var go = new AtomicReference<>(new CountDownLatch(0));
        var cache = cache(9, 10, 5, key -> {
            go.get().await();
            if (loads.get() == 2) {
                throw new IOException("refresh failed");
            }
            return loads.get();
        });
        assertEquals(1, cache.get("k"));
        go.set(new CountDownLatch(1));
        now.addAndGet(5);
        for (int i = 0; i < 100; i++) {
            assertEquals(1, cache.get("k"));
        }
        while (loads.get() < 2) {
            Thread.yield();
        }
        assertEquals(0, cache.waiters());
        go.get().countDown();
        while (loads.get() < 3) { // it fails, and one of the next hits tries again
            assertEquals(1, cache.get("k"));
            Thread.yield();
        }
        while (cache.present("k").orElseThrow() == 1) {
            Thread.yield();
        }
        assertEquals(3, cache.get("k"));
        assertEquals(3, loads.get());
    }

    @Test
    void whoFindsTheValueExpiredTakesOverTheRefreshAndTheLastToLeaveStopsIt() throws Exception {
        var stopped = new CountDownLatch(1);
        var cache = cache(9, 10, 5, key -> {
            if (loads.get() == 2) {
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    stopped.countDown();
                    throw e;
                }
            }
            return loads.get();
        });
        assertEquals(1, cache.get("k"));
        now.addAndGet(5);
        assertEquals(1, cache.get("k"));
        while (loads.get() < 2) {
            Thread.yield();
        }
        now.addAndGet(5);
        do { // a caller that a busy machine holds up for so long does not join
            assertThrows(TimeoutException.class, () -> cache.get("k", Duration.ofMillis(10)));
        } while (!stopped.await(30, TimeUnit.SECONDS));
        assertEquals(3, cache.get("k"));
    }

    @Test
    void invalidateAndPutDuringALoadAreStrongerThanTheLoad() throws Exception {
        for (boolean put : new boolean[] {false, true}) {
            loads.set(0);
            var go = new CountDownLatch(1);
            var begun = new CountDownLatch(1);
            var cache = cache(9, 10, 10, key -> {
                int load = loads.get();
                begun.countDown(); // it knows which one it is
                if (load == 1) {
                    go.await();
                }
                return load;
            });
            var stale = executor.submit(() -> cache.get("k"));
            begun.await();
            if (put) {
                cache.put("k", 2);
            } else {
                cache.invalidate("k");
            }
            assertEquals(2, cache.get("k"));
            go.countDown();
            assertEquals(1, stale.get());
            assertEquals(2, cache.get("k"), "the stale value did not replace the new one");
            cache.invalidate("k");
            cache.invalidate("none");
            assertEquals(0, cache.size());
            assertEquals(Optional.empty(), cache.present("k"));
        }
    }

    @Test
    void aLoadSeesThatTheTimeOfAllIsOver() throws Exception {
        Duration left = null;
        while (left == null) { // a caller that a busy machine holds up for so long starts no load
            var seen = new LinkedBlockingQueue<Duration>();
            var cache = new AtomicReference<LoadingCache<String, String>>();
            cache.set(new LoadingCache<>(1, LONG, key -> {
                try {
                    new CountDownLatch(1).await();
                    return key;
                } finally {
                    seen.add(cache.get().left());
                }
            }));
            assertThrows(TimeoutException.class, () -> cache.get().get("k", Duration.ofMillis(5)));
            left = seen.poll(10, TimeUnit.SECONDS);
        }
        assertEquals(Duration.ZERO, left);
    }

    @Test
    void aLoadSeesHowLongTheMostPatientWaits() throws Exception {
        var seen = new LinkedBlockingQueue<Duration>();
        var look = new Semaphore(0);
        var cache = new AtomicReference<LoadingCache<String, String>>();
        cache.set(new LoadingCache<>(1, LONG, key -> {
            try {
                while (true) {
                    look.acquire();
                    seen.add(cache.get().left());
                }
            } finally {
                seen.add(cache.get().left());
            }
        }));
        var hour = Duration.ofHours(1);
        var first = executor.submit(() -> cache.get().get("k", hour));
        look.release();
        assertTrue(seen.take().compareTo(hour) <= 0);
        var second = executor.submit(() -> cache.get().get("k", LONG));
        awaitWaiters(cache.get(), 2);
        do { // it is registered a moment before it joins
            look.release();
        } while (seen.take().compareTo(hour) <= 0);
        second.cancel(true);
        awaitWaiters(cache.get(), 1);
        look.release();
        assertTrue(seen.take().compareTo(hour) > 0, "of those who have asked so far");
        first.cancel(true);
        assertTrue(seen.take().compareTo(hour) > 0, "they have left, it is not over");

        var endless = executor.submit(() -> cache.get().get("k"));
        look.release();
        assertTrue(seen.take().compareTo(Duration.ofDays(365 * 100)) > 0);
        endless.cancel(true);
        assertThrows(IllegalStateException.class, () -> cache.get().left());
    }

    @Test
    void aLoadAheadHasNoEnd() throws Exception {
        var left = new LinkedBlockingQueue<Duration>();
        var cache = new AtomicReference<LoadingCache<String, String>>();
        cache.set(cache(1, 10, 5, key -> {
            left.add(cache.get().left());
            return key;
        }));
        cache.get().get("k", LONG);
        assertTrue(left.take().compareTo(LONG) <= 0);
        now.addAndGet(5);
        cache.get().get("k", LONG);
        assertTrue(left.take().compareTo(Duration.ofDays(365 * 100)) > 0);
    }

    @Test
    void refreshLoadsAnewAndKeepsTheOldValueIfThatFails() throws Exception {
        var go = new CountDownLatch(1);
        var cache = cache(9, 10, 10, key -> {
            if (loads.get() == 2) {
                go.await();
            }
            if (loads.get() == 3) {
                throw new IOException();
            }
            return loads.get();
        });
        assertEquals(1, cache.get("k"));
        var refreshed = executor.submit(() -> cache.refresh("k", LONG));
        awaitWaiters(cache, 1);
        assertEquals(1, cache.get("k"), "meanwhile the old one");
        go.countDown();
        assertEquals(2, refreshed.get());
        assertEquals(2, cache.get("k"));
        assertThrows(ExecutionException.class, () -> cache.refresh("k", LONG));
        assertEquals(2, cache.get("k"));
        assertThrows(TimeoutException.class, () -> cache.refresh("k", Duration.ZERO));
        assertEquals(3, loads.get());
    }

    @Test
    void theBoundDropsWhatWasNotAskedForAgain() throws Exception {
        var cache = cache(3, 10, 10, key -> key);
        for (int key = 0; key < 4; key++) { // the fourth ends the first round: 0 goes, 1 to 3 have used up their chance
            cache.get(key);
        }
        assertEquals(3, cache.size());
        assertTrue(cache.present(0).isEmpty());
        cache.get(1);
        cache.get(4);
        assertTrue(cache.present(1).isPresent(), "asked for again");
        assertTrue(cache.present(2).isEmpty());
        for (int key = 0; key < 100_000; key++) {
            cache.get(key);
            cache.put(-1 - key % 7, key);
        }
        assertEquals(3, cache.size());
        now.addAndGet(20);
        cache.get(0);
        assertEquals(1, cache.size(), "what is too old goes when something comes");
        var one = cache(1, 10, 10, key -> key);
        for (int key = 0; key < 9; key++) {
            assertEquals(key, one.get(key));
            assertEquals(key, one.present(key).orElseThrow(), "the newest is kept");
        }
    }

    @Test
    void eachWaiterHasItsOwnLimitAndTheLoadEndsWithTheLast() throws Exception {
        var interrupts = new AtomicInteger();
        var finish = new CountDownLatch(1);
        var cache = cache(9, 10, 10, key -> {
            int load = loads.get();
            while (load == 1 && finish.getCount() > 0) {
                try {
                    finish.await(); // a clean-up that takes its time
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                }
            }
            return load;
        });
        assertThrows(TimeoutException.class, () -> cache.get("k", Duration.ZERO));
        assertThrows(TimeoutException.class, () -> cache.get("k", Duration.ofSeconds(Long.MIN_VALUE)));
        assertEquals(0, loads.get());
        var patient = executor.submit(() -> cache.get("k", LONG));
        while (loads.get() == 0) { // its own: it is registered a moment before it starts it
            Thread.yield();
        }
        assertThrows(TimeoutException.class, () -> cache.get("k", Duration.ofMillis(5)));
        assertEquals(0, interrupts.get());
        patient.cancel(true);
        while (interrupts.get() == 0) {
            Thread.yield();
        }
        awaitWaiters(cache, 1); // who was interrupted waits for the end of what he has stopped
        var next = cache.getAsync("k");
        awaitWaiters(cache, 2);
        assertEquals(1, loads.get(), "no second load beside it");
        finish.countDown();
        assertEquals(2, next.get(), "and what was abandoned is not kept");
        assertEquals(1, interrupts.get());
    }

    @Test
    void aFutureLeavesWhenItIsCancelled() throws Exception {
        var stopped = new CountDownLatch(1);
        var cache = cache(9, 10, 10, key -> {
            try {
                return new CountDownLatch(1).await(1, TimeUnit.DAYS);
            } catch (InterruptedException e) {
                stopped.countDown();
                throw e;
            }
        });
        var one = cache.getAsync("k");
        awaitWaiters(cache, 1);
        one.cancel(false);
        stopped.await();
        awaitWaiters(cache, 0);
        assertThrows(NullPointerException.class, () -> cache.getAsync(null));
    }

    @Test
    void recursionIsToldDirectlyAndThroughOtherKeys() throws Exception {
        var both = new CountDownLatch(2);
        var crossed = new AtomicReference<LoadingCache<Integer, Integer>>();
        crossed.set(cache(9, 10, 10, key -> {
            if (key < 2) {
                both.countDown();
                both.await();
            }
            return crossed.get().get(key < 2 ? 1 - key : key);
        }));
        var zero = executor.submit(() -> crossed.get().get(0));
        var one = executor.submit(() -> crossed.get().get(1));
        assertThrows(ExecutionException.class, zero::get);
        assertThrows(ExecutionException.class, one::get);
        assertEquals("the load of 3 needs 3",
                assertThrows(ExecutionException.class, () -> crossed.get().get(3)).getCause().getMessage());
        var fibonacci = new AtomicReference<LoadingCache<Integer, Long>>();
        fibonacci.set(cache(99, 10, 10, n -> n < 2 ? n : fibonacci.get().get(n - 1) + fibonacci.get().get(n - 2)));
        assertEquals(12586269025L, fibonacci.get().get(50), "recursion into other keys is fine");
    }

    private record Moody(int n, AtomicBoolean broken) {
        @Override
        public int hashCode() {
            return fail(7);
        }

        @Override
        public boolean equals(Object other) {
            return fail(1) == 1 && other instanceof Moody moody && moody.n == n;
        }

        @Override
        public String toString() {
            return "" + fail(n);
        }

        private int fail(int value) {
            if (broken.get()) {
                throw new StackOverflowError("session is closed");
            }
            return value;
        }
    }

    @Test
    void aKeyWhoseCodeThrowsCostsNobodyElse() throws Exception {
        var broken = new AtomicBoolean();
        var go = new CountDownLatch(1);
        var cache = cache(2, 1_000_000, 1_000_000, (Moody key) -> {
            go.await();
            return key.n();
        });
        var answers = new ArrayList<Future<Integer>>();
        var callers = new ConcurrentLinkedQueue<Thread>();
        for (int i = 0; i < 6; i++) {
            var key = new Moody(i % 2, broken);
            answers.add(executor.submit(() -> {
                callers.add(Thread.currentThread());
                return cache.get(key);
            }));
        }
        awaitWaiters(cache, 6);
        for (var caller : callers) { // registered a moment before it joins: until it waits for its load
            while (Arrays.stream(caller.getStackTrace())
                    .noneMatch(frame -> frame.getClassName().equals(CountDownLatch.class.getName()))) {
                Thread.yield();
            }
        }
        broken.set(true);
        go.countDown();
        for (int i = 0; i < 6; i++) {
            assertEquals(i % 2, answers.get(i).get());
        }
        assertThrows(StackOverflowError.class, () -> cache.get(new Moody(1, broken)));
        broken.set(false);
        assertEquals(1, cache.get(new Moody(1, broken)), "what could not be kept is not in the way");

        var rotten = new AtomicBoolean();
        var other = cache(1, 10, 10, key -> key);
        other.get(new Moody(1, rotten));
        rotten.set(true);
        for (int i = 0; i < 5; i++) {
            assertEquals(i, other.get(i), "its removal fails, and does not concern who comes next");
        }
        assertEquals(1, other.size());
    }

    @Test
    void refusesNonsense() {
        assertThrows(IllegalArgumentException.class, () -> new LoadingCache<>(0, LONG, key -> key));
        assertThrows(NullPointerException.class, () -> new LoadingCache<>(1, null, key -> key));
        assertThrows(NullPointerException.class, () -> new LoadingCache<>(1, LONG, null));
        var cache = cache(9, 10, 10, key -> key);
        assertThrows(NullPointerException.class, () -> cache.get(null));
        assertThrows(NullPointerException.class, () -> cache.get("k", null));
        assertThrows(NullPointerException.class, () -> cache.put("k", null));
        assertEquals(0, loads.get());
    }

    /** Every operation on a few keys, limits and interrupts at random: one load a key, no value too old, bound kept. */
    @Test
    void stress() throws Exception {
        int keys = 12;
        int each = 10_000;
        var running = new AtomicIntegerArray(keys);
        var versions = new AtomicIntegerArray(keys); // raised before invalidate
        var invalidated = new AtomicIntegerArray(keys); // raised after it: who asks later sees no older value
        var problems = new AtomicInteger();
        var ended = new AtomicInteger();
        var answered = new AtomicInteger();
        var left = new AtomicInteger();
        var stopped = new AtomicBoolean(); // the clock stands still: what is checked at the end grows no older
        var cache = new LoadingCache<Integer, Integer>(5, Duration.ofNanos(300_000), Duration.ofNanos(100_000),
                value -> value % 5 != 0, () -> stopped.get() ? 0 : System.nanoTime(), key -> {
                    loads.incrementAndGet();
                    running.incrementAndGet(key); // invalidate starts another beside the old one
                    try {
                        int version = versions.get(key);
                        switch (ThreadLocalRandom.current().nextInt(6)) {
                            case 0 -> Thread.sleep(Duration.ofNanos(ThreadLocalRandom.current().nextInt(100_000)));
                            case 1 -> throw new IOException();
                            default -> Thread.yield();
                        }
                        return version;
                    } finally {
                        running.decrementAndGet(key);
                        ended.incrementAndGet();
                    }
                });
        var tasks = new ArrayList<Chaos.Task>();
        for (int c = 0; c < 12; c++) {
            tasks.add(() -> {
                var random = ThreadLocalRandom.current();
                for (int i = 0; i < each; i++) {
                    int key = random.nextInt(keys);
                    int least = invalidated.get(key);
                    try {
                        if (random.nextInt(20) == 0) {
                            int version = versions.incrementAndGet(key);
                            cache.invalidate(key);
                            invalidated.accumulateAndGet(key, version, Math::max);
                            answered.incrementAndGet();
                            continue;
                        }
                        int value = random.nextBoolean() ? cache.get(key)
                                : cache.get(key, Duration.ofNanos(random.nextInt(200_000)));
                        if (value < least) {
                            problems.incrementAndGet();
                        }
                        answered.incrementAndGet();
                    } catch (ExecutionException e) {
                        if (!(e.getCause() instanceof IOException)) {
                            problems.incrementAndGet();
                        }
                        answered.incrementAndGet();
                    } catch (InterruptedException | TimeoutException e) {
                        left.incrementAndGet();
                    }
                }
            });
        }
        long interrupts = Chaos.run(tasks);
        while (loads.get() != ended.get()) {
            Thread.yield();
        }
        System.out.printf("LoadingCache: %,d calls: %,d answers, %,d left, %,d loads, %,d interrupts%n", 12 * each,
                answered.get(), left.get(), loads.get(), interrupts);
        assertEquals(0, problems.get());
        assertEquals(12 * each, answered.get() + left.get());
        assertEquals(0, cache.waiters());
        assertTrue(cache.size() <= 5);
        for (int key = 0; key < keys; key++) {
            while (running.get(key) > 0) { // one whose callers have left may begin only now
                Thread.yield();
            }
            cache.invalidate(key);
        }
        while (cache.size() > 0) { // what a load replaces counts until that load has ended
            Thread.yield();
        }
        stopped.set(true);
        for (int key = 0; key < 5; key++) {
            cache.put(key, 1);
        }
        assertEquals(5, cache.size());
    }

    @Test
    void aCancelDoesNotInterruptADependent() throws Exception {
        var go = new CountDownLatch(1);
        var loads = new LoadingCache<Integer, String>(10, Duration.ofDays(1), key -> {
            go.await();
            return "value";
        });
        var answer = loads.getAsync(1);
        while (loads.waiters() == 0) {
            Thread.sleep(1);
        }
        var cancelling = new CountDownLatch(1);
        var cancel = new CountDownLatch(1);
        var running = new CountDownLatch(1);
        var over = new CountDownLatch(1);
        var hit = new AtomicBoolean();
        var second = answer.whenComplete((value, failure) -> { // by the thread that waited for the outcome
            running.countDown();
            try {
                over.await();
            } catch (InterruptedException e) {
                hit.set(true);
            }
        });
        var first = answer.whenComplete((value, failure) -> { // by the one that cancels: the latest is the first
            cancelling.countDown();
            try {
                cancel.await();
            } catch (InterruptedException e) {
                hit.set(true);
            }
        });
        Thread canceller = Thread.startVirtualThread(() -> answer.cancel(true));
        cancelling.await();
        go.countDown();
        running.await();
        cancel.countDown();
        canceller.join();
        over.countDown();
        for (var dependent : List.of(first, second)) {
            assertThrows(CancellationException.class, () -> {
                try {
                    dependent.get();
                } catch (ExecutionException e) {
                    throw e.getCause();
                }
            });
        }
        assertFalse(hit.get());
    }

    @Test
    void whoAsksForAnAbandonedLoadDoesNotProlongIt() throws Exception {
        var loads = new AtomicInteger();
        var look = new Semaphore(0);
        var seen = new LinkedBlockingQueue<Duration>();
        var loading = new AtomicReference<LoadingCache<String, String>>();
        loading.set(new LoadingCache<>(9, LONG, key -> {
            if (loads.incrementAndGet() > 1) {
                return "value";
            }
            try {
                new CountDownLatch(1).await();
                return "never";
            } finally {
                look.acquire();
                seen.add(loading.get().left());
            }
        }));
        for (long millis = 5; loads.get() == 0; millis *= 2) { // a slow machine may not even begin
            var limit = Duration.ofMillis(millis);
            assertThrows(TimeoutException.class, () -> loading.get().get("k", limit));
        }
        var next = executor.submit(() -> loading.get().get("k", LONG));
        awaitWaiters(loading.get(), 1);
        look.release();
        assertEquals(Duration.ZERO, seen.take(), "the time of those whom it was for is over");
        assertEquals("value", next.get());
    }
}
