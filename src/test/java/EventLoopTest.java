import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class EventLoopTest {

    @Test
    void oneAfterTheOtherInOrderInItsThread() throws Exception {
        var seen = new ArrayList<Integer>();
        try (var loop = new EventLoop("loop", 2_000)) {
            for (int i = 0; i < 1_000; i++) {
                int n = i;
                loop.post(() -> seen.add(n));
            }
            assertEquals(IntStream.range(0, 1_000).boxed().toList(), loop.call(() -> new ArrayList<>(seen)));
            assertEquals("loop", loop.call(() -> Thread.currentThread().getName()));
            assertTrue(loop.call(() -> loop.call(loop::inLoop)), "nested");
            assertFalse(loop.inLoop());
        }
    }

    @Test
    void failuresGoToTheCallerOrTheHandlerAndTheLoopGoesOn() throws Exception {
        var boom = new IOException();
        var told = new AtomicReference<Throwable>();
        try (var loop = new EventLoop("loop", 10)) {
            var handled = new CountDownLatch(1);
            loop.call(() -> {
                Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> {
                    told.set(e);
                    handled.countDown();
                });
                return null;
            });
            assertSame(boom, assertThrows(ExecutionException.class, () -> loop.call(() -> {
                throw boom;
            })).getCause());
            loop.post(() -> {
                throw new IllegalStateException("posted");
            });
            handled.await();
            assertEquals("posted", told.get().getMessage());
            assertEquals(1, loop.<Integer>call(() -> 1));
        }
    }

    @Test
    void anInterruptWithdrawsWhatHasNotBegunAndAwaitsWhatHas() throws Exception {
        var ran = new AtomicInteger();
        try (var loop = new EventLoop("loop", 1)) {
            var end = busy(loop);
            for (int i = 0; i < 10; i++) { // the place in the queue is free again each time
                Thread.currentThread().interrupt();
                assertThrows(InterruptedException.class, () -> loop.call(ran::incrementAndGet));
            }
            end.countDown();
            Thread caller = Thread.currentThread();
            assertEquals("done", loop.call(() -> {
                caller.interrupt();
                return "done";
            }));
            assertTrue(Thread.interrupted());
        }
        assertEquals(0, ran.get());
    }

    @Test
    void refusesWhenFullOrClosedAndRunsWhatWasAccepted() throws Exception {
        var ran = new AtomicInteger();
        var loop = new EventLoop("loop", 2);
        var end = busy(loop);
        loop.post(ran::incrementAndGet);
        loop.post(ran::incrementAndGet);
        assertThrows(RejectedExecutionException.class, () -> loop.post(ran::incrementAndGet));
        assertThrows(RejectedExecutionException.class, () -> loop.call(ran::incrementAndGet));
        end.countDown();
        Thread.currentThread().interrupt();
        loop.close();
        assertTrue(Thread.interrupted());
        assertEquals(2, ran.get());
        assertThrows(RejectedExecutionException.class, () -> loop.post(ran::incrementAndGet));
        var own = new EventLoop("own", 2);
        assertTrue(assertThrows(ExecutionException.class, () -> own.call(() -> {
            own.close();
            return null;
        })).getCause() instanceof IllegalStateException);
        own.close();
    }

    /**
     * State without a lock under interrupts: each call that returned counted once, each that was withdrawn not at all.
     */
    @Test
    void stress() throws Exception {
        int rounds = 100_000;
        var state = new int[1];
        var calls = new AtomicInteger();
        var returned = new AtomicInteger();
        var withdrawn = new AtomicInteger();
        try (var loop = new EventLoop("loop", 100)) {
            var tasks = new ArrayList<Chaos.Task>();
            for (int t = 0; t < 10; t++) {
                tasks.add(() -> {
                    // on, should nobody have interrupted until then
                    for (int i = 0; i < rounds / 10 || withdrawn.get() == 0; i++) {
                        calls.incrementAndGet();
                        try {
                            loop.call(() -> state[0]++);
                            returned.incrementAndGet();
                        } catch (InterruptedException e) {
                            withdrawn.incrementAndGet();
                        }
                    }
                });
            }
            long interrupts = Chaos.run(tasks);
            System.out.println("EventLoop: " + calls + " calls, " + interrupts + " interrupts, " + returned
                    + " ran, " + withdrawn + " withdrawn");
            assertEquals(returned.get(), loop.call(() -> state[0]));
        }
        assertEquals(calls.get(), returned.get() + withdrawn.get());
        assertTrue(calls.get() >= rounds && withdrawn.get() > 0);
    }

    /** Returns when the loop has begun what holds it up until the latch is opened. */
    private static CountDownLatch busy(EventLoop loop) throws InterruptedException {
        var begun = new CountDownLatch(1);
        var end = new CountDownLatch(1);
        loop.post(() -> {
            begun.countDown();
            try {
                end.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        begun.await();
        return end;
    }

    @Test
    void theFailureIsTheCauseAsItIs() throws Exception {
        try (var loop = new EventLoop("loop", 10)) {
            for (var failure : List.of(new CancellationException("of the task"),
                    new CompletionException(new IOException()))) {
                assertSame(failure, assertThrows(ExecutionException.class, () -> loop.call(() -> {
                    throw failure;
                })).getCause());
            }
        }
    }

    @Test
    void aHandlerThatThrowsDoesNotChangeTheThread() throws Exception {
        try (var loop = new EventLoop("loop", 10)) {
            Thread before = loop.call(Thread::currentThread);
            before.setUncaughtExceptionHandler((thread, e) -> {
                throw new IllegalStateException("the handler");
            });
            loop.post(() -> {
                throw new IllegalStateException("posted");
            });
            assertSame(before, loop.call(Thread::currentThread));
        }
    }

    @Test
    void whatCannotWorkIsRefusedAtOnce() {
        assertThrows(IllegalArgumentException.class, () -> new EventLoop("loop", 0));
        assertThrows(NullPointerException.class, () -> new EventLoop(null, 1));
    }
}
