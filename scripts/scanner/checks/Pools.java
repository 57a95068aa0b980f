package scanner.checks;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.TypeDecl;
import scanner.source.Walk;
import scanner.types.Members;
import scanner.types.Origins;
import scanner.types.Type;

/**
 * Which executor an expression means, across methods and classes: a field, and what it is set from; a parameter; what
 * a method returns. One executor may have several keys, and the same executor has at least one in common.
 */
final class Pools {

    private static final String EXECUTOR = "java.util.concurrent.Executor";
    private static final String EXECUTORS = "java.util.concurrent.Executors";
    private static final List<String> BOUNDED = List.of("newFixedThreadPool", "newSingleThreadExecutor",
            "newScheduledThreadPool", "newSingleThreadScheduledExecutor");
    private static final Set<String> BOUNDED_TYPES = Set.of("ThreadPoolExecutor", "ScheduledThreadPoolExecutor",
            "ThreadPoolTaskExecutor", "ThreadPoolTaskScheduler", "DefaultEventExecutorGroup", "DefaultEventExecutor");
    /** They give on what is run on the executor they are given. */
    private static final Set<String> WRAPPERS = Set.of("listeningDecorator", "unconfigurableExecutorService",
            "unconfigurableScheduledExecutorService", "wrap", "taskWrapping", "ExecutorCompletionService");
    private static final int DEPTH = 4;

    /** Whether tasks of the pool may have to wait for a thread. */
    enum Size {
        FEW, MANY, UNKNOWN;

        /** Of a pool that is one or the other: FEW only if nothing says MANY. */
        Size or(Size other) {
            return this == MANY || other == MANY ? MANY : this == UNKNOWN ? other : this;
        }
    }

    private final Check.Scan scan;
    private final Map<String, Size> sizes = new HashMap<>();
    private final Map<String, Set<String>> fields = new HashMap<>();

    Pools(Check.Scan scan) {
        this.scan = scan;
    }

    static String parameter(MethodDecl method, String name) {
        return method.owner.unit.source.name() + " " + method + "/" + method.pos + " " + name;
    }

    /** Of all keys: the size that is known. */
    Size size(Set<String> keys) {
        return keys.stream().map(key -> sizes.getOrDefault(key, Size.UNKNOWN)).reduce(Size.UNKNOWN, Size::or);
    }

    boolean isExecutor(Node node, Scope scope) {
        if (node instanceof Node.Lambda || node instanceof Node.Ref || node instanceof Node.Literal) {
            return false;
        }
        Type type = scan.typing().type(node, scope);
        return type != null && !type.isArray() && (scan.typing().world.isA(type, EXECUTOR)
                || !type.derived() && scan.typing().world.decl(type.name(), scope.unit()) == null
                        && type.name().matches(".*(Executor|ExecutorService|TaskScheduler)"));
    }

    /** @return empty if nothing else can have that executor. */
    Set<String> keys(Node node, Scope scope) {
        return keys(node, scope, DEPTH);
    }

    private Set<String> keys(Node node, Scope scope, int depth) {
        if (depth == 0) {
            return Set.of();
        }
        return switch (node) {
            case Node.Cast cast -> keys(cast.value(), scope, depth);
            case Node.Name name when Code.isThis(name) -> Set.of("this " + scope.type().name);
            case Node.Name name -> scope.find(name.name()) == null ? field(scope.type(), name.name(), depth)
                    : variable(name.name(), scope, depth);
            case Node.Select select when Code.isThis(select.on()) ->
                    field(scope.type(), select.name(), depth);
            case Node.Select select -> {
                Type on = scan.typing().type(select.on(), scope);
                TypeDecl decl = on == null || on.isArray() ? null : scan.typing().world.decl(on.name(), scope.unit());
                yield decl == null ? Set.of() : field(decl, select.name(), depth);
            }
            case Node.Call call when Origins.plain(call) != call -> keys(Origins.plain(call), scope, depth);
            case Node.Call call when WRAPPERS.contains(call.name()) && !call.args().isEmpty() ->
                    keys(call.args().getLast(), scope, depth);
            case Node.Call call when call.args().isEmpty() -> returned(call, scope, depth);
            case Node.New wrapper when wrapper.type() != null && WRAPPERS.contains(wrapper.type().simple())
                    && !wrapper.args().isEmpty() -> keys(wrapper.args().get(0), scope, depth);
            case null, default -> Set.of();
        };
    }

    private Set<String> variable(String name, Scope scope, int depth) {
        Scope.Variable variable = scope.find(name);
        Node init = variable instanceof Scope.Typed typed ? typed.init()
                : variable instanceof Scope.Inferred inferred ? inferred.init() : null;
        String key = parameter(scope.method(), name);
        var keys = new LinkedHashSet<>(Set.of(key));
        if (init != null) {
            sizes.putIfAbsent(key, size(init, variable instanceof Scope.Typed typed ? typed.scope() : scope, DEPTH));
            keys.addAll(keys(init, scope, depth - 1));
        } else if (variable instanceof Scope.Typed typed && isForkJoin(scan.typing().world.resolve(typed.type(),
                scope.unit(), scope.type(), scope.method()))) {
            sizes.put(key, Size.MANY);
        } else if (scope.method().name.equals("<init>")) {
            keys.addAll(given(scope.method(), name, depth - 1));
        }
        return keys;
    }

    /** What the sources pass for a constructor's parameter. */
    private Set<String> given(MethodDecl constructor, String parameter, int depth) {
        int index = constructor.paramNames.indexOf(parameter);
        var keys = new LinkedHashSet<String>();
        if (index >= 0 && depth > 0) {
            for (Origins.Created each : scan.origins().created(constructor.owner)) {
                if (each.object().args().size() == constructor.paramNames.size()) {
                    keys.addAll(keys(each.object().args().get(index), each.scope(), depth));
                }
            }
        }
        return keys;
    }

