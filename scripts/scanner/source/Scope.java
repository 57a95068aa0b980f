package scanner.source;

/**
 * The variables in reach at a point of a body: a list that only grows at its head, so that every point keeps its own.
 *
 * @param method the method, constructor or initialiser the point is in
 * @param parent null at the head of the body
 */
public record Scope(MethodDecl method, Scope parent, String name, Variable variable) {

    /** How a variable gets its type; worked out when asked for. */
    public sealed interface Variable {
    }

    /** Declared with a type. @param init may be null. */
    public record Typed(TypeName type, Node init, Scope scope) implements Variable {
    }

    /** {@code var}. */
    public record Inferred(Node init, Scope scope) implements Variable {
    }

    /** {@code for (var x : in)}. */
    public record Element(Node in, Scope scope) implements Variable {
    }

    /**
     * Parameter {@code index} of a lambda that is argument {@code position} of {@code call}; call is null if it is
     * none.
     */
    public record LambdaParam(Node.Lambda lambda, int index, Node call, int position, TypeName expected, Scope scope)
            implements Variable {
    }

    /** The scope of a body at its first statement. */
    public static Scope of(MethodDecl method) {
        Scope scope = new Scope(method, null, "", null);
        for (int i = 0; i < method.paramNames.size(); i++) {
            scope = scope.with(method.paramNames.get(i), new Typed(method.paramTypes.get(i), null, scope));
        }
        return scope;
    }

    public Scope with(String variable, Variable how) {
        return new Scope(method, this, variable, how);
    }

    /** @return null if the body declares no such variable. */
    public Variable find(String variable) {
        for (Scope each = this; each != null; each = each.parent) {
            if (each.variable != null && each.name.equals(variable)) {
                return each.variable;
            }
        }
        return null;
    }

    public TypeDecl type() {
        return method.owner;
    }

    public SourceUnit unit() {
        return method.owner.unit;
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
