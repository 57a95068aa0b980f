package scanner.types;

import java.util.List;
import java.util.Map;

/**
 * A type as far as it is known; null stands for unknown.
 *
 * @param name    qualified; {@code []} for an array of {@code args[0]}; {@code 'T} for a type parameter
 * @param derived the result of a call on {@code name}, whose declaration is not in the sources: something of the same
 * library
 */
public record Type(String name, List<Type> args, boolean derived) {

    static final Type OBJECT = of("java.lang.Object");
    public static final Type STRING = of("java.lang.String");

    public static Type of(String name) {
        return new Type(name, List.of(), false);
    }

    static Type array(Type element) {
        return new Type("[]", java.util.Collections.singletonList(element), false);
    }

    public boolean isArray() {
        return name.equals("[]");
    }

    public boolean isParameter() {
        return name.charAt(0) == '\'';
    }

    boolean isPrimitive() {
        return name.indexOf('.') < 0 && Character.isLowerCase(name.charAt(0)) && PRIMITIVES.contains(name);
    }

    private static final java.util.Set<String> PRIMITIVES =
            java.util.Set.of("int", "long", "boolean", "byte", "char", "short", "float", "double", "void");

    Type arg(int index) {
        return index < args.size() ? args.get(index) : null;
    }

    /** With the type parameters replaced that {@code bindings} knows. */
    static Type substitute(Type type, Map<String, Type> bindings) {
        if (type == null || bindings.isEmpty()) {
            return type;
        }
        if (type.isParameter()) {
            return bindings.getOrDefault(type.name.substring(1), type);
        }
        if (type.args.isEmpty()) {
            return type;
        }
        var args = new java.util.ArrayList<Type>(type.args.size());
        for (Type arg : type.args) {
            args.add(substitute(arg, bindings));
        }
        return new Type(type.name, java.util.Collections.unmodifiableList(args), type.derived);
    }

    @Override
    public String toString() {
        return isArray() ? args.get(0) + "[]" : name;
    }
}
