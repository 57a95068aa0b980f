package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import harness.Installer.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code scripts/install.sh}, run as a user runs it, in homes made for the test. */
@Tag("once")
@Execution(ExecutionMode.CONCURRENT)
@Timeout(3_600)
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "install.sh is for Unix shells")
class InstallIT {
    private static final String WORK = ".java-async-patterns.install";

    @TempDir
    Path temp;
    private Path source;
    private Path home;
    private Installer installer;

    /** A small skill to install, so that a run takes no time, with the real install.sh and a JDK that is none. */
    @BeforeEach
    void makeSmallSkill() throws IOException {
        home = Files.createDirectories(temp.resolve("home"));
        source = temp.resolve("source");
        write(source.resolve("SKILL.md"), "skill 1\n");
        write(source.resolve("LICENSE"), "licence\n");
        write(source.resolve("examples/tasks/TaskGroup.java"),
                "class TaskGroup { public static void main(String[] args) { } }\n");
        write(source.resolve("references/old.md"), "old\n");
        write(source.resolve("pom.xml"), "<tooling/>\n");
        // not executable, as from a download
        write(source.resolve("scripts/install.sh"),
                Files.readString(Installer.REPOSITORY.resolve("scripts/install.sh")));
        installer = new Installer(source, home).withJdks(Installer.fakeJdk(temp.resolve("jdk-25"), "25", "exit 0"));
    }

    // ---- the real skill, a real JDK

