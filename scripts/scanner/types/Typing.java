package scanner.types;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.SourceUnit;
import scanner.source.TypeDecl;
import scanner.source.TypeName;
import scanner.source.Walk;

/** Works out the type of an expression where it stands, when a rule asks. */
public final class Typing {

    private static final int MAX_DEPTH = 60;
    private static final int CACHE = 300_000;

    public final World world;
    public final Members members;
    private final Library library;
    private final Map<Node, Type> cache = new IdentityHashMap<>();
    /** What was too deep to be worked out, until the next question: a chain asks for each link twice. */
    private final Map<Node, Type> cut = new IdentityHashMap<>();
    private boolean isCut;
    private final Map<TypeDecl, Scope> captured = new IdentityHashMap<>();
    private int depth;

    public Typing(World world, Library library) {
        this.world = world;
        this.members = new Members(world);
        this.library = library;
    }

    /** Of a value, or the type that is named. @return null if unknown. */
    public Type type(Node node, Scope scope) {
        if (node == null) {
            return null;
        }
        if (depth > MAX_DEPTH) {
            isCut = true;
            return null;
        }
        if (!(node instanceof Node.Call)) {
            return compute(node, scope);
        }
        if (cache.containsKey(node)) {
            return cache.get(node);
        }
        if (cut.containsKey(node)) {
            isCut = true;
            return cut.get(node);
        }
        boolean wasCut = isCut;
        isCut = false;
        Type type = compute(node, scope);
        if (cache.size() > CACHE) {
            cache.clear();
        }
        (isCut ? cut : cache).put(node, type);
        isCut |= wasCut;
        if (depth == 0) {
            cut.clear();
            isCut = false;
        }
        return type;
    }

    private Type compute(Node node, Scope scope) {
        depth++;
        try {
            return switch (node) {
                case Node.Call call -> call(call, scope);
                case Node.New made -> made.body() != null && made.type() == null ? null
                        : world.resolve(made.type(), scope.unit(), scope.type(), scope.method());
                case Node.Name name -> name(name.name(), scope);
                case Node.Select select -> select(select, scope);
                case Node.Literal literal -> literal.type() == null ? null : Type.of(literal.type().name());
                case Node.Cast cast -> world.resolve(cast.type(), scope.unit(), scope.type(), scope.method());
                case Node.NewArray array -> world.resolve(array.type(), scope.unit(), scope.type(), scope.method());
                case Node.Index index -> {
                    Type array = type(index.array(), scope);
                    yield array != null && array.isArray() ? array.arg(0) : null;
                }
                case Node.Choice choice -> {
                    Type yes = type(choice.yes(), scope);
                    yield yes == null ? type(choice.no(), scope) : yes;
                }
                case Node.Other other -> other.type() != null ? Type.of(other.type().name())
                        : other.parts().size() == 1 ? type(other.parts().get(0), scope) : null;
                case Node.Not not -> Type.of("boolean");
                case Node.Assign assign -> type(assign.value(), scope);
                case Node.Block block -> null;
                default -> null;
            };
        } finally {
            depth--;
        }
    }

    // names

    private Type name(String name, Scope scope) {
        if (name.equals("this")) {
            return self(scope.type());
        }
        if (name.equals("super")) {
            List<Type> parents = world.parents(scope.type());
            return parents.isEmpty() ? Type.OBJECT : parents.get(0);
        }
        Type variable = variable(name, scope);
        if (variable != null || isVariable(name, scope)) {
            return variable;
        }
        String type = world.qualify(name, scope.unit(), scope.type());
        return type == null ? null : Type.of(type);
    }

    public static Type self(TypeDecl type) {
        var args = new ArrayList<Type>();
        type.params.keySet().forEach(p -> args.add(Type.of("'" + p)));
        return new Type(type.name, args, false);
    }

    private boolean isVariable(String name, Scope scope) {
        return Character.isLowerCase(name.charAt(0)) && scope.find(name) != null;
    }

