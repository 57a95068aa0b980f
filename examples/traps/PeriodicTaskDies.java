import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: a periodic task that throws once is never run again, and nothing says so: the failure sits in a
 * {@code ScheduledFuture} that nobody reads. An {@code Error} ends it in the same way.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27), {@code scheduleWithFixedDelay} and
 * {@code scheduleAtFixedRate} alike.
 * Cure: a guard inside the task, below; {@code examples/tasks/BackgroundTasks.java} supervises tasks of any kind.
 *
 * <p>Run: {@code java examples/traps/PeriodicTaskDies.java}
 */
public final class PeriodicTaskDies {

    private PeriodicTaskDies() {
    }

    // @start region="wrong"
    static Future<?> refreshUntilItFails(ScheduledExecutorService scheduler, Runnable refresh, Duration period) {
        return scheduler.scheduleWithFixedDelay(refresh, 0, period.toMillis(), TimeUnit.MILLISECONDS);
    }
    // @end region="wrong"

    // @start region="right"
    static Future<?> refreshAlways(ScheduledExecutorService scheduler, Runnable refresh, Duration period) {
        return scheduler.scheduleWithFixedDelay(() -> {
            try {
                refresh.run();
            } catch (Throwable failure) { // Error too: it would end the schedule just as silently
                report(failure);
            }
        }, 0, period.toMillis(), TimeUnit.MILLISECONDS);
    }
    // @end region="right"

    private static final AtomicInteger REPORTED = new AtomicInteger();

    private static void report(Throwable failure) {
        REPORTED.incrementAndGet();
    }

    public static void main(String[] args) throws Exception {
        var uncaught = new AtomicInteger();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> uncaught.incrementAndGet());
        try (var scheduler = Executors.newScheduledThreadPool(1)) {
            var wrong = new Refresh();
            Future<?> dead = refreshUntilItFails(scheduler, wrong, Duration.ofMillis(2));
            while (!dead.isDone()) {
                Thread.sleep(1);
            }
            Thread.sleep(100); // fifty periods
            System.out.println("wrong: runs=" + wrong.runs + " state=" + dead.state() + " reported=" + uncaught);
            check(wrong.runs.get() == 3 && dead.state() == Future.State.FAILED && uncaught.get() == 0, "dead, silent");

            var right = new Refresh();
            Future<?> alive = refreshAlways(scheduler, right, Duration.ofMillis(2));
            right.twenty.await();
            System.out.println("right: runs>=20 state=" + alive.state() + " reported=" + REPORTED);
            check(!alive.isDone() && REPORTED.get() == 1, "alive, and the failure is reported");
            scheduler.shutdownNow();
        }
    }

    /** Fails on its third run only. */
    private static final class Refresh implements Runnable {
        final AtomicInteger runs = new AtomicInteger();
        final CountDownLatch twenty = new CountDownLatch(20);

        @Override
        public void run() {
            twenty.countDown();
            if (runs.incrementAndGet() == 3) {
                throw new IllegalStateException("one bad answer");
            }
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
