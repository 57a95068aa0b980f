package scanner.checks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import scanner.blocking.CallGraph;
import scanner.findings.Finding;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Pos;
import scanner.source.Scope;
import scanner.source.TypeDecl;
import scanner.source.Walk;
import scanner.types.Members;
import scanner.types.Type;

/**
 * A task on a bounded pool that submits to the same pool and waits for it, also by way of other methods and classes.
 */
final class PoolWaitsForItself implements Check {

    private static final int DEPTH = 5;
    private static final int MOST = 200;
    private static final int FEW = 3;
    private static final Set<String> STARTS = Set.of("submit", "execute", "invokeAll", "invokeAny", "schedule",
            "scheduleAtFixedRate", "scheduleWithFixedDelay");
    private static final Set<String> CALLBACKS = Set.of("thenApply", "thenAccept", "thenRun", "thenCompose",
            "thenCombine", "handle", "whenComplete", "exceptionally");
    private static final Set<String> WAITS = Set.of("get", "join", "sync", "syncUninterruptibly", "await",
            "awaitUninterruptibly");
    private static final Set<String> WAITS_FOR_ARGUMENT = Set.of("getUnchecked", "getUninterruptibly", "getDone");
    private static final Set<String> RUNS = Set.of("run", "call", "get", "apply", "accept", "handle", "test");

    private final Map<MethodDecl, Body> bodies = new IdentityHashMap<>();
    private final Map<MethodDecl, Set<String>> futures = new IdentityHashMap<>();
    private final Set<Node> reported = Collections.newSetFromMap(new IdentityHashMap<>());
    private Pools pools;

    /** A call that waits for a task of these pools. */
    private record Wait(Node.Call call, MethodDecl in, Set<String> pools) {
    }

    /** A call to methods of the sources. @param pools the keys of each executor that it is given, by parameter. */
    private record Step(Node.Call call, MethodDecl in, List<MethodDecl> targets, Map<String, Set<String>> pools) {
    }

    private record Body(List<Wait> waits, List<Step> steps) {
    }

    /** What a task is: a body, or a method of the sources. */
    private record Task(Node body, Scope scope, MethodDecl method) {
    }

    @Override
    public String rule() {
        return "pool-waits-for-itself";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (!(node instanceof Node.Call start) || start.args().isEmpty() || scope.unit().isTest) {
            return;
        }
        if (pools == null) {
            pools = new Pools(scan);
        }
        Set<String> keys = runsOn(start, scope, scan);
        Pools.Size size = keys.isEmpty() ? Pools.Size.MANY : pools.size(keys);
        if (size == Pools.Size.MANY) {
            return;
        }
        for (Node argument : start.args()) {
            for (Task task : tasks(argument, scope, scan)) {
                Body body = task.method != null ? body(task.method, scan) : body(task.body, task.scope, scan);
                Wait wait = wait(body, keys, DEPTH, new HashSet<>(), scan);
                if (wait != null && reported.add(wait.call)) {
                    report(start, scope, wait, size, scan);
                }
            }
        }
    }

    private void report(Node.Call start, Scope scope, Wait wait, Pools.Size size, Scan scan) {
        String of = CALLBACKS.contains(start.name()) ? "a callback on the pool of " : "a task of ";
        String message = of + Code.text(pool(start)) + (isEnd(wait.call) ? " waits for that pool to end"
                : " waits for another task of the same pool");
        var step = new Finding.Step(new Finding.Place(scope.unit().source.name(), Pos.line(start.pos()),
                Pos.column(start.pos())), Code.text(start) + (size == Pools.Size.FEW ? ", a bounded pool"
                : ", a pool that may be bounded"));
        if (size == Pools.Size.FEW) {
            scan.add(rule(), wait.in, wait.call.pos(), message, step);
        } else {
            scan.warn(rule(), wait.in, wait.call.pos(), message, step);
        }
    }

    /** The pool as written; for a callback, the future that it belongs to. */
    private static Node pool(Node.Call start) {
        return STARTS.contains(start.name()) || CALLBACKS.contains(start.name()) ? start.on() : start.args().getLast();
    }

    // what runs where

    /** The pool on which a call runs the functions it is given. */
    private Set<String> runsOn(Node.Call call, Scope scope, Scan scan) {
        Set<String> started = starts(call, scope, scan);
        return started.isEmpty() && CALLBACKS.contains(call.name()) && call.on() instanceof Node.Call
                ? awaited(call.on(), scope, Map.of(), scan) : started;
    }

