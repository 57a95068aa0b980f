package scanner;

import java.util.List;

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
    public void visit(Node node, Scope scope, List<Node> path, Report report) {
        if (node instanceof Node.Call call && call.args().size() == 4 && path.getLast() instanceof Node.Drop
                && (call.name().equals("scheduleAtFixedRate") || call.name().equals("scheduleWithFixedDelay"))
                && report.isA(call.on(), scope, "java.util.concurrent.ScheduledExecutorService")
                && !Code.isGuardedTask(call.args().get(0), scope, report)) {
            report.add(rule(), scope.method(), call.pos(), "the first exception of this task ends " + call.name() + "() without a word");
        }
    }
}
