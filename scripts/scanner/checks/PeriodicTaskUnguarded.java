package scanner.checks;

import java.util.List;
import scanner.source.Node;
import scanner.source.Scope;

/** {@code scheduleAtFixedRate} of a task that lets exceptions out. */
final class PeriodicTaskUnguarded implements Check {

    @Override
    public String rule() {
        return "periodic-task-unguarded";
    }

    @Override
    public Group group() {
        return Group.PACKAGE;
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (node instanceof Node.Call call && call.args().size() == 4 && path.getLast() instanceof Node.Drop
                && (call.name().equals("scheduleAtFixedRate") || call.name().equals("scheduleWithFixedDelay"))
                && scan.isA(call.on(), scope, "java.util.concurrent.ScheduledExecutorService")
                && !Tasks.isGuardedTask(call.args().get(0), scope, scan)) {
            scan.add(rule(), scope.method(), call.pos(), "the first exception of this task ends " + call.name()
                    + "() without a word");
        }
    }
}
