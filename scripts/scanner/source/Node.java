package scanner.source;

import java.util.List;

/**
 * A method body with all that the rules do not look at left out: a tenth of the compiler's tree, so that half a million
 * lines stay in memory at once. A position is a line and a column in one int, see {@link Pos}; 0 is none.
 */
public sealed interface Node {

    int pos();

    // expressions

    /** @param on the receiver or the type; null if unqualified. @param pos of the name. */
    record Call(int pos, Node on, String name, List<Node> args) implements Node {
    }

    /** @param body null unless anonymous. */
    record New(int pos, TypeName type, List<Node> args, TypeDecl body) implements Node {
    }

    /** @param body an expression, or a {@link Block}. @param types of the parameters, null elements where inferred. */
    record Lambda(int pos, List<String> params, List<TypeName> types, Node body) implements Node {
    }

    /** A method reference; {@code new} for a constructor. */
    record Ref(int pos, Node on, String name) implements Node {
    }

    /** A variable, a type or the head of a package: what it is depends on the scope. */
    record Name(int pos, String name) implements Node {
    }

    record Select(int pos, Node on, String name) implements Node {
    }

    /**
     * @param type such as {@code int} or {@code java.lang.String}; null for the null literal. @param value of numbers,
     * booleans and IP addresses.
     */
    record Literal(TypeName type, Object value) implements Node {
        @Override
        public int pos() {
            return 0;
        }
    }

    record Cast(int pos, TypeName type, Node value) implements Node {
    }

    record Index(int pos, Node array) implements Node {
    }

    record NewArray(int pos, TypeName type, List<Node> items) implements Node {
    }

    record Choice(int pos, Node test, Node yes, Node no) implements Node {
    }

    /** {@code !value}. */
    record Not(int pos, Node value) implements Node {
    }

    /**
     * Any other expression or statement, with the parts in it that matter. @param type null if it depends on the parts.
     */
    record Other(int pos, TypeName type, List<Node> parts) implements Node {
    }

    record Assign(int pos, Node target, Node value) implements Node {
    }

    // statements

    /**
     * A variable of a block, a pattern, a loop or a resource. @param type null for {@code var}. @param init may be
     * null.
     */
    record Local(int pos, TypeName type, String name, Node init) implements Node {
    }

    record Block(int pos, List<Node> statements) implements Node {
    }

    /** An expression whose value is dropped. */
    record Drop(int pos, Node value) implements Node {
    }

    record If(int pos, Node test, Node yes, Node no) implements Node {
    }

    /** while, do and for. @param head initialisers, condition and updates. */
    record Loop(int pos, List<Node> head, Node body) implements Node {
    }

    record Each(int pos, Local variable, Node in, Node body) implements Node {
    }

    record Try(int pos, List<Node> resources, Block body, List<Catch> catches, Block last) implements Node {
    }

    record Catch(int pos, List<TypeName> types, String name, Block body) implements Node {
    }

    record Sync(int pos, Node lock, Block body) implements Node {
    }

    record Return(int pos, Node value) implements Node {
    }

    record Throw(int pos, Node value) implements Node {
    }

    /** break or continue. */
    record Jump(int pos) implements Node {
    }

    /** A class declared in a body. */
    record LocalType(int pos, TypeDecl type) implements Node {
    }
}
