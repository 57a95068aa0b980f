import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The hook in a child process, as a client starts it, from a copy of the skill in a folder with spaces. */
@Tag("once")
@Timeout(3_600)
class ScanAfterEditIT {

    private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();

    @TempDir
    static Path top;

    private static Path scripts;

    private Path project;

    private record Outcome(int exit, String out, String err) {
    }

    @BeforeAll
    static void install() throws IOException {
        scripts = top.resolve("an installed skill/scripts");
        try (Stream<Path> files = Files.walk(Path.of("scripts"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = scripts.resolve(Path.of("scripts").relativize(file));
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
    }

    /** Waits for what the scanner's first run has left to the background: it has a file there, the last it removes. */
    @AfterAll
    static void settle() throws InterruptedException {
        File cache = top.resolve("cache/java-async-patterns").toFile();
        String[] names = cache.list();
        while (names != null && Arrays.stream(names).anyMatch(name -> name.endsWith(".tmp"))) {
            Thread.sleep(10);
            names = cache.list();
        }
    }

    @BeforeEach
    void project() throws Exception {
        project = Files.createTempDirectory(top, "project");
        write("Slow.java", "class Slow { static void load() throws InterruptedException {\n Thread.sleep(1000);\n} }");
        write("Caller.java",
                "class Caller { synchronized void get() throws InterruptedException {\n Slow.load();\n} }");
        write("Other.java",
                "class Other { synchronized void get() throws InterruptedException {\n Thread.sleep(1);\n} }");
    }

    private Path write(String name, String content) throws IOException {
        return Files.writeString(Files.createDirectories(project.resolve("src")).resolve(name), content);
    }

    private static Outcome run(Path folder, String input, String... options) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(JAVA, scripts.resolve("ScanAfterEdit.java").toString()));
        command.addAll(List.of(options));
        Path out = Files.createTempFile(top, "out", ".txt");
        Path err = Files.createTempFile(top, "err", ".txt");
        Path in = Files.writeString(Files.createTempFile(top, "in", ".txt"), input);
        var builder = new ProcessBuilder(command).directory(folder.toFile())
                .redirectInput(in.toFile()).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().put("XDG_CACHE_HOME", top.resolve("cache").toString());
        builder.environment().keySet().removeAll(Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "CLAUDE_PROJECT_DIR"));
        return new Outcome(builder.start().waitFor(), Files.readString(out), Files.readString(err));
    }

    private Outcome edit(Path file, String... options) throws IOException, InterruptedException {
        String input = "{\"cwd\": \"%s\", \"tool_name\": \"Write\", \"tool_input\": {\"content\": \"{\\\"file_path\\\": \\\"x\\\"}\", \"file_path\": \"%s\"}}";
        return run(project, input.formatted(escaped(project), escaped(file)), options);
    }

    private static String escaped(Path path) {
        return path.toString().replace("\\", "\\\\");
    }

