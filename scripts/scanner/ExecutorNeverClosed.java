package scanner;

import java.util.List;
import java.util.Set;

/** A pool that nobody shuts down: in a local variable that does not leave the method, or in a field of a class that has an end. */
final class ExecutorNeverClosed implements Check {

    /** Those whose threads stay: a cached pool's leave after a minute, a single-thread executor's when it is collected. */
    private static final Set<String> MAKERS = Set.of("newFixedThreadPool", "newScheduledThreadPool", "newWorkStealingPool",
            "newSingleThreadScheduledExecutor");
    private static final Set<String> ENDS = Set.of("shutdown", "shutdownNow", "close");
    private static final Set<String> ENDS_OF_OWNERS = Set.of("close", "stop", "shutdown", "destroy", "dispose", "terminate");

    @Override
    public String rule() {
        return "executor-never-closed";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Report report) {
        switch (node) {
            case Node.Local local when path.getLast() instanceof Node.Block block && isPool(local.init(), scope, report) -> {
                Set<String> uses = Code.uses(block, local.name());
                if (uses != null && !uses.isEmpty() && uses.stream().noneMatch(ENDS::contains)) {
                    report.add(rule(), scope.method(), local.pos(), local.name() + " is never shut down: its threads stay when "
                            + scope.method().name + "() returns");
                }
            }
            case Node.Call call when isPool(call.on(), scope, report) -> report.add(rule(), scope.method(), call.pos(),
                    "the executor made here cannot be shut down: nobody keeps it");
            case Node.Assign assign when isPool(assign.value(), scope, report) -> field(assign, scope, report);
            default -> { }
        }
    }

    private void field(Node.Assign assign, Scope scope, Report report) {
        String name = assign.target() instanceof Node.Name plain && scope.find(plain.name()) == null ? plain.name()
                : assign.target() instanceof Node.Select select && select.on() instanceof Node.Name self && self.name().equals("this")
                        ? select.name() : null;
        TypeDecl type = scope.type();
        TypeDecl.FieldDecl field = name == null ? null : type.field(name);
        if (field == null || field.isStatic() || type.methods.stream().noneMatch(m -> ENDS_OF_OWNERS.contains(m.name))
                || mayLeave(type, name)) {
            return;
        }
        report.add(rule(), scope.method(), field.pos(), name + " is never shut down, also not when its " + type.simpleName() + " ends");
    }

    /** Whether the field is shut down, handed over or returned anywhere in the file. */
    private static boolean mayLeave(TypeDecl owner, String name) {
        for (TypeDecl type : owner.unit.types) {
            for (MethodDecl method : type.methods) {
                if (Code.any(method.body, node -> leaves(node, name))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean leaves(Node node, String name) {
        return switch (node) {
            case Node.Call call -> is(call.on(), name) && ENDS.contains(call.name()) || call.args().stream().anyMatch(arg -> is(arg, name));
            case Node.New made -> made.args().stream().anyMatch(arg -> is(arg, name));
            case Node.Ref ref -> is(ref.on(), name) && ENDS.contains(ref.name());
            case Node.Return value -> is(value.value(), name);
            case Node.Assign assign -> is(assign.value(), name);
            case Node.Local local -> is(local.init(), name);
            case Node.Each each -> is(each.in(), name);
            case Node.NewArray array -> array.items().stream().anyMatch(item -> is(item, name));
            case Node.Other other -> other.parts().stream().anyMatch(part -> is(part, name));
            case Node.Choice choice -> is(choice.yes(), name) || is(choice.no(), name);
            case Node.Cast cast -> is(cast.value(), name);
            case Node.Lambda lambda -> is(lambda.body(), name);
            case Node.Try attempt -> attempt.resources().stream().anyMatch(resource -> is(resource, name));
            default -> false;
        };
    }

    private static boolean is(Node node, String field) {
        return node instanceof Node.Name name && name.name().equals(field) || node instanceof Node.Select select && select.name().equals(field);
    }

    private static boolean isPool(Node node, Scope scope, Report report) {
        return node instanceof Node.Call call && MAKERS.contains(call.name()) && report.isA(call.on(), scope, "java.util.concurrent.Executors");
    }
}
