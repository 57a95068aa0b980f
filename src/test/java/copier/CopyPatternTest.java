package copier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code scripts/CopyPattern.java} does in a project. */
@Tag("once")
@Timeout(600)
class CopyPatternTest {

    private static final Path SKILL = Path.of("").toAbsolutePath();
    private static final Path RELEASED = Path.of("src/test/resources/released-copies.tsv");

    @TempDir
    Path project;
    private Path skill = SKILL;
    private String out;
    private String err;

    @BeforeEach
    void aMavenProject() throws IOException {
        write("pom.xml",
                "<project><properties><maven.compiler.release>21</maven.compiler.release></properties></project>");
        write("src/main/java/com/acme/quotes/Main.java", "package com.acme.quotes;\n\nclass Main { }\n");
    }

    // ---- where to

    @Test
    void copiesIntoTheSourceRootAndPackageOfTheBuild() throws IOException {
        assertEquals(0, run("Gather", "Retry"), err);

        String copy = read("src/main/java/com/acme/quotes/Gather.java");
        assertTrue(copy.startsWith("// java-async-patterns "), copy);
        assertEquals("package com.acme.quotes;", copy.lines().skip(1).findFirst().orElseThrow());
        assertTrue(out.contains("== src/main/java/com/acme/quotes/Retry.java ("), out);
        assertTrue(out.contains("  static <T> List<T> all("), out);
    }

    @Test
    void takesThePackageThatAllOthersHaveInCommon() throws IOException {
        write("src/main/java/com/acme/web/Page.java", "package com.acme.web;\n");
        assertEquals(0, run("Gather"), err);
        assertTrue(read("src/main/java/com/acme/Gather.java").contains("package com.acme;"));
    }

    @Test
    void aModuleOfSeveralIsTheOneThatTheUserStandsIn() throws IOException {
        clear();
        write("pom.xml", "<project/>");
        write("a/pom.xml", "<project/>");
        write("a/src/main/java/x/A.java", "package x;\n");
        write("b/src/main/java/y/B.java", "package y;\n");

        assertRefused(2, "2 source roots, a/src/main/java and b/src/main/java", "Gather");
        assertEquals(0, runIn(project.resolve("a"), "Gather"), err);
        assertTrue(Files.exists(project.resolve("a/src/main/java/x/Gather.java")));
        assertEquals(0, run("Gather", "--to", "b/src/main/java/y/z"), err);
        assertTrue(read("b/src/main/java/y/z/Gather.java").contains("package y.z;"));
    }

    @Test
    void plainSourcesNeedNoBuild() throws IOException {
        clear();
        write("src/com/acme/A.java", "package com.acme;\n");
        assertEquals(0, run("Gather"), err);
        assertTrue(read("src/com/acme/Gather.java").contains("package com.acme;"));
    }

    @Test
    void aSourceRootGetsThePackagesFolder() throws IOException {
        assertEquals(0, run("Gather", "--to", "src", "--package", "a.b"), err);
        assertTrue(read("src/a/b/Gather.java").contains("package a.b;"));
        assertEquals(0, run("Gather", "--to", "x/src/main/java", "--package", "a.b"), err);
        assertTrue(read("x/src/main/java/a/b/Gather.java").contains("package a.b;"));
        assertEquals(0, run("Gather", "--to", "y/java", "--package", "a.b"), err);
        assertTrue(read("y/java/Gather.java").contains("package a.b;"));
    }

    @Test
    void aFolderWithoutSourcesIsRefused() throws IOException {
        clear();
        assertRefused(2, "name the folder with --to DIR", "Gather");
        assertEquals(0, run("Gather", "--to", "out"), err);
        assertFalse(read("out/Gather.java").contains("package "));
    }

