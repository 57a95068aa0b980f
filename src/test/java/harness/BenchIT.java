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
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** The benchmarks run, at a size that says nothing, and write what they promise; on a busy machine no figures. */
@Order(3)
class BenchIT {

    private static final Duration LIMIT = Duration.ofMinutes(20);
    private static final Jdk JDK = Jdk.installed().getFirst();
    private static final String FEATURE = "" + JDK.feature();

    private static Child bench(String... words) throws Exception {
        var command = JDK.java("bench/Bench.java");
        command.addAll(List.of(words));
        return Child.run(LIMIT, command);
    }

    /** 3: something else ran on this machine. */
    private static void assertMeasured(Child child) {
        assertTrue(child.exit() == 0 || child.exit() == 3, child.output());
    }

    @Test
    void aTinyRunWritesTableAndPicture() throws Exception {
        Path out = Path.of("target/bench-smoke");
        var child = bench("asyncio", "--patterns", "queue", "--sizes", "1000", "--jdks", FEATURE, "--minutes", "0.3",
                "--out", out.toString());
        assertMeasured(child);
        String table = Files.readString(out.resolve("asyncio.md"));
        assertTrue(table.contains("Java " + FEATURE), table);
        assertEquals(child.exit() == 3, table.contains("not steady"), table);
        DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(out.resolve("asyncio.svg").toFile());
        var skipped = child.output().lines().filter(line -> line.startsWith("SKIPPED")).toList();
        Assumptions.assumeTrue(skipped.isEmpty(), skipped::toString);
        assertTrue(table.contains("| asyncio |") && table.contains("| uvloop |") && table.contains("naive " + FEATURE), table);
    }

    @Test
    void aMissingPythonIsSkippedNotFailed() throws Exception {
        var child = bench("asyncio", "--patterns", "lock", "--sizes", "1000", "--jdks", FEATURE, "--minutes", "0.01",
                "--out", "target/bench-smoke-java", "--python", "/no/python");
        assertMeasured(child);
        assertTrue(child.output().contains("SKIPPED asyncio: /no/python"), child.output());
    }

    @Test
    void growthSaysTimeAndMemoryOfEachSizeOverAllDays() throws Exception {
        Path out = Files.createDirectories(Path.of("target/bench-smoke-growth"));
        Files.writeString(out.resolve("growth-2000-01-01.tsv"), """
                # date\t2000-01-01 00:00 UTC
                # machine\tanother
                # JDK\t21
                # sizes\t100,1000
                queue\t9000001.0\t9000002.0\t9000003\t9000004\t0.000
                """);
        assertMeasured(bench("growth", "--kinds", "queue", "--sizes", "100,1000", "--jdk", FEATURE, "--out",
                out.toString()));
        String table = Files.readString(out.resolve("growth.md"));
        assertTrue(table.contains("| `WorkQueue`: items queued |"), table);
        assertTrue(table.contains("9,000,002") && table.contains(" to 9,000,004 |"), table);
        assertTrue(table.contains("- 2000-01-01 00:00 UTC; another; JDK 21"), table);
    }

    @Test
    void whatIsTheSameAsTheRevisionIsNotSlower() throws Exception {
        Assumptions.assumeTrue(Files.exists(Path.of(".git")), "no git here");
        var child = bench("release", "HEAD", "--jobs", "breaker", "--minutes", "0.01", "--jdk", FEATURE, "--out",
                "target/bench-smoke-release");
        assertMeasured(child);
        assertTrue(Files.readString(Path.of("target/bench-smoke-release/release.md")).contains("breaker, CircuitBreaker"));
    }

    @Test
    void theScannerIsTimedByLines() throws Exception {
        Path out = Path.of("target/bench-smoke-scanner");
        assertMeasured(bench("scanner", "--lines", "2000", "--jdk", FEATURE, "--out", out.toString()));
        assertTrue(Files.readString(out.resolve("scanner.md")).contains("| seconds |"));
    }

    @Test
    void aServerIsMeasuredInSpeedAndMemory() throws Exception {
        Path out = Path.of("target/bench-smoke-service");
        var child = bench("service", "--servers", "service", "--connections", "300", "--minutes", "0.01", "--out",
                out.toString());
        Assumptions.assumeFalse(child.exit() == 2, child.output());
        assertMeasured(child);
        assertTrue(Files.readString(out.resolve("service.md")).contains("| `assets/service` |"));
    }

    @Test
    void badOptionsGetOneLine() throws Exception {
        for (String words : List.of("asyncio --sizes many", "asyncio --jdks 11", "growth --kinds none", "release --jobs none",
                "release no-such-revision", "growth --minutes 0", "fastest",
                "scanner --lines none", "waiters --jobs none", "service --servers none", "service --connections 1")) {
            var child = bench(words.split(" "));
            assertEquals(2, child.exit(), child.output());
            assertEquals(1, child.output().lines().count(), child.output());
            assertFalse(child.output().contains("Exception"), child.output());
        }
    }
}
