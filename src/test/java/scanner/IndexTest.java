package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import scanner.findings.Finding;
import scanner.project.Source;
import scanner.project.SourceTree;

/** A scan of some files, with what the scans before it have left, finds in them what a scan of all files finds. */
@Tag("once")
@Timeout(600)
class IndexTest {

    private static final Path FIXTURES = Path.of("src", "test", "resources", "scanner", "fixtures");

    @TempDir
    Path top;

    private Path tree;
    private Path cache;
    /** The time that files are given: each edit a later one, all of them long ago. */
    private long time = 1_000_000_000_000L;

    @BeforeEach
    void folders() throws IOException {
        tree = Files.createDirectories(top.resolve("tree"));
        cache = top.resolve("cache");
    }

    private void write(String name, String... lines) throws IOException {
        Path file = Cli.write(tree.resolve(name), lines);
        time += 1_000;
        Files.setLastModifiedTime(file, FileTime.fromMillis(time));
    }

    private void shop() throws IOException {
        write("Door.java", "class Door {", "  final Shelf shelf = new Shelf();",
                "  synchronized int open() throws Exception {", "    return shelf.look();", "  }", "}");
        write("Shelf.java", "class Shelf {", "  Store store;", "  int look() throws Exception {",
                "    return store.fetch();", "  }", "}");
        write("Store.java", "interface Store {", "  int fetch() throws Exception;", "}");
        write("Cellar.java", "class Cellar implements Store {", "  public int fetch() throws Exception {",
                "    return 0;", "  }", "}");
        write("Roof.java", "class Roof {", "  synchronized void sleep() throws Exception {", "    Thread.sleep(1000);",
                "  }", "}");
        for (int i = 0; i < 20; i++) { // so that a few edits are few
            write("Other" + i + ".java", "class Other" + i + " {", "  Roof roof;", "}");
        }
    }

    private Analysis.Result scan(boolean indexed, boolean deep, String... only) throws IOException {
        var sources = new ArrayList<Source>();
        try (Stream<Path> files = Files.walk(tree, FileVisitOption.FOLLOW_LINKS)) {
            files.filter(file -> file.toString().endsWith(".java")).sorted().forEach(file -> sources.add(
                    new Source(file, SourceTree.slashed(tree.relativize(file)), 21)));
        }
        var chosen = new TreeSet<Path>();
        for (String name : only) {
            chosen.add(tree.resolve(name));
        }
        return Analysis.run(new Analysis.Request(sources, 21, deep, chosen, List.of(), step -> { }),
                indexed ? cache : null);
    }

    /** Each place as {@code rule file:line}, with what a finding is also at and how it comes about. */
    private static Set<String> places(Collection<Finding> findings, String file, boolean chains) {
        var places = new TreeSet<String>();
        for (Finding finding : findings) {
            var steps = new ArrayList<>(finding.alsoAt());
            steps.add(new Finding.Step(finding.place(), finding.message()));
            if (chains) {
                steps.addAll(finding.chain());
            }
            for (Finding.Step step : steps) {
                if (file.isEmpty() || step.place().file().equals(file)) {
                    places.add(finding.rule() + " " + step.place().file() + ":" + step.place().line());
                }
            }
        }
        return places;
    }

    private Set<String> found(String... only) throws IOException {
        return places(scan(true, false, only).findings(), "", false);
    }

    private Path index() throws IOException {
        try (Stream<Path> files = Files.list(cache)) {
            List<Path> all = files.toList();
            assertEquals(1, all.size(), all.toString());
            return all.get(0);
        }
    }

    @Test
    void findsInEachFixtureWhatAScanOfAllFinds() throws IOException {
        try (Stream<Path> files = Files.walk(FIXTURES)) {
            for (Path file : files.filter(each -> each.toString().endsWith(".java")).toList()) {
                write(FIXTURES.relativize(file).toString(), Files.readString(file));
            }
        }
        for (boolean deep : new boolean[] {false, true}) {
            Analysis.Result all = scan(false, deep);
            assertFalse(all.findings().isEmpty());
            var files = new TreeSet<String>();
            all.findings().forEach(finding -> files.add(finding.place().file()));
            for (String file : files) {
                Analysis.Result some = scan(true, deep, file);
                assertEquals(places(all.findings(), file, false), places(some.findings(), file, false), file);
                assertEquals(List.of(), some.problems());
            }
        }
    }

