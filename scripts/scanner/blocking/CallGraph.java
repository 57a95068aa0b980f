package scanner.blocking;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.SourceUnit;
import scanner.source.TypeDecl;
import scanner.source.Walk;
import scanner.types.Api;
import scanner.types.Members;
import scanner.types.Origins;
import scanner.types.Type;
import scanner.types.Typing;

/** What a body does in its own thread: the calls it makes and the methods they may go to. */
public final class CallGraph {

    private static final int MAX_OVERRIDERS = 60;
    private static final int FEW = 4;
    private static final Set<String> DONE = Set.of("isDone", "isCompletedNormally", "isTerminated",
            "resultNow", "isSuccess", "getNow", "isCompletedExceptionally");

    /**
     * A call in a body.
     *
     * @param on       the receiver; null if unqualified
     * @param blocking null if the call itself is not in the catalogue
     * @param targets  methods of the sources it may go to
     * @param need     how many of the targets must block for the call to count as blocking
     * @param isOneOf  whether the targets implement one method, and are not overloads
     * @param args     what is passed
     * @param elsewhere whether it runs only where the code is known not to run in the context it has asked for
     * @param peer     whose output is passed: a process's or a socket's; null if nobody's
     */
    record Site(int pos, String what, Node on, Catalogue.Blocking blocking, List<MethodDecl> targets, int need,
            boolean isOneOf, List<Node> args, boolean elsewhere, Kind peer) {
        Site(int pos, String what, Node on, Catalogue.Blocking blocking, List<MethodDecl> targets, int need,
                boolean isOneOf, List<Node> args, boolean elsewhere) {
            this(pos, what, on, blocking, targets, need, isOneOf, args, elsewhere, null);
        }
    }

    private final Typing typing;
    private final Origins origins;
    private final Streams streams;
    private final Catalogue catalogue;
    private final boolean deep;
    private final Map<String, Integer> unknown = new HashMap<>();
    private final Map<MethodDecl, List<Site>> sites = new IdentityHashMap<>();
    private final Map<MethodDecl, List<MethodDecl>> overriders = new IdentityHashMap<>();
    private final Map<MethodDecl, Set<String>> invoked = new IdentityHashMap<>();

    public CallGraph(Typing typing, Origins origins, Catalogue catalogue, boolean deep) {
        this.typing = typing;
        this.origins = origins;
        this.streams = new Streams(origins);
        this.catalogue = catalogue;
        this.deep = deep;
    }

    /** How many calls on the ways that were followed go into which library that is not known. */
    public Map<String, Integer> unknown() {
        return unknown;
    }

    /** The head of a type's package: {@code org.acme.text} of {@code org.acme.text.io.Reader}. */
    private static String library(String type) {
        String[] parts = type.split("\\.");
        int length = 1;
        while (length < 3 && length < parts.length - 1 && Character.isLowerCase(parts[length].charAt(0))) {
            length++;
        }
        return String.join(".", java.util.Arrays.copyOf(parts, length));
    }

    /** The files of the code that a region may run, as far as it is followed. */
    public Set<SourceUnit> followed(Region region, int depth) {
        var seen = new IdentityHashMap<MethodDecl, Integer>();
        sites(region.body(), region.scope()).forEach(site -> follow(site, depth - 1, seen));
        var units = new LinkedHashSet<SourceUnit>();
        units.add(region.method().owner.unit);
        seen.keySet().forEach(method -> units.add(method.owner.unit));
        return units;
    }

    private void follow(Site site, int depth, Map<MethodDecl, Integer> seen) {
        for (MethodDecl target : site.targets()) {
            if (depth > seen.getOrDefault(target, 0)) {
                seen.put(target, depth);
                sites(target).forEach(next -> follow(next, depth - 1, seen));
            }
        }
    }

    List<Site> sites(MethodDecl method) {
        List<Site> known = sites.get(method);
        if (known == null) {
            known = method.body == null ? List.of() : sites(method.body, Scope.of(method));
            sites.put(method, known);
        }
        return known;
    }

