package scanner.checks;

import java.util.List;
import java.util.Set;
import scanner.source.Code;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.types.Origins;

/** {@code newFixedThreadPool(n, Thread.ofVirtual().factory())}. */
final class VirtualThreadsPooled implements Check {

    private static final Set<String> POOLS = Set.of("newFixedThreadPool", "newCachedThreadPool");

    @Override
    public String rule() {
        return "virtual-threads-pooled";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        List<Node> args;
        if (node instanceof Node.Call call && POOLS.contains(call.name()) && scan.isA(call.on(), scope,
                "java.util.concurrent.Executors")) {
            args = call.args();
        } else if (node instanceof Node.New made && made.type() != null && made.type().simple()
                .equals("ThreadPoolExecutor")) {
            args = made.args();
        } else {
            return;
        }
        for (Node arg : args) {
            Origins.Made made = scan.origins().of(arg, scope);
            if (made != null && made.node() instanceof Node.Call factory && factory.name().equals("factory")
                    && Code.calls(factory, "ofVirtual")) {
                scan.add(rule(), scope.method(), node.pos(), Code.text(node) + " pools virtual threads");
                return;
            }
        }
    }
}
