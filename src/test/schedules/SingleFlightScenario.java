import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * SingleFlight: at most one load of a key at a time, who asks meanwhile gets its value; one who leaves harms nobody.
 */
public final class SingleFlightScenario {
    public static void main(String[] args) throws InterruptedException, ExecutionException {
        var loading = new AtomicInteger();
        var loads = new AtomicInteger();
        var interrupts = new AtomicInteger();
        var flights = new SingleFlight<String, Integer>(key -> {
            check(loading.incrementAndGet() == 1, "one load at a time");
            try {
                int value = loads.incrementAndGet();
                Thread.sleep(1);
                return value;
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
                throw e;
            } finally {
                loading.decrementAndGet();
            }
        }, false);
        Thread leaver = Thread.ofVirtual().start(() -> {
            try {
                check(flights.get("key") > 0, "a value");
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted(), "told once");
            } catch (ExecutionException e) {
                throw new AssertionError("another one's leaving is no failure of mine", e);
            }
        });
        Thread interrupter = Thread.ofVirtual().start(leaver::interrupt);
        int value = flights.get("key");
        check(value >= 1 && value <= 2, "a load's value: " + value);
        leaver.join();
        interrupter.join();
        check(flights.get("key") == loads.get(), "a new one afterwards, as none is kept");
        check(interrupts.get() <= 1 && loads.get() <= 4 && flights.waiters() == 0, "at the end: " + loads);
        try {
            check(flights.left() == null, "not in a load");
        } catch (IllegalStateException e) {
            // this is not the thread of a load
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
