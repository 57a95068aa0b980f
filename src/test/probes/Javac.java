import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** What this JDK's javac says to source that was written for another generation of StructuredTaskScope. */
public final class Javac {

    private static final String JOINER_25 = "Joiner<T, List<T>> { "
            + "public boolean onComplete(Subtask<? extends T> s) { return false; } "
            + "public List<T> result() { return null; } }";
    private static final String JOINER_27 = "Joiner<T, List<T>, Exception> { "
            + "public boolean onComplete(Subtask<T> s) { return false; } "
            + "public List<T> result() { return null; } public List<T> timeout() { return null; } }";

    private static final String OPEN =
            "try (var s = StructuredTaskScope.open(Joiner.<Integer>allSuccessfulOrThrow())) { ";

    public static void main(String[] args) throws Exception {
        says("shutdown-on-failure", "symbol: class ShutdownOnFailure location: interface StructuredTaskScope",
                method("try (var s = new StructuredTaskScope.ShutdownOnFailure()) { s.join(); }"));
        String constructor = method("try (StructuredTaskScope<Integer> s = "
                + "new StructuredTaskScope<Integer>()) { s.join(); }");
        says("two-type-arguments", "wrong number of type arguments; required 2", constructor);
        says("three-type-arguments", "wrong number of type arguments; required 3", constructor);
        says("two-type-arguments-of-a-joiner-of-27", "wrong number of type arguments; required 2",
                "class X<T> implements " + JOINER_27);
        says("three-type-arguments-of-a-joiner-of-25", "wrong number of type arguments; required 3",
                "class X<T> implements " + JOINER_25);
        says("is-abstract", "StructuredTaskScope is abstract; cannot be instantiated",
                method("try (var s = new StructuredTaskScope()) { s.join(); }"));
        says("no-joiner", "symbol: class Joiner location: class StructuredTaskScope",
                method("StructuredTaskScope.Joiner<Integer, Integer> j;"));
        says("any-successful-result", "symbol: method <Integer>anySuccessfulResultOrThrow()",
                method("Object o = StructuredTaskScope.Joiner.<Integer>anySuccessfulResultOrThrow();"));
        says("map-of-list", "symbol: method map(",
                method(OPEN + "s.join().map(Subtask::get).toList(); }"));
        says("stream-to-list", "incompatible types: Stream<Subtask<Integer>> cannot be converted to List<Integer>",
                method(OPEN + "List<Integer> l = s.join(); }"));
        says("any-successful", "symbol: method <Integer>anySuccessfulOrThrow()",
                method("Object o = StructuredTaskScope.Joiner.<Integer>anySuccessfulOrThrow();"));
        says("name-clash", "name clash: onComplete(Subtask<? extends T>)", "class X<T> implements " + JOINER_25);
        says("failed-exception", "symbol: class FailedException",
                method("throw (StructuredTaskScope.FailedException) new Object();"));
        says("await-all", "symbol: method <Integer>awaitAll()",
                method("Object o = StructuredTaskScope.Joiner.<Integer>awaitAll();"));
        says("unreported", "unreported exception ExecutionException; must be caught",
                "class X { void m() throws InterruptedException { " + OPEN + "s.join(); } } }");
        says("never-thrown", "exception ExecutionException is never thrown in body of corresponding try statement",
                "class X { void m() throws InterruptedException { " + OPEN + "s.join(); } "
                        + "catch (ExecutionException e) { } } }");
        says("open-with-configuration", "no suitable method found for open((c)->",
                method("try (var s = StructuredTaskScope.open(c -> c.withName(\"x\"))) { s.join(); }"));
        says("cancelled-by-timeout", "symbol: class CancelledByTimeoutException",
                method("throw (StructuredTaskScope.CancelledByTimeoutException) new Object();"));
        says("ambiguous-timeout", "reference to TimeoutException is ambiguous",
                "import java.util.concurrent.*; import java.util.concurrent.StructuredTaskScope.*; "
                        + "class X { TimeoutException e; }");
        says("preview-disabled", "StructuredTaskScope is a preview API and is disabled by default",
                method("StructuredTaskScope<?> s;"), false);
        Probe.end();
    }

    private static String method(String body) {
        return "class X { void m() throws Exception { " + body + " } }";
    }

    private static void says(String id, String message, String source) throws Exception {
        says(id, message, source, true);
    }

    private static void says(String id, String message, String source, boolean preview) throws Exception {
        String imports = source.startsWith("import ") ? ""
                : "import java.util.*; import java.util.concurrent.ExecutionException; "
                + "import java.util.concurrent.StructuredTaskScope; "
                + "import java.util.concurrent.StructuredTaskScope.Subtask; "
                + (source.matches("(?s).*(?<!Scope\\.)Joiner.*")
                        ? "import java.util.concurrent.StructuredTaskScope.Joiner; " : "");
        String text = imports + source;
        var file = new SimpleJavaFileObject(URI.create("string:///X.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreErrors) {
                return text;
            }
        };
        var compiler = ToolProvider.getSystemJavaCompiler();
        Path classes = Files.createTempDirectory("javac");
        var options = new ArrayList<>(List.of("-proc:none", "-d", classes.toString()));
        if (preview) {
            options.addAll(List.of("--enable-preview", "--release", "" + Runtime.version().feature()));
        }
        var output = new StringWriter();
        compiler.getTask(output, null, null, options, null, List.of(file)).call();
        boolean said = output.toString().replaceAll("\\s+", " ").contains(message);
        if (System.getProperty("javac.output") != null) {
            System.err.println(id + "\n" + output);
        }
        Probe.print("javac." + id, said ? "yes" : "-");
    }
}
