package harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.function.Executable;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestPlan;
import org.opentest4j.TestAbortedException;

/**
 * Pattern by JDK: what passed, failed or was skipped. Printed, and written to target/coverage.txt, when all tests have
 * ended.
 */
public final class Coverage implements TestExecutionListener {

    private static final Map<String, Map<Integer, String>> ROWS = new ConcurrentSkipListMap<>();

    static void record(String pattern, int jdk, String result) {
        ROWS.computeIfAbsent(pattern, p -> new ConcurrentSkipListMap<>()).put(jdk, result);
    }

    /** Wraps a test so that how it ends is entered in the table. */
    static Executable recorded(String pattern, int jdk, Executable test) {
        return () -> {
            try {
                test.execute();
                record(pattern, jdk, "passed");
            } catch (TestAbortedException e) {
                record(pattern, jdk, "skipped");
                throw e;
            } catch (Throwable e) {
                record(pattern, jdk, "FAILED");
                throw e;
            }
        };
    }

    @Override
    public void testPlanExecutionFinished(TestPlan plan) {
        if (ROWS.isEmpty()) {
            return;
        }
        String table = table();
        System.out.println(table);
        try {
            Files.writeString(Path.of("target/coverage.txt"), table);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String table() {
        var jdks = new TreeSet<>(Jdk.PROMISED);
        ROWS.values().forEach(row -> jdks.addAll(row.keySet()));
        int width = ROWS.keySet().stream().mapToInt(String::length).max().orElse(0) + 2;
        var text = new StringBuilder("\n").append(" ".repeat(width));
        jdks.forEach(jdk -> text.append(String.format("%-9s", "JDK " + jdk)));
        var counts = new TreeMap<String, Integer>();
        ROWS.forEach((pattern, row) -> {
            text.append('\n').append(String.format("%-" + width + "s", pattern));
            for (int jdk : jdks) {
                String result = row.getOrDefault(jdk, "-");
                text.append(String.format("%-9s", result));
                if (!result.equals("-")) {
                    counts.merge(result, 1, Integer::sum);
                }
            }
        });
        var found = Jdk.installed().stream().map(jdk -> jdk.feature() + " (" + jdk.version() + ")")
                .collect(Collectors.joining(", "));
        var missing = Jdk.PROMISED.stream().filter(jdk -> Jdk.of(jdk).isEmpty()).map(String::valueOf)
                .collect(Collectors.joining(", "));
        text.append("\n\nCovered: JDK ").append(found).append(missing.isEmpty() ? ""
                : ". NOT FOUND, so not covered: JDK " + missing);
        text.append("\n").append(counts.toString().replaceAll("[{}]", "").replace("=", " "))
                .append(" (- does not apply)\n");
        return text.toString().lines().map(String::stripTrailing).collect(Collectors.joining("\n", "", "\n"));
    }
}