    @Test
    void pathsMayHaveSpacesAndAnyLetters() throws IOException {
        assertEquals(0, run("Gather", "--to", "Größe und Weg/süß", "--package", "größe.süß"), err);
        assertTrue(read("Größe und Weg/süß/Gather.java").contains("package größe.süß;"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "pom.xml          | <project><properties><java.version>17</java.version></properties></project>",
        "pom.xml          | <project><build><release>11</release></build></project>",
        "build.gradle     | java { toolchain { languageVersion = JavaLanguageVersion.of(17) } }",
        "build.gradle.kts | kotlin { jvmToolchain(17) }",
        "build.gradle     | sourceCompatibility = JavaVersion.VERSION_1_8",
        ".java-version    | temurin-17.0.9",
    })
    void aBuildForAnOlderJdkIsRefused(String file, String text) throws IOException {
        Files.delete(project.resolve("pom.xml"));
        write(file, text);
        assertRefused(2, "need 21 or later", "Gather");
        assertEquals(0, run("Gather", "--jdk", "21"), err);
    }

    @Test
    void takesTheGenerationOfStructuredTaskScopeThatTheBuildIsFor() throws IOException {
        write("pom.xml",
                "<project><properties><maven.compiler.release>26</maven.compiler.release></properties></project>");
        assertEquals(0, run("structured/Gather"), err);
        assertTrue(read("src/main/java/com/acme/quotes/Gather.java")
                .contains(" examples/structured/jdk26/Gather.java "));
        assertTrue(out.contains("--enable-preview"), out);

        assertEquals(0, run("structured/FirstSuccess", "--jdk", "28"), err);
        assertTrue(read("src/main/java/com/acme/quotes/FirstSuccess.java").contains(" examples/structured/jdk27/"));

        Files.delete(project.resolve("pom.xml"));
        assertRefused(2, "add --jdk N", "structured/NestedScopes", "--to", "src/main/java/com/acme/quotes");
    }

    @Test
    void aModuleThatDoesNotReadWhatACopyNeedsIsRefused() throws IOException {
        write("src/main/java/module-info.java", "module acme { requires java.base; /* requires java.net.http; */ }");
        assertRefused(2, "lacks requires java.net.http;", "SharedHttpClient");
        assertRefused(2, "add --package NAME", "Gather", "--to", "src/main/java");
        write("src/main/java/module-info.java", "module acme { requires transitive java.net.http; }");
        assertEquals(0, run("SharedHttpClient"), err);
    }

    // ---- all or none

    @Test
    void aFileInTheWayStopsAll() throws IOException {
        write("src/main/java/com/acme/quotes/Retry.java", "package com.acme.quotes;\n");
        assertRefused(3, "Retry.java is in the way", "Gather", "Retry");
    }

    @Test
    void copyingTwiceChangesNothing() throws IOException {
        run("Gather");
        String first = read("src/main/java/com/acme/quotes/Gather.java");
        assertEquals(0, run("Gather"), err);
        assertEquals(first, read("src/main/java/com/acme/quotes/Gather.java"));
    }

    @Test
    void aFolderThatCannotBeMadeLeavesNothingBehind() throws IOException {
        write("file", "");
        assertRefused(3, "cannot write ", "Gather", "Retry", "--to", "file/sub");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "Retri                      | no pattern Retri; the nearest is Retry",
        "http/Retry                 | no pattern http/Retry; the nearest is Retry",
        "structured/Gahter          | no pattern structured/Gahter; the nearest is structured/Gather",
        "traps/OrphanedTask         | shows a trap",
        "Gather structured/Gather   | Gather is named twice",
        "--tests                    | name the patterns",
        "Gather --to                | --to needs a value",
        "Gather --package 1a        | --package 1a is not a package name",
        "Gather --jdk 17            | --jdk 17: the patterns need JDK 21 or later",
        "Gather --force             | unknown option --force",
        "--list nothing has this    | no pattern has all the words",
        "--list --show              | cannot be combined",
        "--outdated no/such         | is not a folder",
        "--outdated a b             | takes one folder",
        "service                    | service is a project of its own",
    })
    void badInputIsOneLine(String arguments, String message) throws IOException {
        assertRefused(2, message, arguments.split(" "));
    }

    @Test
    void aWholeSkillIsNeeded() throws IOException {
        skill = Files.createDirectories(project.resolve("half"));
        assertRefused(3, "the skill is incomplete: install it again", "Gather");
    }

    // ---- what a copy is