    private Set<String> field(TypeDecl in, String name, int depth) {
        for (TypeDecl type = in; type != null; type = type.outer) {
            TypeDecl owner = scan.typing().members.owner(type, name);
            if (owner != null) {
                String key = owner.unit.source.name() + " " + owner.name + "#" + name;
                Set<String> known = fields.get(key);
                if (known == null) {
                    fields.put(key, Set.of(key)); // a circle
                    known = field(owner, owner.field(name), key, depth);
                    fields.put(key, known);
                }
                return known;
            }
        }
        return Set.of();
    }

    private Set<String> field(TypeDecl owner, TypeDecl.FieldDecl field, String key, int depth) {
        var keys = new LinkedHashSet<>(Set.of(key));
        Size size = isForkJoin(scan.typing().world.resolve(field.type(), owner.unit, owner, null)) ? Size.MANY
                : Size.UNKNOWN;
        sizes.put(key, size);
        for (MethodDecl method : owner.methods) {
            new Walk() {
                @Override
                protected boolean visit(Node node, Scope scope) {
                    if (node instanceof Node.Assign assign && isField(assign.target(), field.name(), scope)) {
                        sizes.merge(key, size(assign.value(), scope, DEPTH), Size::or);
                        keys.addAll(keys(assign.value(), scope, depth - 1));
                    }
                    return !(node instanceof Node.Lambda);
                }
            }.walkMethod(method);
        }
        return keys;
    }

    private static boolean isField(Node target, String name, Scope scope) {
        return name.equals(Code.ofThis(target, scope));
    }

    /** {@code executor()}: the method, what it returns, and what those that override it return. */
    private Set<String> returned(Node.Call call, Scope scope, int depth) {
        MethodDecl target = Tasks.target(call, scope, scan);
        if (target == null) {
            return Set.of();
        }
        var keys = new LinkedHashSet<>(Set.of(parameter(target, "")));
        for (MethodDecl each : written(target)) {
            new Walk() {
                @Override
                protected boolean visit(Node node, Scope at) {
                    if (node instanceof Node.Return value) {
                        keys.addAll(keys(value.value(), at, depth - 1));
                        sizes.merge(parameter(target, ""), size(value.value(), at, DEPTH), Size::or);
                    }
                    return !(node instanceof Node.Lambda);
                }
            }.walkMethod(each);
        }
        return keys;
    }

    private List<MethodDecl> written(MethodDecl method) {
        return method.body != null ? List.of(method) : scan.typing().world.subtypes(method.owner.name).stream()
                .flatMap(type -> type.methods.stream()).filter(each -> each.body != null
                && each.name.equals(method.name) && Members.sameParams(each, method)).toList();
    }

    private boolean isForkJoin(Type type) {
        return scan.typing().world.isA(type, "java.util.concurrent.ForkJoinPool");
    }

    private Size size(Node node, Scope scope, int depth) {
        return switch (node) {
            case Node.Cast cast -> size(cast.value(), scope, depth);
            case Node.Choice choice -> size(choice.yes(), scope, depth).or(size(choice.no(), scope, depth));
            case Node.Lambda lambda -> Size.MANY;
            case Node.Ref ref -> Size.MANY;
            case Node.New object when object.type() != null && BOUNDED_TYPES.contains(object.type().simple()) ->
                    object.args().stream().anyMatch(Pools::isEndless) ? Size.MANY : Size.FEW;
            case Node.New object when object.type() != null && object.type().simple().equals("ForkJoinPool") ->
                    Size.MANY;
            case Node.Call call when Origins.plain(call) != call -> size(Origins.plain(call), scope, depth);
            case Node.Call call when WRAPPERS.contains(call.name()) && !call.args().isEmpty() ->
                    size(call.args().getLast(), scope, depth);
            case Node.Call call when scan.typing().world.isA(scan.typing().receiver(call, scope), EXECUTORS) ->
                    BOUNDED.contains(call.name()) ? Size.FEW : Size.MANY;
            case Node.Call call when call.name().equals("commonPool") || call.name().equals("directExecutor") ->
                    Size.MANY;
            case Node.Call call when depth > 0 && Tasks.target(call, scope, scan) instanceof MethodDecl maker
                    && maker.body != null -> {
                var found = new Size[] { Size.UNKNOWN };
                new Walk() {
                    @Override
                    protected boolean visit(Node each, Scope at) {
                        if (each instanceof Node.Return value) {
                            found[0] = found[0].or(size(value.value(), at, depth - 1));
                        }
                        return !(each instanceof Node.Lambda);
                    }
                }.walkMethod(maker);
                yield found[0];
            }
            case Node.Name name when depth > 0 && scope.find(name.name()) instanceof Scope.Typed typed
                    && typed.init() != null -> size(typed.init(), typed.scope(), depth - 1);
            case Node.Name name when depth > 0 && scope.find(name.name()) instanceof Scope.Inferred inferred
                    && inferred.init() != null -> size(inferred.init(), inferred.scope(), depth - 1);
            case null, default -> Size.UNKNOWN;
        };
    }

    /** {@code Integer.MAX_VALUE} threads, or a queue that keeps nothing: no task waits in it. */
    private static boolean isEndless(Node arg) {
        return arg instanceof Node.Select select && select.name().equals("MAX_VALUE")
                || arg instanceof Node.New queue && queue.type() != null && queue.type().simple()
                .equals("SynchronousQueue");
    }
}
