import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** JobQueue: stop() tells a job once, whoever else stops and is interrupted, waits for it, returns what is left. */
public final class JobQueueStopScenario {
    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        var interrupts = new AtomicInteger();
        var begun = new CountDownLatch(1);
        var told = new CountDownLatch(1);
        var ended = new AtomicInteger();
        var left = new AtomicInteger();
        var jobs = new JobQueue<Integer>(2, 1, job -> {
            check(job == 1, "no more are begun");
            begun.countDown();
            for (int i = 0; i < 2; i++) {
                try {
                    Thread.sleep(i == 0 ? Duration.ofDays(9) : Duration.ofSeconds(2));
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                    told.countDown();
                }
            }
            ended.incrementAndGet();
            throw new IllegalStateException("cut off");
        }, (job, cause) -> check(false, "cut off is told to nobody"));
        jobs.put(1);
        jobs.put(2);
        begun.await();
        Thread first = Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            left.addAndGet(sum(jobs.stop(Duration.ofDays(9))));
            check(Thread.interrupted() && ended.get() == 1, "waits for its end, the flag is kept");
        });
        Thread second = Thread.ofVirtual().start(() -> {
            left.addAndGet(sum(jobs.stop(Duration.ZERO)));
            check(Thread.interrupted() && ended.get() == 1, "and when interrupted later");
        });
        told.await();
        second.interrupt();
        first.join();
        second.join();
        check(interrupts.get() == 1, "told once: " + interrupts);
        check(left.get() == 3, "what is not done, once: " + left);
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "an interrupt ends the grace");
    }

    private static int sum(List<Integer> jobs) {
        return jobs.stream().mapToInt(Integer::intValue).sum();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
