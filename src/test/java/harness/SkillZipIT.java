package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code target/java-async-patterns.skill}, as {@code mvn package} builds it. */
@Tag("once")
@Timeout(3_600)
class SkillZipIT {
    private static final Path ZIP = Installer.REPOSITORY.resolve("target/java-async-patterns.skill");

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "install.sh is for Unix shells")
    void holdsWhatInstallShInstalls(@TempDir Path home) throws Exception {
        Path jdk = Installer.fakeJdk(home.resolve("jdk"), "25", "exit 0");
        var installer = new Installer(Installer.REPOSITORY, home).withJdks(jdk);
        var outcome = installer.run();
        assertEquals(0, outcome.exit(), outcome.err());

        Map<String, String> installed = Installer.tree(installer.target());
        assertTrue(installed.remove(Installer.MANIFEST) != null, "install.sh notes what it installed");
        try (FileSystem zip = open()) {
            assertEquals(installed, Installer.tree(zip.getPath("/java-async-patterns")));
        }
    }

    @Test
    void hasTheSkillsFolderAsItsOnlyTopEntry() throws Exception {
        try (FileSystem zip = open(); var entries = Files.list(zip.getPath("/"))) {
            assertEquals(List.of("/java-async-patterns"), entries.map(Path::toString).toList());
        }
    }

    @Test
    void unpacksShellScriptsExecutable() throws Exception {
        try (FileSystem zip = open(); var scripts = Files.list(zip.getPath("/java-async-patterns/scripts"))) {
            var shell = scripts.filter(script -> script.toString().endsWith(".sh")).toList();
            assertTrue(!shell.isEmpty(), "there are shell scripts");
            for (Path script : shell) {
                assertTrue(Files.getPosixFilePermissions(script).contains(PosixFilePermission.OWNER_EXECUTE),
                        script.toString());
            }
        }
    }

    private static FileSystem open() throws IOException {
        assertTrue(Files.exists(ZIP), () -> ZIP + " is built by mvn package");
        return FileSystems.newFileSystem(ZIP, Map.of("enablePosixFileAttributes", true));
    }
}