    private void git(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c",
                "core.hooksPath="));
        command.addAll(List.of(arguments));
        try {
            assumeTrue(new ProcessBuilder(command).directory(project.toFile()).redirectErrorStream(true)
                    .redirectOutput(Files.createTempFile(top, "git", ".txt").toFile()).start().waitFor() == 0,
                            "git fails");
        } catch (IOException e) {
            assumeTrue(false, "no git here");
        }
    }

    @Test
    void handsTheFindingsAboutTheEditedFileBack() throws Exception {
        git("init", "-q");
        Outcome outcome = edit(project.resolve("src/Slow.java"));
        assertEquals(2, outcome.exit(), outcome.err());
        assertEquals("", outcome.out());
        assertTrue(outcome.err().startsWith("find-blocking-calls on src/Slow.java"), outcome.err());
        assertTrue(outcome.err().contains("src/Caller.java:2:"), "the caller: " + outcome.err());
        assertTrue(!outcome.err().contains("Other.java"), "not about this file: " + outcome.err());
        assertTrue(outcome.err().contains("--explain"), outcome.err());
    }

    @Test
    void saysNothingWhereThereIsNothingToSay() throws Exception {
        git("init", "-q");
        git("add", ".");
        git("commit", "-q", "-m", "x");
        Path file = write("Fine.java", "class Fine { }");
        assertEquals(new Outcome(0, "", ""), edit(file));
        assertEquals(new Outcome(0, "", ""), edit(Files.writeString(project.resolve("notes.txt"), "x")));
        assertEquals(new Outcome(0, "", ""), edit(project.resolve("src/Deleted.java")));
    }

    @Test
    void passesItsOptionsToTheScanner() throws Exception {
        Path file = project.resolve("src/Other.java");
        assertEquals(2, edit(file, "--release", "21").exit());
        assertEquals(new Outcome(0, "", ""), edit(file, "--release", "25"));
    }

    @Test
    void outsideOfGitTheFileIsScannedAlone() throws Exception {
        assertEquals(new Outcome(0, "", ""), edit(project.resolve("src/Slow.java")));
        assertEquals(2, edit(project.resolve("src/Other.java")).exit());
    }

    @Test
    void badInputIsOneLineAndNeverBlocks() throws Exception {
        for (String input : List.of("", "no JSON", "{}", "{\"tool_input\": {\"file_path\": 3}}")) {
            Outcome outcome = run(project, input);
            assertEquals(1, outcome.exit(), outcome.err());
            assertEquals(1, outcome.err().lines().count(), outcome.err());
        }
        Outcome wrong = edit(project.resolve("src/Other.java"), "--frobnicate");
        assertEquals(1, wrong.exit(), wrong.err());
        assertEquals(1, wrong.err().lines().count(), wrong.err());
        assertTrue(wrong.err().contains("unknown option --frobnicate"), wrong.err());
        Outcome broken = edit(write("Broken.java", "class Broken { void m( }"));
        assertTrue(broken.exit() < 2 && broken.err().lines().count() <= 1, broken.err());
    }

    @Test
    void startsTheCompiledScannerAtOnceTheSecondTime() throws Exception {
        Path file = project.resolve("src/Other.java");
        assertEquals(2, edit(file).exit());
        settle();
        Path launcher = scripts.resolve("FindBlockingCalls.java");
        byte[] content = Files.readAllBytes(launcher);
        Files.delete(launcher);
        try {
            assertEquals(2, edit(file).exit(), "without the launcher");
            Path source = scripts.resolve("scanner/project/Failure.java");
            byte[] before = Files.readAllBytes(source);
            Files.writeString(source, "\n", java.nio.file.StandardOpenOption.APPEND);
            assertEquals(1, edit(file).exit(), "compiled from other sources");
            Files.write(source, before);
        } finally {
            Files.write(launcher, content);
        }
    }

    @Test
    void readsPathsOfEverySystem() {
        assertEquals("C:\\proj\\src\\A.java", ScanAfterEdit.value("{\"file_path\": \"C:\\\\proj\\\\src\\\\A.java\"}",
                "file_path"));
        assertEquals("/a \"b\"/\u3042.java", ScanAfterEdit.value("{\"file_path\":\"/a \\\"b\\\"\\/\\u3042.java\"}",
                "file_path"));
        assertEquals("/p",
                ScanAfterEdit.value("{\"content\": \"\\\"file_path\\\": \\\"x\\\"\", \"file_path\" : \"/p\"}",
                "file_path"));
        assertNull(ScanAfterEdit.value("{\"file_path\": \"unfinished", "file_path"));
        assertEquals("x".repeat(1_000_000), ScanAfterEdit.value("{\"file_path\": \"" + "x".repeat(1_000_000) + "\"}",
                "file_path"));
    }

    @Test
    void tellsTheFindingsOfOneFileFromThoseOfOthers() {
        String report = """
                find-blocking-calls: src/B.java: cannot be parsed
                src/A.java:1:2: warning [rule] one
                    step (line 3:4)
                src/xA.java:1:2: warning [rule] other file
                    step (src/A.javax:3:4)
                src/C.java:1:2: warning [rule] two
                    step (src/A.java:3:4)
                src/D.java:1:2: warning [rule] three
                    also at src/E.java:1:1, src/A.java:3:4
                3 findings in src/A.java:1: none
                """.replace("\n", System.lineSeparator());
        var found = ScanAfterEdit.about("src/A.java", report);
        assertEquals(List.of("one", "two", "three"), found.stream()
                .map(f -> f.lines().findFirst().orElse("").replaceFirst(".*] ", "")).toList());
        assertTrue(found.getFirst().endsWith("step (line 3:4)"), found.getFirst());
    }
}
