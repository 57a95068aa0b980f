package scanner.source;

import com.sun.source.tree.*;
import com.sun.source.util.SimpleTreeVisitor;
import java.util.ArrayList;
import java.util.List;

/** Turns the compiler's trees of method bodies into {@link Node}s. */
final class Lowering extends SimpleTreeVisitor<Node, Void> {

    private static final Node NOTHING = new Node.Other(0, null, List.of());
    private static final Node TRUTH = new Node.Other(0, TypeName.of("boolean"), List.of());
    private static final Node.Literal STRING = new Node.Literal(TypeName.of("java.lang.String"), null);

    private final Declarations declarations;

    Lowering(Declarations declarations) {
        this.declarations = declarations;
    }

    Node.Block block(BlockTree tree) {
        return tree == null ? null : new Node.Block(start(tree), all(tree.getStatements()));
    }

    /** @return null if the tree holds nothing of interest. */
    Node node(Tree tree) {
        Node node = tree == null ? null : tree.accept(this, null);
        return node == NOTHING ? null : node;
    }

    /** As {@link #node}, never null. */
    private Node some(Tree tree) {
        Node node = tree == null ? null : tree.accept(this, null);
        return node == null ? NOTHING : node;
    }

    private List<Node> all(Iterable<? extends Tree> trees) {
        var nodes = new ArrayList<Node>();
        for (Tree tree : trees) {
            Node node = node(tree);
            if (node != null && node != TRUTH) {
                nodes.add(node);
            }
        }
        return List.copyOf(nodes);
    }

    private List<Node> each(Iterable<? extends Tree> trees) {
        var nodes = new ArrayList<Node>();
        for (Tree tree : trees) {
            nodes.add(some(tree));
        }
        return List.copyOf(nodes);
    }

    private int start(Tree tree) {
        return declarations.start(tree);
    }

    private TypeName type(Tree tree) {
        return declarations.typeName(tree);
    }

    private String text(javax.lang.model.element.Name name) {
        return declarations.text(name);
    }

    /** What is left of an operator: nothing if no part of it calls anything. */
    private Node other(TypeName type, Tree... parts) {
        var kept = new ArrayList<Node>(2);
        for (Tree part : parts) {
            Node node = node(part);
            if (node != null && !isPlain(node)) {
                kept.add(node);
            }
        }
        if (kept.isEmpty()) {
            return type == null ? NOTHING : type.name().equals("boolean") ? TRUTH : new Node.Other(0, type, List.of());
        }
        return new Node.Other(kept.get(0).pos(), type, List.copyOf(kept));
    }

    private static boolean isPlain(Node node) {
        return switch (node) {
            case Node.Name name -> true;
            case Node.Literal literal -> true;
            case Node.Other other -> other.parts().isEmpty();
            case Node.Select select -> isPlain(select.on());
            case Node.Not not -> isPlain(not.value());
            case Node.Index index -> isPlain(index.array());
            default -> false;
        };
    }

    // expressions

    @Override
    protected Node defaultAction(Tree tree, Void unused) {
        return NOTHING;
    }

    @Override
    public Node visitMethodInvocation(MethodInvocationTree tree, Void unused) {
        List<Node> args = each(tree.getArguments());
        if (tree.getMethodSelect() instanceof MemberSelectTree select) {
            String name = text(select.getIdentifier());
            return new Node.Call(declarations.nameAfter(select.getExpression(), name), some(select.getExpression()),
                    name, args);
        }
        if (tree.getMethodSelect() instanceof IdentifierTree name) {
            return new Node.Call(start(tree), null, text(name.getName()), args);
        }
        return new Node.Other(start(tree), null, args);
    }

    @Override
    public Node visitNewClass(NewClassTree tree, Void unused) {
        TypeName type = type(tree.getIdentifier());
        List<Node> args = each(tree.getArguments());
        TypeDecl body = tree.getClassBody() == null ? null : declarations.anonymous(tree.getClassBody(), type,
                start(tree));
        return new Node.New(start(tree), type, args, body);
    }

    @Override
    public Node visitLambdaExpression(LambdaExpressionTree tree, Void unused) {
        var params = new ArrayList<String>();
        var types = new ArrayList<TypeName>();
        for (VariableTree param : tree.getParameters()) {
            params.add(text(param.getName()));
            types.add(type(param.getType()));
        }
        Node body = tree.getBody() instanceof BlockTree block ? block(block) : some(tree.getBody());
        return new Node.Lambda(start(tree), List.copyOf(params), types, body);
    }