    private Type variable(String name, Scope scope) {
        Scope.Variable local = scope.find(name);
        if (local != null) {
            return variable(local);
        }
        for (TypeDecl type = scope.type(); type != null; type = type.outer) {
            var field = members.field(type.name, name, type.unit, 0);
            if (field != null) {
                return field(field.getKey(), field.getValue());
            }
            if (type.within != null) {
                Scope around = scopeOf(type);
                if (around != null && around.find(name) != null) {
                    return variable(around.find(name));
                }
            }
            Type inherited = inheritedField(type, name);
            if (inherited != null) {
                return inherited;
            }
        }
        String holder = scope.unit().staticImports.get(name);
        return holder == null ? null : fieldOf(Type.of(holder), name, scope.unit());
    }

    private Type inheritedField(TypeDecl type, String name) {
        for (String parent : world.supers(type.name)) {
            Class<?> jdk = world.jdk.find(parent);
            if (jdk != null && jdk != Object.class) {
                for (var field : jdk.getFields()) {
                    if (field.getName().equals(name)) {
                        return Jdk.type(field.getGenericType());
                    }
                }
            }
        }
        return null;
    }

    Type variable(Scope.Variable variable) {
        if (depth > MAX_DEPTH) {
            return null;
        }
        return switch (variable) {
            case Scope.Typed typed -> world.resolve(typed.type(), typed.scope().unit(), typed.scope().type(),
                    typed.scope().method());
            case Scope.Inferred inferred -> type(inferred.init(), inferred.scope());
            case Scope.Element element -> element(type(element.in(), element.scope()));
            case Scope.LambdaParam param -> param(param);
        };
    }

    private Type field(TypeDecl owner, TypeDecl.FieldDecl field) {
        return world.resolve(field.type(), owner.unit, owner, (MethodDecl) null);
    }

    private Type element(Type collection) {
        if (collection == null) {
            return null;
        }
        if (collection.isArray()) {
            return collection.arg(0);
        }
        for (Members.Found found : members.methods(collection, "iterator", 0, null)) {
            Type iterator = result(found, Map.of());
            if (iterator != null && iterator.arg(0) != null) {
                return iterator.arg(0);
            }
        }
        return null;
    }

