import java.util.Iterator;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** BoundedGather: a source that fails is thrown as it is, with an action's failure that came before. */
public final class BoundedGatherSourceScenario {
    public static void main(String[] args) throws InterruptedException, ExecutionException {
        var action = new AtomicReference<Thread>();
        var asked = new AtomicInteger();
        Iterator<Integer> source = new Iterator<>() {
            @Override
            public boolean hasNext() {
                if (asked.incrementAndGet() > 1) {
                    try {
                        while (action.get() == null) {
                            Thread.onSpinWait();
                        }
                        action.get().join();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    throw new IllegalArgumentException("source");
                }
                return true;
            }

            @Override
            public Integer next() {
                return 1;
            }
        };
        try {
            BoundedGather.forEach(() -> source, 2, item -> {
                action.set(Thread.currentThread());
                throw new IllegalStateException("boom");
            });
            throw new AssertionError("one of both");
        } catch (IllegalArgumentException e) {
            if (e.getSuppressed().length != 1 || !e.getSuppressed()[0].getMessage().equals("boom")) {
                throw new AssertionError("the failure is suppressed", e);
            }
        } catch (ExecutionException e) {
            if (asked.get() != 1) {
                throw new AssertionError("it came before the source was asked", e);
            }
        }
    }
}