    @Override
    public Node visitMemberReference(MemberReferenceTree tree, Void unused) {
        String name = tree.getMode() == MemberReferenceTree.ReferenceMode.NEW ? "new" : text(tree.getName());
        Node on = tree.getQualifierExpression() instanceof ExpressionTree expression ? some(expression) : NOTHING;
        if (on == NOTHING) {
            TypeName type = type(tree.getQualifierExpression());
            on = new Node.Name(start(tree), type == null ? "" : type.name());
        }
        return new Node.Ref(start(tree), on, name);
    }

    @Override
    public Node visitParameterizedType(ParameterizedTypeTree tree, Void unused) {
        return some(tree.getType());
    }

    @Override
    public Node visitIdentifier(IdentifierTree tree, Void unused) {
        return new Node.Name(start(tree), text(tree.getName()));
    }

    @Override
    public Node visitMemberSelect(MemberSelectTree tree, Void unused) {
        return new Node.Select(start(tree), some(tree.getExpression()), text(tree.getIdentifier()));
    }

    @Override
    public Node visitLiteral(LiteralTree tree, Void unused) {
        return switch (tree.getKind()) {
            case STRING_LITERAL -> tree.getValue() instanceof String text && isAddress(text)
                    ? new Node.Literal(STRING.type(), text) : STRING;
            case NULL_LITERAL -> new Node.Literal(null, null);
            default -> new Node.Literal(TypeName.of(switch (tree.getKind()) {
                case INT_LITERAL -> "int";
                case LONG_LITERAL -> "long";
                case BOOLEAN_LITERAL -> "boolean";
                case CHAR_LITERAL -> "char";
                case FLOAT_LITERAL -> "float";
                default -> "double";
            }), tree.getValue());
        };
    }

    /** An IP address in digits is not looked up. */
    private static boolean isAddress(String text) {
        return text.length() < 46 && text.matches("[0-9]+(\\.[0-9]+){3}|[0-9a-fA-F.]*(:[0-9a-fA-F.]*){2,}");
    }

    @Override
    public Node visitTypeCast(TypeCastTree tree, Void unused) {
        return new Node.Cast(start(tree), type(tree.getType()), some(tree.getExpression()));
    }

    @Override
    public Node visitParenthesized(ParenthesizedTree tree, Void unused) {
        return some(tree.getExpression());
    }

    @Override
    public Node visitArrayAccess(ArrayAccessTree tree, Void unused) {
        Node index = node(tree.getIndex());
        Node array = new Node.Index(start(tree), some(tree.getExpression()));
        return index == null || isPlain(index) ? array : new Node.Other(start(tree), null, List.of(array, index));
    }

    @Override
    public Node visitNewArray(NewArrayTree tree, Void unused) {
        var items = new ArrayList<Node>(all(tree.getDimensions()));
        if (tree.getInitializers() != null) {
            items.addAll(all(tree.getInitializers()));
        }
        TypeName type = type(tree.getType());
        TypeName array = type == null ? null
                : new TypeName(type.name(), type.args(), type.dimensions() + Math.max(1, tree.getDimensions().size()));
        return new Node.NewArray(start(tree), array, List.copyOf(items));
    }

    @Override
    public Node visitConditionalExpression(ConditionalExpressionTree tree, Void unused) {
        return new Node.Choice(start(tree), some(tree.getCondition()), some(tree.getTrueExpression()),
                some(tree.getFalseExpression()));
    }

    @Override
    public Node visitAssignment(AssignmentTree tree, Void unused) {
        return new Node.Assign(start(tree), some(tree.getVariable()), some(tree.getExpression()));
    }

    @Override
    public Node visitCompoundAssignment(CompoundAssignmentTree tree, Void unused) {
        return new Node.Assign(start(tree), some(tree.getVariable()), other(null, tree.getExpression()));
    }

    @Override
    public Node visitUnary(UnaryTree tree, Void unused) {
        if (tree.getKind() != Tree.Kind.LOGICAL_COMPLEMENT && tree.getExpression() instanceof IdentifierTree) {
            return switch (tree.getKind()) {
                case PREFIX_INCREMENT, PREFIX_DECREMENT, POSTFIX_INCREMENT, POSTFIX_DECREMENT ->
                        new Node.Assign(start(tree), some(tree.getExpression()), NOTHING);
                default -> NOTHING;
            };
        }
        if (tree.getKind() != Tree.Kind.LOGICAL_COMPLEMENT) {
            return other(null, tree.getExpression());
        }
        Node value = some(tree.getExpression());
        return value instanceof Node.Name || !isPlain(value) ? new Node.Not(start(tree), value) : TRUTH;
    }

