package scanner.source;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

/** Writes a {@link SourceUnit}, and other things, as few bytes, for {@link Unpacking} to read. */
public final class Packing {

    private final Map<String, Integer> texts = new HashMap<>();
    private final Map<TypeName, Integer> names = new HashMap<>();
    private final Map<TypeDecl, Integer> decls = new IdentityHashMap<>();
    /** What fields are set to: the initialiser has it too. */
    private final Map<Node, Integer> shared = new IdentityHashMap<>();
    private byte[] bytes = new byte[1 << 12];
    private int size;
    private int lastPos;

    public byte[] bytes() {
        return Arrays.copyOf(bytes, size);
    }

    /** What its types are called and extend: enough to tell what a name means. */
    public void head(SourceUnit unit) {
        text(unit.packageName);
        texts(unit.imports.values());
        texts(unit.starImports);
        texts(unit.staticStarImports);
        texts(unit.staticImports.keySet());
        texts(unit.staticImports.values());
        number(unit.types.size());
        for (TypeDecl type : unit.types) {
            decls.put(type, decls.size());
            number(type.outer == null ? 0 : decls.get(type.outer) + 1);
            text(type.name);
            pos(type.pos);
            number((type.isInterface ? 1 : 0) | (type.isFinal ? 2 : 0));
            types(type.supers);
            params(type.params);
            types(type.annotations);
        }
    }

    /** After the head. @return whether all could be written. */
    public boolean members(SourceUnit unit) {
        for (TypeDecl type : unit.types) {
            number(type.fields.size());
            for (TypeDecl.FieldDecl field : type.fields) {
                pos(field.pos());
                type(field.type());
                text(field.name());
                node(field.init());
                number(field.isStatic() ? 1 : 0);
                if (field.init() != null) {
                    shared.put(field.init(), shared.size());
                }
            }
            number(type.methods.size());
            type.methods.forEach(this::method);
        }
        boolean whole = true;
        for (TypeDecl type : unit.types) {
            int index = type.within == null ? -1 : type.within.owner.methods.indexOf(type.within);
            whole &= type.within == null || index >= 0;
            number(index + 1);
            if (index >= 0) {
                number(decls.get(type.within.owner));
            }
        }
        return whole;
    }

    private void method(MethodDecl method) {
        text(method.name);
        pos(method.pos);
        type(method.returns);
        types(method.paramTypes);
        texts(method.paramNames);
        params(method.typeParams);
        types(method.annotations);
        number((method.isStatic ? 1 : 0) | (method.isPrivate ? 2 : 0) | (method.isFinal ? 4 : 0)
                | (method.isSynchronized ? 8 : 0) | (method.isVarargs ? 16 : 0));
        node(method.body);
    }

    private Packing node(Node node) {
        if (node != null && shared.containsKey(node)) {
            number(1);
            return number(shared.get(node));
        }
        return switch (node) {
            case null -> number(0);
            case Node.Call n -> start(2, n).node(n.on()).text(n.name()).nodes(n.args());
            case Node.New n -> start(3, n).type(n.type()).nodes(n.args())
                    .number(n.body() == null ? 0 : decls.get(n.body()) + 1);
            case Node.Lambda n -> start(4, n).texts(n.params()).types(n.types()).node(n.body());
            case Node.Ref n -> start(5, n).node(n.on()).text(n.name());
            case Node.Name n -> start(6, n).text(n.name());
            case Node.Select n -> start(7, n).node(n.on()).text(n.name());
            case Node.Literal n -> start(8, n).type(n.type()).value(n.value());
            case Node.Cast n -> start(9, n).type(n.type()).node(n.value());
            case Node.Index n -> start(10, n).node(n.array());
            case Node.NewArray n -> start(11, n).type(n.type()).nodes(n.items());
            case Node.Choice n -> start(12, n).node(n.test()).node(n.yes()).node(n.no());
            case Node.Not n -> start(13, n).node(n.value());
            case Node.Other n -> start(14, n).type(n.type()).nodes(n.parts());
            case Node.Assign n -> start(15, n).node(n.target()).node(n.value());
            case Node.Local n -> start(16, n).type(n.type()).text(n.name()).node(n.init());
            case Node.Block n -> start(17, n).nodes(n.statements());
            case Node.Drop n -> start(18, n).node(n.value());
            case Node.If n -> start(19, n).node(n.test()).node(n.yes()).node(n.no());
            case Node.Loop n -> start(20, n).nodes(n.head()).node(n.body());
            case Node.Each n -> start(21, n).node(n.variable()).node(n.in()).node(n.body());
            case Node.Try n -> start(22, n).nodes(n.resources()).node(n.body()).nodes(n.catches()).node(n.last());
            case Node.Catch n -> start(23, n).types(n.types()).text(n.name()).node(n.body());
            case Node.Sync n -> start(24, n).node(n.lock()).node(n.body());
            case Node.Return n -> start(25, n).node(n.value());
            case Node.Throw n -> start(26, n).node(n.value());
            case Node.Jump n -> start(27, n);
            case Node.LocalType n -> start(28, n).number(decls.get(n.type()));
        };
    }

    private Packing nodes(Collection<? extends Node> nodes) {
        number(nodes.size());
        nodes.forEach(this::node);
        return this;
    }

    private Packing start(int kind, Node node) {
        return number(kind).pos(node.pos());
    }

    private Packing pos(int pos) {
        int step = pos - lastPos;
        lastPos = pos;
        return number(step << 1 ^ step >> 31);
    }

    private Packing value(Object value) {
        return switch (value) {
            case null -> number(0);
            case Integer i -> number(1).big(i);
            case Long l -> number(2).big(l);
            case Boolean b -> number(3).number(b ? 1 : 0);
            case Character c -> number(4).number(c);
            case String s -> number(5).text(s);
            case Float f -> number(6).big(Float.floatToRawIntBits(f));
            case Double d -> number(7).big(Double.doubleToRawLongBits(d));
            default -> throw new IllegalArgumentException(value.toString());
        };
    }

    private Packing type(TypeName type) {
        Integer known = type == null ? Integer.valueOf(0) : names.get(type);
        if (known != null) {
            return number(known);
        }
        names.put(type, names.size() + 1);
        int id = names.size();
        return number(id).text(type.name()).number(type.dimensions()).types(type.args());
    }

    private Packing types(Collection<TypeName> types) {
        number(types.size());
        types.forEach(this::type);
        return this;
    }

    private Packing params(Map<String, TypeName> params) {
        return texts(params.keySet()).types(params.values());
    }

    public Packing texts(Collection<String> texts) {
        number(texts.size());
        texts.forEach(this::text);
        return this;
    }

    /** Written once, then named by its number. */
    public Packing text(String text) {
        Integer known = texts.putIfAbsent(text, texts.size());
        if (known != null) {
            return number(known);
        }
        number(texts.size() - 1);
        return bytes(text.getBytes(StandardCharsets.UTF_8));
    }

    public Packing bytes(byte[] more) {
        number(more.length);
        room(more.length);
        System.arraycopy(more, 0, bytes, size, more.length);
        size += more.length;
        return this;
    }

    public Packing big(long number) {
        return number((int) (number >>> 32)).number((int) number);
    }

    /** One byte for a small one. */
    public Packing number(int number) {
        room(5);
        int rest = number;
        for (; (rest & ~0x7f) != 0; rest >>>= 7) {
            bytes[size++] = (byte) (rest | 0x80);
        }
        bytes[size++] = (byte) rest;
        return this;
    }

    private void room(int more) {
        if (size + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(size + more, bytes.length * 2));
        }
    }
}
