import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class UnresponsiveCallsTest {

    private static final Duration LONG = Duration.ofDays(1);
    private final LinkedBlockingQueue<Map.Entry<String, Future<?>>> late = new LinkedBlockingQueue<>();
    private final UnresponsiveCalls calls = new UnresponsiveCalls(2, (call, outcome) ->
            late.add(Map.entry(call, outcome)));

    @Test
    void resultAndFailureGoToTheCallerWhoWaits() throws Exception {
        var boom = new StackOverflowError();
        for (int i = 0; i < 100; i++) { // a thread each, and each gives its place back
            assertEquals(1, calls.call("one", () -> 1, LONG));
            assertNull(calls.call("null", () -> null, Duration.ofSeconds(Long.MAX_VALUE)));
            assertSame(boom, assertThrows(ExecutionException.class, () -> calls.call("bad", () -> {
                throw boom;
            }, LONG)).getCause());
        }
        var thread = calls.call("which", Thread::currentThread, LONG);
        assertTrue(thread.isDaemon() && !thread.isVirtual());
        assertEquals("which", thread.getName());
        assertEquals(0, calls.abandoned());
        assertTrue(late.isEmpty());
    }

    @Test
    void aDeafCallIsLeftAndHoldsItsThread() throws Exception {
        var end = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        Callable<String> deaf = () -> {
            while (end.getCount() > 0) {
                try {
                    end.await();
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                }
            }
            Thread.currentThread().interrupt(); // left behind
            return "late";
        };
        assertThrows(TimeoutException.class, () -> calls.call("first", deaf, Duration.ofMillis(5)));
        assertThrows(TimeoutException.class, () -> calls.call("second", deaf, Duration.ofSeconds(Long.MIN_VALUE)));
        assertEquals(2, calls.abandoned());
        var made = new AtomicBoolean();
        for (Duration limit : List.of(Duration.ofMillis(5), Duration.ZERO)) {
            assertThrows(RejectedExecutionException.class, () -> calls.call("third", () -> {
                made.set(true);
                return 1;
            }, limit));
        }
        assertFalse(made.get());
        while (interrupts.get() < 2) { // a latch that is open tells of no interrupt
            Thread.onSpinWait();
        }
        end.countDown();
        assertEquals("now", calls.call("fourth", () -> "now", LONG), "waits for a thread");
        assertEquals(List.of("first", "second"), List.of(late.take(), late.take()).stream()
                .peek(entry -> assertEquals("late", entry.getValue().resultNow())).map(Map.Entry::getKey).sorted()
                        .toList());
        while (calls.abandoned() > 0) {
            Thread.sleep(1);
        }
        assertEquals(2, interrupts.get(), "each was interrupted once");
    }

    @Test
    void anInterruptedCallerLeavesTheCallAndIsRefusedNothing() throws Exception {
        var begun = new CountDownLatch(1);
        var end = new CountDownLatch(1);
        var left = new CompletableFuture<Boolean>();
        var caller = Thread.startVirtualThread(() -> {
            try {
                calls.call("deaf", () -> {
                    begun.countDown();
                    Chaos.insist(end::await);
                    throw new IllegalStateException("failed late");
                }, LONG);
            } catch (InterruptedException e) {
                left.complete(Thread.currentThread().isInterrupted());
            } catch (Exception e) {
                left.completeExceptionally(e);
            }
        });
        begun.await();
        caller.interrupt();
        assertFalse(left.get());
        end.countDown();
        assertEquals("failed late", late.take().getValue().exceptionNow().getMessage());
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> calls.call("not made", () -> 1, LONG));
    }

    @Test
    void aHandlerMeetsNoFlagAndMayThrow() throws Exception {
        var flags = new LinkedBlockingQueue<Boolean>();
        var one = new UnresponsiveCalls(1, (call, outcome) -> {
            flags.add(Thread.currentThread().isInterrupted());
            Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> { }); // keeps the test's output clean
            throw new IllegalStateException("handler");
        });
        for (int i = 0; i < 100; i++) {
            var end = new CountDownLatch(1);
            assertThrows(TimeoutException.class, () -> one.call("c", () -> {
                Chaos.insist(end::await);
                Thread.currentThread().interrupt();
                return 1;
            }, Duration.ZERO));
            end.countDown();
            assertFalse(flags.take());
            assertEquals(2, one.call("next", () -> 2, LONG), "the thread is given back");
            assertEquals(0, one.abandoned());
        }
    }

    @Test
    void refusesWhatCannotWork() {
        assertThrows(IllegalArgumentException.class, () -> new UnresponsiveCalls(0, (call, outcome) -> { }));
        assertEquals("onLate", assertThrows(NullPointerException.class, () -> new UnresponsiveCalls(1, null))
                .getMessage());
        assertEquals("name", assertThrows(NullPointerException.class, () -> calls.call(null, () -> 1, LONG))
                .getMessage());
        assertEquals("call", assertThrows(NullPointerException.class, () -> calls.call("n", null, LONG)).getMessage());
        assertThrows(NullPointerException.class, () -> calls.call("n", () -> 1, null));
    }

    /** Calls of all kinds, callers interrupted at random: each outcome goes to exactly one place, no thread is lost. */
    @Test
    void stress() throws Exception {
        int callers = 8;
        int each = 400;
        var told = new ConcurrentHashMap<String, Integer>();
        var limited = new UnresponsiveCalls(3, (call, outcome) -> told.merge(call, 1, Integer::sum));
        var made = new AtomicInteger();
        var refused = new AtomicInteger();
        var tasks = new ArrayList<Chaos.Task>();
        for (int c = 0; c < callers; c++) {
            int caller = c;
            tasks.add(() -> {
                var random = new Random(caller);
                for (int i = 0; i < each; i++) {
                    String name = caller + "/" + i;
                    int kind = random.nextInt(3);
                    var begun = new AtomicBoolean();
                    try {
                        limited.call(name, () -> {
                            begun.set(true);
                            made.incrementAndGet();
                            if (kind == 1) {
                                throw new IllegalStateException();
                            }
                            if (kind == 2) {
                                Chaos.insist(() -> Thread.sleep(0, 100_000));
                            }
                            return 1;
                        }, Duration.ofNanos(random.nextInt(2_000_000)));
                        told.merge(name, 1, Integer::sum);
                    } catch (ExecutionException e) {
                        told.merge(name, 1, Integer::sum);
                    } catch (RejectedExecutionException e) {
                        assertFalse(begun.get());
                        refused.incrementAndGet();
                    } catch (TimeoutException | InterruptedException e) {
                        // told to the handler, if it was made
                    }
                }
            });
        }
        Chaos.run(tasks, Duration.ofNanos(100_000));
        while (limited.abandoned() > 0) {
            Thread.sleep(1);
        }
        assertEquals(made.get(), told.size());
        assertTrue(told.values().stream().allMatch(times -> times == 1));
        var together = new CyclicBarrier(3); // all threads are free, if a moment after their calls were counted out
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var met = new ArrayList<Future<Integer>>();
            for (int i = 0; i < 3; i++) {
                met.add(executor.submit(() -> limited.call("together", together::await, LONG)));
            }
            for (var one : met) {
                one.get();
            }
        }
        System.out.println("UnresponsiveCalls: " + callers * each + " calls, made " + made + ", refused " + refused);
    }
}
