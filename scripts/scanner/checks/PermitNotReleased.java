package scanner.checks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Pos;
import scanner.source.Scope;
import scanner.source.Walk;
import scanner.types.Members;
import scanner.types.Type;

/** A lock or permit given back in the straight line of the code only: an exception in between keeps it. */
final class PermitNotReleased implements Check {

    private static final Map<String, String> PAIRS = Map.of("lock", "unlock", "lockInterruptibly", "unlock", "tryLock",
            "unlock", "acquire", "release");
    private static final Set<String> TRIES = Set.of("tryAcquire", "tryLock");

    @Override
    public String rule() {
        return "permit-not-released";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (node instanceof Node.Try attempt && attempt.last() != null) {
            inFinally(attempt.last(), attempt.last(), scope, scan);
        }
        if (!(node instanceof Node.Block block)) {
            return;
        }
        List<Node> statements = block.statements();
        for (int i = 0; i < statements.size(); i++) {
            tried(statements, i, path, scope, scan);
            Node.Call taken = taken(statements.get(i), scope, scan);
            if (taken != null) {
                look(statements, i, taken, risks(block, false, scope, scan), scope, scan);
                if (scan.deep()) {
                    lost(statements.subList(i + 1, statements.size()), taken, path, scope, scan);
                }
            }
        }
    }

    /** A lead: another method or a task gives the permit back, and something before it, or its start, may fail. */
    private void lost(List<Node> after, Node.Call taken, List<Node> path, Scope scope, Scan scan) {
        if (!isGivenBack(taken.on(), scope) || path.stream().anyMatch(around -> around instanceof Node.Try attempt
                && (attempt.last() != null && gives(attempt.last(), taken.on(), scope) || attempt.catches().stream()
                        .anyMatch(each -> gives(each.body(), taken.on(), scope))))) {
            return;
        }
        for (Node statement : after) {
            if (statement instanceof Node.Try attempt && gives(attempt, taken.on(), scope)) {
                return;
            }
            var fails = new Node.Call[1];
            var isGiven = new boolean[1];
            new Walk() {
                @Override
                protected boolean visit(Node node, Scope at) {
                    boolean isTask = node instanceof Node.Lambda
                            || node instanceof Node.New made && made.body() != null;
                    isGiven[0] |= fails[0] == null && isGivingHere(node, taken.on(), scope);
                    if (!isGiven[0] && fails[0] == null && node instanceof Node.Call call && (isStart(call, at, scan)
                            || mayThrow(call, true, at, scan))) {
                        fails[0] = call;
                    }
                    return !isTask;
                }
            }.walk(statement, scope);
            if (fails[0] != null) {
                scan.lead(rule(), scope.method(), taken.pos(), "if " + fails[0].name() + "() on line " + Pos.line(
                        fails[0].pos()) + (isStart(fails[0], scope, scan) ? " is refused" : " throws")
                        + ", nobody gives " + Code.text(taken.on()) + " back");
            }
            if (fails[0] != null || isGiven[0]) {
                return;
            }
        }
    }

    /** Here, or in a method of the class that is called here. */
    private static boolean gives(Node body, Node semaphore, Scope scope) {
        return Code.any(body, node -> isGivingHere(node, semaphore, scope));
    }

    private static boolean isGivingHere(Node node, Node semaphore, Scope scope) {
        return isGiving(node, semaphore) || node instanceof Node.Call call && Tasks.own(call, scope.type())
                instanceof MethodDecl own && Code.any(own.body, inner -> isGiving(inner, semaphore));
    }

    private static boolean isGiving(Node node, Node semaphore) {
        return node instanceof Node.Call call && call.name().equals("release") && Code.same(call.on(), semaphore);
    }

    private static boolean isStart(Node.Call call, Scope scope, Scan scan) {
        return call.name().endsWith("Async") && call.args().size() > 1 || Set.of("execute", "submit", "schedule")
                .contains(call.name()) && scan.isA(call.on(), scope, "java.util.concurrent.Executor");
    }

