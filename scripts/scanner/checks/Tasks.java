package scanner.checks;

import java.util.List;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.TypeDecl;
import scanner.types.Members;
import scanner.types.Origins;
import scanner.types.Type;
import scanner.types.World;

/** Questions that several checks ask of what a call is given or goes to. */
final class Tasks {

    private Tasks() {
    }

    /** Whether a task given as an argument catches what it throws; true if it cannot be told. */
    static boolean isGuardedTask(Node task, Scope scope, Check.Scan scan) {
        return switch (task) {
            case Node.Lambda lambda when lambda.body() instanceof Node.Call call -> isGuardedTarget(call, scope, scan);
            case Node.Lambda lambda when Code.only(lambda.body()) instanceof Node.Call call -> isGuardedTarget(call,
                    scope, scan);
            case Node.Lambda lambda -> Code.isGuarded(lambda.body(), scope.type());
            case Node.Ref ref -> {
                List<Members.Found> found = scan.typing().members.methods(scan.typing().type(ref.on(), scope),
                        ref.name(), -1, scope.unit());
                yield found.isEmpty() || found.get(0).source() == null || isGuarded(found.get(0).source(), scope, scan);
            }
            case Node.New made when made.body() != null -> made.body().methods.stream()
                    .filter(m -> m.name.equals("run") || m.name.equals("call")).allMatch(m -> Code.isGuarded(m.body,
                    m.owner)
                            || Code.only(m.body) instanceof Node.Call call && isGuardedTarget(call, Scope.of(m), scan));
            case Node.Name name when scan.origins().of(name, scope) instanceof Origins.Made made
                    && (made.node() instanceof Node.Lambda || made.node() instanceof Node.Ref) ->
                    isGuardedTask(made.node(), made.scope(), scan);
            case null, default -> true;
        };
    }

    /** The method that runs when a task is an object of the sources, {@code this} among them; null if it is not. */
    static MethodDecl run(Node task, Scope scope, Check.Scan scan) {
        Origins.Made made = task instanceof Node.Name ? scan.origins().of(task, scope) : new Origins.Made(task, scope);
        TypeDecl type = Code.isThis(task) ? scope.type()
                : made != null && made.node() instanceof Node.New object ? object.body() != null ? object.body()
                        : declaration(object, made.scope(), scan) : null;
        return type == null ? null : type.methods.stream().filter(method -> method.body != null
                && (method.name.equals("run") || method.name.equals("call"))).findFirst().orElse(null);
    }

    private static TypeDecl declaration(Node.New object, Scope scope, Check.Scan scan) {
        Type type = scan.typing().type(object, scope);
        return type == null ? null : scan.typing().world.decl(type.name(), scope.unit());
    }

    /** A method of the same class that is called on the same object; null if it is none. */
    static MethodDecl own(Node.Call call, TypeDecl type) {
        boolean isOwn = call.on() == null || Code.isThis(call.on());
        for (TypeDecl each = type; isOwn && each != null; each = each.outer) {
            for (MethodDecl method : each.methods) {
                if (method.name.equals(call.name()) && method.takes(call.args().size()) && method.body != null) {
                    return method;
                }
            }
        }
        return null;
    }

    /** A method that a subclass of the one at hand has to write may throw, unless each one there is catches all. */
    private static boolean isGuarded(MethodDecl task, Scope scope, Check.Scan scan) {
        if (task.body != null) {
            return Code.isGuarded(task.body, task.owner);
        }
        World world = scan.typing().world;
        if (!world.supers(scope.type().name).contains(task.owner.name)) {
            return true;
        }
        List<MethodDecl> written = world.subtypes(task.owner.name).stream().flatMap(type -> type.methods.stream())
                .filter(method -> method.name.equals(task.name) && Members.sameParams(method, task)
                && method.body != null).toList();
        return !written.isEmpty() && written.stream().allMatch(method -> Code.isGuarded(method.body, method.owner));
    }

    private static boolean isGuardedTarget(Node.Call call, Scope scope, Check.Scan scan) {
        Type receiver = scan.typing().receiver(call, scope);
        Members.Found found = receiver == null || receiver.isArray() ? null : scan.typing().best(receiver, call, scope);
        return found == null || found.source() == null || isGuarded(found.source(), scope, scan);
    }

    /** The one method of the sources that a call goes to; null if it is not in the sources. */
    static MethodDecl target(Node.Call call, Scope scope, Check.Scan scan) {
        Type receiver = scan.typing().receiver(call, scope);
        Members.Found found = receiver == null || receiver.isArray() ? null : scan.typing().best(receiver, call, scope);
        return found == null ? null : found.source();
    }
}
