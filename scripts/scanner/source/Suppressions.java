package scanner.source;

import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.AssignmentTree;
import com.sun.source.tree.BlockTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.NewArrayTree;
import com.sun.source.tree.StatementTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import scanner.findings.Finding;

/**
 * Findings their author has answered for, in the source. A comment {@code // blocking-ok: reason} counts for the
 * statement it stands in or before; {@code @SuppressWarnings} with {@code "blocking"} or the rule's name counts for
 * its declaration. Both count at the finding's {@linkplain Finding#place() place}, where they cover the whole finding,
 * and at each of its other places, where they cover that one. Of a habit they cover the one place.
 */
public final class Suppressions {

    private static final Pattern COMMENT = Pattern.compile("(?://|/\\*)\\s*blocking-ok\\b(?:\\s*:\\s*([^\\s*].*))?");
    private static final Pattern ONLY_COMMENT = Pattern.compile("\\s*(?://|/\\*|\\*).*");

    private final Function<String, Path> files;
    private final Map<String, Source> sources = new HashMap<>();
    private final TreeSet<String> problems = new TreeSet<>();
    private int count;

    /** @param files where the file of a {@link Finding.Place} is; null if it is none of ours. */
    public Suppressions(Function<String, Path> files) {
        this.files = files;
    }

    /** What is left of {@code findings}. */
    public List<Finding> apply(List<Finding> findings) {
        var left = new ArrayList<Finding>();
        for (Finding each : findings) {
            boolean isCovered = covers(each.place(), each.rule());
            count += isCovered ? 1 : 0;
            Finding finding = each.without(place -> covers(place.place(), place.rule()));
            if (finding != null) {
                left.add(finding.at(finding.alsoAt().stream().filter(other -> !covers(other.place(), finding.rule()))
                        .toList(), finding.others()));
            }
        }
        return left;
    }

    /** How many places were left out as the first of a finding. */
    public int count() {
        return count;
    }

    /** A line for each comment that gives no reason. */
    public List<String> problems() {
        return List.copyOf(problems);
    }

    private boolean covers(Finding.Place place, String rule) {
        return sources.computeIfAbsent(place.file(), this::read).covers(place, rule);
    }

