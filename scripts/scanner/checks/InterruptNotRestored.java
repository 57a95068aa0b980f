package scanner.checks;

import java.util.List;
import java.util.Set;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.TypeDecl;
import scanner.source.Walk;
import scanner.types.Type;

/**
 * {@code catch (InterruptedException e)} that throws something else and leaves the flag, which the exception has
 * cleared, unset.
 */
final class InterruptNotRestored implements Check {

    private static final int DEPTH = 2;
    private static final Set<String> JDK = Set.of("InterruptedException", "InterruptedIOException",
            "ClosedByInterruptException");

    @Override
    public String rule() {
        return "interrupt-not-restored";
    }

    @Override
    public Group group() {
        return Group.PROJECT;
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (!(node instanceof Node.Catch each) || !Code.isInterrupted(each) || each.body().statements().isEmpty()
                || !(each.body().statements().getLast() instanceof Node.Throw thrown) || isAgain(thrown.value(), each)
                || Code.endsTheThread(path, scope)
                || path.getLast() instanceof Node.Try attempt && restores(attempt.last(), scope, 0, false, scan)) {
            return;
        }
        Scope inside = scope.with(each.name(), new Scope.Typed(each.types().get(0), null, scope));
        if (!restores(each.body(), inside, DEPTH, true, scan)) {
            scan.add(rule(), scope.method(), each.pos(),
                    "InterruptedException becomes another exception and the thread is not marked as"
                    + " interrupted again");
        } else if (!restores(each.body(), inside, DEPTH, false, scan)) {
            scan.lead(rule(), scope.method(), each.pos(),
                    "InterruptedException becomes one of another name and the thread is not marked as"
                    + " interrupted again");
        }
    }

    /** The caught exception itself. */
    private static boolean isAgain(Node value, Node.Catch each) {
        return value instanceof Node.Name name && name.name().equals(each.name())
                || value instanceof Node.Cast cast && isAgain(cast.value(), each);
    }

    /**
     * Whether the flag is set again, or what is thrown tells of the interrupt by its type. @param byName any that has
     * it in its name.
     */
    private static boolean restores(Node body, Scope scope, int depth, boolean byName, Scan scan) {
        var found = new boolean[1];
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope at) {
                found[0] |= switch (node) {
                    case Node.Call call when tells(call.name()) -> true;
                    case Node.Call call when depth > 0 -> restores(Tasks.target(call, at, scan), depth, byName, scan);
                    case Node.New made when made.type() != null ->
                            tells(made.type().simple()) && (byName || JDK.contains(made.type().simple())) || made.type()
                                    .simple().startsWith("Cancel")
                            || depth > 0 && isRestoredBy(made, at, depth, byName, scan);
                    default -> false;
                };
                return !found[0];
            }
        }.walk(body, scope);
        return found[0];
    }

    private static boolean restores(MethodDecl method, int depth, boolean byName, Scan scan) {
        return method != null && method.body != null && restores(method.body, Scope.of(method), depth - 1, byName,
                scan);
    }

    /** An exception whose constructor marks the thread. */
    private static boolean isRestoredBy(Node.New made, Scope scope, int depth, boolean byName, Scan scan) {
        Type type = scan.typing().type(made, scope);
        TypeDecl decl = type == null ? null : scan.typing().world.decl(type.name(), scope.unit());
        return decl != null && decl.methods.stream().anyMatch(method -> method.name.startsWith("<")
                && restores(method, depth, byName, scan));
    }

    private static boolean tells(String name) {
        return name.contains("nterrupt") && !name.equals("interrupted") && !name.equals("isInterrupted");
    }
}
