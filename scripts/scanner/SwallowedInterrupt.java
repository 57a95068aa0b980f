package scanner;

import java.util.List;
import java.util.Set;

/** {@code catch (InterruptedException e)}, or a broad one around a wait in a loop, that does nothing or only logs. */
final class SwallowedInterrupt implements Check {

    @Override
    public String rule() {
        return "swallowed-interrupt";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Report report) {
        if (!(node instanceof Node.Catch each) || !each.body().statements().stream().allMatch(Code::isLog) || leavesLoop(path)
                || endsTheThread(path, scope)) {
            return;
        }
        if (names(each, Set.of("InterruptedException"))) {
            report.add(rule(), scope.method(), each.pos(), "InterruptedException is caught and forgotten: the thread cannot be told to stop");
        } else if (names(each, Set.of("Exception", "Throwable")) && isInLoop(path) && path.getLast() instanceof Node.Try attempt
                && attempt.catches().stream().noneMatch(other -> names(other, Set.of("InterruptedException")))
                && waits(attempt.body(), scope, report)) {
            report.add(rule(), scope.method(), each.pos(), "this catch swallows the InterruptedException of the wait above: the loop goes on");
        }
    }

    private static boolean names(Node.Catch each, Set<String> types) {
        return each.types().stream().anyMatch(type -> types.contains(type.simple()));
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
    private static boolean waits(Node body, Scope scope, Report report) {
        var found = new boolean[1];
        new Walk() {
            @Override
            boolean visit(Node node, Scope at) {
                if (node instanceof Node.Call call) {
                    Type receiver = report.typing().receiver(call, at);
                    Members.Found target = receiver == null || receiver.isArray() ? null : report.typing().best(receiver, call, at);
                    found[0] |= target != null && target.jdk() != null
                            && List.of(target.jdk().getExceptionTypes()).contains(InterruptedException.class);
                }
                return !found[0] && !(node instanceof Node.Lambda) && !(node instanceof Node.Try);
            }
        }.walk(body, scope);
        return found[0];
    }

    /** A loop inside the try has been left: it was told to stop, and it did. */
    private static boolean leavesLoop(List<Node> path) {
        return path.getLast() instanceof Node.Try attempt
                && Code.any(attempt.body(), node -> node instanceof Node.Loop loop && hasCall(loop.body()) || node instanceof Node.Each);
    }

    private static boolean hasCall(Node body) {
        return Code.any(body, node -> node instanceof Node.Call);
    }

    /** Outside of any loop of a task the thread ends soon, interrupted or not. */
    private static boolean endsTheThread(List<Node> path, Scope scope) {
        for (int i = path.size() - 1; i >= 0; i--) {
            switch (path.get(i)) {
                case Node.Loop loop -> {
                    return false;
                }
                case Node.Each each -> {
                    return false;
                }
                case Node.Lambda lambda -> {
                    return true;
                }
                default -> { }
            }
        }
        return scope.method().name.equals("run") || scope.method().name.equals("main");
    }
}
