package scanner;

import java.util.List;

/** {@code catch (InterruptedException e)} that does nothing, or only logs. */
final class SwallowedInterrupt implements Check {

    @Override
    public String rule() {
        return "swallowed-interrupt";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Report report) {
        if (node instanceof Node.Catch each && each.types().stream().anyMatch(t -> t.simple().equals("InterruptedException"))
                && each.body().statements().stream().allMatch(Code::isLog) && !leavesLoop(path) && !endsTheThread(path, scope)) {
            report.add(rule(), scope.method(), each.pos(), "InterruptedException is caught and forgotten: the thread cannot be told to stop");
        }
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
