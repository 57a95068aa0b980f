import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: a task whose {@code Future} nobody keeps fails in silence. {@code submit} and {@code supplyAsync} store the
 * failure in the future; there is no "exception was never retrieved" as in asyncio, and the uncaught-exception
 * handler is not called.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27).
 * Cure: keep the future and {@code get} it, below; for work that outlives the request
 * {@code examples/tasks/BackgroundTasks.java}.
 *
 * <p>Run: {@code java examples/traps/OrphanedTask.java}
 */
public final class OrphanedTask {

    private OrphanedTask() {
    }

    // @start region="wrong"
    static void confirmAndForget(ExecutorService executor, List<String> orders) {
        for (String order : orders) {
            executor.submit(() -> sendReceipt(order)); // the only trace of a failure is thrown away here
        }
    }
    // @end region="wrong"

    // @start region="right"
    /** Returns the failures, none for success, after every receipt was tried. */
    static List<Throwable> confirm(ExecutorService executor, List<String> orders) throws InterruptedException {
        var receipts = new ArrayList<Future<?>>();
        for (String order : orders) {
            receipts.add(executor.submit(() -> sendReceipt(order)));
        }
        var failures = new ArrayList<Throwable>();
        for (Future<?> receipt : receipts) {
            try {
                receipt.get();
            } catch (ExecutionException e) {
                failures.add(e.getCause());
            }
        }
        return failures;
    }
    // @end region="right"

    private static final AtomicInteger FAILED = new AtomicInteger();

    private static void sendReceipt(String order) {
        FAILED.incrementAndGet();
        throw new IllegalStateException("no mail server for " + order);
    }

    public static void main(String[] args) throws Exception {
        List<String> orders = List.of("o1", "o2", "o3", "o4", "o5");
        var uncaught = new AtomicInteger();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> uncaught.incrementAndGet());

        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            confirmAndForget(executor, orders);
        }
        System.out.println("wrong: " + FAILED + " receipts failed, seen by the caller: 0, by the handler: " + uncaught);
        check(FAILED.get() == 5 && uncaught.get() == 0, "five failures and no trace of them");

        List<Throwable> failures;
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            failures = confirm(executor, orders);
        }
        System.out.println("right: 5 receipts failed, seen by the caller: " + failures.size());
        check(failures.size() == 5, "every failure reaches the caller");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
