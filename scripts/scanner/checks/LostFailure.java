package scanner.checks;

import java.util.List;
import java.util.Set;
import scanner.source.Code;
import scanner.source.Node;
import scanner.source.Scope;

/** {@code executor.submit(task);} with the future dropped and a task that may throw. */
final class LostFailure implements Check {

    private static final Set<String> ASYNC = Set.of("runAsync", "supplyAsync");
    private static final Set<String> SIGNALS = Set.of("complete", "completeExceptionally", "countDown", "release");

    @Override
    public String rule() {
        return "lost-failure";
    }

    @Override
    public Group group() {
        return Group.PROJECT;
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (!(node instanceof Node.Drop drop) || !(drop.value() instanceof Node.Call call) || call.args().isEmpty()) {
            return;
        }
        boolean isSubmit = call.name().equals("submit") && call.on() != null
                && scan.isA(call.on(), scope, "java.util.concurrent.ExecutorService");
        boolean isAsync = ASYNC.contains(call.name()) && scan.isA(call.on(), scope,
                "java.util.concurrent.CompletableFuture");
        if ((isSubmit || isAsync) && !isSignal(call.args().get(0)) && !Tasks.isGuardedTask(call.args().get(0), scope,
                scan)) {
            scan.add(rule(), scope.method(), call.pos(), "what this task throws is lost: nothing keeps the future of "
                    + call.name() + "()");
        }
    }

    /** A task that only tells somebody who waits for it: {@code executor.submit(() -> done.complete(null))}. */
    private static boolean isSignal(Node task) {
        Node body = task instanceof Node.Lambda lambda ? lambda.body() : task;
        Node only = Code.only(body);
        return switch (only == null ? body : only) {
            case Node.Call call -> SIGNALS.contains(call.name());
            case Node.Ref ref -> SIGNALS.contains(ref.name());
            default -> false;
        };
    }
}
