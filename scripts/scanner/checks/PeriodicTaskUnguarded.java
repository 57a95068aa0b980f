package scanner.checks;

import java.util.List;
import java.util.Set;
import scanner.findings.Finding;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Pos;
import scanner.source.Scope;
import scanner.source.TypeDecl;

/** {@code scheduleAtFixedRate} of a task that lets exceptions out. */
final class PeriodicTaskUnguarded implements Check {

    @Override
    public String rule() {
        return "periodic-task-unguarded";
    }

    @Override
    public Group group() {
        return Group.PROJECT;
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (!(node instanceof Node.Call call) || call.on() == null) {
            return;
        }
        if (call.name().equals("schedule") && call.args().size() == 3 && startsItself(call.args().get(0), scope)
                && scan.isA(call.on(), scope, "java.util.concurrent.ScheduledExecutorService")
                && mayNotGetHere(path, scope)) {
            scan.add(rule(), scope.method(), call.pos(), "an exception earlier in " + scope.method().name
                    + "() silently ends it: it is not scheduled again");
            return;
        }
        boolean isPeriodic = call.name().equals("scheduleAtFixedRate") || call.name().equals("scheduleWithFixedDelay");
        if (isPeriodic && call.args().size() == 4 && !isAwaited(call, path, scope)
                && scan.isA(call.on(), scope, "java.util.concurrent.ScheduledExecutorService")
                && !isGuarded(call.args().get(0), scope, scan)) {
            scan.add(rule(), scope.method(), call.pos(), "the first exception of this task silently ends " + call.name()
                    + "()");
        } else if (isPeriodic && scan.deep() && call.args().size() == 4 && !isAwaited(call, path, scope)
                && scan.isA(call.on(), scope, "java.util.concurrent.ScheduledExecutorService")
                && call.args().get(0) instanceof Node.Lambda task && task.body() instanceof Node.Block
                && !Code.isGuardedThroughout(task.body(), scope.type())) {
            scan.lead(rule(), scope.method(), call.pos(),
                    "an exception before or after the try of this task silently ends " + call.name() + "()");
        } else if ((isPeriodic || call.name().equals("schedule")) && call.args().size() == 3
                && scan.isA(call.on(), scope, "java.util.Timer") && !isGuardedByTimer(call.args().get(0), scope,
                scan)) {
            MethodDecl run = Tasks.run(call.args().get(0), scope, scan);
            scan.add(rule(), scope.method(), call.pos(),
                    "the first exception of this task ends the Timer and all its tasks", step(run.owner, run.pos,
                            "run()"));
        }
    }

    /** {@code scheduler.schedule(this::poll, ...)} in {@code poll()}. */
    private static boolean startsItself(Node task, Scope scope) {
        String name = scope.method().name;
        Node body = task instanceof Node.Lambda lambda ? lambda.body() : task;
        return switch (body instanceof Node.Block ? Code.only(body) : body) {
            case Node.Name self -> Code.isThis(self) && name.equals("run");
            case Node.Ref ref -> ref.name().equals(name) && Code.isThis(ref.on());
            case Node.Call again -> again.name().equals(name) && Tasks.own(again, scope.type()) == scope.method();
            case null, default -> false;
        };
    }

    /** Something before it in the method may throw, and nothing around catches that. */
    private static boolean mayNotGetHere(List<Node> path, Scope scope) {
        boolean mayThrow = false;
        for (int i = 0; i < path.size(); i++) {
            if (path.get(i) instanceof Node.Try || path.get(i) instanceof Node.Lambda
                    || path.get(i) instanceof Node.Catch) {
                return false;
            }
            if (path.get(i) instanceof Node.Block block && i + 1 < path.size()) {
                for (Node before : block.statements()) {
                    if (before == path.get(i + 1)) {
                        break;
                    }
                    mayThrow |= !Code.isGuardedThroughout(before, scope.type());
                }
            }
        }
        return mayThrow;
    }

    private static Finding.Step step(TypeDecl type, int pos, String what) {
        return new Finding.Step(new Finding.Place(type.unit.source.name(), Pos.line(pos), Pos.column(pos)), what);
    }

    private static boolean isGuarded(Node task, Scope scope, Scan scan) {
        MethodDecl run = task instanceof Node.Lambda || task instanceof Node.Ref ? null : Tasks.run(task, scope, scan);
        return run == null || task instanceof Node.New made && made.body() != null ? Tasks.isGuardedTask(task, scope,
                scan)
                : Code.isGuarded(run.body, run.owner);
    }

    /** What a wrapper is given to run may throw like any other. */
    private static boolean isGuardedByTimer(Node task, Scope scope, Scan scan) {
        MethodDecl run = Tasks.run(task, scope, scan);
        return run == null || Code.isGuarded(run.body, run.owner);
    }

    /** Somebody asks the future, and so learns of the exception. */
    private static boolean isAwaited(Node.Call call, List<Node> path, Scope scope) {
        String name = switch (path.getLast()) {
            case Node.Local local -> ""; // for somebody in the method
            case Node.Assign assign when assign.target() instanceof Node.Name target -> target.name();
            case Node.Assign assign when assign.target() instanceof Node.Select target -> target.name();
            case Node.Call outer when outer.on() == call -> ""; // scheduleAtFixedRate(...).get()
            case Node.Return value -> "";
            default -> null;
        };
        return name != null && (name.isEmpty() || scope.unit().types.stream().flatMap(type -> type.methods.stream())
                .anyMatch(method -> Code.any(method.body, node -> node instanceof Node.Call wait
                && WAITS.contains(wait.name())
                        && (wait.on() instanceof Node.Name on && on.name().equals(name)
                                || wait.on() instanceof Node.Select select && select.name().equals(name)))));
    }

    private static final Set<String> WAITS = Set.of("get", "isCompletedExceptionally", "exceptionNow", "state",
            "isDone");
}
