import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** BoundedGather: never more than the limit at a time; a failure stops the pulling, interrupts once and waits. */
public final class BoundedGatherScenario {
    public static void main(String[] args) throws Exception {
        var inside = new AtomicInteger();
        var sum = new AtomicInteger();
        BoundedGather.forEach(List.of(1, 2, 3), 2, item -> {
            check(inside.incrementAndGet() <= 2, "two at a time");
            sum.addAndGet(item);
            inside.decrementAndGet();
        });
        check(sum.get() == 6, "each once");

        var interrupts = new AtomicInteger();
        var begun = new AtomicInteger();
        try {
            BoundedGather.forEach(List.of(1, 2, 3, 4), 2, item -> {
                begun.incrementAndGet();
                inside.incrementAndGet();
                try {
                    if (item == 2) {
                        throw new IllegalStateException("boom");
                    }
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                } finally {
                    interrupts.addAndGet(Thread.interrupted() ? 10 : 0);
                    inside.decrementAndGet();
                }
            });
            check(false, "the failure is thrown");
        } catch (ExecutionException e) {
            check(e.getCause().getMessage().equals("boom"), "the first failure");
        }
        check(inside.get() == 0 && begun.get() == 2, "nothing more was begun");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
