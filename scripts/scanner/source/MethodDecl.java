package scanner.source;

import java.util.List;
import java.util.Map;

/**
 * A method, constructor ({@code <init>}) or initialiser block ({@code <clinit>}, {@code <block>}) of the scanned
 * sources.
 */
public final class MethodDecl {

    public final TypeDecl owner;
    public final String name;
    public final int pos;
    /** Null for constructors and initialisers. */
    public final TypeName returns;
    public final List<TypeName> paramTypes;
    public final List<String> paramNames;
    public final Map<String, TypeName> typeParams;
    public final List<TypeName> annotations;
    public final boolean isStatic;
    public final boolean isPrivate;
    public final boolean isFinal;
    public final boolean isSynchronized;
    final boolean isVarargs;
    /** Null if abstract or native. */
    public Node.Block body;

    /** The yes-or-no facts of a declaration. */
    record Flags(boolean isStatic, boolean isPrivate, boolean isFinal, boolean isSynchronized, boolean isVarargs) {
        static final Flags NONE = new Flags(false, false, false, false, false);
        static final Flags STATIC = new Flags(true, true, true, false, false);
    }

    MethodDecl(TypeDecl owner, String name, int pos, TypeName returns, List<TypeName> paramTypes,
            List<String> paramNames,
               Map<String, TypeName> typeParams, List<TypeName> annotations, Flags flags) {
        this.owner = owner;
        this.name = name;
        this.pos = pos;
        this.returns = returns;
        this.paramTypes = paramTypes;
        this.paramNames = paramNames;
        this.typeParams = typeParams;
        this.annotations = annotations;
        this.isStatic = flags.isStatic;
        this.isPrivate = flags.isPrivate;
        this.isFinal = flags.isFinal;
        this.isSynchronized = flags.isSynchronized;
        this.isVarargs = flags.isVarargs;
    }

    public boolean takes(int arguments) {
        return paramTypes.size() == arguments || isVarargs && arguments >= paramTypes.size() - 1;
    }

    public boolean isAnnotated(String simpleName) {
        return annotations.stream().anyMatch(a -> a.simple().equals(simpleName));
    }

    /** Such as {@code org.acme.Client.send}. */
    @Override
    public String toString() {
        return owner.name + "." + (name.equals("<init>") ? owner.simpleName() : name);
    }
}
