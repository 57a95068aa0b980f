import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.StructuredTaskScope.Subtask.State;
import java.util.concurrent.ThreadFactory;

/**
 * asyncio: {@code gather}, also with {@code return_exceptions}, first success, {@code wait(timeout)}, shortest form.
 * Preview API of JDK 26: {@code --enable-preview}.
 *
 * <p>For small programs and for comparing the generations side by side. Production forms with a contract are the other
 * files of this folder; without preview, {@code examples/tasks/Gather.java} and its neighbours. Tasks have ended when a
 * method returns or throws.
 *
 * <p>Run: {@code java --enable-preview examples/structured/jdk26/ShortForms.java}
 */
public final class ShortForms {

    private ShortForms() {
    }

    // @start region="short-forms"
    static <T> List<T> gather(List<Callable<T>> tasks) throws InterruptedException {
        try (var scope = StructuredTaskScope.open(Joiner.<T>allSuccessfulOrThrow())) {
            tasks.forEach(scope::fork);
            return scope.join(); // FailedException, unchecked
        }
    }

    static <T> List<Subtask<T>> settled(List<Callable<T>> tasks) throws InterruptedException {
        try (var scope = StructuredTaskScope.open(Joiner.<T>allUntil(subtask -> false))) {
            tasks.forEach(scope::fork);
            return scope.join(); // state() is SUCCESS: get(), or FAILED: exception()
        }
    }

    static <T> T firstSuccess(List<Callable<T>> tasks) throws InterruptedException {
        try (var scope = StructuredTaskScope.open(Joiner.<T>anySuccessfulOrThrow())) {
            tasks.forEach(scope::fork);
            return scope.join();
        }
    }

    static <T> List<Subtask<T>> partial(List<Callable<T>> tasks, Duration timeout) throws InterruptedException {
        var joiner = Joiner.<T>allUntil(subtask -> false); // every other one throws at the timeout
        try (var scope = StructuredTaskScope.open(joiner, config -> config.withTimeout(timeout))) {
            tasks.forEach(scope::fork);
            return scope.join(); // unfinished: UNAVAILABLE
        }
    }

    static <T> List<T> named(List<Callable<T>> tasks) throws InterruptedException {
        ThreadFactory threads = Thread.ofVirtual().name("fetch-", 0).factory();
        try (var scope = StructuredTaskScope.open(Joiner.<T>allSuccessfulOrThrow(),
                config -> config.withThreadFactory(threads).withName("fetch"))) {
            tasks.forEach(scope::fork);
            return scope.join();
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
        } catch (StructuredTaskScope.FailedException e) {
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