    private Source read(String name) {
        Path file = files.apply(name);
        try {
            return new Source(name, file == null ? "" : new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
        } catch (IOException e) {
            return new Source(name, ""); // gone since it was analysed: nothing in it counts any more
        }
    }

    private final class Source {

        private final String text;
        private final boolean mentioned;
        private final String[] lines;
        private final boolean[] answered;
        private boolean parsed;
        private CompilationUnitTree unit;
        private SourcePositions positions;

        Source(String name, String text) {
            this.text = text;
            mentioned = text.contains("blocking-ok");
            lines = mentioned || text.contains("SuppressWarnings") ? text.split("\r\n|\r|\n", -1) : new String[0];
            answered = new boolean[lines.length + 1];
            for (int line = 1; mentioned && line <= lines.length; line++) {
                var comment = COMMENT.matcher(lines[line - 1]);
                if (comment.find()) {
                    answered[line] = comment.group(1) != null;
                    if (!answered[line]) {
                        problems.add(name + ":" + line
                                + ": blocking-ok counts only with a reason: // blocking-ok: why");
                    }
                }
            }
        }

        private void parse() {
            parsed = true;
            try {
                var compiler = ToolProvider.getSystemJavaCompiler();
                var task = (JavacTask) compiler.getTask(Writer.nullWriter(), null, problem -> { }, List.of("-proc:none",
                        "-Xlint:none"), null,
                        List.of(new TextFile(text)));
                unit = task.parse().iterator().next();
                positions = Trees.instance(task).getSourcePositions();
            } catch (IOException | RuntimeException | StackOverflowError e) {
                unit = null; // cannot be parsed: a comment still counts on its line and the one before
            }
        }

        boolean covers(Finding.Place place, String rule) {
            if (lines.length == 0 || !mentioned && !text.contains("\"blocking\"") && !text.contains('"' + rule + '"')) {
                return false;
            }
            int line = Math.min(place.line(), lines.length);
            if (before(line)) {
                return true;
            }
            if (!parsed) {
                parse();
            }
            if (unit == null) {
                return false;
            }
            long offset;
            try {
                offset = unit.getLineMap().getPosition(place.line(), 1) + leading(line, place.column());
            } catch (IndexOutOfBoundsException e) {
                return false;
            }
            var around = new Around(offset);
            around.scan(unit, null);
            for (ModifiersTree modifiers : around.declarations) {
                for (AnnotationTree annotation : modifiers.getAnnotations()) {
                    if (suppresses(annotation, rule)) {
                        return true;
                    }
                }
            }
            if (around.statement == null) {
                return false;
            }
            if (before(line(positions.getStartPosition(unit, around.statement)))) {
                return true;
            }
            int last = line(positions.getEndPosition(unit, around.statement) - 1);
            return switch (around.statement.getKind()) {
                case EXPRESSION_STATEMENT, VARIABLE, RETURN, THROW, YIELD, ASSERT -> answered[last];
                default -> false; // what stands behind its closing brace is about something else
            };
        }

        /** Columns count a tab as one character here, whatever the line map does. */
        private int leading(int line, int column) {
            return Math.min(Math.max(0, column - 1), lines[line - 1].length());
        }

        private int line(long offset) {
            return (int) unit.getLineMap().getLineNumber(Math.max(0, offset));
        }

        /** Whether a comment stands on this line or on comment lines right before it. */
        private boolean before(int line) {
            if (answered[line]) {
                return true;
            }
            for (int above = line - 1; above > 0 && ONLY_COMMENT.matcher(lines[above - 1]).matches(); above--) {
                if (answered[above]) {
                    return true;
                }
            }
            return false;
        }

        private static boolean suppresses(AnnotationTree annotation, String rule) {
            String type = annotation.getAnnotationType().toString();
            if (!type.equals("SuppressWarnings") && !type.equals("java.lang.SuppressWarnings")) {
                return false;
            }
            for (ExpressionTree argument : annotation.getArguments()) {
                ExpressionTree value = argument instanceof AssignmentTree assignment ? assignment.getExpression()
                        : argument;
                for (ExpressionTree word : value instanceof NewArrayTree array ? array.getInitializers()
                        : List.of(value)) {
                    if (word instanceof LiteralTree literal && (rule.equals(literal.getValue())
                            || "blocking".equals(literal.getValue()))) {
                        return true;
                    }
                }
            }
            return false;
        }

        /** The declarations around a position and the innermost statement, field or method header there. */
        private final class Around extends TreeScanner<Void, Void> {

            private final long offset;
            private final List<ModifiersTree> declarations = new ArrayList<>();
            private Tree statement;

            Around(long offset) {
                this.offset = offset;
            }

            @Override
            public Void scan(Tree tree, Void nothing) {
                if (tree == null || tree != unit
                        && (positions.getStartPosition(unit, tree) > offset || positions.getEndPosition(unit,
                                tree) <= offset)) {
                    return null;
                }
                switch (tree) {
                    case ClassTree declared -> declarations.add(declared.getModifiers());
                    case MethodTree declared -> declarations.add(declared.getModifiers());
                    case VariableTree declared -> declarations.add(declared.getModifiers());
                    default -> {
                    }
                }
                if (tree instanceof StatementTree && !(tree instanceof BlockTree) || tree instanceof MethodTree) {
                    statement = tree;
                }
                return super.scan(tree, nothing);
            }
        }
    }

    private static final class TextFile extends SimpleJavaFileObject {

        private final String text;

        TextFile(String text) {
            super(URI.create("string:///A.java"), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
