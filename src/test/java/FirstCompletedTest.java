import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class FirstCompletedTest {
    private static final Duration LONG = Duration.ofDays(1);
    private final List<Object> late = new ArrayList<>();

    @Test
    void theOthersAreInterruptedAndHaveEnded() throws Exception {
        var ended = new AtomicInteger();
        var running = new CountDownLatch(2);
        Callable<String> loser = () -> {
            try {
                running.countDown();
                Thread.sleep(LONG);
                return "no";
            } finally {
                Thread.sleep(5);
                ended.incrementAndGet();
            }
        };
        assertEquals("yes", FirstCompleted.success(List.of(loser, () -> {
            running.await();
            return "yes";
        }, loser), late::add));
        assertEquals(2, ended.get());
        assertEquals(List.of(), late);
    }

    @Test
    void aFailureDoesNotWinButACompletionDoes() throws Exception {
        var failed = new CountDownLatch(1);
        var boom = new IOException("boom");
        Callable<String> bad = () -> {
            failed.countDown();
            throw boom;
        };
        Callable<String> good = () -> {
            failed.await();
            return "good";
        };
        assertEquals("good", FirstCompleted.success(List.of(bad, good), late::add));
        var e = assertThrows(ExecutionException.class, () -> FirstCompleted.completion(List.of(() -> {
            Thread.sleep(LONG);
            return "never";
        }, bad), late::add));
        assertSame(boom, e.getCause());
        assertNull(FirstCompleted.<String>success(List.of(() -> null), late::add), "null is a result");
    }

    @Test
    void ifAllFailTheFirstIsTheCauseAndTheOthersSuppressed() {
        var first = new IOException("first");
        var second = new IOException("second");
        var one = new CompletableFuture<Thread>();
        var e = assertThrows(ExecutionException.class, () -> FirstCompleted.<String>success(List.of(() -> {
            one.get().join();
            throw second;
        }, () -> {
            one.complete(Thread.currentThread());
            throw first;
        }), late::add));
        assertSame(first, e.getCause());
        assertArrayEquals(new Throwable[] {second}, e.getSuppressed());
        assertEquals(0, first.getSuppressed().length, "the user's exception is not touched");
        assertThrows(IllegalArgumentException.class, () -> FirstCompleted.success(List.of(), late::add));
    }

    @Test
    void lateResultsAreHandedOverEvenIfTheConsumerThrows() throws Exception {
        var running = new CountDownLatch(2);
        Callable<Integer> stubborn = () -> {
            running.countDown();
            try {
                Thread.sleep(LONG);
            } catch (InterruptedException e) {
                return 2;
            }
            return 3;
        };
        var reported = new AtomicInteger();
        var handler = Thread.currentThread().getUncaughtExceptionHandler();
        Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> reported.incrementAndGet());
        try {
            int result = FirstCompleted.success(List.of(stubborn, stubborn, () -> {
                running.await();
                return 1;
            }), value -> {
                late.add(value);
                throw new IllegalStateException("consumer");
            });
            assertEquals(1, result);
        } finally {
            Thread.currentThread().setUncaughtExceptionHandler(handler);
        }
        assertEquals(List.of(2, 2), late);
        assertEquals(2, reported.get());
    }

    @Test
    void anInterruptedCallerStopsAllAndLosesNoResult() throws Exception {
        var running = new CountDownLatch(1);
        var flagInConsumer = new AtomicBoolean(true);
        var interrupted = new AtomicBoolean();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                FirstCompleted.success(List.of(() -> {
                    running.countDown();
                    try {
                        Thread.sleep(LONG);
                    } catch (InterruptedException e) {
                        Thread.sleep(5);
                    }
                    return "late";
                }), value -> {
                    late.add(value);
                    flagInConsumer.set(Thread.currentThread().isInterrupted());
                });
            } catch (InterruptedException e) {
                interrupted.set(true);
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        running.await();
        caller.interrupt();
        caller.join();
        assertTrue(interrupted.get());
        assertEquals(List.of("late"), late);
        assertEquals(false, flagInConsumer.get());
    }

    @Test
    void anInterruptDuringTheLastWaitIsKeptButNotSeenByTheConsumer() throws Exception {
        var losing = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var flags = new ArrayList<Boolean>();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                FirstCompleted.success(List.of(() -> 1, () -> {
                    try {
                        Thread.sleep(LONG);
                    } catch (InterruptedException e) {
                        losing.countDown();
                        while (true) {
                            try {
                                finish.await();
                                break;
                            } catch (InterruptedException again) {
                                continue; // close() passes the caller's interrupt on
                            }
                        }
                    }
                    return 2;
                }), value -> flags.add(Thread.currentThread().isInterrupted()));
                flags.add(Thread.interrupted());
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        losing.await();
        caller.interrupt();
        finish.countDown();
        caller.join();
        assertEquals(List.of(false, true), flags);
    }

    @Test
    void stress() throws Exception {
        int races = 20_000;
        int each = 5;
        var begun = new AtomicInteger();
        var ended = new AtomicInteger();
        var opened = new AtomicInteger();
        var closed = new AtomicInteger();
        int wins = 0;
        int failures = 0;
        int interrupts = 0;
        var random = ThreadLocalRandom.current();
        for (int i = 0; i < races; i++) {
            var tasks = new ArrayList<Callable<Integer>>();
            for (int t = 0; t < each; t++) {
                int kind = random.nextInt(5);
                int nanos = random.nextInt(50_000);
                tasks.add(() -> {
                    begun.incrementAndGet();
                    try {
                        switch (kind) {
                            case 0 -> Thread.yield();
                            case 1, 2 -> throw new IOException();
                            case 3 -> {
                                try {
                                    Thread.sleep(Duration.ofNanos(nanos));
                                } catch (InterruptedException e) {
                                    Thread.yield(); // a result all the same
                                }
                            }
                            default -> Thread.sleep(Duration.ofNanos(nanos));
                        }
                        return opened.incrementAndGet();
                    } finally {
                        ended.incrementAndGet();
                    }
                });
            }
            if (random.nextInt(10) == 0) {
                Thread.currentThread().interrupt();
            }
            try {
                if (random.nextBoolean()) {
                    FirstCompleted.success(tasks, value -> closed.incrementAndGet());
                } else {
                    FirstCompleted.completion(tasks, value -> closed.incrementAndGet());
                }
                wins++;
            } catch (ExecutionException e) {
                failures++;
            } catch (InterruptedException e) {
                interrupts++;
            }
            assertEquals((i + 1) * each, begun.get());
            assertEquals(begun.get(), ended.get(), "every task has ended");
            assertEquals(opened.get(), wins + closed.get(), "each result won or was handed over");
        }
        System.out.printf("FirstCompleted: %,d races of %d: %,d won, %,d failed, %,d interrupted, %,d late results%n",
                races, each, wins, failures, interrupts, closed.get());
        assertEquals(races, wins + failures + interrupts);
    }

    @Test
    void eachTaskIsInterruptedOnceAndTheSecondInterruptIsKept() throws Exception {
        OneInterrupt.ofACallerInterruptedTwice(3,
                work -> FirstCompleted.success(Collections.nCopies(3, work.task()), late -> { }));
        OneInterrupt.ofACallerInterruptedAfterwards(3, ExecutionException.class, work -> {
            var tasks = new ArrayList<Callable<Object>>(Collections.nCopies(3, work.task()));
            tasks.add(() -> {
                work.begun.await();
                throw new IllegalStateException("failed");
            });
            FirstCompleted.completion(tasks, late -> { });
        });
    }

    @Test
    void staggeredStartsTheNextAfterTheDelayOrAFailure() throws Exception {
        var never = Duration.ofSeconds(Long.MAX_VALUE);
        var started = new AtomicInteger();
        Callable<Integer> failing = () -> {
            started.incrementAndGet();
            throw new IllegalStateException("refused");
        };
        Callable<Integer> quick = started::incrementAndGet;
        assertEquals(3, FirstCompleted.staggered(List.of(failing, failing, quick, quick), never, late -> { }));
        assertEquals(3, started.get(), "the fourth was not needed");
        Callable<Integer> stuck = () -> {
            new CountDownLatch(1).await();
            return -1;
        };
        assertEquals(4, FirstCompleted.staggered(List.of(stuck, stuck, quick), Duration.ofMillis(1), late -> { }));
        assertEquals(5, FirstCompleted.staggered(List.of(stuck, quick), Duration.ofSeconds(Long.MIN_VALUE), late ->
                { }));
        var thrown = assertThrows(ExecutionException.class,
                () -> FirstCompleted.staggered(List.of(failing, failing), never, late -> { }));
        assertEquals(1, thrown.getSuppressed().length);
    }

    @Test
    void aLateResultDoesNotMeetTheFlagOfTheOneBeforeNorAThrowingHandler() throws Exception {
        var begun = new CountDownLatch(3);
        var flags = new ArrayList<Boolean>();
        Callable<Integer> stubborn = () -> {
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                // connects all the same
            }
            return 1;
        };
        var caller = Thread.currentThread();
        caller.setUncaughtExceptionHandler((thread, e) -> {
            throw new IllegalStateException("the logger is closed");
        });
        try {
            FirstCompleted.success(List.of(stubborn, stubborn, stubborn, () -> {
                begun.await();
                return 0;
            }), late -> {
                flags.add(Thread.currentThread().isInterrupted());
                Thread.currentThread().interrupt();
                throw new StackOverflowError();
            });
        } finally {
            caller.setUncaughtExceptionHandler(null);
        }
        assertTrue(Thread.interrupted());
        assertEquals(List.of(false, false, false), flags);
    }

    @Test
    void nullIsRefusedBeforeATaskStarts() {
        var started = new AtomicInteger();
        List<Callable<Integer>> one = List.of(started::incrementAndGet);
        assertEquals("onLateResult", assertThrows(NullPointerException.class,
                () -> FirstCompleted.success(one, null)).getMessage());
        assertEquals("task", assertThrows(NullPointerException.class,
                () -> FirstCompleted.success(Arrays.asList(one.getFirst(), null), late -> { })).getMessage());
        assertEquals(0, started.get());
    }
}
