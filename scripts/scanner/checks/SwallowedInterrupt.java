package scanner.checks;

import java.util.List;
import scanner.blocking.CallGraph;
import scanner.source.Code;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.Walk;
import scanner.types.Members;
import scanner.types.Type;

/** {@code catch (InterruptedException e)}, or a broad one around a wait in a loop, that does nothing or only logs. */
final class SwallowedInterrupt implements Check {

    @Override
    public String rule() {
        return "swallowed-interrupt";
    }

    @Override
    public Group group() {
        return Group.PROJECT;
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (!(node instanceof Node.Catch each) || leavesLoop(path) || CallGraph.isGuarded(path) || isCancelled(path)) {
            return;
        }
        boolean isInterrupt = Code.isInterrupted(each);
        if (isInterrupt && returnsQuietly(each, path, scope)) {
            scan.add(rule(), scope.method(), each.pos(),
                    "InterruptedException is caught and the method returns as if nothing was");
            return;
        }
        if (isInterrupt && leavesWith(each, scope) && isInLoop(path) && !isTask(path, scope)
                && !isStartedAsTask(scope)) {
            scan.add(rule(), scope.method(), each.pos(),
                    "InterruptedException ends the loop, and the caller does not learn"
                    + " of it");
            return;
        }
        if (!each.body().statements().stream().allMatch(Code::isLog)) {
            broad(each, path, scope, scan);
            return;
        }
        if (isInterrupt) {
            if (!Code.endsTheThread(path, scope) && !isAskedNext(path, scope) || goesToWork(path, scope, scan)) {
                scan.add(rule(), scope.method(), each.pos(),
                        "InterruptedException is caught and ignored: the thread cannot be told to stop");
            }
        } else if (Code.catches(each, "Exception", "Throwable") && isInLoop(path) && !endsAfter(path)
                && path.getLast() instanceof Node.Try attempt
                && attempt.catches().stream().noneMatch(Code::isInterrupted) && waits(attempt.body(), scope, scan)) {
            scan.add(rule(), scope.method(), each.pos(),
                    "this catch swallows the InterruptedException of the wait above: the loop goes on");
        }
    }

    /** What a dialog of Eclipse throws if its user cancels what it runs; the thread was not interrupted. */
    private static boolean isCancelled(List<Node> path) {
        return path.getLast() instanceof Node.Try attempt && !Code.calls(attempt.body(), "invokeAndWait")
                && attempt.catches().stream().anyMatch(each -> Code.catches(each, "InvocationTargetException"));
    }

    /** Logged, then {@code break} or {@code continue}; not logged, where the method returns what it has by then. */
    private static boolean leavesWith(Node.Catch each, Scope scope) {
        List<Node> statements = each.body().statements();
        boolean isValue = scope.method().returns != null && !scope.method().returns.simple().equals("void");
        return statements.size() > (isValue ? 0 : 1) && statements.getLast() instanceof Node.Jump
                && statements.stream().limit(statements.size() - 1).allMatch(Code::isLog);
    }

    /** What follows leaves the loop. */
    private static boolean endsAfter(List<Node> path) {
        return path.size() > 1 && path.get(path.size() - 2) instanceof Node.Block block && block.statements()
                .subList(block.statements().indexOf(path.getLast()) + 1, block.statements().size()).stream()
                .anyMatch(next ->
                        next instanceof Node.Return || next instanceof Node.Throw || Code.calls(next, "exit"));
    }

    private static boolean isInLoop(List<Node> path) {
        for (int i = path.size() - 1; i >= 0 && !(path.get(i) instanceof Node.Lambda); i--) {
            if (path.get(i) instanceof Node.Loop) {
                return true;
            }
        }
        return false;
    }

