import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.StructureViolationException;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;

/**
 * asyncio: {@code contextvars}. Preview API of JDK 25 alone (JEP 505); {@code ScopedValue} is final since 25 (JEP 506).
 *
 * <p>Use for what every call below needs and none should carry as a parameter: user, request id, trace. Do not use
 * where preview features are not allowed: pass a parameter ({@code ScopedValue} alone is final since JDK 25, but only a
 * scope hands it to other threads).
 *
 * <p>Run: {@code java --enable-preview --source 25 examples/structured/jdk25/ScopedContext.java}
 */
public final class ScopedContext {

    private ScopedContext() {
    }

    // @start region="scoped"
    /**
     * {@code Gather} with {@code key} bound to {@code value} in every task, and in all that a task calls or forks. The
     * binding ends when this returns; it is set before the scope is opened, since a fork under bindings that have
     * changed since then is refused with {@code StructureViolationException}. Scoped values reach forks only: no
     * executor, no {@code Thread.start}.
     *
     * @throws ExecutionException   the first failure in time is the cause; the other tasks were interrupted and have
     *                              ended
     * @throws InterruptedException if the caller was interrupted; all tasks were interrupted and have ended
     */
    public static <C, T> List<T> all(ScopedValue<C> key, C value, Collection<? extends Callable<? extends T>> tasks)
            throws InterruptedException, ExecutionException {
        try {
            return ScopedValue.where(key, value).call(() -> {
                try (var scope = StructuredTaskScope.open(Joiner.<T>allSuccessfulOrThrow())) {
                    tasks.forEach(scope::fork);
                    return scope.join().map(Subtask::get).toList();
                }
            });
        } catch (StructuredTaskScope.FailedException e) { // unchecked in 25 and 26, so no compiler asks for this
            throw new ExecutionException(e.getCause());
        }
    }
    // @end region="scoped"

    public static void main(String[] args) throws Exception {
        ScopedValue<String> user = ScopedValue.newInstance();
        List<String> seen = all(user, "ann", List.of(
                user::get,
                () -> all(user, "bob", List.of(user::get, user::get)) + " inside, outside " + user.get()));
        System.out.println(seen);
        check(seen.equals(List.of("ann", "[bob, bob] inside, outside ann")), "forks inherit, rebinding is local");
        check(!user.isBound(), "the binding has ended with the call");

        List<Boolean> inExecutor = all(user, "ann", List.of(() -> {
            try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
                return executor.submit(user::isBound).get();
            }
        }));
        System.out.println("bound in a task of an executor: " + inExecutor.getFirst());
        check(!inExecutor.getFirst(), "an executor's threads inherit nothing");

        try (var scope = StructuredTaskScope.open()) {
            ScopedValue.where(user, "too late").run(() -> scope.fork(user::get));
            check(false, "a binding made after the scope was opened is refused");
        } catch (StructureViolationException e) {
            System.out.println("refused: " + e.getMessage());
        }

        var failure = new IOException("refused");
        try {
            all(user, "ann", List.of(() -> {
                throw failure;
            }));
            check(false, "a failure is thrown");
        } catch (ExecutionException e) {
            check(e.getCause() == failure, "the cause is the task's own exception");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
