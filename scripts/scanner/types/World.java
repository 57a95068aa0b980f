package scanner.types;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import scanner.source.MethodDecl;
import scanner.source.SourceUnit;
import scanner.source.TypeDecl;
import scanner.source.TypeName;

/** The symbol table: every type of the sources by name, what a written name means where it stands, who extends whom. */
public final class World {

    final Jdk jdk = new Jdk();
    public final List<SourceUnit> units;
    private final Library library;
    /** More than one where a repository has copies. */
    private final Map<String, List<TypeDecl>> types = new HashMap<>();
    private final Map<String, List<TypeDecl>> subtypes = new HashMap<>();
    private final Map<String, Set<String>> supers = new HashMap<>();
    private final Map<String, Set<Type>> arguments = new HashMap<>();
    private final Map<TypeDecl, List<Type>> parents = new HashMap<>();
    private final Map<SourceUnit, Map<String, String>> seen = new HashMap<>();
    private final Set<String> packages = new HashSet<>();

    public World(List<SourceUnit> units, Library library) {
        this.units = units;
        this.library = library;
        for (SourceUnit unit : units) {
            packages.add(unit.packageName);
            for (TypeDecl type : unit.types) {
                types.computeIfAbsent(type.name, n -> new ArrayList<>(1)).add(type);
            }
        }
        for (SourceUnit unit : units) {
            for (TypeDecl type : unit.types) {
                for (Type parent : parents(type)) {
                    subtypes.computeIfAbsent(parent.name(), n -> new ArrayList<>(2)).add(type);
                }
            }
        }
    }

    /**
     * The declaration of a type; of copies the one nearest to {@code from}. @return null if it is not in the sources.
     */
    public TypeDecl decl(String name, SourceUnit from) {
        List<TypeDecl> found = types.get(name);
        if (found == null) {
            return null;
        }
        TypeDecl nearest = found.size() == 1 || from == null ? found.get(0) : nearest(found, from);
        if (from != null) {
            from.uses.add(nearest.unit);
        }
        return nearest;
    }

    private static TypeDecl nearest(List<TypeDecl> found, SourceUnit from) {
        TypeDecl best = null;
        int longest = -1;
        for (TypeDecl each : found) {
            int common = common(each.unit.source.name(), from.source.name());
            if (common > longest) {
                longest = common;
                best = each;
            }
        }
        return best;
    }

    private static int common(String a, String b) {
        int i = 0;
        while (i < a.length() && i < b.length() && a.charAt(i) == b.charAt(i)) {
            i++;
        }
        return i;
    }

    boolean exists(String name) {
        return types.containsKey(name) || jdk.find(name) != null;
    }

    /** A type of a library that nothing is known of. */
    public boolean isForeign(Type type) {
        String name = type.name();
        return !type.isArray() && !type.isParameter() && name.indexOf('.') > 0 && !name.startsWith("?") && !exists(name)
                && !library.knows(name) && !type.isPrimitive();
    }

    /** Direct subtypes in the sources, in the order of the sources. */
    public List<TypeDecl> subtypes(String name) {
        return subtypes.getOrDefault(name, List.of());
    }

    /** Supertypes as written, resolved; the first is the class. */
    public List<Type> parents(TypeDecl type) {
        List<Type> known = parents.get(type);
        if (known == null) {
            parents.put(type, List.of()); // circles end here
            known = new ArrayList<>();
            for (TypeName each : type.supers) {
                // a type's own members are not in scope in its header
                Type parent = type.outer == null ? resolve(each, type.unit, null, type) : resolve(each, type.unit,
                        type.outer, type);
                if (parent != null) {
                    known.add(parent);
                }
            }
            parents.put(type, known);
        }
        return known;
    }

    /**
     * What the sources write for a type parameter, in the types of fields and in headers; for another parameter, what
     * stands for that.
     */
    public Set<Type> arguments(TypeDecl generic, int index) {
        String key = generic.name + "#" + index;
        if (!arguments.containsKey(key)) {
            var found = new LinkedHashSet<Type>();
            arguments.put(key, found); // circles end here
            for (SourceUnit unit : units) {
                for (TypeDecl type : unit.types) {
                    type.supers.forEach(written -> argument(written, generic, index, type, found));
                    type.fields.forEach(field -> argument(field.type(), generic, index, type, found));
                }
            }
        }
        return arguments.get(key);
    }

