import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** JobQueue: drain() waits for all, stop() lets those in hand end in the grace; a full queue, and a closed one. */
public final class JobQueueDrainScenario {
    private static final Duration LONG = Duration.ofDays(9);

    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        drains();
        grace();
        stoppedMeanwhile();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "woken, not out of time");
    }

    private static void drains() throws InterruptedException {
        var self = new JobQueue<?>[1];
        var done = new AtomicInteger();
        var go = new CountDownLatch(1);
        var begun = new CountDownLatch(1);
        var jobs = new JobQueue<Integer>(1, 1, job -> {
            begun.countDown();
            go.await();
            try {
                if (job == 1) {
                    self[0].stop(LONG);
                } else {
                    self[0].drain(LONG);
                }
                check(false, "it would wait for itself");
            } catch (IllegalStateException e) {
                done.addAndGet(job);
            }
        }, (job, cause) -> check(false, job + " did not fail: " + cause));
        self[0] = jobs;
        jobs.put(1);
        begun.await();
        check(jobs.offer(2) && !jobs.offer(9) && jobs.size() == 2, "one in hand, one waits");
        Thread late = Thread.ofVirtual().start(() -> {
            try {
                jobs.put(4);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        while (late.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        go.countDown();
        late.join();
        check(jobs.drain(LONG) && done.get() == 7 && jobs.size() == 0, "all have ended: " + done);
        refuses(jobs);
        check(jobs.stop(LONG).isEmpty(), "nothing is left");
    }

    private static void grace() throws InterruptedException {
        var begun = new CountDownLatch(2);
        var done = new AtomicInteger();
        var jobs = new JobQueue<Integer>(2, 2, minutes -> {
            begun.countDown();
            Thread.sleep(Duration.ofMinutes(minutes));
            done.incrementAndGet();
        }, (job, cause) -> check(false, job + " did not fail: " + cause));
        jobs.put(1);
        jobs.put(2);
        begun.await();
        check(jobs.stop(LONG).isEmpty() && done.get() == 2, "both ended in the grace");
        refuses(jobs);
    }

    private static void stoppedMeanwhile() throws InterruptedException {
        var begun = new CountDownLatch(1);
        var drained = new CountDownLatch(1);
        var jobs = new JobQueue<Integer>(1, 1, job -> {
            begun.countDown();
            drained.await();
        }, (job, cause) -> check(false, job + " did not fail: " + cause));
        jobs.put(1);
        begun.await();
        Thread drainer = Thread.ofVirtual().start(() -> {
            try {
                check(!jobs.drain(LONG), "stopped, and the job still runs");
                drained.countDown();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        check(jobs.stop(LONG).isEmpty(), "the job ended in the grace");
        drainer.join();
    }

    private static void refuses(JobQueue<Integer> jobs) throws InterruptedException {
        try {
            jobs.offer(8);
            check(false, "closed");
        } catch (IllegalStateException e) {
            check(jobs.size() == 0, "nothing was put");
        }
        try {
            jobs.put(8);
            check(false, "closed");
        } catch (IllegalStateException e) {
            check(jobs.size() == 0, "nothing was put");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
