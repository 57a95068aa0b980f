import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** BackgroundTasks: drain and close wait for as long as tasks need; who is refused, spared, and whose flag is kept. */
public final class BackgroundTasksCloseScenario {
    private static final Duration LONG = Duration.ofDays(9);

    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        drains();
        closes();
        sparesTheHandler();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "woken, not out of time");
    }

    private static void drains() throws InterruptedException {
        var tasks = new BackgroundTasks(2, LONG, (task, cause) -> check(false, task + " did not fail: " + cause));
        tasks.start("one", () -> Thread.sleep(Duration.ofMinutes(1)));
        tasks.start("two", () -> Thread.sleep(Duration.ofMinutes(2)));
        refused(tasks);
        check(tasks.drain(LONG) && tasks.running().isEmpty(), "both ended");
        refused(tasks);
    }

    private static void closes() {
        var tasks = new BackgroundTasks(1, LONG, (task, cause) -> check(false, task + " did not fail: " + cause));
        var told = new AtomicInteger();
        var ended = new AtomicInteger();
        tasks.start("slow", () -> {
            try {
                tasks.close();
                check(false, "it would wait for itself");
            } catch (IllegalStateException e) {
                check(tasks.running().size() == 1, "nothing is closed");
            }
            try {
                Thread.sleep(LONG);
            } catch (InterruptedException e) {
                told.incrementAndGet();
            }
            Thread.sleep(10);
            ended.incrementAndGet();
        });
        Thread.currentThread().interrupt();
        tasks.close();
        check(Thread.interrupted(), "the flag is kept");
        check(told.get() == 1 && ended.get() == 1, "told once, and ended");
        refused(tasks);
    }

    private static void sparesTheHandler() {
        var told = new AtomicInteger();
        var tasks = new BackgroundTasks(1, LONG, (task, cause) -> {
            told.incrementAndGet();
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                check(false, "its work has ended: no interrupt");
            }
            told.incrementAndGet();
        });
        var task = tasks.start("failing", () -> {
            throw new IllegalStateException("boom");
        });
        while (told.get() == 0) {
            Thread.onSpinWait();
        }
        task.cancel();
        tasks.close();
        check(told.get() == 2, "reported before close returns");
    }

    private static void refused(BackgroundTasks tasks) {
        try {
            tasks.start("more", () -> check(false, "not run"));
            check(false, "refused");
        } catch (RejectedExecutionException e) {
            check(e.getMessage().startsWith("more: "), e.getMessage());
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
