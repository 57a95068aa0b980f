package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Finds each bug of {@link Planted} on each JDK, with the commands of {@code references/debugging.md} and nothing
 * else.
 */
class DebuggingIT {

    private static final Path PAGE = Path.of("references/debugging.md");
    private static final String CLASSES = "target/debugging";
    private static final Duration LIMIT = Duration.ofMinutes(20);

    private interface Hunt {
        void in(Patient patient) throws Exception;
    }

    @TestFactory
    @Execution(ExecutionMode.CONCURRENT)
    List<DynamicNode> findsWhatIsPlanted() throws Exception {
        Child.succeed(LIMIT, Jdk.current().javac("--release", "21", "-d", CLASSES,
                "examples/diagnosis/ThreadDump.java", "examples/diagnosis/LockOwners.java"));
        var tests = new ArrayList<DynamicNode>();
        for (Jdk jdk : Jdk.tested()) {
            tests.add(test("deadlock", jdk, DebuggingIT::deadlock));
            tests.add(test("monitors", jdk, DebuggingIT::monitors));
            tests.add(test("leak", jdk, DebuggingIT::leak));
            tests.add(test("starvation", jdk, DebuggingIT::starvation));
            tests.add(test("pinning", jdk, DebuggingIT::pinning));
        }
        for (int feature : Jdk.PROMISED) {
            if (Jdk.of(feature).isEmpty()) {
                tests.add(dynamicTest("debugging on JDK " + feature, Coverage.recorded("debugging", feature,
                        () -> Assumptions.abort("JDK " + feature + " was not found"))));
            }
        }
        return tests;
    }

    @Test
    void badInputIsOneLineAndExitCodeTwo() throws Exception {
        for (String tool : List.of("ThreadDump", "LockOwners")) {
            Path page = PAGE.toAbsolutePath();
            Child child = Child.run(LIMIT,
                    Jdk.current().java("examples/diagnosis/" + tool + ".java", page.toString()));
            assertEquals(2, child.exit(), child.output());
            assertTrue(child.output().startsWith(tool + ": " + page) && child.output().lines().count() == 1,
                    child.output());
        }
    }

    private static DynamicNode test(String bug, Jdk jdk, Hunt hunt) {
        return dynamicTest("planted " + bug + " on JDK " + jdk.feature(),
                Coverage.recorded("debugging: planted " + bug, jdk.feature(), () -> {
                    try (var patient = new Patient(jdk, bug)) {
                        hunt.in(patient);
                    }
                }));
    }

    private static void deadlock(Patient patient) throws Exception {
        Child report = patient.run("java SKILL_FOLDER/examples/diagnosis/ThreadDump.java PID");
        boolean named = report.exit() == 1; // the dump names the owner of a lock; update releases of 25 differ
        assertTrue(named ? patient.jdk.feature() >= 25 : patient.jdk.feature() < 26, report.output());
        assertContains(report, named ? "DEADLOCK: each waits" : "POSSIBLE DEADLOCK");
        assertContains(report, "\"pay\"", "\"refund\"", "Planted.lockBoth");

        patient.succeed("jcmd PID GC.heap_dump FILE.hprof");
        Child owners = patient.run("java SKILL_FOLDER/examples/diagnosis/LockOwners.java FILE.hprof");
        assertEquals(1, owners.exit(), owners.output());
        assertContains(owners, "DEADLOCK");
        for (String name : List.of("pay", "refund")) { // the threads have the numbers of the thread dump
            Matcher number = Pattern.compile("(#\\d+) \"" + name + "\"").matcher(report.output());
            assertTrue(number.find(), report.output());
            assertContains(owners, number.group(1) + " waits for ReentrantLock$");
        }
        Child jstack = patient.succeed("jcmd PID Thread.print");
        assertTrue(!jstack.output().contains("lockBoth"), "the page says that it shows none");
    }

    private static void monitors(Patient patient) throws Exception {
        Child report = patient.run("java SKILL_FOLDER/examples/diagnosis/ThreadDump.java PID");
        assertContains(report, "\"pay\"", "\"refund\"", "Planted.enterBoth");
        if (patient.jdk.feature() >= 25) {
            assertContains(report, "DEADLOCK: each waits");
            return;
        }
        Child carriers = patient.succeed("jcmd PID Thread.print");
        assertContains(carriers, "Carrying virtual thread #");
    }