    @Override
    public Node visitBinary(BinaryTree tree, Void unused) {
        if (tree.getKind() == Tree.Kind.PLUS) {
            return concatenation(tree);
        }
        TypeName type = switch (tree.getKind()) {
            case CONDITIONAL_AND, CONDITIONAL_OR, EQUAL_TO, NOT_EQUAL_TO, LESS_THAN, LESS_THAN_EQUAL, GREATER_THAN,
                    GREATER_THAN_EQUAL ->
                    TypeName.of("boolean");
            default -> null;
        };
        return other(type, tree.getLeftOperand(), tree.getRightOperand());
    }

    /** Without recursion: generated code adds thousands of strings. */
    private Node concatenation(BinaryTree tree) {
        var parts = new ArrayList<Tree>();
        ExpressionTree left = tree;
        boolean isString = false;
        while (left instanceof BinaryTree sum && sum.getKind() == Tree.Kind.PLUS) {
            parts.add(0, sum.getRightOperand());
            isString |= sum.getRightOperand().getKind() == Tree.Kind.STRING_LITERAL;
            left = sum.getLeftOperand();
        }
        parts.add(0, left);
        isString |= left.getKind() == Tree.Kind.STRING_LITERAL;
        return other(isString ? TypeName.of("java.lang.String") : null, parts.toArray(Tree[]::new));
    }

    @Override
    public Node visitInstanceOf(InstanceOfTree tree, Void unused) {
        Node value = some(tree.getExpression());
        Node pattern = tree.getPattern() == null ? NOTHING : pattern(tree.getPattern(), value);
        if (pattern == NOTHING && isPlain(value)) {
            return TRUTH;
        }
        return new Node.Other(start(tree), TypeName.of("boolean"), pattern == NOTHING ? List.of(value)
                : List.of(value, pattern));
    }

    private Node pattern(Tree pattern, Node value) {
        return switch (pattern) {
            case BindingPatternTree binding -> new Node.Local(start(binding), type(binding.getVariable().getType()),
                    text(binding.getVariable().getName()), type(binding.getVariable().getType()) == null ? value
                            : null);
            case DeconstructionPatternTree record -> {
                var parts = new ArrayList<Node>();
                for (PatternTree nested : record.getNestedPatterns()) {
                    Node part = pattern(nested, NOTHING);
                    if (part != NOTHING) {
                        parts.add(part);
                    }
                }
                yield parts.isEmpty() ? NOTHING : new Node.Other(start(record), null, parts);
            }
            default -> NOTHING;
        };
    }

    @Override
    public Node visitSwitchExpression(SwitchExpressionTree tree, Void unused) {
        return cases(tree, tree.getExpression(), tree.getCases());
    }

    @Override
    public Node visitSwitch(SwitchTree tree, Void unused) {
        return cases(tree, tree.getExpression(), tree.getCases());
    }

    private Node cases(Tree tree, ExpressionTree on, List<? extends CaseTree> cases) {
        var parts = new ArrayList<Node>();
        Node selector = some(on);
        if (!isPlain(selector)) {
            parts.add(selector);
        }
        for (CaseTree each : cases) {
            var statements = new ArrayList<Node>();
            for (CaseLabelTree label : each.getLabels()) {
                if (label instanceof PatternCaseLabelTree pattern) {
                    statements.add(pattern(pattern.getPattern(), selector));
                }
            }
            if (each.getGuard() != null) {
                statements.add(some(each.getGuard()));
            }
            if (each.getStatements() != null) {
                statements.addAll(all(each.getStatements()));
            } else if (each.getBody() instanceof ExpressionTree value) {
                statements.add(new Node.Other(start(value), null, List.of(some(value))));
            } else {
                Node body = node(each.getBody());
                if (body != null) {
                    statements.add(body);
                }
            }
            statements.removeIf(s -> s == NOTHING || s == TRUTH);
            if (!statements.isEmpty()) {
                parts.add(new Node.Block(start(each), List.copyOf(statements)));
            }
        }
        return parts.isEmpty() ? NOTHING : new Node.Other(start(tree), null, List.copyOf(parts));
    }

    // statements

