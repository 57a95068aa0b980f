package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Every pattern, copied into a project, compiles without a warning on every JDK: alone, and all in one package. */
@Timeout(3_600)
class CopiesIT {

    private static final Duration LIMIT = Duration.ofMinutes(20);
    private static final Path SKILL = Path.of("").toAbsolutePath();

    @TempDir
    static Path folder;

    @TestFactory
    @Execution(ExecutionMode.CONCURRENT)
    List<DynamicNode> compileOnEveryJdk() throws Exception {
        var names = new ArrayList<String>();
        for (Path topic : Examples.topics()) {
            Examples.javaFiles(topic).forEach(file -> names.add(name(file)));
        }
        Path one = copied("one", "all", names);
        Path alone = folder.resolve("alone");
        for (String name : names) {
            copied("alone/" + name.toLowerCase(Locale.ROOT), name.toLowerCase(Locale.ROOT), List.of(name));
        }
        var tests = new ArrayList<DynamicNode>();
        for (Jdk jdk : Jdk.tested()) {
            tests.add(compiles("all copies in one package", jdk, one, List.of()));
            tests.add(compiles("each copy alone", jdk, alone, List.of()));
            if (jdk.generation().isPresent()) {
                var structured = Examples.javaFiles(Examples.ROOT.resolve("structured")
                        .resolve(jdk.generation().get()));
                Path preview = copied("structured" + jdk.feature(), "structured",
                        structured.stream().map(file -> "structured/" + name(file)).toList(), "--jdk", ""
                                + jdk.feature());
                tests.add(compiles("copies of examples/structured", jdk, preview,
                        List.of("--enable-preview", "--release", "" + jdk.feature(), "-Xlint:-preview")));
            }
        }
        Jdk.PROMISED.stream().filter(feature -> Jdk.of(feature).isEmpty()).forEach(feature -> tests.add(
                dynamicTest("copies on JDK " + feature, Coverage.recorded("copies", feature,
                        () -> org.junit.jupiter.api.Assumptions.abort("JDK " + feature + " was not found")))));
        return tests;
    }

    @Test
    void theCommandRunsOnTheJavaThatIsThereAndCompilesItselfOnce() throws Exception {
        Path target = folder.resolve("command");
        var command = List.of("env", "XDG_CACHE_HOME=" + folder.resolve("cache"),
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "scripts/CopyPattern.java");
        var copy = new ArrayList<>(command);
        copy.addAll(List.of("Gather", "--to", target.toString(), "--package", "com.acme"));
        for (int time = 0; time < 2; time++) {
            Child child = Child.succeed(LIMIT, copy);
            assertEquals("== " + target.resolve("Gather.java"), child.output()
                    .substring(0, child.output().indexOf(" (")));
        }
        var unknown = new ArrayList<>(command);
        unknown.add("Gahter");
        Child refused = Child.run(LIMIT, unknown);
        assertEquals("2 copy-pattern: no pattern Gahter; the nearest is Gather, and --list shows all",
                refused.exit() + " " + refused.output().strip());
    }

    private static Path copied(String to, String in, List<String> names, String... more) {
        Path target = folder.resolve(to);
        var arguments = new ArrayList<>(names);
        arguments.addAll(List.of("--to", target.toString(), "--package", in));
        arguments.addAll(List.of(more));
        var out = new PrintStream(PrintStream.nullOutputStream());
        assertEquals(0, copier.Main.run(SKILL, folder, out, System.err, arguments.toArray(String[]::new)));
        return target;
    }

    private static DynamicNode compiles(String what, Jdk jdk, Path sources, List<String> options) throws IOException {
        return dynamicTest(what + "[jdk " + jdk.feature() + "]", Coverage.recorded(what, jdk.feature(), () -> {
            var command = jdk.javac("-Xlint:all", "-Werror", "-proc:none", "-d",
                    Files.createTempDirectory(folder, "classes").toString());
            command.addAll(options);
            try (var files = Files.walk(sources)) {
                files.filter(file -> file.toString().endsWith(".java")).map(Path::toString).forEach(command::add);
            }
            Child.succeed(LIMIT, command);
        }));
    }

    private static String name(Path file) {
        return file.getFileName().toString().replace(".java", "");
    }
}
