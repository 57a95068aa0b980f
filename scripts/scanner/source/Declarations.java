package scanner.source;

import com.sun.source.tree.*;
import com.sun.source.util.SourcePositions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.lang.model.element.Modifier;
import javax.lang.model.element.Name;
import scanner.project.Source;

/** Turns the compiler's tree of one file into a {@link SourceUnit}. */
final class Declarations {

    private final CompilationUnitTree tree;
    private final CharSequence text;
    private final SourcePositions positions;
    private final Strings strings;
    private final SourceUnit unit;
    private final Lowering lowering = new Lowering(this);
    private TypeDecl current;
    private MethodDecl method;

    /** Strings and type names of all files, each once. */
    static final class Strings {
        private final Map<String, String> strings = new HashMap<>();
        private final Map<TypeName, TypeName> types = new HashMap<>();
        private final Map<Name, String> names = new IdentityHashMap<>();

        private String of(String text) {
            String known = strings.putIfAbsent(text, text);
            return known == null ? text : known;
        }

        private String of(Name name) {
            return names.computeIfAbsent(name, n -> of(n.toString()));
        }

        private TypeName of(TypeName type) {
            TypeName known = types.putIfAbsent(type, type);
            return known == null ? type : known;
        }

        /** The compiler's names live as long as its task. */
        void forgetNames() {
            names.clear();
        }
    }

    private Declarations(CompilationUnitTree tree, CharSequence text, SourcePositions positions, Strings strings,
            SourceUnit unit) {
        this.tree = tree;
        this.text = text;
        this.positions = positions;
        this.strings = strings;
        this.unit = unit;
    }

    static SourceUnit read(CompilationUnitTree tree, CharSequence text, SourcePositions positions, Strings strings,
            Source source) {
        var declarations = new Declarations(tree, text, positions, strings, new SourceUnit(source));
        declarations.unit();
        return declarations.unit;
    }

    private void unit() {
        if (tree.getPackageName() != null) {
            unit.packageName = strings.of(tree.getPackageName().toString());
        }
        for (ImportTree each : tree.getImports()) {
            String name = dotted(each.getQualifiedIdentifier());
            if (name == null || name.indexOf('.') < 0) {
                continue;
            }
            String head = strings.of(name.substring(0, name.lastIndexOf('.')));
            String last = strings.of(name.substring(name.lastIndexOf('.') + 1));
            if (last.equals("*")) {
                (each.isStatic() ? unit.staticStarImports : unit.starImports).add(head);
            } else if (each.isStatic()) {
                unit.staticImports.put(last, head);
            } else {
                unit.imports.put(last, strings.of(name));
            }
        }
        String prefix = unit.packageName.isEmpty() ? "" : unit.packageName + ".";
        for (Tree each : tree.getTypeDecls()) {
            if (each instanceof ClassTree type) {
                type(type, prefix + type.getSimpleName(), List.of());
            }
        }
    }

    /** A class in a body. */
    TypeDecl local(ClassTree type, int pos) {
        return within(type(type, current.name + ".$" + Pos.line(pos) + type.getSimpleName(), List.of()));
    }

    TypeDecl anonymous(ClassTree type, TypeName parent, int pos) {
        return within(type(type, current.name + ".$" + Pos.line(pos) + "_" + Pos.column(pos), parent == null
                ? List.of() : List.of(parent)));
    }

    private TypeDecl within(TypeDecl type) {
        type.within = method;
        return type;
    }

