import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * asyncio: {@code loop.create_future()} with {@code set_result} called from a callback, and {@code await}. Final API,
 * JDK 21 and later.
 *
 * <p>Use to call an API that answers through a callback as if it were a blocking call. Do not use for callbacks that
 * are called many times (a listener: {@code WorkQueue} or {@code BackpressureStream}), or in the thread that calls the
 * callbacks: it would wait for itself.
 *
 * <p>Run: {@code java examples/bridges/CallbackBridge.java}
 */
public final class CallbackBridge {

    private CallbackBridge() {
    }

    // @start region="bridge"
    /**
     * What you pass to the API. The first call counts, from any thread, even from within {@link Operation#start}. A
     * null cause is a failure, too.
     */
    public interface Callback<T> {
        void success(T value);

        void failure(Throwable cause);
    }

    @FunctionalInterface
    public interface Operation<T> {
        /** Starts the operation without waiting. @return how to cancel it; may be called even if it has just ended */
        Runnable start(Callback<T> callback) throws Exception;
    }

    /**
     * Starts the operation and waits for its callback. A caller that is interrupted or out of time cancels it and does
     * not wait for its end; an answer that came at that very moment is returned, with the flag set again. A caller that
     * is already interrupted starts nothing.
     *
     * @param unwanted gets each value that nobody receives, to release it: one that comes after the caller has left, or
     *                 a second one. It runs in the callback's thread, which gets what it throws. Failures that come too
     *                 late are dropped.
     * @throws ExecutionException the cause is the callback's failure, unwrapped, or what {@code start} threw
     * @throws TimeoutException   not answered in time; the operation was cancelled. What cancelling threw is
     *                            suppressed, here as in the InterruptedException
     */
    public static <T> T await(Operation<T> operation, Duration timeout, Consumer<? super T> unwanted)
            throws InterruptedException, ExecutionException, TimeoutException {
        Objects.requireNonNull(operation, "operation");
        Objects.requireNonNull(timeout, "timeout");
        Objects.requireNonNull(unwanted, "unwanted");
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        var outcome = new CompletableFuture<Outcome<T>>();
        Runnable cancel;
        try {
            cancel = operation.start(new Callback<>() {
                @Override
                public void success(T value) {
                    if (!outcome.complete(new Outcome<>(value, null))) {
                        unwanted.accept(value);
                    }
                }

                @Override
                public void failure(Throwable cause) {
                    outcome.complete(new Outcome<>(null, Objects.requireNonNullElseGet(cause,
                            NullPointerException::new)));
                }
            });
        } catch (Throwable e) {
            if (!outcome.cancel(false) && outcome.resultNow().failure == null) {
                try {
                    unwanted.accept(outcome.resultNow().value);
                } catch (Throwable release) {
                    if (release != e) {
                        e.addSuppressed(release);
                    }
                }
            }
            if (e instanceof InterruptedException interrupt) {
                throw interrupt;
            }
            throw new ExecutionException(e);
        }
        boolean interrupted = false;
        try {
            try {
                // half: on 21 a wait of Long.MAX_VALUE in a virtual thread can stop the timers of all the others
                return outcome.get(Math.min(TimeUnit.NANOSECONDS.convert(timeout), Long.MAX_VALUE / 2),
                        TimeUnit.NANOSECONDS).get();
            } catch (InterruptedException e) {
                if (outcome.cancel(false)) { // from now on an answer is unwanted
                    throw cancelled(cancel, e);
                }
                interrupted = true;
            } catch (TimeoutException e) {
                if (outcome.cancel(false)) {
                    throw cancelled(cancel, new TimeoutException("no answer within " + timeout));
                }
            }
            return outcome.get().get(); // answered meanwhile
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Not the future's own failure: a CompletableFuture does not wrap a CancellationException. */
    private record Outcome<T>(T value, Throwable failure) {
        private T get() throws ExecutionException {
            if (failure != null) {
                throw new ExecutionException(failure);
            }
            return value;
        }
    }

    private static <E extends Exception> E cancelled(Runnable cancel, E why) {
        try {
            cancel.run();
        } catch (Throwable e) {
            why.addSuppressed(e);
        }
        return why;
    }
    // @end region="bridge"

    public static void main(String[] args) throws Exception {
        var client = new Client();
        // @start region="use"
        String connection = CallbackBridge.await(callback -> client.connect("near", callback),
                Duration.ofSeconds(10), late -> client.log.add("closed " + late));
        // @end region="use"
        System.out.println(connection);
        try {
            String far = CallbackBridge.await(callback -> client.connect("far", callback),
                    Duration.ofMillis(50), late -> client.log.add("closed " + late));
            check(far == null, "a timeout is thrown");
        } catch (TimeoutException e) {
            System.out.println(e.getMessage() + ": " + client.log);
        }
        client.answerLate();
        System.out.println("the late connection is not leaked: " + client.log);
        check(client.log.equals(List.of("cancelled far", "closed connection to far")),
                "cancelled, then the late value is released");
    }

    /** The kind of API that is bridged. */
    static final class Client {
        final List<String> log = new ArrayList<>();
        private Callback<String> pending;

        Runnable connect(String host, Callback<String> callback) {
            pending = callback;
            if (host.equals("near")) {
                Thread.startVirtualThread(() -> callback.success("connection to near"));
            }
            return () -> log.add("cancelled " + host);
        }

        void answerLate() {
            pending.success("connection to far");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
