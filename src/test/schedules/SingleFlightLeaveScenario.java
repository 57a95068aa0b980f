import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** SingleFlight: the last to leave stops the load, once; interrupted it waits for its end, out of time it does not. */
public final class SingleFlightLeaveScenario {
    public static void main(String[] args) throws Exception {
        long start = System.nanoTime();
        interrupted();
        outOfTime();
        cancelled();
        nothingBegun();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "told, not out of time");
    }

    /** A load that heeds its interrupt slowly. */
    private static final class Slow implements SingleFlight.Loader<String, Integer> {
        final CountDownLatch begun = new CountDownLatch(1);
        final CountDownLatch told = new CountDownLatch(1);
        final AtomicInteger interrupts = new AtomicInteger();
        final AtomicInteger ended = new AtomicInteger();

        @Override
        public Integer load(String key) {
            begun.countDown();
            for (int i = 0; i < 2; i++) {
                try {
                    Thread.sleep(i == 0 ? Duration.ofHours(1) : Duration.ofSeconds(2));
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                    told.countDown();
                }
            }
            return ended.incrementAndGet();
        }
    }

    private static void interrupted() throws InterruptedException {
        var load = new Slow();
        var flights = new SingleFlight<String, Integer>(load, false);
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                flights.get("key");
                check(false, "interrupted");
            } catch (InterruptedException e) {
                check(load.ended.get() == 1, "waits for the end of the load");
                check(Thread.interrupted(), "the second interrupt is kept");
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        load.begun.await();
        caller.interrupt();
        load.told.await();
        caller.interrupt();
        caller.join();
        check(load.interrupts.get() == 1 && flights.waiters() == 0, "told once: " + load.interrupts);
    }

    private static void outOfTime() throws Exception {
        var load = new Slow();
        var flights = new SingleFlight<String, Integer>(load, true);
        try {
            flights.get("key", Duration.ofMillis(10));
            check(false, "out of time");
        } catch (TimeoutException e) {
            check(load.ended.get() == 0, "does not wait for its end");
        }
        check(flights.get("key") == 2 && load.interrupts.get() == 1, "a new one, after its end");
    }

    private static void cancelled() throws InterruptedException {
        var load = new Slow();
        var flights = new SingleFlight<String, Integer>(load, true);
        var answer = flights.getAsync("key");
        load.begun.await();
        answer.cancel(true);
        load.told.await();
        check(load.interrupts.get() == 1, "cancelling is leaving");
    }

    private static void nothingBegun() throws Exception {
        var loads = new AtomicInteger();
        var flights = new SingleFlight<String, Integer>(key -> loads.incrementAndGet(), true);
        try {
            flights.get("key", Duration.ZERO);
            check(false, "none is there");
        } catch (TimeoutException e) {
            check(loads.get() == 0, "no load is started");
        }
        Thread.currentThread().interrupt();
        try {
            flights.get("key");
            check(false, "interrupted");
        } catch (InterruptedException e) {
            check(loads.get() == 0, "no load is started");
        }
        check(flights.get("key") == 1 && flights.get("key", Duration.ZERO) == 1, "kept");
        Thread.currentThread().interrupt();
        check(flights.get("key") == 1 && Thread.interrupted(), "kept: it does not wait");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