    private TypeDecl type(ClassTree type, String name, List<TypeName> parents) {
        var supers = new ArrayList<TypeName>(parents);
        if (type.getExtendsClause() != null) {
            supers.add(typeName(type.getExtendsClause()));
        }
        type.getImplementsClause().forEach(t -> supers.add(typeName(t)));
        supers.removeIf(java.util.Objects::isNull);
        boolean isInterface = type.getKind() == Tree.Kind.INTERFACE || type.getKind() == Tree.Kind.ANNOTATION_TYPE;
        boolean isFinal = !parents.isEmpty() || type.getModifiers().getFlags().contains(Modifier.FINAL)
                || type.getKind() == Tree.Kind.RECORD;
        var decl = new TypeDecl(unit, current, strings.of(name), nameAfter(type.getModifiers(), type.getSimpleName()
                .toString()), isInterface,
                isFinal, List.copyOf(supers), params(type.getTypeParameters()), annotations(type.getModifiers()));
        if (current != null && name.indexOf('$') < 0) {
            current.members.add(decl);
        }
        unit.types.add(decl);
        TypeDecl outer = current;
        MethodDecl outerMethod = method;
        current = decl;
        List<Node> instance = new ArrayList<>();
        List<Node> statics = new ArrayList<>();
        var onInstance = new MethodDecl(decl, "<block>", decl.pos, null, List.of(), List.of(), Map.of(), List.of(),
                MethodDecl.Flags.NONE);
        var onClass = new MethodDecl(decl, "<clinit>", decl.pos, null, List.of(), List.of(), Map.of(), List.of(),
                MethodDecl.Flags.STATIC);
        for (Tree member : type.getMembers()) {
            switch (member) {
                case ClassTree nested -> {
                    method = null;
                    type(nested, name + "." + nested.getSimpleName(), List.of());
                }
                case MethodTree each -> decl.methods.add(method(decl, each));
                case VariableTree field -> {
                    boolean isStatic = isInterface || field.getModifiers().getFlags().contains(Modifier.STATIC);
                    method = isStatic ? onClass : onInstance;
                    int pos = nameAfter(field.getType(), field.getName().toString());
                    Node init = lowering.node(field.getInitializer());
                    var declared = new TypeDecl.FieldDecl(pos, typeName(field.getType()), text(field.getName()), init,
                            isStatic);
                    decl.fields.add(declared);
                    if (init != null && !(init instanceof Node.Literal)) {
                        (isStatic ? statics : instance).add(new Node.Assign(pos, new Node.Name(pos, declared.name()),
                                init));
                    }
                }
                case BlockTree block -> {
                    method = block.isStatic() ? onClass : onInstance;
                    (block.isStatic() ? statics : instance).add(lowering.block(block));
                }
                default -> { }
            }
        }
        initializer(onInstance, instance);
        initializer(onClass, statics);
        current = outer;
        method = outerMethod;
        return decl;
    }

    private static void initializer(MethodDecl initializer, List<Node> statements) {
        if (!statements.isEmpty()) {
            initializer.body = new Node.Block(initializer.pos, List.copyOf(statements));
            initializer.owner.methods.add(initializer);
        }
    }

    private MethodDecl method(TypeDecl owner, MethodTree each) {
        var types = new ArrayList<TypeName>();
        var names = new ArrayList<String>();
        boolean isVarargs = false;
        for (VariableTree param : each.getParameters()) {
            TypeName type = typeName(param.getType());
            types.add(type == null ? TypeName.OBJECT : type);
            names.add(text(param.getName()));
            isVarargs = param.getType() instanceof ArrayTypeTree && isVarargs(param.getType());
        }
        var flags = each.getModifiers().getFlags();
        String name = text(each.getName());
        boolean isConstructor = name.equals("<init>");
        String written = isConstructor ? owner.simpleName() : name;
        int pos = nameAfter(each.getReturnType() == null ? each.getModifiers() : each.getReturnType(), written);
        List<TypeName> annotations = annotations(each.getModifiers());
        boolean isSynchronized = flags.contains(Modifier.SYNCHRONIZED) || annotations.stream()
                .anyMatch(annotation -> annotation.simple().equals("Synchronized")); // Lombok's
        var decl = new MethodDecl(owner, name, pos, typeName(each.getReturnType()), List.copyOf(types),
                List.copyOf(names),
                params(each.getTypeParameters()), annotations, new MethodDecl.Flags(
                        flags.contains(Modifier.STATIC), flags.contains(Modifier.PRIVATE),
                                flags.contains(Modifier.FINAL) || isConstructor,
                        isSynchronized, isVarargs));
        method = decl;
        decl.body = lowering.block(each.getBody());
        return decl;
    }

    private boolean isVarargs(Tree type) {
        int end = (int) positions.getEndPosition(tree, type);
        return end >= 3 && end <= text.length() && text.subSequence(end - 3, end).toString().equals("...");
    }

