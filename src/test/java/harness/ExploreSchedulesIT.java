package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** {@code scripts/ExploreSchedules.java} on small programs, each with the one fault that its verdict names, or none. */
@Tag("once")
@Execution(ExecutionMode.CONCURRENT)
@Timeout(3_600)
class ExploreSchedulesIT {

    private static final Path PROGRAMS = Path.of("src", "test", "resources", "explorer");
    private static final Map<String, String> VERDICTS = new TreeMap<>(Map.ofEntries(
            Map.entry("LosesAnUpdate", "FAILED java.lang.AssertionError: counted 1 (seed "),
            Map.entry("LosesAnElement", "FAILED java.lang.AssertionError: counted 1 (seed "),
            Map.entry("ChecksThenCalls", "FAILED java.lang.AssertionError: counted 1 (seed "),
            Map.entry("ChecksThenPuts", "FAILED java.lang.AssertionError: made 2 (seed "),
            Map.entry("CountsInThePool", "FAILED java.lang.AssertionError: counted 1 (seed "),
            Map.entry("CountsInATimer", "FAILED java.lang.AssertionError: counted 1 (seed "),
            Map.entry("SleepsForAnOrder", "FAILED java.lang.AssertionError: not set yet (seed "),
            Map.entry("SleepsLongEnough", "nothing found in 1000 schedules"),
            Map.entry("TakesAfterAnIf", "FAILED java.lang.NullPointerException"),
            Map.entry("TwoLocks", "DEADLOCK T"),
            Map.entry("TwoMonitors", "DEADLOCK T"),
            Map.entry("NotifiesTooEarly", "LOST WAKE-UP T2 waits at NotifiesTooEarly.java:8"),
            Map.entry("LeavesAThread", "LEFT OVER the scenario has ended, and T2 taker waits at LeavesAThread.java:9"),
            Map.entry("NeverEnds", "NO END after"),
            Map.entry("ReadsASocket", "NOT CONTROLLED"),
            Map.entry("WaitsInAnInitializer", "NOT CONTROLLED T2 waits in a class initializer"),
            Map.entry("DiffersEachTime", "NOT REPEATABLE"),
            Map.entry("HoldsItsPromises", "nothing found in 1000 schedules")));

    @TempDir
    Path folder;

    private Jdk jdk;

    @BeforeEach
    void onAJdk() {
        jdk = ScheduleRuns.jdk();
        assumeTrue(jdk != null, "no JDK of 25 or later");
    }

    private static String program(String name) {
        return PROGRAMS.resolve(name + ".java").toString();
    }

    @Test
    void eachProgramHasItsVerdict() throws IOException, InterruptedException {
        var lines = VERDICTS.keySet().stream().map(name -> "--runs 1000 --seconds 600 " + program(name)).toList();
        Map<String, String> outputs = ScheduleRuns.all(jdk, lines);
        var wrong = new ArrayList<String>();
        VERDICTS.forEach((name, verdict) -> {
            String output = outputs.get("--runs 1000 --seconds 600 " + program(name));
            if (output == null || !output.startsWith(verdict)) {
                wrong.add(name + ": " + output);
            }
        });
        assertEquals(List.of(), wrong);
        try (Stream<Path> files = Files.list(PROGRAMS)) {
            assertEquals(VERDICTS.size(), files.count(), "programs in " + PROGRAMS);
        }
        String lost = outputs.get("--runs 1000 --seconds 600 " + program("LosesAnUpdate"));
        assertTrue(lost.contains("LosesAnUpdate.java:7 reads count = 0") && lost.contains("writes count = 1"), lost);
        String locks = outputs.get("--runs 1000 --seconds 600 " + program("TwoMonitors"));
        assertTrue(locks.contains("for the monitor of a TwoMonitors, held by T3"), locks);
    }

    @Test
    void theSameSeedsGiveTheSameOnEachJdk() throws IOException, InterruptedException {
        String program = program("LosesAnUpdate");
        var lines = new TreeMap<String, List<Integer>>();
        for (Jdk one : Jdk.installed().stream().filter(installed -> installed.feature() >= 25).toList()) {
            Child child = ScheduleRuns.one(one, "--runs", "200", "--seconds", "600", program);
            assertEquals(1, child.exit(), child.output());
            lines.computeIfAbsent(child.output().lines().findFirst().orElse(""), line -> new ArrayList<>())
                    .add(one.feature());
        }
        assertEquals(1, lines.size(), lines.toString());
    }

    @Test
    void aReplayShowsTheSameAgainAndItsOutput() throws IOException, InterruptedException {
        Path program = folder.resolve("Races.java");
        Files.writeString(program, Files.readString(PROGRAMS.resolve("LosesAnUpdate.java"))
                .replace("LosesAnUpdate", "Races")
                .replace("if (counter", "System.out.println(\"printed\");\nif (counter"));
        Child found = ScheduleRuns.one(jdk, "--runs", "200", program.toString());
        assertFalse(found.output().contains("printed"), found.output());
        String again = found.output().lines().filter(line -> line.startsWith("again: ")).findFirst().orElseThrow();
        String[] arguments = again.substring(again.indexOf(".java ") + 6).split(" ");
        Child replayed = ScheduleRuns.one(jdk, arguments);
        assertEquals(1, replayed.exit(), replayed.output());
        assertTrue(replayed.output().startsWith("printed\nFAILED java.lang.AssertionError: counted 1"),
                replayed.output());
    }

