import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * asyncio: {@code TaskGroup} inside {@code TaskGroup}. Preview API of JDK 21 (JEP 453; JEPs 462, 480 and 499 keep it in
 * 22 to 24).
 *
 * <p>Use when parts of the work have failures or deadlines of their own. Do not use where preview features are not
 * allowed: take {@code examples/tasks/TaskGroup.java}; where one flat list of tasks will do, {@code Gather}.
 *
 * <p>Run: {@code java --enable-preview --source 21 examples/structured/jdk21/NestedScopes.java}
 */
public final class NestedScopes {

    private NestedScopes() {
    }

    // @start region="nested"
    /**
     * Runs every group at once, each in its own scope inside one outer scope, and returns the results in the order
     * given. A failure travels up: it cancels its group, that fails the group's own subtask, and that cancels the other
     * groups. Cancellation travels down: a cancelled group's owner is interrupted in {@code join}, and its {@code
     * close} interrupts the group's tasks. When it returns or throws, every task of every group has ended.
     *
     * @throws ExecutionException   the cause is what the failed task itself threw, all wrappers off; of several failed
     *                              groups the first to end counts, and a group ends, and so cancels the others, only
     *                              when its own tasks have ended
     * @throws InterruptedException if the caller was interrupted; all tasks were interrupted
     */
    public static <T> List<List<T>> all(Collection<? extends Collection<? extends Callable<? extends T>>> groups)
            throws InterruptedException, ExecutionException {
        try (var outer = new StructuredTaskScope.ShutdownOnFailure()) {
            List<Subtask<List<T>>> subtasks = groups.stream()
                    .map(tasks -> outer.fork(() -> NestedScopes.<T>group(tasks)))
                    .toList();
            outer.join().throwIfFailed(); // ExecutionException(ExecutionException(failure))
            return subtasks.stream().map(Subtask::get).toList();
        } catch (ExecutionException e) {
            throw new ExecutionException(rootFailure(e));
        }
    }

    private static <T> List<T> group(Collection<? extends Callable<? extends T>> tasks)
            throws InterruptedException, ExecutionException {
        try (var inner = new StructuredTaskScope.ShutdownOnFailure()) {
            List<Subtask<T>> subtasks = tasks.stream().map(task -> inner.<T>fork(task)).toList();
            inner.join().throwIfFailed();
            return subtasks.stream().map(Subtask::get).toList();
        }
    }

    /** The failure inside the wrappers, one a scope; takes an {@code ExecutionException} of the task's own off too. */
    public static Throwable rootFailure(Throwable failure) {
        while (failure instanceof ExecutionException && failure.getCause() != null) {
            failure = failure.getCause();
        }
        return failure;
    }
    // @end region="nested"

    public static void main(String[] args) throws Exception {
        List<List<String>> results = all(List.of(List.of(() -> "a", () -> "b"), List.of(), List.of(() -> "c")));
        System.out.println("groups in order: " + results);
        check(results.equals(List.of(List.of("a", "b"), List.of(), List.of("c"))), "results in the order given");

        var running = new CountDownLatch(2);
        var ended = new AtomicInteger();
        Callable<String> endless = () -> {
            try {
                running.countDown();
                Thread.sleep(60_000);
                return "never";
            } finally {
                ended.incrementAndGet();
            }
        };
        var failure = new IOException("refused");
        Callable<String> broken = () -> {
            running.await();
            throw failure;
        };
        try {
            all(List.of(List.of(broken, endless), List.of(endless)));
            check(false, "a failure is thrown");
        } catch (ExecutionException e) {
            System.out.println(e.getCause() + "; tasks of both groups interrupted and ended: " + ended);
            check(e.getCause() == failure, "the cause is the task's own exception, all wrappers off");
            check(ended.get() == 2, "siblings in its own group and in the other one have ended");
        }

        List<List<String>> rescued = all(List.of(List.of(() -> "a"), List.of(() -> {
            try {
                return all(List.of(List.of(broken))).toString();
            } catch (ExecutionException e) { // handled inside its subtask, a failure goes no further
                return "instead of " + rootFailure(e).getMessage();
            }
        })));
        check(rescued.equals(List.of(List.of("a"), List.of("instead of refused"))), "a handled failure stays");

        Thread owner = Thread.currentThread();
        try {
            all(List.of(List.of(() -> {
                owner.interrupt();
                return endless.call();
            })));
            check(false, "an interrupt of the caller is thrown");
        } catch (InterruptedException e) {
            check(ended.get() == 3, "an interrupted caller leaves no task of an inner scope running");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
