package scanner.checks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import scanner.findings.Finding;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Pos;
import scanner.source.Scope;
import scanner.source.SourceUnit;
import scanner.source.TypeDecl;
import scanner.source.Walk;
import scanner.types.Members;
import scanner.types.Origins;
import scanner.types.Type;
import scanner.types.World;

/**
 * A pool that nobody shuts down: in a local variable that does not leave the method, in a field of a class that has an
 * end, in a field that is set anew, or given to a wrapper that cannot end it.
 */
final class ExecutorNeverClosed implements Check {

    private static final Set<String> ENDS = Set.of("shutdown", "shutdownNow", "close", "shutdownGracefully", "stop",
            "cancel");
    private static final Set<String> ENDS_OF_OWNERS = Set.of("close", "stop", "shutdown", "destroy", "dispose",
            "terminate", "shutdowngracefully");

    @Override
    public String rule() {
        return "executor-never-closed";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        switch (node) {
            case Node.Block body when path.isEmpty() && isEnd(scope.method()) ->
                    hidesEnd(body, scope, scan);
            case Node.Local local when path.getLast() instanceof Node.Block block
                    && PoolMakers.isPool(local.init(), scope, scan) -> {
                Set<String> uses = uses(block, local.name(), scope, scan);
                if (isLeftRunning(uses, block, local)) {
                    scan.add(rule(), scope.method(), local.pos(), local.name()
                            + " is never shut down: its threads stay when "
                            + scope.method().name + "() returns");
                } else if (uses != null && !scope.method().name.equals("main")) {
                    notAfterFailure(local, block.statements(), scope, scan);
                }
            }
            case Node.Local local when path.getLast() instanceof Node.Block block
                    && PoolMakers.isExecutorThatEnds(local.init(), scope, scan) -> {
                if (isLeftRunning(uses(block, local.name(), scope, scan), block, local)) {
                    scan.lead(rule(), scope.method(), local.pos(), local.name()
                            + " is never shut down: its threads stay for a minute, or until a garbage collection");
                }
            }
            case Node.Call call when call.on() != null && !ENDS.contains(call.name())
                    && PoolMakers.isPool(call.on(), scope, scan) ->
                    scan.add(rule(), scope.method(), call.pos(),
                            "the executor made here cannot be shut down: nothing keeps it");
            case Node.Call call when !call.args().isEmpty() && PoolMakers.isPool(call.args().getLast(), scope, scan)
                    && isOnlyUsedBy(call, scope) -> scan.add(rule(), scope.method(), call.args().getLast().pos(),
                            "the executor made for " + call.name() + "() is never shut down: nobody else has it");
            case Node.Assign assign -> {
                if (PoolMakers.isAny(assign.value(), scope, scan)) {
                    field(assign.target(), assign.value(), scope, scope, scan);
                    setAnew(assign, path, scope, scan);
                } else if (assign.value() instanceof Node.New made && hasPool(made, scope, scan)) {
                    wrapped(made, scope, scan);
                }
            }
            case Node.Return value when value.value() instanceof Node.New made && hasPool(made, scope, scan) ->
                    keptBy(made, scope, scan);
            case Node.Call call when call.on() == null && call.name().equals("this") && call.args().stream()
                    .anyMatch(arg -> PoolMakers.isAny(arg, scope, scan)) -> passedOn(call, scope, scan);
            default -> { }
        }
    }

    /** @param uses null if the pool leaves the method */
    private static boolean isLeftRunning(Set<String> uses, Node.Block block, Node.Local local) {
        return uses != null && mentions(block, local.name()) && uses.stream().noneMatch(ENDS::contains);
    }

    /** Shut down in the straight line of the code only, after a wait that throws when it is interrupted. */
    private void notAfterFailure(Node.Local local, List<Node> block, Scope scope, Scan scan) {
        var wait = new Node.Call[1];
        var walk = new Walk() {
            @Override
            protected boolean visit(Node node, Scope at) {
                if (wait[0] == null && node instanceof Node.Call call && isWait(call, at, scan)) {
                    wait[0] = call;
                }
                return !(node instanceof Node.Lambda) && !(node instanceof Node.Try attempt && !attempt.catches()
                        .isEmpty());
            }
        };
        Scope at = walk.walk(local, scope);
        for (Node statement : block.subList(block.indexOf(local) + 1, block.size())) {
            if (Code.any(statement, node -> isEndOf(node, local))) {
                if (wait[0] != null && statement instanceof Node.Drop drop && isEndOf(drop.value(), local)) {
                    scan.add(rule(), scope.method(), local.pos(), "if " + wait[0].name() + "() on line " + Pos.line(
                            wait[0].pos()) + " throws, " + local.name() + " is not shut down");
                }
                return;
            }
            at = walk.walk(statement, at);
        }
    }

