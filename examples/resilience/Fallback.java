import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;

/**
 * asyncio: {@code try: await primary() except E: await secondary()}, as a chain. Final API, JDK 21 and later.
 *
 * <p>Use when a worse answer is good enough: from a replica, the cache, a default. The answer says where it came from
 * and what failed before it: a fallback that nobody counts hides an outage. Do not use to repeat the same call ({@code
 * Retry}), for equally good sources ({@code HedgedRequest}), or for writes.
 *
 * <p>Immutable and thread-safe. The sources run one after another in the caller's thread: give each its own timeout. If
 * a result is not good enough, let its source throw: the next one is asked.
 *
 * <p>Run: {@code java examples/resilience/Fallback.java}
 */
public final class Fallback<T> {

    // @start region="fallback"
    /** @param failures of the earlier sources, in order; empty if the first one answered */
    public record Answer<T>(T value, String source, List<Exception> failures) {
        public boolean degraded() {
            return !failures.isEmpty();
        }
    }

    private record Source<T>(String name, Class<? extends Exception> after, Callable<? extends T> task) {
        private Source {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(after, "after");
            Objects.requireNonNull(task, "task");
        }
    }

    private final List<Source<T>> sources;

    private Fallback(List<Source<T>> sources) {
        this.sources = List.copyOf(sources);
    }

    /** The first choice. */
    public static <T> Fallback<T> of(String name, Callable<? extends T> task) {
        return new Fallback<>(List.of(new Source<>(name, Exception.class, task)));
    }

    /**
     * Returns this chain with one more source, asked if the one before it failed with {@code after}; any other
     * exception ends the chain.
     */
    public Fallback<T> or(String name, Class<? extends Exception> after, Callable<? extends T> task) {
        var longer = new ArrayList<>(sources);
        longer.add(new Source<>(name, after, task));
        return new Fallback<>(longer);
    }

    /**
     * Asks one source after another. An {@link Error}, an {@link InterruptedException} (as such or as a cause) and an
     * exception that leaves the interrupt flag set end the chain: a cancelled caller does not go on to the next source.
     *
     * @throws Exception what ended the chain, with the failures of earlier sources suppressed; an Error likewise
     */
    public Answer<T> call() throws Exception {
        var failures = new ArrayList<Exception>();
        try {
            for (int i = 0; ; i++) {
                var source = sources.get(i);
                try {
                    return new Answer<>(source.task.call(), source.name, List.copyOf(failures));
                } catch (Exception e) {
                    if (i + 1 == sources.size() || !sources.get(i + 1).after.isInstance(e) || cancelled(e)) {
                        throw e;
                    }
                    failures.add(e);
                }
            }
        } catch (Throwable last) {
            for (Exception failure : failures) {
                // a shared constant would grow with each call
                if (failure != last && last.getSuppressed().length < 10) {
                    last.addSuppressed(failure);
                }
            }
            throw last;
        }
    }

    private static boolean cancelled(Exception failure) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < 20; depth++, cause = cause.getCause()) {
            if (cause instanceof InterruptedException) { // not InterruptedIOException: SocketTimeoutException is one
                return true;
            }
        }
        return Thread.currentThread().isInterrupted();
    }
    // @end region="fallback"

    public static void main(String[] args) throws Exception {
        // @start region="use"
        var prices = Fallback.of("live", () -> fetch("live"))
                .or("replica", IOException.class, () -> fetch("replica"))
                .or("yesterday's", IOException.class, () -> List.of(99));
        var answer = prices.call();
        if (answer.degraded()) {
            System.out.println(answer.source() + " prices " + answer.value() + ", because of " + answer.failures());
        }
        // @end region="use"
        check(answer.source().equals("yesterday's") && answer.failures().size() == 2, "the third source answers");

        var broken = Fallback.of("live", () -> Integer.parseInt("x")).or("default", IOException.class, () -> 0);
        try {
            broken.call();
            check(false, "a bug is thrown");
        } catch (NumberFormatException e) {
            System.out.println("a bug is not covered up: " + e.getMessage());
        }
    }

    private static List<Integer> fetch(String source) throws IOException {
        throw new IOException(source + " is down");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
