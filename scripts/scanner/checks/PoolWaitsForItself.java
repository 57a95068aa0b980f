package scanner.checks;

import java.util.List;
import java.util.Set;
import scanner.findings.Finding;
import scanner.source.Code;
import scanner.source.Node;
import scanner.source.Pos;
import scanner.source.Scope;
import scanner.types.Api;

/** A task on a bounded pool that submits to the same pool and waits for it. */
final class PoolWaitsForItself implements Check {

    private static final Set<String> STARTS = Set.of("submit", "execute", "invokeAll", "invokeAny");
    private static final List<Api> BOUNDED = List.of(
            new Api("java.util.concurrent.Executors", "newFixedThreadPool", -1),
            new Api("java.util.concurrent.Executors", "newSingleThreadExecutor", -1),
            new Api("java.util.concurrent.Executors", "newScheduledThreadPool", -1),
            new Api("java.util.concurrent.Executors", "newSingleThreadScheduledExecutor", -1));

    @Override
    public String rule() {
        return "pool-waits-for-itself";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (!(node instanceof Node.Call outer) || !STARTS.contains(outer.name()) || outer.args().isEmpty()
                || !(outer.args().get(0) instanceof Node.Lambda task) || !(outer.on() instanceof Node.Name
                || outer.on() instanceof Node.Select)) {
            return;
        }
        Node.Call waiting = waits(task.body(), outer.on());
        if (waiting != null && scan.origins().isMadeBy(outer.on(), scope, BOUNDED)) {
            scan.add(rule(), scope.method(), waiting.pos(), "a task of " + Code.text(outer.on())
                    + " waits for another task of the same pool",
                    new Finding.Step(new Finding.Place(scope.unit().source.name(), Pos.line(outer.pos()),
                            Pos.column(outer.pos())),
                            Code.text(outer) + ", a bounded pool"));
        }
    }

    /** The call that waits for a task that the body gives to the pool; null if there is none. */
    private static Node.Call waits(Node body, Node pool) {
        var futures = new java.util.HashSet<String>();
        var found = new Node.Call[1];
        Code.any(body, node -> {
            if (node instanceof Node.Local local && isStart(local.init(), pool)) {
                futures.add(local.name());
            } else if (node instanceof Node.Call call && (call.name().equals("invokeAll") || call.name()
                    .equals("invokeAny"))
                    && Code.same(call.on(), pool)) {
                found[0] = call;
            } else if (node instanceof Node.Call call && (call.name().equals("get") || call.name().equals("join"))
                    && (isStart(call.on(), pool) || call.on() instanceof Node.Name name
                    && futures.contains(name.name()))) {
                found[0] = call;
            }
            return found[0] != null;
        });
        return found[0];
    }

    private static boolean isStart(Node node, Node pool) {
        return node instanceof Node.Call call && (call.name().equals("submit") && Code.same(call.on(), pool)
                || call.name().endsWith("Async") && call.args().size() == 2 && Code.same(call.args().get(1), pool));
    }
}
