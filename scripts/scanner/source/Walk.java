package scanner.source;

import java.util.ArrayList;
import java.util.List;

/**
 * Visits a body in the order of its text, with the variables in reach at each node. Classes declared in it are not
 * entered.
 */
public abstract class Walk {

    /** The nodes around the visited one, the outermost first. */
    protected final List<Node> path = new ArrayList<>();

    /** @return whether to visit the parts too. */
    protected abstract boolean visit(Node node, Scope scope);

    protected void leave(Node node, Scope scope) {
    }

    public final void walkMethod(MethodDecl method) {
        if (method.body != null) {
            walk(method.body, Scope.of(method));
        }
    }

    /** @return the scope after {@code node}. */
    public final Scope walk(Node node, Scope scope) {
        if (node == null || !visit(node, scope)) {
            return node instanceof Node.Local local ? declare(local, scope) : scope;
        }
        path.add(node);
        Scope after = parts(node, scope);
        path.removeLast();
        leave(node, scope);
        return after;
    }

    private Scope parts(Node node, Scope scope) {
        switch (node) {
            case Node.Call call -> {
                Scope after = walk(call.on(), scope);
                return arguments(call, call.args(), after);
            }
            case Node.New made -> {
                return arguments(made, made.args(), scope);
            }
            case Node.Lambda lambda -> walk(lambda.body(), lambdaScope(lambda, null, 0, null, scope));
            case Node.Ref ref -> {
                return walk(ref.on(), scope);
            }
            case Node.Select select -> {
                return walk(select.on(), scope);
            }
            case Node.Cast cast -> {
                if (cast.value() instanceof Node.Lambda lambda) {
                    lambda(lambda, null, 0, cast.type(), scope);
                    return scope;
                }
                return walk(cast.value(), scope);
            }
            case Node.Index index -> {
                return walk(index.array(), scope);
            }
            case Node.NewArray array -> {
                return all(array.items(), scope);
            }
            case Node.Choice choice -> {
                Scope tested = walk(choice.test(), scope);
                walk(choice.yes(), tested);
                walk(choice.no(), tested);
            }
            case Node.Other other -> {
                return all(other.parts(), scope);
            }
            case Node.Not not -> {
                return walk(not.value(), scope);
            }
            case Node.Assign assign -> {
                walk(assign.target(), scope);
                return walk(assign.value(), scope);
            }
            case Node.Local local -> {
                if (local.init() instanceof Node.Lambda lambda) {
                    lambda(lambda, null, 0, local.type(), scope);
                } else {
                    walk(local.init(), scope);
                }
                return declare(local, scope);
            }
            case Node.Block block -> all(block.statements(), scope);
            case Node.Drop drop -> {
                return walk(drop.value(), scope);
            }
            case Node.If choice -> {
                Scope tested = walk(choice.test(), scope);
                walk(choice.yes(), tested);
                walk(choice.no(), tested);
                return tested; // if (!(x instanceof T t)) return;
            }
            case Node.Loop loop -> {
                Scope inside = all(loop.head(), scope);
                walk(loop.body(), inside);
            }
            case Node.Each each -> {
                walk(each.in(), scope);
                Scope.Variable variable = each.variable().type() == null ? new Scope.Element(each.in(), scope)
                        : new Scope.Typed(each.variable().type(), null, scope);
                walk(each.body(), scope.with(each.variable().name(), variable));
            }
            case Node.Try attempt -> {
                Scope inside = all(attempt.resources(), scope);
                walk(attempt.body(), inside);
                for (Node.Catch each : attempt.catches()) {
                    walk(each, scope);
                }
                walk(attempt.last(), scope);
            }
            case Node.Catch each -> walk(each.body(), each.types().isEmpty() ? scope
                    : scope.with(each.name(), new Scope.Typed(each.types().get(0), null, scope)));
            case Node.Sync sync -> {
                walk(sync.lock(), scope);
                walk(sync.body(), scope);
            }
            case Node.Return value -> walk(value.value(), scope);
            case Node.Throw value -> walk(value.value(), scope);
            case Node.Name name -> { }
            case Node.Literal literal -> { }
            case Node.Jump jump -> { }
            case Node.LocalType type -> { }
        }
        return scope;
    }

    private Scope all(List<Node> nodes, Scope scope) {
        Scope inside = scope;
        for (Node each : nodes) {
            inside = walk(each, inside);
        }
        return inside;
    }

    private Scope arguments(Node call, List<Node> arguments, Scope scope) {
        Scope after = scope;
        for (int i = 0; i < arguments.size(); i++) {
            if (arguments.get(i) instanceof Node.Lambda lambda) {
                lambda(lambda, call, i, null, after);
            } else {
                after = walk(arguments.get(i), after);
            }
        }
        return after;
    }

    private void lambda(Node.Lambda lambda, Node call, int position, TypeName expected, Scope scope) {
        if (visit(lambda, scope)) {
            path.add(lambda);
            walk(lambda.body(), lambdaScope(lambda, call, position, expected, scope));
            path.removeLast();
            leave(lambda, scope);
        }
    }

    /** The scope of a lambda's body. */
    public static Scope lambdaScope(Node.Lambda lambda, Node call, int position, TypeName expected, Scope scope) {
        Scope inside = scope;
        for (int i = 0; i < lambda.params().size(); i++) {
            TypeName type = lambda.types().get(i);
            inside = inside.with(lambda.params().get(i), type == null
                    ? new Scope.LambdaParam(lambda, i, call, position, expected, scope) : new Scope.Typed(type, null,
                    scope));
        }
        return inside;
    }

    private static Scope declare(Node.Local local, Scope scope) {
        return scope.with(local.name(), local.type() == null ? new Scope.Inferred(local.init(), scope)
                : new Scope.Typed(local.type(), local.init(), scope));
    }
}
