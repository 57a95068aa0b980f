import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
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
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class OffloadTest {

    private static final Duration LONG = Duration.ofDays(1);

    @Test
    void valueOrFailureAsItIs() throws Exception {
        try (var offload = new Offload(2, 2)) {
            assertEquals("v", offload.call(() -> "v").get());
            assertEquals(null, offload.call(() -> null).get());
            var boom = new IOException("boom");
            assertSame(boom, assertThrows(ExecutionException.class, offload.call(() -> {
                throw boom;
            })::get).getCause());
            assertEquals(8, offload.<Integer, Integer>async(n -> 2 * n).apply(4).get());
        }
    }

    @Test
    void dependentsRunInTheVirtualThreadOrComeBackToTheLoop() throws Exception {
        try (var offload = new Offload(1, 0)) {
            var go = new CountDownLatch(1);
            var call = offload.call(() -> {
                go.await();
                return 1;
            });
            var here = call.thenApply(v -> Thread.currentThread().isVirtual() && !Thread.currentThread()
                    .isInterrupted());
            go.countDown();
            assertTrue(here.get());
        }
        try (var offload = new Offload(1, 0); var loop = Executors.newSingleThreadExecutor(task ->
                new Thread(task, "loop"))) {
            assertEquals("loop", offload.call(() -> 1).thenApplyAsync(v -> Thread.currentThread().getName(), loop)
                    .get());
        }
    }

    /** What {@code CompletableFuture} does: whoever runs one dependent helps with the others. */
    @Test
    void theLoopOfOneDependentMayRunTheOthers() throws Exception {
        try (var offload = new Offload(1, 0)) {
            var go = new CountDownLatch(1);
            var call = offload.call(() -> {
                go.await();
                return 1;
            });
            var plain = call.thenApply(v -> Thread.currentThread().getName());
            var back = call.thenApplyAsync(v -> Thread.currentThread().getName(), task -> {
                var loop = new Thread(task, "loop");
                loop.start();
                assertDoesNotThrow(() -> loop.join()); // the work's thread is not the first to come back
            });
            go.countDown();
            assertEquals("loop", back.get());
            assertEquals("loop", plain.get());
        }
    }

    @Test
    void whoeverCompletesTheFutureInterruptsTheWork() throws Exception {
        List<Consumer<CompletableFuture<String>>> ways = List.of(f -> f.cancel(true), f ->
                f.orTimeout(1, TimeUnit.MILLISECONDS),
                f -> f.complete("other"), f -> f.completeExceptionally(new IllegalStateException()));
        for (var way : ways) {
            try (var offload = new Offload(1, 0)) {
                var begun = new CountDownLatch(1);
                var interrupted = new CountDownLatch(1);
                var future = offload.<String>call(() -> {
                    begun.countDown();
                    try {
                        Thread.sleep(LONG);
                    } catch (InterruptedException e) {
                        interrupted.countDown();
                    }
                    return "dropped";
                });
                begun.await();
                way.accept(future);
                interrupted.await();
                while (future.state() == Future.State.RUNNING) {
                    Thread.onSpinWait();
                }
                assertFalse(future.state() == Future.State.SUCCESS && future.resultNow().equals("dropped"));
            }
        }
    }

    @Test
    void aTimeoutIsSeenAsSuch() {
        try (var offload = new Offload(1, 0)) {
            var future = offload.call(() -> {
                Thread.sleep(LONG);
                return null;
            }).orTimeout(1, TimeUnit.MILLISECONDS);
            assertInstanceOf(TimeoutException.class, assertThrows(ExecutionException.class, future::get).getCause());
        }
    }

    @Test
    void refusesWhatIsTooMuchAndNeverBeginsWhatWasCancelledWhileWaiting() throws Exception {
        var ran = new AtomicInteger();
        try (var offload = new Offload(1, 1)) {
            var begun = new CountDownLatch(1);
            var end = new CountDownLatch(1);
            var first = offload.call(() -> {
                begun.countDown();
                end.await();
                return 1;
            });
            begun.await();
            var waiting = offload.call(ran::incrementAndGet);
            assertInstanceOf(RejectedExecutionException.class, offload.call(ran::incrementAndGet).exceptionNow());
            waiting.cancel(true);
            CompletableFuture<Integer> next = offload.call(() -> 2);
            while (next.state() == Future.State.FAILED) { // until the cancelled one has left
                next = offload.call(() -> 2);
            }
            end.countDown();
            assertEquals(1, first.get());
            assertEquals(2, next.get());
        }
        assertEquals(0, ran.get());
    }

    @Test
    void closeWaitsAndAnInterruptOfTheCloserStopsAll() throws Exception {
        var offload = new Offload(10, 0);
        var begun = new CountDownLatch(10);
        var ended = new AtomicInteger();
        var calls = new ArrayList<CompletableFuture<Object>>();
        for (int i = 0; i < 10; i++) {
            calls.add(offload.call(() -> {
                begun.countDown();
                try {
                    Thread.sleep(LONG);
                    return 1;
                } finally {
                    ended.incrementAndGet();
                }
            }));
        }
        begun.await();
        Thread.currentThread().interrupt();
        offload.close();
        assertTrue(Thread.interrupted());
        assertEquals(10, ended.get());
        for (var call : calls) {
            assertThrows(CancellationException.class, call::get);
        }
        assertInstanceOf(RejectedExecutionException.class, offload.call(() -> 1).exceptionNow());
        assertThrows(IllegalArgumentException.class, () -> new Offload(0, 1));
        assertThrows(IllegalArgumentException.class, () -> new Offload(1, -1));
    }

    /**
     * Values, failures, cancels and timeouts against one another: no permit lost, no more than allowed at once, no
     * flag left behind.
     */
    @Test
    void stress() throws Exception {
        int calls = 100_000;
        var inside = new AtomicInteger();
        var ways = new AtomicInteger[] {new AtomicInteger(), new AtomicInteger(), new AtomicInteger(),
                new AtomicInteger()};
        var wrong = new AtomicReference<String>();
        try (var offload = new Offload(20, 1_000)) {
            var open = new ArrayList<CompletableFuture<Integer>>();
            for (int i = 0; i < calls; i++) {
                int number = i;
                int kind = ThreadLocalRandom.current().nextInt(8);
                var call = offload.<Integer>call(() -> {
                    if (inside.incrementAndGet() > 20) {
                        wrong.set("too many at once");
                    }
                    try {
                        switch (kind) {
                            case 0 -> throw new IOException();
                            case 1 -> Thread.sleep(LONG);
                            case 2 -> Thread.sleep(0, 10_000);
                            default -> Thread.yield();
                        }
                        return number;
                    } finally {
                        inside.decrementAndGet();
                    }
                });
                call.thenAccept(value -> {
                    if (value != number || Thread.currentThread().isInterrupted()) {
                        wrong.set("value " + value + " for " + number + ", flag " + Thread.currentThread()
                                .isInterrupted());
                    }
                });
                open.add(call);
                if (kind == 1 && number % 2 == 0) {
                    call.orTimeout(1, TimeUnit.MICROSECONDS);
                } else if (kind == 1 || kind == 3) {
                    call.cancel(true);
                }
                if (open.size() == 500) {
                    for (var each : open) {
                        try {
                            each.get();
                            ways[0].incrementAndGet();
                        } catch (CancellationException e) {
                            ways[1].incrementAndGet();
                        } catch (ExecutionException e) {
                            ways[e.getCause() instanceof TimeoutException ? 2 : 3].incrementAndGet();
                            assertFalse(e.getCause() instanceof RejectedExecutionException);
                        }
                    }
                    open.clear();
                }
            }
        }
        System.out.println("Offload: " + calls + " calls, values/cancelled/timed out/failed: " + List.of(ways));
        assertEquals(calls, ways[0].get() + ways[1].get() + ways[2].get() + ways[3].get());
        assertEquals(null, wrong.get());
        assertEquals(0, inside.get());
    }

    @Test
    @SuppressWarnings("try") // close() is called on purpose
    void closeInOwnWorkOrInADependentIsRefused() throws Exception {
        try (var offload = new Offload(2, 2)) {
            var inWork = offload.call(() -> {
                offload.close();
                return null;
            });
            assertInstanceOf(IllegalStateException.class, assertThrows(ExecutionException.class, inWork::get)
                    .getCause());
            var go = new CountDownLatch(1);
            var inDependent = offload.call(() -> {
                go.await();
                return 1;
            }).thenAccept(value -> offload.close());
            go.countDown();
            assertInstanceOf(IllegalStateException.class, assertThrows(ExecutionException.class, inDependent::get)
                    .getCause());
            assertEquals(1, offload.call(() -> 1).get(), "still open");
        }
    }

    @Test
    void aFlagThatTheWorkLeavesDoesNotReachDependents() throws Exception {
        try (var offload = new Offload(1, 0)) {
            var go = new CountDownLatch(1);
            var flag = offload.call(() -> {
                go.await();
                Thread.currentThread().interrupt();
                return 1;
            }).thenApply(value -> Thread.currentThread().isInterrupted());
            go.countDown();
            assertFalse(flag.get());
        }
    }

    @Test
    void cancelAndAnInterruptedCloseAreOneInterrupt() throws Exception {
        var offload = new Offload(1, 0);
        var begun = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var cleaned = new CountDownLatch(1);
        var again = new AtomicBoolean();
        var future = offload.call(() -> {
            try {
                begun.countDown();
                Thread.sleep(LONG);
                return 1;
            } catch (InterruptedException e) {
                cleaning.countDown();
                try {
                    cleaned.await();
                } catch (InterruptedException second) {
                    again.set(true);
                }
                throw e;
            }
        });
        begun.await();
        future.cancel(true);
        cleaning.await();
        Thread closer = Thread.ofVirtual().unstarted(() -> {
            Thread.currentThread().interrupt();
            offload.close();
        });
        closer.start();
        while (closer.getState() != Thread.State.TIMED_WAITING) {
            Thread.sleep(1); // until it has dealt with its interrupt and waits again
        }
        closer.interrupt();
        cleaned.countDown();
        closer.join();
        assertFalse(again.get());
    }

    @Test
    void anyNumberMayWait() throws Exception {
        try (var offload = new Offload(Integer.MAX_VALUE, Integer.MAX_VALUE)) {
            assertEquals(1, offload.call(() -> 1).get());
        }
    }
}