    private static boolean isEndOf(Node node, Node.Local local) {
        return node instanceof Node.Call call && is(call.on(), local.name()) && ENDS.contains(call.name());
    }

    private static boolean isWait(Node.Call call, Scope scope, Scan scan) {
        return switch (call.name()) {
            case "invokeAll" -> scan.isA(call.on(), scope, "java.util.concurrent.ExecutorService");
            case "get" -> scan.isA(call.on(), scope, "java.util.concurrent.Future");
            case "await" -> scan.isA(call.on(), scope, "java.util.concurrent.CountDownLatch");
            default -> false;
        };
    }

    /** They run tasks on the executor they are given, and leave it to its owner. */
    private static final Set<String> USERS = Set.of("forScheduledExecutorService", "executor");

    /** By a call for each task, or for an object that has an end, as its maker has. */
    private static boolean isOnlyUsedBy(Node.Call call, Scope scope) {
        String in = scope.method().name;
        return call.name().endsWith("Async") && call.args().size() > 1 && !in.startsWith("<") && !in.equals("main")
                || USERS.contains(call.name()) && call.args().size() == 1 && !scope.method().isStatic
                        && scope.type().methods.stream().anyMatch(ExecutorNeverClosed::isEnd);
    }

    /** Not by a container, as a rule once, and not an enum or one object for all. */
    private static boolean isMadeByCode(TypeDecl type) {
        return type.annotations.isEmpty() && type.fields.stream().noneMatch(field -> field.isStatic()
                && field.type() != null && field.type().simple().equals(type.simpleName()));
    }

    private static boolean isEnd(MethodDecl method) {
        return ENDS_OF_OWNERS.contains(method.name.toLowerCase(Locale.ROOT)) || method.annotations.stream()
                .anyMatch(each -> each.simple().equals("PreDestroy"));
    }

    /** {@code close()} that hides the one of the superclass, which shuts a pool down. */
    private void hidesEnd(Node.Block body, Scope scope, Scan scan) {
        MethodDecl method = scope.method();
        if (method.isStatic || Code.any(body, node -> node instanceof Node.Name name && name.name().equals("super"))) {
            return;
        }
        World world = scan.typing().world;
        for (TypeDecl above = superclass(method.owner, world); above != null; above = superclass(above, world)) {
            MethodDecl hidden = above.methods.stream().filter(each -> each.name.equals(method.name)
                    && Members.sameParams(each, method)).findFirst().orElse(null);
            if (hidden == null) {
                continue;
            }
            for (TypeDecl.FieldDecl field : above.fields) {
                if (!field.isStatic() && isShutDown(hidden.body, field.name())
                        && !mentions(body, field.name())) {
                    Origins.Made made = kept(above, field.name(), scan);
                    if (made != null && above.methods.stream().noneMatch(other -> other != hidden
                            && isShutDown(other.body, field.name()) && Code.calls(body, other.name))) {
                        scan.add(rule(), method, method.pos, method.name + "() hides the one of "
                                + above.simpleName() + ", which shuts " + field.name() + " down", step(above.unit,
                                made.node().pos(), "the pool is made"));
                        return;
                    }
                }
            }
            return;
        }
    }

    private static TypeDecl superclass(TypeDecl type, World world) {
        List<Type> parents = world.parents(type);
        TypeDecl above = parents.isEmpty() ? null : world.decl(parents.get(0).name(), type.unit);
        return above == null || above.isInterface ? null : above;
    }

    private static boolean isShutDown(Node body, String field) {
        return Code.any(body, node -> node instanceof Node.Call call && is(call.on(), field)
                && ENDS.contains(call.name()));
    }

