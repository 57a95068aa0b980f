package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The launchers in child processes: an installed copy in a folder with spaces, without execute bits, with a cache of
 * its own.
 */
@Tag("once")
@Execution(ExecutionMode.CONCURRENT)
@Timeout(3_600)
class LauncherIT {

    private static final String HOME = System.getProperty("java.home");
    private static final String JAVA = Path.of(HOME, "bin", "java").toString();

    @TempDir
    Path top;

    private Path scripts;
    private Path cache;
    private Path project;
    private String launcher;
    private String shell;

    @BeforeEach
    void install() throws IOException {
        scripts = top.resolve("an installed skill/scripts");
        cache = top.resolve("my cache");
        project = top.resolve("my project");
        launcher = scripts.resolve("FindBlockingCalls.java").toString();
        shell = scripts.resolve("find-blocking-calls.sh").toString();
        try (Stream<Path> files = Files.walk(Path.of("scripts"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = scripts.resolve(Path.of("scripts").relativize(file));
                Files.createDirectories(copy.getParent());
                Files.write(copy, Files.readAllBytes(file));
            }
        }
        Files.createDirectories(project.resolve(".git"));
        Cli.write(project.resolve("src/Pins.java"), "class Pins {",
                "  synchronized void pin() throws InterruptedException {",
                "    Thread.sleep(1000);", "  }", "}");
    }

    private ProcessBuilder command(String... command) throws IOException {
        var builder = new ProcessBuilder(command).directory(project.toFile());
        builder.environment().put("XDG_CACHE_HOME", cache.toString());
        builder.environment().put("JAVA_HOME", HOME);
        builder.environment().keySet().removeAll(Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
        builder.redirectOutput(Files.createTempFile(top, "out", ".txt").toFile());
        builder.redirectError(Files.createTempFile(top, "err", ".txt").toFile());
        return builder;
    }

    private static Cli result(ProcessBuilder builder, Process process) throws IOException, InterruptedException {
        int code = process.waitFor();
        return new Cli(code, Files.readString(builder.redirectOutput().file().toPath()),
                Files.readString(builder.redirectError().file().toPath()));
    }

    private static Cli run(ProcessBuilder builder) throws IOException, InterruptedException {
        return result(builder, builder.start());
    }

    private Cli java(String... args) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(JAVA, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", launcher));
        command.addAll(Arrays.asList(args));
        return run(command(command.toArray(String[]::new)));
    }

    /** Waits for what runs have left to the background: it has a file there, the last it removes. */
    @AfterEach
    void settle() throws IOException, InterruptedException {
        Path folder = cache.resolve("java-async-patterns");
        String[] names = folder.toFile().list();
        while (names != null && Arrays.stream(names).anyMatch(name -> name.endsWith(".tmp"))) {
            Thread.sleep(10);
            names = folder.toFile().list();
        }
    }

    /** The kinds of files in the cache: jar, jsa (an archive of classes), java and sh (shortcuts), tmp. */
    private List<String> cached() throws IOException, InterruptedException {
        settle();
        try (Stream<Path> files = Files.walk(cache)) {
            return files.filter(Files::isRegularFile).map(file -> file.getFileName().toString())
                    .map(name -> name.contains(".") ? name.substring(name.lastIndexOf('.') + 1) : name.substring(0,
                            name.indexOf('-'))).sorted().toList();
        }
    }

    private static void assertFinds(Cli run) {
        assertEquals("", run.err());
        assertEquals(1, run.code());
        assertTrue(run.out().startsWith("src/Pins.java:3:"), run.out());
    }

    private static void assertFails(Cli run, String said) {
        assertEquals(2, run.code(), run.err());
        assertEquals(1, run.errors().size(), run.err());
        assertTrue(run.err().contains(said), run.err());
    }

    @Test
    void compilesOnceAndStartsFromTheCacheThen() throws Exception {
        assertFinds(java());
        assertEquals(List.of("jar", "java", "jsa"), cached());
        assertFinds(java("src"));
        assertEquals(List.of("jar", "java", "jsa"), cached());
        Files.write(scripts.resolve("scanner/project/Failure.java"), "\n".getBytes(),
                java.nio.file.StandardOpenOption.APPEND);
        assertFinds(java());
        assertEquals(List.of("jar", "jar", "java", "java", "jsa", "jsa"), cached(), "other sources, other classes");
    }

    @Test
    void helpAndAMistakeMakeTheNextStartFasterToo() throws Exception {
        assertFails(java("--frobnicate"), "unknown option --frobnicate");
        assertEquals(List.of("jar", "java", "jsa"), cached());
        Cli help = java("--help");
        assertEquals(Options.HELP, help.out());
        assertEquals(0, help.code());
        assertFinds(java());
        assertEquals(List.of("jar", "java", "jsa"), cached());
    }

    @Test
    void anOlderJdkInFrontFindsANewerOne() throws Exception {
        Path older = olderJdk();
        assumeTrue(older != null, "no JDK of 11 to 20 here");
        for (int i = 0; i < 2; i++) {
            assertFinds(run(command(older.resolve("bin/java").toString(), launcher)));
            assertEquals(List.of("jar", "java", "jsa"), cached());
        }
        ProcessBuilder without = command(older.resolve("bin/java").toString(), launcher);
        without.environment().remove("JAVA_HOME");
        without.environment().put("JAVA_HOME_21_X64", HOME);
        assertFinds(run(without));
    }

    private static Path olderJdk() throws IOException {
        for (String folder : List.of("/usr/lib/jvm", System.getProperty("user.home") + "/.sdkman/candidates/java",
                System.getProperty("user.home") + "/.jdks", System.getProperty("user.home") + "/.cache/jdks")) {
            File[] jdks = new File(folder).listFiles();
            for (int i = 0; jdks != null && i < jdks.length; i++) {
                Path release = jdks[i].toPath().resolve("release");
                if (Files.isReadable(release) && Files.exists(release.resolveSibling("bin/javac"))
                        && Files.readString(release).matches("(?s).*JAVA_VERSION=\"1[1-9]\\..*")) {
                    return jdks[i].toPath();
                }
            }
        }
        return null;
    }

    @Test
    void twoAtOnceOnAColdCache() throws Exception {
        ProcessBuilder first = command(JAVA, launcher);
        ProcessBuilder second = command(JAVA, launcher);
        Process one = first.start();
        Process two = second.start();
        assertFinds(result(first, one));
        assertFinds(result(second, two));
        assertEquals(List.of("jar", "java", "jsa"), cached(), "and nothing half done");
        assertFinds(java());
    }

    @Test
    void withoutACacheItCompilesEachTime() throws Exception {
        Files.writeString(cache, "a file where the folder should be");
        assertFinds(java());
        assertFinds(java());
    }

    @Test
    void aCacheThatLostItsFilesIsMadeAgain() throws Exception {
        assertFinds(java());
        try (Stream<Path> files = Files.walk(cache)) {
            for (Path file : files.filter(name -> name.toString().endsWith(".jar")).toList()) {
                Files.delete(file);
            }
        }
        assertFinds(java());
        assertEquals(List.of("jar", "java", "jsa"), cached());
    }

    @Test
    void theShellScriptNeedsNoExecuteBitAndTakesAShortcutWhenItCan() throws Exception {
        assumeTrue(Files.exists(Path.of("/bin/bash")), "no bash here");
        assertFalse(Files.isExecutable(Path.of(shell)));
        assertFinds(run(command("bash", shell)));
        assertEquals(List.of("jar", "jsa", "sh"), cached());
        assertFinds(run(command("bash", shell, "src")));
        ProcessBuilder elsewhere = command("bash", "find-blocking-calls.sh", "--format", "json", project.toString())
                .directory(scripts.toFile());
        Cli json = run(elsewhere);
        assertEquals(1, ((List<?>) JsonText.at(JsonText.parse(json.out()), "findings")).size());

        Path link = Files.createSymbolicLink(top.resolve("link"), Path.of(shell));
        assertFinds(run(command("bash", link.toString())));
        assertEquals(List.of("jar", "jsa", "sh"), cached());
    }

    @Test
    void whereNoJdkIsFoundTheShellScriptSaysSo() throws Exception {
        assumeTrue(Files.exists(Path.of("/bin/bash")), "no bash here");
        assumeTrue(!Files.exists(Path.of("/usr/lib/jvm")), "JDKs here where everyone finds them");
        ProcessBuilder none = command("/bin/bash", shell);
        none.environment().remove("JAVA_HOME");
        none.environment().put("PATH", top.toString());
        assertFails(run(none), "no JDK of 21 or later found");
    }

    @Test
    void aFullDiskAndAReaderThatEndsAreSaid() throws Exception {
        assumeTrue(Files.exists(Path.of("/dev/full")), "no /dev/full here");
        ProcessBuilder full = command(JAVA, launcher).redirectOutput(new File("/dev/full"));
        Process process = full.start();
        assertEquals(2, process.waitFor());
        assertTrue(Files.readString(full.redirectError().file().toPath()).contains("could not be written whole"));

        for (int i = 0; i < 400; i++) {
            Cli.write(project.resolve("src/Pins" + i + ".java"), Files.readString(project.resolve("src/Pins.java"))
                    .replace("Pins", "Pins" + i));
        }
        Cli head = run(command("bash", "-c", "'" + JAVA + "' '" + launcher
                + "' --format json | head -c 1; exit ${PIPESTATUS[0]}"));
        assertEquals("{", head.out());
        assertEquals(2, head.code());
        assertTrue(head.err().contains("could not be written whole"), head.err());
        assertFalse(head.err().contains("\tat "), head.err());
    }

    @Test
    void filesWithOtherThanEnglishNamesInTheCLocale() throws Exception {
        Files.move(project.resolve("src/Pins.java"), project.resolve("src/Größe \u4e2d.java"));
        ProcessBuilder plain = command(JAVA, launcher);
        plain.environment().keySet().removeIf(name -> name.startsWith("LC_") || name.equals("LANG"));
        Cli run = run(plain);
        assertEquals(1, run.code(), run.err());
        assertTrue(run.out().startsWith("src/Größe \u4e2d.java:3:"), run.out());
    }

    @Test
    void aBundleThatIsNotWholeIsSaid() throws Exception {
        Files.delete(scripts.resolve("scanner/findings/Finding.java"));
        assertFails(java(), "the skill is incomplete: install it again");
        try (Stream<Path> files = Files.walk(scripts.resolve("scanner"))) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
        assertFails(java(), "the skill is incomplete: install it again");
    }
}
