import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** PeriodicTask: close() by two threads interrupts a run once, waits for it and its report; none begins afterwards. */
public final class PeriodicTaskScenario {

    public static void main(String[] args) throws InterruptedException {
        var runs = new AtomicInteger();
        var interrupts = new AtomicInteger();
        var reports = new AtomicInteger();
        var inside = new AtomicBoolean();
        var second = new CountDownLatch(1);
        var task = PeriodicTask.start("task", Duration.ZERO, Duration.ofMillis(1), () -> {
            if (inside.getAndSet(true)) {
                throw new AssertionError("overlap");
            }
            try {
                if (runs.incrementAndGet() == 1) {
                    throw new IllegalStateException("first");
                }
                second.countDown();
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
                throw e;
            } finally {
                inside.set(false);
            }
        }, (name, cause) -> {
            if (!cause.getMessage().equals("first")) {
                throw new AssertionError(cause);
            }
            reports.incrementAndGet();
        });
        second.await();
        Thread other = Thread.ofVirtual().start(task::close);
        task.close();
        int atClose = runs.get();
        other.join();
        if (runs.get() != atClose || atClose != 2 || interrupts.get() != 1 || inside.get()) {
            throw new AssertionError(runs + " runs, " + interrupts + " interrupts");
        }
    }
}