    /** The pool to which a call gives a task; empty if it gives none. */
    private Set<String> starts(Node.Call call, Scope scope, Scan scan) {
        if (call.args().isEmpty()) {
            return Set.of();
        }
        if (STARTS.contains(call.name())) {
            if (call.on() == null) {
                TypeDecl type = scope.type();
                return scan.typing().world.supers(type.name).contains("java.util.concurrent.Executor")
                        ? Set.of("this " + type.name) : Set.of();
            }
            return pools.isExecutor(call.on(), scope) ? pools.keys(call.on(), scope) : completionService(call, scope);
        }
        return call.args().size() > 1 && !(call.args().getLast() instanceof Node.Lambda)
                && call.args().stream().anyMatch(arg -> arg instanceof Node.Lambda || arg instanceof Node.Ref
                || arg instanceof Node.New) && pools.isExecutor(call.args().getLast(), scope)
                && Tasks.target(call, scope, scan) == null ? pools.keys(call.args().getLast(), scope) : Set.of();
    }

    private Set<String> completionService(Node.Call call, Scope scope) {
        return call.name().equals("submit") && call.on() instanceof Node.Name name
                && scope.find(name.name()) instanceof Scope.Typed typed && typed.type() != null
                && typed.type().simple().endsWith("CompletionService") ? pools.keys(call.on(), scope) : Set.of();
    }

    private List<Task> tasks(Node argument, Scope scope, Scan scan) {
        return switch (argument) {
            case Node.Lambda lambda -> List.of(new Task(lambda.body(), Walk.lambdaScope(lambda, null, 0, null, scope),
                    null));
            case Node.Ref ref when !ref.name().equals("new") -> scan.typing().members.methods(scan.typing()
                    .type(ref.on(), scope), ref.name(), -1, scope.unit()).stream().map(Members.Found::source)
                    .filter(method -> method != null && method.body != null).limit(1)
                    .map(method -> new Task(null, null, method)).toList();
            case Node.New made -> {
                Type type = made.body() == null ? scan.typing().type(made, scope) : null;
                TypeDecl decl = made.body() != null ? made.body() : type == null ? null
                        : scan.typing().world.decl(type.name(), scope.unit());
                yield decl == null ? List.of() : decl.methods.stream().filter(method -> method.body != null
                        && RUNS.contains(method.name)).map(method -> new Task(null, null, method)).toList();
            }
            case Node.Name name when scope.find(name.name()) instanceof Scope.Typed typed && typed.init() != null
                    && (typed.init() instanceof Node.Lambda || typed.init() instanceof Node.New
                            || typed.init() instanceof Node.Ref) -> tasks(typed.init(), typed.scope(), scan);
            case Node.Cast cast -> tasks(cast.value(), scope, scan);
            default -> List.of();
        };
    }

    // what a body waits for

    private Wait wait(Body body, Set<String> keys, int depth, Set<MethodDecl> seen, Scan scan) {
        for (Wait wait : body.waits) {
            if (wait.pools.stream().anyMatch(keys::contains)) {
                return wait;
            }
        }
        for (Step step : depth == 0 ? List.<Step>of() : body.steps) {
            Set<String> there = keys;
            for (Map.Entry<String, Set<String>> given : step.pools.entrySet()) {
                if (given.getValue().stream().anyMatch(keys::contains)) {
                    there = new HashSet<>(there);
                    there.add(given.getKey());
                }
            }
            for (MethodDecl target : step.targets) {
                Wait wait = seen.size() < MOST && seen.add(target) ? wait(body(target, scan), there, depth - 1, seen,
                        scan) : null;
                if (wait != null) {
                    return wait;
                }
            }
        }
        return null;
    }

    private Body body(MethodDecl method, Scan scan) {
        Body known = bodies.get(method);
        if (known == null) {
            known = body(method.body, Scope.of(method), scan);
            bodies.put(method, known);
        }
        return known;
    }

    private Body body(Node body, Scope from, Scan scan) {
        var waits = new ArrayList<Wait>();
        var steps = new ArrayList<Step>();
        var variables = new HashMap<String, Set<String>>();
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope scope) {
                remember(node, scope, variables, scan);
                switch (node) {
                    case Node.Lambda lambda -> {
                        if (node == body) {
                            return true;
                        }
                        return path.isEmpty() || !(path.getLast() instanceof Node.Call around)
                                || isInline(around, lambda, scope);
                    }
                    case Node.Call call -> call(call, scope);
                    default -> { }
                }
                return true;
            }