    private Map<String, TypeName> params(List<? extends TypeParameterTree> trees) {
        if (trees.isEmpty()) {
            return Map.of();
        }
        var params = new LinkedHashMap<String, TypeName>();
        for (TypeParameterTree each : trees) {
            params.put(text(each.getName()), each.getBounds().isEmpty() ? TypeName.OBJECT : typeName(each.getBounds()
                    .get(0)));
        }
        return params;
    }

    private List<TypeName> annotations(ModifiersTree modifiers) {
        if (modifiers.getAnnotations().isEmpty()) {
            return List.of();
        }
        var names = new ArrayList<TypeName>();
        modifiers.getAnnotations().forEach(a -> names.add(typeName(a.getAnnotationType())));
        names.removeIf(java.util.Objects::isNull);
        return List.copyOf(names);
    }

    String text(Name name) {
        return strings.of(name);
    }

    /** @return null for {@code var}, an inferred parameter, and what is no type. */
    TypeName typeName(Tree type) {
        TypeName name = written(type);
        return name == null ? null : strings.of(name);
    }

    private TypeName written(Tree type) {
        return switch (type) {
            case null -> null;
            case PrimitiveTypeTree primitive -> TypeName.of(primitive.getPrimitiveTypeKind().name()
                    .toLowerCase(java.util.Locale.ROOT));
            case IdentifierTree name -> name.getName().contentEquals("var") ? null : TypeName.of(text(name.getName()));
            case MemberSelectTree select -> {
                String name = dotted(select);
                yield name == null ? null : TypeName.of(strings.of(name));
            }
            case ParameterizedTypeTree generic -> {
                TypeName raw = written(generic.getType());
                var args = new ArrayList<TypeName>();
                for (Tree arg : generic.getTypeArguments()) {
                    TypeName each = typeName(arg);
                    args.add(each == null ? TypeName.OBJECT : each);
                }
                yield raw == null ? null : new TypeName(raw.name(), List.copyOf(args), 0);
            }
            case ArrayTypeTree array -> {
                TypeName element = written(array.getType());
                yield element == null ? null : new TypeName(element.name(), element.args(), element.dimensions() + 1);
            }
            case AnnotatedTypeTree annotated -> written(annotated.getUnderlyingType());
            case WildcardTree wildcard -> wildcard.getBound() == null ? TypeName.OBJECT : written(wildcard.getBound());
            case UnionTypeTree union -> written(union.getTypeAlternatives().get(0));
            case IntersectionTypeTree both -> written(both.getBounds().get(0));
            default -> null;
        };
    }

    private String dotted(Tree name) {
        return switch (name) {
            case IdentifierTree head -> text(head.getName());
            case MemberSelectTree select -> {
                String head = dotted(select.getExpression());
                yield head == null ? null : head + "." + select.getIdentifier();
            }
            case AnnotatedTypeTree annotated -> dotted(annotated.getUnderlyingType());
            case ParameterizedTypeTree generic -> dotted(generic.getType());
            default -> null;
        };
    }

    int start(Tree each) {
        return pos(positions.getStartPosition(tree, each));
    }

    /** Where {@code name} stands after the end of a tree. */
    int nameAfter(Tree before, String name) {
        long end = before == null ? -1 : positions.getEndPosition(tree, before);
        if (end < 0) {
            end = before == null ? -1 : positions.getStartPosition(tree, before);
        }
        if (end < 0) {
            return 0;
        }
        int at = find(name, (int) end);
        return pos(at < 0 ? end : at);
    }

    /** Where the name of a variable stands: after its type, if that is written. */
    int nameIn(VariableTree variable, String name) {
        long type = variable.getType() == null ? -1 : positions.getEndPosition(tree, variable.getType());
        long from = type < 0 ? positions.getStartPosition(tree, variable) : type;
        int at = from < 0 ? -1 : find(name, (int) from);
        return pos(at < 0 ? from : at);
    }

    private int find(String name, int from) {
        int last = Math.min(text.length() - name.length(), from + 2000);
        for (int i = from; i <= last; i++) {
            if (text.charAt(i) == name.charAt(0) && text.subSequence(i, i + name.length()).toString().equals(name)) {
                return i;
            }
        }
        return -1;
    }

    private int pos(long offset) {
        if (offset < 0) {
            return 0;
        }
        LineMap lines = tree.getLineMap();
        return Pos.of(lines.getLineNumber(offset), lines.getColumnNumber(offset));
    }
}
