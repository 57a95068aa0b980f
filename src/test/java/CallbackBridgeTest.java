import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class CallbackBridgeTest {

    private static final Duration LONG = Duration.ofDays(1);
    private final List<Object> unwanted = new CopyOnWriteArrayList<>();
    private final AtomicInteger cancels = new AtomicInteger();

    private <T> T await(CallbackBridge.Operation<T> operation, Duration timeout) throws Exception {
        return CallbackBridge.await(operation, timeout, unwanted::add);
    }

    @Test
    void answersFromWithinStartAndFromAnotherThread() throws Exception {
        String within = await(callback -> {
            callback.success("now");
            return cancels::incrementAndGet;
        }, LONG);
        assertEquals("now", within);
        String later = await(callback -> {
            Thread.startVirtualThread(() -> callback.success(null));
            return cancels::incrementAndGet;
        }, LONG);
        assertEquals(null, later);
        var boom = new IOException();
        assertSame(boom, assertThrows(ExecutionException.class, () -> await(callback -> {
            callback.failure(boom);
            return cancels::incrementAndGet;
        }, LONG)).getCause());
        assertEquals(0, cancels.get());
    }

    @Test
    void theFirstCallCountsAndASecondValueIsReleased() throws Exception {
        String value = await(callback -> {
            callback.success("a");
            callback.failure(new IOException());
            callback.success("b");
            return cancels::incrementAndGet;
        }, LONG);
        assertEquals("a", value);
        assertEquals(List.of("b"), unwanted);
        assertThrows(ExecutionException.class, () -> this.<String>await(callback -> {
            callback.failure(new IOException());
            callback.success("c");
            return cancels::incrementAndGet;
        }, LONG));
        assertEquals(List.of("b", "c"), unwanted);
    }

    @Test
    void whoLeavesCancelsAndALateValueIsReleased() {
        var callback = new AtomicReference<CallbackBridge.Callback<String>>();
        CallbackBridge.Operation<String> operation = c -> {
            callback.set(c);
            return () -> {
                cancels.incrementAndGet();
                throw new IllegalStateException("cannot cancel");
            };
        };
        var timeout = assertThrows(TimeoutException.class, () -> await(operation, Duration.ofMillis(1)));
        assertEquals("cannot cancel", timeout.getSuppressed()[0].getMessage());
        callback.get().success("late");
        assertEquals(List.of("late"), unwanted);

        Thread caller = Thread.currentThread();
        var interrupted = assertThrows(InterruptedException.class, () -> this.<String>await(c -> {
            caller.interrupt();
            return operation.start(c);
        }, LONG));
        assertEquals(1, interrupted.getSuppressed().length);
        callback.get().failure(new IOException());
        callback.get().success("later");
        assertEquals(List.of("late", "later"), unwanted);
        assertEquals(2, cancels.get());
        assertFalse(Thread.interrupted());
    }

    @Test
    void anInterruptedCallerStartsNothing() {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> await(callback -> {
            throw new AssertionError("started");
        }, LONG));
        assertFalse(Thread.interrupted());
    }

    @Test
    void aStartThatThrowsLosesNoValue() {
        var boom = new IOException("boom");
        var kept = new AtomicReference<CallbackBridge.Callback<String>>();
        assertSame(boom, assertThrows(ExecutionException.class, () -> this.<String>await(callback -> {
            kept.set(callback);
            callback.success("before");
            throw boom;
        }, LONG)).getCause());
        kept.get().success("after");
        assertEquals(List.of("before", "after"), unwanted);
    }

    /**
     * Answers, interrupts, timeouts at random: each resource that an answer brings is used or released, exactly once.
     */
    @Test
    void stress() throws Exception {
        int rounds = 100_000;
        var made = new AtomicInteger();
        var used = new AtomicInteger();
        var released = new AtomicInteger();
        var left = new AtomicInteger();
        var tasks = new ArrayList<Chaos.Task>();
        for (int t = 0; t < 10; t++) {
            tasks.add(() -> {
                for (int i = 0; i < rounds / 10; i++) {
                    var answered = new CountDownLatch(1);
                    var started = new AtomicBoolean();
                    var random = ThreadLocalRandom.current();
                    try {
                        var resource = CallbackBridge.<AtomicInteger>await(callback -> {
                            started.set(true);
                            Thread.startVirtualThread(() -> {
                                for (int n = ThreadLocalRandom.current().nextInt(3); n > 0; n--) {
                                    Thread.yield();
                                }
                                made.incrementAndGet();
                                callback.success(new AtomicInteger());
                                answered.countDown();
                            });
                            return () -> { };
                        }, random.nextInt(4) == 0 ? Duration.ofNanos(3_000) : LONG, late -> {
                            assertEquals(1, late.incrementAndGet());
                            released.incrementAndGet();
                        });
                        assertEquals(1, resource.incrementAndGet());
                        used.incrementAndGet();
                    } catch (InterruptedException | TimeoutException e) {
                        left.incrementAndGet();
                    }
                    if (started.get()) {
                        Chaos.insist(answered::await);
                    }
                }
            });
        }
        long interrupts = Chaos.run(tasks);
        System.out.println("CallbackBridge: " + rounds + " calls, " + interrupts + " interrupts, " + used + " used, "
                + released + " released late");
        assertEquals(made.get(), used.get() + released.get());
        assertEquals(rounds, used.get() + left.get());
        assertTrue(released.get() > 0 && used.get() > 0);
    }

    @Test
    void theFailureIsTheCauseAsItIs() {
        for (var failure : List.of(new CancellationException("of the API"),
                new CompletionException(new IOException()))) {
            assertSame(failure, assertThrows(ExecutionException.class, () -> await(callback -> {
                callback.failure(failure);
                return cancels::incrementAndGet;
            }, LONG)).getCause());
        }
        assertEquals(NullPointerException.class, assertThrows(ExecutionException.class, () -> await(callback -> {
            callback.failure(null);
            return cancels::incrementAndGet;
        }, LONG)).getCause().getClass());
    }

    @Test
    void whatCannotWorkIsRefusedBeforeTheStart() {
        var started = new AtomicInteger();
        CallbackBridge.Operation<Object> operation = callback -> {
            started.incrementAndGet();
            return () -> { };
        };
        assertThrows(NullPointerException.class, () -> CallbackBridge.await(operation, null, unwanted::add));
        assertThrows(NullPointerException.class, () -> CallbackBridge.await(operation, LONG, null));
        assertEquals(0, started.get());
    }

    @Test
    void anInterruptInStartIsAnInterrupt() {
        assertThrows(InterruptedException.class, () -> await(callback -> {
            throw new InterruptedException();
        }, LONG));
    }

    @Test
    void whatReleasesMayThrowTheSameAsStart() {
        var shared = new IllegalStateException("closed");
        assertSame(shared, assertThrows(ExecutionException.class, () -> CallbackBridge.<Integer>await(callback -> {
            callback.success(1);
            throw shared;
        }, LONG, value -> {
            throw shared;
        })).getCause());
    }
}