            private boolean isInline(Node.Call around, Node.Lambda lambda, Scope scope) {
                Set<String> of = around.on() == null ? Set.of() : awaited(around.on(), scope, variables, scan);
                lambda.params().forEach(param -> remember(param, of, variables));
                return !around.name().endsWith("Async") && !CALLBACKS.contains(around.name())
                        && starts(around, scope, scan).isEmpty() && !STARTS.contains(around.name())
                        && !around.name().startsWith("add") && !around.name().startsWith("set")
                        && !around.name().startsWith("on");
            }

            private void call(Node.Call call, Scope scope) {
                Set<String> started = starts(call, scope, scan);
                if (!started.isEmpty()) {
                    for (Node arg : call.args()) {
                        Code.any(arg, each -> {
                            if (each instanceof Node.Call down && down.name().equals("countDown")) {
                                remember(root(down.on()), started, variables);
                            }
                            return false;
                        });
                    }
                }
                Set<String> waited = waited(call, scope, started);
                if (!waited.isEmpty()) {
                    if (!CallGraph.isGuarded(path)) {
                        waits.add(new Wait(call, scope.method(), waited));
                    }
                    return;
                }
                MethodDecl target = Tasks.target(call, scope, scan);
                if (target != null && !target.owner.unit.isTest) {
                    List<MethodDecl> targets = written(target, scan);
                    if (!targets.isEmpty()) {
                        steps.add(new Step(call, scope.method(), targets, given(call, targets, scope)));
                    }
                }
            }

            private Map<String, Set<String>> given(Node.Call call, List<MethodDecl> targets, Scope scope) {
                var given = new HashMap<String, Set<String>>();
                for (int i = 0; i < call.args().size(); i++) {
                    if (pools.isExecutor(call.args().get(i), scope)) {
                        for (MethodDecl target : targets) {
                            if (i < target.paramNames.size()) {
                                given.put(Pools.parameter(target, target.paramNames.get(i)),
                                        pools.keys(call.args().get(i), scope));
                            }
                        }
                    }
                }
                return given;
            }

            private Set<String> waited(Node.Call call, Scope scope, Set<String> started) {
                if (call.name().startsWith("invokeA")) {
                    return started;
                }
                if (isEnd(call)) {
                    return call.on() != null && pools.isExecutor(call.on(), scope) ? pools.keys(call.on(), scope)
                            : Set.of();
                }
                if (WAITS_FOR_ARGUMENT.contains(call.name()) && !call.args().isEmpty()) {
                    return awaited(call.args().get(0), scope, variables, scan);
                }
                boolean isWait = WAITS.contains(call.name()) && call.on() != null && call.args().size() != 1
                        || call.name().equals("take") && completed(call.on(), scope);
                if (isWait) {
                    return call.name().equals("take") ? pools.keys(call.on(), scope)
                            : awaited(call.on(), scope, variables, scan);
                }
                return call.args().size() == 1 && call.args().get(0) instanceof Node.Ref ref && call.on() != null
                        && WAITS.contains(ref.name()) && Code.text(ref.on()).endsWith("Future")
                        ? awaited(call.on(), scope, variables, scan) : Set.of();
            }

