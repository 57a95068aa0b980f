import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** PriorityWorkQueue: a full and an empty queue, with and without a limit; close() and closeNow() end each wait. */
public final class PriorityWorkQueueCloseScenario {
    public static void main(String[] args) throws InterruptedException {
        limits();
        closed();
        stopped();
    }

    private static void limits() throws InterruptedException {
        var queue = new PriorityWorkQueue<Integer>(1);
        check(queue.poll() == null && queue.poll(0, TimeUnit.DAYS) == null && queue.poll(1, TimeUnit.DAYS) == null,
                "nothing came");
        check(queue.offer(1, 1) && !queue.offer(2, 2) && !queue.offer(2, 2, Duration.ZERO), "full");
        check(!queue.offer(2, 2, Duration.ofDays(1)) && queue.size() == 1, "still full");
        Thread taker = Thread.ofVirtual().start(() -> {
            check(queue.poll() == 1, "what was put");
            queue.done();
        });
        check(queue.offer(2, 2, Duration.ofDays(900_000_000)), "room");
        taker.join();
        check(queue.poll(1, TimeUnit.DAYS) == 2, "what was put");
        queue.done();
        queue.join();
        try {
            queue.done();
            check(false, "done() without take()");
        } catch (IllegalStateException e) {
            check(queue.size() == 0, "empty");
        }
    }

    private static void closed() throws InterruptedException {
        var queue = new PriorityWorkQueue<Integer>(1);
        var told = new AtomicInteger();
        queue.put(1, 1);
        Thread putting = told(told, () -> queue.put(2, 2));
        Thread offering = told(told, () -> queue.offer(2, 2, Duration.ofDays(900_000_000)));
        queue.close();
        putting.join();
        offering.join();
        check(told.get() == 2, "both were told: " + told);
        told(told, () -> queue.offer(2, 2)).join();
        Thread taking = Thread.ofVirtual().start(() -> {
            try {
                queue.take();
                queue.done();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } catch (PriorityWorkQueue.ClosedException e) {
                told.addAndGet(10); // another one had it
            }
        });
        Thread polling = Thread.ofVirtual().start(() -> {
            try {
                queue.poll();
                queue.done();
            } catch (PriorityWorkQueue.ClosedException e) {
                told.addAndGet(10); // another one had it
            }
        });
        queue.join();
        taking.join();
        polling.join();
        check(told.get() == 13, "one has it, the others are told: " + told);
        var empty = new PriorityWorkQueue<Integer>(1);
        Thread waiting = told(told, empty::take);
        Thread also = told(told, () -> empty.poll(900_000_000, TimeUnit.DAYS));
        empty.close();
        waiting.join();
        also.join();
        check(told.get() == 15, "both were told: " + told);
    }

    private static void stopped() throws InterruptedException {
        var queue = new PriorityWorkQueue<Integer>(3);
        var told = new AtomicInteger();
        queue.put(1, 1);
        queue.put(2, 2);
        queue.put(3, 3);
        check(queue.take() == 1, "the first");
        Thread joining = told(told, queue::join);
        check(queue.closeNow().equals(List.of(2, 3)) && queue.size() == 0, "what nobody handles, in order");
        joining.join();
        check(told.get() == 1, "not all was done");
        told(told, queue::join).join();
        told(told, queue::take).join();
        told(told, queue::poll).join();
        queue.done();
        told(told, queue::join).join();
        check(told.get() == 5, "nothing more");
    }

    private interface Call {
        void run() throws InterruptedException;
    }

    private static Thread told(AtomicInteger told, Call call) {
        return Thread.ofVirtual().start(() -> {
            try {
                call.run();
                check(false, "closed");
            } catch (PriorityWorkQueue.ClosedException e) {
                told.incrementAndGet();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
