import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;

/** JobQueue: put beside stop: each job that was put is handled, told or returned, once; the workers have ended. */
public final class JobQueueScenario {

    public static void main(String[] args) throws InterruptedException {
        var seen = new AtomicIntegerArray(3);
        var ended = new boolean[1];
        var jobs = new JobQueue<Integer>(1, 1, job -> {
            check(!ended[0], "begun after stop");
            if (job == 1) {
                throw new IllegalStateException();
            }
            Thread.sleep(1); // a stop may cut it off
            seen.incrementAndGet(job);
        }, (job, cause) -> seen.incrementAndGet(job));
        var put = new boolean[3];
        Thread producer = Thread.ofVirtual().start(() -> {
            try {
                for (int i = 0; i < 3; i++) {
                    jobs.put(i);
                    put[i] = true;
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } catch (IllegalStateException e) {
                // stopped
            }
        });
        boolean drained = jobs.drain(Duration.ofNanos(1));
        List<Integer> left = jobs.stop(Duration.ofNanos(1));
        ended[0] = true;
        check(!drained || left.isEmpty(), "drained, and left " + left);
        left.forEach(seen::incrementAndGet);
        producer.join();
        for (int i = 0; i < 3; i++) {
            check(seen.get(i) == (put[i] ? 1 : 0), "job " + i + " put " + put[i] + ", seen " + seen.get(i));
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError(what);
        }
    }
}
