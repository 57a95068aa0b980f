package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import scanner.findings.Rules;
import scanner.project.Source;

@Tag("once")
@Timeout(600)
class MainTest {

    private static final String[] PINS = {"package org.acme;", "class Pins {",
            "  synchronized void pin() throws InterruptedException {",
            "    Thread.sleep(1000);", "  }", "}"};

    @TempDir
    Path top;

    @BeforeEach
    void noSettingsFromAbove() throws IOException {
        Files.createDirectories(top.resolve(".git"));
    }

    private static void assertFails(Cli run, String... lines) {
        assertEquals(List.of(lines), run.errors());
        assertEquals(2, run.code());
        assertEquals("", run.out());
    }

    private void source() throws IOException {
        Cli.write(top.resolve("src/Pins.java"), PINS);
    }

    @Test
    void aFindingIsReportedOnStandardOutputOnly() throws IOException {
        source();
        Cli run = Cli.run(top);
        assertEquals(1, run.code(), run.err());
        assertTrue(run.out().startsWith("src/Pins.java:4:"), run.out());
        assertTrue(run.out().contains("[blocking-under-monitor]"), run.out());
        assertTrue(run.out().contains("1 finding (1 warning) in 1 file for JDK 21."), run.out());
        assertEquals("", run.err());
    }

    @Test
    void theTargetJdkDecides() throws IOException {
        source();
        Cli run = Cli.run(top, "--release", "25");
        assertEquals(0, run.code());
        assertEquals("Nothing found in 1 file for JDK 25.\n", run.out());
        Cli.write(top.resolve(".java-version"), "24");
        assertEquals(0, Cli.run(top).code());
        assertEquals(1, Cli.run(top, "--release", "23").code());
    }

    @Test
    void eachModuleHasItsOwnTargetJdk() throws IOException {
        for (String module : List.of("17", "25", "none")) {
            Cli.write(top.resolve(module + "/src/A.java"), "class A { }");
            Cli.write(top.resolve(module + "/build.gradle"), module.equals("none") ? "" : "sourceCompatibility = "
                    + module);
        }
        var seen = new AtomicReference<Analysis.Request>();
        Cli run = Cli.run(top, request -> {
            seen.set(request);
            return new Analysis.Result(List.of(), List.of(), Map.of());
        });
        assertEquals(List.of(17, 25, 0), seen.get().sources().stream().map(Source::release).toList());
        assertEquals(21, seen.get().release());
        assertEquals("Nothing found in 3 files for JDK 17, 21, 25.\n", run.out());
    }

    @Test
    void failOnDecidesTheExitCode() throws IOException {
        source();
        assertEquals(0, Cli.run(top, "--fail-on", "error").code());
        assertEquals(1, Cli.run(top, "--fail-on", "warning").code());
    }

    @Test
    void theSameFromRunToRun() throws IOException {
        for (int i = 0; i < 20; i++) {
            Cli.write(top.resolve("p" + i % 3 + "/Pins" + i + ".java"), String.join("\n", PINS).replace("Pins", "Pins"
                    + i));
        }
        for (String format : List.of("text", "json", "sarif", "github")) {
            Cli first = Cli.run(top, "--format", format);
            assertEquals(1, first.code());
            assertEquals(first, Cli.run(top, "--format", format));
        }
    }

    @Test
    void formatsForProgramsArePureOnStandardOutput() throws IOException {
        source();
        assertEquals(1, ((List<?>) JsonText.at(JsonText.parse(Cli.run(top, "--format", "json").out()), "findings"))
                .size());
        Cli sarif = Cli.run(top, "--format", "sarif");
        assertEquals(1, ((List<?>) JsonText.at(JsonText.parse(sarif.out()), "runs", 0, "results")).size());
        assertEquals(List.of("find-blocking-calls: 1 finding (1 warning) in 1 file for JDK 21."), sarif.errors());
        assertTrue(Cli.run(top, "--format", "github").out().startsWith("::warning file=src/Pins.java,line=4,"));
    }