            private boolean completed(Node on, Scope scope) {
                return on instanceof Node.Name name && scope.find(name.name()) instanceof Scope.Typed typed
                        && typed.type() != null && typed.type().simple().endsWith("CompletionService");
            }
        }.walk(body, from);
        return new Body(waits, steps);
    }

    /** The pools behind the futures that a variable holds, or the collection or array in it. */
    private void remember(Node node, Scope scope, Map<String, Set<String>> variables, Scan scan) {
        switch (node) {
            case Node.Local local -> remember(local.name(), awaited(local.init(), scope, variables, scan), variables);
            case Node.Assign assign when assign.target() instanceof Node.Name
                    || assign.target() instanceof Node.Index ->
                    remember(root(assign.target()), awaited(assign.value(), scope, variables, scan), variables);
            case Node.Each each -> remember(each.variable().name(), awaited(each.in(), scope, variables, scan),
                    variables);
            case Node.Call call when (call.name().equals("add") || call.name().equals("put")) && call.on() != null ->
                    call.args().forEach(arg -> remember(root(call.on()), awaited(arg, scope, variables, scan),
                            variables));
            default -> { }
        }
    }

    private static void remember(String variable, Set<String> keys, Map<String, Set<String>> variables) {
        if (variable != null && !keys.isEmpty()) {
            variables.merge(variable, keys, (a, b) -> {
                var both = new LinkedHashSet<>(a);
                both.addAll(b);
                return both;
            });
        }
    }

    private static boolean isEnd(Node.Call call) {
        return call.name().equals("awaitTermination") || call.name().equals("close") && call.args().isEmpty();
    }

    /** The variable at the head of a chain: {@code futures} of {@code futures.build().get(0)}. */
    private static String root(Node node) {
        return switch (node) {
            case Node.Name name -> name.name();
            case Node.Call call when call.on() != null -> root(call.on());
            case Node.Cast cast -> root(cast.value());
            case Node.Index index -> root(index.array());
            case null, default -> null;
        };
    }

    /** The pools whose tasks have to run before a future, or the futures of a collection, is done. */
    private Set<String> awaited(Node node, Scope scope, Map<String, Set<String>> variables, Scan scan) {
        return switch (node) {
            case Node.Name name -> variables.getOrDefault(name.name(), Set.of());
            case Node.Cast cast -> awaited(cast.value(), scope, variables, scan);
            case Node.Index index -> awaited(index.array(), scope, variables, scan);
            case Node.Call call -> awaited(call, scope, variables, scan);
            case Node.NewArray array -> {
                var all = new LinkedHashSet<String>();
                array.items().forEach(item -> all.addAll(awaited(item, scope, variables, scan)));
                yield all;
            }
            case null, default -> Set.of();
        };
    }

    private Set<String> awaited(Node.Call call, Scope scope, Map<String, Set<String>> variables, Scan scan) {
        var keys = new LinkedHashSet<String>();
        if (!call.name().equals("execute")) {
            keys.addAll(starts(call, scope, scan));
        }
        if (!keys.isEmpty()) {
            return keys;
        }
        if (call.on() != null) {
            keys.addAll(awaited(call.on(), scope, variables, scan));
        }
        for (Node arg : call.args()) {
            if (arg instanceof Node.Lambda lambda && OPERATORS.contains(call.name())) {
                Scope inside = Walk.lambdaScope(lambda, call, call.args().indexOf(arg), null, scope);
                keys.addAll(awaited(lambda.body() instanceof Node.Block ? last(lambda.body()) : lambda.body(), inside,
                        variables, scan));
            } else if (ALL.contains(call.name())) {
                keys.addAll(awaited(arg, scope, variables, scan));
            }
        }
        MethodDecl target = keys.isEmpty() ? Tasks.target(call, scope, scan) : null;
        if (target != null && target.returns != null && target.returns.simple()
                .matches(".*(Future|Stage|List|Collection|Set)")) {
            for (MethodDecl each : written(target, scan)) {
                for (String key : future(each, scan)) {
                    keys.add(key);
                    for (int i = 0; i < call.args().size() && i < each.paramNames.size(); i++) {
                        if (key.equals(Pools.parameter(each, each.paramNames.get(i)))) {
                            keys.addAll(pools.keys(call.args().get(i), scope));
                        }
                    }
                }
            }
        }
        return keys;
    }

    private static final Set<String> OPERATORS = Set.of("map", "flatMap", "mapToObj", "thenCompose", "thenComposeAsync",
            "compose", "transformAsync");
    private static final Set<String> ALL = Set.of("allOf", "anyOf", "allAsList", "successfulAsList", "sequence",
            "thenCombine", "all");

    private static Node last(Node body) {
        return body instanceof Node.Block block && !block.statements().isEmpty()
                && block.statements().getLast() instanceof Node.Return value ? value.value() : null;
    }

    /** The pools whose tasks have to run before what a method returns is done. */
    private Set<String> future(MethodDecl method, Scan scan) {
        Set<String> known = futures.get(method);
        if (known == null) {
            futures.put(method, Set.of()); // a circle
            var keys = new LinkedHashSet<String>();
            var variables = new HashMap<String, Set<String>>();
            new Walk() {
                @Override
                protected boolean visit(Node node, Scope scope) {
                    remember(node, scope, variables, scan);
                    if (node instanceof Node.Return value) {
                        keys.addAll(awaited(value.value(), scope, variables, scan));
                    }
                    return !(node instanceof Node.Lambda);
                }
            }.walkMethod(method);
            known = keys;
            futures.put(method, known);
        }
        return known;
    }

    /** The method itself, or what the sources write for it if those are few. */
    private static List<MethodDecl> written(MethodDecl method, Scan scan) {
        if (method.body != null) {
            return List.of(method);
        }
        List<MethodDecl> below = scan.typing().world.subtypes(method.owner.name).stream()
                .flatMap(type -> type.methods.stream()).filter(each -> each.body != null && !each.owner.unit.isTest
                && each.name.equals(method.name) && Members.sameParams(each, method)).toList();
        return below.size() <= FEW ? below : List.of();
    }
}
