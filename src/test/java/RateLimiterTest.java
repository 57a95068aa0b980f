import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class RateLimiterTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    /** Its time passes by sleeping only, or when the test says so. */
    private static final class Simulated implements RateLimiter.Clock {
        final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1_000); // wraps around soon, as nanoTime may

        @Override
        public long nanoTime() {
            return now.get();
        }

        @Override
        public void sleep(Duration time) throws InterruptedException {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            now.addAndGet(time.toNanos());
        }
    }

    /** Whoever sleeps is noted and waits until the test wakes all. */
    private static final class Manual implements RateLimiter.Clock {
        final List<String> sleepers = new CopyOnWriteArrayList<>();
        final AtomicLong now = new AtomicLong();
        final CountDownLatch asleep = new CountDownLatch(1);
        final CountDownLatch wake = new CountDownLatch(1);
        @Override
        public long nanoTime() {
            return now.get();
        }

        @Override
        public void sleep(Duration time) throws InterruptedException {
            sleepers.add(Thread.currentThread().getName());
            asleep.countDown();
            wake.await();
            now.addAndGet(time.toNanos());
        }
    }

    /** Returns when it stands in line: {@code reserve} says more then, and after that it only waits for its turn. */
    private static Thread queued(String name, RateLimiter limiter, Callable<?> call) {
        var before = limiter.reserve();
        var thread = Thread.ofVirtual().name(name).start(() -> {
            try {
                call.call();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        while (limiter.reserve().compareTo(before) <= 0
                || thread.getState() != Thread.State.WAITING && thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.yield();
        }
        return thread;
    }

    private final Simulated clock = new Simulated();
    private final long start = clock.nanoTime();

    @Test
    void burstThenTheRate() throws Exception {
        var limiter = new RateLimiter(10, SECOND, 5, clock);
        for (int i = 0; i < 5; i++) {
            limiter.acquire();
        }
        assertEquals(0, clock.nanoTime() - start);
        for (int i = 1; i <= 30; i++) {
            limiter.acquire();
            assertEquals(i * 100_000_000L, clock.nanoTime() - start);
        }
        clock.now.addAndGet(Duration.ofDays(365).toNanos());
        for (int i = 0; i < 5; i++) {
            assertTrue(limiter.tryAcquire(Duration.ZERO));
        }
        assertFalse(limiter.tryAcquire(Duration.ZERO), "a pause fills the bucket, no more");
    }

    @Test
    void patienceEndsAtOnceWhenTheTokenComesTooLate() throws Exception {
        var limiter = new RateLimiter(10, SECOND, 1, clock);
        assertTrue(limiter.tryAcquire(Duration.ofSeconds(-1)));
        long before = clock.nanoTime();
        assertFalse(limiter.tryAcquire(Duration.ofMillis(99)));
        assertFalse(limiter.tryAcquire(Duration.ofSeconds(Long.MIN_VALUE)));
        assertEquals(before, clock.nanoTime(), "did not sleep in vain");
        assertTrue(limiter.tryAcquire(Duration.ofMillis(100)));
        assertTrue(limiter.tryAcquire(Duration.ofSeconds(Long.MAX_VALUE)));
        assertEquals(before + 200_000_000L, clock.nanoTime());
    }

    @Test
    void noDriftInAMillionAtAnOddRate() throws Exception {
        int count = 1_000_000;
        for (int[] rate : new int[][] {{3, 1_000_000_000}, {7, 10}, {999_999_937, 1_000_000_000}, {1, 1}}) {
            var limiter = new RateLimiter(rate[0], Duration.ofNanos(rate[1]), 2, clock);
            long begin = clock.nanoTime();
            for (int i = 0; i < count + 2; i++) {
                limiter.acquire();
            }
            assertEquals(Math.ceilDiv((long) count * rate[1], (long) rate[0]), clock.nanoTime() - begin);
        }
    }

    @Test
    void extremesDoNotOverflow() throws Exception {
        var fastest = new RateLimiter(Integer.MAX_VALUE, Duration.ofNanos(1), Integer.MAX_VALUE, clock);
        assertTrue(fastest.tryAcquire(Duration.ZERO));
        clock.now.addAndGet(1L << 62);
        assertTrue(fastest.tryAcquire(Duration.ZERO));
        var slowest = new RateLimiter(1, Duration.ofSeconds(Long.MAX_VALUE), 1, clock);
        assertTrue(slowest.tryAcquire(Duration.ZERO));
        assertFalse(slowest.tryAcquire(Duration.ofDays(100_000)));
        clock.now.addAndGet(-50); // a clock that goes back gives nothing
        assertFalse(slowest.tryAcquire(Duration.ZERO));
        var many = new RateLimiter(1_000_000_000, Duration.ofHours(1), 1_000_000_000, clock);
        assertTrue(many.tryAcquire(Duration.ZERO));
        assertThrows(IllegalArgumentException.class,
                () -> new RateLimiter(7, Duration.ofDays(1), Integer.MAX_VALUE, clock));
        assertThrows(IllegalArgumentException.class, () -> new RateLimiter(0, SECOND, 1));
        assertThrows(IllegalArgumentException.class, () -> new RateLimiter(1, Duration.ZERO, 1));
        assertThrows(IllegalArgumentException.class, () -> new RateLimiter(1, SECOND, 0));
    }

    @Test
    void aClockThatWentBackDoesNotCountTheSameTimeTwice() throws Exception {
        var limiter = new RateLimiter(10, SECOND, 100, clock);
        while (limiter.tryAcquire(Duration.ZERO)) {
            Thread.onSpinWait();
        }
        for (int i = 0; i < 10; i++) {
            clock.now.addAndGet(-50_000_000);
            assertFalse(limiter.tryAcquire(Duration.ZERO));
            clock.now.addAndGet(50_000_000);
            assertFalse(limiter.tryAcquire(Duration.ZERO));
        }
    }

    @Test
    void firstComeFirstServedAndWhoGivesUpLeavesTheQueue() throws Exception {
        var manual = new Manual();
        var limiter = new RateLimiter(1, SECOND, 1, manual);
        limiter.acquire();
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < 20; i++) {
            boolean patient = i % 2 == 0;
            threads.add(queued("" + i, limiter, () -> {
                if (patient) {
                    assertTrue(limiter.tryAcquire(SECOND.multipliedBy(1_000)));
                } else {
                    limiter.acquire();
                }
                return null;
            }));
        }
        assertEquals(List.of("0"), manual.sleepers, "the head sleeps, the others stand in line");
        assertFalse(limiter.tryAcquire(Duration.ZERO), "does not barge in");
        assertFalse(limiter.tryAcquire(Duration.ofMillis(1)));
        for (int i = 0; i < 10; i++) { // the head among them
            threads.get(i).interrupt();
            threads.get(i).join();
        }
        manual.wake.countDown();
        for (var thread : threads) {
            thread.join();
        }
        var heads = manual.sleepers.stream().filter(name -> Integer.parseInt(name) >= 10).toList();
        assertEquals(List.of("10", "11", "12", "13", "14", "15", "16", "17", "18", "19"), heads);
        assertEquals(10 * 1_000_000_000L, manual.now.get(), "those who gave up cost no time");
    }

    @Test
    void nobodyOvertakesThoseWhoWait() throws Exception {
        var manual = new Manual();
        var limiter = new RateLimiter(1, SECOND, 1, manual);
        limiter.acquire();
        var threads = new ArrayList<Thread>();
        threads.add(queued("greedy", limiter, () -> {
            limiter.acquire();
            limiter.acquire();
            return null;
        }));
        for (int i = 0; i < 3; i++) {
            threads.add(queued("" + i, limiter, () -> {
                limiter.acquire();
                return null;
            }));
        }
        manual.wake.countDown();
        for (var thread : threads) {
            thread.join();
        }
        assertEquals(List.of("greedy", "0", "1", "2", "greedy"), manual.sleepers);
    }

    @Test
    void patienceCountsTheTimeInTheQueue() throws Exception {
        var manual = new Manual();
        var limiter = new RateLimiter(1, SECOND, 1, manual);
        limiter.acquire();
        var head = queued("head", limiter, () -> {
            limiter.acquire();
            return null;
        });
        manual.asleep.await();
        var got = new AtomicBoolean(true);
        var second = queued("second", limiter, () -> {
            got.set(limiter.tryAcquire(Duration.ofMillis(1_500)));
            return null;
        });
        manual.wake.countDown();
        head.join();
        second.join();
        assertFalse(got.get(), "half a second was left, and the next token a second away");
        assertEquals(1_000_000_000L, manual.now.get());
    }

    @Test
    void reserveTakesWhatIsThereOrSaysHowLong() throws Exception {
        var limiter = new RateLimiter(10, SECOND, 5, clock);
        assertEquals(Duration.ZERO, limiter.reserve(3));
        assertEquals(Duration.ZERO, limiter.reserve());
        assertEquals(Duration.ofMillis(200), limiter.reserve(3));
        assertEquals(Duration.ofMillis(200), limiter.reserve(3), "nothing was taken");
        assertEquals(Duration.ZERO, limiter.reserve());
        assertEquals(Duration.ofMillis(100), limiter.reserve());
        clock.now.addAndGet(99_999_999);
        assertEquals(Duration.ofNanos(1), limiter.reserve());
        clock.now.addAndGet(1);
        assertEquals(Duration.ZERO, limiter.reserve());
        for (int bad : new int[] {0, -1, 6, Integer.MIN_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> limiter.reserve(bad));
            assertThrows(IllegalArgumentException.class, () -> limiter.acquire(bad));
            assertThrows(IllegalArgumentException.class, () -> limiter.tryAcquire(bad, Duration.ZERO));
        }
        assertThrows(NullPointerException.class, () -> limiter.tryAcquire(null));
        assertEquals(Duration.ofMillis(100), limiter.reserve(), "a bad argument has taken nothing");
    }

    @Test
    void severalAtOnceCostAsMuchAsOneByOne() throws Exception {
        var limiter = new RateLimiter(3, SECOND, 8, clock);
        long taken = 0;
        for (int i = 0; i < 10_000; i++) {
            int permits = 1 + i % 7;
            limiter.acquire(permits);
            taken += permits;
            assertEquals(Math.max(0, Math.ceilDiv((taken - 8) * 1_000_000_000L, 3L)), clock.nanoTime() - start);
        }
    }

    @Test
    void whoWaitsComesFirstAlsoForReserve() throws Exception {
        var manual = new Manual();
        var limiter = new RateLimiter(1, SECOND, 3, manual);
        limiter.acquire(3);
        var waiter = queued("waiter", limiter, () -> {
            limiter.acquire(2);
            return null;
        });
        manual.asleep.await();
        assertEquals(Duration.ofSeconds(3), limiter.reserve(), "the two of the waiter, and then one");
        manual.now.addAndGet(2_500_000_000L);
        assertFalse(limiter.tryAcquire(Duration.ZERO), "two and a half are there, two of them waited for");
        assertEquals(Duration.ofMillis(500), limiter.reserve());
        manual.now.addAndGet(500_000_000L);
        assertEquals(Duration.ZERO, limiter.reserve(), "the third is not waited for");
        assertEquals(Duration.ofSeconds(1), limiter.reserve());
        waiter.interrupt();
        waiter.join();
        assertEquals(Duration.ZERO, limiter.reserve(2), "who gave up has left them");
    }

    /** However many others wait, and however long they would. */
    @Test
    void toldAtOnceWhenItCannotComeInTimeAlsoBehindAWaiter() throws Exception {
        var manual = new Manual();
        var limiter = new RateLimiter(1, Duration.ofHours(1), 1, manual);
        limiter.acquire();
        var waiter = queued("waiter", limiter, () -> {
            limiter.acquire();
            return null;
        });
        manual.asleep.await();
        assertFalse(limiter.tryAcquire(Duration.ofMinutes(59))); // would hang until the timeout of the class
        waiter.interrupt();
        waiter.join();
    }

    @Test
    void aPermitThatIsThereIsGivenHoweverManyAskAtThatMoment() throws Exception {
        var limiter = new RateLimiter(1, Duration.ofHours(1), 400_000);
        var strict = RateLimiter.atMost(10_000, Duration.ofDays(1));
        var refused = new AtomicInteger();
        var threads = new ArrayList<Thread>();
        for (int t = 0; t < 4; t++) {
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    for (int i = 0; i < 100_000; i++) {
                        refused.addAndGet(limiter.tryAcquire(Duration.ZERO) ? 0 : 1);
                    }
                    for (int i = 0; i < 2_500; i++) {
                        refused.addAndGet(strict.tryAcquire(Duration.ZERO) ? 0 : 1);
                    }
                } catch (InterruptedException e) {
                    refused.incrementAndGet();
                }
            }));
        }
        for (var thread : threads) {
            thread.join();
        }
        assertEquals(0, refused.get());
        assertFalse(limiter.tryAcquire(Duration.ZERO) || strict.tryAcquire(Duration.ZERO), "not one too many");
    }

    @Test
    void theRateCanBeChanged() throws Exception {
        var limiter = new RateLimiter(10, SECOND, 5, clock);
        limiter.acquire(4);
        limiter.setRate(1, SECOND);
        assertEquals(Duration.ofSeconds(1), limiter.reserve(2), "one is left");
        clock.now.addAndGet(500_000_000L);
        limiter.setRate(1, Duration.ofSeconds(10));
        assertEquals(Duration.ofSeconds(5), limiter.reserve(2), "one and a half");
        limiter.setRate(1_000_000_000, SECOND);
        assertEquals(Duration.ofNanos(1), limiter.reserve(2));
        assertThrows(IllegalArgumentException.class, () -> limiter.setRate(0, SECOND));
        assertThrows(IllegalArgumentException.class, () -> limiter.setRate(1, Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> limiter.setRate(1, Duration.ofSeconds(Long.MAX_VALUE)));
        assertEquals(Duration.ofNanos(1), limiter.reserve(2), "a bad rate changes nothing");
        clock.now.addAndGet(1);
        assertEquals(Duration.ZERO, limiter.reserve(2));
        limiter.setRate(1, Duration.ofHours(1));
        limiter.acquire(5);
        assertEquals(Duration.ofHours(5).toNanos() + 500_000_001L, clock.nanoTime() - start);
    }

    @Test
    void whoWaitsSeesANewRate() throws Exception {
        var limiter = new RateLimiter(1, Duration.ofDays(365), 1);
        limiter.acquire();
        var waiter = queued("waiter", limiter, () -> {
            limiter.acquire();
            return null;
        });
        limiter.setRate(1_000, SECOND);
        waiter.join(); // not in a year
    }

    /** Against the plain list of all that were given: in no period too many, and none refused that could be given. */
    @Test
    void atMostSoManyInAnyPeriod() throws Exception {
        for (int seed = 0; seed < 200; seed++) {
            var random = new java.util.Random(seed);
            int permits = 1 + random.nextInt(10);
            var limiter = RateLimiter.atMost(permits, SECOND, clock);
            var given = new ArrayList<Long>();
            for (int step = 0; step < 200; step++) {
                clock.now.addAndGet(random.nextInt(random.nextInt(4) == 0 ? 1_500_000_000 : 50_000_000));
                int wanted = 1 + random.nextInt(permits);
                long now = clock.nanoTime();
                long recent = given.stream().filter(time -> now - time < SECOND.toNanos()).count();
                var wait = limiter.reserve(wanted);
                assertEquals(recent + wanted <= permits, wait.isZero());
                if (!wait.isZero()) {
                    long before = given.get(given.size() - permits + wanted - 1);
                    assertEquals(SECOND.toNanos() - (now - before), wait.toNanos());
                    if (random.nextBoolean()) {
                        continue;
                    }
                    limiter.acquire(wanted);
                    assertEquals(now + wait.toNanos(), clock.nanoTime());
                }
                for (int i = 0; i < wanted; i++) {
                    given.add(clock.nanoTime());
                }
            }
        }
        assertThrows(IllegalArgumentException.class, () -> RateLimiter.atMost(0, SECOND));
        assertThrows(IllegalArgumentException.class, () -> RateLimiter.atMost(1, Duration.ZERO));
        var never = RateLimiter.atMost(1, Duration.ofSeconds(Long.MAX_VALUE), clock);
        assertTrue(never.tryAcquire(Duration.ZERO));
        clock.now.addAndGet(Duration.ofDays(365).toNanos());
        assertFalse(never.tryAcquire(Duration.ofDays(365)));
    }

    @Test
    void atMostWithALongerPeriodCountsWhatWentAndNothingElse() throws Exception {
        var limiter = RateLimiter.atMost(3, SECOND, clock);
        limiter.acquire();
        clock.now.addAndGet(Duration.ofMinutes(1).toNanos());
        limiter.setRate(3, Duration.ofDays(1));
        limiter.acquire(2);
        assertEquals(Duration.ofDays(1).minusMinutes(1), limiter.reserve());
    }

    @Test
    void atMostWithAnotherNumberRemembersWhatWent() throws Exception {
        var limiter = RateLimiter.atMost(3, SECOND, clock);
        for (int i = 0; i < 3; i++) {
            limiter.acquire();
            clock.now.addAndGet(100_000_000L);
        }
        limiter.setRate(5, SECOND);
        assertEquals(Duration.ZERO, limiter.reserve(2));
        assertEquals(Duration.ofMillis(700), limiter.reserve());
        limiter.setRate(2, Duration.ofSeconds(10));
        assertEquals(Duration.ofSeconds(10), limiter.reserve());
        assertThrows(IllegalArgumentException.class, () -> limiter.reserve(3));
    }

    @Test
    void systemClockIsNeverFasterThanAllowed() throws Exception {
        var limiter = new RateLimiter(1_000, SECOND, 2);
        long begin = System.nanoTime();
        for (int i = 0; i < 22; i++) {
            limiter.acquire();
        }
        assertTrue(System.nanoTime() - begin >= 20_000_000L);
    }

    @Test
    void stress() throws Exception {
        int threads = 8;
        int each = 125_000;
        int permits = 7;
        int period = 1_000;
        var limiter = new RateLimiter(permits, Duration.ofNanos(period), 100, clock);
        long[] capacity = {100};
        var granted = new AtomicInteger();
        var refused = new AtomicInteger();
        var interrupted = new AtomicInteger();
        var tooMany = new AtomicInteger();
        var done = new AtomicBoolean();
        var all = new ArrayList<Thread>();
        for (int t = 0; t < threads; t++) {
            all.add(Thread.ofVirtual().start(() -> {
                var random = ThreadLocalRandom.current();
                for (int i = 0; i < each; i++) {
                    try {
                        boolean got = switch (random.nextInt(3)) {
                            case 0 -> {
                                limiter.acquire();
                                yield true;
                            }
                            case 1 -> limiter.tryAcquire(Duration.ZERO);
                            default -> limiter.tryAcquire(Duration.ofNanos(random.nextInt(1_000)));
                        };
                        if (got) {
                            int count = granted.incrementAndGet();
                            if (count > capacity[0] + (clock.nanoTime() - start) * permits / period) {
                                tooMany.incrementAndGet();
                            }
                        } else {
                            refused.incrementAndGet();
                        }
                    } catch (InterruptedException e) {
                        interrupted.incrementAndGet();
                    }
                }
            }));
        }
        var interrupter = Thread.ofPlatform().daemon().start(() -> {
            while (!done.get()) {
                all.get(ThreadLocalRandom.current().nextInt(threads)).interrupt();
                Thread.yield();
            }
        });
        for (var thread : all) {
            thread.join();
        }
        done.set(true);
        interrupter.join();
        int left = 0;
        while (limiter.tryAcquire(Duration.ZERO)) {
            left++;
        }
        System.out.printf("RateLimiter: %,d calls: %,d granted, %,d refused, %,d interrupted%n",
                threads * each, granted.get(), refused.get(), interrupted.get());
        assertEquals(threads * each, granted.get() + refused.get() + interrupted.get());
        assertEquals(0, tooMany.get());
        // the bucket was never full after the first call, so not one token was lost or doubled
        assertEquals(capacity[0] + (clock.nanoTime() - start) * permits / period, granted.get() + left);
    }
}