    private void argument(TypeName written, TypeDecl generic, int index, TypeDecl in, Set<Type> found) {
        if (written == null) {
            return;
        }
        written.args().forEach(inner -> argument(inner, generic, index, in, found));
        if (index >= written.args().size() || !written.simple().equals(generic.simpleName())) {
            return;
        }
        Type type = resolve(written, in.unit, in, (TypeDecl) null);
        Type argument = type == null || !type.name().equals(generic.name) ? null : type.arg(index);
        if (argument != null && argument.isParameter()) {
            String name = argument.name().substring(1);
            if (in.params.containsKey(name)) {
                found.addAll(List.copyOf(arguments(in, List.copyOf(in.params.keySet()).indexOf(name))));
            }
        } else if (argument != null) {
            found.add(argument);
        }
    }

    /** Qualified names of the type and of all it extends or implements, as far as known. */
    public Set<String> supers(String name) {
        Set<String> known = supers.get(name);
        if (known == null) {
            var all = new LinkedHashSet<String>();
            collect(name, all);
            all.add("java.lang.Object");
            known = all;
            supers.put(name, known);
        }
        return known;
    }

    private void collect(String name, Set<String> all) {
        if (!all.add(name)) {
            return;
        }
        List<TypeDecl> decls = types.get(name);
        if (decls != null) {
            for (TypeDecl decl : decls) {
                parents(decl).forEach(parent -> collect(parent.name(), all));
            }
            return;
        }
        library.supers(name).forEach(parent -> collect(parent, all));
        Class<?> type = jdk.find(name);
        if (type != null) {
            for (Class<?> each : type.getInterfaces()) {
                collect(Jdk.name(each), all);
            }
            if (type.getSuperclass() != null) {
                collect(Jdk.name(type.getSuperclass()), all);
            }
        }
    }

    public boolean isA(Type type, String name) {
        return type != null && !type.derived() && supers(type.name()).contains(name);
    }

    /** Whether a type of the sources has that annotation. */
    public boolean isAnnotated(Type type, String annotation) {
        return types.getOrDefault(type.name(), List.of()).stream()
                .anyMatch(decl -> decl.annotations.stream().anyMatch(each -> isOf(each, annotation, decl.unit)));
    }

    /** Whether an annotation is that one; one of an unknown package is, by its name. */
    public boolean isOf(TypeName annotation, String type, SourceUnit unit) {
        if (!annotation.simple().equals(type.substring(type.lastIndexOf('.') + 1))) {
            return false;
        }
        String name = qualify(annotation.name(), unit, null);
        return name == null || name.startsWith("?") || name.equals(type);
    }

    /** What a written type is, in a method (may be null) of a type (may be null) of a file. */
    public Type resolve(TypeName written, SourceUnit unit, TypeDecl in, MethodDecl method) {
        if (written == null) {
            return null;
        }
        Type type = method != null && method.typeParams.containsKey(written.name()) ? Type.of("'" + written.name())
                : resolve(written, unit, in, (TypeDecl) null);
        return type == null || method == null || type.args().isEmpty() ? type : withMethodParams(written, type, method);
    }

    private Type withMethodParams(TypeName written, Type type, MethodDecl method) {
        Type element = type;
        var args = new ArrayList<Type>();
        if (type.isArray()) {
            return type;
        }
        for (int i = 0; i < written.args().size() && i < type.args().size(); i++) {
            TypeName arg = written.args().get(i);
            args.add(method.typeParams.containsKey(arg.name()) ? Type.of("'" + arg.name())
                    : type.arg(i) == null ? null : withMethodParams(arg, type.arg(i), method));
        }
        return new Type(element.name(), java.util.Collections.unmodifiableList(args), false);
    }

    /** @param header the type whose header is read: its parameters count, its members do not. */
    private Type resolve(TypeName written, SourceUnit unit, TypeDecl in, TypeDecl header) {
        Type element;
        if (written.dimensions() > 0) {
            element = resolve(new TypeName(written.name(), written.args(), 0), unit, in, header);
            for (int i = 0; i < written.dimensions(); i++) {
                element = Type.array(element);
            }
            return element;
        }
        if (header != null && header.params.containsKey(written.name())) {
            return Type.of("'" + written.name());
        }
        for (TypeDecl each = in; each != null; each = each.outer) {
            if (each.params.containsKey(written.name())) {
                return Type.of("'" + written.name());
            }
        }
        String name = qualify(written.name(), unit, in);
        if (name == null) {
            return null;
        }
        var args = new ArrayList<Type>(written.args().size());
        for (TypeName arg : written.args()) {
            args.add(resolve(arg, unit, in, header));
        }
        return new Type(name, java.util.Collections.unmodifiableList(args), false);
    }

