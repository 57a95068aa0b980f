package scanner.blocking;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.TypeDecl;
import scanner.source.Walk;
import scanner.types.Origins;
import scanner.types.Type;
import scanner.types.Typing;

/** Finds the code that runs where blocking hurts. */
public final class Contexts {

    private static final Set<String> LOOP_GUARDS = Set.of("inEventLoop", "isOnEventLoopThread", "isEventLoopContext");

    private final Typing typing;
    private final Catalogue catalogue;
    private final Origins origins;

    public Contexts(Typing typing, Catalogue catalogue, Origins origins) {
        this.typing = typing;
        this.catalogue = catalogue;
        this.origins = origins;
    }

    public void find(MethodDecl method, Consumer<Region> regions) {
        if (method.body == null) {
            return;
        }
        if (method.isSynchronized) {
            regions.accept(region("blocking-under-monitor", method.pos, "synchronized " + method.name + "()", method,
                    method.body, Scope.of(method), false));
        }
        if (method.name.equals("<clinit>")) {
            regions.accept(region("blocking-in-class-initializer", method.pos, "the static initialiser of "
                    + method.owner.simpleName(),
                    method, method.body, Scope.of(method), false));
        }
        overridden(method, regions);
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope scope) {
                if (node instanceof Node.Block block) {
                    locked(block, scope, method, regions);
                } else if (node instanceof Node.Sync sync) {
                    regions.accept(region("blocking-under-monitor", sync.pos(), "a synchronized block", method,
                            sync.body(),
                            scope, false));
                } else if (node instanceof Node.Call call && !call.args().isEmpty()) {
                    passed(call, scope, path, method, regions);
                }
                return true;
            }
        }.walkMethod(method);
    }

    // locks

    /**
     * What stands between {@code lock()} and {@code unlock()}: a finding where a task of the same class takes that lock
     * too.
     */
    private void locked(Node.Block block, Scope scope, MethodDecl method, Consumer<Region> regions) {
        for (int i = 0; i < block.statements().size(); i++) {
            if (block.statements().get(i) instanceof Node.Drop drop && drop.value() instanceof Node.Call taken
                    && isLock(taken, scope)) {
                List<Node> under = new ArrayList<>();
                for (Node next : block.statements().subList(i + 1, block.statements().size())) {
                    if (next instanceof Node.Drop last && last.value() instanceof Node.Call call && call.name()
                            .equals("unlock")) {
                        break;
                    }
                    under.add(next instanceof Node.Try attempt && Code.calls(attempt.last(), "unlock") ? attempt.body()
                            : next);
                    if (under.getLast() != next) {
                        break;
                    }
                }
                var body = new Node.Block(taken.pos(), List.copyOf(under));
                String what = "the code under " + Code.text(taken.on());
                if (isTakenByTask(method.owner, taken.on())) {
                    regions.accept(new Region("blocking-under-lock", taken.pos(), what
                            + ", which a task of this class takes too", method, body,
                            scope, EnumSet.of(Kind.AWAIT), false, Set.of()));
                }
                regions.accept(region("blocking-under-lock", taken.pos(), what, method, body, scope, true));
            }
        }
    }

    private boolean isLock(Node.Call call, Scope scope) {
        return call.on() != null && (call.name().equals("lock") || call.name().equals("lockInterruptibly"))
                && typing.world.isA(typing.type(call.on(), scope), "java.util.concurrent.locks.Lock");
    }

    /** Whether a function or an object made in the same file takes the lock when it is called. */
    private static boolean isTakenByTask(TypeDecl owner, Node lock) {
        for (TypeDecl type : owner.unit.types) {
            for (MethodDecl method : type.methods) {
                boolean isOfTask = FUNCTIONS.contains(method.name) && type.within != null;
                if (isOfTask && takes(method.body, lock, type, 1) || Code.any(method.body, node -> switch (node) {
                    case Node.Lambda lambda -> takes(lambda.body(), lock, type, 1);
                    case Node.Ref ref when ref.on() instanceof Node.Name self && self.name()
                            .equals("this") -> takes(ref.name(), lock, type, 1);
                    default -> false;
                })) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean takes(Node body, Node lock, TypeDecl type, int depth) {
        return Code.any(body, node -> node instanceof Node.Call call && (call.name().startsWith("lock")
                && isSameLock(call.on(), lock)
                || depth > 0 && call.on() == null && takes(call.name(), lock, type, depth - 1)));
    }

    private static boolean takes(String method, Node lock, TypeDecl type, int depth) {
        return type.methods.stream().anyMatch(each -> each.name.equals(method) && takes(each.body, lock, type, depth));
    }

    /** {@code lock.writeLock()} and {@code lock.readLock()} are the same here. */
    private static boolean isSameLock(Node a, Node b) {
        return Code.same(a, b) || a instanceof Node.Call x && b instanceof Node.Call y && Code.same(x.on(), y.on());
    }

    private Region region(String rule, int pos, String what, MethodDecl method, Node body, Scope scope, boolean weak) {
        Set<String> done = isListener(what) ? Set.copyOf(method.paramNames) : Set.of();
        return new Region(rule, pos, what, method, body, scope, catalogue.kinds(rule), weak, done);
    }

    /** A listener is given a future that is done. */
    private static boolean isListener(String what) {
        return what.contains("listener");
    }

    // methods that are called in a context

    private void overridden(MethodDecl method, Consumer<Region> regions) {
        if (method.isStatic || method.isPrivate || method.name.startsWith("<") || isGuarded(method)) {
            return;
        }
        var told = new HashSet<String>();
        for (Catalogue.Context context : catalogue.overrides(method.name)) {
            if (typing.world.supers(method.owner.name).contains(context.api().type()) && told.add(context.rule())) {
                regions.accept(region(context.rule(), method.pos, method.name + "(), " + context.what(), method,
                        method.body,
                        Scope.of(method), context.weak()));
            }
        }
        for (Catalogue.Context context : catalogue.annotated()) {
            String simple = context.api().type().substring(context.api().type().lastIndexOf('.') + 1);
            if (method.isAnnotated(simple) && told.add(context.rule())) {
                regions.accept(region(context.rule(), method.pos, method.name + "(), " + context.what(), method,
                        method.body,
                        Scope.of(method), context.weak()));
            }
        }
        for (Catalogue.Context context : catalogue.returns()) {
            String simple = context.api().type().substring(context.api().type().lastIndexOf('.') + 1);
            if (method.returns != null && method.returns.simple().equals(simple) && (context.api().method().equals("*")
                    || method.owner.annotations.stream().anyMatch(a -> a.simple().equals(context.api().method())))
                    && typing.world.isA(typing.world.resolve(method.returns, method.owner.unit, method.owner, method),
                    context.api().type())
                    && told.add(context.rule())) {
                regions.accept(region(context.rule(), method.pos, method.name + "(), " + context.what(), method,
                        method.body,
                        Scope.of(method), context.weak()));
            }
        }
    }

    /** Whether a body asks where it runs: it then knows what it does. */
    private static boolean isGuarded(MethodDecl method) {
        var found = new boolean[1];
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope scope) {
                found[0] |= node instanceof Node.Call call && LOOP_GUARDS.contains(call.name());
                return !found[0];
            }
        }.walkMethod(method);
        return found[0];
    }

    // functions that are passed to a method

    private void passed(Node.Call call, Scope scope, List<Node> path, MethodDecl method, Consumer<Region> regions) {
        boolean mayStream = !catalogue.anyCalls().isEmpty() && call.on() instanceof Node.Call;
        if (!catalogue.mayRun(call.name()) && !mayStream || !hasFunction(call, scope)) {
            return;
        }
        Type receiver = typing.receiver(call, scope);
        if (receiver == null) {
            return;
        }
        var contexts = new ArrayList<Catalogue.Context>(catalogue.calls(call.name()));
        contexts.addAll(catalogue.anyCalls());
        var told = new HashSet<String>();
        if (contexts.stream().anyMatch(context -> context.rule().equals("blocking-on-event-loop"))
                && isGuarded(method)) {
            contexts.removeIf(context -> context.rule().equals("blocking-on-event-loop"));
        }
        for (Catalogue.Context context : contexts) {
            if (context.api().fits(call.name(), call.args().size()) && Catalogue.matches(typing.world, receiver,
                    context.api().type())
                    && isChained(context, call, path) && (context.from().isEmpty() || call.on() != null
                            && origins.isMadeBy(call.on(), scope, context.from())) && told.add(context.rule())) {
                boolean isAlone = context.rule().equals("blocking-on-timer-thread") && isOnlyTask(call, scope);
                for (Node argument : call.args()) {
                    function(argument, isAlone ? context.asLead() : context, call, scope, method, path, regions);
                }
            }
        }
    }

    /** A periodic task that has the scheduler of its object to itself: no other is late. */
    private static boolean isOnlyTask(Node.Call call, Scope scope) {
        String name = call.on() instanceof Node.Name plain ? plain.name() : call.on() instanceof Node.Select select
                ? select.name() : null;
        TypeDecl.FieldDecl field = name == null || scope.find(name) != null ? null : scope.type().field(name);
        return field != null && !field.isStatic() && (call.name().startsWith("scheduleWith") || call.name()
                .startsWith("scheduleAt"))
                && scope.unit().types.stream().flatMap(type -> type.methods.stream())
                .filter(method -> Code.any(method.body, node ->
                        node instanceof Node.Call other && TASKS.contains(other.name()) && Code.same(other.on(),
                                call.on()) && other != call))
                .findAny().isEmpty();
    }

    private static final Set<String> TASKS = Set.of("schedule", "scheduleAtFixedRate", "scheduleWithFixedDelay",
            "execute", "submit");

    private static boolean hasFunction(Node.Call call, Scope scope) {
        for (Node each : call.args()) {
            if (each instanceof Node.Lambda || each instanceof Node.Ref || each instanceof Node.Name
                    || each instanceof Node.New) {
                return true;
            }
        }
        return false;
    }

    private void function(Node argument, Catalogue.Context context, Node.Call call, Scope scope, MethodDecl method,
            List<Node> path,
                          Consumer<Region> regions) {
        String what = call.name() + "(), " + context.what();
        EnumSet<Kind> kinds = catalogue.kinds(context.rule());
        if (context.rule().equals("blocking-in-callback")) {
            Set<String> chain = chain(call, path);
            if (chain.contains("allOf") || isMadeByAllOf(call, scope)) {
                kinds = EnumSet.copyOf(kinds);
                kinds.remove(Kind.AWAIT); // they are all done by then
            }
            if (runsOnOwnExecutor(call)) {
                return;
            }
        }
        Set<String> done = doneBy(call, scope, 0);
        Node body = argument;
        Scope at = scope;
        if (argument instanceof Node.Name || argument instanceof Node.New) {
            Origins.Made made = origins.of(argument, scope);
            if (made == null) {
                return;
            }
            body = made.node();
            at = made.scope();
        }
        int position = call.args().indexOf(argument);
        switch (body) {
            case Node.Lambda lambda -> regions.accept(new Region(context.rule(), call.pos(), what, method,
                    lambda.body(),
                    Walk.lambdaScope(lambda, body == argument ? call : null, position, null, at), kinds, context.weak(),
                    isListener(context.what()) ? Set.copyOf(lambda.params()) : done));
            case Node.Ref ref -> regions.accept(new Region(context.rule(), call.pos(), what, method, ref, at, kinds,
                    context.weak(), Set.of()));
            case Node.New made -> made(made, context, what, at, kinds, regions);
            default -> { }
        }
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
        if (name != null && scope.find(name) != null) {
            done.add(name);
            Origins.Made made = depth > 2 ? null : origins.of(head, scope);
            if (made != null && made.node() instanceof Node.Call maker) {
                done.addAll(doneBy(maker, made.scope(), depth + 1));
            }
        }
        return done;
    }

    private static final Set<String> EITHER = Set.of("applyToEither", "acceptEither", "runAfterEither", "anyOf");
    private static final Set<String> BOTH = Set.of("thenCombine", "thenAcceptBoth", "runAfterBoth", "allOf");

    /** The variable behind {@code future} or {@code future.toCompletableFuture()}. @return null if it is none. */
    static String future(Node node) {
        return node instanceof Node.Call call && call.name().equals("toCompletableFuture") ? future(call.on())
                : node instanceof Node.Name name ? name.name() : null;
    }

    /** An object that is the function: {@code executor.execute(new Task())}. */
    private void made(Node.New made, Catalogue.Context context, String what, Scope scope, EnumSet<Kind> kinds,
            Consumer<Region> regions) {
        Type type = made.body() == null ? typing.type(made, scope) : null;
        TypeDecl decl = made.body() != null ? made.body() : type == null ? null : typing.world.decl(type.name(),
                scope.unit());
        if (decl == null) {
            return;
        }
        for (MethodDecl each : decl.methods) {
            if (each.body != null && FUNCTIONS.contains(each.name)) {
                regions.accept(new Region(context.rule(), each.pos, what, each, each.body, Scope.of(each), kinds,
                        context.weak(),
                        isListener(what) ? Set.copyOf(each.paramNames) : Set.of()));
            }
        }
    }

    private static final Set<String> FUNCTIONS = Set.of("run", "call", "apply", "accept", "get", "test", "handle",
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

    private static boolean isChained(Catalogue.Context context, Node.Call call, List<Node> path) {
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