    /** Of a part of a body. */
    List<Site> sites(Node body, Scope scope) {
        var found = new ArrayList<Site>();
        var done = new ArrayList<Node>();
        var where = new Where(body, catalogue);
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope at) {
                switch (node) {
                    case Node.Lambda lambda -> {
                        return lambda == body || isInline(path.isEmpty() ? null : path.getLast(), lambda, at);
                    }
                    case Node.Call call -> {
                        if (call.on() != null && DONE.contains(call.name())) {
                            done.add(call.on());
                        }
                        if (!isGuarded(path, call) && done.stream().noneMatch(asked -> Code.same(asked, call.on()))) {
                            add(call, at, where.isElsewhere(path, node), found);
                        }
                    }
                    case Node.New made -> {
                        boolean elsewhere = where.isElsewhere(path, node);
                        add(made, at, elsewhere, found);
                        if (made.body() != null && isInline(path.isEmpty() ? null : path.getLast(), made, at)) {
                            List<MethodDecl> run = made.body().methods.stream().filter(m -> RUN.contains(m.name))
                                    .toList();
                            found.add(new Site(made.pos(), Code.text(made), null, null, run, 1, true, List.of(),
                                    elsewhere));
                        }
                    }
                    case Node.Ref ref -> {
                        if (ref == body || isInline(path.isEmpty() ? null : path.getLast(), ref, at)) {
                            add(ref, at, where.isElsewhere(path, node), found);
                        }
                    }
                    default -> { }
                }
                return true;
            }
        }.walk(body, scope);
        return found;
    }

    /** Under {@code if (future.isDone())} a get does not wait. */
    public static boolean isGuarded(List<Node> path) {
        for (int i = path.size() - 1; i >= 0; i--) {
            Node test = switch (path.get(i)) {
                case Node.If choice -> choice.test();
                case Node.Choice choice -> choice.test();
                default -> null;
            };
            if (test != null && asks(test)) {
                return true;
            }
        }
        return false;
    }

    /** What is asked is the future that the call waits for or passes on, or the object itself. */
    private static boolean isGuarded(List<Node> path, Node.Call call) {
        for (Node around : path) {
            Node test = around instanceof Node.If choice ? choice.test()
                    : around instanceof Node.Choice choice ? choice.test() : null;
            if (test != null && Code.any(test, node -> node instanceof Node.Call asked && DONE.contains(asked.name())
                    && (asked.on() == null || Code.isThis(asked.on()) || isOf(asked.on(), call.on())
                            || call.args().stream().anyMatch(arg -> isOf(asked.on(), arg))))) {
                return true;
            }
        }
        return false;
    }

    /** The same variable, or what a cast or a conversion makes of it. */
    private static boolean isOf(Node asked, Node used) {
        return Code.same(asked, used) || asked instanceof Node.Call && Code.text(asked).equals(Code.text(used))
                || used instanceof Node.Cast cast && isOf(asked, cast.value())
                || used instanceof Node.Call call && call.name().startsWith("to") && isOf(asked, call.on())
                || asked instanceof Node.Call each && each.on() != null && isOf(each.on(), used);
    }

    private static boolean asks(Node test) {
        return switch (test) {
            case Node.Not not -> asks(not.value());
            case Node.Call call -> DONE.contains(call.name()) || call.on() != null && asks(call.on());
            case Node.Other other -> other.parts().stream().anyMatch(CallGraph::asks);
            default -> false;
        };
    }

    private void add(Node.Call call, Scope scope, boolean elsewhere, List<Site> found) {
        Type receiver = typing.receiver(call, scope);
        Members.Found target = receiver == null || receiver.isArray() ? null : typing.best(receiver, call, scope);
        List<MethodDecl> targets = List.of();
        int need = 1;
        if (target != null && target.source() != null) {
            boolean isSuper = call.on() instanceof Node.Name name && name.name().equals("super");
            targets = targets(target.source(), isSuper, receiver);
            need = deep || target.source().body != null ? 1 : targets.size() / 2 + 1;
        }
        if (deep && target != null && target.source() == null && call.on() != null) {
            targets = ofArguments(typing.type(call.on(), scope), call, scope);
        }
        boolean followed = target != null && target.source() != null && target.source().body != null;
        Catalogue.Blocking blocking = followed || isZero(call) ? null : catalogue.mayBlock(call.name())
                ? catalogue.blocking(typing.world, call.on() == null && target == null ? unqualified(call, receiver,
                scope)
                        : receiver, call.name(), call.args().size()) : null;
        blocking = blocking == null && !followed ? catalogue.blocking(typing.world, receiver, call.name()) : blocking;
        boolean isUnknown = blocking == null && target == null && receiver != null
                && typing.world.isForeign(receiver);
        if (isUnknown) {
            unknown.merge(library(receiver.name()), 1, Integer::sum);
        }
        boolean isNamed = isUnknown ? WAITS.matcher(call.name()).matches()
                : isNative(target) && NATIVE.matcher(call.name()).matches();
        if (deep && blocking == null && isNamed) {
            blocking = new Catalogue.Blocking(Kind.NAMED, new Api(receiver.name(), call.name(), -1));
        }
        blocking = blocking == null ? null : refined(call, blocking, scope);
        if (blocking != null || !targets.isEmpty()) {
            found.add(new Site(call.pos(), what(receiver, call.name(), blocking), call.on(), blocking, targets, need,
                    true, call.args(), elsewhere, targets.isEmpty() ? null : peer(call.args(), scope)));
        }
    }

    private static final Pattern WAITS = Pattern.compile("await.*|.*Await|waitFor.*|.*(AndWait|Sync|Blocking)|"
            + "blocking.*|connect|login|authenticate|handshake|fetch.*|download.*|upload.*|executeQuery|executeUpdate|"
            + "query|send(Message|Request|AndReceive|Command)?|invoke(Sync)?|receive|acquire|lock|flush|commit|enqueue|"
            + "sleep.*");
    private static final Pattern NATIVE = Pattern.compile("accept|connect|read|write|recv.*|send.*|poll|select|wait.*|"
            + "lock|open|sleep.*");

    private static boolean isNative(Members.Found target) {
        return target != null && target.source() != null && target.source().isStatic && target.source().body == null;
    }

    private Kind peer(List<Node> args, Scope scope) {
        for (Node arg : args) {
            boolean mayBe = arg instanceof Node.Call || arg instanceof Node.New || arg instanceof Node.Name name
                    && scope.find(name.name()) instanceof Scope.Typed typed && typed.type() != null
                    && (typed.type().simple().endsWith("Stream") || typed.type().simple().endsWith("Reader"));
            Kind peer = mayBe ? streams.peer(arg, scope) : null;
            if (peer != null) {
                return peer;
            }
        }
        return null;
    }

    /**
     * On a type parameter of the class: the methods of all that is written for it in the sources, {@code
     * PeerMap<NettyProxy>}.
     */
    private List<MethodDecl> ofArguments(Type parameter, Node.Call call, Scope scope) {
        if (parameter == null || !parameter.isParameter()) {
            return List.of();
        }
        var found = new LinkedHashSet<MethodDecl>();
        for (TypeDecl type = scope.type(); type != null; type = type.outer) {
            if (type.params.containsKey(parameter.name().substring(1))) {
                int index = List.copyOf(type.params.keySet()).indexOf(parameter.name().substring(1));
                for (Type argument : typing.world.arguments(type, index)) {
                    for (Members.Found each : typing.members.methods(argument, call.name(), call.args().size(),
                            scope.unit())) {
                        if (each.source() != null) {
                            found.addAll(targets(each.source(), false, argument));
                        }
                    }
                }
            }
        }
        return found.size() > MAX_OVERRIDERS ? List.of() : List.copyOf(found);
    }

    /** What the place tells that made the receiver: null for memory and queues without a bound, a file for a stream. */
    private Catalogue.Blocking refined(Node.Call call, Catalogue.Blocking blocking, Scope scope) {
        return switch (blocking.kind()) {
            case STREAM -> {
                Kind kind = streams.behind(call.on(), scope);
                yield kind == null ? null : new Catalogue.Blocking(kind, blocking.api());
            }
            case DNS -> call.args().stream().anyMatch(Reach::isAddress) ? null : blocking;
            case AWAIT -> (call.name().startsWith("put") || call.name().startsWith("offer"))
                    && origins.isUnbounded(call.on(), scope)
                    ? null : blocking;
            case NET -> call.name().equals("createSocket") && typing.world.isA(typing.type(call.args().get(0), scope),
                    "java.net.Socket") ? null : blocking; // over one that is connected
            case REACTIVE -> blocking.api().type().equals("?") && call.name().equals("block")
                    && !isReactive(scope.unit())
                    ? null : blocking;
            default -> blocking;
        };
    }

    /** In a file without a reactive library {@code block()} is something else. */
    private static boolean isReactive(SourceUnit unit) {
        return unit.imports.values().stream().anyMatch(name -> name.startsWith("reactor.") || name.contains("eactive"));
    }

    /** {@code wait()} is Object's whatever the class extends. */
    private static Type unqualified(Node.Call call, Type receiver, Scope scope) {
        return receiver == null ? Typing.self(scope.type()) : receiver;
    }

    private void add(Node.New made, Scope scope, boolean elsewhere, List<Site> found) {
        if (made.type() == null) {
            return;
        }
        Type type = typing.type(made, scope);
        Catalogue.Blocking blocking = catalogue.blocking(typing.world, type, "new", made.args().size());
        if (blocking != null && blocking.kind() == Kind.DNS && !isHost(made.args().get(0), scope)) {
            blocking = null;
        }
        var targets = new ArrayList<MethodDecl>();
        TypeDecl decl = made.body() != null ? made.body() : type == null ? null : typing.world.decl(type.name(),
                scope.unit());
        if (decl != null) {
            Members.Found constructor = typing.best(typing.members.methods(Type.of(decl.name), "<init>", made.args()
                    .size(), scope.unit()),
                    made.args(), scope);
            if (constructor != null && constructor.source() != null) {
                targets.add(constructor.source());
            }
            decl.methods.stream().filter(m -> m.name.equals("<block>")).forEach(targets::add);
        }
        if (blocking != null && decl == null || !targets.isEmpty()) {
            found.add(new Site(made.pos(), "new " + made.type().simple(), null, decl == null ? blocking : null,
                    targets, 1, true,
                    made.args(), elsewhere));
        }
    }

    /** A name that is looked up, not an address. */
    private boolean isHost(Node host, Scope scope) {
        return !(host instanceof Node.Literal) && Type.STRING.equals(typing.type(host, scope));
    }

    private void add(Node.Ref ref, Scope scope, boolean elsewhere, List<Site> found) {
        Type on = typing.type(ref.on(), scope);
        if (on == null || ref.name().equals("new")) {
            return;
        }
        List<Members.Found> methods = typing.members.methods(on, ref.name(), -1, scope.unit());
        var targets = new ArrayList<MethodDecl>(); // of overloads any may be meant: most have to block
        for (Members.Found each : methods) {
            if (each.source() != null) {
                targets.addAll(targets(each.source(), false, on));
            }
        }
        boolean followed = !methods.isEmpty() && methods.get(0).source() != null && methods.get(0)
                .source().body != null;
        boolean isOverloaded = methods.stream().map(Members.Found::params).distinct().count() > 1;
        Catalogue.Blocking blocking = followed ? null : catalogue.blocking(typing.world, on, ref.name(),
                isOverloaded ? methods.stream().mapToInt(Members.Found::params).min().getAsInt() : -1);
        if (blocking != null || !targets.isEmpty()) {
            int need = isOverloaded || !deep ? targets.size() / 2 + 1 : 1;
            found.add(new Site(ref.pos(), what(on, ref.name(), blocking), ref.on(), blocking, targets, need,
                    !isOverloaded, List.of(), elsewhere));
        }
    }

    private static String what(Type receiver, String method, Catalogue.Blocking blocking) {
        String type = blocking != null && !blocking.api().type().matches("[?*].*") ? blocking.api().type()
                : receiver == null ? "" : receiver.name();
        String simple = type.substring(type.lastIndexOf('.') + 1);
        return simple.isEmpty() || simple.startsWith("$") ? method + "()" : simple + "." + method + "()";
    }

    private static boolean isZero(Node.Call call) {
        return !call.args().isEmpty() && call.args().get(0) instanceof Node.Literal literal
                && literal.value() instanceof Number number
                && number.longValue() == 0 && !call.name().equals("wait") && !call.name().equals("join");
    }

    private List<MethodDecl> targets(MethodDecl method, boolean isSuper, Type receiver) {
        if (method.isStatic || method.isPrivate || method.isFinal || method.owner.isFinal || isSuper) {
            return method.body == null ? List.of() : List.of(method);
        }
        List<MethodDecl> below = overriders(method);
        if (method.body != null) {
            if (!deep || below.isEmpty()) {
                return List.of(method);
            }
            var all = new ArrayList<MethodDecl>(below.size() + 1);
            all.add(method);
            all.addAll(below);
            return all;
        }
        return deep || below.size() <= FEW ? below : List.of();
    }

    /** Methods with a body that override one, in subtypes; those of tests only for tests. */
    private List<MethodDecl> overriders(MethodDecl method) {
        List<MethodDecl> known = overriders.get(method);
        if (known == null) {
            var found = new LinkedHashSet<MethodDecl>();
            collect(method, method.owner, found, new LinkedHashSet<>());
            found.removeIf(m -> m.owner.unit.isTest && !method.owner.unit.isTest);
            known = found.size() > MAX_OVERRIDERS ? List.of() : List.copyOf(found);
            overriders.put(method, known);
        }
        return known;
    }

    private void collect(MethodDecl method, TypeDecl type, Set<MethodDecl> found, Set<TypeDecl> seen) {
        for (TypeDecl sub : typing.world.subtypes(type.name)) {
            if (!seen.add(sub)) {
                continue;
            }
            boolean declares = false;
            for (MethodDecl each : sub.methods) {
                if (each.name.equals(method.name) && Members.sameParams(each, method)) {
                    declares = true;
                    if (each.body != null) {
                        found.add(each);
                    }
                }
            }
            if (!declares && method.body == null) {
                // the implementation may be inherited: class A extends Base implements I
                for (Type parent : typing.world.parents(sub)) {
                    for (Members.Found inherited : typing.members.methods(parent, method.name,
                            method.paramTypes.size(), sub.unit)) {
                        if (inherited.source() != null && inherited.source().body != null
                                && inherited.source() != method
                                && Members.sameParams(inherited.source(), method)) {
                            found.add(inherited.source());
                        }
                    }
                }
            }
            collect(method, sub, found, seen);
        }
    }

    // functions passed to methods that call them

    private boolean isInline(Node around, Node function, Scope scope) {
        if (!(around instanceof Node.Call call)) {
            return false;
        }
        Type receiver = typing.receiver(call, scope);
        if (receiver == null) {
            return false;
        }
        if (catalogue.isInline(typing.world, receiver, call.name())) {
            return true;
        }
        int position = indexOf(call.args(), function);
        Members.Found target = receiver.isArray() || position < 0 ? null : typing.best(receiver, call, scope);
        return target != null && target.source() != null && position < target.source().paramNames.size()
                && invoked(target.source()).contains(target.source().paramNames.get(position));
    }

    private static int indexOf(List<Node> args, Node arg) {
        for (int i = 0; i < args.size(); i++) {
            if (args.get(i) == arg) {
                return i;
            }
        }
        return -1;
    }

    /** Parameters that a method calls itself: {@code action.run()}. */
    private Set<String> invoked(MethodDecl method) {
        Set<String> known = invoked.get(method);
        if (known == null) {
            var names = new LinkedHashSet<String>();
            new Walk() {
                @Override
                protected boolean visit(Node node, Scope scope) {
                    if (node instanceof Node.Call call && call.on() instanceof Node.Name name
                            && method.paramNames.contains(name.name())
                            && RUN.contains(call.name())) {
                        names.add(name.name());
                    }
                    return !(node instanceof Node.Lambda);
                }
            }.walkMethod(method);
            known = names;
            invoked.put(method, known);
        }
        return known;
    }

    private static final Set<String> RUN = Set.of("run", "call", "get", "apply", "accept", "test", "execute", "invoke");
}
