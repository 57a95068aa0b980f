package scanner;

import java.util.List;
import java.util.Set;

/** A pool in a local variable that nobody shuts down and that does not leave the method. */
final class ExecutorNeverClosed implements Check {

    /** Those whose threads stay: a cached pool's leave after a minute, a single-thread executor's when it is collected. */
    private static final Set<String> MAKERS = Set.of("newFixedThreadPool", "newScheduledThreadPool", "newWorkStealingPool");
    private static final Set<String> ENDS = Set.of("shutdown", "shutdownNow", "close");

    @Override
    public String rule() {
        return "executor-never-closed";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Report report) {
        if (node instanceof Node.Local local && isPool(local.init(), scope, report) && path.getLast() instanceof Node.Block block) {
            Set<String> uses = Code.uses(block, local.name());
            if (uses != null && !uses.isEmpty() && uses.stream().noneMatch(ENDS::contains)) {
                report.add(rule(), scope.method(), local.pos(), local.name() + " is never shut down: its threads stay when "
                        + scope.method().name + "() returns");
            }
        } else if (node instanceof Node.Drop drop && drop.value() instanceof Node.Call call && isPool(call.on(), scope, report)) {
            report.add(rule(), scope.method(), call.pos(), "the executor made here cannot be shut down: nobody keeps it");
        }
    }

    private static boolean isPool(Node node, Scope scope, Report report) {
        return node instanceof Node.Call call && MAKERS.contains(call.name()) && report.isA(call.on(), scope, "java.util.concurrent.Executors");
    }
}
