import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class KeyedLimitsTest {

    private static final Duration SECOND = Duration.ofSeconds(1);
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1_000); // wraps around soon
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

    @AfterEach
    void close() {
        executor.shutdownNow();
        executor.close();
    }

    private KeyedLimits<Object> limits(int permits, int burst, int perKey, int inAll, int maxKeys) {
        return new KeyedLimits<>(new KeyedLimits.Rate(permits, SECOND, burst), new KeyedLimits.Running(perKey, inAll),
                maxKeys, now::get);
    }

    private void pass(Duration time) {
        now.addAndGet(time.toNanos());
    }

    /** A key whose hashCode and equals do what the test wants. */
    private record Odd(int hash, String name, Runnable atEquals) {
        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(Object other) {
            atEquals.run();
            return other instanceof Odd odd && odd.name.equals(name);
        }
    }

    @Test
    void eachKeyHasItsRateAndIsToldHowLong() {
        var limits = limits(10, 5, 1, 1, 100);
        for (String key : List.of("a", "b")) {
            assertEquals(Duration.ZERO, limits.reserve(key, 3));
            assertEquals(Duration.ZERO, limits.reserve(key, 2));
            assertEquals(Duration.ofMillis(200), limits.reserve(key, 2));
            assertEquals(Duration.ofMillis(100), limits.reserve(key), "nothing was taken");
        }
        pass(Duration.ofNanos(99_999_999));
        assertEquals(Duration.ofNanos(1), limits.reserve("a"));
        pass(Duration.ofNanos(1));
        assertEquals(Duration.ZERO, limits.reserve("a"));
        assertEquals(Duration.ofMillis(100), limits.reserve("a"));
        pass(Duration.ofDays(1));
        assertEquals(Duration.ZERO, limits.reserve("a", 5));
        assertEquals(Duration.ofMillis(100), limits.reserve("a"), "a pause gives the burst, no more");
    }

    @Test
    void soManyOfAKeyAndSoManyInAll() {
        var limits = limits(10, 5, 2, 3, 100);
        var first = limits.tryEnter("a").orElseThrow();
        limits.tryEnter("a").orElseThrow();
        assertEquals(Optional.empty(), limits.tryEnter("a"));
        var third = limits.tryEnter("b").orElseThrow();
        assertEquals(Optional.empty(), limits.tryEnter("b"), "three run in all");
        first.close();
        first.close();
        limits.tryEnter("b").orElseThrow();
        assertEquals(Optional.empty(), limits.tryEnter("c"));
        third.close();
        limits.tryEnter("a").orElseThrow();
        assertEquals(Optional.empty(), limits.tryEnter("a"));
    }

    @Test
    void anIdleKeyIsForgotten() {
        var limits = limits(10, 5, 1, 1_000, 64);
        for (int i = 0; i < 50; i++) {
            limits.reserve("rate " + i, 5);
        }
        var place = limits.tryEnter("running").orElseThrow();
        assertEquals(51, limits.keys());
        pass(Duration.ofMillis(499));
        for (int i = 0; i < 128; i++) {
            limits.reserve("rate 0", 5);
        }
        assertEquals(51, limits.keys(), "none has got its burst back");
        pass(Duration.ofMillis(1));
        for (int i = 0; i < 128; i++) {
            limits.tryEnter("running");
        }
        assertEquals(1, limits.keys(), "who runs something is remembered");
        place.close();
        for (int i = 0; i < 128; i++) {
            limits.reserve("another");
        }
        assertEquals(1, limits.keys());
    }

    @Test
    void aFloodOfInventedKeysFillsNoMemoryAndHarmsNoKnownClient() {
        var limits = limits(10, 10, 1, 10, 1_000);
        assertEquals(Duration.ZERO, limits.reserve("known", 10));
        int accepted = 0;
        for (int i = 0; i < 1_000_000; i++) {
            accepted += limits.reserve("invented " + i).isZero() ? 1 : 0;
            assertTrue(limits.keys() <= 1_000);
        }
        assertEquals(1_000, limits.keys());
        assertTrue(accepted >= 999 + 10 && accepted <= 999 + 256 * 10, "newcomers share: " + accepted);
        assertEquals(Duration.ofMillis(100), limits.reserve("known"));
        pass(Duration.ofMillis(100));
        assertEquals(Duration.ZERO, limits.reserve("known"));
        pass(SECOND);
        for (int i = 0; i < 2_000; i++) {
            limits.reserve("later " + i % 100);
        }
        assertTrue(limits.keys() <= 100, "those who came once are idle again");
    }

    @Test
    void keysMadeToCollideCostNoTime() {
        var limits = limits(1, 1, 1, 1_000_000, 1_000_000);
        var compared = new AtomicInteger();
        for (int i = 0; i < 10_000; i++) {
            limits.reserve(new Odd(42, "" + i, compared::incrementAndGet));
        }
        assertTrue(compared.get() <= 16 * 10_000, "compared " + compared);
        assertEquals(16, limits.keys());
    }

    @Test
    void aKeyThatThrowsOrHangsConcernsItsOwnCallerOnly() throws Exception {
        var limits = limits(10, 10, 1, 10, 100);
        var hanging = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        assertEquals(Duration.ZERO, limits.reserve(new Odd(1, "good", () -> { })));
        var stuck = executor.submit(() -> limits.reserve(new Odd(1, "stuck", () -> {
            hanging.countDown();
            try {
                go.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        })));
        hanging.await();
        assertEquals(Duration.ZERO, limits.reserve(new Odd(1, "good", () -> { })), "the same chain is free");
        assertThrows(StackOverflowError.class, () -> limits.tryEnter(new Odd(1, "bad", () -> {
            throw new StackOverflowError();
        })));
        limits.tryEnter(new Odd(1, "calls back", () -> limits.reserve("within"))).orElseThrow().close();
        assertThrows(NullPointerException.class, () -> limits.reserve(null));
        go.countDown();
        assertEquals(Duration.ZERO, stuck.get());
        assertEquals(Duration.ZERO, limits.reserve("another"));
    }

    @Test
    void argumentsThatCannotWorkAreRefused() {
        var rate = new KeyedLimits.Rate(1, SECOND, 1);
        for (int bad : new int[] {0, -1}) {
            assertThrows(IllegalArgumentException.class, () -> new KeyedLimits.Rate(bad, SECOND, 1));
            assertThrows(IllegalArgumentException.class, () -> new KeyedLimits.Rate(1, SECOND, bad));
            assertThrows(IllegalArgumentException.class, () -> new KeyedLimits.Rate(1, Duration.ofNanos(bad), 1));
            assertThrows(IllegalArgumentException.class, () -> new KeyedLimits.Running(bad, 1));
            assertThrows(IllegalArgumentException.class, () -> new KeyedLimits.Running(1, bad));
            assertThrows(IllegalArgumentException.class, () ->
                    new KeyedLimits<>(rate, KeyedLimits.Running.ANY, bad));
            assertThrows(IllegalArgumentException.class, () -> limits(1, 1, 1, 1, 1).reserve("a", bad));
        }
        assertThrows(IllegalArgumentException.class, () -> limits(1, 3, 1, 1, 1).reserve("a", 4));
        assertThrows(IllegalArgumentException.class, () -> new KeyedLimits<>(
                new KeyedLimits.Rate(1, Duration.ofSeconds(Long.MAX_VALUE), 2), KeyedLimits.Running.ANY, 1));
        assertThrows(NullPointerException.class, () -> new KeyedLimits<>(rate, null, 1));
        assertThrows(NullPointerException.class, () -> new KeyedLimits<>(null, KeyedLimits.Running.ANY, 1));
        var any = new KeyedLimits<>(KeyedLimits.Rate.ANY, KeyedLimits.Running.ANY, 1);
        for (int i = 0; i < 10_000; i++) {
            assertTrue(any.reserve("a").isZero());
            any.tryEnter("a").orElseThrow();
        }
    }

    /** Against one exact bucket for each key; keys are forgotten and come again all the time. */
    @Test
    void agreesWithAModel() {
        for (int seed = 0; seed < 200; seed++) {
            var random = new Random(seed);
            int burst = 1 + random.nextInt(5);
            var limits = limits(10, burst, 1, 1, 1_000);
            var fullAt = new HashMap<Integer, Long>();
            for (int step = 0; step < 1_000; step++) {
                pass(Duration.ofMillis(random.nextInt(30)));
                int key = random.nextInt(20);
                int permits = 1 + random.nextInt(burst);
                long time = now.get();
                long before = fullAt.containsKey(key) && fullAt.get(key) - time > 0 ? fullAt.get(key) : time;
                long wait = Math.max(0, before - time + (permits - burst) * 100_000_000L);
                assertEquals(wait, limits.reserve(key, permits).toNanos());
                if (wait == 0) {
                    fullAt.put(key, before + permits * 100_000_000L);
                }
            }
        }
    }

    /** Many threads, more keys than there is room for, random pauses: never too many, and no place or permit lost. */
    @Test
    @SuppressWarnings("try") // close() is called on purpose
    void stress() throws Exception {
        int keys = 40;
        int perKey = 3;
        int inAll = 20;
        var limits = limits(1_000, 10, perKey, inAll, keys);
        var running = new AtomicIntegerArray(keys);
        var all = new AtomicInteger();
        var entered = new AtomicInteger();
        var refused = new AtomicInteger();
        var callers = new ArrayList<Future<?>>();
        for (int t = 0; t < 16; t++) {
            var random = new Random(t);
            callers.add(executor.submit(() -> {
                for (int i = 0; i < 20_000; i++) {
                    int key = random.nextInt(keys);
                    pass(Duration.ofNanos(random.nextInt(100_000)));
                    limits.reserve(key);
                    var permit = limits.tryEnter(key);
                    if (permit.isEmpty()) {
                        refused.incrementAndGet();
                        continue;
                    }
                    entered.incrementAndGet();
                    assertTrue(running.incrementAndGet(key) <= perKey & all.incrementAndGet() <= inAll);
                    Thread.yield();
                    running.decrementAndGet(key);
                    all.decrementAndGet();
                    permit.get().close();
                    permit.get().close(); // counts once
                }
                return null;
            }));
        }
        for (var caller : callers) {
            caller.get();
        }
        assertEquals(16 * 20_000, entered.get() + refused.get());
        var places = new ArrayList<KeyedLimits<Object>.Permit>();
        for (int i = 0; i < inAll; i++) {
            places.add(limits.tryEnter(i).orElseThrow());
        }
        assertTrue(limits.tryEnter(-1).isEmpty());
        places.forEach(KeyedLimits.Permit::close);
        pass(SECOND);
        for (int i = 0; i < 200; i++) {
            limits.tryEnter("sweeps").orElseThrow().close();
        }
        assertTrue(limits.keys() <= 1, "each is idle, and forgotten");
        System.out.println("KeyedLimits: " + entered + " entered, " + refused + " refused");
    }
}
