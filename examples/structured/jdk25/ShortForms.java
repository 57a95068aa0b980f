import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.StructuredTaskScope.Subtask.State;
import java.util.concurrent.ThreadFactory;

/**
 * asyncio: {@code gather}, also with {@code return_exceptions}, first success, {@code wait(timeout)}, shortest form.
 * Preview API of JDK 25: {@code --enable-preview}.
 *
 * <p>For small programs and for comparing the generations side by side. Production forms with a contract are the other
 * files of this folder; without preview, {@code examples/tasks/Gather.java} and its neighbours. Tasks have ended when a
 * method returns or throws.
 *
 * <p>Run: {@code java --enable-preview examples/structured/jdk25/ShortForms.java}
 */
public final class ShortForms {

    private ShortForms() {
    }

    // @start region="short-forms"
    static <T> List<T> gather(List<Callable<T>> tasks) throws InterruptedException {
        try (var scope = StructuredTaskScope.open(Joiner.<T>allSuccessfulOrThrow())) {
            tasks.forEach(scope::fork);
            return scope.join().map(Subtask::get).toList(); // FailedException, unchecked
        }
    }

    static <T> List<Subtask<T>> settled(List<Callable<T>> tasks) throws InterruptedException {
        try (var scope = StructuredTaskScope.open(Joiner.<T>allUntil(subtask -> false))) {
            tasks.forEach(scope::fork);
            return scope.join().toList(); // state() is SUCCESS: get(), or FAILED: exception()
        }
    }

    static <T> T firstSuccess(List<Callable<T>> tasks) throws InterruptedException {
        try (var scope = StructuredTaskScope.open(Joiner.<T>anySuccessfulResultOrThrow())) {
            tasks.forEach(scope::fork);
            return scope.join();
        }
    }

    /** By index: after a timeout no subtask can be read on 25, so each task records its own result. */
    static <T> Map<Integer, T> partial(List<Callable<T>> tasks, Duration timeout) throws InterruptedException {
        var done = new ConcurrentHashMap<Integer, T>();
        try (var scope = StructuredTaskScope.open(Joiner.<T>awaitAll(), config -> config.withTimeout(timeout))) {
            for (int i = 0; i < tasks.size(); i++) {
                int index = i;
                scope.fork(() -> done.put(index, tasks.get(index).call()));
            }
            scope.join();
        } catch (StructuredTaskScope.TimeoutException e) {
            // what is not in the map was cut off, or failed
        }
        return done;
    }

    static <T> List<T> named(List<Callable<T>> tasks) throws InterruptedException {
        ThreadFactory threads = Thread.ofVirtual().name("fetch-", 0).factory();
        try (var scope = StructuredTaskScope.open(Joiner.<T>allSuccessfulOrThrow(),
                config -> config.withThreadFactory(threads).withName("fetch"))) {
            tasks.forEach(scope::fork);
            return scope.join().map(Subtask::get).toList();
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

        Map<Integer, String> partial = partial(List.of(b, late), Duration.ofMillis(1_500));
        System.out.println("partial " + partial);
        check(partial.equals(Map.of(0, "b")), "what was done in time");

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
