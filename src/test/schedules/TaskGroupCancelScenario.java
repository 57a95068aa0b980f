import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future.State;
import java.util.concurrent.atomic.AtomicInteger;

/** TaskGroup: one task is cancelled beside its end and the end of the group; told once, and exactly then CANCELLED. */
public final class TaskGroupCancelScenario {
    public static void main(String[] args) throws InterruptedException, ExecutionException {
        var interrupts = new AtomicInteger();
        var told = new AtomicInteger();
        try (var group = TaskGroup.collectAll()) {
            var victim = group.fork(() -> {
                try {
                    new CountDownLatch(1).await();
                    return 1;
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                    throw e;
                }
            });
            var quick = group.fork(() -> 2);
            Thread other = Thread.ofVirtual().start(() -> {
                told.addAndGet(victim.cancel() ? 1 : 0);
                told.addAndGet(quick.cancel() ? 10 : 0);
            });
            told.addAndGet(victim.cancel() ? 1 : 0);
            group.join();
            other.join();
            check(told.get() % 10 == 1, "victim is told once");
            check(interrupts.get() <= 1 && victim.state() == State.CANCELLED, "and is CANCELLED");
            check(quick.state() == (told.get() >= 10 ? State.CANCELLED : State.SUCCESS), "true exactly if cancelled");
            check(told.get() >= 10 || quick.get() == 2, "its result");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