    @Test
    void anEditThatBlocksIsFoundInTheCallersContext() throws IOException {
        shop();
        assertEquals(Set.of(), found("Shelf.java"));
        write("Shelf.java", "class Shelf {", "  Store store;", "  int look() throws Exception {",
                "    Thread.sleep(1000);", "    return 0;", "  }", "}");
        Set<String> expected = Set.of("blocking-under-monitor Door.java:4", "blocking-under-monitor Shelf.java:4");
        assertEquals(expected, found("Shelf.java"));
        assertEquals(expected, found("Shelf.java"), "not edited since");
        assertEquals(Set.of(), found("Cellar.java"));
    }

    @Test
    void anEditOfAnImplementationAndANewOneAreFoundThroughTheInterface() throws IOException {
        shop();
        assertEquals(Set.of(), found("Cellar.java"));
        write("Cellar.java", "class Cellar implements Store {", "  public int fetch() throws Exception {",
                "    Thread.sleep(1000);", "    return 0;", "  }", "}");
        assertEquals(Set.of("blocking-under-monitor Cellar.java:3", "blocking-under-monitor Door.java:4"),
                found("Cellar.java"));
        write("Cellar.java", "class Cellar {", "}");
        assertEquals(Set.of(), found("Cellar.java"));
        write("Attic.java", "class Attic implements Store {", "  public int fetch() throws Exception {",
                "    Thread.sleep(1000);", "    return 0;", "  }", "}");
        assertEquals(Set.of("blocking-under-monitor Attic.java:3", "blocking-under-monitor Door.java:4"),
                found("Attic.java"));
        Files.delete(tree.resolve("Attic.java"));
        assertEquals(Set.of(), found("Door.java"));
    }

    @Test
    void isWrittenAnewAfterManyEdits() throws IOException {
        shop();
        found("Roof.java");
        byte[] before = Files.readAllBytes(index());
        write("Other0.java", "class Other0 { int edited; }");
        found("Roof.java");
        assertEquals(before.length, Files.size(index()), "one edit is not worth it");
        for (int i = 0; i < 15; i++) {
            write("Other" + i + ".java", "class Other" + i + " { int editedForTheSecondTime; }");
        }
        assertEquals(Set.of("blocking-under-monitor Roof.java:3"), found("Roof.java"));
        assertTrue(Files.size(index()) != before.length);
        assertEquals(Set.of("blocking-under-monitor Roof.java:3"), found("Roof.java"));
    }

    @Test
    void aDamagedOneIsMadeAnew() throws IOException {
        shop();
        found("Roof.java");
        Path index = index();
        byte[] whole = Files.readAllBytes(index);
        for (int at : new int[] {0, 3, 9, 30, whole.length / 2, whole.length - 1}) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 0x55;
            Files.write(index, damaged);
            String[] all = {"Roof.java", "Door.java", "Shelf.java", "Other19.java"};
            assertEquals(Set.of("blocking-under-monitor Roof.java:3"), found(all), "at " + at);
            assertEquals(Set.of("blocking-under-monitor Roof.java:3"), found(all), "after that");
        }
        for (int length : new int[] {0, 5, 100, whole.length - 1}) {
            Files.write(index, Arrays.copyOf(whole, length));
            assertEquals(Set.of("blocking-under-monitor Roof.java:3"), found("Roof.java", "Other19.java"));
        }
    }

    @Test
    void withoutAFolderToWriteToAllIsParsed() throws IOException {
        shop();
        Files.writeString(cache, "a file");
        assertEquals(Set.of("blocking-under-monitor Roof.java:3"), found("Roof.java"));
    }

    @Test
    void whatDoesNotParseIsNamedEachTime() throws IOException {
        shop();
        write("Broken.java", "class Broken { void m( }");
        for (int i = 0; i < 2; i++) {
            List<String> problems = scan(true, false, "Roof.java").problems();
            assertEquals(1, problems.size(), problems.toString());
            assertTrue(problems.get(0).startsWith("Broken.java:1: "), problems.get(0));
        }
    }

    @Test
    void keepsNoMoreThanTwentyTrees() throws IOException {
        shop();
        found("Roof.java");
        Path index = index();
        for (int i = 0; i < 30; i++) {
            Path other = Files.copy(index, cache.resolve("tree-" + i + ".index"));
            Files.setLastModifiedTime(other, FileTime.fromMillis(time + i));
        }
        Files.delete(index);
        found("Roof.java");
        try (Stream<Path> files = Files.list(cache)) {
            assertEquals(20, files.count());
        }
        assertTrue(Files.exists(index));
    }
}