    /** But for how many schedules ran, which is a matter of time. */
    @Test
    void theSamplesAreWhatIsPrinted() throws IOException, InterruptedException {
        Path stock = Path.of("src", "test", "resources", "readme");
        String sold = ScheduleRuns.one(jdk, stock.resolve("StockScenario.java").toString(),
                stock.resolve("Stock.java").toString()).output();
        String readme = "$ java scripts/ExploreSchedules.java StockScenario.java Stock.java\n"
                + uncounted(sold).replace(stock + File.separator, "");
        assertTrue(uncounted(Files.readString(Path.of("README.md"))).contains(readme), readme);
        String taken = uncounted(ScheduleRuns.one(jdk, program("TakesAfterAnIf")).output())
                .replace(PROGRAMS + File.separator, "").replace("Cannot invoke \"String.length()\"", "...");
        String page = Files.readString(Path.of("references", "exploring-schedules.md"));
        assertTrue(uncounted(page).contains("```\n" + taken + "```\n"), taken);
    }

    private static String uncounted(String text) {
        return text.replaceAll("\\d+ of \\d+ schedules", "N schedules");
    }

    @Test
    void jsonSaysTheSame() throws IOException, InterruptedException {
        Child child = ScheduleRuns.one(jdk, "--json", "--runs", "200", program("LosesAnUpdate"));
        assertEquals(1, child.exit(), child.output());
        for (String part : List.of("{\n  \"verdict\": \"FAILED\",\n", "\"seed\": ",
                "\"detail\": \"java.lang.AssertionError: counted 1\"",
                "{\"thread\": \"T2\", \"place\": \"LosesAnUpdate.java:7\", \"does\": \"reads count = 0\"}")) {
            assertTrue(child.output().contains(part), part + " in " + child.output());
        }
    }

    @Test
    void compiledClassesAndAChoiceOfPoints() throws IOException, InterruptedException {
        Child.succeed(Duration.ofMinutes(20), List.of(jdk.tool("javac"), "--release", "21", "-d", folder.toString(),
                program("LosesAnUpdate")));
        Child found = ScheduleRuns.one(jdk, "--runs", "200", "--classpath", folder.toString(), "LosesAnUpdate");
        assertEquals(1, found.exit(), found.output());
        Child none = ScheduleRuns.one(jdk, "--runs", "200", "--points", "com.acme.*", "--classpath", folder.toString(),
                "LosesAnUpdate");
        assertEquals(0, none.exit(), none.output());
    }

    @Test
    void misuseIsOneSentence() throws IOException, InterruptedException {
        Path broken = Files.writeString(folder.resolve("Broken.java"), "class Broken { int x = ; }");
        Path none = Files.writeString(folder.resolve("None.java"), "class None { }");
        var expected = new TreeMap<String, String>(Map.of(
                "", "Runs a scenario",
                "--wrong", "explore-schedules: --wrong is not an option; see --help",
                "--runs", "explore-schedules: --runs needs a value; see --help",
                "--runs 0 X.java", "explore-schedules: --runs 0: not a number of at least 1",
                "Nowhere.java", "explore-schedules: no file Nowhere.java",
                "com.acme.Nowhere", "explore-schedules: no class com.acme.Nowhere in the class path; see --classpath",
                broken.toString(), "explore-schedules: it does not compile",
                none.toString(), "explore-schedules: None has no main",
                "--debug x " + none, "explore-schedules: --debug needs a port"));
        for (var one : expected.entrySet()) {
            Child child = ScheduleRuns.one(jdk, one.getKey().isEmpty() ? new String[0] : one.getKey().split(" "));
            assertEquals(2, child.exit(), one.getKey() + ": " + child.output());
            assertTrue(child.output().startsWith(one.getValue()), one.getKey() + ": " + child.output());
            assertFalse(child.output().contains("\tat "), child.output());
        }
    }

    @Test
    void tooOldAJdkIsSaid() throws IOException, InterruptedException {
        Jdk old = Jdk.installed().stream().filter(installed -> installed.feature() < 25).findFirst().orElse(null);
        assumeTrue(old != null, "no JDK before 25");
        assumeTrue(Stream.of("/usr/lib/jvm", "/usr/java", "/opt/java").noneMatch(at -> Files.exists(Path.of(at))),
                "JDKs are installed for everyone here");
        var builder = new ProcessBuilder(old.tool("java"), "-Duser.home=" + folder, "scripts/ExploreSchedules.java",
                program("LosesAnUpdate")).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("JAVA_HOME"));
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertEquals(2, process.waitFor(), output);
        assertTrue(output.startsWith("explore-schedules: needs a JDK of 25 or later, and found none; install one"),
                output);
    }

    @Test
    void compilesWithoutAWarning() throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(jdk.tool("javac"), "-Xlint:all", "-Werror", "-d", folder.toString(),
                "--add-exports", "java.base/jdk.internal.misc=ALL-UNNAMED"));
        for (Path in : List.of(Path.of("scripts", "explorer"), Path.of("scripts", "explorer", "run"))) {
            Examples.javaFiles(in).forEach(file -> command.add(file.toString()));
        }
        Child.succeed(Duration.ofMinutes(20), command);
    }
}
