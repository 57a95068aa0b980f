import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** Lifespan: all are released although some fail or are interrupted, in reverse order; nothing opens after close(). */
public final class LifespanReleaseScenario {
    public static void main(String[] args) throws Exception {
        var lifespan = new Lifespan();
        var order = new StringBuffer();
        lifespan.open(() -> 1, number -> order.append(number));
        lifespan.open(() -> 2, number -> {
            check(!Thread.currentThread().isInterrupted(), "it begins without the flag");
            order.append(number);
            throw new IllegalStateException("two");
        });
        lifespan.open(() -> 3, number -> {
            order.append(number);
            throw new InterruptedException("three");
        });
        var opening = new CountDownLatch(1);
        var closed = new CountDownLatch(1);
        var released = new AtomicInteger();
        Thread late = Thread.ofVirtual().start(() -> {
            try {
                lifespan.open(() -> {
                    opening.countDown();
                    closed.await();
                    return 4;
                }, released::addAndGet);
                check(false, "closed meanwhile");
            } catch (IllegalStateException e) {
                check(released.get() == 4, "released at once");
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        opening.await();
        Thread.currentThread().interrupt();
        try {
            lifespan.close();
            check(false, "two failed");
        } catch (ExecutionException e) {
            check(e.getCause().getMessage().equals("three") && e.getSuppressed().length == 1, "the first, the other");
        }
        check(Thread.interrupted() && order.toString().equals("321"), "in reverse order, the flag is kept: " + order);
        lifespan.close();
        closed.countDown();
        late.join();
        try {
            lifespan.open(() -> {
                throw new AssertionError("not opened");
            }, number -> { });
            check(false, "closed");
        } catch (IllegalStateException e) {
            check(order.length() == 3, "each once");
        }
        Thread.currentThread().interrupt();
        try (var other = new Lifespan()) {
            other.open(() -> 5, order::append);
        }
        check(Thread.interrupted(), "the flag is set again");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
