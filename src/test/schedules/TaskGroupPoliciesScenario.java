import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future.State;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** TaskGroup: each policy's end, by a result, a failure, a limit; what is forked after it; what may not be called. */
public final class TaskGroupPoliciesScenario {
    private static final Callable<Integer> ENDLESS = () -> {
        new CountDownLatch(1).await();
        return 1;
    };

    public static void main(String[] args) throws Exception {
        firstSuccess();
        collectAll();
        timeout();
        late();
        notJoined();
    }

    private static void firstSuccess() throws Exception {
        try (var group = TaskGroup.<Integer>firstSuccess()) {
            refusedJoin(group); // without a task
            var failing = group.fork(TaskGroupPoliciesScenario::fail);
            var endless = group.fork(ENDLESS);
            group.fork(() -> 7);
            refused(failing::exception);
            refused(group::first);
            group.join();
            check(group.first() == 7 && endless.state() == State.CANCELLED, "the first result ends the others");
            refused(endless::get);
            refusedJoin(group);
            refused(() -> group.fork(ENDLESS));
        }
        try (var group = TaskGroup.<Integer>firstSuccess()) {
            group.fork(TaskGroupPoliciesScenario::fail);
            group.fork(TaskGroupPoliciesScenario::fail);
            try {
                group.join();
                check(false, "all failed");
            } catch (ExecutionException e) {
                check(e.getSuppressed().length == 1, "the other is suppressed");
            }
            refused(group::first);
        }
    }

    private static void collectAll() throws Exception {
        try (var group = TaskGroup.collectAll()) {
            var failing = group.fork(TaskGroupPoliciesScenario::fail);
            var slow = group.fork(() -> {
                Thread.sleep(Duration.ofMinutes(1));
                return 2;
            });
            group.join();
            check(slow.get() == 2 && failing.exception().getMessage().equals("boom"), "each to its end");
            refused(failing::get);
        }
        try (var group = TaskGroup.collectAll()) {
            var quick = group.fork(() -> 1);
            var endless = group.fork(ENDLESS);
            group.join(Duration.ofHours(1));
            check(quick.get() == 1 && endless.state() == State.CANCELLED, "what ended in time can be read");
        }
    }

    private static void timeout() throws Exception {
        try (var group = TaskGroup.failFast()) {
            var endless = group.fork(ENDLESS);
            try {
                group.join(Duration.ofMillis(10));
                check(false, "the limit");
            } catch (TimeoutException e) {
                check(endless.state() == State.CANCELLED && e.getMessage().startsWith("not done within"), "cancelled");
            }
        }
    }

    /** Beside the failure that ends the group: forked before, it is interrupted, after, it is not run. */
    private static void late() throws Exception {
        try (var group = TaskGroup.failFast()) {
            group.fork(TaskGroupPoliciesScenario::fail);
            var endless = group.fork(ENDLESS);
            Thread stranger = Thread.ofVirtual().start(() -> {
                try {
                    group.fork(ENDLESS);
                    check(false, "not its owner");
                } catch (WrongThreadException e) {
                    check(e.getMessage().startsWith("fork"), "what was called");
                }
            });
            stranger.join();
            var later = group.fork(ENDLESS);
            try {
                group.join();
                check(false, "it failed");
            } catch (ExecutionException e) {
                check(endless.state() == State.CANCELLED && later.state() == State.CANCELLED, "both are cancelled");
            }
        }
    }

    private static void notJoined() {
        var interrupts = new AtomicInteger();
        var group = TaskGroup.failFast();
        var failed = group.fork(TaskGroupPoliciesScenario::fail);
        group.fork(() -> {
            try {
                return ENDLESS.call();
            } finally {
                interrupts.incrementAndGet();
            }
        });
        while (failed.state() == State.RUNNING) {
            Thread.onSpinWait();
        }
        try {
            group.close();
            check(false, "it was not joined");
        } catch (IllegalStateException e) {
            check(interrupts.get() <= 1, "ended");
            check(e.getSuppressed().length == (failed.state() == State.FAILED ? 1 : 0), "the failure is suppressed");
        }
        group.close();
        try (var empty = TaskGroup.failFast()) {
            check(empty != group, "nothing was forked");
        }
        var closed = TaskGroup.failFast();
        closed.close();
        try {
            closed.fork(ENDLESS);
            check(false, "closed");
        } catch (IllegalStateException e) {
            check(e.getMessage().equals("fork after close"), "said so: " + e.getMessage());
        }
    }

    private static Integer fail() {
        throw new IllegalStateException("boom");
    }

    private static void refused(Callable<?> call) throws Exception {
        try {
            call.call();
        } catch (IllegalStateException e) {
            return;
        }
        check(false, "refused");
    }

    private static void refusedJoin(TaskGroup<?> group) throws Exception {
        refused(() -> {
            group.join();
            return null;
        });
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
