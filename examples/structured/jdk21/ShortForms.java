import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.StructuredTaskScope.Subtask.State;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeoutException;

/**
 * asyncio: {@code gather}, also with {@code return_exceptions}, first success, {@code wait(timeout)}, shortest form.
 * Preview API of JDK 21 (22-24 are alike): {@code --enable-preview --source 21}.
 *
 * <p>For small programs and for comparing the generations side by side. Production forms with a contract are the other
 * files of this folder; without preview, {@code examples/tasks/Gather.java} and its neighbours. Tasks have ended when a
 * method returns or throws.
 *
 * <p>Run: {@code java --enable-preview --source 21 examples/structured/jdk21/ShortForms.java}
 */
public final class ShortForms {

    private ShortForms() {
    }

    // @start region="short-forms"
    static <T> List<T> gather(List<Callable<T>> tasks) throws InterruptedException, ExecutionException {
        try (var scope = new StructuredTaskScope.ShutdownOnFailure()) {
            List<Subtask<T>> subtasks = tasks.stream().map(scope::fork).toList();
            scope.join().throwIfFailed();
            return subtasks.stream().map(Subtask::get).toList();
        }
    }

    static <T> List<Subtask<T>> settled(List<Callable<T>> tasks) throws InterruptedException {
        try (var scope = new StructuredTaskScope<T>()) {
            List<Subtask<T>> subtasks = tasks.stream().map(scope::<T>fork).toList();
            scope.join();
            return subtasks; // state() is SUCCESS: get(), or FAILED: exception()
        }
    }

    static <T> T firstSuccess(List<Callable<T>> tasks) throws InterruptedException, ExecutionException {
        try (var scope = new StructuredTaskScope.ShutdownOnSuccess<T>()) {
            tasks.forEach(scope::fork);
            return scope.join().result();
        }
    }

    static <T> List<Subtask<T>> partial(List<Callable<T>> tasks, Duration timeout) throws InterruptedException {
        try (var scope = new StructuredTaskScope<T>()) {
            List<Subtask<T>> subtasks = tasks.stream().map(scope::<T>fork).toList();
            try {
                scope.joinUntil(Instant.now().plus(timeout));
            } catch (TimeoutException e) { // nobody was interrupted yet, and get() throws until a join is complete
                scope.shutdown();
                scope.join();
            }
            return subtasks; // unfinished: UNAVAILABLE
        }
    }

    static <T> List<T> named(List<Callable<T>> tasks) throws InterruptedException, ExecutionException {
        ThreadFactory threads = Thread.ofVirtual().name("fetch-", 0).factory();
        try (var scope = new StructuredTaskScope.ShutdownOnFailure("fetch", threads)) {
            List<Subtask<T>> subtasks = tasks.stream().map(scope::fork).toList();
            scope.join().throwIfFailed();
            return subtasks.stream().map(Subtask::get).toList();
        }
    }
    // @end region="short-forms"

    public static void main(String[] args) throws Exception {
        Callable<String> a = () -> slowly("a", 30);
        Callable<String> b = () -> slowly("b", 10);
        Callable<String> late = () -> slowly("late", 60_000);
        Callable<String> broken = () -> {
            throw new IllegalStateException("broken");
        };
        List<String> results = gather(List.of(a, b));
        System.out.println("gather " + results);
        check(results.equals(List.of("a", "b")), "results in the order of the tasks");
        try {
            gather(List.of(late, broken));
            check(false, "a failure is thrown");
        } catch (ExecutionException e) {
            check(e.getCause() instanceof IllegalStateException, "the failure is the cause");
        }
        List<State> settled = settled(List.of(a, broken)).stream().map(Subtask::state).toList();
        System.out.println("settled " + settled);
        check(settled.equals(List.of(State.SUCCESS, State.FAILED)), "one outcome for each task");

        String first = firstSuccess(List.of(broken, a, late));
        System.out.println("first success " + first);
        check(first.equals("a"), "a failure does not win");

        List<State> partial = partial(List.of(b, late), Duration.ofMillis(1_500)).stream().map(Subtask::state).toList();
        System.out.println("partial " + partial);
        check(partial.equals(List.of(State.SUCCESS, State.UNAVAILABLE)), "what was done in time");

        Callable<String> whoAmI = () -> Thread.currentThread().getName();
        List<String> names = named(List.of(whoAmI, whoAmI));
        System.out.println("named " + names);
        check(names.equals(List.of("fetch-0", "fetch-1")), "the threads are numbered");
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
