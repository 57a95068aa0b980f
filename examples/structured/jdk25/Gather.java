import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * asyncio: {@code gather(*tasks)}, failing fast. Preview API of JDK 25 alone (JEP 505).
 *
 * <p>Use for a handful of calls whose results are all needed. Do not use where preview features are not allowed: take
 * {@code examples/tasks/Gather.java}; to keep going after a failure {@code SettledGather}, for every failure
 * {@code KeepEveryFailure}.
 *
 * <p>Run: {@code java --enable-preview --source 25 examples/structured/jdk25/Gather.java}
 */
public final class Gather {

    private Gather() {
    }

    // @start region="gather"
    /**
     * Runs every task at once, each in its own virtual thread, and returns the results in the order of {@code tasks}.
     * When it returns or throws, every task has ended, even one that ignores its interrupt.
     *
     * @throws ExecutionException   the first failure in time is the cause; the other tasks were interrupted, and what
     *                              they return or throw after it is dropped ({@code KeepEveryFailure} keeps it)
     * @throws InterruptedException if the caller was interrupted; all tasks were interrupted
     */
    public static <T> List<T> all(Collection<? extends Callable<? extends T>> tasks)
            throws InterruptedException, ExecutionException {
        tasks.forEach(task -> Objects.requireNonNull(task, "task"));
        try (var scope = StructuredTaskScope.open(Joiner.<T>allSuccessfulOrThrow())) {
            tasks.forEach(scope::fork);
            return scope.join().map(Subtask::get).toList();
        } catch (StructuredTaskScope.FailedException e) { // unchecked in 25 and 26, so no compiler asks for this
            throw new ExecutionException(e.getCause());
        }
    }
    // @end region="gather"

    public static void main(String[] args) throws Exception {
        List<String> pages = all(List.of(() -> slowly("a", 150), () -> slowly("b", 50), () -> null));
        System.out.println("in the order of the tasks: " + pages);
        check(pages.equals(Arrays.asList("a", "b", null)), "results in the order of the tasks, null among them");

        var running = new CountDownLatch(2);
        var ended = new AtomicInteger();
        Callable<String> endless = () -> {
            try {
                running.countDown();
                return slowly("never", 60_000);
            } finally {
                ended.incrementAndGet();
            }
        };
        var failure = new IllegalStateException("the third call failed");
        try {
            all(List.of(endless, endless, () -> {
                running.await();
                throw failure;
            }));
            check(false, "a failure is thrown");
        } catch (ExecutionException e) {
            System.out.println(e.getCause().getMessage() + "; siblings interrupted and ended: " + ended);
            check(e.getCause() == failure, "the cause is the task's own exception");
            check(ended.get() == 2, "both siblings have ended before the exception is seen");
        }

        Thread owner = Thread.currentThread();
        try {
            all(List.of(endless, () -> {
                owner.interrupt();
                return endless.call();
            }));
            check(false, "an interrupt of the caller is thrown");
        } catch (InterruptedException e) {
            check(ended.get() >= 3, "an interrupted caller leaves no task running");
        }
    }

    private static String slowly(String result, int millis) throws InterruptedException {
        Thread.sleep(millis);
        return result;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