    @Test
    void suppressionsAndBaselineLeaveOutAndAreCounted() throws IOException {
        source();
        Path baseline = top.resolve("accepted.txt");
        Cli written = Cli.run(top, "--write-baseline", "accepted.txt");
        assertEquals(0, written.code());
        assertEquals("", written.out());
        assertEquals(List.of("find-blocking-calls: 1 finding written to the baseline " + baseline), written.errors());

        Cli.write(top.resolve("src/Pins.java"), "// a line more", String.join("\n", PINS));
        Cli accepted = Cli.run(top, "--baseline", "accepted.txt");
        assertEquals(0, accepted.code());
        assertEquals("Nothing found in 1 file for JDK 21; 1 in the baseline.\n", accepted.out());

        Cli.write(top.resolve("src/Pins.java"), String.join("\n", PINS).replace("1000);",
                "1000); // blocking-ok: a test"));
        Cli suppressed = Cli.run(top, "--baseline", "accepted.txt");
        assertEquals("Nothing found in 1 file for JDK 21; 1 suppressed in the source.\n", suppressed.out());
        assertEquals(List.of("find-blocking-calls: 1 line of the baseline " + baseline
                + " found no more; --write-baseline drops them"),
                suppressed.errors());
    }

    @Test
    void whatCannotBeDoneIsOneLineAndCode2() throws IOException {
        assertFails(Cli.run(top), "find-blocking-calls: no Java files in " + top
                + "; build output, hidden and generated folders are looked into only if named");
        assertFails(Cli.run(top, "nowhere"), "find-blocking-calls: no such file or folder: " + top.resolve("nowhere"));
        assertFails(Cli.run(top, "--frobnicate"),
                "find-blocking-calls: unknown option --frobnicate. --help lists them all");
        assertFails(Cli.run(top, "--release", "x"),
                "find-blocking-calls: --release x is not a JDK; give the number of one from 8 on, such as 21");
        assertFails(Cli.run(top, "--baseline", "none"), "find-blocking-calls: cannot read the baseline "
                + top.resolve("none")
                + ": no such file or folder; write it with --write-baseline " + top.resolve("none"));
        assertFails(Cli.run(top, "--changed", "--write-baseline", "b"),
                "find-blocking-calls: --write-baseline lists every finding: leave out --changed");
        assertFails(Cli.run(top, "--explain", "blocking-under-monitr"),
                "find-blocking-calls: no rule is called blocking-under-monitr"
                + "; did you mean blocking-under-monitor? --list-rules has them all");
        source();
        assertFails(Cli.run(top, "--catalogue", "none"), "find-blocking-calls: cannot read the catalogue "
                + top.resolve("none") + ": no such file");
        Cli.write(top.resolve("odd.txt"), "# my own", "what is this");
        Cli odd = Cli.run(top, "--catalogue", "odd.txt");
        assertEquals(2, odd.code());
        assertEquals(1, odd.errors().size());
        assertTrue(odd.err().contains("odd.txt:2:"), odd.err());
    }

    @Test
    void aFullDiskIsSaid() throws IOException {
        assumeTrue(Files.exists(Path.of("/dev/full")), "no /dev/full here");
        source();
        Cli run = Cli.run(top, "--write-baseline", "/dev/full");
        assertEquals(2, run.code());
        assertTrue(run.err().startsWith("find-blocking-calls: cannot write the baseline /dev/full: No space left"),
                run.err());
        var err = new java.io.ByteArrayOutputStream();
        try (var out = new PrintStream(new FileOutputStream("/dev/full"), false, StandardCharsets.UTF_8)) {
            assertEquals(2, Main.run(new String[0], top, out, new PrintStream(err, true, StandardCharsets.UTF_8)));
        }
        assertEquals(1, err.toString(StandardCharsets.UTF_8).lines().count());
    }

