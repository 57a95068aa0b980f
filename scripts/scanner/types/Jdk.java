package scanner.types;

import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** What the running JDK says of its own types. Classes are loaded, never initialised. */
final class Jdk {

    private final Map<String, Optional<Class<?>>> classes = new HashMap<>();
    private final Map<Class<?>, Map<String, List<Method>>> methods = new HashMap<>();

    /** @param name with dots, also before a nested class; @return null if the JDK has none. */
    Class<?> find(String name) {
        return classes.computeIfAbsent(name, Jdk::load).orElse(null);
    }

    private static Optional<Class<?>> load(String name) {
        if (!name.startsWith("java.") && !name.startsWith("javax.") && !name.startsWith("jdk.")
                && !name.startsWith("com.sun.net.")
                && !name.startsWith("org.w3c.dom.") && !name.startsWith("org.xml.sax.")) {
            return Optional.empty();
        }
        String binary = name;
        while (true) {
            try {
                return Optional.of(Class.forName(binary, false, ClassLoader.getPlatformClassLoader()));
            } catch (ClassNotFoundException | LinkageError e) {
                int dot = binary.lastIndexOf('.');
                int before = binary.lastIndexOf('.', dot - 1);
                if (dot < 0 || before < 0 || !Character.isUpperCase(binary.charAt(before + 1))) {
                    return Optional.empty();
                }
                binary = binary.substring(0, dot) + "$" + binary.substring(dot + 1);
            }
        }
    }

    private static final Set<String> PACKAGES = ModuleLayer.boot().modules().stream()
            .flatMap(module -> module.getPackages().stream()).collect(Collectors.toSet());

    static boolean has(String packageName) {
        return PACKAGES.contains(packageName);
    }

    static String name(Class<?> type) {
        return type.getCanonicalName() == null ? type.getName() : type.getCanonicalName();
    }

    /** Public and protected methods of that name, of the type and what it inherits; no bridges. */
    List<Method> methods(Class<?> type, String name) {
        return methods.computeIfAbsent(type, Jdk::index).getOrDefault(name, List.of());
    }

    private static Map<String, List<Method>> index(Class<?> type) {
        var index = new HashMap<String, List<Method>>();
        try {
            for (Method method : type.getMethods()) {
                if (!method.isBridge()) {
                    index.computeIfAbsent(method.getName(), n -> new ArrayList<>()).add(method);
                }
            }
            if (type.isInterface()) {
                for (Method method : Object.class.getMethods()) {
                    index.computeIfAbsent(method.getName(), n -> new ArrayList<>()).add(method);
                }
            }
        } catch (LinkageError e) {
            return Map.of();
        }
        // reflection gives no order of its own
        index.values().forEach(list -> list.sort(java.util.Comparator.comparing(Method::toString)));
        return index;
    }

    /** The one abstract method of a functional interface; null if there is none. */
    Method function(Class<?> type) {
        if (!type.isInterface()) {
            return null;
        }
        Method found = null;
        for (Method method : type.getMethods()) {
            if (Modifier.isAbstract(method.getModifiers()) && !isOfObject(method)) {
                if (found != null && !found.getName().equals(method.getName())) {
                    return null;
                }
                found = method;
            }
        }
        return found;
    }

    private static boolean isOfObject(Method method) {
        try {
            Object.class.getMethod(method.getName(), method.getParameterTypes());
            return true;
        } catch (NoSuchMethodException e) {
            return false;
        }
    }

    static List<String> params(Class<?> type) {
        var names = new ArrayList<String>();
        for (TypeVariable<?> each : type.getTypeParameters()) {
            names.add(each.getName());
        }
        return names;
    }

    static Type type(java.lang.reflect.Type type) {
        return switch (type) {
            case Class<?> c when c.isArray() -> Type.array(type(c.getComponentType()));
            case Class<?> c -> Type.of(name(c));
            case ParameterizedType p -> {
                var args = new ArrayList<Type>();
                for (java.lang.reflect.Type arg : p.getActualTypeArguments()) {
                    args.add(type(arg));
                }
                yield new Type(name((Class<?>) p.getRawType()), args, false);
            }
            case GenericArrayType a -> Type.array(type(a.getGenericComponentType()));
            case TypeVariable<?> v -> Type.of("'" + v.getName());
            case WildcardType w -> w.getLowerBounds().length > 0 ? type(w.getLowerBounds()[0])
                    : type(w.getUpperBounds()[0]);
            default -> Type.OBJECT;
        };
    }
}
