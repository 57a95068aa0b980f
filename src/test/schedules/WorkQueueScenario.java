import java.util.concurrent.TimeUnit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * WorkQueue: a producer and a consumer over a queue of one; order is kept, nothing is lost; join() returns when all is
 * done; after close() what is queued is still given out, and then it is said.
 */
public final class WorkQueueScenario {
    public static void main(String[] args) throws InterruptedException {
        var queue = new WorkQueue<Integer>(1);
        var taken = Collections.synchronizedList(new ArrayList<Integer>());
        Thread consumer = Thread.ofVirtual().start(() -> {
            try {
                while (true) {
                    Integer item = taken.isEmpty() ? queue.poll(9, TimeUnit.DAYS) : queue.take();
                    taken.add(item);
                    queue.done();
                }
            } catch (WorkQueue.ClosedException e) {
                check(queue.size() == 0, "nothing is left");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        queue.put(1);
        queue.put(2);
        queue.join();
        check(taken.equals(List.of(1, 2)), "in order, and done: " + taken);
        check(queue.offer(3, Duration.ofDays(9)), "room in time");
        queue.close();
        try {
            queue.put(4);
            check(false, "closed");
        } catch (WorkQueue.ClosedException e) {
            queue.join();
        }
        check(taken.equals(List.of(1, 2, 3)), "also what was queued: " + taken);
        consumer.join();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