    @Override
    public Node visitBlock(BlockTree tree, Void unused) {
        Node.Block block = block(tree);
        return block.statements().isEmpty() ? NOTHING : block;
    }

    @Override
    public Node visitExpressionStatement(ExpressionStatementTree tree, Void unused) {
        Node value = node(tree.getExpression());
        return value == null || isPlain(value) ? NOTHING
                : value instanceof Node.Call || value instanceof Node.New ? new Node.Drop(value.pos(), value) : value;
    }

    @Override
    public Node visitVariable(VariableTree tree, Void unused) {
        String name = text(tree.getName());
        Node init = node(tree.getInitializer());
        boolean isClosed = init != null && tree.getModifiers().getAnnotations().stream() // Lombok's
                .anyMatch(each -> declarations.typeName(each.getAnnotationType()).simple().equals("Cleanup"));
        return new Node.Local(declarations.nameIn(tree, name), type(tree.getType()), name,
                isClosed ? new Node.Other(init.pos(), null, List.of(init)) : init);
    }

    @Override
    public Node visitIf(IfTree tree, Void unused) {
        return new Node.If(start(tree), some(tree.getCondition()), some(tree.getThenStatement()),
                some(tree.getElseStatement()));
    }

    @Override
    public Node visitWhileLoop(WhileLoopTree tree, Void unused) {
        return new Node.Loop(start(tree), List.of(some(tree.getCondition())), some(tree.getStatement()));
    }

    @Override
    public Node visitDoWhileLoop(DoWhileLoopTree tree, Void unused) {
        return new Node.Loop(start(tree), List.of(some(tree.getCondition())), some(tree.getStatement()));
    }

    @Override
    public Node visitForLoop(ForLoopTree tree, Void unused) {
        var head = new ArrayList<Node>(all(tree.getInitializer()));
        if (tree.getCondition() != null) {
            head.addAll(all(List.of(tree.getCondition())));
        }
        head.addAll(all(tree.getUpdate()));
        return new Node.Loop(start(tree), List.copyOf(head), some(tree.getStatement()));
    }

    @Override
    public Node visitEnhancedForLoop(EnhancedForLoopTree tree, Void unused) {
        VariableTree variable = tree.getVariable();
        var local = new Node.Local(start(variable), type(variable.getType()), text(variable.getName()), null);
        return new Node.Each(start(tree), local, some(tree.getExpression()), some(tree.getStatement()));
    }

    @Override
    public Node visitLabeledStatement(LabeledStatementTree tree, Void unused) {
        return some(tree.getStatement());
    }

    @Override
    public Node visitTry(TryTree tree, Void unused) {
        var catches = new ArrayList<Node.Catch>();
        for (CatchTree each : tree.getCatches()) {
            Tree type = each.getParameter().getType();
            var types = new ArrayList<TypeName>();
            if (type instanceof UnionTypeTree union) {
                union.getTypeAlternatives().forEach(t -> types.add(type(t)));
            } else if (type(type) != null) {
                types.add(type(type));
            }
            catches.add(new Node.Catch(start(each), List.copyOf(types), text(each.getParameter().getName()),
                    block(each.getBlock())));
        }
        return new Node.Try(start(tree), all(tree.getResources()), block(tree.getBlock()), List.copyOf(catches),
                block(tree.getFinallyBlock()));
    }

    @Override
    public Node visitSynchronized(SynchronizedTree tree, Void unused) {
        return new Node.Sync(start(tree), some(tree.getExpression()), block(tree.getBlock()));
    }

    @Override
    public Node visitReturn(ReturnTree tree, Void unused) {
        return new Node.Return(start(tree), node(tree.getExpression()));
    }

    @Override
    public Node visitYield(YieldTree tree, Void unused) {
        return new Node.Other(start(tree), null, List.of(some(tree.getValue())));
    }

    @Override
    public Node visitThrow(ThrowTree tree, Void unused) {
        return new Node.Throw(start(tree), node(tree.getExpression()));
    }

    @Override
    public Node visitBreak(BreakTree tree, Void unused) {
        return new Node.Jump(start(tree));
    }

    @Override
    public Node visitContinue(ContinueTree tree, Void unused) {
        return new Node.Jump(start(tree));
    }

    @Override
    public Node visitAssert(AssertTree tree, Void unused) {
        return NOTHING;
    }

    @Override
    public Node visitClass(ClassTree tree, Void unused) {
        return new Node.LocalType(start(tree), declarations.local(tree, start(tree)));
    }
}
