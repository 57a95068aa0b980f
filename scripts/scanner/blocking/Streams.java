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

    /** {@link Kind#FILE}, null for memory and resources, {@link Kind#STREAM} if it cannot be told. */
    Kind behind(Node stream, Scope scope) {
        return stream == null ? Kind.STREAM : isMadeOf(stream, scope, MEMORY_TYPES, MEMORY_CALLS, 0) ? null
                : isMadeOf(stream, scope, FILE_TYPES, FILE_CALLS, 0) ? Kind.FILE : Kind.STREAM;
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

    private static final List<String> MEMORY_TYPES = List.of("ByteArray", "StringReader", "StringWriter", "CharArray");
    private static final Set<String> MEMORY_CALLS = Set.of("getResourceAsStream", "getResource", "nullOutputStream",
            "nullInputStream");
    private static final List<String> FILE_TYPES = List.of("File");
    private static final Set<String> FILE_CALLS = Set.of("newInputStream", "newOutputStream", "newBufferedReader",
            "newBufferedWriter");
}