    /** {@code tryAcquire()}, and then a return or throw before anything is done with the permit. */
    private void tried(List<Node> statements, int at, List<Node> path, Scope scope, Scan scan) {
        Node.Call[] trying = new Node.Call[1];
        List<Node> then = List.of();
        Node statement = statements.get(at);
        Node.Call refused = statement instanceof Node.If choice ? refused(choice.test()) : null;
        if (refused != null && ends(((Node.If) statement).yes())) {
            trying[0] = refused;
            then = statements.subList(at + 1, statements.size());
        } else if (statement instanceof Node.Local local && local.init() instanceof Node.Call call
                && at + 1 < statements.size() && statements.get(at + 1) instanceof Node.If choice
                && choice.test() instanceof Node.Name asked && asked.name().equals(local.name())
                && choice.yes() instanceof Node.Block yes) {
            trying[0] = call;
            then = yes.statements();
        } else if (statement instanceof Node.If choice && choice.test() instanceof Node.Call call
                && choice.yes() instanceof Node.Block yes) {
            trying[0] = call;
            then = yes.statements();
        }
        if (trying[0] != null && trying[0].name().equals("tryLock") && trying[0].on() != null
                && scan.isA(trying[0].on(), scope, "java.util.concurrent.locks.Lock")) {
            look(then, -1, trying[0], risks(new Node.Block(statement.pos(), then), false, scope, scan), scope, scan);
            return;
        }
        if (trying[0] == null || !trying[0].name().equals("tryAcquire") || trying[0].on() == null
                || !scan.isA(trying[0].on(), scope, "java.util.concurrent.Semaphore")
                || !isGivenBack(trying[0].on(), scope)) {
            return;
        }
        if (scan.deep()) {
            lost(then, trying[0], path, scope, scan);
        }
        if (refused != null && !leaves(((Node.If) statement).yes())) {
            return;
        }
        var keepers = new ArrayList<Node>(List.of(trying[0].on()));
        for (Node next : then) {
            if (next instanceof Node.Local local && local.init() instanceof Node.New made
                    && made.args().stream().anyMatch(arg -> Code.same(arg, trying[0].on()))) {
                keepers.add(new Node.Name(local.pos(), local.name())); // gives it back when it is told to
            } else if (Code.any(next, node -> keepers.stream().anyMatch(keeper -> Code.same(node, keeper)))) {
                return;
            } else if (next instanceof Node.If choice && leaves(choice.yes())) {
                scan.add(rule(), scope.method(), trying[0].pos(), "leaving on line " + Pos.line(choice.pos())
                        + " keeps " + Code.text(trying[0].on()) + " for ever");
                return;
            } else if (!(next instanceof Node.Local) && !Code.isLog(next)) {
                return;
            }
        }
    }

    /** What must be true to go on: {@code !permits.tryAcquire()}, alone or as a part of the condition. */
    private static Node.Call refused(Node test) {
        return switch (test) {
            case Node.Not not when not.value() instanceof Node.Call call && TRIES.contains(call.name()) -> call;
            case Node.Other other -> other.parts().stream().map(PermitNotReleased::refused).filter(Objects::nonNull)
                    .findFirst().orElse(null);
            case null, default -> null;
        };
    }

    private static boolean ends(Node body) {
        Node last = last(body);
        return last instanceof Node.Return || last instanceof Node.Throw;
    }

    /** The last statement of a branch; null if it has none. */
    private static Node last(Node body) {
        return !(body instanceof Node.Block block) ? body : block.statements().isEmpty() ? null
                : block.statements().getLast();
    }

    /** Logs at most, then returns nothing much or throws. */
    private static boolean leaves(Node body) {
        List<Node> statements = body instanceof Node.Block block ? block.statements() : List.of(body);
        return !statements.isEmpty() && (statements.getLast() instanceof Node.Throw
                || statements.getLast() instanceof Node.Return value && (value.value() == null
                        || value.value() instanceof Node.Literal))
                && statements.stream().limit(statements.size() - 1).allMatch(Code::isLog);
    }

    /** Whether the file gives the permit back anywhere, or an object that is given the semaphore may. */
    private static boolean isGivenBack(Node semaphore, Scope scope) {
        return scope.unit().types.stream().flatMap(type -> type.methods.stream()).anyMatch(method ->
                Code.any(method.body, node -> node instanceof Node.Call call && call.name().equals("release")
                        && Code.same(call.on(), semaphore)
                        || node instanceof Node.New made && made.args().stream().anyMatch(arg -> Code.same(arg,
                        semaphore))));
    }

    /** What a statement takes: {@code acquire()} itself, or the last one in a try of its own, which has no finally. */
    private static Node.Call taken(Node statement, Scope scope, Scan scan) {
        Node taking = statement instanceof Node.Try attempt && attempt.last() == null && attempt.resources().isEmpty()
                && !attempt.body().statements().isEmpty() ? attempt.body().statements().getLast() : statement;
        return taking instanceof Node.Drop drop && drop.value() instanceof Node.Call call && call.on() != null
                && PAIRS.containsKey(call.name()) && isLock(call.on(), scope, scan) ? call : null;
    }

