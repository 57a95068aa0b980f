import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class HedgedRequestTest {

    private static final Duration NEVER = Duration.ofSeconds(Long.MAX_VALUE);
    private final CountDownLatch forever = new CountDownLatch(1);
    private final AtomicInteger started = new AtomicInteger();
    private final AtomicInteger ended = new AtomicInteger();

    private <T> T stuck() throws InterruptedException {
        try {
            forever.await();
            return null;
        } finally {
            try {
                Thread.sleep(20); // cleanup is not interrupted a second time, and is waited for
                ended.incrementAndGet();
            } catch (InterruptedException e) {
                ended.addAndGet(1_000);
            }
        }
    }

    @Test
    void aQuickAnswerIsAskedForOnce() throws Exception {
        assertNull(new HedgedRequest(NEVER, 3, 3).call(() -> {
            started.incrementAndGet();
            return null;
        }));
        assertEquals(1, started.get());
    }

    @Test
    void theFirstAnswerWinsAndTheLosersHaveEnded() throws Exception {
        assertEquals(4, new HedgedRequest(Duration.ofMillis(5), 4, 9).<Integer>call(() -> {
            int mine = started.incrementAndGet();
            return mine < 4 ? stuck() : (Integer) mine;
        }));
        assertEquals(3, ended.get());
    }

    @Test
    void aFailureLosesToWhatStillRuns() throws Exception {
        var second = new CountDownLatch(1);
        var failed = new CountDownLatch(1);
        assertEquals("second", new HedgedRequest(Duration.ofMillis(5), 2, 1).<String>call(() -> {
            if (started.incrementAndGet() == 1) {
                second.await();
                failed.countDown();
                throw new IOException();
            }
            second.countDown();
            failed.await();
            Thread.sleep(20);
            return "second";
        }));
    }

    @Test
    void allFailed() {
        var both = new CountDownLatch(2);
        var failures = List.of(new IOException("1"), new AssertionError("2"));
        var thrown = assertThrows(ExecutionException.class, () -> new HedgedRequest(Duration.ofMillis(5), 2, 1)
                .call(() -> {
            int mine = started.getAndIncrement();
            both.countDown();
            both.await();
            if (failures.get(mine) instanceof Error error) {
                Thread.sleep(30);
                throw error;
            }
            throw (Exception) failures.get(mine);
        }));
        assertEquals(java.util.Set.copyOf(failures), java.util.Set.of(thrown.getCause(), thrown.getSuppressed()[0]));
        assertEquals(1, thrown.getSuppressed().length);
    }

    @Test
    void aFailureStartsNothing() {
        var failure = new IOException();
        assertSame(failure, assertThrows(ExecutionException.class, () -> new HedgedRequest(NEVER, 5, 5).call(() -> {
            started.incrementAndGet();
            throw failure;
        })).getCause());
        assertEquals(1, started.get());
    }

    @Test
    void beyondTheBoundItGoesOnWithoutAHedge() throws Exception {
        var none = new HedgedRequest(Duration.ZERO, 3, 0);
        assertEquals(1, none.<Integer>call(() -> {
            Thread.sleep(20);
            return started.incrementAndGet();
        }));
        assertEquals(1, started.get());
    }

    @Test
    void placesForHedgesAreGivenBack() throws Exception {
        var hedged = new HedgedRequest(Duration.ofMillis(1), 2, 1);
        for (int i = 0; i < 20; i++) {
            var second = new CountDownLatch(2);
            hedged.call(() -> {
                second.countDown();
                second.await();
                return null;
            });
        }
    }

    @Test
    void anInterruptOfTheCallerEndsAllAttempts() throws Exception {
        var hedged = new HedgedRequest(Duration.ofMillis(1), 2, 1);
        var both = new CountDownLatch(2);
        var seen = new CompletableFuture<Integer>();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                hedged.call(() -> {
                    both.countDown();
                    return stuck();
                });
            } catch (InterruptedException e) {
                seen.complete(ended.get());
            } catch (ExecutionException e) {
                seen.completeExceptionally(e);
            }
        });
        both.await();
        caller.interrupt();
        assertEquals(2, seen.get());
    }

    @Test
    void moreInterruptsOfTheCallerAreKeptAndNotPassedOn() throws Exception {
        for (boolean answered : new boolean[] {false, true}) {
            var hedged = new HedgedRequest(Duration.ofMillis(1), 2, 1);
            var both = new CountDownLatch(2);
            var cleaning = new CountDownLatch(1);
            var clean = new CountDownLatch(1);
            var again = new AtomicInteger();
            var order = new AtomicInteger();
            var left = new CompletableFuture<Boolean>();
            var caller = Thread.ofVirtual().start(() -> {
                try {
                    hedged.call(() -> {
                        both.countDown();
                        try {
                            both.await();
                            if (answered && order.incrementAndGet() == 1) {
                                return 1;
                            }
                            forever.await();
                        } catch (InterruptedException e) {
                            cleaning.countDown();
                            try {
                                clean.await();
                            } catch (InterruptedException second) {
                                again.incrementAndGet();
                            }
                        }
                        return 2;
                    });
                    left.complete(Thread.currentThread().isInterrupted());
                } catch (InterruptedException | ExecutionException e) {
                    left.complete(Thread.currentThread().isInterrupted());
                }
            });
            both.await();
            if (!answered) {
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
        assertThrows(IllegalArgumentException.class, () -> new HedgedRequest(Duration.ofSeconds(-1), 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new HedgedRequest(NEVER, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> new HedgedRequest(NEVER, 1, -1));
        assertThrows(NullPointerException.class, () -> new HedgedRequest(null, 1, 1));
        assertThrows(NullPointerException.class, () -> new HedgedRequest(NEVER, 1, 1).call(null));
    }

    /** Random delays, failures and interrupts: nothing is alive after a call, no hedge too many, and none lost. */
    @Test
    @Timeout(600)
    void stress() throws Exception {
        int maxHedges = 4;
        var hedged = new HedgedRequest(Duration.ofNanos(20_000), 3, maxHedges);
        var ways = Stream.generate(AtomicInteger::new).limit(3).toList();
        var attempts = new AtomicInteger();
        var extra = new AtomicInteger();
        var mostExtra = new AtomicInteger();
        var wrong = new CompletableFuture<Void>();
        var callers = IntStream.range(0, 20).mapToObj(seed -> Thread.ofVirtual().start(() -> {
            var random = new Random(seed);
            var me = Thread.currentThread();
            for (int i = 0; i < 5_000; i++) {
                var alive = new AtomicInteger();
                var order = new AtomicInteger();
                int way = random.nextInt(10);
                try {
                    hedged.call(() -> {
                        alive.incrementAndGet();
                        boolean hedge = order.getAndIncrement() > 0;
                        try {
                            attempts.incrementAndGet();
                            if (hedge) {
                                mostExtra.accumulateAndGet(extra.incrementAndGet(), Math::max);
                            }
                            if (way == 0) {
                                me.interrupt();
                            }
                            if (way < 4) {
                                Thread.sleep(0, 50_000);
                            }
                            if (way == 4) {
                                throw new IOException();
                            }
                            return 1;
                        } finally {
                            if (hedge) {
                                extra.decrementAndGet();
                            }
                            alive.decrementAndGet();
                        }
                    });
                    ways.get(0).incrementAndGet();
                } catch (ExecutionException e) {
                    ways.get(1).incrementAndGet();
                } catch (InterruptedException e) {
                    ways.get(2).incrementAndGet();
                }
                Thread.interrupted();
                if (alive.get() != 0) {
                    wrong.completeExceptionally(new AssertionError("alive after the call"));
                }
            }
        })).toList();
        for (var caller : callers) {
            caller.join();
        }
        wrong.getNow(null);
        System.out.println("HedgedRequest: 100000 calls, " + attempts + " attempts, returned/failed/interrupted: "
                + ways);
        assertTrue(mostExtra.get() <= maxHedges, "at once: " + mostExtra);
        assertTrue(attempts.get() > 100_000 && ways.stream().allMatch(way -> way.get() > 0));
        var all = new CountDownLatch(6); // two calls of three attempts need every place
        var last = IntStream.range(0, 2).mapToObj(i -> Thread.ofVirtual().start(() -> {
            try {
                hedged.call(() -> {
                    all.countDown();
                    all.await();
                    return null;
                });
            } catch (InterruptedException | ExecutionException e) {
                wrong.completeExceptionally(e);
            }
        })).toList();
        for (var caller : last) {
            caller.join();
        }
        wrong.getNow(null);
    }
}