    @Test
    void noCopyHasADemoARegionOrAnImportItDoesNotNeed() throws Exception {
        for (Path source : sources()) {
            String copy = new Skill(SKILL).text(source, "p");
            String shown = source + "\n" + copy;
            assertFalse(copy.contains(" main(String[]") || copy.contains("// @start region")
                    || copy.contains("<p>Run:"), shown);
            assertTrue(copy.endsWith("}\n") && !copy.contains("\n\n\n") && !copy.contains("\n\n}\n"), shown);
            String code = copy.replaceAll("(?m)^import .*$", "");
            for (String line : copy.lines().filter(line -> line.startsWith("import ")).toList()) {
                String name = line.substring(line.lastIndexOf('.') + 1, line.length() - 1);
                assertTrue(Pattern.compile("\\b" + name + "\\b").matcher(code).find(), line + " in " + shown);
            }
        }
    }

    @Test
    void aPartOfTheServiceComesWithWhatItNeedsAndEachHasItsContract() throws IOException {
        assertEquals(0, run("service/HttpService", "--package", "com.acme.http"), out + err);
        long copied = out.lines().filter(line -> line.startsWith("== ")).count();
        assertTrue(copied > 5, out);
        try (Stream<Path> files = Files.list(project.resolve("src/main/java/com/acme/http"))) {
            assertEquals(files.count(), copied, out);
        }
    }

    @Test
    void aPatternThatAPartBringsIsCopiedOnce() throws IOException {
        assertEquals(0, run("LineLog", "service/Stop", "--package", "com.acme.http"), out + err);
        Path log = project.resolve("src/main/java/com/acme/http/LineLog.java");
        assertTrue(Files.readString(log).lines().findFirst().orElse("").contains("assets/service"), out);
    }

    @Test
    void aContractHasNoStatements() throws Exception {
        for (Path source : sources()) {
            for (String line : Contract.of(new Skill(SKILL).text(source, ""))) {
                assertFalse(line.matches("\\s*(?:this\\.\\w+|return .*|[\\w.]+\\(\\))"), source + ": " + line);
            }
        }
    }

    @Test
    void everyContractFitsIntoFortyLines() throws Exception {
        for (Path source : sources()) {
            String copy = new Skill(SKILL).text(source, "");
            List<String> contract = Contract.of(copy);
            assertTrue((contract.size() > 2 || !copy.contains("\npublic ")) && contract.size() <= 40,
                    source + "\n" + String.join("\n", contract));
            assertTrue(contract.stream().allMatch(line -> line.length() <= 120), source + "\n"
                    + String.join("\n", contract));
        }
    }

    @Test
    void aContractShowsWhatIsPublicAndWhereItBelongs() {
        assertEquals(List.of(
                "class A<T>",
                "    Does it.",
                "    Once.",
                "  sealed interface Outcome<T>",
                "    long index()",
                "    record Good<T>(long index, T value, List<String> more) implements Outcome<T>",
                "    default String text(int width)",
                "        Says so.",
                "  enum State { ON, OFF }",
                "  enum Other { FIRST, SECOND }",
                "  class Permit implements AutoCloseable",
                "    int weight = 1 // at least",
                "    Permit(int weight)",
                "    void close()",
                "  static final int MOST = 1_000",
                "  A(T a)",
                "  Runnable run() throws IOException"), Contract.of(String.join("\n",
                "package x;", "", "import java.io.IOException;", "", "/**", " * asyncio: {@code a}. Final API.", " *",
                " * <p>Does it.", " *", " * <p>Once.", " */", "@Deprecated", "public final class A<T> {",
                "    public sealed interface Outcome<T> {", "        long index();", "",
                "        record Good<T>(long index, T value,",
                "                List<String> more) implements Outcome<T> {",
                "            public void inner() {", "            }", "        }", "", "        /** Says so. */",
                "        default String text(int width) {", "            return other();", "        }", "",
                "        private int hidden() {", "            return 1;", "        }", "    }", "",
                "    public enum State { ON, OFF }", "", "    public enum Other {", "        FIRST,", "        SECOND;",
                "    }",
                "", "    public static final class Permit implements AutoCloseable {",
                "        public int weight = 1; // at least", "        private int told;", "",
                "        public Permit(int weight) {", "            this.weight = weight;", "        }", "",
                "        @Override", "        public void close() {", "        }", "    }", "",
                "    private static final class Hidden implements Runnable {", "        @Override",
                "        public void run() {", "        }", "    }", "", "    record Mine(int a) implements Runnable {",
                "        @Override", "        public void run() {", "        }", "    }", "",
                "    public static final int MOST = 1_000;", "    private final T a;", "", "    public A(T a) {",
                "        this.a = a;", "    }", "", "    public Runnable run()", "            throws IOException {",
                "        return new Runnable() {", "            @Override", "            public void run() {",
                "            }", "        };", "    }", "}", "")));
        assertEquals(List.of(), Contract.of("final class B {\n    @Override\n    public void run() {\n    }\n}\n"));
        assertEquals(List.of("interface C", "  default void begins(int a)"),
                Contract.of("public interface C {\n    default void begins(int a) {\n    }\n}\n"));
    }

