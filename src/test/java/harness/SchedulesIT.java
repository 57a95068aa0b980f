package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Every scenario of {@code src/test/schedules} under 1,000 schedules, or {@code -Dschedules=N} (100,000 every week):
 * nothing may be found. And two races that the examples once had must be found.
 */
@Tag("once")
@Execution(ExecutionMode.CONCURRENT)
@Timeout(3_600)
class SchedulesIT {

    @TempDir
    Path folder;

    private Jdk jdk;

    @BeforeEach
    void onAJdk() {
        jdk = ScheduleRuns.jdk();
        assumeTrue(jdk != null, "no JDK of 25 or later");
    }

    @Test
    void nothingIsFound() throws IOException, InterruptedException {
        var lines = new ArrayList<String>();
        for (Path scenario : ScheduleRuns.scenarios()) {
            lines.add("--runs " + Integer.getInteger("schedules", 1_000) + " --seconds 3000 " + scenario + " "
                    + ScheduleRuns.example(scenario));
        }
        assertFalse(lines.isEmpty());
        Map<String, String> outputs = ScheduleRuns.all(jdk, lines);
        var found = new ArrayList<String>();
        outputs.forEach((line, output) -> {
            if (!output.startsWith("nothing found")) {
                found.add(line + "\n" + output);
            }
        });
        assertTrue(found.isEmpty(), String.join("\n", found));
        assertEquals(lines.size(), outputs.size());
    }

    @Test
    void anItemIsTakenUnderTheLockUnderWhichItWasSeen() throws IOException, InterruptedException {
        finds("Generator", "Generator", """
                        lock.lock();
                        try {
                            if (!hasNext()) {""", """
                        if (!hasNext()) {
                            throw new NoSuchElementException();
                        }
                        lock.lock();
                        try {
                            if (false) {""");
    }

    @Test
    void aFailureIsNotedBeforeTheStateSaysSo() throws IOException, InterruptedException {
        finds("TaskGroupOrder", "TaskGroup", "            if (inTime || !answer) {\n", """
                            task.state = inTime ? State.FAILED : State.CANCELLED;
                            if (inTime || !answer) {
                """);
    }

    /** The scenario finds what the class had, put back into it. */
    private void finds(String scenario, String name, String now, String before)
            throws IOException, InterruptedException {
        String source = Files.readString(Examples.named(name).orElseThrow());
        String lines = now.indent(0);
        assertTrue(source.replaceAll("(?m)^ +", "").contains(lines.replaceAll("(?m)^ +", "").strip()), source);
        Path broken = folder.resolve(name + ".java");
        Files.writeString(broken, source.replaceAll("(?m)^ +", "")
                .replace(lines.replaceAll("(?m)^ +", "").strip(), before.replaceAll("(?m)^ +", "").strip()));
        Child child = ScheduleRuns.one(jdk, "--runs", "5000", "--seconds", "3000", "--first",
                ScheduleRuns.SCENARIOS.resolve(scenario + "Scenario.java").toString(), broken.toString());
        assertEquals(1, child.exit(), child.output());
    }
}
