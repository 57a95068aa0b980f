package harness;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Compiles and runs every example on each JDK that is tested; on the oldest, the way its Javadoc says: {@code java
 * examples/X.java}.
 */
class ExamplesIT {

    private static final Duration LIMIT = Duration.ofMinutes(20);

    @TestFactory
    @Execution(ExecutionMode.CONCURRENT)
    List<DynamicNode> finalApi() throws Exception {
        var tests = new ArrayList<DynamicNode>();
        var jdks = Jdk.tested();
        var files = Examples.finalApi();
        for (Jdk jdk : jdks) {
            Path classes = compile(jdk, files, List.of());
            for (Path file : files) {
                if (!hasMain(file)) {
                    continue;
                }
                var command = jdk.equals(jdks.getFirst())
                        ? jdk.java(file.toString())
                        : jdk.java("-cp", classes.toString(), className(file));
                tests.add(test(file.toString().replace('\\', '/'), jdk, command));
            }
        }
        tests.addAll(missing("examples"));
        return tests;
    }

    @TestFactory
    @Execution(ExecutionMode.CONCURRENT)
    List<DynamicNode> structuredTaskScope() throws Exception {
        var tests = new ArrayList<DynamicNode>();
        for (Jdk jdk : Jdk.tested()) {
            if (jdk.generation().isEmpty()) {
                tests.add(dynamicTest("examples/structured on JDK " + jdk.feature(),
                        () -> Assumptions.abort("no folder is written for JDK " + jdk.feature())));
                continue;
            }
            var files = Examples.javaFiles(Path.of("examples/structured", jdk.generation().get()));
            String release = String.valueOf(jdk.feature());
            Path classes = compile(jdk, files, List.of("--enable-preview", "--release", release));
            for (Path file : files) {
                var command = jdk.java("--enable-preview", "-cp", classes.toString(), className(file));
                tests.add(test("examples/structured/jdkNN/" + file.getFileName(), jdk, command));
            }
        }
        tests.addAll(missing("examples/structured"));
        return tests;
    }

    private static DynamicTest test(String pattern, Jdk jdk, List<String> command) {
        return dynamicTest(pattern + " on JDK " + jdk.feature(),
                Coverage.recorded(pattern, jdk.feature(), () -> Child.succeed(LIMIT, command)));
    }

    private static List<DynamicTest> missing(String what) {
        return Jdk.PROMISED.stream().filter(feature -> Jdk.of(feature).isEmpty())
                .map(feature -> dynamicTest(what + " on JDK " + feature,
                        Coverage.recorded(what, feature, () -> Assumptions.abort("JDK " + feature + " was not found"))))
                .toList();
    }

    private static Path compile(Jdk jdk, List<Path> files, List<String> options) throws Exception {
        Path classes = Files.createDirectories(Path.of("target/on-jdk-" + jdk.feature(), options.isEmpty() ? "final"
                : "preview"));
        if (!files.isEmpty()) {
            var command = jdk.javac("-Xlint:all,-preview", "-Werror", "-proc:none", "-d", classes.toString());
            command.addAll(options);
            files.forEach(file -> command.add(file.toString()));
            Child.succeed(LIMIT, command);
        }
        return classes;
    }

    private static boolean hasMain(Path file) throws IOException {
        return Files.readString(file).contains("public static void main(");
    }

    private static String className(Path file) {
        return file.getFileName().toString().replace(".java", "");
    }
}