    /** A shell makes the folder and looks into it: a JVM in a locale such as C cannot spell the name. */
    @ParameterizedTest
    @ValueSource(strings = {"C.UTF-8", "C"})
    void theSkillInstallsAndRunsInAFolderWithSpacesAndUmlauts(String locale) throws Exception {
        var real = new Installer(Installer.REPOSITORY, home).with("LC_ALL", locale)
                .with("XDG_CACHE_HOME", home.resolve(".cache").toString())
                .with("JDK", System.getProperty("java.home")).withJdks(Path.of(System.getProperty("java.home")));
        var script = real.command();
        script.command(List.of("bash", "-c", """
                folder=$HOME/$(printf 'Gr\\303\\266\\303\\237e und Weg')
                bash "$1/scripts/install.sh" --to "$folder" || exit
                cd "$folder/java-async-patterns" || exit
                [ -x scripts/install.sh ] || exit
                for example in examples/tasks/TaskGroup.java examples/tasks/FetchConcurrently.java; do
                  LC_ALL=C.UTF-8 "$JDK/bin/java" "$example" >/dev/null || exit
                  echo "ran $example"
                done
                """, "bash", Installer.REPOSITORY.toString()));
        var outcome = Installer.run(script);

        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.out().contains(" works on JDK " + Runtime.version().feature() + "."), outcome.out());
        assertTrue(outcome.out().contains("ran examples/tasks/FetchConcurrently.java"), outcome.out());
        if (locale.equals("C.UTF-8")) {
            try (var warm = Files.list(home.resolve(".cache/java-async-patterns"))) {
                var tools = warm.map(folder -> folder.getFileName().toString().replaceFirst("-.*", "")).toList();
                assertTrue(tools.containsAll(List.of("copier", "scanner")), "compiled: " + tools);
            }
        }
        if (OS.LINUX.isCurrentOs()) {
            assertEquals(locale.equals("C"), outcome.out().contains("export LC_ALL=C.UTF-8"), outcome.out());
        }
    }

    @Test
    void jdksAreFoundWherePeopleHaveThem() throws Exception {
        Installer.fakeJdk(home.resolve(".sdkman/candidates/java/a b"), "91", "exit 0");
        Installer.fakeJdk(home.resolve(".jdks/b"), "92", "exit 0");
        Installer.fakeJdk(home.resolve(".cache/jdks/c"), "93", "exit 0");
        Installer.fakeJdk(home.resolve(".cache/jdks/the same again"), "93", "exit 1");
        Path onPath = Installer.fakeJdk(temp.resolve("on path"), "94", "exit 0");
        installer.with("JAVA_ASYNC_PATTERNS_JDKS", null)
                .with("JAVA_HOME", Installer.fakeJdk(temp.resolve("java home"), "95", "exit 0").toString())
                .with("JAVA_HOME_96_X64", Installer.fakeJdk(temp.resolve("numbered"), "96", "exit 0").toString())
                .withCommands(onPath.resolve("bin"));
        var outcome = installer.run();
        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.out().contains("91, 92, 93, 94, 95, 96."), outcome.out());
    }

    // ---- installing and updating

    @Test
    void aFreshInstallationHasTheSkillAndNothingElse() throws Exception {
        for (String junk : List.of("examples/tasks/TaskGroup.class", "examples/.DS_Store", "examples/.idea/x.xml",
                "SKILL.md~", "scripts/hs_err_pid1.log")) {
            write(source.resolve(junk), "junk");
        }
        var outcome = installer.run();
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals("", outcome.err());
        assertInstalled(Map.of());
        assertTrue(Files.isExecutable(installer.target().resolve("scripts/install.sh")), "scripts are executable");
        assertEquals(1, home.resolve(".claude/skills").toFile().list().length, "nothing is left beside the skill");
    }

    @Test
    void anUpdateBringsWhatIsNewAndTakesWhatIsGone() throws Exception {
        installer.run();
        write(source.resolve("SKILL.md"), "skill 2\n");
        write(source.resolve("references/new.md"), "new\n");
        Files.delete(source.resolve("references/old.md"));
        var outcome = installer.run();
        assertEquals(0, outcome.exit(), outcome.err());
        assertFalse(outcome.out().contains("Kept"), outcome.out());
        assertInstalled(Map.of());
    }

    @Test
    void whatTheUserChangedOrAddedIsKept() throws Exception {
        installer.run();
        Path target = installer.target();
        write(target.resolve("SKILL.md"), "mine 1\n");
        write(target.resolve("references/old.md"), "my old\n");
        write(target.resolve("references/my notes.md"), "mine\n");
        write(target.resolve("LICENSE"), "licence 2\n");
        Files.createSymbolicLink(target.resolve("link"), Path.of("nowhere"));
        Files.delete(source.resolve("references/old.md"));
        write(source.resolve("LICENSE"), "licence 2\n"); // both changed it in the same way
        var outcome = installer.run();

        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals(4, outcome.out().lines().filter(line -> line.startsWith("Kept ")).count(), outcome.out());
        assertTrue(outcome.out().contains("Kept the SKILL.md you had changed as SKILL.md.user.\n"), outcome.out());
        assertTrue(outcome.out().contains("Kept your file references/my notes.md.\n"), outcome.out());
        var users = new TreeMap<>(Map.of("SKILL.md.user", "mine 1\n", "references/old.md", "my old\n",
                "references/my notes.md", "mine\n",
                "link", "-> nowhere"));
        assertInstalled(users);

        write(target.resolve("SKILL.md"), "mine 2\n");
        assertEquals(0, installer.run().exit());
        users.put("SKILL.md.user2", "mine 2\n");
        assertInstalled(users);
    }

    @Test
    void aProjectGetsItInItsOwnFolder() throws Exception {
        Path project = Files.createDirectories(temp.resolve("my project"));
        assertEquals(0, installer.run("--project", project.toString()).exit());
        assertTrue(Files.exists(project.resolve(".claude/skills/java-async-patterns/SKILL.md")));
        assertEquals(0, Installer.run(installer.command("--project").directory(temp.toFile())).exit());
        assertTrue(Files.exists(temp.resolve(".claude/skills/java-async-patterns/SKILL.md")));
        assertEquals(0, installer.run("--to", "some/folder/").exit());
        assertTrue(Files.exists(home.resolve("some/folder/java-async-patterns/SKILL.md")));
    }

    @Test
    void anInstalledCopyInstallsElsewhereButNotOntoItself() throws Exception {
        installer.run();
        var copy = new Installer(installer.target(), home).withJdks(temp.resolve("jdk-25"));
        assertRefused(2, "is the copy this script is part of", copy);
        Path project = Files.createDirectories(temp.resolve("project"));
        assertEquals(0, copy.run("--project", project.toString()).exit());
        assertEquals(Installer.tree(installer.target()),
                Installer.tree(project.resolve(".claude/skills/java-async-patterns")));
    }

    // ---- something in the way

    @Test
    void aFolderOfSomeoneElseIsRefused() throws Exception {
        write(installer.target().resolve("SKILL.md"), "someone else's, or half a copy\n");
        assertRefused(4, "was not put there by this script, or not wholly", installer);
    }

    @Test
    void aFileOrLinkInTheWayIsRefused() throws Exception {
        write(installer.target(), "a file\n");
        assertRefused(4, "is not a folder", installer);
        Files.delete(installer.target());
        Files.createSymbolicLink(installer.target(), source);
        assertRefused(4, "is not a folder", installer);
    }

    @Test
    void anEmptyFolderIsNotInTheWay() throws Exception {
        Files.createDirectories(installer.target());
        assertEquals(0, installer.run().exit());
        assertInstalled(Map.of());
    }

    // ---- interrupted runs

    @ParameterizedTest
    @ValueSource(strings = {"before the swap", "within the swap", "after the swap"})
    void whatAnInterruptedRunLeftIsRepaired(String when) throws Exception {
        installer.run();
        write(installer.target().resolve("mine.md"), "mine\n");
        Path work = installer.target().resolveSibling(WORK);
        write(work.resolve("pid"), "\n");
        write(work.resolve("new/SKILL.md"), "half\n");
        switch (when) {
            case "within the swap" -> Files.move(installer.target(), work.resolve("old"));
            case "after the swap" -> write(work.resolve("old/SKILL.md"), "old\n");
            default -> { }
        }
        var outcome = installer.run();
        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.out().startsWith("An earlier run had been interrupted; cleaned up."), outcome.out());
        assertInstalled(Map.of("mine.md", "mine\n"));
    }

    @Test
    void aSecondRunAtTheSameTimeIsRefused() throws Exception {
        installer.run();
        write(installer.target().resolveSibling(WORK).resolve("pid"), ProcessHandle.current().pid() + "\n");
        assertRefused(1, "another run", installer);
    }

    @Test
    void aSignalStopsTheRunAndItsExample() throws Exception {
        installer.run();
        write(source.resolve("SKILL.md"), "skill 2\n");
        Path started = temp.resolve("started");
        Installer.fakeJdk(temp.resolve("jdk-25"), "25", "echo $$ > '" + started + ".tmp'; mv '" + started + ".tmp' '"
                + started + "'; exec sleep 600");
        var before = Installer.tree(home);
        Process process = installer.command().start();
        while (!Files.exists(started)) {
            assertTrue(process.isAlive(), "waits for its example");
            Thread.sleep(10);
        }
        process.destroy();
        assertEquals(143, process.waitFor());
        assertEquals(before, Installer.tree(home));
        var example = ProcessHandle.of(Long.parseLong(Files.readString(started).strip()));
        assertFalse(example.map(ProcessHandle::isAlive).orElse(false), "the example was stopped");
    }

    /**
     * Lets the first command that the script runs fail, then the second, and so on: nothing is ever lost or left half
     * done.
     */
    @Test
    void whicheverCommandFailsTheEarlierInstallationStays() throws Exception {
        Map<String, String> users = installOldVersionAndChangeIt();
        Path commands = countingCommands("echo \"$name: /some/where: No space left on device\" >&2; exit 2");
        Path snapshot = keepAside();
        int failures = 0;
        for (int n = 1; ; n++) {
            putBack(snapshot);
            Outcome outcome = runFailingAt(n, commands);
            if (count() < n) {
                break;
            }
            failures++;
            String what = "command " + n + ": " + outcome;
            if (outcome.exit() == 0) {
                assertInstalled(users, what);
            } else {
                assertEquals(1, outcome.err().lines().count(), what);
                assertEquals(Installer.tree(snapshot), Installer.tree(home.resolve(".claude")), what);
            }
        }
        assertTrue(failures > 20, failures + " commands were made to fail");
        System.out.println("InstallIT: " + failures + " commands failed one at a time, nothing lost");
    }

    /** The same with the whole script killed at each of its commands: the next run repairs everything. */
    @Test
    void whereverTheRunIsKilledTheNextOneRepairsIt() throws Exception {
        Map<String, String> users = installOldVersionAndChangeIt();
        Path commands = countingCommands("kill -9 \"$MAIN\"; exit 1");
        Path snapshot = keepAside();
        int kills = 0;
        for (int n = 1; ; n++) {
            putBack(snapshot);
            Outcome killed = runFailingAt(n, commands);
            if (count() < n) {
                break;
            }
            kills++;
            assertEquals(137, killed.exit(), killed.err());
            Outcome outcome = installer.with("PATH", System.getenv("PATH")).run();
            assertEquals(0, outcome.exit(), "after a kill at command " + n + ": " + outcome.err());
            assertInstalled(users);
            assertEquals(1, home.resolve(".claude/skills").toFile().list().length, "nothing is left beside the skill");
        }
        assertTrue(kills > 20, kills + " kills");
        System.out.println("InstallIT: killed at " + kills + " commands, repaired by the next run each time");
    }

    // ---- no JDK that will do

    @Test
    void withoutAJdkNothingChanges() throws Exception {
        installer.run();
        assertRefused(3, "no JDK of 21 or later found (found: none)", installer.withJdks());
    }

    @Test
    void anOldJdkOrOneWithoutCompilerIsNotEnough() throws Exception {
        installer.run();
        Path old = Installer.fakeJdk(temp.resolve("jdk-17"), "17", "exit 0");
        Path older = Installer.fakeJdk(temp.resolve("jdk-8"), "1.8", "exit 0");
        Path runtime = Installer.fakeJdk(temp.resolve("jre-21"), "21", "exit 0");
        Files.delete(runtime.resolve("bin/javac"));
        assertRefused(3, "(found: 17, 8, 21 without compiler)", installer.withJdks(old, older, runtime, old));
    }

    @Test
    void anExampleThatFailsEverywhereStopsTheInstallation() throws Exception {
        Path broken = Installer.fakeJdk(temp.resolve("jdk-99"), "99", "echo 'error: no such thing'; exit 1");
        String line = "examples/tasks/TaskGroup.java fails on JDK 99 in " + broken + ": error: no such thing;";
        installer.withJdks(broken);
        assertRefused(5, line, installer);
        assertFalse(Files.exists(home.resolve(".claude")), "no folder is made for nothing");
        installer.withJdks(temp.resolve("jdk-25")).run();
        write(source.resolve("SKILL.md"), "skill 2\n");
        assertRefused(5, line, installer.withJdks(broken));

        var outcome = installer.withJdks(broken, temp.resolve("jdk-25")).run();
        assertEquals(5, outcome.exit());
        assertEquals(1, outcome.err().lines().count(), outcome.err());
        assertTrue(outcome.err().contains(line), outcome.err());
        assertTrue(outcome.out().contains("works on JDK 25."), outcome.out());
        assertInstalled(Map.of());
    }

    // ---- bad input

    @Test
    void wrongUseIsToldInOneLine() throws Exception {
        assertRefused(2, "unknown option '--prject'", installer, "--prject");
        assertRefused(2, "--to needs a folder", installer, "--to");
        assertRefused(2, "no such project folder: nowhere", installer, "--project", "nowhere");
        assertRefused(2, "no such project folder: ", installer, "--project", "");
        assertRefused(2, "unexpected 'b'", installer, "--to", "a", "b");
        assertRefused(2, "HOME is not set", installer.with("HOME", null));
        var help = installer.run("--help");
        assertEquals(0, help.exit());
        assertTrue(help.out().startsWith("Usage: bash scripts/install.sh"), help.out());
    }

    /** A variable of the user's that happens to have the name of one of the script's must not reach an rm or a kill. */
    @Test
    void theUsersVariablesAreNotTheScripts() throws Exception {
        Path precious = temp.resolve("precious");
        write(precious.resolve("file"), "precious\n");
        write(home.resolve("file"), "a file\n");
        for (String variable : List.of("work", "created", "kept", "works", "broken", "unreadable", "jdks", "target",
                "parent", "source")) {
            installer.with(variable, precious.toString());
        }
        assertRefused(1, "cannot create", installer, "--to", "file/sub");
        assertEquals("", installer.run("--to", home.toString()).err());
        assertEquals("precious\n", Files.readString(precious.resolve("file")));
    }

    @Test
    void anIncompleteSourceIsRefused() throws Exception {
        installer.run();
        Files.delete(source.resolve("SKILL.md"));
        assertRefused(2, "is not a whole copy of the skill: SKILL.md is missing", installer);
    }

    @Test
    void aFileWhereTheFolderWouldGoIsRefused() throws Exception {
        write(home.resolve("file"), "a file\n");
        assertRefused(1, "cannot create " + home + "/file/sub", installer, "--to", "file/sub");
    }

    @Test
    void aReadOnlyFolderIsRefused() throws Exception {
        installer.run();
        Path skills = installer.target().getParent();
        if (System.getProperty("user.name").equals("root")) {
            assumeTrue(Files.exists(Path.of("/usr/bin/setpriv")),
                    "root may write anywhere, and there is no setpriv to be someone else");
            installer.below("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
            for (Path open = home; !open.equals(temp.getParent()); open = open.getParent()) {
                Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
        }
        Files.setPosixFilePermissions(skills, PosixFilePermissions.fromString("r-xr-xr-x"));
        try {
            assertRefused(1, "cannot write in " + skills + ": Permission denied", installer);
            assertRefused(1, "cannot create " + skills + "/a/b: Permission denied", installer, "--to", skills + "/a/b");
        } finally {
            Files.setPosixFilePermissions(skills, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    // ---- help

    private Map<String, String> installOldVersionAndChangeIt() throws Exception {
        installer.run();
        write(installer.target().resolve("SKILL.md"), "mine\n");
        write(installer.target().resolve("notes/a b.md"), "notes\n");
        write(source.resolve("SKILL.md"), "skill 2\n");
        delete(source.resolve("references"));
        return Map.of("SKILL.md.user", "mine\n", "notes/a b.md", "notes\n");
    }

    /** Commands in front of PATH that count their calls and do {@code instead} at the one that FAIL_AT names. */
    private Path countingCommands(String instead) throws IOException {
        Path commands = temp.resolve("commands");
        for (String name : List.of("cat", "chmod", "cksum", "cmp", "cp", "cut", "find", "grep", "ls", "mkdir", "mv",
                "rm")) {
            Installer.script(commands.resolve(name), """
                    name=%s
                    echo >> '%s'
                    while read -r line; do n=$((n + 1)); done < '%2$s'
                    if [ $n -eq $FAIL_AT ]; then %s; fi
                    exec "$(PATH=${PATH#*:} command -v $name)" "$@"
                    """.formatted(name, temp.resolve("count"), instead));
        }
        return commands;
    }

    private Outcome runFailingAt(int n, Path commands) throws Exception {
        Files.deleteIfExists(temp.resolve("count"));
        var builder = installer.withCommands(commands).with("FAIL_AT", "" + n).command();
        var command = List.of("bash", "-c", "export MAIN=$$; exec \"$@\"", "bash");
        builder.command().addAll(0, command);
        return Installer.run(builder);
    }

    private int count() throws IOException {
        return (int) Files.size(temp.resolve("count"));
    }

    private Path keepAside() throws IOException {
        Path snapshot = temp.resolve("snapshot");
        copy(home.resolve(".claude"), snapshot);
        return snapshot;
    }

    private void putBack(Path snapshot) throws IOException {
        delete(home.resolve(".claude"));
        copy(snapshot, home.resolve(".claude"));
    }

    private static void copy(Path from, Path to) throws IOException {
        try (var paths = Files.walk(from)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                Files.copy(path, to.resolve(from.relativize(path)), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        try (var paths = Files.walk(folder)) {
            for (Path path : paths.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(path);
            }
        }
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    /** The installed folder has the source's shipped files, the manifest, and these of the user's; nothing else. */
    private void assertInstalled(Map<String, String> users, String... what) throws IOException {
        var expected = new TreeMap<String, String>();
        for (String entry : List.of("SKILL.md", "LICENSE", "examples", "references", "scripts")) {
            if (Files.isDirectory(source.resolve(entry))) {
                expected.put(entry, "a folder");
            }
            Installer.tree(source.resolve(entry)).forEach((name, content) -> expected.put(name.isEmpty() ? entry
                    : entry + "/" + name, content));
        }
        expected.keySet().removeIf(name -> name.matches(".*(\\.class|~|hs_err_pid\\d+\\.log|/\\..*)"));
        users.forEach((name, content) -> {
            expected.put(name, content);
            if (name.contains("/")) {
                expected.put(name.substring(0, name.indexOf('/')), "a folder");
            }
        });
        var installed = Installer.tree(installer.target());
        assertTrue(installed.remove(Installer.MANIFEST) != null, "the manifest is there");
        assertEquals(expected, installed, String.join("", what));
    }

    /** The run ends with the code and one line on standard error, and nothing under the home has changed. */
    private void assertRefused(int exit, String line, Installer installer, String... arguments) throws Exception {
        var before = Installer.tree(home);
        var outcome = installer.run(arguments);
        assertEquals(exit, outcome.exit(), outcome.err());
        assertTrue(outcome.err().startsWith("install.sh: ") && outcome.err().contains(line), outcome.err());
        assertEquals(1, outcome.err().lines().count(), outcome.err());
        assertEquals("", outcome.out());
        assertEquals(before, Installer.tree(home));
    }
}
