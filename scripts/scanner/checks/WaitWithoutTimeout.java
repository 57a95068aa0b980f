package scanner.checks;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import scanner.blocking.CallGraph;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.TypeDecl;
import scanner.source.Walk;
import scanner.types.Origins;

/**
 * A wait for an answer with no time limit: a finding in a class that has a limit for its requests in a field, a lead
 * elsewhere.
 */
final class WaitWithoutTimeout implements Check {

    private static final Map<String, List<String>> WAITS = Map.of(
            "get", List.of("java.util.concurrent.Future"),
            "join", List.of("java.util.concurrent.CompletableFuture", "java.lang.Thread"),
            "await", List.of("java.util.concurrent.CountDownLatch", "java.util.concurrent.locks.Condition",
                    "io.netty.util.concurrent.Future"),
            "sync", List.of("io.netty.util.concurrent.Future"));
    /**
     * Methods that are a wait themselves, or that a thread of its own runs: what they do is for their callers to judge.
     */
    private static final Set<String> WAITING = Set.of("get", "join", "await", "take", "put", "run", "call", "main");
    /** Made and finished in this process. */
    private static final Set<String> LOCAL = Set.of("submit", "supplyAsync", "runAsync", "completedFuture", "orTimeout",
            "completeOnTimeout", "fork", "schedule");
    private static final Pattern LIMIT =
            Pattern.compile(".*(request|reply|response|rpc|call|operation|query|command).*(timeout|time)"
            + ".*|max_?(block|wait)_?(time|ms|millis|duration).*", Pattern.CASE_INSENSITIVE);
    private static final Set<String> TIMES = Set.of("int", "long", "Integer", "Long", "Duration", "TimeDuration");

    @Override
    public String rule() {
        return "wait-without-timeout";
    }

    @Override
    public Group group() {
        return Group.PROJECT;
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (node instanceof Node.Call call && scan.deep() && call.args().size() == 1 && !scope.unit().isTest
                && passesOn(call, scope, scan)) {
            scan.lead(rule(), scope.method(), call.pos(), "waits for an answer with no time limit");
        }
        if (!(node instanceof Node.Call call) || call.on() == null || !call.args().isEmpty()
                || !WAITS.containsKey(call.name())
                || scope.unit().isTest || WAITING.contains(scope.method().name) || CallGraph.isGuarded(path)
                || !isWait(call, scope, scan)
                || isLocal(call.on(), scope, scan)) {
            return;
        }
        String limit = scan.isA(call.on(), scope, "java.lang.Thread") || isOfOthers(call.on(), scope, scan) ? null
                : limit(scope.type());
        if (limit != null) {
            scan.add(rule(), scope.method(), call.pos(), "waits for an answer with no time limit, and " + limit
                    + " is there to set one");
        } else {
            scan.lead(rule(), scope.method(), call.pos(), "waits for an answer with no time limit");
        }
    }

    /**
     * Futures of many requests, one given by the caller, or that of the asynchronous form of this method: who asked has
     * set the limit, or it is for them to do.
     */
    private static boolean isOfOthers(Node future, Scope scope, Scan scan) {
        Origins.Made made = scan.origins().of(future, scope);
        if (made != null && Code.calls(made.node(), "allOf")) {
            return true;
        }
        Node head = future;
        while (head instanceof Node.Call call && call.on() != null) {
            head = call.on();
        }
        return head instanceof Node.Name name && scope.method().paramNames.contains(name.name())
                || head instanceof Node.Call own && own.name().equals(scope.method().name + "Async");
    }

    /** {@code result(future)}: a static method of the sources that waits for what it is given. */
    private static boolean passesOn(Node.Call call, Scope scope, Scan scan) {
        MethodDecl target = Tasks.target(call, scope, scan);
        return target != null && target.isStatic && target.paramNames.size() == 1 && !isLocal(call.args().get(0),
                scope, scan)
                && Code.any(target.body, node -> node instanceof Node.Call wait && wait.args().isEmpty()
                && WAITS.containsKey(wait.name())
                        && wait.on() instanceof Node.Name name && name.name().equals(target.paramNames.get(0)));
    }

    private static boolean isWait(Node.Call call, Scope scope, Scan scan) {
        MethodDecl target = Tasks.target(call, scope, scan);
        return target != null && target.body != null ? waits(target, scan)
                : WAITS.get(call.name()).stream().anyMatch(type -> scan.isA(call.on(), scope, type));
    }

    /** A method of the sources that waits for something in its object and sets no limit. */
    private static boolean waits(MethodDecl method, Scan scan) {
        var found = new boolean[1];
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope at) {
                found[0] |= node instanceof Node.Call call && call.on() != null && call.args().isEmpty()
                        && WAITS.containsKey(call.name())
                        && !CallGraph.isGuarded(path) && WAITS.get(call.name()).stream()
                        .anyMatch(type -> scan.isA(call.on(), at, type));
                return !found[0] && !(node instanceof Node.Lambda);
            }
        }.walkMethod(method);
        return found[0];
    }

    private static boolean isLocal(Node future, Scope scope, Scan scan) {
        Origins.Made made = scan.origins().of(future, scope);
        for (Node each = made == null ? future : made.node(); each instanceof Node.Call call; each = call.on()) {
            if (LOCAL.contains(call.name())) {
                return true;
            }
        }
        return false;
    }

    /**
     * The field of an object, or of the one around it, that limits how long a request may take; null if there is none.
     */
    private static String limit(TypeDecl type) {
        for (TypeDecl each = type; each != null; each = each.outer) {
            for (TypeDecl.FieldDecl field : each.fields) {
                if (!field.isStatic() && field.type() != null && TIMES.contains(field.type().simple())
                        && LIMIT.matcher(field.name()).matches()) {
                    return field.name();
                }
            }
        }
        return null;
    }
}
