package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** The benchmark runs, at a size that says nothing, and writes what it promises. */
class BenchIT {

    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final String JAVA = Jdk.installed().getFirst().tool("java");

    @Test
    void aTinyRunWritesTableAndPicture() throws Exception {
        int feature = Jdk.installed().getFirst().feature();
        var child = Child.succeed(LIMIT, List.of(JAVA, "bench/Compare.java", "--patterns", "queue", "--sizes", "1000",
                "--jdks", "" + feature,
                "--repetitions", "1", "--out", "target/bench-smoke"));
        String table = Files.readString(Path.of("target/bench-smoke/results.md"));
        assertTrue(table.contains("Java " + feature) && table.contains("naive " + feature), table);
        DocumentBuilderFactory.newInstance().newDocumentBuilder()
                .parse(Path.of("target/bench-smoke/results.svg").toFile());
        var skipped = child.output().lines().filter(line -> line.startsWith("SKIPPED")).toList();
        Assumptions.assumeTrue(skipped.isEmpty(), skipped::toString);
        assertTrue(table.contains("asyncio") && table.contains("uvloop"), table);
    }

    @Test
    void aMissingPythonIsSkippedNotFailed() throws Exception {
        var child = Child.succeed(LIMIT, List.of(JAVA, "bench/Compare.java", "--patterns", "lock", "--sizes", "1000",
                "--jdks",
                "" + Jdk.installed().getFirst().feature(), "--repetitions", "1", "--out", "target/bench-smoke-java",
                        "--python", "/no/python"));
        assertTrue(child.output().contains("SKIPPED asyncio: /no/python"), child.output());
    }

    @Test
    void badOptionsGetOneLine() throws Exception {
        for (var options : List.of(List.of("--sizes", "many"), List.of("--jdks", "11"))) {
            var command = new java.util.ArrayList<>(List.of(JAVA, "bench/Compare.java"));
            command.addAll(options);
            var child = Child.run(LIMIT, command);
            assertEquals(2, child.exit(), child.output());
            assertEquals(1, child.output().lines().count(), child.output());
            assertFalse(child.output().contains("Exception"), child.output());
        }
    }
}
