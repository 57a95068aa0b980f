import java.io.IOException;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.atomic.AtomicBoolean;

/** How a scope of 21 to 24 behaves. */
public final class Structured {

    public static void main(String[] args) throws Exception {
        Probe.print("structured.subtask-failed", Probe.outcome(() -> {
            try (var scope = new StructuredTaskScope.ShutdownOnFailure()) {
                scope.fork(Structured::fail);
                scope.join();
                return "join returns; throwIfFailed: " + Probe.outcome(() -> {
                    scope.throwIfFailed();
                    return "returns";
                }).replaceFirst("^IOException.*", "ExecutionException");
            }
        }));
        Probe.print("structured.suppressed-failures", suppressed());
        Probe.print("structured.deadline-fail-fast", Probe.outcome(() -> {
            try (var scope = new StructuredTaskScope<Object>()) {
                scope.fork(Structured::sleep);
                scope.joinUntil(Instant.now().plusMillis(50));
                return "returns";
            }
        }));
        deadline();
        Probe.print("structured.fork-from-subtask", Probe.outcome(() -> {
            try (var scope = new StructuredTaskScope<Object>()) {
                var subtask = scope.fork(() -> Probe.outcome(() -> scope.fork(() -> 1) == null ? "" : "allowed"));
                scope.join();
                return subtask.get();
            }
        }));
        Probe.print("structured.fork-after-join", Probe.outcome(() -> {
            try (var scope = new StructuredTaskScope<Object>()) {
                scope.fork(() -> 1);
                scope.join();
                scope.fork(() -> 1);
                scope.join();
                return "allowed";
            }
        }));
        Probe.print("structured.get-before-join", Probe.outcome(() -> {
            try (var scope = new StructuredTaskScope<Object>()) {
                Subtask<?> subtask = scope.fork(() -> 1);
                String outcome = Probe.outcome(subtask::get);
                scope.join();
                return outcome;
            }
        }));
        Probe.print("structured.join-forgotten", Probe.outcome(() -> {
            try (var scope = new StructuredTaskScope<Object>()) {
                scope.fork(() -> 1);
            }
            return "nothing";
        }));
        ownerInterrupted();
        Probe.end();
    }

    private static String suppressed() throws Exception {
        var both = new CountDownLatch(2);
        Callable<Object> failing = () -> {
            both.countDown();
            both.await();
            throw new IOException();
        };
        try (var scope = new StructuredTaskScope.ShutdownOnFailure()) {
            scope.fork(failing);
            scope.fork(failing);
            scope.join();
            return "" + scope.exception().orElseThrow().getSuppressed().length;
        }
    }

    private static void deadline() throws Exception {
        var interrupted = new AtomicBoolean();
        try (var scope = new StructuredTaskScope<Object>()) {
            Subtask<Object> done = scope.fork(() -> 1);
            scope.fork(() -> {
                try {
                    return sleep();
                } catch (InterruptedException e) {
                    interrupted.set(true);
                    throw e;
                }
            });
            while (done.state() != Subtask.State.SUCCESS) {
                Thread.sleep(1);
            }
            Probe.outcome(() -> scope.joinUntil(Instant.now().plusMillis(50)));
            Probe.print("structured.deadline-cancels", Probe.happens(interrupted::get) ? "yes"
                    : "no, the scope runs on");
            Probe.print("structured.deadline-then-get-finished", type(Probe.outcome(done::get)));
            scope.shutdown();
            scope.join();
        }
    }

    private static void ownerInterrupted() throws Exception {
        var interrupted = new CountDownLatch(1);
        String cancelled = "";
        try (var scope = new StructuredTaskScope<Object>()) {
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
                cancelled = scope.isShutdown() ? "in join" : "in close";
            }
        }
        interrupted.await();
        Probe.print("structured.interrupted-owner-cancels", cancelled);
    }

    private static String type(String outcome) {
        return outcome.replaceFirst(":.*", "");
    }

    private static Object fail() throws IOException {
        throw new IOException();
    }

    private static Object sleep() throws InterruptedException {
        Thread.sleep(600_000);
        return 1;
    }
}