    /** The pool that a class makes for its field; null if it makes none. */
    private static Origins.Made kept(TypeDecl type, String field, Scan scan) {
        var found = new Origins.Made[1];
        for (MethodDecl method : type.methods) {
            new Walk() {
                @Override
                protected boolean visit(Node node, Scope at) {
                    if (node instanceof Node.Assign assign && is(assign.target(), field)
                            && PoolMakers.isAny(assign.value(), at, scan)) {
                        found[0] = new Origins.Made(assign.value(), at);
                    }
                    return found[0] == null;
                }
            }.walkMethod(method);
        }
        return found[0];
    }

    /** @param at where the maker stands */
    private void field(Node target, Node maker, Scope scope, Scope at, Scan scan) {
        String name = Code.ofThis(target, scope);
        TypeDecl type = scope.type();
        TypeDecl.FieldDecl field = name == null ? null : type.field(name);
        boolean isHidden = type.simpleName().startsWith("$"); // of an anonymous class: nobody else can end it
        boolean hasEnd = isHidden || type.methods.stream().anyMatch(ExecutorNeverClosed::isEnd);
        if (field == null || field.isStatic() || !hasEnd && !(scan.deep() && PoolMakers.isPool(maker, at, scan)
                && isMadeByCode(type)) || mayLeave(type, name, false, scan)) {
            return;
        }
        var steps = new ArrayList<Finding.Step>();
        Origins.Made made = maker instanceof Node.New wrapper ? pool(wrapper, at, scan)
                : PoolMakers.madeByHelper(maker, at, scan);
        if (made != null) {
            steps.add(step(made.scope().unit(), made.node().pos(), "the pool is made"));
        }
        steps.add(step(scope.unit(), field.pos(), "the field " + name));
        String message = name + " is never shut down" + (isHidden ? ": nobody else has it"
                : hasEnd ? ", also not when its " + type.simpleName() + " ends"
                : ": its " + type.simpleName() + " has no method that ends it");
        // it may live as long as the program; or somebody asks for it, and shuts it down
        if (!hasEnd || mayLeave(type, name, true, scan)) {
            scan.lead(rule(), scope.method(), maker.pos(), message, steps.toArray(Finding.Step[]::new));
        } else {
            scan.add(rule(), scope.method(), maker.pos(), message, steps.toArray(Finding.Step[]::new));
        }
    }

    private static final Pattern ONCE = Pattern.compile("(?i).*(start|init|open|connect|create|build|set|make|"
            + "activate|enable|launch|boot|load|resume|begin|run|main|register|prepare|configure|schedule|before).*");

    /** By a method that may run again, without a look at the pool that is there. */
    private void setAnew(Node.Assign assign, List<Node> path, Scope scope, Scan scan) {
        MethodDecl method = scope.method();
        String name = Code.ofThis(assign.target(), scope);
        if (name == null || method.name.startsWith("<") || scope.type().field(name) == null
                || path.stream().anyMatch(around -> around instanceof Node.If choice && mentions(choice.test(), name)
                        || around instanceof Node.Block block && isMentionedBefore(block, assign, name))) {
            return;
        }
        String message = name + " is set anew each time " + method.name
                + "() runs: the pool that was there before is not shut down";
        if (isCalled(method, true) && isCalled(method, false)) {
            scan.add(rule(), method, assign.value().pos(), message);
        } else if (!ONCE.matcher(method.name).matches() && method.annotations.stream()
                .allMatch(each -> each.simple().equals("Override"))) {
            scan.lead(rule(), method, assign.value().pos(), message);
        }
    }

    private static boolean mentions(Node body, String variable) {
        return Code.any(body, node -> is(node, variable));
    }

    private static boolean isMentionedBefore(Node.Block block, Node.Assign assign, String field) {
        for (Node statement : block.statements()) {
            if (Code.any(statement, node -> node == assign)) {
                return false;
            }
            if (mentions(statement, field) || statement instanceof Node.If) {
                return true; // shut down, or perhaps left before
            }
        }
        return false;
    }

    /** Whether a constructor of the class calls one of its methods, or one of its other methods does. */
    private static boolean isCalled(MethodDecl method, boolean byConstructor) {
        return method.owner.methods.stream().filter(each -> each.name.equals("<init>") == byConstructor)
                .anyMatch(each -> Code.any(each.body, node -> node instanceof Node.Call call
                        && call.name().equals(method.name) && Tasks.own(call, method.owner) == method));
    }

