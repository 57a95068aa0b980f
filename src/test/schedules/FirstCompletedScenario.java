import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

/** FirstCompleted: one result wins, every other one goes to the handler, also when the caller is interrupted. */
public final class FirstCompletedScenario {
    public static void main(String[] args) throws Exception {
        var results = new AtomicInteger();
        var late = new AtomicInteger();
        Callable<Integer> task = () -> {
            results.incrementAndGet();
            return 1;
        };
        Thread caller = Thread.currentThread();
        Thread other = Thread.ofVirtual().start(caller::interrupt);
        int won = 0;
        try {
            won = FirstCompleted.success(List.of(task, task), late::addAndGet);
        } catch (InterruptedException e) {
            check(late.get() == results.get(), "interrupted: every result went to the handler");
        }
        check(won + late.get() == results.get(), "no result is lost: " + won + " " + late + " " + results);
        while (other.isAlive()) {
            try {
                other.join();
            } catch (InterruptedException e) {
                continue; // it came late
            }
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
