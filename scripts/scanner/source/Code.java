package scanner.source;

import java.util.List;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/** Questions that several rules ask of a body. */
public final class Code {

    private static final Set<String> BROAD = Set.of("Exception", "Throwable", "RuntimeException");
    private static final Set<String> LOGS = Set.of("trace", "debug", "info", "warn", "error", "warning", "severe",
            "fine", "finer", "finest",
            "log", "println", "printStackTrace", "printf", "config");

    private Code() {
    }

    public static boolean any(Node body, Predicate<Node> test) {
        if (body == null) {
            return false;
        }
        var found = new boolean[1];
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope scope) {
                found[0] |= test.test(node);
                return !found[0];
            }
        }.walk(body, new Scope(null, null, "", null));
        return found[0];
    }

    public static boolean calls(Node body, String... names) {
        Set<String> wanted = Set.of(names);
        return any(body, node -> node instanceof Node.Call call && wanted.contains(call.name()));
    }

    /** A value that may tell of what was caught. */
    public static boolean mayTell(Node node) {
        return node instanceof Node.Call || node instanceof Node.New || node instanceof Node.Lambda
                || node instanceof Node.Literal literal && literal.type() != null && literal.type().simple()
                .equals("String");
    }

    public static boolean isLogging(String method) {
        return LOGS.contains(method);
    }

    public static boolean isLog(Node node) {
        return node instanceof Node.Drop drop && drop.value() instanceof Node.Call call && LOGS.contains(call.name());
    }

    /** The same variable or field, as written, or what the same getter of it returns: {@code both.readLock()}. */
    public static boolean same(Node a, Node b) {
        return a instanceof Node.Call c && b instanceof Node.Call d ? c.name().equals(d.name()) && c.args().isEmpty()
                && d.args().isEmpty() && (c.on() == null ? d.on() == null : same(c.on(), d.on()))
                : a instanceof Node.Name x && b instanceof Node.Name y ? x.name().equals(y.name())
                : a instanceof Node.Select s && b instanceof Node.Select t ? s.name().equals(t.name())
                && same(s.on(), t.on())
                : a instanceof Node.Select s && b instanceof Node.Name y ? isThis(s.on()) && s.name().equals(y.name())
                : a instanceof Node.Name x && b instanceof Node.Select t && isThis(t.on()) && t.name().equals(x.name());
    }

    /** The name of a field of the object itself; null if it is none. */
    public static String ofThis(Node node, Scope scope) {
        return node instanceof Node.Name name && scope.find(name.name()) == null ? name.name()
                : node instanceof Node.Select select && isThis(select.on()) ? select.name() : null;
    }

    public static boolean isThis(Node node) {
        return node instanceof Node.Name name && name.name().equals("this");
    }

    /** As a person would name it. */
    public static String text(Node node) {
        return switch (node) {
            case Node.Name name -> name.name();
            case Node.Select select -> text(select.on()) + "." + select.name();
            case Node.Call call -> (call.on() == null ? "" : text(call.on()) + ".") + call.name() + "()";
            case Node.New made -> "new " + (made.type() == null ? "" : made.type().simple());
            case null, default -> "it";
        };
    }

    /** Whether what a body throws is caught in it, or in the methods of its class that it calls; or it does no work. */
    public static boolean isGuarded(Node body, TypeDecl owner) {
        return isGuarded(body, owner, 2);
    }

    /** {@link #isGuarded} also of what stands before and after the try. */
    public static boolean isGuardedThroughout(Node body, TypeDecl owner) {
        return switch (body) {
            case Node.Block block -> block.statements().stream().allMatch(each -> isGuardedThroughout(each, owner));
            case Node.If choice -> !any(choice.test(), each -> each instanceof Node.Call call && call.on() == null
                    && mayThrow(call, owner, 2)) && isGuardedThroughout(choice.yes(), owner)
                    && isGuardedThroughout(choice.no(), owner);
            case null -> true;
            default -> isGuarded(body, owner);
        };
    }

    private static boolean isGuarded(Node body, TypeDecl owner, int depth) {
        return switch (body) {
            case Node.Block block -> block.statements().stream().anyMatch(s -> s instanceof Node.Try attempt
                    && catchesAll(attempt))
                    || block.statements().stream().allMatch(s -> isGuarded(s, owner, depth));
            case Node.Try attempt -> catchesAll(attempt) || isGuarded(attempt.body(), owner, depth);
            case Node.Loop loop -> isGuarded(loop.body(), owner, depth);
            case Node.If choice -> isGuarded(choice.yes(), owner, depth) && isGuarded(choice.no(), owner, depth);
            case null -> true;
            default -> isLog(body) || !any(body, n -> n instanceof Node.New || n instanceof Node.Call call
                    && mayThrow(call, owner, depth));
        };
    }

    private static boolean mayThrow(Node.Call call, TypeDecl owner, int depth) {
        if (call.on() != null) {
            return !isHarmless(call.name());
        }
        List<MethodDecl> own = owner.methods.stream().filter(method -> method.name.equals(call.name())
                && method.body != null).toList();
        return depth == 0 || own.isEmpty() || !own.stream().allMatch(method -> isGuarded(method.body, owner,
                depth - 1));
    }

    /** Methods of that name do not fail, whoever has them. */
    public static boolean isHarmless(String method) {
        return HARMLESS.contains(method);
    }

    private static final Set<String> HARMLESS = Set.of("currentThread", "setName", "execute", "clear", "offer",
            "offerFirst", "offerLast", "size",
            "countDown", "incrementAndGet", "decrementAndGet", "getAndIncrement", "getAndDecrement", "getAndSet",
            "compareAndSet", "currentTimeMillis", "nanoTime", "isEmpty", "notifyAll", "signalAll");

    public static boolean catchesAll(Node.Try attempt) {
        return attempt.catches().stream().anyMatch(c -> c.types().stream().anyMatch(t -> BROAD.contains(t.simple())));
    }

    /** The one expression of a body; null if there are more. */
    public static Node only(Node body) {
        return body instanceof Node.Block block && block.statements().size() == 1 && block.statements()
                .get(0) instanceof Node.Drop drop
                ? drop.value() : null;
    }

    public static boolean isInterrupted(Node.Catch each) {
        return catches(each, "InterruptedException");
    }

    public static boolean catches(Node.Catch each, String... types) {
        return each.types().stream().anyMatch(type -> List.of(types).contains(type.simple()));
    }

    /** In a task outside of any loop of it: the thread ends soon, interrupted or not. */
    public static boolean endsTheThread(List<Node> path, Scope scope) {
        for (int i = path.size() - 1; i >= 0; i--) {
            switch (path.get(i)) {
                case Node.Loop loop -> {
                    return false;
                }
                case Node.Each each -> {
                    return false;
                }
                case Node.Lambda lambda -> {
                    return i == 0 || !(path.get(i - 1) instanceof Node.Call around
                            && OPERATORS.contains(around.name()));
                }
                default -> { }
            }
        }
        return scope.method().name.equals("run") || scope.method().name.equals("main");
    }

    /** They run the function they are given on the thread of their caller. */
    private static final Set<String> OPERATORS = Set.of("map", "flatMap", "filter", "forEach", "peek", "mapToObj",
            "mapToInt", "mapToLong", "anyMatch", "allMatch", "noneMatch", "computeIfAbsent", "computeIfPresent",
            "compute", "ifPresent", "orElseGet", "removeIf", "replaceAll", "collect", "reduce");

    public static boolean hasCall(Node body) {
        return any(body, node -> node instanceof Node.Call);
    }

    /**
     * What happens to a local variable after its declaration. @return null if it leaves the body, else the methods
     * called on it.
     */
    public static Set<String> uses(Node body, String variable) {
        return uses(body, variable, (around, node) -> false);
    }

    /** @param stays whether the variable, passed to what stands around it, does not leave the body by that */
    public static Set<String> uses(Node body, String variable, BiPredicate<Node, Node> stays) {
        var calls = new java.util.LinkedHashSet<String>();
        var escapes = new boolean[1];
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope scope) {
                if (node instanceof Node.Call call && call.on() instanceof Node.Name name && name.name()
                        .equals(variable)) {
                    calls.add(call.name());
                } else if (node instanceof Node.Ref ref && ref.on() instanceof Node.Name name && name.name()
                        .equals(variable)) {
                    calls.add(ref.name());
                } else if (node instanceof Node.Name name && name.name().equals(variable)
                        && !(path.getLast() instanceof Node.Ref) && !isAsked(path.getLast())
                        && !stays.test(path.getLast(), node)
                        && !(path.getLast() instanceof Node.Call call && call.on() == node)) {
                    escapes[0] = true;
                } else if (node instanceof Node.New made && made.body() != null || node instanceof Node.LocalType) {
                    escapes[0] = true; // may use it
                }
                return true;
            }
        }.walk(body, new Scope(null, null, "", null));
        return escapes[0] ? null : calls;
    }

    /** {@code variable == null}. */
    private static boolean isAsked(Node around) {
        return around instanceof Node.Other other && other.type() != null && other.type().simple().equals("boolean");
    }
}