    @Test
    void manyAtOnceAreShort() throws Exception {
        String[] names = {"Retry", "CircuitBreaker", "Bulkhead", "RateLimiter", "KeyedLimits", "SingleFlight",
            "LoadingCache", "TaskGroup", "AsCompleted", "PeriodicTask", "LineLog", "GracefulShutdown", "WorkQueue",
            "BoundedBody", "SharedHttpClient", "ServerSentEvents", "Timeout", "Shield", "JobQueue", "Pipeline"};
        assertEquals(0, run(names), err);
        assertTrue(out.lines().count() < 20 * names.length, out);
        assertTrue(out.contains("record Success<T>(long index, T value)"), out);
    }

    @Test
    void aCheckoutWithCrlfGivesTheSameCopies() throws Exception {
        skill = project.resolve("skill");
        Path retry = Path.of("examples/resilience/Retry.java");
        for (Path file : List.of(retry, Path.of("SKILL.md"), Path.of("examples/README.md"))) {
            Path crlf = skill.resolve(file);
            Files.createDirectories(crlf.getParent());
            Files.writeString(crlf, Files.readString(SKILL.resolve(file)).replace("\n", "\r\n"));
        }
        assertEquals(0, run("Retry"), err);
        assertEquals(new Skill(SKILL).text(SKILL.resolve(retry), "com.acme.quotes"),
                read("src/main/java/com/acme/quotes/Retry.java"));
    }

    @Test
    void testsComeWithTheirHelpersIntoTheTestRoot() throws IOException {
        assertEquals(0, run("FileTransfer", "--tests"), err);
        for (String name : List.of("FileTransferTest", "HostileServer")) {
            assertTrue(read("src/test/java/com/acme/quotes/" + name + ".java").contains("package com.acme.quotes;"));
        }
    }

    @Test
    void showsAndLists() throws IOException {
        assertEquals(0, run("--show", "Gather"), err);
        assertTrue(out.contains("public final class Gather {") && !out.contains("void main("), out);
        assertEquals(0, run("--list", "circuit"), err);
        assertTrue(out.startsWith("CircuitBreaker (resilience/CircuitBreaker): "), out);
        assertEquals(0, run("--list", "service", "HttpService"), err);
        assertTrue(out.startsWith("service (assets/service): "), out);
        assertEquals(0, run("--list"), err);
        assertTrue(out.lines().count() > 60, out);
        assertEquals(0, run("--help"), err);
        assertTrue(out.startsWith("Usage: java scripts/CopyPattern.java "), out);
        assertEquals(2, run(), err);
    }

    // ---- later

    @Test
    void tellsWhichCopiesAreBehindAndWhatWasWrong() throws IOException {
        anOlderSkill();
        assertEquals(0, run("Gather", "Retry"), err);
        assertEquals(0, run("--outdated", "."), err);
        assertEquals("2 copies, 0 behind", out.strip());

        theNewerSkill();
        assertEquals(1, run("--outdated", "."), err);
        assertEquals("""
                src/main/java/com/acme/quotes/Gather.java: copied from 1.0.0, the skill has 1.1.0
                  high: lost the last result, since 1.0.0. Ends in a second line.
                  low: said too much.
                2 copies, 1 behind
                """, out);
    }

