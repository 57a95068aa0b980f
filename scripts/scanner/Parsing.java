package scanner;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.io.Writer;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticListener;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Parses source files, some at a time, and keeps only what {@link Declarations} takes from each. Whatever is wrong with a file, it is
 * named and the others are read: one that does not parse gives what the parser could make of it.
 */
final class Parsing {

    private static final int CHUNK_FILES = 200;
    private static final long CHUNK_BYTES = 2_000_000;
    private static final long MAX_BYTES = 20_000_000;

    /** With previews it is newer still: 21 reads the unnamed variables of 22. */
    private static final String NEWEST = String.valueOf(Runtime.version().feature());

    private final JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    private final Declarations.Strings strings = new Declarations.Strings();
    private final List<SourceUnit> units = new ArrayList<>();
    private final List<String> problems;
    private final Consumer<String> progress;

    Parsing(List<String> problems, Consumer<String> progress) {
        this.problems = problems;
        this.progress = progress;
    }

    /** In the order given. */
    List<SourceUnit> parse(List<Analysis.Source> sources) throws IOException {
        try (var files = compiler.getStandardFileManager(null, Locale.ROOT, StandardCharsets.UTF_8)) {
            var chunk = new ArrayList<Text>();
            long bytes = 0;
            for (Analysis.Source source : sources) {
                Text text = read(source, chunk.size());
                if (text == null) {
                    continue;
                }
                chunk.add(text);
                bytes += text.content.length();
                if (chunk.size() >= CHUNK_FILES || bytes >= CHUNK_BYTES) {
                    parseChunk(files, chunk);
                    chunk.clear();
                    bytes = 0;
                }
            }
            parseChunk(files, chunk);
        }
        return units;
    }

    private void parseChunk(StandardJavaFileManager files, List<Text> chunk) {
        if (chunk.isEmpty()) {
            return;
        }
        progress.accept("parsing " + chunk.get(0).source.name());
        int before = units.size();
        try {
            parseAll(files, chunk);
        } catch (RuntimeException | StackOverflowError | AssertionError | IOException e) {
            while (units.size() > before) {
                units.removeLast();
            }
            if (chunk.size() == 1) {
                problems.add(chunk.get(0).source.name() + ": left out, the parser fails on it ("
                        + (e instanceof StackOverflowError ? "nested too deeply" : e.getClass().getSimpleName()) + ")");
                return;
            }
            for (Text each : List.copyOf(chunk)) {
                parseChunk(files, List.of(each));
            }
        }
    }

    private void parseAll(StandardJavaFileManager files, List<Text> chunk) throws IOException {
        Map<URI, String> errors = new LinkedHashMap<>();
        Map<URI, Text> texts = new HashMap<>();
        chunk.forEach(text -> texts.put(text.toUri(), text)); // the compiler wraps file objects: their address is what stays
        DiagnosticListener<JavaFileObject> listener = diagnostic -> {
            if (diagnostic.getKind() == Diagnostic.Kind.ERROR && diagnostic.getSource() != null) {
                errors.putIfAbsent(diagnostic.getSource().toUri(),
                        diagnostic.getLineNumber() + ": " + diagnostic.getMessage(Locale.ROOT).lines().findFirst().orElse(""));
            }
        };
        var task = (JavacTask) compiler.getTask(Writer.nullWriter(), files, listener,
                List.of("-proc:none", "-implicit:none", "-Xlint:none", "-nowarn", "-Xmaxerrs", "1000000", "--enable-preview", "-source",
                        NEWEST), null, chunk);
        SourcePositions positions = Trees.instance(task).getSourcePositions();
        for (CompilationUnitTree tree : task.parse()) {
            Text text = texts.get(tree.getSourceFile().toUri());
            units.add(Declarations.read(tree, text.content, positions, strings, text.source));
        }
        strings.forgetNames();
        errors.forEach((file, error) -> problems.add(texts.get(file).source.name() + ":" + error + " (read as far as it parses)"));
    }

    private Text read(Analysis.Source source, int index) {
        String file = source.name().substring(source.name().lastIndexOf('/') + 1);
        if (file.equals("module-info.java") || file.equals("package-info.java")) {
            return null;
        }
        try {
            long size = Files.size(source.file());
            if (size > MAX_BYTES) {
                problems.add(source.name() + ": left out, " + size / 1_000_000 + " MB is too large");
                return null;
            }
            byte[] bytes = Files.readAllBytes(source.file());
            try {
                return new Text(source, index, StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
            } catch (CharacterCodingException e) {
                problems.add(source.name() + ": not UTF-8, read as ISO-8859-1");
                return new Text(source, index, new String(bytes, StandardCharsets.ISO_8859_1));
            }
        } catch (IOException | SecurityException e) {
            problems.add(source.name() + ": left out, cannot be read (" + e.getClass().getSimpleName() + ")");
            return null;
        }
    }

    /** A file's text for the compiler. */
    private static final class Text extends SimpleJavaFileObject {
        private final Analysis.Source source;
        private final String content;

        Text(Analysis.Source source, int index, String content) {
            super(URI.create("text:///" + index + ".java"), Kind.SOURCE);
            this.source = source;
            this.content = content;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return content;
        }

        @Override
        public boolean isNameCompatible(String simpleName, Kind kind) {
            return true;
        }
    }
}
