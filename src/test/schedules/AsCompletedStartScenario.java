import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** AsCompleted: the first tasks all begin before any outcome is asked for; a source that fails stops those begun. */
public final class AsCompletedStartScenario {
    public static void main(String[] args) throws InterruptedException {
        var begun = new CountDownLatch(2);
        var interrupts = new AtomicInteger();
        Callable<Integer> task = () -> {
            begun.countDown();
            begun.await();
            return 5;
        };
        try (var results = AsCompleted.start(List.of(task, task, task).iterator(), 2)) {
            begun.await();
            int sum = 0;
            while (results.hasNext()) {
                if (results.next() instanceof AsCompleted.Outcome.Success<Integer>(long index, Integer value)) {
                    sum += value + (int) index;
                }
            }
            check(sum == 18, "each once: " + sum);
        }
        Callable<Integer> endless = () -> {
            try {
                new CountDownLatch(1).await();
                return 1;
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
                throw e;
            }
        };
        var asked = new AtomicInteger();
        try {
            AsCompleted.inOrder(new java.util.Iterator<Callable<Integer>>() {
                @Override
                public boolean hasNext() {
                    return true;
                }

                @Override
                public Callable<Integer> next() {
                    check(asked.incrementAndGet() < 2, "broken");
                    return endless;
                }
            }, 3);
            throw new IllegalStateException("the source failed");
        } catch (AssertionError e) {
            check(asked.get() == 2 && interrupts.get() <= 1, "what had begun has ended, told once");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
