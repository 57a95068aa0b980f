package scanner;

import java.util.List;

/** StructuredTaskScope as another JDK has it. */
final class StructuredScopeGeneration implements Check {

    private static final String SCOPE = "java.util.concurrent.StructuredTaskScope";

    @Override
    public String rule() {
        return "structured-scope-generation";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Report report) {
        String wrong = null;
        int release = report.release();
        if (node instanceof Node.New made && made.type() != null && release >= 25) {
            Type type = report.typing().type(made, scope);
            if (type != null && (type.name().equals(SCOPE) || type.name().startsWith(SCOPE + ".ShutdownOn"))) {
                wrong = "new " + made.type().simple() + " is the form of JDK 21 to 24";
            }
        } else if (node instanceof Node.Call call && call.on() != null) {
            wrong = call(call, scope, release, report);
        }
        if (wrong != null) {
            report.add(rule(), scope.method(), node.pos(), wrong + "; the target is " + release);
        }
    }

    private static String call(Node.Call call, Scope scope, int release, Report report) {
        return switch (call.name()) {
            case "open" -> release < 25 && is(call, scope, SCOPE, report) ? "StructuredTaskScope.open() is the form of JDK 25 and later" : null;
            case "awaitAll" -> release >= 27 && is(call, scope, SCOPE + ".Joiner", report) ? "Joiner.awaitAll() is gone in JDK 27" : null;
            case "anySuccessfulResultOrThrow" -> release >= 26 && is(call, scope, SCOPE + ".Joiner", report)
                    ? "anySuccessfulResultOrThrow() is anySuccessfulOrThrow() from JDK 26 on" : null;
            case "anySuccessfulOrThrow" -> release < 26 && is(call, scope, SCOPE + ".Joiner", report)
                    ? "anySuccessfulOrThrow() is anySuccessfulResultOrThrow() on JDK 25" : null;
            default -> null;
        };
    }

    private static boolean is(Node.Call call, Scope scope, String type, Report report) {
        Type on = report.typing().type(call.on(), scope);
        return on != null && on.name().equals(type);
    }
}