    /** {@code this(..., Executors.newCachedThreadPool())}: the constructor that keeps it. */
    private void passedOn(Node.Call call, Scope scope, Scan scan) {
        MethodDecl constructor = Tasks.target(call, scope, scan);
        if (constructor == null || constructor.body == null) {
            return;
        }
        for (int i = 0; i < call.args().size() && i < constructor.paramNames.size(); i++) {
            Node arg = call.args().get(i);
            if (PoolMakers.isAny(arg, scope, scan)) {
                kept(constructor, constructor.paramNames.get(i), arg, scope, scan);
            }
        }
    }

    private static Finding.Step step(SourceUnit unit, int pos, String what) {
        return new Finding.Step(new Finding.Place(unit.source.name(), Pos.line(pos), Pos.column(pos)), what);
    }

    /** Where the pool given to an object was made; null if it is not known. */
    private static Origins.Made pool(Node.New wrapper, Scope scope, Scan scan) {
        for (Node arg : wrapper.args()) {
            Origins.Made made = scan.origins().of(arg, scope);
            if (made != null && PoolMakers.isMaker(made.node(), made.scope(), scan)) {
                return made;
            }
            if (made != null && made.node() instanceof Node.Call call
                    && Tasks.target(call, made.scope(), scan) instanceof MethodDecl helper && helper.body != null) {
                return PoolMakers.returned(helper, PoolMakers::isMaker, scan);
            }
        }
        return null;
    }

    /** {@code return new Client(executor)}, by the class itself: the field that keeps it. */
    private void keptBy(Node.New made, Scope scope, Scan scan) {
        Type type = scan.typing().type(made, scope);
        TypeDecl decl = type == null || made.body() != null ? null : scan.typing().world.decl(type.name(),
                scope.unit());
        if (decl == null || decl != scope.type() || !scope.method().isStatic) {
            return;
        }
        for (MethodDecl constructor : decl.methods) {
            if (constructor.name.equals("<init>") && constructor.paramNames.size() == made.args().size()) {
                for (int i = 0; i < made.args().size(); i++) {
                    if (isPoolOrVariable(made.args().get(i), scope, scan)) {
                        kept(constructor, constructor.paramNames.get(i), made, scope, scan);
                    }
                }
            }
        }
    }

    /** Looks at the field that a constructor keeps its parameter in. */
    private void kept(MethodDecl constructor, String parameter, Node maker, Scope scope, Scan scan) {
        Code.any(constructor.body, node -> {
            if (node instanceof Node.Assign assign && assign.value() instanceof Node.Name name
                    && name.name().equals(parameter)) {
                field(assign.target(), maker, Scope.of(scope.method()), scope, scan);
            }
            return false;
        });
    }

    /** {@link Code#uses}, but for what only runs tasks on the executor it is given, as a Netty bootstrap does. */
    private static Set<String> uses(Node.Block block, String variable, Scope scope, Scan scan) {
        return Code.uses(block, variable, (around, node) -> around instanceof Node.Call call && (call.name()
                .endsWith("Async") || call.name().equals("group") || isOnlyUsedIn(call, node, scope.type()))
                || around instanceof Node.New made && made.type() != null
                        && made.type().simple().equals("ExecutorCompletionService"));
    }

    /** Passed to a method of the class, which does no more with it. */
    private static boolean isOnlyUsedIn(Node.Call call, String field, TypeDecl type) {
        return !is(call.on(), field) && call.args().stream().filter(arg -> is(arg, field))
                .allMatch(arg -> isOnlyUsedIn(call, arg, type));
    }

    /** A method of the class that runs tasks on the executor, and nothing else. */
    private static boolean isOnlyUsedIn(Node.Call call, Node executor, TypeDecl type) {
        MethodDecl own = Tasks.own(call, type);
        int index = call.args().indexOf(executor);
        Set<String> uses = own == null || index < 0 ? null : Code.uses(own.body, own.paramNames.get(index),
                (around, node) -> around instanceof Node.Call started && started.name().endsWith("Async"));
        return uses != null && uses.stream().noneMatch(ENDS::contains);
    }

