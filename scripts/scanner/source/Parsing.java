package scanner.source;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticListener;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import scanner.project.Source;

/**
 * Parses source files, some at a time on each of two threads, and keeps only what {@link Declarations} takes from each.
 * Whatever is wrong with a file, it is named and the others are read: one that does not parse gives what the parser
 * could make of it.
 */
public final class Parsing {

    /** Fewer are not worth a second compiler. */
    private static final int FEW_FILES = 20;
    private static final int CHUNK_FILES = 100;
    private static final long CHUNK_BYTES = 1_000_000;
    private static final long MAX_BYTES = 20_000_000;

    /** With previews it is newer still: 21 reads the unnamed variables of 22. */
    private static final String NEWEST = String.valueOf(Runtime.version().feature());

    private final JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    private final Iterator<Source> sources;
    private final int chunkFiles;
    private final List<Chunk> chunks = new ArrayList<>();
    private final Consumer<String> progress;

    /** Some files, and what came of them. */
    private record Chunk(List<Text> texts, List<SourceUnit> units, List<String> problems) {
    }

    private Parsing(List<Source> sources, Consumer<String> progress) {
        this.sources = sources.iterator();
        this.chunkFiles = Math.clamp(sources.size() / 2 + 1, FEW_FILES, CHUNK_FILES);
        this.progress = progress;
    }

    /** In the order given. */
    public static List<SourceUnit> parse(List<Source> sources, List<String> problems, Consumer<String> progress) {
        var parsing = new Parsing(sources, progress);
        var other = new FutureTask<Void>(parsing::work, null);
        boolean two = sources.size() > FEW_FILES && Runtime.getRuntime().availableProcessors() > 1
                && DeepStack.start(other);
        parsing.work();
        if (two) {
            DeepStack.await(other);
        }
        parsing.chunks.forEach(chunk -> problems.addAll(chunk.problems));
        return parsing.chunks.stream().flatMap(chunk -> chunk.units.stream()).toList();
    }

    private void work() {
        var strings = new Declarations.Strings();
        try (var files = compiler.getStandardFileManager(null, Locale.ROOT, StandardCharsets.UTF_8)) {
            for (Chunk chunk = next(); chunk != null; chunk = next()) {
                parseChunk(files, strings, chunk);
                chunk.texts.clear();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the compiler's file manager", e);
        }
    }

    /** Null if there is none left. */
    private synchronized Chunk next() {
        if (!sources.hasNext()) {
            return null;
        }
        var chunk = new Chunk(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        chunks.add(chunk);
        for (long bytes = 0; sources.hasNext() && chunk.texts.size() < chunkFiles && bytes < CHUNK_BYTES; ) {
            Text text = read(sources.next(), chunk);
            if (text != null) {
                chunk.texts.add(text);
                bytes += text.content.length();
            }
        }
        return chunk;
    }

    private void parseChunk(StandardJavaFileManager files, Declarations.Strings strings, Chunk chunk) {
        if (chunk.texts.isEmpty()) {
            return;
        }
        Source first = chunk.texts.get(0).source;
        progress.accept("parsing " + first.name());
        int before = chunk.units.size();
        try {
            parseAll(files, strings, chunk);
        } catch (RuntimeException | StackOverflowError | AssertionError | IOException e) {
            while (chunk.units.size() > before) {
                chunk.units.removeLast();
            }
            if (chunk.texts.size() == 1) {
                chunk.problems.add(first.name() + ": left out, the parser fails on it ("
                        + (e instanceof StackOverflowError ? "nested too deeply" : e.getClass().getSimpleName()) + ")");
                return;
            }
            for (Text each : chunk.texts) {
                parseChunk(files, strings, new Chunk(List.of(each), chunk.units, chunk.problems));
            }
        }
    }

    private void parseAll(StandardJavaFileManager files, Declarations.Strings strings, Chunk chunk) throws IOException {
        Map<URI, String> errors = new LinkedHashMap<>();
        Map<URI, Text> texts = new HashMap<>();
        // the compiler wraps file objects: their address is what stays
        chunk.texts.forEach(text -> texts.put(text.toUri(), text));
        DiagnosticListener<JavaFileObject> listener = diagnostic -> {
            if (diagnostic.getKind() == Diagnostic.Kind.ERROR && diagnostic.getSource() != null) {
                errors.putIfAbsent(diagnostic.getSource().toUri(),
                        diagnostic.getLineNumber() + ": " + diagnostic.getMessage(Locale.ROOT).lines().findFirst()
                                .orElse(""));
            }
        };
        var task = (JavacTask) compiler.getTask(Writer.nullWriter(), files, listener,
                List.of("-proc:none", "-implicit:none", "-Xlint:none", "-nowarn", "-Xmaxerrs", "1000000",
                        "--enable-preview", "-source",
                        NEWEST), null, chunk.texts);
        SourcePositions positions = Trees.instance(task).getSourcePositions();
        for (CompilationUnitTree tree : task.parse()) {
            Text text = texts.get(tree.getSourceFile().toUri());
            chunk.units.add(Declarations.read(tree, text.content, positions, strings, text.source));
        }
        strings.forgetNames();
        errors.forEach((file, error) -> chunk.problems.add(texts.get(file).source.name() + ":" + error
                + " (read as far as it parses)"));
    }

    private static Text read(Source source, Chunk chunk) {
        int index = chunk.texts.size();
        String file = source.name().substring(source.name().lastIndexOf('/') + 1);
        if (file.equals("module-info.java") || file.equals("package-info.java")) {
            return null;
        }
        try {
            long size = Files.size(source.file());
            if (size > MAX_BYTES) {
                chunk.problems.add(source.name() + ": left out, " + size / 1_000_000 + " MB is too large");
                return null;
            }
            byte[] bytes = Files.readAllBytes(source.file());
            try {
                return new Text(source, index, StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes))
                        .toString());
            } catch (CharacterCodingException e) {
                chunk.problems.add(source.name() + ": not UTF-8, read as ISO-8859-1");
                return new Text(source, index, new String(bytes, StandardCharsets.ISO_8859_1));
            }
        } catch (IOException | SecurityException e) {
            chunk.problems.add(source.name() + ": left out, cannot be read (" + e.getClass().getSimpleName() + ")");
            return null;
        }
    }

    /** A file's text for the compiler. */
    private static final class Text extends SimpleJavaFileObject {
        private final Source source;
        private final String content;

        Text(Source source, int index, String content) {
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