    @Test
    void updateReplacesWhatIsUneditedAndPrintsAPatchForTheRest() throws Exception {
        anOlderSkill();
        run("Gather", "Retry");
        run("Gather", "--to", "other", "--package", "other");
        String edited = read("other/Gather.java").replace("@throws", "@throws (edited)");
        write("other/Gather.java", edited);

        theNewerSkill();
        assertEquals(1, run("--update", "."), err);
        assertEquals(new Skill(skill).text(skill.resolve("examples/tasks/Gather.java"), "com.acme.quotes"),
                read("src/main/java/com/acme/quotes/Gather.java"));
        assertEquals(edited, read("other/Gather.java"));
        assertTrue(out.contains("# 1 replaced, 1 edited"), out);
        assertEquals(new Skill(skill).text(skill.resolve("examples/tasks/Gather.java"), "other"), patched(edited, out));
    }

    @Test
    void aCopyWithAnotherPackageOrLineEndsIsNotEdited() throws IOException {
        anOlderSkill();
        run("Gather");
        String copy = read("src/main/java/com/acme/quotes/Gather.java");
        write("src/main/java/com/acme/quotes/Gather.java", copy.replace("com.acme.quotes", "com.acme.moved")
                .replace("\n", "\r\n"));
        theNewerSkill();
        assertEquals(0, run("--update", "."), err);
        assertTrue(read("src/main/java/com/acme/quotes/Gather.java").contains("package com.acme.moved;"));
    }

    @Test
    void foreignFilesAreNoCopies() throws IOException {
        Files.write(project.resolve("Latin.java"),
                "// java-async-patterns 1 examples/\u00fc.java 0123456789ab".getBytes(StandardCharsets.ISO_8859_1));
        write("Climbs.java", "// java-async-patterns 1.0.0 ../../etc/passwd 0123456789ab\nclass A { }\n");
        assertEquals(0, run("--outdated", "."), err);
        assertTrue(out.contains("is no longer in the skill") && out.endsWith("1 copy, 0 behind\n"), out);
    }

    /** The file lists the copies of the last release. To write it, when a release is made: {@code -Dreleased=write}. */
    @Test
    void aChangedPatternHasALineInTheChangelog() throws Exception {
        var now = new TreeMap<String, String>();
        for (Path source : sources()) {
            now.put(source.getFileName().toString().replace(".java", ""), Skill.hash(new Skill(SKILL).body(source)));
        }
        if ("write".equals(System.getProperty("released"))) {
            var lines = new ArrayList<String>();
            now.forEach((name, hash) -> lines.add(name + "\t" + hash));
            Files.write(RELEASED, lines);
        }
        String changelog = Files.readString(Path.of("CHANGELOG.md"));
        int unreleased = changelog.indexOf("## [Unreleased]");
        int next = changelog.indexOf("\n## [", unreleased + 1);
        String section = unreleased < 0 ? "" : changelog.substring(unreleased, next < 0 ? changelog.length() : next);
        var told = Pattern.compile("(?m)^- ([\\w`, /\\s]+?) \\((?:high|medium|low|new)\\): ").matcher(section).results()
                .flatMap(match -> Stream.of(match.group(1).replace("`", "").split(",\\s*|\\s+and\\s+"))).toList();
        var before = new TreeMap<String, String>();
        for (String line : Files.readAllLines(RELEASED)) {
            before.put(line.split("\t")[0], line.split("\t")[1]);
        }
        var untold = now.keySet().stream()
                .filter(name -> !now.get(name).equals(before.get(name)) && !told.contains(name)).toList();
        assertTrue(untold.isEmpty(), () ->
                "changed since the last release, and no line `- NAME (high|medium|low|new): ...` under"
                + " Unreleased in CHANGELOG.md says what it means for a copy: " + untold);
    }

    // ---- help

