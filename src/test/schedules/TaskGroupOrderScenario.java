import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future.State;

/** TaskGroup: a task that fails because it has seen another one's FAILED is never the first failure. */
public final class TaskGroupOrderScenario {
    // @start region="scenario"
    public static void main(String[] args) throws InterruptedException {
        try (var group = TaskGroup.<Integer>failFast()) {
            var first = group.fork(() -> {
                throw new IllegalStateException("first");
            });
            group.fork(() -> {
                for (int i = 0; i < 3 && first.state() != State.FAILED; i++) {
                    Thread.yield();
                }
                if (first.state() == State.FAILED) {
                    throw new IllegalArgumentException("second");
                }
                return 1;
            });
            try {
                group.join();
                throw new AssertionError("the failure is thrown");
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof IllegalStateException)) {
                    throw new AssertionError("the first failure", e);
                }
            }
        }
    }
    // @end region="scenario"
}
