package scanner.checks;

import java.util.List;
import java.util.Set;
import scanner.findings.Finding;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Pos;
import scanner.source.Scope;
import scanner.source.TypeDecl;
import scanner.types.Type;

/**
 * A mapping function that takes a monitor, while elsewhere the same map is changed by who holds that monitor: each
 * waits for the other.
 */
final class LockOrderInCompute implements Check {

    private static final Set<String> COMPUTES = Set.of("computeIfAbsent", "computeIfPresent", "compute", "merge");
    private static final Set<String> CHANGES = Set.of("computeIfAbsent", "computeIfPresent", "compute", "merge", "put",
            "putIfAbsent", "putAll",
            "remove", "replace", "replaceAll", "clear");
    private static final Node THIS = new Node.Name(0, "this");

    @Override
    public String rule() {
        return "lock-order-in-compute";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (!(node instanceof Node.Call call) || !COMPUTES.contains(call.name()) || call.args().isEmpty()
                || !scan.isA(call.on(), scope, "java.util.concurrent.ConcurrentMap")) {
            return;
        }
        Node monitor = taken(call.args().getLast(), scope, scan);
        if (monitor == null) {
            return;
        }
        for (MethodDecl method : scope.type().methods) {
            Node change = changes(method, monitor, call.on());
            if (change != null) {
                var place = new Finding.Place(scope.unit().source.name(), Pos.line(change.pos()),
                        Pos.column(change.pos()));
                scan.add(rule(), scope.method(), call.pos(), "the function given to " + call.name() + "() takes "
                        + name(monitor)
                        + ", and who holds that changes the map: a deadlock", new Finding.Step(place, Code.text(change)
                        + " under " + name(monitor)));
                return;
            }
        }
    }

    private static String name(Node monitor) {
        return monitor == THIS ? "the object's monitor" : "the monitor of " + Code.text(monitor);
    }

    /** The monitor that a function takes, itself or in a method of the same class; null if none. */
    private static Node taken(Node function, Scope scope, Scan scan) {
        return switch (function) {
            case Node.Lambda lambda -> taken(lambda.body(), scope.type());
            case Node.Ref ref when scan.typing().type(ref.on(), scope) instanceof Type type && type.name()
                    .equals(scope.type().name) ->
                    ofMethod(ref.name(), scope.type());
            default -> null;
        };
    }

    private static Node taken(Node body, TypeDecl type) {
        var found = new Node[1];
        Code.any(body, node -> {
            if (node instanceof Node.Sync sync) {
                found[0] = sync.lock();
            } else if (node instanceof Node.Call call && call.on() == null) {
                found[0] = ofMethod(call.name(), type);
            }
            return found[0] != null;
        });
        return found[0];
    }

    private static Node ofMethod(String name, TypeDecl type) {
        Node found = null;
        for (MethodDecl method : type.methods) {
            if (method.name.equals(name) && !method.isStatic) {
                found = method.isSynchronized ? THIS : found;
                var monitors = new Node[1];
                Code.any(method.body, node -> node instanceof Node.Sync sync && (monitors[0] = sync.lock()) != null);
                found = found == null ? monitors[0] : found;
            }
        }
        return found;
    }

    /** A change of the map under the monitor; null if there is none in this method. */
    private static Node changes(MethodDecl method, Node monitor, Node map) {
        var found = new Node[1];
        if (method.isSynchronized && Code.same(monitor, THIS)) {
            found[0] = change(method.body, map);
        } else {
            Code.any(method.body, node -> node instanceof Node.Sync sync && Code.same(sync.lock(), monitor)
                    && (found[0] = change(sync.body(), map)) != null);
        }
        return found[0];
    }

    private static Node change(Node body, Node map) {
        var found = new Node[1];
        Code.any(body, node -> {
            if (node instanceof Node.Call call && CHANGES.contains(call.name()) && Code.same(call.on(), map)) {
                found[0] = call;
            }
            return found[0] != null;
        });
        return found[0];
    }
}
