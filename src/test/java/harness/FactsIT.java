package harness;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Runs the probes on every JDK that is tested and compares with {@code references/facts.tsv}; {@code -Dfacts=write}
 * enters what it sees.
 */
@Tag("once")
@Order(2)
@Execution(ExecutionMode.CONCURRENT)
@Timeout(value = 90, unit = TimeUnit.MINUTES)
class FactsIT {

    /** For the summary of a run in CI. */
    private static final Path CHANGES = Path.of("target/facts.txt");

    @TestFactory
    Stream<DynamicTest> factsHold() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "the facts are of Linux");
        Facts.compileProbes();
        Files.deleteIfExists(CHANGES);
        return Jdk.tested().stream().map(jdk -> DynamicTest.dynamicTest("jdk " + jdk.feature(),
                Coverage.recorded("facts.tsv", jdk.feature(), () -> factsHold(jdk))));
    }

    private static void factsHold(Jdk jdk) throws Exception {
        assumeTrue(jdk.feature() == 21 || jdk.feature() >= 25, "22 to 24 have no column");
        compare(Facts.version(jdk), Facts.probe(jdk));
    }

    private static synchronized void compare(Runtime.Version version, Map<String, String> seen) throws IOException {
        var facts = Facts.read();
        if ("write".equals(System.getProperty("facts"))) {
            facts.enter(version, seen);
            facts.write();
            return;
        }
        List<String> differences = facts.differences(version, seen);
        Files.writeString(CHANGES, version + ": " + (differences.isEmpty() ? "all facts hold\n" : differences.size()
                + " facts differ\n"
                + String.join("\n", differences) + "\n"), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        assertTrue(differences.isEmpty(), () -> differences.size() + " facts differ on " + version
                + " (if they are right: " + Facts.REWRITE + ")\n"
                + String.join("\n", differences));
    }
}
