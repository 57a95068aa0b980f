package scanner.blocking;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.SourceUnit;
import scanner.source.TypeDecl;

/** Finds, from a call, the nearest blocking call within a few calls. */
final class Reach {

    /**
     * A chain of calls, from here to the one that blocks.
     *
     * @param sure   whether it blocks for certain; a stream read may be from memory
     * @param length number of calls
     * @param next   null at the call that blocks
     */
    record Path(SourceUnit unit, int pos, String what, Kind kind, boolean sure, int length, Path next) {

        Path last() {
            Path last = this;
            while (last.next != null) {
                last = last.next;
            }
            return last;
        }

        boolean isBetterThan(Path other) {
            return other == null || rank() > other.rank() || rank() == other.rank() && length < other.length;
        }

        /** What is seldom slow is told of where there is nothing else. */
        private int rank() {
            return sure ? kind == Kind.DESKTOP ? 2 : 3 : kind == Kind.METADATA ? 0 : 1;
        }
    }

    /**
     * What to look for.
     *
     * @param kinds what counts as blocking
     * @param leads what counts too, as a lead
     * @param asked by which calls code asks whether it runs in the context: where it does not, it may block
     * @param half  whether half of the methods that a call may go to suffice, and not only most of them
     */
    record What(Set<Kind> kinds, Set<Kind> leads, Set<String> asked, boolean half) {
    }

    private record Key(MethodDecl method, int depth, Set<String> done) {
    }

    private static final List<String> SOCKETS = List.of("Socket", "SSLSocket", "SocketChannel", "ServerSocket",
            "URLConnection", "HttpURLConnection", "AsynchronousSocketChannel");

    /** An address of this machine's own is not looked up far away. */
    private static final Pattern LOCAL = Pattern.compile("(?i)bind|listen|local");

    private final CallGraph calls;
    private final Set<Kind> kinds;
    private final Set<Kind> leads;
    private final boolean isAsked;
    private final boolean half;
    private final Map<Key, Path> known = new HashMap<>();
    private Reach reads;
    private static final Path NONE = new Path(null, 0, "", null, false, 0, null);

    Reach(CallGraph calls, What what) {
        this.calls = calls;
        this.leads = what.leads;
        this.kinds = what.kinds;
        this.isAsked = !what.asked.isEmpty();
        this.half = what.half;
    }

    Path from(CallGraph.Site site, TypeDecl in, int depth) {
        return from(site, in, depth, Set.of());
    }

    /**
     * @param in    the type the call stands in
     * @param depth how many more calls to follow
     * @param done  variables whose futures are done: also where they are passed to
     * @return null if nothing blocks
     */
    Path from(CallGraph.Site site, TypeDecl in, int depth, Set<String> done) {
        if (isAsked && site.elsewhere()) {
            return null;
        }
        Kind kind = site.blocking() == null ? null : site.blocking().kind();
        if (kind != null && (kinds.contains(kind) || leads.contains(kind))) {
            boolean sure = kinds.contains(kind) && (kind != Kind.STREAM || holdsSocket(in));
            return new Path(in.unit, site.pos(), site.what(), kind, sure, 1, null);
        }
        if (depth == 0) {
            return null;
        }
        Path best = null;
        int blocking = 0;
        for (MethodDecl target : site.targets()) {
            boolean isPeer = site.peer() != null && kinds.contains(site.peer());
            Path path = from(target, depth - 1, passed(site, target, done));
            path = path == null && isPeer ? reads().from(target, depth - 1, Set.of()) : path;
            if (path == null || path.kind == Kind.DNS && (site.args().stream().anyMatch(Reach::isAddress)
                    || LOCAL.matcher(target.name).find())) {
                continue;
            }
            blocking++;
            boolean sure = path.sure || path.kind == Kind.STREAM && (kinds.contains(Kind.STREAM) && holdsSocket(in)
                    || isPeer);
            var longer = new Path(in.unit, site.pos(), name(target), path.kind, sure, path.length + 1, path);
            if (longer.isBetterThan(best)) {
                best = longer;
            }
        }
        boolean isHalf = half && site.isOneOf() && 2 * blocking == site.targets().size();
        return blocking < site.need() && !isHalf ? null : best;
    }

    /** Looks for what reads a stream, where it is told that the stream is a process's or a socket's. */
    private Reach reads() {
        if (reads == null) {
            reads = new Reach(calls, new What(Set.of(), Set.of(Kind.STREAM), Set.of(), half));
        }
        return reads;
    }

    /** The parameters of {@code target} that are among the futures that are done. */
    private static Set<String> passed(CallGraph.Site site, MethodDecl target, Set<String> done) {
        if (done.isEmpty()) {
            return done;
        }
        var names = new HashSet<String>();
        for (int i = 0; i < site.args().size() && i < target.paramNames.size(); i++) {
            String future = Contexts.future(site.args().get(i));
            if (future != null && done.contains(future)) {
                names.add(target.paramNames.get(i));
            }
        }
        return names;
    }

    /** An IP address in digits is not looked up. */
    static boolean isAddress(Node node) {
        return node instanceof Node.Literal literal && literal.value() instanceof String;
    }

    private static String name(MethodDecl target) {
        String owner = target.owner.simpleName();
        String type = owner.startsWith("$") ? target.owner.outer.simpleName() : owner;
        return switch (target.name) {
            case "<init>", "<block>" -> "new " + type;
            default -> type + "." + target.name + "()";
        };
    }

    private Path from(MethodDecl method, int depth, Set<String> done) {
        var key = new Key(method, depth, done);
        Path path = known.get(key);
        if (path == null) {
            known.put(key, NONE); // a circle
            path = NONE;
            for (CallGraph.Site site : calls.sites(method)) {
                String future = Contexts.future(site.on());
                Path each = site.blocking() != null && future != null && done.contains(future) ? null
                        : from(site, method.owner, depth, done);
                if (each != null && (path == NONE || each.isBetterThan(path))) {
                    path = each;
                }
            }
            known.put(key, path);
        }
        return path == NONE ? null : path;
    }

    /** Streams of a class that holds a socket are the network's. */
    private static boolean holdsSocket(TypeDecl type) {
        for (TypeDecl each = type; each != null; each = each.outer) {
            for (TypeDecl.FieldDecl field : each.fields) {
                if (field.type() != null && SOCKETS.contains(field.type().simple())) {
                    return true;
                }
            }
        }
        return false;
    }
}
