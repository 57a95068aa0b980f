package scanner.types;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import scanner.source.MethodDecl;
import scanner.source.SourceUnit;
import scanner.source.TypeDecl;

/** Looks methods and fields up in a type and what it inherits, with its type arguments. */
public final class Members {

    private final World world;

    Members(World world) {
        this.world = world;
    }

    /**
     * A method and what the receiver says of type parameters. Of {@code source} and {@code jdk} one is null.
     *
     * @param bindings type parameter to type
     */
    public record Found(MethodDecl source, Method jdk, Map<String, Type> bindings) {
        public int params() {
            return source != null ? source.paramTypes.size() : jdk.getParameterCount();
        }
    }

    /** Methods of that name which take so many arguments (-1: any number); the nearest class first. */
    public List<Found> methods(Type receiver, String name, int arguments, SourceUnit from) {
        var found = new ArrayList<Found>();
        if (receiver != null && !receiver.derived() && !receiver.isArray()) {
            collect(receiver, name, arguments, from, found, new HashSet<>());
        }
        return found;
    }

    private void collect(Type receiver, String name, int arguments, SourceUnit from, List<Found> found,
            Set<String> seen) {
        if (receiver == null || !seen.add(receiver.name())) {
            return;
        }
        TypeDecl decl = world.decl(receiver.name(), from);
        if (decl == null) {
            ofJdk(receiver, name, arguments, found);
            return;
        }
        Map<String, Type> bindings = bindings(decl, receiver);
        for (MethodDecl method : decl.methods) {
            if (method.name.equals(name) && (arguments < 0 || method.takes(arguments)) && !isOverridden(method,
                    found)) {
                found.add(new Found(method, null, bindings));
            }
        }
        if (name.equals("<init>")) {
            return;
        }
        for (Type parent : world.parents(decl)) {
            collect(Type.substitute(parent, bindings), name, arguments, decl.unit, found, seen);
        }
        if (world.parents(decl).isEmpty() || decl.isInterface) {
            ofJdk(Type.OBJECT, name, arguments, found);
        }
    }

    private static boolean isOverridden(MethodDecl method, List<Found> found) {
        for (Found each : found) {
            if (each.source != null && sameParams(each.source, method)) {
                return true;
            }
        }
        return false;
    }

    /** By the simple names of their types: generic parameters differ in name. */
    public static boolean sameParams(MethodDecl a, MethodDecl b) {
        if (a.paramTypes.size() != b.paramTypes.size()) {
            return false;
        }
        for (int i = 0; i < a.paramTypes.size(); i++) {
            String x = a.paramTypes.get(i).simple();
            String y = b.paramTypes.get(i).simple();
            if (!x.equals(y) && x.length() > 2 && y.length() > 2 && !a.owner.params.containsKey(x)
                    && !b.owner.params.containsKey(y)
                    && !a.typeParams.containsKey(x) && !b.typeParams.containsKey(y)) {
                return false;
            }
        }
        return true;
    }

    private void ofJdk(Type receiver, String name, int arguments, List<Found> found) {
        Class<?> type = world.jdk.find(receiver.name());
        if (type == null) {
            return;
        }
        List<Method> methods = world.jdk.methods(type, name);
        for (Method method : methods) {
            if (arguments < 0 || method.getParameterCount() == arguments
                    || method.isVarArgs() && arguments >= method.getParameterCount() - 1) {
                found.add(new Found(null, method, bindings(type, receiver, method.getDeclaringClass())));
            }
        }
    }

    static Map<String, Type> bindings(TypeDecl decl, Type receiver) {
        if (decl.params.isEmpty() || receiver.args().isEmpty()) {
            return Map.of();
        }
        var bindings = new HashMap<String, Type>();
        int i = 0;
        for (String param : decl.params.keySet()) {
            bindings.put(param, receiver.arg(i++));
        }
        bindings.values().removeIf(java.util.Objects::isNull);
        return bindings;
    }

    /** What the parameters of {@code declaring}, a supertype of {@code type}, are for this receiver. */
    private static Map<String, Type> bindings(Class<?> type, Type receiver, Class<?> declaring) {
        var bindings = new LinkedHashMap<String, Type>();
        List<String> params = Jdk.params(type);
        for (int i = 0; i < params.size() && i < receiver.args().size(); i++) {
            if (receiver.arg(i) != null) {
                bindings.put(params.get(i), receiver.arg(i));
            }
        }
        if (type == declaring || bindings.isEmpty() && !params.isEmpty()) {
            return bindings;
        }
        var parents = new ArrayList<java.lang.reflect.Type>(List.of(type.getGenericInterfaces()));
        if (type.getGenericSuperclass() != null) {
            parents.add(type.getGenericSuperclass());
        }
        for (java.lang.reflect.Type parent : parents) {
            Type inherited = Type.substitute(Jdk.type(parent), bindings);
            Class<?> raw = parent instanceof Class<?> c ? c : (Class<?>) ((java.lang.reflect.ParameterizedType) parent)
                    .getRawType();
            if (declaring.isAssignableFrom(raw)) {
                return bindings(raw, inherited, declaring);
            }
        }
        return Map.of();
    }

    /** The type of the sources that declares the field a type has; null if there is none. */
    public TypeDecl owner(TypeDecl type, String field) {
        Map.Entry<TypeDecl, TypeDecl.FieldDecl> found = field(type.name, field, type.unit, 0);
        return found == null ? null : found.getKey();
    }

    /** The field's declaration and the type that has it; null if there is none in the sources. */
    Map.Entry<TypeDecl, TypeDecl.FieldDecl> field(String type, String name, SourceUnit from, int depth) {
        TypeDecl decl = world.decl(type, from);
        if (decl == null || depth > 12) {
            return null;
        }
        TypeDecl.FieldDecl field = decl.field(name);
        if (field != null) {
            return Map.entry(decl, field);
        }
        for (Type parent : world.parents(decl)) {
            Map.Entry<TypeDecl, TypeDecl.FieldDecl> found = field(parent.name(), name, decl.unit, depth + 1);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    /**
     * The only abstract method of an interface of the sources, with what it inherits; null if there are more or none.
     */
    MethodDecl function(TypeDecl decl) {
        if (!decl.isInterface) {
            return null;
        }
        MethodDecl found = null;
        for (MethodDecl method : decl.methods) {
            if (method.body == null && !method.isStatic && !method.name.startsWith("<")) {
                if (found != null) {
                    return null;
                }
                found = method;
            }
        }
        if (found == null) {
            for (Type parent : world.parents(decl)) {
                TypeDecl inherited = world.decl(parent.name(), decl.unit);
                if (inherited != null) {
                    return function(inherited);
                }
            }
        }
        return found;
    }
}
