package scanner;

import java.util.List;
import java.util.Set;

/** {@code executor.submit(task);} with the future dropped and a task that may throw. */
final class LostFailure implements Check {

    private static final Set<String> ASYNC = Set.of("runAsync", "supplyAsync");

    @Override
    public String rule() {
        return "lost-failure";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Report report) {
        if (!(node instanceof Node.Drop drop) || !(drop.value() instanceof Node.Call call) || call.args().isEmpty()) {
            return;
        }
        boolean isSubmit = call.name().equals("submit") && call.on() != null
                && report.isA(call.on(), scope, "java.util.concurrent.ExecutorService");
        boolean isAsync = ASYNC.contains(call.name()) && report.isA(call.on(), scope, "java.util.concurrent.CompletableFuture");
        if ((isSubmit || isAsync) && !Code.isGuardedTask(call.args().get(0), scope, report)) {
            report.add(rule(), scope.method(), call.pos(), "what this task throws is lost: nobody keeps the future of " + Code.text(call));
        }
    }
}
