package scanner;

import java.util.List;
import java.util.Set;

/** {@code newFixedThreadPool(n, Thread.ofVirtual().factory())}. */
final class VirtualThreadsPooled implements Check {

    private static final Set<String> POOLS = Set.of("newFixedThreadPool", "newCachedThreadPool");

    @Override
    public String rule() {
        return "virtual-threads-pooled";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Report report) {
        List<Node> args;
        if (node instanceof Node.Call call && POOLS.contains(call.name()) && report.isA(call.on(), scope, "java.util.concurrent.Executors")) {
            args = call.args();
        } else if (node instanceof Node.New made && made.type() != null && made.type().simple().equals("ThreadPoolExecutor")) {
            args = made.args();
        } else {
            return;
        }
        for (Node arg : args) {
            Origins.Made made = report.origins().of(arg, scope);
            if (made != null && made.node() instanceof Node.Call factory && factory.name().equals("factory")
                    && Code.calls(factory, "ofVirtual")) {
                report.add(rule(), scope.method(), node.pos(), Code.text(node) + " pools virtual threads");
                return;
            }
        }
    }
}
