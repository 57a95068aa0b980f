package scanner.checks;

import java.util.List;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.types.Api;

/** {@code orTimeout} and {@code cancel(true)} on a CompletableFuture whose task goes on. */
final class CancelDoesNotStop implements Check {

    private static final List<Api> TASKS = List.of(
            new Api("java.util.concurrent.CompletableFuture", "supplyAsync", -1),
            new Api("java.util.concurrent.CompletableFuture", "runAsync", -1));

    @Override
    public String rule() {
        return "cancel-does-not-stop";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (!(node instanceof Node.Call call) || call.on() == null) {
            return;
        }
        boolean isTimeout = call.name().equals("orTimeout") && call.args().size() == 2;
        boolean isCancel = call.name().equals("cancel") && call.args().size() == 1 && call.args()
                .get(0) instanceof Node.Literal literal
                && Boolean.TRUE.equals(literal.value());
        if ((isTimeout || isCancel) && scan.origins().isMadeBy(call.on(), scope, TASKS)) {
            scan.add(rule(), scope.method(), call.pos(), call.name()
                    + "() does not stop the task of this CompletableFuture: it runs on, uninterrupted");
        }
    }
}
