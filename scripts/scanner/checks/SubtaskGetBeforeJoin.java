package scanner.checks;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import scanner.source.Code;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.Walk;
import scanner.types.Type;

/** {@code scope.fork(...)} and {@code get()} with no {@code join()} in between. */
final class SubtaskGetBeforeJoin implements Check {

    @Override
    public String rule() {
        return "subtask-get-before-join";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (!(node instanceof Node.Try attempt) || attempt.resources().isEmpty() || !Code.calls(attempt.body(),
                "fork")) {
            return;
        }
        boolean isScope = false;
        for (Node resource : attempt.resources()) {
            isScope |= resource instanceof Node.Local local && local.init() != null && isScope(local, scope, scan);
        }
        if (isScope) {
            look(attempt.body(), scope, scan);
        }
    }

    private static boolean isScope(Node.Local local, Scope scope, Scan scan) {
        Type type = scan.typing().type(local.init(), scope);
        return type != null && type.name().startsWith("java.util.concurrent.StructuredTaskScope")
                || local.init() instanceof Node.Call call && call.name().equals("open")
                        && scan.isA(call.on(), scope, "java.util.concurrent.StructuredTaskScope");
    }

    private void look(Node body, Scope scope, Scan scan) {
        Set<String> forked = new HashSet<>();
        var joined = new boolean[1];
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope at) {
                switch (node) {
                    case Node.Local local when local.init() instanceof Node.Call call && call.name()
                            .equals("fork") -> forked.add(local.name());
                    case Node.Call call when call.name().equals("join") || call.name()
                            .equals("joinUntil") -> joined[0] = true;
                    case Node.Call call when call.name().equals("get") && call.args().isEmpty() && !joined[0]
                            && isSubtask(call.on(), forked) ->
                            scan.add(rule(), at.method(), call.pos(), Code.text(call) + " before the scope is joined");
                    default -> { }
                }
                return !(node instanceof Node.Lambda);
            }
        }.walk(body, scope);
    }

    private static boolean isSubtask(Node on, Set<String> forked) {
        return on instanceof Node.Name name && forked.contains(name.name())
                || on instanceof Node.Call call && call.name().equals("fork");
    }
}
