import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class ShieldTest {
    private static final Duration LONG = Duration.ofDays(1);
    private final ConcurrentHashMap<String, Future<?>> abandoned = new ConcurrentHashMap<>();
    private final Shield shield = new Shield(abandoned::put);

    @Test
    void resultAndFailureGoToTheCallerWhoWaits() throws Exception {
        assertEquals("v", shield.call("ok", () -> "v", LONG));
        var boom = new IOException("boom");
        var e = assertThrows(ExecutionException.class, () -> shield.call("bad", () -> {
            throw boom;
        }, Duration.ofSeconds(Long.MAX_VALUE)));
        assertSame(boom, e.getCause());
        shield.close();
        assertTrue(abandoned.isEmpty());
        assertThrows(RejectedExecutionException.class, () -> shield.call("late", () -> 1, LONG));
    }

    @Test
    void theSectionCompletesAfterItsCallerTimedOut() throws Exception {
        var go = new CountDownLatch(1);
        var interrupted = new AtomicBoolean();
        assertThrows(TimeoutException.class, () -> shield.call("commit", () -> {
            try {
                go.await();
            } catch (InterruptedException e) {
                interrupted.set(true);
            }
            return "done";
        }, Duration.ofMillis(5)));
        assertEquals(List.of("commit"), shield.running());
        assertFalse(shield.drain(Duration.ofMillis(1)));
        go.countDown();
        assertTrue(shield.drain(LONG));
        assertEquals("done", abandoned.get("commit").resultNow());
        assertFalse(interrupted.get());
    }

    @Test
    void aFailureAfterTheCallerWasInterruptedIsReported() throws Exception {
        var go = new CountDownLatch(1);
        var boom = new IOException("late");
        var thrown = new AtomicBoolean();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                shield.call("refund", () -> {
                    go.await();
                    throw boom;
                }, LONG);
            } catch (InterruptedException e) {
                thrown.set(true);
            } catch (ExecutionException | TimeoutException e) {
                throw new AssertionError(e);
            }
        });
        while (shield.running().isEmpty()) {
            Thread.yield();
        }
        caller.interrupt();
        caller.join();
        assertTrue(thrown.get());
        go.countDown();
        shield.close();
        assertSame(boom, abandoned.get("refund").exceptionNow());
    }

    @Test
    void anInterruptedCallerStartsNothing() {
        var started = new AtomicBoolean();
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> shield.call("no", () -> started.getAndSet(true), LONG));
        assertFalse(Thread.interrupted());
        shield.close();
        assertFalse(started.get());
    }

    @Test
    void closeWaitsThoughInterruptedAndASectionMayNotWaitForItself() throws Exception {
        var go = new CountDownLatch(1);
        var ended = new AtomicBoolean();
        assertThrows(TimeoutException.class, () -> shield.call("slow", () -> {
            go.await();
            ended.set(true);
            return null;
        }, Duration.ZERO));
        var kept = new AtomicBoolean();
        var closer = Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            shield.close();
            kept.set(Thread.interrupted() && ended.get());
        });
        while (true) {
            try {
                shield.call("open?", () -> 1, LONG);
            } catch (RejectedExecutionException closing) {
                break;
            }
        }
        closer.interrupt();
        go.countDown();
        closer.join();
        assertTrue(kept.get());

        var other = new Shield(abandoned::put);
        var e = assertThrows(ExecutionException.class, () -> other.call("self", () -> {
            other.close();
            return null;
        }, LONG));
        assertInstanceOf(IllegalStateException.class, e.getCause());
    }

    @Test
    void aThrowingHandlerDoesNotKeepCloseWaiting() throws Exception {
        var go = new CountDownLatch(1);
        var broken = new Shield((section, outcome) -> {
            Thread.currentThread().setUncaughtExceptionHandler((t, e) -> { }); // keeps the test's output clean
            throw new IllegalStateException("handler");
        });
        assertThrows(TimeoutException.class, () -> broken.call("s", () -> {
            go.await();
            return null;
        }, Duration.ZERO));
        go.countDown();
        assertTrue(broken.drain(LONG));
    }

    @Test
    void stress() throws Exception {
        int rounds = 100_000;
        int callers = 8;
        var late = new AtomicInteger();
        var completed = new AtomicInteger();
        var disturbed = new AtomicInteger();
        var values = new AtomicInteger();
        var failures = new AtomicInteger();
        var left = new AtomicInteger();
        var notStarted = new AtomicInteger();
        var stress = new Shield((section, outcome) -> {
            assertTrue(outcome.isDone());
            late.incrementAndGet();
        });
        var threads = new ArrayList<Thread>();
        var heard = new Semaphore(0);
        var interrupts = new AtomicInteger();
        var lost = new AtomicInteger();
        var roundOf = new AtomicIntegerArray(callers);
        var done = new AtomicBoolean();
        for (int c = 0; c < callers; c++) {
            int caller = c;
            threads.add(Thread.ofVirtual().start(() -> {
                var random = ThreadLocalRandom.current();
                for (int i = 0; i < rounds / callers; i++) {
                    int kind = random.nextInt(4);
                    var begun = new AtomicBoolean();
                    try {
                        int got = stress.call("s", () -> {
                            begun.set(true);
                            try {
                                if (kind < 2) {
                                    Thread.sleep(Duration.ofNanos(ThreadLocalRandom.current().nextInt(100_000)));
                                }
                                if (kind == 1) {
                                    throw new IOException();
                                }
                                return 7;
                            } catch (InterruptedException e) {
                                disturbed.incrementAndGet();
                                throw e;
                            } finally {
                                completed.incrementAndGet();
                            }
                        }, random.nextBoolean() ? LONG : Duration.ofNanos(random.nextInt(100_000)));
                        assertEquals(7, got);
                        values.incrementAndGet();
                    } catch (ExecutionException e) {
                        failures.incrementAndGet();
                    } catch (TimeoutException e) {
                        left.incrementAndGet();
                    } catch (InterruptedException e) {
                        left.incrementAndGet();
                        heard.release();
                    }
                    if (Thread.interrupted()) {
                        heard.release();
                    }
                    roundOf.incrementAndGet(caller);
                }
            }));
        }
        var interrupter = Thread.ofPlatform().daemon().start(() -> { // virtual, it may starve the callers
            while (!done.get()) {
                int target = ThreadLocalRandom.current().nextInt(callers);
                threads.get(target).interrupt();
                int round = roundOf.get(target);
                interrupts.incrementAndGet();
                while (!heard.tryAcquire() && !done.get()) {
                    if (roundOf.get(target) > round + 2) {
                        lost.addAndGet(heard.tryAcquire() ? 0 : 1);
                        break;
                    }
                    Thread.yield();
                }
            }
        });
        for (var thread : threads) {
            thread.join();
        }
        done.set(true);
        interrupter.join();
        stress.close();
        assertEquals(0, lost.get(), "interrupts that no caller noticed");
        notStarted.set(rounds - completed.get());
        System.out.printf("Shield: %,d calls: %,d results, %,d failures, %,d left (%,d before the start), "
                + "%,d to the handler, %,d interrupts%n",
                rounds, values.get(), failures.get(), left.get(), notStarted.get(), late.get(), interrupts.get());
        assertEquals(rounds, values.get() + failures.get() + left.get());
        assertEquals(left.get() - notStarted.get(), late.get(), "each outcome goes to exactly one place");
        assertEquals(0, disturbed.get(), "no section was interrupted");
        assertEquals(List.of(), stress.running());
    }

    @Test
    void closeAndDrainInASectionAreRefusedAndTheShieldStaysOpen() throws Exception {
        var flag = new AtomicBoolean();
        shield.call("self", () -> {
            Thread.currentThread().interrupt();
            assertThrows(IllegalStateException.class, shield::close);
            flag.set(Thread.interrupted());
            assertThrows(IllegalStateException.class, () -> shield.drain(LONG));
            return null;
        }, LONG);
        assertTrue(flag.get(), "the flag is as it was");
        assertEquals(1, shield.call("still open", () -> 1, LONG));
    }

    @Test
    void whatCannotWorkIsRefusedBeforeTheSectionStarts() throws Exception {
        var started = new AtomicBoolean();
        Callable<Void> section = () -> {
            started.set(true);
            return null;
        };
        assertThrows(NullPointerException.class, () -> shield.call("n", section, null));
        assertEquals("section", assertThrows(NullPointerException.class,
                () -> shield.call("n", null, LONG)).getMessage());
        assertEquals("name", assertThrows(NullPointerException.class,
                () -> shield.call(null, section, LONG)).getMessage());
        assertEquals("onAbandoned", assertThrows(NullPointerException.class, () -> new Shield(null)).getMessage());
        assertFalse(started.get());
        var end = new CountDownLatch(1);
        for (Duration past : List.of(Duration.ZERO, Duration.ofSeconds(Long.MIN_VALUE))) {
            assertThrows(TimeoutException.class, () -> shield.call("past", () -> {
                end.await();
                return null;
            }, past));
        }
        end.countDown();
        assertTrue(shield.drain(Duration.ofSeconds(Long.MAX_VALUE)));
    }

    @Test
    void aLeftoverFlagDoesNotMeetTheHandler() throws Exception {
        var flag = new LinkedBlockingQueue<Boolean>();
        var end = new CountDownLatch(1);
        try (var other = new Shield((section, outcome) -> flag.add(Thread.currentThread().isInterrupted()))) {
            assertThrows(TimeoutException.class, () -> other.call("s", () -> {
                end.await();
                Thread.currentThread().interrupt();
                return null;
            }, Duration.ZERO));
            end.countDown();
            assertFalse(flag.take());
        }
    }
}
