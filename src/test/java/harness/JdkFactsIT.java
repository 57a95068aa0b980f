package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** {@code scripts/JdkFacts.java}: an answer in 40 lines for the JDK that is meant, or one line that says why not. */
@Tag("once")
@Execution(ExecutionMode.CONCURRENT)
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class JdkFactsIT {

    private static final Duration LIMIT = Duration.ofMinutes(20);
    private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();

    @TempDir
    static Path folder;

    private record Answer(int exit, String out, String err) {
    }

    /** As installed: the script and the file in their folders, so that only these are needed. */
    @BeforeAll
    static void install() throws IOException {
        for (String file : List.of("scripts/JdkFacts.java", "references/facts.tsv")) {
            Path copy = folder.resolve("skill").resolve(file);
            Files.createDirectories(copy.getParent());
            Files.copy(Path.of(file), copy);
        }
    }

    @Test
    void runsOn11() throws Exception {
        Child.succeed(LIMIT, List.of(JAVA + "c", "--release", "11", "-Xlint:all,-options", "-Werror", "-proc:none",
                "-d", folder.resolve("classes").toString(),
                "scripts/JdkFacts.java"));
    }

    @Test
    void saysWhatHoldsAndWhatToDo() throws Exception {
        String on27 = answer("--jdk", "27", "dump", "ReentrantLock");
        assertTrue(on27.contains("who holds a `ReentrantLock`: yes\n"), on27);
        String on25 = answer("--jdk", "25", "dump ReentrantLock");
        assertTrue(on25.contains("who holds a `ReentrantLock`: no; from 25.0.5: yes\n    where not: ThreadDump"), on25);
        assertTrue(answer("--jdk", "22", "sendResponseHeaders").contains("JDK 21 at once, JDK 25 with the body"));
        assertTrue(answer("--jdk", "40", "sendResponseHeaders").startsWith("JDK 40: no column of its own, seen on "));
    }

    @Test
    void saysWhatChanges() throws Exception {
        String moved = answer("--from", "21", "--to", "25");
        assertTrue(moved.contains("FileChannel`: +1 -> held. where held: slow disks"), moved);
        assertTrue(moved.contains("\ngone: ") && moved.contains("\nnew: "), moved);
        assertFalse(moved.contains("GET"), "the same on both");
        assertTrue(answer("--from", "25", "--to", "27", "GET").contains("attempts: 2 -> 5. "));
    }

    @Test
    void keepsTo40Lines() throws Exception {
        var questions = new ArrayList<List<String>>();
        for (String jdk : List.of("21", "23", "28")) {
            questions.add(List.of("--jdk", jdk));
            questions.add(List.of("--jdk", jdk, "e"));
        }
        questions.add(List.of("--from", "21", "--to", "28"));
        for (List<String> question : questions) {
            String answer = answer(question.toArray(String[]::new));
            assertTrue(answer.lines().count() <= 40, () -> question + "\n" + answer);
            assertTrue(answer.endsWith(" more: add a word to narrow the search\n"), answer);
        }
    }

    @Test
    void readsTheJdkFromTheBuild() throws Exception {
        var builds = Map.of("pom.xml",
                "<project><!-- <release>17</release> --><properties>"
                        + "<maven.compiler.release> 25 </maven.compiler.release></properties></project>",
                "build.gradle.kts", "kotlin { jvmToolchain(25) }",
                "build.gradle", "java { toolchain { languageVersion = JavaLanguageVersion.of(25) } }",
                ".java-version", "temurin-25.0.2\n", ".sdkmanrc", "# java\njava=25.0.2-tem\n");
        for (var build : builds.entrySet()) {
            Path project = Files.createTempDirectory(folder, "project");
            Files.createDirectory(project.resolve(".git"));
            Files.writeString(project.resolve(build.getKey()), build.getValue());
            Path module = Files.createDirectories(project.resolve("app/src"));
            Answer answer = run(module, "timeout", "body");
            assertTrue(answer.out.startsWith("JDK 25 (" + project.toRealPath().resolve(build.getKey())
                    + "), seen on 25."), answer.toString());
        }
        Path none = Files.createDirectories(Files.createTempDirectory(folder, "none").resolve(".git")).getParent();
        Answer answer = run(none, "timeout", "body");
        assertTrue(answer.out.contains("JDK " + Runtime.version().feature()
                + " (the java that runs this: no build here names one"), answer.toString());
    }

    @Test
    void badInputIsOneLine() throws Exception {
        refused("--jdk needs the number of a JDK, such as 25, not \"x\"", "--jdk", "x");
        refused("--jdk needs the number of a JDK, such as 25, not \"\"", "--jdk");
        refused("no facts of JDK 17: the patterns need JDK 21 or later", "--jdk", "17");
        refused("use --from A with --to B, and without --jdk", "--from", "21");
        refused("use --from A with --to B, and without --jdk", "--from", "21", "--to", "25", "--jdk", "25");
        refused("unknown option --version; see --help", "--version");
        Answer nothing = run(folder, "--jdk", "25", "xyzzy");
        assertEquals(1, nothing.exit, nothing.toString());
        assertTrue(nothing.out.matches("JDK 25, seen on 25\\S+: no fact has xyzzy\n"), nothing.toString());
        assertEquals(0, run(folder, "--help").exit);
    }

    @Test
    void saysThatItsFileIsMissing() throws Exception {
        Path script = Files.createDirectories(folder.resolve("part/scripts")).resolve("JdkFacts.java");
        Files.copy(Path.of("scripts/JdkFacts.java"), script);
        Answer answer = run(folder, List.of(JAVA, script.toString(), "--jdk", "25"));
        assertEquals(2, answer.exit, answer.toString());
        assertTrue(answer.err.endsWith("facts.tsv; the skill is incomplete: install it again\n") && answer.err.lines()
                .count() == 1, answer.err);
    }

    private static String answer(String... args) throws Exception {
        Answer answer = run(folder, args);
        assertEquals(0, answer.exit, answer.toString());
        return answer.out;
    }

    private static void refused(String message, String... args) throws Exception {
        Answer answer = run(folder, args);
        assertEquals(2, answer.exit, answer.toString());
        assertEquals("jdk-facts: " + message + "\n", answer.err);
        assertEquals("", answer.out);
    }

    private static Answer run(Path directory, String... args) throws Exception {
        var command = new ArrayList<>(List.of(JAVA, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                folder.resolve("skill/scripts/JdkFacts.java").toString()));
        command.addAll(List.of(args));
        return run(directory, command);
    }

    private static Answer run(Path directory, List<String> command) throws Exception {
        Path out = Files.createTempFile(folder, "out", "");
        Path err = Files.createTempFile(folder, "err", "");
        var builder = new ProcessBuilder(command).directory(directory.toFile()).redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().remove("JDK_JAVA_OPTIONS");
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        int exit = builder.start().waitFor();
        return new Answer(exit, Files.readString(out).replace("\r", ""), Files.readString(err).replace("\r", ""));
    }
}
