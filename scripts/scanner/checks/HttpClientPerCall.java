package scanner.checks;

import java.util.List;
import java.util.Set;
import scanner.source.Code;
import scanner.source.Node;
import scanner.source.Scope;

/** {@code HttpClient.newHttpClient().send(...)}, or one in a local variable that is not closed. */
final class HttpClientPerCall implements Check {

    private static final String CLIENT = "java.net.http.HttpClient";
    private static final Set<String> ENDS = Set.of("close", "shutdown", "shutdownNow");

    @Override
    public String rule() {
        return "http-client-per-call";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (scope.method().name.equals("main") || scope.method().name.startsWith("<")) {
            return;
        }
        if (node instanceof Node.Call call && (call.name().equals("send") || call.name().equals("sendAsync"))
                && isNew(call.on(), scope, scan)) {
            scan.add(rule(), scope.method(), call.pos(), "an HttpClient is created for this one call and not closed");
        } else if (node instanceof Node.Local local && path.getLast() instanceof Node.Block block
                && isNew(local.init(), scope, scan)) {
            Set<String> uses = Code.uses(block, local.name());
            if (uses != null && !uses.isEmpty() && uses.stream().noneMatch(ENDS::contains)) {
                scan.add(rule(), scope.method(), local.pos(), "an HttpClient is created on each call of "
                        + scope.method().name
                        + "() and not closed");
            }
        }
    }

    private static boolean isNew(Node node, Scope scope, Scan scan) {
        return node instanceof Node.Call call && (call.name().equals("newHttpClient") && scan.isA(call.on(), scope,
                CLIENT)
                || call.name().equals("build") && Code.calls(call, "newBuilder") && scan.isA(call, scope, CLIENT));
    }
}