    /** Whether a body calls a method of the JDK that throws InterruptedException. */
    private static boolean waits(Node body, Scope scope, Scan scan) {
        var found = new boolean[1];
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope at) {
                if (node instanceof Node.Call call) {
                    Type receiver = scan.typing().receiver(call, at);
                    Members.Found target = receiver == null || receiver.isArray() ? null : scan.typing()
                            .best(receiver, call, at);
                    found[0] |= target != null && target.jdk() != null
                            && List.of(target.jdk().getExceptionTypes()).contains(InterruptedException.class);
                }
                return !found[0] && !(node instanceof Node.Lambda) && !(node instanceof Node.Try);
            }
        }.walk(body, scope);
        return found[0];
    }

    /** A lead: what does more than log may still lose the interrupt of a wait, or of a Callable. */
    private void broad(Node.Catch each, List<Node> path, Scope scope, Scan scan) {
        if (scan.deep() && Code.catches(each, "Exception", "Throwable") && path.getLast() instanceof Node.Try attempt
                && attempt.catches().stream().noneMatch(Code::isInterrupted)
                && !Code.any(each.body(), node -> node instanceof Node.Throw || node instanceof Node.Call call
                        && call.name().contains("nterrupt"))
                && (waits(attempt.body(), scope, scan) || calls(attempt.body(), scope, scan))) {
            scan.lead(rule(), scope.method(), each.pos(),
                    "this catch swallows an InterruptedException too: the thread is not marked as interrupted again");
        }
    }

    /** Runs a Callable, which may wait. */
    private static boolean calls(Node body, Scope scope, Scan scan) {
        return Code.any(body, node -> node instanceof Node.Call call && call.name().equals("call")
                && call.args().isEmpty() && scan.isA(call.on(), scope, "java.util.concurrent.Callable"));
    }

    /** A loop inside the try has been left: it was told to stop, and it did. */
    private static boolean leavesLoop(List<Node> path) {
        return path.getLast() instanceof Node.Try attempt
                && Code.any(attempt.body(), node -> node instanceof Node.Loop loop && Code.hasCall(loop.body())
                || node instanceof Node.Each);
    }

    /** The loop of a thread's task asks a flag next, and its class interrupts the thread: the one that set the flag. */
    private static boolean isAskedNext(List<Node> path, Scope scope) {
        if (!isTask(path, scope) && !isStartedAsTask(scope)) {
            return false;
        }
        for (int i = path.size() - 2; i > 0; i--) {
            if (path.get(i) instanceof Node.Block body && path.get(i - 1) instanceof Node.Loop loop) {
                return path.get(i + 1) == body.statements().getLast() && loop.head().size() == 1
                        && !(loop.head().get(0) instanceof Node.Literal)
                        && !Code.calls(loop.head().get(0), "isInterrupted", "interrupted")
                        && scope.unit().types.stream().flatMap(type -> type.methods.stream())
                        .anyMatch(m -> Code.any(m.body, SwallowedInterrupt::interrupts));
            }
            if (!(path.get(i) instanceof Node.Block) && !(path.get(i) instanceof Node.Try)) {
                return false;
            }
        }
        return false;
    }

    private static boolean isStartedAsTask(Scope scope) {
        String name = scope.method().name;
        return scope.method().paramNames.isEmpty() && scope.unit().types.stream().flatMap(type -> type.methods.stream())
                .anyMatch(m ->
                m.name.equals("run") && Code.calls(m.body, name) || Code.any(m.body,
                        node -> node instanceof Node.Ref ref && ref.name().equals(name)
                        || node instanceof Node.Lambda lambda && Code.calls(lambda.body(), name)));
    }

    private static boolean interrupts(Node node) {
        return node instanceof Node.Call call && (call.name().equals("shutdownNow") || call.name().equals("interrupt")
                && !(call.on() instanceof Node.Call self && self.name().equals("currentThread")));
    }

    /** {@code return} or {@code return false} as the only reaction: the caller takes it for the end of the wait. */
    private static boolean returnsQuietly(Node.Catch each, List<Node> path, Scope scope) {
        List<Node> statements = each.body().statements();
        return !statements.isEmpty() && statements.getLast() instanceof Node.Return value && !Code.any(value,
                Code::mayTell)
                && statements.stream().limit(statements.size() - 1).allMatch(Code::isLog) && !isInLoop(path)
                && !isTask(path, scope);
    }

    private static boolean isTask(List<Node> path, Scope scope) {
        return path.stream().anyMatch(node -> node instanceof Node.Lambda) || List.of("run", "call", "main")
                .contains(scope.method().name);
    }

    /** A task that waits before its work, and goes to work all the same when it is told not to. */
    private static boolean goesToWork(List<Node> path, Scope scope, Scan scan) {
        if (path.size() < 2 || !(path.getLast() instanceof Node.Try attempt)
                || !(path.get(path.size() - 2) instanceof Node.Block block)
                || attempt.body().statements().size() != 1 || !waits(attempt.body(), scope, scan)) {
            return false;
        }
        int next = block.statements().indexOf(attempt) + 1;
        return block.statements().stream().skip(next).anyMatch(after -> !Code.isLog(after) && Code.hasCall(after));
    }
}
