import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** SingleFlight: one failure for all who wait, never kept; loads that need each other are told, and none waits on. */
public final class SingleFlightFailuresScenario {
    public static void main(String[] args) throws InterruptedException {
        var loads = new AtomicInteger();
        var failing = new SingleFlight<String, Integer>(key -> {
            loads.incrementAndGet();
            throw new IllegalStateException("boom");
        }, true);
        Thread other = Thread.ofVirtual().start(() -> check(cause(failing, "key").equals("boom"), "its failure"));
        check(cause(failing, "key").equals("boom"), "its failure");
        other.join();
        int before = loads.get();
        try {
            failing.getAsync("key").join();
            check(false, "it failed");
        } catch (CompletionException e) {
            check(e.getCause().getMessage().equals("boom") && loads.get() == before + 1, "not kept");
        }

        var ring = new AtomicInteger();
        var flights = new Object() {
            SingleFlight<String, Integer> all;
        };
        flights.all = new SingleFlight<>(key -> {
            try {
                return flights.all.get(key.equals("a") ? "b" : "a");
            } catch (IllegalStateException e) {
                ring.incrementAndGet();
                throw e;
            }
        }, false);
        Thread b = Thread.ofVirtual().start(() -> cause(flights.all, "b"));
        cause(flights.all, "a");
        b.join();
        check(ring.get() >= 1 && flights.all.waiters() == 0, "seen");
    }

    private static String cause(SingleFlight<String, Integer> flights, String key) {
        try {
            return "value " + check(flights.get(key) == null, "it failed");
        } catch (ExecutionException e) {
            return e.getCause().getMessage();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static int check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
        return 1;
    }
}