    private static List<Path> sources() throws Exception {
        var sources = new ArrayList<Path>();
        for (Path source : new Skill(SKILL).all().values()) {
            if (source.startsWith(SKILL.resolve("examples"))) {
                sources.add(source);
            }
        }
        assertTrue(sources.size() > 60, "only " + sources);
        return sources;
    }

    private void anOlderSkill() throws IOException {
        skill = project.resolveSibling(project.getFileName() + "-skill");
        for (String topic : List.of("tasks/Gather", "resilience/Retry")) {
            Path file = skill.resolve("examples/" + topic + ".java");
            Files.createDirectories(file.getParent());
            Files.writeString(file, Files.readString(SKILL.resolve("examples/" + topic + ".java")));
        }
        Files.writeString(skill.resolve("SKILL.md"), "metadata:\n  version: 1.0.0\n");
        Files.writeString(skill.resolve("CHANGELOG.md"), "## [1.0.0] - 2026-01-01\n\n- `Gather` (new): all at once.\n");
    }

    private void theNewerSkill() throws IOException {
        Path gather = skill.resolve("examples/tasks/Gather.java");
        Files.writeString(gather, Files.readString(gather)
                .replace("public final class Gather {", "public final class Gather {\n    // changed\n")
                .replace("return Collections", "// changed, too\n        return Collections"));
        Files.writeString(skill.resolve("SKILL.md"), "metadata:\n  version: 1.1.0\n");
        Files.writeString(skill.resolve("CHANGELOG.md"), """
                # Changelog

                ## [1.1.0] - 2026-02-02

                - `Retry`, `Gather` (high): lost the last result, since 1.0.0.
                  Ends in a second line.
                - `Retry` (low): another.

                - `Gather` (low): said too much.

                ## [1.0.0] - 2026-01-01

                - `Gather` (new): all at once.
                """);
    }

    /** Applies the only patch in {@code output} as patch(1) does, every line of its context compared. */
    private static String patched(String text, String output) {
        var lines = text.split("\n", -1);
        var result = new ArrayList<String>();
        int at = 0;
        for (String line : output.lines().toList()) {
            var hunk = Pattern.compile("@@ -(\\d+),\\d+ \\+(\\d+),\\d+ @@").matcher(line);
            if (hunk.matches()) {
                while (at < Integer.parseInt(hunk.group(1)) - 1) {
                    result.add(lines[at++]);
                }
                assertEquals(Integer.parseInt(hunk.group(2)) - 1, result.size(), output);
            } else if (!line.startsWith("#") && !line.startsWith("---") && !line.startsWith("+++")) {
                if (!line.startsWith("+")) {
                    assertEquals(lines[at++], line.substring(1), output);
                }
                if (!line.startsWith("-")) {
                    result.add(line.substring(1));
                }
            }
        }
        while (at < lines.length) {
            result.add(lines[at++]);
        }
        assertNotEquals(text, String.join("\n", result), output);
        return String.join("\n", result);
    }

    private void assertRefused(int code, String message, String... arguments) throws IOException {
        var before = tree();
        assertEquals(code, run(arguments), out + err);
        assertTrue(err.startsWith("copy-pattern: ") && err.contains(message) && err.lines().count() == 1, err);
        assertEquals(before, tree());
    }

    private List<Path> tree() throws IOException {
        try (Stream<Path> files = Files.walk(project)) {
            return files.sorted().toList();
        }
    }

    private int run(String... arguments) {
        return runIn(project, arguments);
    }

    private int runIn(Path here, String... arguments) {
        var stdout = new ByteArrayOutputStream();
        var stderr = new ByteArrayOutputStream();
        int code = Main.run(skill, here, new PrintStream(stdout, true, StandardCharsets.UTF_8),
                new PrintStream(stderr, true, StandardCharsets.UTF_8), arguments);
        out = stdout.toString(StandardCharsets.UTF_8);
        err = stderr.toString(StandardCharsets.UTF_8);
        return code;
    }

    private void write(String file, String text) throws IOException {
        Path path = project.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    private String read(String file) throws IOException {
        return Files.readString(project.resolve(file));
    }

    private void clear() throws IOException {
        for (Path file : tree().reversed()) {
            if (!file.equals(project)) {
                Files.delete(file);
            }
        }
    }
}
