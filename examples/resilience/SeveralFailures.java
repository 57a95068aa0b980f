import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/**
 * asyncio: {@code ExceptionGroup} and {@code except*}. Final API, JDK 21 and later.
 *
 * <p>Use where several failures come together, as from {@code TaskGroup}: in Java the first is the cause, the others
 * are suppressed, and {@code catch} sees only the first. Here you handle them by type, nested ones too. Do not use
 * where only the first failure matters: {@code catch (ExecutionException e)} and {@code e.getCause()}.
 *
 * <p>Not thread-safe: a local variable of a catch block.
 *
 * <p>Run: {@code java examples/resilience/SeveralFailures.java}
 */
public final class SeveralFailures {

    // @start region="handle"
    @FunctionalInterface
    public interface Handler<E> {
        void handle(List<E> failures) throws Exception;
    }

    @FunctionalInterface
    public interface Step {
        void run() throws Exception;
    }

    private static final String NOT_JOINED = ".*(without|did not) join.*"; // of TaskGroup, of StructuredTaskScope
    private final List<Throwable> failures;
    private final List<Throwable> unhandled;
    private final List<Throwable> thrownByHandlers = new ArrayList<>();

    private SeveralFailures(List<Throwable> failures) {
        this.failures = List.copyOf(failures);
        this.unhandled = new ArrayList<>(failures);
    }

    /**
     * All failures of an exception, each once, the first one first. {@link ExecutionException} and {@link
     * CompletionException} with a cause are wrappers and stand for it; any other exception is a failure itself.
     * Suppressed ones follow what they are suppressed on, to any depth. An ordinary cause is not a failure of its own,
     * nor is the note that a group was closed without {@code join()}, suppressed on the failure that caused this.
     */
    public static SeveralFailures of(Throwable thrown) {
        var found = new ArrayList<Throwable>();
        collect(thrown, found, Collections.newSetFromMap(new IdentityHashMap<>())); // causes may be a circle
        return new SeveralFailures(found);
    }

    private static void collect(Throwable thrown, List<Throwable> found, Set<Throwable> seen) {
        if (!seen.add(thrown)) {
            return;
        }
        boolean remark = !found.isEmpty() && thrown instanceof IllegalStateException
                && String.valueOf(thrown.getMessage()).matches(NOT_JOINED);
        boolean wrapper = thrown instanceof ExecutionException || thrown instanceof CompletionException;
        if (wrapper && thrown.getCause() != null) {
            collect(thrown.getCause(), found, seen);
        } else if (!remark) { // else only the failures of tasks that are suppressed on it count
            found.add(thrown);
        }
        for (Throwable suppressed : thrown.getSuppressed()) {
            collect(suppressed, found, seen);
        }
    }

    /** Every failure, handled or not. */
    public List<Throwable> all() {
        return failures;
    }

    /**
     * Like {@code except* type}: calls the handler once with all failures of the type that no earlier handler took, in
     * order; not at all if there are none. What the handler throws joins the unhandled failures, where no later handler
     * sees it.
     */
    public <E extends Throwable> SeveralFailures on(Class<E> type, Handler<? super E> handler) {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(handler, "handler");
        var taken = unhandled.stream().filter(type::isInstance).map(type::cast).toList();
        unhandled.removeIf(type::isInstance);
        if (!taken.isEmpty()) {
            try {
                handler.handle(List.copyOf(taken));
            } catch (Throwable e) {
                if (e instanceof InterruptedException) {
                    Thread.currentThread().interrupt(); // of this thread, not of a task
                }
                thrownByHandlers.add(e);
            }
        }
        return this;
    }

    /**
     * Ends the chain. @throws ExecutionException if anything is unhandled: the first is the cause, the others are
     * suppressed
     */
    public void throwUnhandled() throws ExecutionException {
        var rest = new ArrayList<>(unhandled);
        rest.addAll(thrownByHandlers);
        if (!rest.isEmpty()) {
            var thrown = new ExecutionException(rest.getFirst());
            rest.stream().skip(1).forEach(thrown::addSuppressed); // on our own: another's may be shared or immutable
            throw thrown;
        }
    }
    // @end region="handle"

    // @start region="run-all"
    /**
     * Runs every step in order, even after earlier ones failed; none if one is null. An interrupt skips no step: it
     * reaches the next step that waits.
     *
     * @throws ExecutionException the first failure is the cause, the others are suppressed; the flag is set if an
     *                            interrupt is among them
     */
    public static void runAll(List<? extends Step> steps) throws ExecutionException {
        var failed = new ArrayList<Throwable>();
        for (Step step : List.<Step>copyOf(Objects.requireNonNull(steps, "steps"))) {
            try {
                step.run();
            } catch (Throwable e) {
                failed.add(e);
            }
        }
        if (failed.stream().anyMatch(InterruptedException.class::isInstance)) {
            Thread.currentThread().interrupt();
        }
        new SeveralFailures(failed).throwUnhandled();
    }
    // @end region="run-all"

    public static void main(String[] args) throws Exception {
        var group = new ExecutionException(new IOException("node 1 is down")); // as TaskGroup throws it
        group.addSuppressed(new IOException("node 2 is down"));
        var nested = new ExecutionException(new TimeoutException("node 3 is slow"));
        nested.addSuppressed(new IllegalStateException("node 4: a bug"));
        group.addSuppressed(nested);
        try {
            // @start region="use"
            SeveralFailures.of(group)
                    .on(IOException.class, down -> System.out.println("down: " + down))
                    .on(TimeoutException.class, slow -> System.out.println("slow: " + slow))
                    .throwUnhandled();
            // @end region="use"
            check(false, "what nobody handles is thrown");
        } catch (ExecutionException e) {
            System.out.println("unhandled: " + e.getCause());
            check(e.getCause().getMessage().equals("node 4: a bug") && e.getSuppressed().length == 0,
                    "the bug alone is left");
        }

        var ran = new StringBuilder();
        try {
            runAll(List.of(() -> ran.append("a"), () -> Integer.parseInt("x"), () -> ran.append("b"), () -> List.of()
                    .getFirst()));
            check(false, "failures are thrown");
        } catch (ExecutionException e) {
            System.out.println("ran " + ran + "; " + e.getCause() + "; suppressed " + List.of(e.getSuppressed()));
            check(ran.toString().equals("ab") && e.getSuppressed().length == 1,
                    "every step ran, every failure is kept");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
