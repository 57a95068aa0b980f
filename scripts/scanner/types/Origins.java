package scanner.types;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.TypeDecl;
import scanner.source.Walk;

/**
 * Where a value was made: the call or constructor behind a variable that is set once, or a field that is set in one
 * place.
 */
public final class Origins {

    /** An expression and where it stands. */
    public record Made(Node node, Scope scope) {
    }

    /** An object that the sources create, and where. */
    public record Created(Node.New object, Scope scope) {
    }

    public final Typing typing;
    private final Map<TypeDecl, Map<String, List<Made>>> assigned = new IdentityHashMap<>();
    private Map<String, List<Created>> created;
    private Map<String, List<MethodDecl>> beans;

    public Origins(Typing typing) {
        this.typing = typing;
    }

    /** @return null if it cannot be told. */
    public Made of(Node node, Scope scope) {
        return of(node, scope, 0);
    }

    private Made of(Node node, Scope scope, int depth) {
        if (depth > 5) {
            return null;
        }
        return switch (node) {
            case Node.Call call when plain(call) != call -> of(plain(call), scope, depth + 1);
            case Node.Call call -> new Made(call, scope);
            case Node.New made -> new Made(made, scope);
            case Node.Lambda lambda -> new Made(lambda, scope);
            case Node.Ref ref -> new Made(ref, scope);
            case Node.Cast cast -> of(cast.value(), scope, depth + 1);
            case Node.Assign assign -> of(assign.value(), scope, depth + 1);
            case Node.Name name -> named(name.name(), scope, depth);
            case Node.Select select when Code.isThis(select.on()) ->
                    field(select.name(), scope, depth);
            case null, default -> null;
        };
    }

    /** What {@code requireNonNull} gives back: its first argument. */
    public static Node plain(Node node) {
        return node instanceof Node.Call call && CHECKS.contains(call.name()) && !call.args().isEmpty()
                ? plain(call.args().get(0)) : node;
    }

    private static final Set<String> CHECKS = Set.of("requireNonNull", "checkNotNull");

    private Made named(String name, Scope scope, int depth) {
        Scope.Variable variable = scope.find(name);
        return switch (variable) {
            case Scope.Typed typed -> typed.init() == null ? null : of(typed.init(), typed.scope(), depth + 1);
            case Scope.Inferred inferred -> inferred.init() == null ? null : of(inferred.init(), inferred.scope(),
                    depth + 1);
            case null -> field(name, scope, depth);
            default -> null;
        };
    }

    private Made field(String name, Scope scope, int depth) {
        for (TypeDecl type = scope.type(); type != null; type = type.outer) {
            if (type.field(name) != null) {
                List<Made> values = assigned.computeIfAbsent(type, this::assignments).getOrDefault(name, List.of());
                return values.size() == 1 ? of(values.get(0).node, values.get(0).scope, depth + 1) : null;
            }
        }
        return null;
    }

    /** What each field is set to, in all methods of the type. */
    private Map<String, List<Made>> assignments(TypeDecl type) {
        var found = new HashMap<String, List<Made>>();
        for (MethodDecl method : type.methods) {
            new Walk() {
                @Override
                protected boolean visit(Node node, Scope scope) {
                    if (node instanceof Node.Assign assign) {
                        String name = Code.ofThis(assign.target(), scope);
                        if (name != null && !(assign.value() instanceof Node.Literal)) {
                            found.computeIfAbsent(name, n -> new ArrayList<>()).add(new Made(assign.value(), scope));
                        }
                    }
                    return true;
                }
            }.walkMethod(method);
        }
        return found;
    }

    /** Whether a queue is made without a bound: putting into it never waits. */
    public boolean isUnbounded(Node queue, Scope scope) {
        Made made = queue == null ? null : of(queue, scope);
        return made != null && made.node instanceof Node.New maker && maker.type() != null
                && (UNBOUNDED.contains(maker.type().simple()) || maker.args().isEmpty()
                && maker.type().simple().startsWith("LinkedBlocking"));
    }

    private static final Set<String> UNBOUNDED = Set.of("PriorityBlockingQueue", "DelayQueue", "LinkedTransferQueue");

    /** Whether the value was made by one of these, or may have been: a field that is set in several places. */
    public boolean isMadeBy(Node node, Scope scope, List<Api> makers) {
        return isMadeBy(node, scope, makers, 3);
    }

    private boolean isMadeBy(Node node, Scope scope, List<Api> makers, int depth) {
        Made made = of(node, scope);
        return made != null ? isMadeBy(made, makers) || made.node instanceof Node.Call call && isBean(call, made.scope,
                makers, depth) : values(node, scope).stream().anyMatch(each -> {
                    Made value = of(each.node, each.scope);
                    return value != null ? isMadeBy(value, makers) : depth > 0 && isGiven(each.node, each.scope, makers,
                            depth - 1);
                });
    }

