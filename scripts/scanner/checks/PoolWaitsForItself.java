package scanner.checks;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import scanner.findings.Finding;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Pos;
import scanner.source.Scope;
import scanner.source.TypeDecl;
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
        if (!(node instanceof Node.Call start)) {
            return;
        }
        Node pool = pool(start);
        if (pool == null || !scan.origins().isMadeBy(pool, scope, BOUNDED)) {
            return;
        }
        boolean isField = !(pool instanceof Node.Name name) || scope.find(name.name()) == null;
        Node.Call waiting = waits(body(start.args().get(0), scope.type()), pool, isField ? scope.type() : null, DEPTH);
        if (waiting != null) {
            scan.add(rule(), scope.method(), waiting.pos(), "a task of " + Code.text(pool)
                    + " waits for another task of the same pool",
                    new Finding.Step(new Finding.Place(scope.unit().source.name(), Pos.line(start.pos()),
                            Pos.column(start.pos())), Code.text(start) + ", a bounded pool"));
        }
    }

    /** The variable of the pool that a call gives its first argument to; null if it is no such call. */
    private static Node pool(Node.Call start) {
        Node pool = start.args().isEmpty() ? null : STARTS.contains(start.name()) ? start.on()
                : start.name().endsWith("Async") && start.args().size() == 2 ? start.args().get(1) : null;
        return pool instanceof Node.Name || pool instanceof Node.Select ? pool : null;
    }

    /** What a task does; null if it is not in the same class. */
    private static Node body(Node task, TypeDecl type) {
        return switch (task) {
            case Node.Lambda lambda -> lambda.body();
            case Node.Ref ref when ref.on() instanceof Node.Name on && on.name().equals("this") -> type.methods.stream()
                    .filter(method -> method.name.equals(ref.name()) && method.body != null)
                    .map(method -> (Node) method.body).findFirst().orElse(null);
            case Node.New made when made.body() != null -> made.body().methods.stream()
                    .filter(method -> method.body != null && (method.name.equals("run") || method.name.equals("call")))
                    .map(method -> (Node) method.body).findFirst().orElse(null);
            default -> null;
        };
    }

    /**
     * The call that waits for a task that the body gives to the pool; null if there is none.
     *
     * @param type whose methods are followed; null for a pool in a local variable
     */
    private static Node.Call waits(Node body, Node pool, TypeDecl type, int depth) {
        var futures = new HashSet<String>();
        var found = new Node.Call[1];
        Code.any(body, node -> {
            if (node instanceof Node.Local local && isStart(local.init(), pool, type)) {
                futures.add(local.name());
            } else if (node instanceof Node.Call call && (call.name().equals("invokeAll") || call.name()
                    .equals("invokeAny"))
                    && Code.same(call.on(), pool)) {
                found[0] = call;
            } else if (node instanceof Node.Call call && (call.name().equals("get") || call.name().equals("join"))
                    && (isStart(call.on(), pool, type) || isOfAll(call.on(), futures)
                            || call.on() instanceof Node.Name name && futures.contains(name.name()))) {
                found[0] = call;
            } else if (node instanceof Node.Call call && type != null && depth > 0) {
                MethodDecl own = Tasks.own(call, type);
                found[0] = own == null ? null : waits(own.body, pool, type, depth - 1);
            }
            return found[0] != null;
        });
        return found[0];
    }

    /** {@code allOf(a, b)}. */
    private static boolean isOfAll(Node on, Set<String> futures) {
        return on instanceof Node.Call call && (call.name().equals("allOf") || call.name().equals("anyOf"))
                && call.args().stream().anyMatch(arg -> arg instanceof Node.Name name && futures.contains(name.name()));
    }

    private static boolean isStart(Node node, Node pool, TypeDecl type) {
        if (!(node instanceof Node.Call call)) {
            return false;
        }
        Node used = pool(call);
        if (used != null && !call.name().equals("execute") && Code.same(used, pool)) {
            return true;
        }
        MethodDecl own = type == null ? null : Tasks.own(call, type);
        return own != null && Code.any(own.body, each -> each instanceof Node.Return value
                && value.value() instanceof Node.Call start && Code.same(pool(start), pool))
                || call.on() != null && call.name().startsWith("then") && isStart(call.on(), pool, type);
    }

    private static final int DEPTH = 3;
}