    /**
     * The qualified name of a type written as {@code name}; a guess for types outside the sources; null if it can be no
     * type.
     */
    String qualify(String name, SourceUnit unit, TypeDecl in) {
        if (PRIMITIVES.contains(name)) {
            return name;
        }
        int dot = name.indexOf('.');
        String head = dot < 0 ? name : name.substring(0, dot);
        String found = head(head, unit, in);
        if (found == null) {
            if (dot < 0) {
                return Character.isUpperCase(head.charAt(0)) ? foreign(unit) + "." + head : null;
            }
            return name;
        }
        return dot < 0 ? found : member(found, name.substring(dot + 1), unit);
    }

    /** The package of a type that is not found: the one package outside the sources that is imported as a whole. */
    private String foreign(SourceUnit unit) {
        if (unit.starImports.size() == 1) {
            return unit.starImports.get(0);
        }
        List<String> outside = unit.starImports.stream().filter(star -> !packages.contains(star) && !Jdk.has(star))
                .toList();
        return outside.size() == 1 ? outside.get(0) : "?";
    }

    private String member(String type, String rest, SourceUnit unit) {
        int dot = rest.indexOf('.');
        String head = dot < 0 ? rest : rest.substring(0, dot);
        String found = inherited(type, head, unit, 0);
        String name = found == null ? type + "." + head : found;
        return dot < 0 ? name : member(name, rest.substring(dot + 1), unit);
    }

    /** A member type of a type or of what it extends. */
    private String inherited(String type, String member, SourceUnit unit, int depth) {
        TypeDecl decl = decl(type, unit);
        if (decl == null) {
            return jdk.find(type) != null && jdk.find(type + "." + member) != null ? type + "." + member : null;
        }
        if (decl.member(member) != null) {
            return type + "." + member;
        }
        if (depth < 12) {
            for (Type parent : parents(decl)) {
                String found = inherited(parent.name(), member, unit, depth + 1);
                if (found != null) {
                    return found;
                }
            }
        }
        return null;
    }

    private String head(String name, SourceUnit unit, TypeDecl in) {
        for (TypeDecl each = in; each != null; each = each.outer) {
            if (each.simpleName().equals(name)) {
                return each.name;
            }
            String member = inherited(each.name, name, unit, 0);
            if (member != null) {
                return member;
            }
            String local = local(name, each);
            if (local != null) {
                return local;
            }
        }
        return seen.computeIfAbsent(unit, u -> new HashMap<>()).computeIfAbsent(name, n -> {
            String found = ofUnit(n, unit);
            return found == null ? "" : found;
        }) instanceof String found && !found.isEmpty() ? found : null;
    }

    /** A class declared in a body of {@code type}. */
    private static String local(String name, TypeDecl type) {
        for (TypeDecl each : type.unit.types) {
            if (each.outer == type && each.name.endsWith(name) && each.name.matches(".*\\$\\d+"
                    + name)) {
                return each.name;
            }
        }
        return null;
    }

    private String ofUnit(String name, SourceUnit unit) {
        String imported = unit.imports.get(name);
        if (imported != null) {
            return types.containsKey(imported) ? imported : library.original(imported);
        }
        String same = unit.packageName.isEmpty() ? name : unit.packageName + "." + name;
        if (types.containsKey(same)) {
            return same;
        }
        for (String star : unit.starImports) {
            if (exists(star + "." + name) || library.knows(star + "." + name)) {
                return star + "." + name;
            }
        }
        for (String star : unit.staticStarImports) {
            if (exists(star + "." + name)) {
                return star + "." + name;
            }
        }
        if (unit.staticImports.containsKey(name) && exists(unit.staticImports.get(name) + "." + name)) {
            return unit.staticImports.get(name) + "." + name;
        }
        return Character.isUpperCase(name.charAt(0)) && jdk.find("java.lang." + name) != null ? "java.lang." + name
                : null;
    }

    private static final Set<String> PRIMITIVES = Set.of("int", "long", "boolean", "byte", "char", "short", "float",
            "double", "void");
}