    /**
     * {@code new Wrapper(Executors.newSingleThreadScheduledExecutor())} where the wrapper never shuts anything down.
     */
    private void wrapped(Node.New made, Scope scope, Scan scan) {
        Type type = scan.typing().type(made, scope);
        World world = scan.typing().world;
        if (type == null || made.body() != null || world.decl(type.name(), scope.unit()) == null
                || scope.method().isStatic) {
            return;
        }
        for (String name : world.supers(type.name())) {
            TypeDecl each = world.decl(name, scope.unit());
            if (each == null ? !name.startsWith("java.") : each.methods.stream()
                    .anyMatch(method -> !method.name.equals("<init>")
                    && (ENDS.contains(method.name) || Code.any(method.body, node -> node instanceof Node.Call call
                            && (call.name().startsWith("shutdown") || call.name().equals("close")))))) {
                return;
            }
        }
        scan.add(rule(), scope.method(), made.pos(), "the executor given to this " + made.type().simple()
                + " is never shut down: nobody else has it");
    }

    private static boolean hasPool(Node.New made, Scope scope, Scan scan) {
        return made.args().stream().anyMatch(arg -> isPoolOrVariable(arg, scope, scan));
    }

    private static boolean isPoolOrVariable(Node node, Scope scope, Scan scan) {
        if (!(node instanceof Node.Name name) || scope.find(name.name()) == null) {
            return PoolMakers.isPool(node, scope, scan);
        }
        Origins.Made made = scan.origins().of(node, scope);
        return made != null && PoolMakers.isPool(made.node(), made.scope(), scan);
    }

    /**
     * Whether the field is shut down or given away anywhere in its class and those around it and in it.
     *
     * @param byReturn whether a method or a function that returns it gives it away
     */
    private static boolean mayLeave(TypeDecl owner, String name, boolean byReturn, Scan scan) {
        for (TypeDecl type : owner.unit.types) {
            for (MethodDecl method : type.outermost() == owner.outermost() ? type.methods : List.<MethodDecl>of()) {
                if ((method.isStatic || method.paramNames.contains(name))
                        && !Code.any(method.body, node -> node instanceof Node.Select && is(node, name))) {
                    continue; // a variable of that name
                }
                Set<Node> returned = Collections.newSetFromMap(new IdentityHashMap<>());
                if (Code.any(method.body, node -> (node instanceof Node.Return value && isOneOf(value.value(), name)
                        && returned.add(value.value()) || leaves(node, name)) && !(returned.contains(node) && !byReturn)
                        && (byReturn || !(node instanceof Node.Return || node instanceof Node.Lambda))
                        && !(node instanceof Node.New made && isOnlyUsedBy(made, method, scan))
                        && !(node instanceof Node.Call call && isOnlyUsedIn(call, name, type)))) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Given to an object of the sources that shuts nothing down: it works with the executor and does not own it. */
    private static boolean isOnlyUsedBy(Node.New made, MethodDecl method, Scan scan) {
        World world = scan.typing().world;
        Type type = world.resolve(made.type(), method.owner.unit, method.owner, method);
        if (type == null || made.body() != null || world.decl(type.name(), method.owner.unit) == null) {
            return false;
        }
        return world.supers(type.name()).stream().map(name -> world.decl(name, method.owner.unit))
                .allMatch(each -> each == null
                || each.methods.stream().noneMatch(m -> Code.calls(m.body, "shutdown", "shutdownNow")));
    }

    private static boolean leaves(Node node, String name) {
        return switch (node) {
            case Node.Call call -> is(call.on(), name) && ENDS.contains(call.name()) || !call.name().endsWith("Async")
                    && call.args().stream().anyMatch(arg -> is(arg, name));
            case Node.New made -> made.args().stream().anyMatch(arg -> is(arg, name));
            case Node.Ref ref -> is(ref.on(), name) && ENDS.contains(ref.name());
            case Node.Return value -> is(value.value(), name) || isOneOf(value.value(), name);
            case Node.Assign assign -> is(assign.value(), name) && !is(assign.target(), name); // this.x = x
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

    /** {@code own == null ? standard : own}. */
    private static boolean isOneOf(Node node, String field) {
        return node instanceof Node.Choice choice && (is(choice.yes(), field) || is(choice.no(), field));
    }

    private static boolean is(Node node, String field) {
        return node instanceof Node.Name name && name.name().equals(field) || node instanceof Node.Select select
                && select.name().equals(field);
    }
}
