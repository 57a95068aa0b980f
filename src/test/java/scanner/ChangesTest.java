package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import scanner.project.Changes;
import scanner.project.Failure;

@Tag("once")
@Timeout(600)
class ChangesTest {

    @TempDir
    Path top;

    private Path repository;

    @BeforeEach
    void initialise() throws Exception {
        repository = Files.createDirectories(top.resolve("my repository"));
        try {
            git("init", "-q", "-b", "main");
        } catch (IOException e) {
            assumeTrue(false, "no git here");
        }
    }

    private void git(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c",
                "core.hooksPath=/dev/null"));
        command.addAll(List.of(arguments));
        var process = new ProcessBuilder(command).directory(repository.toFile()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), output);
    }

    private void write(String name, String content) throws IOException {
        Cli.write(repository.resolve(name), content);
    }

    private void commit() throws IOException, InterruptedException {
        git("add", "-A");
        git("commit", "-q", "-m", "x");
    }

    private List<String> changed(String since) throws Exception {
        Path root = repository.toRealPath();
        return Changes.files(repository, since).stream().map(file -> root.relativize(file).toString()).sorted()
                .toList();
    }

    @Test
    void editedStagedAndNewFilesCountDeletedAndIgnoredOnesDoNot() throws Exception {
        write("A.java", "class A { }");
        write("B.java", "class B { }");
        write("ä ö.java", "class C { }");
        write("D.java", "class D { }");
        write("Same.java", "class Same { }");
        write(".gitignore", "Ignored.java");
        commit();
        write("A.java", "class A { int a; }");
        write("B.java", "class B { int b; }");
        git("add", "B.java");
        write("ä ö.java", "class C { int c; }");
        Files.delete(repository.resolve("D.java"));
        write("new/New.java", "class New { }");
        write("new/notes.txt", "");
        write("Ignored.java", "class Ignored { }");
        assertEquals(List.of("A.java", "B.java", "new/New.java", "ä ö.java"), changed(""));
    }

    @Test
    void withoutACommitEverythingIsNew() throws Exception {
        write("A.java", "class A { }");
        git("add", "A.java");
        write("B.java", "class B { }");
        assertEquals(List.of("A.java", "B.java"), changed(""));
    }

    @Test
    void sinceACommitCountsFromWhereTheBranchLeftIt() throws Exception {
        write("A.java", "class A { }");
        write("B.java", "class B { }");
        commit();
        git("checkout", "-q", "-b", "topic");
        write("A.java", "class A { int a; }");
        commit();
        git("checkout", "-q", "main");
        write("B.java", "class B { int b; }");
        commit();
        git("checkout", "-q", "topic");
        assertEquals(List.of("A.java"), changed("main"));
        assertEquals(List.of(), changed(""));
    }

    @Test
    void whatGitDoesNotKnowIsSaid() throws Exception {
        write("A.java", "class A { }");
        commit();
        assertEquals("--changed=nowhere: git knows no commit of that name in " + repository.toRealPath(),
                assertThrows(Failure.class, () -> changed("nowhere")).getMessage());
        assertTrue(assertThrows(Failure.class, () -> changed("--output=x")).getMessage()
                .startsWith("--changed=--output=x: git knows no commit"));
        assertTrue(assertThrows(Failure.class, () -> Changes.files(top, "")).getMessage()
                .startsWith("--changed needs git, and " + top + " is in no git work tree (fatal: "));
    }

    @Test
    void theAnalysisIsToldWhichFilesAndSeesAll() throws Exception {
        write("src/A.java", "class A { }");
        write("src/B.java", "class B { }");
        commit();
        Cli clean = Cli.run(repository, Cli.finding(Cli.at("src/A.java", 1, 1)), "--changed");
        assertEquals(0, clean.code(), "nothing has changed");
        assertEquals("Nothing found in 2 files for JDK 21.\n", clean.out());

        write("src/B.java", "class B { int b; }");
        var seen = new AtomicReference<Analysis.Request>();
        Cli.run(repository, request -> {
            seen.set(request);
            return new Analysis.Result(List.of(), List.of(), Map.of());
        }, "--changed", "src");
        assertEquals(2, seen.get().sources().size());
        assertEquals(java.util.Set.of(repository.resolve("src/B.java")), seen.get().only());
    }
}
