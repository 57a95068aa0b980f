package scanner.source;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import scanner.project.Source;

/** Reads what {@link Packing} wrote, in the same order; a {@link RuntimeException} where it is something else. */
public final class Unpacking {

    private static final String[] NO_TEXTS = {};

    private final List<String> texts = new ArrayList<>();
    private final List<TypeName> names = new ArrayList<>();
    private final List<Node> shared = new ArrayList<>();
    private byte[] bytes;
    private int at;
    private int lastPos;
    private SourceUnit unit;

    public Unpacking(byte[] bytes) {
        this.bytes = bytes;
    }

    /** The head of a unit, and where to get its members when they are asked for. */
    public SourceUnit head(Source source, java.util.function.Supplier<byte[]> members) {
        unit = new SourceUnit(source);
        unit.packageName = text();
        for (String name : texts()) {
            unit.imports.put(name.substring(name.lastIndexOf('.') + 1), name);
        }
        unit.starImports.addAll(texts());
        unit.staticStarImports.addAll(texts());
        List<String> imported = texts();
        List<String> from = texts();
        for (int i = 0; i < imported.size(); i++) {
            unit.staticImports.put(imported.get(i), from.get(i));
        }
        for (int count = number(); count > 0; count--) {
            int outer = number() - 1;
            String name = text();
            int pos = pos();
            int flags = number();
            var type = new TypeDecl(unit, outer < 0 ? null : unit.types.get(outer), name, pos, (flags & 1) != 0,
                    (flags & 2) != 0, types(), params(), types());
            if (outer >= 0 && name.indexOf('$') < 0) {
                type.outer.members.add(type);
            }
            unit.types.add(type);
        }
        unit.later(() -> {
            bytes = members.get();
            at = 0;
            members();
        });
        return unit;
    }

    private void members() {
        for (TypeDecl type : unit.types) {
            for (int count = number(); count > 0; count--) {
                var field = new TypeDecl.FieldDecl(pos(), type(), text(), node(), number() == 1);
                type.fields.add(field);
                if (field.init() != null) {
                    shared.add(field.init());
                }
            }
            for (int count = number(); count > 0; count--) {
                type.methods.add(method(type));
            }
        }
        for (TypeDecl type : unit.types) {
            int index = number() - 1;
            if (index >= 0) {
                type.within = unit.types.get(number()).methods.get(index);
            }
        }
    }

    private MethodDecl method(TypeDecl owner) {
        String name = text();
        int pos = pos();
        TypeName returns = type();
        List<TypeName> paramTypes = types();
        List<String> paramNames = texts();
        Map<String, TypeName> typeParams = params();
        List<TypeName> annotations = types();
        int flags = number();
        var method = new MethodDecl(owner, name, pos, returns, paramTypes, paramNames, typeParams, annotations,
                new MethodDecl.Flags((flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, (flags & 8) != 0,
                        (flags & 16) != 0));
        method.body = block();
        return method;
    }

    private Node.Block block() {
        return (Node.Block) node();
    }

    private Node node() {
        int kind = number();
        if (kind < 2) {
            return kind == 0 ? null : shared.get(number());
        }
        int pos = pos();
        return switch (kind) {
            case 2 -> new Node.Call(pos, node(), text(), nodes());
            case 3 -> new Node.New(pos, type(), nodes(), decl(number() - 1));
            case 4 -> new Node.Lambda(pos, texts(), types(), node());
            case 5 -> new Node.Ref(pos, node(), text());
            case 6 -> new Node.Name(pos, text());
            case 7 -> new Node.Select(pos, node(), text());
            case 8 -> new Node.Literal(type(), value());
            case 9 -> new Node.Cast(pos, type(), node());
            case 10 -> new Node.Index(pos, node());
            case 11 -> new Node.NewArray(pos, type(), nodes());
            case 12 -> new Node.Choice(pos, node(), node(), node());
            case 13 -> new Node.Not(pos, node());
            case 14 -> new Node.Other(pos, type(), nodes());
            case 15 -> new Node.Assign(pos, node(), node());
            case 16 -> new Node.Local(pos, type(), text(), node());
            case 17 -> new Node.Block(pos, nodes());
            case 18 -> new Node.Drop(pos, node());
            case 19 -> new Node.If(pos, node(), node(), node());
            case 20 -> new Node.Loop(pos, nodes(), node());
            case 21 -> new Node.Each(pos, (Node.Local) node(), node(), node());
            case 22 -> new Node.Try(pos, nodes(), block(), nodes(), block());
            case 23 -> new Node.Catch(pos, types(), text(), block());
            case 24 -> new Node.Sync(pos, node(), block());
            case 25 -> new Node.Return(pos, node());
            case 26 -> new Node.Throw(pos, node());
            case 27 -> new Node.Jump(pos);
            case 28 -> new Node.LocalType(pos, decl(number()));
            default -> throw new IllegalStateException("no node " + kind);
        };
    }

    private TypeDecl decl(int index) {
        return index < 0 ? null : unit.types.get(index);
    }

    @SuppressWarnings("unchecked")
    private <N extends Node> List<N> nodes() {
        var nodes = new Node[number()];
        for (int i = 0; i < nodes.length; i++) {
            nodes[i] = node();
        }
        return (List<N>) list(nodes);
    }

    private static <T> List<T> list(T[] items) {
        return items.length == 0 ? List.of() : Arrays.asList(items);
    }

    private Object value() {
        return switch (number()) {
            case 0 -> null;
            case 1 -> (int) big();
            case 2 -> big();
            case 3 -> number() == 1;
            case 4 -> (char) number();
            case 5 -> text();
            case 6 -> Float.intBitsToFloat((int) big());
            default -> Double.longBitsToDouble(big());
        };
    }

    private int pos() {
        int step = number();
        lastPos += step >>> 1 ^ -(step & 1);
        return lastPos;
    }

    private TypeName type() {
        int id = number();
        if (id <= names.size()) {
            return id == 0 ? null : names.get(id - 1);
        }
        names.add(null); // its number; its arguments have later ones
        String name = text();
        int dimensions = number();
        names.set(id - 1, new TypeName(name, types(), dimensions));
        return names.get(id - 1);
    }

    private List<TypeName> types() {
        var types = new TypeName[number()];
        for (int i = 0; i < types.length; i++) {
            types[i] = type();
        }
        return list(types);
    }

    private Map<String, TypeName> params() {
        List<String> keys = texts();
        List<TypeName> bounds = types();
        if (keys.isEmpty()) {
            return Map.of();
        }
        var params = new LinkedHashMap<String, TypeName>();
        for (int i = 0; i < keys.size(); i++) {
            params.put(keys.get(i), bounds.get(i));
        }
        return params;
    }

    public List<String> texts() {
        int count = number();
        var found = count == 0 ? NO_TEXTS : new String[count];
        for (int i = 0; i < count; i++) {
            found[i] = text();
        }
        return list(found);
    }

    public String text() {
        int id = number();
        if (id == texts.size()) {
            texts.add(new String(bytes(), StandardCharsets.UTF_8));
        }
        return texts.get(id);
    }

    public byte[] bytes() {
        int length = number();
        at += length;
        return Arrays.copyOfRange(bytes, at - length, at);
    }

    public long big() {
        long high = number();
        return high << 32 | number() & 0xffffffffL;
    }

    public int number() {
        int number = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = bytes[at++];
            number |= (next & 0x7f) << shift;
            if (next >= 0) {
                return number;
            }
        }
    }
}
