package scanner.blocking;

import java.util.List;
import java.util.Set;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.types.Origins;
import scanner.types.Type;

/** What a stream is made from. */
final class Streams {

    private final Origins origins;

    Streams(Origins origins) {
        this.origins = origins;
    }

    /**
     * {@link Kind#FILE}, null for memory and resources, what {@link #peer} says, {@link Kind#STREAM} if it cannot be
     * told.
     */
    Kind behind(Node stream, Scope scope) {
        if (stream == null || isMadeOf(stream, scope, MEMORY_TYPES, MEMORY_CALLS, 0)) {
            return stream == null ? Kind.STREAM : null;
        }
        Kind peer = peer(stream, scope);
        return peer != null ? peer : isMadeOf(stream, scope, FILE_TYPES, FILE_CALLS, 0) ? Kind.FILE : Kind.STREAM;
    }

    /** Whose output is read: {@link Kind#PROCESS} or, of a socket, {@link Kind#NET}; null if it is neither's. */
    Kind peer(Node stream, Scope scope) {
        return peer(stream, scope, 0);
    }

    private Kind peer(Node stream, Scope scope, int depth) {
        Origins.Made made = depth > 5 ? null : origins.of(stream, scope);
        if (made != null && made.node() instanceof Node.New maker && !maker.args().isEmpty()) {
            return peer(maker.args().get(0), made.scope(), depth + 1);
        }
        if (made == null || !(made.node() instanceof Node.Call call) || call.on() == null
                || !PEER_CALLS.contains(call.name())) {
            return null;
        }
        Type on = origins.typing.type(call.on(), made.scope());
        return origins.typing.world.isA(on, "java.lang.Process") ? Kind.PROCESS
                : origins.typing.world.isA(on, "java.net.Socket") ? Kind.NET : null;
    }

    private boolean isMadeOf(Node stream, Scope scope, List<String> types, Set<String> calls, int depth) {
        Type type = depth > 5 ? null : origins.typing.type(stream, scope);
        if (type != null && types.stream().anyMatch(type.name().substring(type.name().lastIndexOf('.')
                + 1)::contains)) {
            return true;
        }
        Origins.Made made = depth > 5 ? null : origins.of(stream, scope);
        return made != null && switch (made.node()) {
            case Node.New maker -> maker.type() != null && types.stream().anyMatch(maker.type().simple()::contains)
                    || maker.args().stream().anyMatch(arg -> isMadeOf(arg, made.scope(), types, calls, depth + 1));
            case Node.Call maker -> calls.contains(maker.name());
            default -> false;
        };
    }

    private static final Set<String> PEER_CALLS = Set.of("getInputStream", "getErrorStream", "inputReader",
            "errorReader");
    private static final List<String> MEMORY_TYPES = List.of("ByteArray", "StringReader", "StringWriter", "CharArray");
    private static final Set<String> MEMORY_CALLS = Set.of("getResourceAsStream", "getResource", "nullOutputStream",
            "nullInputStream");
    private static final List<String> FILE_TYPES = List.of("File");
    private static final Set<String> FILE_CALLS = Set.of("newInputStream", "newOutputStream", "newBufferedReader",
            "newBufferedWriter");
}
