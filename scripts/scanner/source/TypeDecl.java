package scanner.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A class, interface, record, enum or annotation of the scanned sources; also local and anonymous ones. */
public final class TypeDecl {

    public final SourceUnit unit;
    /** The type whose body this one stands in; null at the top. */
    public final TypeDecl outer;
    /** Such as {@code org.acme.Outer.Inner}; a local or anonymous one has {@code $line} in it. */
    public final String name;
    final int pos;
    public final boolean isInterface;
    public final boolean isFinal;
    /** Extended and implemented types as written. */
    public final List<TypeName> supers;
    /** Type parameters with their first bound. */
    public final Map<String, TypeName> params;
    public final List<TypeName> annotations;
    /** The method a local or anonymous class stands in; null for members. There once methods have been looked at. */
    public MethodDecl within;
    public final List<MethodDecl> methods;
    public final List<FieldDecl> fields;
    final List<TypeDecl> members = new ArrayList<>();

    /** @param init may be null. */
    public record FieldDecl(int pos, TypeName type, String name, Node init, boolean isStatic) {
    }

    TypeDecl(SourceUnit unit, TypeDecl outer, String name, int pos, boolean isInterface, boolean isFinal,
            List<TypeName> supers,
             Map<String, TypeName> params, List<TypeName> annotations) {
        this.unit = unit;
        this.methods = unit.members();
        this.fields = unit.members();
        this.outer = outer;
        this.name = name;
        this.pos = pos;
        this.isInterface = isInterface;
        this.isFinal = isFinal;
        this.supers = supers;
        this.params = params;
        this.annotations = annotations;
    }

    public String simpleName() {
        return name.substring(name.lastIndexOf('.') + 1);
    }

    public TypeDecl outermost() {
        return outer == null ? this : outer.outermost();
    }

    public FieldDecl field(String field) {
        for (FieldDecl each : fields) {
            if (each.name().equals(field)) {
                return each;
            }
        }
        return null;
    }

    public TypeDecl member(String member) {
        for (TypeDecl each : members) {
            if (each.simpleName().equals(member)) {
                return each;
            }
        }
        return null;
    }

    @Override
    public String toString() {
        return name;
    }
}
