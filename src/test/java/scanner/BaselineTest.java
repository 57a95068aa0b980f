package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import scanner.findings.Finding;
import scanner.project.Failure;
import scanner.report.Baseline;

@Tag("once")
@Timeout(600)
class BaselineTest {

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("accepted.txt");
    }

    @Test
    void whatIsAcceptedIsNotReportedAfterLinesMoved() throws Failure {
        Baseline.write(file, List.of(Cli.at("A.java", 3, 5)));
        Baseline baseline = Baseline.read(file);
        assertEquals(List.of(), baseline.apply(List.of(Cli.at("moved/A.java", 300, 7))));
        assertEquals(0, baseline.stale());
    }

    @Test
    void oneLineAcceptsOneFinding() throws Failure {
        Baseline.write(file, List.of(Cli.at("A.java", 3, 5), Cli.at("A.java", 9, 5)));
        Finding third = Cli.at("A.java", 20, 5);
        assertEquals(List.of(third), Baseline.read(file).apply(List.of(Cli.at("A.java", 4, 5), Cli.at("A.java", 10, 5),
                third)));
    }

    /** Main sources and tests apart: a habit of a project is fixed in one go, in all its modules. */
    @Test
    void aHabitIsOneFindingForAllModules() throws IOException {
        for (String module : List.of("one", "two")) {
            for (String root : List.of("main", "test")) {
                String name = Character.toUpperCase(module.charAt(0)) + root;
                Cli.write(folder.resolve(module + "/src/" + root + "/java/acme/" + name + ".java"), "package acme;",
                        "class " + name + " { void m() {",
                        "try { Thread.sleep(1); } catch (InterruptedException e) { }", "} }");
            }
        }
        Cli found = Cli.run(folder, "--format", "json", ".");
        assertEquals(List.of("one/src/main/java/acme/Omain.java", "one/src/test/java/acme/Otest.java"),
                Pattern.compile("\"rule\"[^{}]*\"file\": \"([^\"]*)\"").matcher(found.out()).results()
                        .map(each -> each.group(1)).toList(), found.out());
    }

    @Test
    void ofAHabitEachPlaceIsAccepted() throws Failure {
        Finding first = Cli.at("A.java", 3, 5);
        Finding second = Cli.at("B.java", 9, 5);
        Finding third = Cli.at("C.java", 20, 5);
        Baseline.write(file, List.of(habit(first, second)));
        assertEquals(List.of(), Baseline.read(file).apply(List.of(habit(first, second))));
        assertEquals(List.of(third), Baseline.read(file).apply(List.of(habit(first, second, third))));
    }

    private static Finding habit(Finding first, Finding... others) {
        return new Finding(first.rule(), first.level(), first.place(), first.message(), first.chain(),
                Stream.of(others).map(other -> new Finding.Step(other.place(), "sleep()")).toList(), first.enclosing(),
                List.of(others));
    }

    @Test
    void whatIsFoundNoMoreIsCounted() throws Failure {
        Baseline.write(file, List.of(Cli.at("A.java", 3, 5), Cli.at("A.java", 9, 5)));
        Baseline baseline = Baseline.read(file);
        baseline.apply(List.of(Cli.at("A.java", 3, 5)));
        assertEquals(1, baseline.stale());
    }

    @Test
    void theFileIsSortedTextThatNamesNoLine() throws Exception {
        Finding a = Cli.at("A.java", 3, 5);
        var b = new Finding("a-rule", a.level(), a.place(), a.message(), List.of(new Finding.Step(a.place(),
                "two\nlines\tand a tab")), List.of(), "B.m");
        Baseline.write(file, List.of(a, b));
        List<String> lines = Files.readAllLines(file);
        assertTrue(lines.get(0).startsWith("# find-blocking-calls baseline"));
        assertEquals(List.of("a-rule\tB.m\ttwo lines and a tab",
                "blocking-under-monitor\torg.acme.A.m\tThread.sleep()"), lines.subList(1, 3));
        assertEquals(List.of(), Baseline.read(file).apply(List.of(a, b)));
    }

    @Test
    void badOnesAreRefused() throws Exception {
        assertRefused("cannot read the baseline " + file + ": no such file or folder; write it with --write-baseline "
                + file);
        Files.writeString(file, "");
        assertRefused(file
                + " is not a baseline: it does not begin with its first line; write it with --write-baseline " + file);
        Files.writeString(file, "{\"findings\": []}");
        assertRefused(file
                + " is not a baseline: it does not begin with its first line; write it with --write-baseline " + file);
        Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe});
        assertRefused("the baseline " + file + " is not a text file in UTF-8; write it with --write-baseline " + file);
        Baseline.write(file, List.of());
        Files.writeString(file, Files.readString(file) + "\n# a comment\nrule without tabs\n");
        assertRefused(file
                + ":4: not a line of a baseline (rule, place and call with a tab between); delete it "
                + "or write the file again with --write-baseline " + file);
        Files.delete(file);
        Files.createDirectory(file);
        assertTrue(assertThrows(Failure.class, () -> Baseline.read(file)).getMessage()
                .startsWith("cannot read the baseline " + file));
    }

    private void assertRefused(String message) {
        assertEquals(message, assertThrows(Failure.class, () -> Baseline.read(file)).getMessage());
    }

    @Test
    void afterAFailedWriteTheOldFileIsThereAndNothingElse() throws Exception {
        Files.createDirectories(file.resolve("taken"));
        assertThrows(Failure.class, () -> Baseline.write(file, List.of()));
        assertThrows(Failure.class, () -> Baseline.write(folder.resolve("no/such/folder.txt"), List.of()));
        try (var files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void aFullDiskIsSaid() {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "no /dev/full here");
        String message = assertThrows(Failure.class, () -> Baseline.write(full, List.of())).getMessage();
        assertTrue(message.startsWith("cannot write the baseline /dev/full: No space left"), message);
    }

    @Test
    void fingerprintsKeepWhenLinesMoveAndTellFindingsApart() {
        Finding a = Cli.at("A.java", 3, 5);
        var other = new Finding(a.rule(), a.level(), a.place(), a.message(), a.chain(), List.of(), "org.acme.B.m");
        List<String> prints = Baseline.fingerprints(List.of(a, a, other));
        assertEquals(3, prints.stream().distinct().count());
        assertEquals(prints, Baseline.fingerprints(List.of(Cli.at("A.java", 7, 1), a, other)));
        assertTrue(prints.stream().allMatch(print -> print.matches("[0-9a-f]{16}")));
        assertNotEquals(prints.get(0), prints.get(1));
        assertFalse(prints.contains(null));
    }
}
