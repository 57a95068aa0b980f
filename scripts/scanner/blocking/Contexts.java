package scanner.blocking;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import scanner.findings.Rule;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.SourceUnit;
import scanner.source.TypeDecl;
import scanner.source.TypeName;
import scanner.source.Walk;
import scanner.types.Members;
import scanner.types.Origins;
import scanner.types.Type;
import scanner.types.Typing;

/** Finds the code that runs where blocking hurts. */
public final class Contexts {

    private final Typing typing;
    private final Catalogue catalogue;
    private final Origins origins;
    private final Held held;
    private final Map<MethodDecl, Map<String, Region>> calledIn = new IdentityHashMap<>();
    private Set<String> servlets;
    private Set<String> reactive;

    public Contexts(Typing typing, Catalogue catalogue, Origins origins) {
        this.typing = typing;
        this.catalogue = catalogue;
        this.origins = origins;
        this.held = new Held(typing, catalogue);
    }

    public void find(MethodDecl method, Consumer<Region> regions) {
        if (method.body == null) {
            return;
        }
        held.find(method, regions);
        called(method, regions);
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope scope) {
                held.find(node, scope, method, regions);
                if (node instanceof Node.Call call && !call.args().isEmpty()) {
                    passed(call, scope, path, method, regions);
                    handedOn(call, scope, method, regions);
                } else if (node instanceof Node.Lambda || node instanceof Node.Ref) {
                    implementing(node, scope, path, method, regions);
                }
                return true;
            }
        }.walkMethod(method);
    }

    // methods that are called in a context

    private void called(MethodDecl method, Consumer<Region> regions) {
        if (method.isStatic && method.returns == null || method.name.startsWith("<")) {
            return;
        }
        var told = new HashSet<Rule>();
        for (Context context : catalogue.overrides(method.name)) {
            if (!method.isStatic && !method.isPrivate && typing.world.supers(method.owner.name).contains(context.api()
                    .type())
                    && takes(context, method) && told.add(context.rule())) {
                regions.accept(region(context, method));
            }
        }
        for (Context context : method.isStatic || method.isPrivate ? List.<Context>of() : byTemplate(method)) {
            if (told.add(context.rule())) {
                regions.accept(region(context, method));
            }
        }
        for (TypeName annotation : method.annotations) {
            for (Context context : catalogue.annotated(annotation.simple())) {
                if (typing.world.isOf(annotation, context.api().type(), method.owner.unit) && takes(context, method)
                        && !isAlone(context) && told.add(context.rule())) {
                    regions.accept(region(context, method));
                }
            }
        }
        String returned = method.returns == null ? "" : method.returns.simple();
        for (Context context : catalogue.returns(returned)) {
            if ((context.api().method().equals("*") || !isServlet(method.owner.unit))
                    && (context.api().method().equals("*") || method.owner.annotations.stream()
                            .anyMatch(annotation -> annotation.simple().equals(context.api().method())))
                    && typing.world.isA(typing.world.resolve(method.returns, method.owner.unit, method.owner, method),
                            context.api().type())
                    && told.add(context.rule())) {
                regions.accept(region(context, method));
                later(context, method, regions);
            }
        }
    }

    /**
     * A web application on servlets, where the thread of a request may wait, whatever its methods return: the module
     * says so, or the project does and the module does not say otherwise.
     */
    private boolean isServlet(SourceUnit unit) {
        if (servlets == null) {
            servlets = modulesWith(SERVLETS);
            reactive = modulesWith(REACTIVE);
        }
        return servlets.contains(module(unit)) || !servlets.isEmpty() && !reactive.contains(module(unit));
    }

    private Set<String> modulesWith(List<String> packages) {
        return typing.world.units.stream().filter(unit -> !unit.isTest && unit.imports.values().stream()
                .anyMatch(name -> packages.stream().anyMatch(name::startsWith))).map(Contexts::module)
                .collect(Collectors.toSet());
    }

    private static String module(SourceUnit unit) {
        return unit.source.name().substring(0, Math.max(0, unit.source.name().lastIndexOf("src/")));
    }

    private static final List<String> SERVLETS = List.of("jakarta.servlet.", "javax.servlet.",
            "org.springframework.web.servlet.");
    private static final List<String> REACTIVE = List.of("org.springframework.web.server.",
            "org.springframework.http.server.reactive.", "org.springframework.cloud.gateway.",
            "org.springframework.web.reactive.config.", "org.springframework.web.reactive.function.server.");

    /** Functions that a method which returns a publisher passes on, in a variable, to one that returns one too. */
    private void later(Context context, MethodDecl method, Consumer<Region> regions) {
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope scope) {
                if (node instanceof Node.Local local && local.init() instanceof Node.Lambda lambda
                        && isPassedOn(local.name(), context, method, scope)) {
                    regions.accept(region(context, lambda.pos(), "a function in " + method.name + "(), " + context
                            .what(), method, lambda.body(), Walk.lambdaScope(lambda, null, 0, local.type(), scope),
                            catalogue.kinds(context.rule()), context.is(Context.Trait.WEAK), Set.of()));
                }
                return true;
            }
        }.walkMethod(method);
    }

    private boolean isPassedOn(String variable, Context context, MethodDecl method, Scope scope) {
        return Code.any(method.body, node -> {
            if (!(node instanceof Node.Call call) || call.args().stream().noneMatch(arg -> arg instanceof Node.Name name
                    && name.name().equals(variable))) {
                return false;
            }
            Type receiver = typing.receiver(call, scope);
            Members.Found found = receiver == null || receiver.isArray() ? null : typing.best(receiver, call, scope);
            return found != null && found.source() != null && found.source().returns != null
                    && found.source().returns.simple().equals(context.simpleType());
        });
    }

    /** The contexts of the methods of a superclass that call this one, which they leave to subclasses. */
    private List<Context> byTemplate(MethodDecl method) {
        var found = new ArrayList<Context>();
        for (String name : typing.world.supers(method.owner.name)) {
            TypeDecl template = typing.world.decl(name, method.owner.unit);
            if (template != null && template != method.owner && !template.isInterface && template.methods.stream()
                    .anyMatch(each -> each.body == null && each.name.equals(method.name)
                    && Members.sameParams(each, method))) {
                for (MethodDecl caller : template.methods) {
                    List<Context> contexts = caller.body == null ? List.of() : catalogue.overrides(caller.name);
                    for (Context context : contexts) {
                        if (typing.world.supers(name).contains(context.api().type()) && takes(context, caller)
                                && Code.any(caller.body, node -> node instanceof Node.Call call && call.on() == null
                                && call.name().equals(method.name) && method.takes(call.args().size()))) {
                            found.add(context);
                        }
                    }
                }
            }
        }
        return found;
    }

    private boolean isAnnotated(MethodDecl method, Context context) {
        return method.annotations.stream()
                .anyMatch(each -> typing.world.isOf(each, context.api().type(), method.owner.unit));
    }

    private static boolean takes(Context context, MethodDecl method) {
        if (context.takes().isEmpty() || method.paramTypes.isEmpty()) {
            return context.takes().isEmpty();
        }
        String first = method.paramTypes.get(0).simple();
        return context.takes().contains(first) || context.takes().stream().allMatch(each -> each.startsWith("-")
                && !first.startsWith(each.substring(1)));
    }

    /** The only method of the sources with that annotation: it makes no other late. */
    private boolean isAlone(Context context) {
        return context.is(Context.Trait.SHARED) && typing.world.units.stream().filter(unit -> !unit.isTest)
                .flatMap(unit -> unit.types.stream()).flatMap(type -> type.methods.stream())
                .filter(method -> isAnnotated(method, context)).limit(2).count() < 2;
    }

    private Region region(Context context, MethodDecl method) {
        return region(context, method.pos, method.name + "(), " + context.what(), method, method.body, Scope.of(method),
                catalogue.kinds(context.rule()), context.is(Context.Trait.WEAK),
                context.is(Context.Trait.DONE) ? Set.copyOf(method.paramNames) : Set.of());
    }

    private Region region(Context context, int pos, String what, MethodDecl method, Node body, Scope scope,
            EnumSet<Kind> kinds,
            boolean weak, Set<String> done) {
        EnumSet<Kind> sure = EnumSet.copyOf(kinds);
        EnumSet<Kind> leads = EnumSet.copyOf(catalogue.leads(context.rule()));
        if (context.sure() != null && !movesTooLate(body, context)) {
            leads.addAll(kinds);
            sure.retainAll(context.sure());
        }
        return new Region(context.rule(), pos, what, method, body, scope, sure, leads, weak,
                context.is(Context.Trait.NEAR) ? DEPTH_NEAR : 0, done, Region.Holds.NOTHING);
    }

    /** {@code defer(() -> just(load()).subscribeOn(workers))}: what is made there has been loaded when it moves. */
    private static boolean movesTooLate(Node body, Context context) {
        return context.how() == Context.How.CALL && Code.any(body, node -> node instanceof Node.Call call
                && context.unless().contains(call.name()));
    }

    private static final int DEPTH_NEAR = 3;

    // functions that implement a type whose methods are called in a context

    private void implementing(Node function, Scope scope, List<Node> path, MethodDecl method,
            Consumer<Region> regions) {
        Type type = typing.target(function, path, scope);
        if (type == null) {
            return;
        }
        var told = new HashSet<Rule>();
        for (Context context : catalogue.overridesOf(typing.world.supers(type.name()))) {
            if (told.add(context.rule())) {
                boolean isDone = context.is(Context.Trait.DONE);
                if (function instanceof Node.Lambda lambda) {
                    Scope inside = Walk.lambdaScope(lambda, null, 0, TypeName.of(type.name()), scope);
                    regions.accept(region(context, lambda.pos(), context.what(), method, lambda.body(), inside,
                            catalogue.kinds(context.rule()), context.is(Context.Trait.WEAK),
                            isDone ? Set.copyOf(lambda.params()) : Set.of()));
                } else {
                    regions.accept(region(context, function.pos(), context.what(), method, function, scope,
                            catalogue.kinds(context.rule()), context.is(Context.Trait.WEAK), Set.of()));
                }
            }
        }
    }

    // functions that are passed to a method

    private void passed(Node.Call call, Scope scope, List<Node> path, MethodDecl method, Consumer<Region> regions) {
        boolean mayStream = !catalogue.anyCalls().isEmpty() && call.on() != null;
        if (!catalogue.mayRun(call.name()) && !mayStream || !hasFunction(call)) {
            return;
        }
        Type receiver = typing.receiver(call, scope);
        if ((receiver == null || receiver.derived()) && STAGES.contains(call.name())) {
            receiver = Type.of("java.util.concurrent.CompletionStage"); // nothing else has methods of these names
        }
        if (receiver == null) {
            return;
        }
        var told = new HashSet<Rule>();
        for (List<Context> contexts : List.of(catalogue.calls(call.name()), catalogue.anyCalls())) {
            for (Context context : contexts) {
                if (context.api().fits(call.name(), call.args().size())
                        && Catalogue.matches(typing.world, receiver, context.api().type()) && isChained(context, call,
                        path)
                        && isMade(context, call, scope) && told.add(context.rule())) {
                    boolean weak = context.is(Context.Trait.WEAK)
                            || context.is(Context.Trait.SHARED) && isOnlyTask(call, scope);
                    for (Node argument : call.args()) {
                        function(argument, context, weak, call, scope, method, path, regions);
                    }
                }
            }
        }
    }

    // functions that are given to a method of the sources, which calls them in a context

    private void handedOn(Node.Call call, Scope scope, MethodDecl method, Consumer<Region> regions) {
        if (call.args().stream().noneMatch(arg -> arg instanceof Node.Lambda || arg instanceof Node.Ref)) {
            return;
        }
        Type receiver = typing.receiver(call, scope);
        Members.Found found = receiver == null || receiver.isArray() ? null : typing.best(receiver, call, scope);
        MethodDecl target = found == null ? null : found.source();
        if (target == null || target.body == null || target.owner.unit.isTest) {
            return;
        }
        for (int i = 0; i < call.args().size() && i < target.paramNames.size(); i++) {
            Node arg = call.args().get(i);
            Region there = arg instanceof Node.Lambda || arg instanceof Node.Ref
                    ? calledIn(target).get(target.paramNames.get(i)) : null;
            if (there != null) {
                boolean isLambda = arg instanceof Node.Lambda;
                regions.accept(new Region(there.rule(), call.pos(), call.name() + "(), " + there.what(), method,
                        isLambda ? ((Node.Lambda) arg).body() : arg,
                        isLambda ? Walk.lambdaScope((Node.Lambda) arg, call, i, null, scope) : scope, there.kinds(),
                        there.leads(), there.weak(), there.depth(), Set.of(), there.holds()));
            }
        }
    }

    /** The parameters that a method calls in functions which it gives to a context, each with that context. */
    private Map<String, Region> calledIn(MethodDecl method) {
        Map<String, Region> known = calledIn.get(method);
        if (known == null) {
            var found = new HashMap<String, Region>();
            calledIn.put(method, found);
            new Walk() {
                @Override
                protected boolean visit(Node node, Scope scope) {
                    if (node instanceof Node.Call call && !call.args().isEmpty()) {
                        passed(call, scope, path, method, region -> Code.any(region.body(), each -> {
                            if (each instanceof Node.Call run && FUNCTIONS.contains(run.name())
                                    && run.on() instanceof Node.Name name && method.paramNames.contains(name.name())) {
                                found.putIfAbsent(name.name(), region);
                            }
                            return false;
                        }));
                    }
                    return true;
                }
            }.walkMethod(method);
            known = found;
        }
        return known;
    }

    private boolean isMade(Context context, Node.Call call, Scope scope) {
        return (context.from().isEmpty() || call.on() != null && origins.isMadeBy(call.on(), scope, context.from()))
                && (context.with().isEmpty()
                        || call.args().stream().anyMatch(arg -> origins.isMadeBy(arg, scope, context.with())));
    }

    /** A periodic task that has the scheduler of its object to itself: no other is late. */
    private static boolean isOnlyTask(Node.Call call, Scope scope) {
        String name = call.on() instanceof Node.Name plain ? plain.name() : call.on() instanceof Node.Select select
                ? select.name() : null;
        Set<String> given = Set.copyOf(scope.method().paramNames);
        if (!scope.method().name.startsWith("<") && Code.any(call.args().get(0), node -> node instanceof Node.Name arg
                && given.contains(arg.name()))) {
            return false; // one for each argument
        }
        if (name != null && scope.find(name) != null) { // of the method: what it is given to start, and no more
            Set<String> uses = scope.method().paramNames.contains(name) ? null : Code.uses(scope.method().body, name);
            return uses != null && uses.stream().filter(TASKS::contains).count() == 1 && !Code.any(
                    scope.method().body, node -> node instanceof Node.Call other && other != call && TASKS.contains(
                            other.name()) && Code.same(other.on(), call.on()));
        }
        TypeDecl.FieldDecl field = name == null ? null : scope.type().field(name);
        return field != null && !field.isStatic() && (call.name().startsWith("scheduleWith") || call.name()
                .startsWith("scheduleAt"))
                && scope.unit().types.stream().filter(type -> type.outermost() == scope.type().outermost())
                .flatMap(type -> type.methods.stream())
                .filter(method -> Code.any(method.body, node ->
                        node instanceof Node.Call other && TASKS.contains(other.name()) && Code.same(other.on(),
                                call.on()) && other != call))
                .findAny().isEmpty();
    }

    private static final Set<String> TASKS = Set.of("schedule", "scheduleAtFixedRate", "scheduleWithFixedDelay",
            "execute", "submit");

    private static boolean hasFunction(Node.Call call) {
        for (Node each : call.args()) {
            if (each instanceof Node.Lambda || each instanceof Node.Ref || each instanceof Node.Name
                    || each instanceof Node.New || each instanceof Node.Call || each instanceof Node.Select) {
                return true;
            }
        }
        return false;
    }

    private void function(Node argument, Context context, boolean weak, Node.Call call, Scope scope, MethodDecl method,
            List<Node> path, Consumer<Region> regions) {
        EnumSet<Kind> kinds = catalogue.kinds(context.rule());
        if (context.is(Context.Trait.FUTURES)) {
            if (chain(call, path).contains("allOf") || isMadeByAllOf(call, scope)) {
                kinds = EnumSet.copyOf(kinds);
                kinds.remove(Kind.AWAIT); // they are all done by then
            }
            if (runsOnOwnExecutor(call)) {
                return;
            }
        }
        var use = new Use(context, weak, scope.unit(), call, call.args().indexOf(argument), kinds, doneBy(call, scope,
                0), regions);
        if (Code.isThis(argument)) {
            made(scope.type(), use);
            return;
        }
        Node body = argument;
        Scope at = scope;
        if (!(argument instanceof Node.Lambda || argument instanceof Node.Ref)) {
            Origins.Made made = origins.of(argument, scope);
            if (made == null) {
                return;
            }
            body = made.node();
            at = made.scope();
        }
        function(body, at, method, body == argument, use);
    }

    /** A call that gets a function into a context. */
    private record Use(Context context, boolean weak, SourceUnit unit, Node.Call call, int position,
            EnumSet<Kind> kinds,
            Set<String> done,
            Consumer<Region> regions) {
        String what() {
            return call.name() + "(), " + context.what();
        }

        /** Of the call, if it stands in the same file as the function. */
        int pos(MethodDecl method, Node function) {
            return method.owner.unit == unit ? call.pos() : function.pos();
        }
    }

    private void function(Node body, Scope at, MethodDecl method, boolean isArgument, Use use) {
        Context context = use.context;
        switch (body) {
            case Node.Lambda lambda -> use.regions.accept(region(context, use.pos(method, lambda),
                    use.what(),
                    method, lambda.body(), Walk.lambdaScope(lambda, isArgument ? use.call : null, use.position, null,
                            at),
                    use.kinds, use.weak, context.is(Context.Trait.DONE) ? Set.copyOf(lambda.params())
                            : isArgument ? use.done : Set.of()));
            case Node.Ref ref -> use.regions.accept(region(context, use.pos(method, ref), use.what(), method,
                    isOfNothing(use.call, ref) ? new Node.Call(ref.pos(), ref.on(), ref.name(), List.of()) : ref, at,
                    use.kinds, use.weak, Set.of()));
            case Node.New made -> made(made, at, use);
            case Node.Call maker -> returned(maker, at, use);
            default -> { }
        }
    }

    /** A reference to a method without parameters, of several of its name. */
    private static boolean isOfNothing(Node.Call call, Node.Ref ref) {
        return !ref.name().equals("new") && OF_NOTHING.contains(call.name());
    }

    private static final Set<String> OF_NOTHING = Set.of("fromCallable", "fromSupplier", "fromRunnable", "supplyAsync",
            "runAsync", "execute", "submit", "schedule", "scheduleAtFixedRate", "scheduleWithFixedDelay", "defer",
            "invokeLater", "invokeAndWait", "runLater", "asyncExec", "syncExec", "thenRun", "thenRunAsync",
            "runOnContext", "doOnSubscribe", "doOnTerminate", "doOnComplete", "doOnCancel", "doFirst");

    /** A function that a method of the sources makes: {@code supplyAsync(await(future))}. */
    private void returned(Node.Call maker, Scope scope, Use use) {
        Type receiver = typing.receiver(maker, scope);
        Members.Found found = receiver == null || receiver.isArray() ? null : typing.best(receiver, maker, scope);
        MethodDecl source = found == null ? null : found.source();
        if (source == null || source.body == null) {
            return;
        }
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope at) {
                if (node instanceof Node.Return value && (value.value() instanceof Node.Lambda
                        || value.value() instanceof Node.Ref || value.value() instanceof Node.New)) {
                    function(value.value(), at, source, false, use);
                }
                return !(node instanceof Node.Lambda);
            }
        }.walkMethod(source);
    }

    private boolean isMadeByAllOf(Node.Call call, Scope scope) {
        Node head = call.on();
        while (head instanceof Node.Call before) {
            head = before.on();
        }
        Origins.Made made = head == null ? null : origins.of(head, scope);
        return made != null && made.node() instanceof Node.Call maker && chain(maker, List.of()).contains("allOf");
    }

    /**
     * Variables whose futures are done when a callback at the end of their chain runs: {@code
     * a.thenCompose(f).thenAccept(callback)}.
     */
    private Set<String> doneBy(Node.Call call, Scope scope, int depth) {
        var done = new HashSet<String>();
        Node head = call;
        for (; head instanceof Node.Call each; head = each.on()) {
            if (EITHER.contains(each.name())) {
                return Set.of();
            }
            if (BOTH.contains(each.name())) {
                each.args().stream().map(Contexts::future).filter(Objects::nonNull).forEach(done::add);
            }
        }
        String name = future(head);
        if (name != null && scope.find(name) != null && mayBeFuture(typing.type(head, scope))) {
            done.add(name);
            Origins.Made made = depth > 2 ? null : origins.of(head, scope);
            if (made != null && made.node() instanceof Node.Call maker) {
                done.addAll(doneBy(maker, made.scope(), depth + 1));
            }
        }
        return done;
    }

    private static final Set<String> STAGES = Set.of("thenApply", "thenAccept", "thenRun", "thenCompose", "thenCombine",
            "thenAcceptBoth", "exceptionally", "exceptionallyCompose", "whenComplete");

    private boolean mayBeFuture(Type type) {
        return type == null || type.derived() || typing.world.supers(type.name()).stream()
                .anyMatch(each -> FUTURE.matcher(each).matches());
    }

    private static final Pattern FUTURE = Pattern.compile(".*(Future|Stage|Promise|Mono|Flux|Single|Maybe|Completable|"
            + "Uni|Multi|Deferred|Publisher|Observable|Task|Job)");
    private static final Set<String> EITHER = Set.of("applyToEither", "acceptEither", "runAfterEither", "anyOf");
    private static final Set<String> BOTH = Set.of("thenCombine", "thenAcceptBoth", "runAfterBoth", "allOf");

    /** The variable behind {@code future} or {@code future.toCompletableFuture()}. @return null if it is none. */
    static String future(Node node) {
        return node instanceof Node.Call call && call.name().equals("toCompletableFuture") ? future(call.on())
                : node instanceof Node.Name name ? name.name() : null;
    }

    /** An object that is the function: {@code executor.execute(new Task())}. */
    private void made(Node.New made, Scope scope, Use use) {
        Type type = made.body() == null ? typing.type(made, scope) : null;
        TypeDecl decl = made.body() != null ? made.body()
                : type == null ? null : typing.world.decl(type.name(), scope.unit());
        if (decl != null) {
            made(decl, use);
        }
    }

    private void made(TypeDecl decl, Use use) {
        if (use.call().name().matches("add.+Listener")) {
            return; // its run() is another matter; its listener's methods are contexts of their own
        }
        for (MethodDecl each : decl.methods) {
            if (each.body != null && FUNCTIONS.contains(each.name)) {
                use.regions.accept(region(use.context, each.pos, use.what(), each, each.body, Scope.of(each), use.kinds,
                        use.weak, use.context.is(Context.Trait.DONE) ? Set.copyOf(each.paramNames) : Set.of()));
            }
        }
    }

    static final Set<String> FUNCTIONS = Set.of("run", "call", "apply", "accept", "get", "test", "handle",
            "operationComplete");

    private static final Set<String> OWN_EXECUTOR = Set.of("supplyAsync", "runAsync", "thenApplyAsync",
            "thenAcceptAsync", "thenRunAsync",
            "thenComposeAsync", "handleAsync", "whenCompleteAsync");

    /** A future made by {@code supplyAsync(task, executor)}: its callbacks run on that executor, or on the caller. */
    private static boolean runsOnOwnExecutor(Node.Call call) {
        for (Node on = call.on(); on instanceof Node.Call before; on = before.on()) {
            if (OWN_EXECUTOR.contains(before.name()) && before.args().size() == 2) {
                return true;
            }
        }
        return false;
    }

    private static boolean isChained(Context context, Node.Call call, List<Node> path) {
        if (context.chained().isEmpty() && context.unless().isEmpty()) {
            return true;
        }
        Set<String> chain = chain(call, path);
        return (context.chained().isEmpty() || chain.stream().anyMatch(context.chained()::contains))
                && chain.stream().noneMatch(context.unless()::contains);
    }

    /** Names of the calls before and after one in its chain. */
    private static Set<String> chain(Node.Call call, List<Node> path) {
        var names = new HashSet<String>();
        for (Node on = call; on instanceof Node.Call each; on = each.on()) {
            names.add(each.name());
        }
        Node inner = call;
        for (int i = path.size() - 1; i >= 0 && path.get(i) instanceof Node.Call outer && outer.on() == inner; i--) {
            names.add(outer.name());
            inner = outer;
        }
        return names;
    }
}
