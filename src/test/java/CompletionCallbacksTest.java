import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class CompletionCallbacksTest {
    private static final Duration LONG = Duration.ofDays(1);
    private final List<Throwable> reported = new CopyOnWriteArrayList<>();

    private <T> CompletionCallbacks.Task<T> start(Callable<T> work) {
        return CompletionCallbacks.Task.start("task", work, (thread, e) -> reported.add(e));
    }

    @Test
    void calledInOrderWithTheOutcomeNeverInTheRegisteringThread() throws Exception {
        var go = new CountDownLatch(1);
        var task = start(() -> {
            go.await();
            return "v";
        });
        var calls = new CopyOnWriteArrayList<Integer>();
        var threads = new CopyOnWriteArrayList<Thread>();
        for (int i = 0; i < 1000; i++) {
            int n = i;
            task.onDone(outcome -> {
                threads.add(Thread.currentThread());
                assertEquals(new CompletionCallbacks.Outcome.Success<>("v"), outcome);
                calls.add(n);
            });
            if (i == 500) {
                go.countDown();
            }
        }
        assertEquals(new CompletionCallbacks.Outcome.Success<>("v"), task.await());
        assertEquals(1000, calls.size());
        for (int i = 0; i < 1000; i++) {
            assertEquals(i, calls.get(i));
        }
        for (var thread : threads) {
            assertNotSame(Thread.currentThread(), thread);
        }
        assertTrue(reported.isEmpty(), reported::toString);
    }

    @Test
    void failureIsTheOutcome() throws Exception {
        var boom = new IOException("boom");
        var task = start(() -> {
            throw boom;
        });
        var seen = new AtomicReference<Object>();
        task.onDone(seen::set);
        task.await();
        assertSame(boom, assertInstanceOf(CompletionCallbacks.Outcome.Failure.class, seen.get()).cause());
        assertFalse(task.cancel());
    }

    @Test
    void aCancelledTaskCallsBackWhenItHasEndedNotBefore() throws Exception {
        var working = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var ended = new AtomicBoolean();
        var task = start(() -> {
            working.countDown();
            try {
                Thread.sleep(LONG);
            } catch (InterruptedException e) {
                cleaning.countDown();
                finish.await();
                ended.set(true);
            }
            return "dropped";
        });
        var sawEnd = new AtomicReference<Boolean>();
        var outcome = new AtomicReference<Object>();
        task.onDone(o -> {
            sawEnd.set(ended.get());
            outcome.set(o);
        });
        working.await();
        assertTrue(task.cancel());
        assertFalse(task.cancel());
        cleaning.await();
        assertEquals(null, outcome.get());
        finish.countDown();
        assertInstanceOf(CompletionCallbacks.Outcome.Cancelled.class, task.await());
        assertEquals(true, sawEnd.get());
        assertInstanceOf(CompletionCallbacks.Outcome.Cancelled.class, outcome.get());
    }

    @Test
    void aThrowingCallbackIsReportedAndTheOthersRun() throws Exception {
        var calls = new AtomicInteger();
        var task = start(() -> 1);
        task.onDone(o -> {
            throw new IllegalStateException("one");
        });
        task.onDone(o -> calls.incrementAndGet());
        task.onDone(o -> {
            throw new AssertionError("two");
        });
        task.onDone(o -> calls.incrementAndGet());
        task.await();
        assertEquals(2, calls.get());
        assertEquals(List.of("one", "two"), reported.stream().map(Throwable::getMessage).toList());

        var broken = CompletionCallbacks.Task.start("t", () -> 1, (thread, e) -> {
            throw new IllegalStateException("handler");
        });
        broken.onDone(o -> {
            throw new IllegalStateException("callback");
        });
        broken.onDone(o -> calls.incrementAndGet());
        broken.await();
        assertEquals(3, calls.get());
    }

    @Test
    void aCallbackThatWaitsForItselfIsToldAndMayRegisterAnother() throws Exception {
        var task = new CompletableFuture<CompletionCallbacks.Task<Integer>>();
        var started = start(() -> 1);
        task.complete(started);
        var again = new CountDownLatch(1);
        started.onDone(o -> {
            started.onDone(second -> again.countDown());
            assertThrows(IllegalStateException.class, started::await);
        });
        started.await();
        again.await();
        assertTrue(reported.isEmpty(), reported::toString);
        var self = new CompletableFuture<CompletionCallbacks.Task<Object>>();
        var waiter = start(() -> (Object) self.get().await());
        self.complete(waiter);
        assertInstanceOf(CompletionCallbacks.Outcome.Failure.class, waiter.await());
    }

    @Test
    void anInterruptedWaiterLeavesTheWorkRunning() throws Exception {
        var go = new CountDownLatch(1);
        var task = start(() -> {
            go.await();
            return "v";
        });
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, task::await);
        go.countDown();
        assertEquals(new CompletionCallbacks.Outcome.Success<>("v"), task.await());
    }

    @Test
    void stress() throws Exception {
        int rounds = 100_000;
        var random = ThreadLocalRandom.current();
        var counts = new int[3];
        var calls = new AtomicInteger();
        var broken = new AtomicInteger();
        int registered = 0;
        int throwing = 0;
        int won = 0;
        var open = new ArrayList<CompletionCallbacks.Task<Integer>>();
        for (int i = 0; i < rounds; i++) {
            int number = i;
            int kind = random.nextInt(4);
            var task = CompletionCallbacks.Task.start("s", () -> {
                switch (kind) {
                    case 0 -> Thread.yield();
                    case 1 -> throw new IOException("boom");
                    case 2 -> Thread.sleep(Duration.ofNanos(1_000));
                    default -> Thread.sleep(LONG);
                }
                return number;
            }, (thread, e) -> broken.incrementAndGet());
            for (int c = random.nextInt(3); c >= 0; c--) {
                registered++;
                if (random.nextInt(4) == 0) {
                    throwing++;
                    task.onDone(o -> {
                        calls.incrementAndGet();
                        throw new IllegalStateException();
                    });
                } else {
                    task.onDone(o -> calls.incrementAndGet());
                }
            }
            boolean first = (kind == 3 || random.nextBoolean()) && task.cancel();
            won += first ? 1 : 0;
            if (random.nextInt(4) == 0) {
                registered++;
                task.onDone(o -> calls.incrementAndGet());
            }
            if (random.nextInt(50) == 0) {
                Thread.currentThread().interrupt();
                assertThrows(InterruptedException.class, task::await);
            }
            if (random.nextBoolean()) {
                open.add(task);
                continue;
            }
            switch (task.await()) {
                case CompletionCallbacks.Outcome.Success<Integer> s -> {
                    assertEquals(number, s.value());
                    counts[0]++;
                }
                case CompletionCallbacks.Outcome.Failure<Integer> f -> counts[1]++;
                case CompletionCallbacks.Outcome.Cancelled<Integer> c -> {
                    assertTrue(first);
                    counts[2]++;
                }
            }
        }
        for (var task : open) {
            switch (task.await()) {
                case CompletionCallbacks.Outcome.Success<Integer> s -> counts[0]++;
                case CompletionCallbacks.Outcome.Failure<Integer> f -> counts[1]++;
                case CompletionCallbacks.Outcome.Cancelled<Integer> c -> counts[2]++;
            }
        }
        System.out.printf("CompletionCallbacks: %,d tasks, %,d callbacks: %,d successes, %,d failures, %,d cancelled%n",
                rounds, calls.get(), counts[0], counts[1], counts[2]);
        assertEquals(rounds, counts[0] + counts[1] + counts[2]);
        assertEquals(won, counts[2]);
        assertEquals(registered, calls.get(), "every callback exactly once");
        assertEquals(throwing, broken.get(), "every failing callback reported once");
    }

    @Test
    void aLeftoverFlagMeetsNoCallback() throws Exception {
        var flags = new CopyOnWriteArrayList<Boolean>();
        var registered = new CountDownLatch(1);
        var task = start(() -> {
            registered.await();
            Thread.currentThread().interrupt();
            return 1;
        });
        for (int i = 0; i < 3; i++) {
            task.onDone(outcome -> {
                flags.add(Thread.currentThread().isInterrupted());
                Thread.currentThread().interrupt();
            });
        }
        registered.countDown();
        task.await();
        task.onDone(outcome -> flags.add(Thread.currentThread().isInterrupted()));
        task.await();
        assertEquals(List.of(false, false, false, false), flags);
    }

    @Test
    void anErrorOfACallbackLosesNone() throws Exception {
        var mayFail = new CountDownLatch(1);
        var calls = new AtomicInteger();
        var task = start(() -> 1);
        task.onDone(outcome -> {
            calls.incrementAndGet();
            throw new OutOfMemoryError("of a callback");
        });
        task.onDone(outcome -> calls.incrementAndGet());
        task.await();
        task.onDone(outcome -> await(mayFail));
        task.onDone(outcome -> calls.incrementAndGet());
        mayFail.countDown();
        assertEquals(new CompletionCallbacks.Outcome.Success<>(1), task.await());
        assertEquals(3, calls.get());
        assertEquals("of a callback", reported.getFirst().getMessage());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void nullIsRefusedBeforeTheWorkStarts() {
        assertEquals("work", assertThrows(NullPointerException.class,
                () -> CompletionCallbacks.Task.start("n", null, (t, e) -> { })).getMessage());
        assertEquals("onCallbackFailure", assertThrows(NullPointerException.class,
                () -> CompletionCallbacks.Task.start("n", () -> 1, null)).getMessage());
        assertEquals("name", assertThrows(NullPointerException.class,
                () -> CompletionCallbacks.Task.start(null, () -> 1, (t, e) -> { })).getMessage());
    }
}
