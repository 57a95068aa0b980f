import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.atomic.AtomicBoolean;

/** How a scope behaves from 25 on, in what compiles on each of them; which methods there are is asked in Api. */
public final class Structured {

    public static void main(String[] args) throws Exception {
        Probe.print("structured.subtask-failed", thrown(() -> {
            try (var scope = StructuredTaskScope.open(Joiner.<Object>allSuccessfulOrThrow())) {
                scope.fork(Structured::fail);
                return scope.join();
            }
        }));
        Probe.print("structured.suppressed-failures", suppressed());
        Probe.print("structured.deadline-fail-fast", thrown(() -> {
            try (var scope = StructuredTaskScope.open(Joiner.<Object>allSuccessfulOrThrow(),
                    config -> config.withTimeout(Duration.ofMillis(50)))) {
                scope.fork(Structured::sleep);
                return scope.join();
            }
        }));
        Probe.print("structured.deadline-all-until", thrown(() -> {
            try (var scope = StructuredTaskScope.open(Joiner.<Object>allUntil(each -> false),
                    config -> config.withTimeout(Duration.ofMillis(50)))) {
                scope.fork(Structured::sleep);
                scope.join();
                return "returns";
            }
        }));
        deadline();
        Probe.print("structured.fork-from-subtask", Probe.outcome(() -> {
            try (var scope = StructuredTaskScope.open(Joiner.<Object>allUntil(each -> false))) {
                var subtask = scope.fork(() -> Probe.outcome(() -> scope.fork(() -> 1)).replaceFirst(":.*", ""));
                scope.join();
                return subtask.get();
            }
        }));
        Probe.print("structured.fork-after-join", Probe.outcome(() -> {
            try (var scope = StructuredTaskScope.open(Joiner.<Object>allUntil(each -> false))) {
                scope.fork(() -> 1);
                scope.join();
                scope.fork(() -> 1);
                return "allowed";
            }
        }).replaceFirst(":.*", ""));
        Probe.print("structured.get-before-join", Probe.outcome(() -> {
            try (var scope = StructuredTaskScope.open(Joiner.<Object>allUntil(each -> false))) {
                Subtask<?> subtask = scope.fork(() -> 1);
                String outcome = Probe.outcome(subtask::get);
                scope.join();
                return outcome;
            }
        }));
        Probe.print("structured.join-forgotten", Probe.outcome(() -> {
            try (var scope = StructuredTaskScope.open(Joiner.<Object>allUntil(each -> false))) {
                scope.fork(() -> 1);
            }
            return "nothing";
        }));
        ownerInterrupted();
        Probe.print("structured.nested-failure", depth());
        var name = ScopedValue.<String>newInstance();
        Probe.print("structured.scoped-value-inherited-by", ScopedValue.where(name, "x").call(() -> {
            try (var scope = StructuredTaskScope.open(Joiner.<Boolean>allUntil(each -> false));
                    var executor = Executors.newVirtualThreadPerTaskExecutor()) {
                var subtask = scope.fork(name::isBound);
                scope.join();
                var started = new AtomicBoolean();
                Thread.startVirtualThread(() -> started.set(name.isBound())).join();
                return (subtask.get() ? "fork" : "") + (executor.submit(name::isBound).get() ? " executor" : "")
                        + (started.get() ? " start" : "");
            }
        }));
        Probe.end();
    }

    private static String suppressed() throws Exception {
        var both = new CountDownLatch(2);
        Callable<Object> failing = () -> {
            both.countDown();
            both.await();
            throw new IOException();
        };
        try (var scope = StructuredTaskScope.open(Joiner.<Object>awaitAllSuccessfulOrThrow())) {
            scope.fork(failing);
            scope.fork(failing);
            scope.join();
            return "";
        } catch (Exception e) {
            return "" + (e.getSuppressed().length + e.getCause().getSuppressed().length);
        }
    }

    private static void deadline() throws Exception {
        var limit = Duration.ofMillis(500);
        while (!deadline(limit)) {
            limit = limit.multipliedBy(4);
        }
    }

    /** False if it was over before the first subtask was done and the second begun. */
    private static boolean deadline(Duration limit) throws Exception {
        var sleeping = new AtomicBoolean();
        var interrupted = new AtomicBoolean();
        try (var scope = StructuredTaskScope.open(Joiner.<Object>allUntil(each -> false),
                each -> each.withTimeout(limit))) {
            Subtask<Object> done = scope.fork(() -> 1);
            scope.fork(() -> {
                sleeping.set(true);
                try {
                    return sleep();
                } catch (InterruptedException e) {
                    interrupted.set(true);
                    throw e;
                }
            });
            Probe.until(() -> done.state() == Subtask.State.SUCCESS && sleeping.get() || scope.isCancelled());
            boolean inTime = done.state() == Subtask.State.SUCCESS && sleeping.get();
            Probe.outcome(scope::join);
            if (!inTime) {
                return false;
            }
            Probe.print("structured.deadline-cancels", Probe.happens(interrupted::get) ? "yes"
                    : "no, the scope runs on");
            String state = done.state().toString();
            Probe.print("structured.deadline-then-get-finished", state.equals("SUCCESS") ? Probe.outcome(done::get)
                    .replaceFirst("^1$", "readable")
                    .replaceFirst(":.*", "") : state);
        }
        return true;
    }

    private static void ownerInterrupted() throws Exception {
        var interrupted = new CountDownLatch(1);
        String cancelled = "";
        try (var scope = StructuredTaskScope.open(Joiner.<Object>allUntil(each -> false))) {
            scope.fork(() -> {
                try {
                    return sleep();
                } catch (InterruptedException e) {
                    interrupted.countDown();
                    throw e;
                }
            });
            Thread.currentThread().interrupt();
            try {
                scope.join();
            } catch (InterruptedException e) {
                cancelled = scope.isCancelled() ? "in join" : "in close";
            }
        }
        interrupted.await();
        Probe.print("structured.interrupted-owner-cancels", cancelled);
    }

    /** How many wrappers stand around a failure in a scope in a scope. */
    private static String depth() {
        Callable<Object> inner = () -> {
            try (var scope = StructuredTaskScope.open(Joiner.<Object>allSuccessfulOrThrow())) {
                scope.fork(Structured::fail);
                return scope.join();
            }
        };
        try (var scope = StructuredTaskScope.open(Joiner.<Object>allSuccessfulOrThrow())) {
            scope.fork(inner);
            scope.join();
            return "";
        } catch (Exception e) {
            int depth = 0;
            for (Throwable cause = e; cause.getCause() != null; cause = cause.getCause()) {
                depth++;
            }
            return depth + " wrappers";
        }
    }

    /** The exception as {@code join} throws it, and its cause. */
    private static String thrown(Callable<?> call) {
        try {
            return "" + call.call();
        } catch (Exception e) {
            String checked = e instanceof RuntimeException ? "unchecked " : "checked ";
            String type = e.getClass().getName().replaceAll(".*[.$]", "");
            return checked + type + (e.getCause() == null ? "" : " <- " + e.getCause().getClass().getName()
                    .replaceAll(".*[.$]", ""));
        }
    }

    private static Object fail() throws IOException {
        throw new IOException();
    }

    private static Object sleep() throws InterruptedException {
        Thread.sleep(600_000);
        return 1;
    }
}
