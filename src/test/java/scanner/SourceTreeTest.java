package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import scanner.project.Failure;
import scanner.project.SourceTree;

@Tag("once")
@Timeout(600)
class SourceTreeTest {

    @TempDir
    Path top;

    private void java(String... names) throws IOException {
        for (String name : names) {
            Cli.write(top.resolve(name), "class A { }");
        }
    }

    private SourceTree scan(String... paths) throws Failure {
        return SourceTree.of(Arrays.stream(paths).map(path -> top.resolve(path).normalize()).toList(), top);
    }

    private List<String> names(String... paths) throws Failure {
        return List.copyOf(scan(paths).files().keySet());
    }

    @Test
    void javaFilesByName() throws Exception {
        java("b/Z.java", "b/A.java", "a b/C.java", "D.java");
        Cli.write(top.resolve("notes.txt"), "");
        Files.createDirectories(top.resolve("folder.java"));
        assertEquals(List.of("D.java", "a b/C.java", "b/A.java", "b/Z.java"), names("."));
    }

    @Test
    void outputHiddenAndGeneratedFoldersAreLeftOut() throws Exception {
        java("m/src/main/java/A.java", "m/target/B.java", "m/src/generated/C.java", "m/src/main/generated/D.java",
                ".hidden/E.java",
                "m/generated-sources/F.java", "m/node_modules/G.java", "m/src/test/resources/H.java");
        Cli.write(top.resolve("m/pom.xml"), "<project/>");
        assertEquals(List.of("m/src/main/java/A.java"), names("."));
    }

    @Test
    void aPackageMayBeCalledBuild() throws Exception {
        java("m/src/main/java/org/acme/build/A.java", "m/src/main/java/org/acme/generated/B.java", "m/build/C.java",
                "m/src/main/java/org/resources/D.java");
        Cli.write(top.resolve("m/build.gradle"), "");
        assertEquals(List.of("m/src/main/java/org/acme/build/A.java", "m/src/main/java/org/acme/generated/B.java",
                "m/src/main/java/org/resources/D.java"), names("."));
    }

    @Test
    void whatIsNamedIsScanned() throws Exception {
        java("m/target/B.java", ".hidden/E.java");
        Cli.write(top.resolve("m/pom.xml"), "<project/>");
        assertEquals(List.of("B.java"), names("m/target"));
        assertEquals(List.of("E.java"), names(".hidden/E.java"));
    }

    @Test
    void moduleInfoIsLeftOut() throws Exception {
        java("A.java", "module-info.java");
        assertEquals(List.of("A.java"), names("."));
    }

    @Test
    void namesAreRelativeToTheCommonFolderAndDisplayLeadsThereFromTheWorkingDirectory() throws Exception {
        java("p/a/A.java", "p/b/c/B.java");
        SourceTree tree = scan("p/a", "p/b/c/B.java");
        assertEquals(List.of("a/A.java", "b/c/B.java"), List.copyOf(tree.files().keySet()));
        assertEquals("p/", tree.display());
        assertEquals("", scan(".").display());
        assertEquals(top.resolve("p") + "/", SourceTree.of(List.of(top.resolve("p")), top.resolve("elsewhere"))
                .display());
    }

    @Test
    void overlappingPathsCountOnce() throws Exception {
        java("a/A.java");
        assertEquals(List.of("a/A.java"), names(".", "a", "a/A.java"));
    }

    @Test
    void linksInACircleAreNamedAndEnd() throws Exception {
        java("a/b/A.java");
        Files.createSymbolicLink(top.resolve("a/b/up"), top.resolve("a"));
        SourceTree tree = scan(".");
        assertEquals(List.of("a/b/A.java"), List.copyOf(tree.files().keySet()));
        assertEquals(List.of("a/b/up: a link to a folder around it, not followed"), tree.problems());
        assertTrue(tree.complete(), "everything is scanned once");
    }

    @Test
    void linksIntoTheTreeAddNothingAndLinksOutOfItAreFollowedOnce() throws Exception {
        java("tree/a/A.java", "outside/B.java", "single/C.java");
        Files.createSymbolicLink(top.resolve("tree/again"), top.resolve("tree/a"));
        Files.createSymbolicLink(top.resolve("tree/one"), top.resolve("outside"));
        Files.createSymbolicLink(top.resolve("tree/two"), top.resolve("outside"));
        Files.createSymbolicLink(top.resolve("tree/C.java"), top.resolve("single/C.java"));
        Files.createSymbolicLink(top.resolve("outside/back"), top.resolve("tree"));
        Files.createSymbolicLink(top.resolve("outside/round"), top.resolve("outside"));
        List<String> names = names("tree");
        assertEquals(3, names.size(), names::toString);
        assertTrue(names.containsAll(List.of("C.java", "a/A.java")), names::toString);
    }

    @Test
    void aLinkMayBeNamed() throws Exception {
        java("outside/b/B.java");
        Files.createSymbolicLink(top.resolve("link"), top.resolve("outside"));
        assertEquals(List.of("b/B.java"), names("link"));
        Files.createSymbolicLink(top.resolve("L.java"), top.resolve("outside/b/B.java"));
        assertEquals(List.of("L.java"), names("L.java"));
    }

    @Test
    void aBrokenLinkIsNamed() throws Exception {
        java("A.java");
        Files.createSymbolicLink(top.resolve("B.java"), top.resolve("gone"));
        assertEquals(List.of("B.java: a link that leads nowhere; fix or delete it"), scan(".").problems());
    }

    @Test
    void unreadableFoldersAndFilesAreNamedAndTheRestIsScanned() throws Exception {
        java("A.java", "closed/B.java", "C.java");
        Files.setPosixFilePermissions(top.resolve("closed"), PosixFilePermissions.fromString("---------"));
        Files.setPosixFilePermissions(top.resolve("C.java"), PosixFilePermissions.fromString("---------"));
        try {
            assumeFalse(Files.isReadable(top.resolve("C.java")), "who runs this may read everything");
            SourceTree tree = scan(".");
            assertEquals(List.of("A.java"), List.copyOf(tree.files().keySet()));
            assertEquals(2, tree.problems().size());
            assertTrue(tree.problems().stream().allMatch(problem -> problem.contains("permission denied")),
                    tree.problems()::toString);
            assertFalse(tree.complete());
        } finally {
            Files.setPosixFilePermissions(top.resolve("closed"), PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void whatIsNotThereOrNoSourceIsNamed() throws Exception {
        Cli.write(top.resolve("notes.txt"), "");
        assertEquals("no such file or folder: " + top.resolve("nowhere"), assertThrows(Failure.class,
                () -> scan("nowhere")).getMessage());
        assertEquals("neither a folder nor a .java file: " + top.resolve("notes.txt"),
                assertThrows(Failure.class, () -> scan("notes.txt")).getMessage());
    }
}
