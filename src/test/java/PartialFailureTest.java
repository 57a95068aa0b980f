import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class PartialFailureTest {

    private final CountDownLatch never = new CountDownLatch(1);
    private final AtomicInteger ended = new AtomicInteger();

    private static PartialFailure.Outcome<Integer, Integer> success(int item, Integer value) {
        return new PartialFailure.Outcome.Success<>(item, value);
    }

    private static PartialFailure.Outcome<Integer, Integer> cancelled(int item, boolean started) {
        return new PartialFailure.Outcome.Cancelled<>(item, started);
    }

    private static List<Integer> range(int size) {
        return IntStream.range(0, size).boxed().toList();
    }

    private Integer stuck(CountDownLatch started) throws InterruptedException {
        try {
            started.countDown();
            never.await();
            return 0;
        } finally {
            try {
                Thread.sleep(30); // waited for, and not interrupted twice
                ended.incrementAndGet();
            } catch (InterruptedException e) {
                ended.addAndGet(1_000);
            }
        }
    }

    @Test
    void keepsOrderAndNull() throws Exception {
        assertEquals(List.of(success(0, 0), success(1, null), success(2, 20)),
                PartialFailure.<Integer, Integer>map(range(3), 2, 1, i -> {
                    Thread.sleep(10 * (3 - i));
                    return i == 1 ? null : (Integer) (i * 10);
                }));
        assertEquals(List.of(), PartialFailure.map(List.of(), 1, 1, i -> i));
    }

    @Test
    void fewerFailuresThanTheLimitAbortNothing() throws Exception {
        var outcomes = PartialFailure.<Integer, Integer>map(range(100), 7, 3, i -> {
            if (i == 20 || i == 50) {
                throw new IOException("item " + i);
            }
            return i;
        });
        for (int i = 0; i < 100; i++) {
            if (i == 20 || i == 50) {
                assertEquals("item " + i, assertInstanceOf(PartialFailure.Outcome.Failure.class, outcomes.get(i))
                        .cause().getMessage());
            } else {
                assertEquals(success(i, i), outcomes.get(i));
            }
        }
    }

    @Test
    void theLastToleratedFailureInterruptsAndAwaitsTheRest() throws Exception {
        var started = new CountDownLatch(3);
        var outcomes = PartialFailure.<Integer, Integer>map(range(10), 4, 2, i -> switch (i) {
            case 0 -> throw new IOException();
            case 1, 3, 4 -> stuck(started); // 4 in the place of 0
            case 2 -> {
                started.await();
                throw new IOException();
            }
            default -> throw new AssertionError("started after the abort, or before there was room");
        });
        assertEquals(3, ended.get());
        assertEquals(List.of(cancelled(1, true), cancelled(3, true), cancelled(4, true), cancelled(5, false)),
                List.of(outcomes.get(1), outcomes.get(3), outcomes.get(4), outcomes.get(5)));
        assertEquals(List.of(0, 2), outcomes.stream().filter(PartialFailure.Outcome.Failure.class::isInstance)
                .map(PartialFailure.Outcome::item).toList());
    }

    /** Not even in the moment between counting that failure and telling of it. */
    @Test
    void noItemIsStartedAfterTheLastToleratedFailure() throws Exception {
        int limit = 4;
        int maxFailures = 3;
        for (int round = 0; round < 2_000; round++) {
            var tried = new AtomicInteger();
            PartialFailure.map(range(1_000), limit, maxFailures, i -> {
                tried.incrementAndGet();
                throw new IOException();
            });
            assertTrue(tried.get() <= maxFailures + limit - 1, () -> "tried " + tried);
        }
    }

    @Test
    void whatWasNotStartedIsToldFromWhatWas() throws Exception {
        var outcomes = PartialFailure.<Integer, Integer>map(range(1_000), 1, 1, i -> {
            if (i == 10) {
                throw new StackOverflowError("an Error counts");
            }
            return i;
        });
        assertEquals(success(9, 9), outcomes.get(9));
        assertInstanceOf(PartialFailure.Outcome.Failure.class, outcomes.get(10));
        assertEquals(IntStream.range(11, 1_000).mapToObj(i -> cancelled(i, false)).toList(),
                outcomes.subList(11, 1_000));
    }

    @Test
    void afterTheAbortResultsAreDroppedAndFailuresKept() throws Exception {
        var started = new CountDownLatch(2);
        var outcomes = PartialFailure.<Integer, Integer>map(range(3), 3, 1, i -> {
            if (i == 2) {
                started.await();
                throw new IOException();
            }
            try {
                return stuck(started);
            } catch (InterruptedException e) {
                if (i == 0) {
                    return 7;
                }
                throw new IllegalStateException("rollback failed");
            }
        });
        assertEquals(cancelled(0, true), outcomes.get(0));
        assertInstanceOf(PartialFailure.Outcome.Failure.class, outcomes.get(1));
    }

    @Test
    void anInterruptedExceptionOfItsOwnIsAFailure() throws Exception {
        assertInstanceOf(PartialFailure.Outcome.Failure.class, PartialFailure.map(range(1), 1, 5, i -> {
            throw new InterruptedException();
        }).getFirst());
    }

    @Test
    void anInterruptOfTheCallerInterruptsAndAwaitsAll() throws Exception {
        var started = new CountDownLatch(3);
        var seen = new CompletableFuture<Integer>();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                PartialFailure.map(range(9), 3, 1, i -> stuck(started));
            } catch (InterruptedException e) {
                seen.complete(ended.get());
            }
        });
        started.await();
        caller.interrupt();
        assertEquals(3, seen.get());
    }

    /** As sockets and files do, and iterators that throw CancellationException. */
    @Test
    void anotherAnswerToTheInterruptIsCancelledTooIfItLeavesTheFlag() throws Exception {
        var started = new CountDownLatch(3);
        var outcomes = PartialFailure.<Integer, Integer>map(range(4), 4, 1, i -> {
            if (i == 3) {
                started.await();
                throw new IOException();
            }
            try {
                started.countDown();
                never.await();
                return i;
            } catch (InterruptedException e) {
                if (i != 2) {
                    Thread.currentThread().interrupt();
                }
                if (i == 1) {
                    throw new AssertionError("a bug");
                }
                throw new IOException("Closed by interrupt");
            }
        });
        assertEquals(cancelled(0, true), outcomes.get(0));
        assertInstanceOf(PartialFailure.Outcome.Failure.class, outcomes.get(1), "an Error is no answer");
        assertInstanceOf(PartialFailure.Outcome.Failure.class, outcomes.get(2), "without the flag nobody knows");
    }

    @Test
    void moreInterruptsOfTheCallerAreKeptAndNotPassedOn() throws Exception {
        for (boolean abort : new boolean[] {false, true}) {
            var started = new CountDownLatch(3);
            var cleaning = new CountDownLatch(3);
            var clean = new CountDownLatch(1);
            var again = new AtomicInteger();
            var left = new CompletableFuture<Boolean>();
            var caller = Thread.ofVirtual().start(() -> {
                try {
                    PartialFailure.map(range(4), 4, 1, i -> {
                        if (i == 3) {
                            started.await();
                            if (abort) {
                                throw new IOException();
                            }
                            return i;
                        }
                        try {
                            started.countDown();
                            never.await();
                        } finally {
                            cleaning.countDown();
                            try {
                                clean.await();
                            } catch (InterruptedException e) {
                                again.incrementAndGet();
                            }
                        }
                        return i;
                    });
                    left.complete(Thread.currentThread().isInterrupted());
                } catch (InterruptedException e) {
                    left.complete(Thread.currentThread().isInterrupted());
                }
            });
            started.await();
            if (!abort) {
                caller.interrupt();
            }
            cleaning.await();
            for (int i = 0; i < 3; i++) {
                caller.interrupt();
                while (caller.isAlive() && (caller.isInterrupted() || caller.getState() != Thread.State.TIMED_WAITING
                        && caller.getState() != Thread.State.WAITING)) {
                    Thread.yield();
                }
            }
            clean.countDown();
            assertTrue(left.get(), "the interrupt meanwhile is kept");
            assertEquals(0, again.get(), "no clean-up is hit by a second interrupt");
        }
    }

    @Test
    void refusesBadNumbers() {
        assertThrows(IllegalArgumentException.class, () -> PartialFailure.map(range(1), 0, 1, i -> i));
        assertThrows(IllegalArgumentException.class, () -> PartialFailure.map(range(1), 1, 0, i -> i));
        assertThrows(NullPointerException.class, () -> PartialFailure.map(range(1), 1, 1, null));
        var nothing = Collections.<Integer>singletonList(null);
        assertThrows(NullPointerException.class, () -> PartialFailure.map(nothing, 1, 1, i -> i));
    }

    @Test
    void theLargestNumbers() throws Exception {
        assertEquals(3, PartialFailure.map(range(3), Integer.MAX_VALUE, Integer.MAX_VALUE, i -> i).size());
        assertEquals(3, PartialFailure.map(range(3), Integer.MAX_VALUE, 1, i -> {
            throw new IOException();
        }).size());
    }

    /** Random failures and interrupts: each item at most once, its outcome is what happened, nothing is alive after. */
    @Test
    @Timeout(600)
    void stress() throws Exception {
        var random = new Random(1);
        var me = Thread.currentThread();
        long items = 0;
        int[] ways = new int[3];
        for (int round = 0; round < 1_500; round++) {
            int size = random.nextInt(200);
            int limit = 1 + random.nextInt(20);
            int maxFailures = 1 + random.nextInt(5);
            int interrupting = random.nextInt(800);
            var script = IntStream.range(0, size).map(i -> random.nextInt(60)).toArray();
            var seen = new AtomicIntegerArray(size);
            var alive = new AtomicInteger();
            try {
                var outcomes = PartialFailure.<Integer, Integer>map(range(size), limit, maxFailures, i -> {
                    assertTrue(alive.incrementAndGet() <= limit);
                    try {
                        seen.incrementAndGet(i);
                        if (i == interrupting) {
                            me.interrupt();
                        }
                        if (script[i] == 0) {
                            throw new IOException();
                        }
                        if (script[i] == 1) {
                            Thread.sleep(0, 1);
                        }
                        return i;
                    } finally {
                        alive.decrementAndGet();
                    }
                });
                int failures = 0;
                boolean cancelled = false;
                for (int i = 0; i < size; i++) {
                    items++;
                    switch (outcomes.get(i)) {
                        case PartialFailure.Outcome.Success<Integer, Integer>(Integer item, Integer value) -> {
                            assertEquals(i, item);
                            assertEquals(i, value);
                            assertEquals(1, seen.get(i));
                        }
                        case PartialFailure.Outcome.Failure<Integer, Integer>(Integer item, Throwable cause) -> {
                            failures++;
                            assertInstanceOf(IOException.class, cause);
                            assertEquals(0, script[i]);
                        }
                        case PartialFailure.Outcome.Cancelled<Integer, Integer>(Integer item, boolean started) -> {
                            cancelled = true;
                            assertEquals(started ? 1 : 0, seen.get(i));
                        }
                    }
                }
                assertTrue(!cancelled || failures >= maxFailures, "cancelled without reason");
                long thrown = IntStream.range(0, size).filter(i -> seen.get(i) == 1 && script[i] == 0).count();
                assertTrue(cancelled ? failures <= thrown : failures == thrown, "a failure is lost without an abort");
                ways[cancelled ? 1 : 0]++;
            } catch (InterruptedException e) {
                ways[2]++;
            }
            Thread.interrupted();
            assertEquals(0, alive.get());
        }
        System.out.println("PartialFailure: " + items + " items in 1500 runs, of which " + ways[0] + " went through, "
                + ways[1]
                + " aborted, " + ways[2] + " were interrupted");
        assertTrue(items > 100_000 && ways[0] > 0 && ways[1] > 0 && ways[2] > 0);
    }
}
