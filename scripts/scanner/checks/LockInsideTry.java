package scanner.checks;

import java.util.List;
import java.util.Map;
import scanner.source.Code;
import scanner.source.Node;
import scanner.source.Scope;

/** {@code try { lock.lock(); ... } finally { lock.unlock(); }}. */
final class LockInsideTry implements Check {

    private static final Map<String, String> PAIRS = Map.of("lock", "unlock", "lockInterruptibly", "unlock", "acquire",
            "release");

    @Override
    public String rule() {
        return "lock-inside-try";
    }

    @Override
    public Group group() {
        return Group.PROJECT;
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (!(node instanceof Node.Try attempt) || attempt.last() == null || attempt.body().statements().isEmpty()
                || !(attempt.body().statements().get(0) instanceof Node.Drop drop
                && drop.value() instanceof Node.Call taken)
                || taken.on() == null || !PAIRS.containsKey(taken.name())) {
            return;
        }
        String end = PAIRS.get(taken.name());
        for (Node statement : attempt.last().statements()) { // under an if it may be known that it was taken
            if (statement instanceof Node.Drop last && last.value() instanceof Node.Call given && given.name()
                    .equals(end)
                    && Code.same(given.on(), taken.on()) && isLock(taken.on(), scope, scan)) {
                scan.add(rule(), scope.method(), taken.pos(), "if " + taken.name() + "() throws, finally calls " + end
                        + "() on what was never taken");
                return;
            }
        }
    }

    private static boolean isLock(Node node, Scope scope, Scan scan) {
        return scan.isA(node, scope, "java.util.concurrent.locks.Lock") || scan.isA(node, scope,
                "java.util.concurrent.Semaphore");
    }
}
