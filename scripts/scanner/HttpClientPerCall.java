package scanner;

import java.util.List;
import java.util.Set;

/** {@code HttpClient.newHttpClient().send(...)}, or one in a local variable that is not closed. */
final class HttpClientPerCall implements Check {

    private static final String CLIENT = "java.net.http.HttpClient";
    private static final Set<String> ENDS = Set.of("close", "shutdown", "shutdownNow");

    @Override
    public String rule() {
        return "http-client-per-call";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Report report) {
        if (scope.method().name.equals("main") || scope.method().name.startsWith("<")) {
            return;
        }
        if (node instanceof Node.Call call && (call.name().equals("send") || call.name().equals("sendAsync"))
                && isNew(call.on(), scope, report)) {
            report.add(rule(), scope.method(), call.pos(), "an HttpClient is made for this one call and not closed");
        } else if (node instanceof Node.Local local && path.getLast() instanceof Node.Block block && isNew(local.init(), scope, report)) {
            Set<String> uses = Code.uses(block, local.name());
            if (uses != null && !uses.isEmpty() && uses.stream().noneMatch(ENDS::contains)) {
                report.add(rule(), scope.method(), local.pos(), "an HttpClient is made at each call of " + scope.method().name
                        + "() and not closed");
            }
        }
    }

    private static boolean isNew(Node node, Scope scope, Report report) {
        return node instanceof Node.Call call && (call.name().equals("newHttpClient") && report.isA(call.on(), scope, CLIENT)
                || call.name().equals("build") && Code.calls(call, "newBuilder") && report.isA(call, scope, CLIENT));
    }
}
