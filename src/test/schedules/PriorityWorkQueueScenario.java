import java.util.concurrent.TimeUnit;

/** PriorityWorkQueue: nothing is lost or taken twice, the urgent first, the end after close(). */
public final class PriorityWorkQueueScenario {
    public static void main(String[] args) throws InterruptedException {
        var queue = new PriorityWorkQueue<Integer>(2);
        Thread producer = Thread.ofVirtual().start(() -> {
            try {
                queue.put(2, 20);
                queue.put(1, 10);
                queue.put(3, 30);
                queue.join();
                queue.close();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        int first = queue.take();
        check(first == 20 || first == 10, "one of those that had room: " + first);
        queue.done();
        Integer second = queue.poll(9, TimeUnit.DAYS);
        check(second != null && second != first && (second != 30 || first != 20), "the urgent before: " + second);
        queue.done();
        int third = queue.take();
        check(first + second + third == 60, "each once");
        queue.done();
        try {
            queue.take();
            check(false, "closed");
        } catch (PriorityWorkQueue.ClosedException e) {
            producer.join();
        }
        check(queue.closeNow().isEmpty() && queue.size() == 0, "empty");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