    @ParameterizedTest
    @ValueSource(strings = {"text", "json", "sarif", "github"})
    void aReaderThatHasEndedIsSaid(String format) throws IOException {
        source();
        var err = new java.io.ByteArrayOutputStream();
        var broken = new PrintStream(new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("Broken pipe");
            }
        }, false, StandardCharsets.UTF_8);
        String[] args = {"--format", format};
        assertEquals(2, Main.run(args, top, broken, new PrintStream(err, true, StandardCharsets.UTF_8)));
        assertTrue(err.toString(StandardCharsets.UTF_8).contains("could not be written whole to standard output"));
        assertFalse(err.toString(StandardCharsets.UTF_8).contains("\tat "));
    }

    @Test
    void whateverTheAnalysisThrowsIsOneLine() throws IOException {
        source();
        for (Throwable thrown : List.of(new OutOfMemoryError("Java heap space"), new StackOverflowError(),
                new IllegalStateException("odd\nthing"),
                new NullPointerException(), new AssertionError(),
                        new java.io.UncheckedIOException(new IOException("no rules.txt")))) {
            Cli run = Cli.run(top, request -> {
                throw MainTest.<RuntimeException>unchecked(thrown);
            });
            assertEquals(2, run.code());
            assertEquals(1, run.errors().size(), run.err());
            assertTrue(run.err().startsWith("find-blocking-calls: "), run.err());
            assertFalse(run.err().contains("\tat "), run.err());
        }
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> T unchecked(Throwable thrown) throws T {
        throw (T) thrown;
    }

    @Test
    void aFileThatDoesNotParseIsNamedAndTheRestIsScanned() throws IOException {
        source();
        Cli.write(top.resolve("src/Broken.java"), "class Broken { void m( { } } }}} \"");
        assertStillFinds("src/Broken.java:1");
    }

    @Test
    void aFileThatIsNotUtf8IsNamedAndTheRestIsScanned() throws IOException {
        source();
        Files.write(top.resolve("src/Latin.java"), "class Latin { String s = \"\u00e4\"; }".getBytes(
                StandardCharsets.ISO_8859_1));
        assertStillFinds("src/Latin.java");
    }

    @Test
    void aFileThatIsNoTextIsNoHarm() throws IOException {
        source();
        byte[] bytes = new byte[100_000];
        new java.util.Random(1).nextBytes(bytes);
        Files.write(top.resolve("src/Random.java"), bytes);
        Files.write(top.resolve("src/Zero.java"), new byte[1000]);
        Cli run = Cli.run(top);
        assertEquals(1, run.code(), run.err());
        assertTrue(run.out().contains("src/Pins.java:4:"), run.out());
        assertTrue(run.err().contains("src/Random.java: ") && run.err().contains("src/Zero.java:"), run.err());
        assertFalse(run.err().contains("\tat "), run.err());
    }

    @Test
    void aFileOf50MegabytesIsNamedAndTheRestIsScanned() throws IOException {
        source();
        try (var out = Files.newOutputStream(top.resolve("src/Huge.java"))) {
            byte[] line = ("//" + " and so on".repeat(10) + "\n").getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i < 560_000; i++) {
                out.write(line);
            }
        }
        assertStillFinds("src/Huge.java");
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "{", "new int[]{", "f(", "-(", "() -> ", "if (a) ", "a ? b : ", "class A { ", "a + "})
    void codeNested10000DeepIsNoHarm(String open) throws IOException {
        source();
        String close = open.equals("() -> ") || open.equals("if (a) ") || open.contains("?") || open.contains("+") ? ""
                : open.contains("{") ? "}" : ")";
        boolean statement = open.startsWith("{") || open.startsWith("if") || open.startsWith("class");
        String deep = open.repeat(10_000) + (statement ? ";" : "1") + close.repeat(10_000);
        Cli.write(top.resolve("src/Deep.java"), "class Deep { void m() {", statement ? deep : "Object o = " + deep
                + ";", "} }");
        Cli run = Cli.run(top);
        assertEquals(1, run.code(), run.err());
        assertTrue(run.out().contains("src/Pins.java:4:"), run.out());
        assertTrue(run.errors().size() <= 1, run.err());
        assertFalse(run.err().contains("\tat "), run.err());
    }

    private void assertStillFinds(String named) {
        Cli run = Cli.run(top);
        assertEquals(1, run.code(), run.err());
        assertTrue(run.out().contains("src/Pins.java:4:"), run.out());
        assertEquals(1, run.errors().size(), run.err());
        assertTrue(run.err().startsWith("find-blocking-calls: " + named), run.err());
    }

    @Test
    void problemsAreNamedWithAPathThatIsGoodInTheWorkingDirectory() throws IOException {
        source();
        Cli run = Cli.run(top.resolve("elsewhere"), request -> new Analysis.Result(List.of(), List.of("Pins.java: odd",
                "something else"), Map.of()), "../src");
        assertEquals(List.of("find-blocking-calls: " + top + "/src/Pins.java: odd",
                "find-blocking-calls: something else"), run.errors());
        assertTrue(run.out().contains("2 problems"), run.out());
    }

    @Test
    void rulesAreListedAndExplainedForTheTargetJdk() throws IOException {
        Cli list = Cli.run(top, "--list-rules");
        assertEquals(0, list.code());
        assertEquals(Rules.all().size(), list.out().lines().count());
        Cli.write(top.resolve(".java-version"), "25");
        assertTrue(Cli.run(top, "--explain", "blocking-under-monitor").out().contains("Does not hold on JDK 25"));
        assertFalse(Cli.run(top, "--explain", "blocking-under-monitor", "--release", "21").out()
                .contains("Does not hold"));
        assertEquals(Options.HELP, Cli.run(top, "--help").out());
    }
}
