package scanner.source;

import java.util.List;

/**
 * A type as it is written: {@code Map.Entry<String, int[]>} is {@code Map.Entry} with two arguments. A wildcard is its
 * bound.
 */
public record TypeName(String name, List<TypeName> args, int dimensions) {

    static final TypeName OBJECT = of("java.lang.Object");

    public static TypeName of(String name) {
        return new TypeName(name, List.of(), 0);
    }

    /** The last part: {@code Entry}. */
    public String simple() {
        return name.substring(name.lastIndexOf('.') + 1);
    }
}
