package scanner.checks;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.TypeDecl;
import scanner.source.Walk;
import scanner.types.Members;

/** {@code map.computeIfAbsent(key, k -> { map.put(...); ... })}, also by way of the class's own methods. */
final class ComputeChangesItsMap implements Check {

    private static final int DEPTH = 3;
    private static final int DEPTH_DEEP = 6;
    private static final int MOST = 400;
    private static final int FEW = 4;
    private static final Set<String> COMPUTES = Set.of("computeIfAbsent", "computeIfPresent", "compute", "merge");
    private static final List<String> CACHES = List.of("com.github.benmanes.caffeine.cache.Cache",
            "com.google.common.cache.Cache");
    private static final Set<String> CHANGES = Set.of("invalidate", "invalidateAll", "computeIfAbsent",
            "computeIfPresent", "compute", "merge", "put",
            "putIfAbsent", "putAll", "remove", "replace", "replaceAll", "clear");

    @Override
    public String rule() {
        return "compute-changes-its-map";
    }

    @Override
    public void visit(Node node, Scope scope, List<Node> path, Scan scan) {
        if (!(node instanceof Node.Call call) || call.args().size() < 2
                || !(call.on() instanceof Node.Name || call.on() instanceof Node.Select)
                || !(COMPUTES.contains(call.name()) && scan.isA(call.on(), scope, "java.util.Map")
                        || call.name().equals("get") && CACHES.stream().anyMatch(cache -> scan.isA(call.on(), scope,
                        cache)))
                || scan.isA(call.on(), scope, "java.util.concurrent.ConcurrentSkipListMap")) {
            return;
        }
        boolean isField = !(call.on() instanceof Node.Name name) || scope.find(name.name()) == null;
        TypeDecl type = isField ? scope.type() : null;
        Node body = switch (call.args().getLast()) {
            case Node.Lambda lambda -> lambda.body();
            case Node.Ref ref when isField && own(ref, type) instanceof MethodDecl own -> own.body;
            default -> null;
        };
        Node.Call change = change(body, call.on(), type, DEPTH, new HashSet<>());
        if (change != null) {
            scan.add(rule(), scope.method(), call.pos(), "the function given to " + call.name() + "() calls "
                    + change.name() + "() on the same map");
        } else if (scan.deep() && isField && body != null
                && comesBack(body, scope, call.on(), type, DEPTH_DEEP, new HashSet<>(), scan)) {
            scan.lead(rule(), scope.method(), call.pos(), "the function given to " + call.name()
                    + "() may come back to the same map by way of other classes");
        }
    }

    /** Whether a method that changes the map is reached, by calls with one target or a few. */
    private static boolean comesBack(Node body, Scope scope, Node map, TypeDecl type, int depth, Set<MethodDecl> seen,
            Scan scan) {
        var found = new boolean[1];
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope at) {
                if (!found[0] && node instanceof Node.Call call && !hides(call) && seen.size() < MOST) {
                    MethodDecl target = Tasks.target(call, at, scan);
                    for (MethodDecl each : target == null ? List.<MethodDecl>of() : written(target, scan)) {
                        found[0] |= seen.add(each) && (each.owner == type && !isLocal(each, map)
                                && Code.any(each.body, change -> change instanceof Node.Call other
                                && CHANGES.contains(other.name()) && Code.same(other.on(), map))
                                || depth > 0 && comesBack(each.body, Scope.of(each), map, type, depth - 1, seen, scan));
                    }
                }
                return !found[0];
            }
        }.walk(body, scope);
        return found[0];
    }

    /** The method itself, or what the sources write for it if those are few. */
    private static List<MethodDecl> written(MethodDecl method, Scan scan) {
        if (method.body != null) {
            return List.of(method);
        }
        List<MethodDecl> below = scan.typing().world.subtypes(method.owner.name).stream()
                .flatMap(type -> type.methods.stream())
                .filter(each -> each.body != null && each.name.equals(method.name)
                && Members.sameParams(each, method)).toList();
        return below.size() <= FEW ? below : List.of();
    }

    /** @param type whose methods are followed; null for a map in a local variable */
    private static Node.Call change(Node body, Node map, TypeDecl type, int depth, Set<MethodDecl> seen) {
        var found = new Node.Call[1];
        List<Node> later = later(body);
        Code.any(body, node -> {
            boolean isRun = node instanceof Node.Call || node instanceof Node.Ref;
            if (!isRun || later.stream().anyMatch(each -> Code.any(each, in -> in == node))) {
                return false;
            }
            if (node instanceof Node.Call call && CHANGES.contains(call.name()) && Code.same(call.on(), map)) {
                found[0] = call;
            } else if (type != null && depth > 0) {
                MethodDecl own = own(node, type);
                if (own != null && seen.add(own) && !isLocal(own, map)) {
                    found[0] = change(own.body, map, type, depth - 1, seen);
                }
            }
            return found[0] != null;
        });
        return found[0];
    }

    /** The method of the class behind {@code name(...)} or {@code this::name}; null if it is none, or runs later. */
    private static MethodDecl own(Node run, TypeDecl type) {
        return switch (run) {
            case Node.Call call when !hides(call) -> Tasks.own(call, type);
            case Node.Ref ref when Code.isThis(ref.on()) -> type.methods.stream()
                    .filter(method -> method.name.equals(ref.name()) && method.body != null).findFirst().orElse(null);
            default -> null;
        };
    }

    /**
     * Tasks that are started there, and callbacks of a future that has just been made and that nobody else has yet:
     * they do not run there.
     */
    private static List<Node> later(Node body) {
        var fresh = new HashSet<String>();
        var callbacks = new ArrayList<Node>();
        Code.any(body, node -> {
            if (node instanceof Node.Local local && local.init() instanceof Node.New made && made.type() != null
                    && made.type().simple().equals("CompletableFuture") && made.args().isEmpty()) {
                fresh.add(local.name());
            } else if (node instanceof Node.Call call) {
                if (hides(call)) {
                    callbacks.addAll(call.args());
                }
                if (call.on() instanceof Node.Name future && fresh.contains(future.name())) {
                    call.args().stream().filter(arg -> arg instanceof Node.Lambda).forEach(callbacks::add);
                }
                call.args().forEach(arg -> fresh.removeIf(name -> arg instanceof Node.Name given
                        && given.name().equals(name)));
            }
            return false;
        });
        return callbacks;
    }

    /** What is started there runs later, and elsewhere. */
    private static boolean hides(Node.Call call) {
        return call.name().endsWith("Async") || call.name().equals("submit") || call.name().equals("execute");
    }

    /** A variable of the method has the field's name. */
    private static boolean isLocal(MethodDecl method, Node map) {
        return map instanceof Node.Name name && (method.paramNames.contains(name.name()) || Code.any(method.body,
                node -> node instanceof Node.Local local && local.name().equals(name.name())));
    }
}