    private static void leak(Patient patient) throws Exception {
        Child classes = patient.succeed("jcmd PID GC.class_histogram");
        Matcher count = Pattern.compile("(\\d+) +\\d+ +java\\.lang\\.VirtualThread ")
                .matcher(classes.output().replace("\n", " \n"));
        assertTrue(count.find() && Integer.parseInt(count.group(1)) >= 5_000, classes.output());
        Child report = patient.run("java SKILL_FOLDER/examples/diagnosis/ThreadDump.java PID");
        assertContains(report, "   5000  virtual", "Planted.waitForAnAnswerThatNeverComes");
        String first = report.output().substring(report.output().indexOf("threads by what they do"));
        assertTrue(first.lines().skip(1).findFirst().orElse("").startsWith("   5000"), first);
    }

    private static void starvation(Patient patient) throws Exception {
        Child report = patient.run("java SKILL_FOLDER/examples/diagnosis/ThreadDump.java PID");
        assertContains(report, "carriers: 1, 1 of them busy", "Planted.computeForEver", "\"report\"");
        if (patient.jdk.feature() >= 25) {
            assertContains(report, "wait for a carrier: 10");
            Child scheduler = patient.succeed("jcmd PID Thread.vthread_scheduler");
            assertTrue(scheduler.output().matches("(?s).*parallelism = 1,.*(submissions|tasks) = [1-9].*"),
                    scheduler.output());
        }
        Child carriers = patient.succeed("jcmd PID Thread.print");
        assertContains(carriers, "Carrying virtual thread #");
    }

    private static void pinning(Patient patient) throws Exception {
        patient.succeed("jcmd PID JFR.start name=waits");
        Child events;
        long end = System.nanoTime() + LIMIT.toNanos();
        do { // until a round of 100 ms has fallen into the recording
            Thread.sleep(500);
            patient.succeed("jcmd PID JFR.dump name=waits filename=FILE.jfr");
            events = patient.succeed("jfr print --stack-depth 64 --events jdk.VirtualThreadPinned FILE.jfr");
        } while (!events.output().contains("Slow.readConfiguration") && System.nanoTime() < end);
        assertContains(events, "jdk.VirtualThreadPinned", "Slow.readConfiguration");
    }

    private static void assertContains(Child child, String... expected) {
        for (String text : expected) {
            assertTrue(child.output().contains(text), () -> "no \"" + text + "\" in\n" + child.output());
        }
    }

    /** A JVM with a bug, and a folder for what is found. */
    private static final class Patient implements AutoCloseable {
        private final Jdk jdk;
        private final String bug;
        private final Process process;
        private final Path folder = Files.createTempDirectory("debugging");

        Patient(Jdk jdk, String bug) throws Exception {
            this.jdk = jdk;
            this.bug = bug;
            String carriers = bug.equals("starvation") ? "1" : "2";
            process = new ProcessBuilder(jdk.tool("java"), "-Xmx256m", "-XX:ActiveProcessorCount=" + carriers,
                    "-cp", System.getProperty("java.class.path"), Planted.class.getName(), bug)
                    .redirectError(ProcessBuilder.Redirect.INHERIT).start();
            String line = process.inputReader().readLine();
            assertEquals("ready", line);
        }

        /** Runs a command of the page on this JVM, with the tools of its JDK. */
        Child run(String command) throws Exception {
            assertTrue(Files.readString(PAGE).contains(command), () -> PAGE + " has no \"" + command + "\"");
            var words = new ArrayList<String>();
            for (String word : command.split(" ")) {
                words.add(word.replace("SKILL_FOLDER/", "").replace("PID", "" + process.pid())
                        .replace("FILE", folder.resolve("file").toString()));
            }
            String tool = words.removeFirst();
            // one of them compiles it each time, as the page has it
            if (words.getFirst().endsWith(".java") && !bug.equals("deadlock")) {
                String type = words.removeFirst().replaceAll(".*/|\\.java", "");
                words.addAll(0, List.of("-cp", CLASSES, type));
            }
            if (tool.equals("java")) {
                return Child.run(LIMIT, jdk.java(words.toArray(String[]::new)));
            }
            words.addFirst(jdk.tool(tool));
            return Child.run(LIMIT, words);
        }

        Child succeed(String command) throws Exception {
            Child child = run(command);
            assertEquals(0, child.exit(), () -> command + "\n" + child.output());
            return child;
        }

        @Override
        public void close() throws IOException {
            process.destroyForcibly().onExit().join();
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }
}