    // executors that come by way of a constructor, from the sources or from a container

    private static final Set<String> BEANS = Set.of("Bean", "Produces", "Provides");

    /** A parameter of a constructor, for which the sources or a container may pass such an executor. */
    private boolean isGiven(Node node, Scope scope, List<Api> makers, int depth) {
        int index = plain(node) instanceof Node.Name name ? scope.method().paramNames.indexOf(name.name()) : -1;
        if (index < 0 || makers.stream().noneMatch(maker -> EXECUTORS.contains(maker.type()))) {
            return false;
        }
        MethodDecl to = scope.method();
        if (isBean(to)) {
            return isBean(to.paramTypes.get(index).simple(), makers, depth);
        }
        if (!to.name.equals("<init>")) {
            return false;
        }
        List<Created> objects = created(to.owner);
        return objects.isEmpty() ? isBean(to.paramTypes.get(index).simple(), makers, depth)
                : objects.stream().anyMatch(each -> each.object.args().size() == to.paramNames.size()
                && (isMadeBy(each.object.args().get(index), each.scope, makers, depth)
                || isGiven(each.object.args().get(index), each.scope, makers, depth - 1)));
    }

    private static final Set<String> EXECUTORS = Set.of("java.util.concurrent.Executors",
            "java.util.concurrent.ForkJoinPool");

    private static boolean isBean(MethodDecl method) {
        return method.annotations.stream().anyMatch(each -> BEANS.contains(each.simple()));
    }

    /** The one method that makes objects of that type for a container. */
    private boolean isBean(String type, List<Api> makers, int depth) {
        if (beans == null) {
            beans = methods().filter(method -> method.body != null && method.returns != null && isBean(method))
                    .collect(Collectors.groupingBy(method -> method.returns.simple()));
        }
        List<MethodDecl> found = beans.getOrDefault(type, List.of());
        return found.size() == 1 && returns(found.get(0), makers, depth);
    }

    private boolean isBean(Node.Call call, Scope scope, List<Api> makers, int depth) {
        return depth > 0 && call.on() == null && call.args().isEmpty() && scope.type().methods.stream()
                .anyMatch(method -> method.name.equals(call.name()) && method.body != null && isBean(method)
                && returns(method, makers, depth - 1));
    }

    private boolean returns(MethodDecl method, List<Api> makers, int depth) {
        var found = new boolean[1];
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope at) {
                found[0] |= node instanceof Node.Return value && value.value() != null && depth > 0
                        && isMadeBy(value.value(), at, makers, depth - 1);
                return !found[0] && !(node instanceof Node.Lambda);
            }
        }.walkMethod(method);
        return found[0];
    }

    private Stream<MethodDecl> methods() {
        return typing.world.units.stream().filter(unit -> !unit.isTest).flatMap(unit -> unit.types.stream())
                .flatMap(type -> type.methods.stream());
    }

    /** The objects that the sources create, with arguments, of a class of that simple name. */
    public List<Created> created(TypeDecl type) {
        if (created == null) {
            created = new HashMap<>();
            methods().forEach(method -> new Walk() {
                @Override
                protected boolean visit(Node node, Scope scope) {
                    if (node instanceof Node.New object && object.type() != null && !object.args().isEmpty()) {
                        created.computeIfAbsent(object.type().simple(), n -> new ArrayList<>())
                                .add(new Created(object, scope));
                    }
                    return true;
                }
            }.walkMethod(method));
        }
        return created.getOrDefault(type.simpleName(), List.of());
    }

    /** All that a field is set to. */
    private List<Made> values(Node node, Scope scope) {
        String name = Code.ofThis(node, scope);
        for (TypeDecl type = scope.type(); name != null && type != null; type = type.outer) {
            if (type.field(name) != null) {
                return assigned.computeIfAbsent(type, this::assignments).getOrDefault(name, List.of());
            }
        }
        return List.of();
    }

    private boolean isMadeBy(Made made, List<Api> makers) {
        Type type = made.node instanceof Node.Call call ? typing.receiver(call, made.scope) : typing.type(made.node,
                made.scope);
        for (Api api : makers) {
            boolean fits = made.node instanceof Node.Call call ? api.fits(call.name(), call.args().size())
                    : made.node instanceof Node.New && api.method().equals("new");
            if (fits && typing.world.isA(type, api.type())) {
                return true;
            }
        }
        return false;
    }
}
