package scanner.checks;

import java.util.List;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.types.Type;

/** StructuredTaskScope as another JDK has it. */
final class StructuredScopeGeneration implements Check {

    private static final String SCOPE = "java.util.concurrent.StructuredTaskScope";

    @Override
    public String rule() {
        return "structured-scope-generation";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        String wrong = null;
        int release = scan.release();
        if (node instanceof Node.New made && made.type() != null && release >= 25) {
            Type type = scan.typing().type(made, scope);
            if (type != null && (type.name().equals(SCOPE) || type.name().startsWith(SCOPE + ".ShutdownOn"))) {
                wrong = "new " + made.type().simple() + " is the form of JDK 21 to 24";
            }
        } else if (node instanceof Node.Call call && call.on() != null) {
            wrong = call(call, scope, release, scan);
        }
        if (wrong != null) {
            scan.add(rule(), scope.method(), node.pos(), wrong + "; the target is " + release);
        }
    }

    private static String call(Node.Call call, Scope scope, int release, Scan scan) {
        return switch (call.name()) {
            case "open" -> release < 25 && is(call, scope, SCOPE, scan)
                    ? "StructuredTaskScope.open() is the form of JDK 25 and later" : null;
            case "awaitAll" -> release >= 27 && is(call, scope, SCOPE + ".Joiner", scan)
                    ? "Joiner.awaitAll() is gone in JDK 27" : null;
            case "anySuccessfulResultOrThrow" -> release >= 26 && is(call, scope, SCOPE + ".Joiner", scan)
                    ? "anySuccessfulResultOrThrow() is anySuccessfulOrThrow() from JDK 26 on" : null;
            case "anySuccessfulOrThrow" -> release < 26 && is(call, scope, SCOPE + ".Joiner", scan)
                    ? "anySuccessfulOrThrow() is anySuccessfulResultOrThrow() on JDK 25" : null;
            default -> null;
        };
    }

    private static boolean is(Node.Call call, Scope scope, String type, Scan scan) {
        Type on = scan.typing().type(call.on(), scope);
        return on != null && on.name().equals(type);
    }
}