    /** The variables in reach where a local or anonymous class is declared. */
    Scope scopeOf(TypeDecl local) {
        if (captured.containsKey(local)) {
            return captured.get(local);
        }
        captured.put(local, null);
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope scope) {
                if (node instanceof Node.New made && made.body() != null) {
                    captured.put(made.body(), scope);
                } else if (node instanceof Node.LocalType type) {
                    captured.put(type.type(), scope);
                }
                return true;
            }
        }.walkMethod(local.within);
        return captured.get(local);
    }

    private Type select(Node.Select select, Scope scope) {
        switch (select.name()) {
            case "class" -> {
                return new Type("java.lang.Class", java.util.Collections.singletonList(type(select.on(), scope)),
                        false);
            }
            case "this", "super" -> {
                return type(select.on(), scope);
            }
            default -> { }
        }
        String dotted = dotted(select);
        if (dotted != null && !isValue(dotted, scope)) {
            String name = world.qualify(dotted, scope.unit(), scope.type());
            if (name != null && (world.exists(name) || name.indexOf('.') > 0 && Character.isUpperCase(select.name()
                    .charAt(0))
                    && !select.name().equals(select.name().toUpperCase(java.util.Locale.ROOT)))) {
                return Type.of(name);
            }
        }
        Type on = type(select.on(), scope);
        return on == null ? null : on.isArray() ? Type.of("int") : fieldOf(on, select.name(), scope.unit());
    }

    private boolean isValue(String dotted, Scope scope) {
        String head = dotted.substring(0, dotted.indexOf('.'));
        return head.equals("this") || variable(head, scope) != null || scope.find(head) != null;
    }

    private static String dotted(Node node) {
        return switch (node) {
            case Node.Name name -> name.name();
            case Node.Select select -> {
                String head = dotted(select.on());
                yield head == null ? null : head + "." + select.name();
            }
            default -> null;
        };
    }

    private Type fieldOf(Type on, String name, SourceUnit from) {
        var field = members.field(on.name(), name, from, 0);
        if (field != null) {
            return Type.substitute(field(field.getKey(), field.getValue()), Members.bindings(field.getKey(), on));
        }
        Class<?> jdk = world.jdk.find(on.name());
        if (jdk != null) {
            try {
                return Jdk.type(jdk.getField(name).getGenericType());
            } catch (NoSuchFieldException | LinkageError e) {
                return null;
            }
        }
        return null;
    }

    // calls

    /** The type a call goes to: of the receiver, the named type, or of the enclosing type that has such a method. */
    public Type receiver(Node.Call call, Scope scope) {
        if (call.on() != null) {
            Type on = type(call.on(), scope);
            return on != null && on.isParameter() ? bound(on, scope) : on;
        }
        if (call.name().equals("this") || call.name().equals("super")) {
            return call.name().equals("this") ? self(scope.type()) : name("super", scope);
        }
        TypeDecl unknown = null;
        for (TypeDecl type = scope.type(); type != null; type = type.outer) {
            if (!members.methods(self(type), call.name(), -1, type.unit).isEmpty()
                    || call.args().isEmpty() && generated(self(type), call.name(), type.unit) != null) {
                return self(type);
            }
            if (unknown == null && world.supers(type.name).stream().anyMatch(s -> !world.exists(s))) {
                unknown = type;
            }
        }
        String holder = scope.unit().staticImports.get(call.name());
        if (holder != null) {
            return Type.of(holder);
        }
        for (String star : scope.unit().staticStarImports) {
            if (!members.methods(Type.of(star), call.name(), -1, scope.unit()).isEmpty()) {
                return Type.of(star);
            }
        }
        return unknown == null ? null : self(unknown);
    }

    /** A type parameter's bound. */
    private Type bound(Type parameter, Scope scope) {
        String name = parameter.name().substring(1);
        TypeName bound = scope.method().typeParams.get(name);
        for (TypeDecl type = scope.type(); bound == null && type != null; type = type.outer) {
            bound = type.params.get(name);
        }
        Type resolved = world.resolve(bound, scope.unit(), scope.type(), scope.method());
        return resolved != null && resolved.isParameter() ? null : resolved;
    }

    private Type call(Node.Call call, Scope scope) {
        Type receiver = receiver(call, scope);
        if (receiver == null) {
            return null;
        }
        if (receiver.isArray()) {
            return call.name().equals("clone") ? receiver : null;
        }
        Members.Found found = best(receiver, call, scope);
        if (found == null) {
            var field = call.args().isEmpty() ? generated(receiver, call.name(), scope.unit()) : null;
            if (field != null) {
                return Type.substitute(field(field.getKey(), field.getValue()), Members.bindings(field.getKey(),
                        receiver));
            }
            String said = said(receiver, call.name());
            return said != null ? said.equals("<0>") ? receiver.arg(0) : holding(Type.of(said), receiver, call, scope)
                    : isConfigured(receiver, call.name()) ? receiver
                    : world.exists(receiver.name()) || receiver.name().startsWith("?") ? null
                    : new Type(receiver.name(), List.of(), true);
        }
        if (call.name().equals("getClass")) {
            return Type.of("java.lang.Class");
        }
        Map<String, Type> inferred = inferred(found, call, call.args(), scope);
        Type result = result(found, inferred);
        return result == null ? null : result.isParameter() ? boundOf(result, found) : result;
    }

    private static final Set<String> MAPS = Set.of("map", "mapNotNull", "transform", "fromCallable", "fromSupplier");
    private static final Set<String> FLAT_MAPS = Set.of("flatMap", "flatMapMany", "concatMap", "switchMap",
            "flatMapSequential", "compose", "chain", "transformToUni", "transformToMulti", "flatMapSingle", "defer");
    private static final Set<String> MAKERS = Set.of("just", "justOrEmpty", "succeededFuture", "item");
    private static final Pattern KEEPS = Pattern.compile("(do|on|delay|take|skip|distinct|retry|repeat)[A-Z].*|filter|"
            + "cache|subscribeOn|publishOn|observeOn|emitOn|runSubscriptionOn|timeout|retry|log|name|tag|take|skip|"
            + "distinct|switchIfEmpty|defaultIfEmpty|checkpoint|share|next|last|single|elementAt|contextWrite|invoke|"
            + "call|recover|otherwise|andThen|eventually|first|firstOrError|hide");

    /** What a Mono, Single or Future holds after a call that is known to return one. */
    private Type holding(Type result, Type receiver, Node.Call call, Scope scope) {
        if (!library.isHolder(result.name())) {
            return result;
        }
        Node first = call.args().isEmpty() ? null : call.args().get(0);
        Type of = first instanceof Node.Lambda lambda ? lambdaResult(lambda, call, 0, scope)
                : first instanceof Node.Ref ref ? refResult(ref, scope) : null;
        Type held = MAPS.contains(call.name()) ? of
                : FLAT_MAPS.contains(call.name()) ? of == null ? null : of.arg(0)
                : MAKERS.contains(call.name()) ? type(first, scope)
                : call.name().equals("cast") && first instanceof Node.Select select && select.name().equals("class")
                        ? type(select.on(), scope)
                : KEEPS.matcher(call.name()).matches() ? receiver.arg(0) : null;
        return held == null || held.isParameter() ? result : new Type(result.name(), List.of(held), false);
    }

    /** They are given something else than what there is: an error, a subscription, the whole. */
    private static final Pattern OTHERS = Pattern.compile(".*(Error|Fail|Subscri|When|Finally|Terminat|Cancel|Each).*|"
            + "recover|otherwise|transform|transformDeferred|as|to|onComplete|contextWrite|compose");

    /** What a function is given that is passed to a Mono, Single or Future; null if it cannot be told. */
    private Type held(Type receiver, Node.Call call, Scope.LambdaParam param) {
        boolean isHeld = param.index() == 0 && library.isHolder(receiver.name()) && (!OTHERS.matcher(call.name())
                .matches() || call.name().equals("subscribe") || call.name().equals("compose")
                        && receiver.name().startsWith("io.vertx."));
        return !isHeld || receiver.arg(0) == null || receiver.arg(0).isParameter() ? null : receiver.arg(0);
    }

    /**
     * The field behind a getter that is not in the sources: Lombok writes it, or the compiler, of a record. Null if
     * there is none.
     */
    private Map.Entry<TypeDecl, TypeDecl.FieldDecl> generated(Type receiver, String method, SourceUnit from) {
        if (receiver.derived() || world.decl(receiver.name(), from) == null) {
            return null;
        }
        var same = members.field(receiver.name(), method, from, 0);
        Matcher getter = GETTER.matcher(method);
        return same != null || !getter.matches() ? same : members.field(receiver.name(), getter.group(1)
                .toLowerCase(Locale.ROOT) + getter.group(2), from, 0);
    }

    private static final Pattern GETTER = Pattern.compile("(?:get|is)([A-Z])(.*)");

    /** {@code stub.withDeadlineAfter(1, SECONDS)}, of a type that gRPC generates: the same stub. */
    private static boolean isConfigured(Type receiver, String method) {
        return !receiver.derived() && receiver.name().endsWith("Stub") && method.startsWith("with");
    }

    private String said(Type receiver, String method) {
        if (receiver.derived()) {
            return library.result(receiver.name(), method);
        }
        for (String each : world.supers(receiver.name())) {
            String result = library.result(each, method);
            if (result != null) {
                return result;
            }
        }
        return null;
    }

    private Type boundOf(Type parameter, Members.Found found) {
        return found.source() == null || found.source().body == null ? null : bound(parameter,
                Scope.of(found.source()));
    }

    /** Of the methods a call may mean the one that fits its arguments best; null if none is known. */
    public Members.Found best(Type receiver, Node.Call call, Scope scope) {
        String name = call.on() == null && (call.name().equals("this") || call.name().equals("super")) ? "<init>"
                : call.name();
        return best(members.methods(receiver, name, call.args().size(), scope.unit()), call.args(), scope);
    }

    public Members.Found best(List<Members.Found> all, List<Node> args, Scope scope) {
        if (all.size() < 2) {
            return all.isEmpty() ? null : all.get(0);
        }
        Members.Found best = null;
        int most = Integer.MIN_VALUE;
        for (Members.Found each : all) {
            int score = fit(each, args, scope);
            if (score > most) {
                most = score;
                best = each;
            }
        }
        return best;
    }

    private int fit(Members.Found method, List<Node> args, Scope scope) {
        int score = method.params() == args.size() ? 1 : 0;
        for (int i = 0; i < args.size() && i < method.params(); i++) {
            Type param = param(method, i);
            Node arg = args.get(i);
            if (arg instanceof Node.Lambda lambda) {
                int arity = arity(param, scope.unit());
                score += arity == lambda.params().size() ? 4 : -8;
            } else if (arg instanceof Node.Ref) {
                score += arity(param, scope.unit()) >= 0 ? 2 : -8;
            } else {
                Type type = type(arg, scope);
                if (type != null && param != null) {
                    score += type.name().equals(param.name()) ? 4 : param.isParameter() ? 1 : world.isA(type,
                            param.name()) ? 2
                            : type.isPrimitive() && param.isPrimitive() ? 0 : -6;
                }
            }
        }
        return score;
    }

    /** The declared type of parameter {@code i}, bindings applied. */
    Type param(Members.Found method, int i) {
        int last = method.params() - 1;
        if (last < 0) {
            return null;
        }
        int index = Math.min(i, last);
        Type type;
        if (method.source() != null) {
            MethodDecl decl = method.source();
            type = world.resolve(decl.paramTypes.get(index), decl.owner.unit, decl.owner, decl);
        } else {
            type = Jdk.type(method.jdk().getGenericParameterTypes()[Math.min(index, method.jdk()
                    .getGenericParameterTypes().length - 1)]);
        }
        return Type.substitute(type, method.bindings());
    }

    private Type result(Members.Found method, Map<String, Type> inferred) {
        Type type;
        if (method.source() != null) {
            MethodDecl decl = method.source();
            type = world.resolve(decl.returns, decl.owner.unit, decl.owner, decl);
        } else {
            type = Jdk.type(method.jdk().getGenericReturnType());
        }
        return Type.substitute(Type.substitute(type, inferred), method.bindings());
    }

    /** What the arguments say of the method's own type parameters. */
    private Map<String, Type> inferred(Members.Found method, Node call, List<Node> args, Scope scope) {
        boolean isGeneric = method.source() != null ? !method.source().typeParams.isEmpty() : method.jdk()
                .getTypeParameters().length > 0;
        if (!isGeneric) {
            return Map.of();
        }
        var bindings = new HashMap<String, Type>();
        for (int i = 0; i < args.size() && i < method.params(); i++) {
            Type param = param(method, i);
            if (args.get(i) instanceof Node.Lambda lambda) {
                unifyResult(param, lambdaResult(lambda, call, i, scope), bindings, scope);
            } else if (args.get(i) instanceof Node.Ref ref) {
                unifyResult(param, refResult(ref, scope), bindings, scope);
            } else {
                unify(param, type(args.get(i), scope), bindings);
            }
        }
        return bindings;
    }

    private static void unify(Type formal, Type actual, Map<String, Type> bindings) {
        if (formal == null || actual == null) {
            return;
        }
        if (formal.isParameter()) {
            bindings.putIfAbsent(formal.name().substring(1), actual);
        } else if (formal.args().size() == actual.args().size()) {
            for (int i = 0; i < formal.args().size(); i++) {
                unify(formal.arg(i), actual.arg(i), bindings);
            }
        }
    }

    private void unifyResult(Type function, Type result, Map<String, Type> bindings, Scope scope) {
        Function f = function(function, scope.unit());
        if (f != null) {
            unify(f.result, result, bindings);
        }
    }

    private Type lambdaResult(Node.Lambda lambda, Node call, int position, Scope scope) {
        Scope inside = Walk.lambdaScope(lambda, call, position, null, scope);
        if (!(lambda.body() instanceof Node.Block)) {
            return type(lambda.body(), inside);
        }
        var found = new Type[1];
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope at) {
                if (node instanceof Node.Return value && found[0] == null) {
                    found[0] = type(value.value(), at);
                }
                return found[0] == null && !(node instanceof Node.Lambda);
            }
        }.walk(lambda.body(), inside);
        return found[0];
    }

    private Type refResult(Node.Ref ref, Scope scope) {
        Type on = type(ref.on(), scope);
        if (on == null || ref.name().equals("new")) {
            return on;
        }
        for (Members.Found found : members.methods(on, ref.name(), -1, scope.unit())) {
            Type result = result(found, Map.of());
            return result == null || result.isParameter() ? null : result;
        }
        return null;
    }

    // lambdas

    /** The type that a lambda or method reference implements where it stands; null if that cannot be told. */
    public Type target(Node function, List<Node> path, Scope scope) {
        Node around = path.isEmpty() ? null : path.getLast();
        return switch (around) {
            case Node.Return value when path.stream().noneMatch(Node.Lambda.class::isInstance) ->
                    world.resolve(scope.method().returns, scope.unit(), scope.type(), scope.method());
            case Node.Local local -> world.resolve(local.type(), scope.unit(), scope.type(), scope.method());
            case Node.Cast cast -> world.resolve(cast.type(), scope.unit(), scope.type(), scope.method());
            case Node.Assign assign -> type(assign.target(), scope);
            case Node.Call call -> {
                Type receiver = receiver(call, scope);
                yield receiver == null || receiver.isArray() ? null
                        : parameter(best(receiver, call, scope), call.args(), function);
            }
            case Node.New made when made.body() == null -> {
                Type type = type(made, scope);
                yield type == null ? null : parameter(best(members.methods(type, "<init>", made.args().size(),
                        scope.unit()),
                        made.args(), scope), made.args(), function);
            }
            case null, default -> null;
        };
    }

    private Type parameter(Members.Found method, List<Node> args, Node function) {
        for (int i = 0; method != null && i < args.size(); i++) {
            if (args.get(i) == function) {
                return param(method, i);
            }
        }
        return null;
    }

    /** A functional interface's method. */
    private record Function(List<Type> params, Type result) {
    }

    private Function function(Type type, SourceUnit from) {
        if (type == null || type.isParameter() || type.isArray()) {
            return null;
        }
        TypeDecl decl = world.decl(type.name(), from);
        if (decl != null) {
            MethodDecl method = members.function(decl);
            if (method == null) {
                return null;
            }
            var found = new Members.Found(method, null, Members.bindings(decl, type));
            return function(found);
        }
        Class<?> jdk = world.jdk.find(type.name());
        Method method = jdk == null ? null : world.jdk.function(jdk);
        if (method == null) {
            return null;
        }
        for (Members.Found found : members.methods(type, method.getName(), method.getParameterCount(), from)) {
            return function(found);
        }
        return null;
    }

    private Function function(Members.Found method) {
        var params = new ArrayList<Type>();
        for (int i = 0; i < method.params(); i++) {
            params.add(param(method, i));
        }
        return new Function(params, result(method, Map.of()));
    }

    private int arity(Type type, SourceUnit from) {
        Function function = function(type, from);
        return function == null ? -1 : function.params.size();
    }

    private Type param(Scope.LambdaParam param) {
        Type function = null;
        if (param.expected() != null) {
            function = world.resolve(param.expected(), param.scope().unit(), param.scope().type(), param.scope()
                    .method());
        } else if (param.call() instanceof Node.Call call) {
            Type receiver = receiver(call, param.scope());
            Members.Found found = receiver == null ? null : best(receiver, call, param.scope());
            if (found == null) {
                return receiver == null ? null : held(receiver, call, param);
            }
            function = parameter(found, call.args(), param);
        } else if (param.call() instanceof Node.New made) {
            Type type = world.resolve(made.type(), param.scope().unit(), param.scope().type(), param.scope().method());
            Members.Found found = type == null ? null
                    : best(members.methods(type, "<init>", made.args().size(), param.scope().unit()), made.args(),
                    param.scope());
            function = found == null ? null : parameter(found, made.args(), param);
        }
        Function f = function(function, param.scope().unit());
        if (f == null || param.index() >= f.params.size()) {
            return null;
        }
        Type type = f.params.get(param.index());
        return type == null || type.isParameter() ? null : type;
    }

    /** The functional interface a lambda is passed as, with what the other arguments say. */
    private Type parameter(Members.Found found, List<Node> args, Scope.LambdaParam param) {
        Type declared = param(found, param.position());
        var bindings = new HashMap<String, Type>();
        for (int i = 0; i < args.size() && i < found.params(); i++) {
            if (!(args.get(i) instanceof Node.Lambda) && !(args.get(i) instanceof Node.Ref)) {
                unify(param(found, i), type(args.get(i), param.scope()), bindings);
            }
        }
        return Type.substitute(declared, bindings);
    }
}
