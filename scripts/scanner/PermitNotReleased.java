package scanner;

import java.util.List;
import java.util.Map;

/** A lock or permit given back in the straight line of the code only: an exception in between keeps it. */
final class PermitNotReleased implements Check {

    private static final Map<String, String> PAIRS = Map.of("lock", "unlock", "lockInterruptibly", "unlock", "acquire", "release");

    @Override
    public String rule() {
        return "permit-not-released";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Report report) {
        if (!(node instanceof Node.Block block)) {
            return;
        }
        List<Node> statements = block.statements();
        for (int i = 0; i < statements.size(); i++) {
            if (statements.get(i) instanceof Node.Drop drop && drop.value() instanceof Node.Call taken && taken.on() != null
                    && PAIRS.containsKey(taken.name()) && isLock(taken.on(), scope, report)) {
                look(statements, i, taken, scope, report);
            }
        }
    }

    private void look(List<Node> statements, int from, Node.Call taken, Scope scope, Report report) {
        boolean mayThrow = false;
        for (int i = from + 1; i < statements.size(); i++) {
            Node statement = statements.get(i);
            if (statement instanceof Node.Drop drop && drop.value() instanceof Node.Call given && given.name().equals(PAIRS.get(taken.name()))
                    && Code.same(given.on(), taken.on())) {
                if (mayThrow) {
                    report.add(rule(), scope.method(), taken.pos(), "an exception before line " + Pos.line(given.pos()) + " keeps "
                            + Code.text(taken.on()) + " for ever");
                }
                return;
            }
            if (Code.any(statement, n -> n instanceof Node.Call call && Code.same(call.on(), taken.on()))) {
                return; // given back or taken in a way this rule does not follow
            }
            mayThrow |= !Code.isLog(statement) && Code.any(statement, n -> n instanceof Node.Call || n instanceof Node.New);
        }
    }

    private static boolean isLock(Node node, Scope scope, Report report) {
        return report.isA(node, scope, "java.util.concurrent.locks.Lock") || report.isA(node, scope, "java.util.concurrent.Semaphore");
    }
}