    /** A release that comes after other work in the same finally. */
    private void inFinally(Node.Block block, Node.Block last, Scope scope, Scan scan) {
        for (Node statement : block.statements()) {
            if (statement instanceof Node.If choice && choice.yes() instanceof Node.Block inner) {
                inFinally(inner, last, scope, scan);
            }
            if (statement instanceof Node.Drop drop && drop.value() instanceof Node.Call given && given.on() != null
                    && PAIRS.containsValue(given.name()) && isLock(given.on(), scope, scan)) {
                Set<Node> risks = risks(last, true, scope, scan);
                if (before(last, given).stream().anyMatch(risks::contains)) {
                    scan.add(rule(), scope.method(), given.pos(), "an exception earlier in this finally keeps "
                            + Code.text(given.on())
                            + " for ever");
                }
                return;
            }
        }
    }

    /** The calls in a body before one of them. */
    private static List<Node> before(Node body, Node call) {
        var calls = new ArrayList<Node>();
        Code.any(body, node -> {
            if (node instanceof Node.Call && node != call) {
                calls.add(node);
            }
            return node == call;
        });
        return calls;
    }

    private void look(List<Node> statements, int from, Node.Call taken, Set<Node> risks, Scope scope, Scan scan) {
        boolean mayThrow = false;
        Node leaving = null;
        for (int i = from + 1; i < statements.size(); i++) {
            Node statement = statements.get(i);
            if (statement instanceof Node.Drop drop && drop.value() instanceof Node.Call given && given.name()
                    .equals(PAIRS.get(taken.name()))
                    && Code.same(given.on(), taken.on())) {
                if (leaving != null) {
                    scan.add(rule(), scope.method(), taken.pos(), "leaving on line " + Pos.line(leaving.pos())
                            + " keeps " + Code.text(taken.on()) + " for ever");
                } else if (mayThrow) {
                    scan.add(rule(), scope.method(), taken.pos(), "an exception before line " + Pos.line(given.pos())
                            + " keeps "
                            + Code.text(taken.on()) + " for ever");
                }
                return;
            }
            if (Code.any(statement, n -> n instanceof Node.Call call && Code.same(call.on(), taken.on()))) {
                return; // given back or taken in a way this rule does not follow
            }
            mayThrow |= Code.any(statement, risks::contains);
            leaving = leaving == null ? leaving(statement) : leaving;
        }
    }

    /** A return, throw, break or continue that gives nothing back, as the whole of a branch; null if there is none. */
    private static Node leaving(Node statement) {
        if (!(statement instanceof Node.If choice)) {
            return null;
        }
        return ends(choice.yes()) || last(choice.yes()) instanceof Node.Jump ? last(choice.yes()) : null;
    }

    /**
     * Calls that may well throw: of the sources, of functions, and of what declares a checked exception.
     *
     * @param others whether those of other libraries count too, but for what logs or asks
     */
    private static Set<Node> risks(Node.Block block, boolean others, Scope scope, Scan scan) {
        Set<Node> risks = Collections.newSetFromMap(new IdentityHashMap<>());
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope at) {
                if (node instanceof Node.Call call && !PAIRS.containsKey(call.name()) && mayThrow(call, others, at,
                        scan)) {
                    risks.add(call);
                }
                return !(node instanceof Node.Lambda) && !(node instanceof Node.Try attempt
                        && Code.catchesAll(attempt));
            }
        }.walk(block, scope);
        return risks;
    }

    private static boolean mayThrow(Node.Call call, boolean others, Scope scope, Scan scan) {
        Type receiver = scan.typing().receiver(call, scope);
        Members.Found target = receiver == null || receiver.isArray() ? null : scan.typing().best(receiver, call,
                scope);
        if (target == null) {
            return others && !Code.isLogging(call.name()) && !call.name().matches("(is|get|has)[A-Z].*");
        }
        return target.source() != null ? Code.any(target.source().body, n -> n instanceof Node.Call inner
                && !Code.isHarmless(inner.name()) || n instanceof Node.Throw)
                : target.jdk().getExceptionTypes().length > 0
                        || target.jdk().getDeclaringClass().isAnnotationPresent(FunctionalInterface.class);
    }

    private static boolean isLock(Node node, Scope scope, Scan scan) {
        return scan.isA(node, scope, "java.util.concurrent.locks.Lock") || scan.isA(node, scope,
                "java.util.concurrent.Semaphore");
    }
}
