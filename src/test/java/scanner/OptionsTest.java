package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import scanner.findings.Finding;
import scanner.project.Failure;

@Tag("once")
@Timeout(600)
class OptionsTest {

    private static final Path CWD = Path.of("/home/me and you");

    private static Options parse(String... args) throws Failure {
        return Options.parse(args, CWD);
    }

    @Test
    void withoutArgumentsItScansTheWorkingDirectory() throws Failure {
        Options options = parse();
        assertEquals(Options.Task.SCAN, options.task());
        assertEquals(List.of(CWD), options.paths());
        assertEquals(Options.Format.TEXT, options.format());
        assertEquals(Finding.Level.NOTE, options.failOn());
        assertEquals(0, options.release());
    }

    @Test
    void everyOptionIsTaken() throws Failure {
        Options options = parse("--deep", "--release", "17", "--format=sarif", "--fail-on", "error", "--baseline",
                "b.txt",
                "--write-baseline=w.txt", "--catalogue", "c1", "--catalogue", "c2", "src", "--changed=main",
                        "a/../B.java");
        assertTrue(options.deep());
        assertEquals(17, options.release());
        assertEquals(Options.Format.SARIF, options.format());
        assertEquals(Finding.Level.ERROR, options.failOn());
        assertEquals(CWD.resolve("b.txt"), options.baseline());
        assertEquals(CWD.resolve("w.txt"), options.writeBaseline());
        assertEquals(List.of(CWD.resolve("c1"), CWD.resolve("c2")), options.catalogues());
        assertEquals(List.of(CWD.resolve("src"), CWD.resolve("B.java")), options.paths());
        assertTrue(options.changed());
        assertEquals("main", options.since());
    }

    @Test
    void changedTakesNoValueFromTheNextArgument() throws Failure {
        Options options = parse("--changed", "src");
        assertEquals("", options.since());
        assertEquals(List.of(CWD.resolve("src")), options.paths());
    }

    @Test
    void afterTwoDashesEverythingIsAPath() throws Failure {
        assertEquals(List.of(CWD.resolve("--deep")), parse("--", "--deep").paths());
    }

    @Test
    void tasks() throws Failure {
        assertEquals(Options.Task.HELP, parse("-h").task());
        assertEquals(Options.Task.LIST_RULES, parse("--list-rules").task());
        assertEquals(Options.Task.EXPLAIN, parse("--explain", "lock-inside-try").task());
        assertEquals("lock-inside-try", parse("--explain=lock-inside-try").topic());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "--fromat json          | unknown option --fromat; did you mean --format? --help lists them all",
            "--frobnicate           | unknown option --frobnicate. --help lists them all",
            "-x                     | unknown option -x. --help lists them all",
            "--format               | --format needs a value: text, json, sarif or github",
            "--format=              | --format needs a value: text, json, sarif or github",
            "--format --deep        | --format needs a value: text, json, sarif or github",
            "--format jsn           | --format jsn is not known; did you mean json? It is one of text, json, sarif, github",
            "--fail-on fatal        | --fail-on fatal is not known. It is one of note, warning, error",
            "--release twenty       | --release twenty is not a JDK; give the number of one from 8 on, such as 21",
            "--release 7            | --release 7 is not a JDK; give the number of one from 8 on, such as 21",
            "--release -1           | --release -1 is not a JDK; give the number of one from 8 on, such as 21",
            "--release 99999999999  | --release 99999999999 is not a JDK; give the number of one from 8 on, such as 21",
            "--deep=yes             | --deep takes no value, but was given 'yes'",
            "--explain              | --explain needs a value: the name of a rule (--list-rules has them)",
    })
    void whatIsWrongIsSaidInOneLine(String args, String message) {
        assertEquals(message, assertThrows(Failure.class, () -> parse(args.split(" "))).getMessage());
    }

    @Test
    void pathsThatAreNoneAreNamed() {
        assertTrue(assertThrows(Failure.class, () -> parse("")).getMessage().startsWith("a path is empty"));
        assertTrue(assertThrows(Failure.class, () -> parse("a\0b")).getMessage().startsWith("not a path: a?b"));
    }

    @Test
    void helpNamesEveryOption() {
        for (String option : List.of("--deep", "--release", "--changed", "--format", "--fail-on", "--baseline",
                "--write-baseline", "--catalogue",
                "--explain", "--list-rules", "--help", "blocking-ok", "@SuppressWarnings", "Exit codes")) {
            assertTrue(Options.HELP.contains(option), option);
        }
        assertTrue(Options.HELP.lines().allMatch(line -> line.length() <= 140));
    }
}
