package harness;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs every {@code *Test} class, but those tagged {@code once}, in a child JVM of each JDK, side by side: they wait
 * more than they compute. Those tagged {@code once} have just run; what came of it stands in Surefire's reports.
 */
@Order(1)
class BehaviourIT {

    private static final Duration LIMIT = Duration.ofMinutes(60);
    private static final Path REPORTS = Path.of("target/surefire-reports");
    private static final Pattern SUITE = Pattern.compile("<testsuite [^>]*\\bname=\"([^\"]+)\"[^>]*");

    @TestFactory
    @Execution(ExecutionMode.CONCURRENT)
    List<DynamicTest> onEveryJdk() {
        var tests = new ArrayList<DynamicTest>();
        for (Jdk jdk : Jdk.tested()) {
            tests.add(dynamicTest("behaviour on JDK " + jdk.feature(), () -> {
                if (jdk.isThisOne() && Files.isDirectory(REPORTS)) {
                    readReports(jdk);
                }
                runOn(jdk);
            }));
        }
        for (int feature : Jdk.PROMISED) {
            if (Jdk.of(feature).isEmpty()) {
                tests.add(dynamicTest("behaviour on JDK " + feature, Coverage.recorded("behaviour", feature,
                        () -> Assumptions.abort("JDK " + feature + " was not found"))));
            }
        }
        return tests;
    }

    private static void readReports(Jdk jdk) throws IOException {
        try (var reports = Files.newDirectoryStream(REPORTS, "TEST-*.xml")) {
            for (Path report : reports) {
                Matcher suite = SUITE.matcher(Files.readString(report));
                Assertions.assertTrue(suite.find(), report::toString);
                Coverage.record(suite.group(1), jdk.feature(), count(suite, "failures") + count(suite, "errors") > 0
                        ? "FAILED" : count(suite, "skipped") < count(suite, "tests") ? "passed" : "skipped");
            }
        }
    }

    private static int count(Matcher suite, String what) {
        Matcher number = Pattern.compile("\\b" + what + "=\"(\\d+)\"").matcher(suite.group());
        return number.find() ? Integer.parseInt(number.group(1)) : 0;
    }

    private static void runOn(Jdk jdk) throws Exception {
        Path reports = Files.createDirectories(Path.of("target", "behaviour-" + jdk.feature() + "-reports"));
        Child child = Child.run(LIMIT, List.of(jdk.tool("java"), "-Dstress=" + System.getProperty("stress", "1"), "-cp",
                System.getProperty("java.class.path"), Suite.class.getName(), reports.toString()));
        int classes = 0;
        for (String line : child.output().lines().filter(l -> l.startsWith(Suite.MARK)).toList()) {
            String[] fields = line.split("\t");
            Coverage.record(fields[1], jdk.feature(), fields[2]);
            classes++;
        }
        Path whole = Files.writeString(Path.of("target", "behaviour-on-jdk-" + jdk.feature() + ".txt"), child.output());
        Assertions.assertTrue(child.exit() == 0 && classes > 0, () -> "exit code " + child.exit() + " on JDK "
                + jdk.feature() + ", all output in " + whole + child.output().lines().filter(l -> l.startsWith(Suite.WHY))
                        .map(l -> "\n" + l.substring(Suite.WHY.length())).collect(Collectors.joining()));
    }

    /**
     * The child's main: runs the tests, prints each failure and a line for each class; exit code 1 if there is a
     * failure.
     */
    static final class Suite implements TestExecutionListener {

        static final String MARK = "CLASS\t";
        static final String WHY = "FAILED\t";
        private final Map<String, String> classes = new TreeMap<>();
        private final Map<String, List<Case>> cases = new TreeMap<>();
        private final Map<String, Long> starts = new ConcurrentHashMap<>();
        private final PrintStream out = System.out;
        private boolean failed;

        /** @param seconds how long it took. @param child the element in the report that says what it came to, or "" */
        private record Case(String name, double seconds, String child) {
            String xml(String type) {
                return "  <testcase classname=\"%s\" name=\"%s\" time=\"%.3f\">%s</testcase>\n"
                        .formatted(type, escaped(name), seconds, child);
            }
        }

        public static void main(String[] args) throws IOException {
            var suite = new Suite();
            var request = LauncherDiscoveryRequestBuilder.request()
                    .selectors(DiscoverySelectors.selectClasspathRoots(Set.of(Path.of("target/test-classes"))))
                    .filters(ClassNameFilter.includeClassNamePatterns(".*Test"), TagFilter.excludeTags("once"))
                    .build();
            LauncherFactory.create().execute(request, suite);
            suite.classes.forEach((name, result) -> suite.out.println(MARK + name + "\t" + result));
            for (var each : suite.cases.entrySet()) {
                Files.writeString(Path.of(args[0], "TEST-" + each.getKey() + ".xml"),
                        report(each.getKey(), each.getValue()));
            }
            System.exit(suite.failed ? 1 : 0);
        }

        private static String report(String type, List<Case> cases) {
            return "<testsuite name=\"%s\" tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"%d\" time=\"%.3f\">\n"
                    .formatted(type, cases.size(), cases.stream().filter(c -> c.child.startsWith("<failure")).count(),
                            cases.stream().filter(c -> c.child.startsWith("<skipped")).count(),
                            cases.stream().mapToDouble(Case::seconds).sum())
                    + cases.stream().map(c -> c.xml(type)).collect(Collectors.joining()) + "</testsuite>\n";
        }

        private static String escaped(String text) {
            return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;")
                    .replaceAll("[\\x00-\\x1f&&[^\n]]|[^\\x00-\\ud7ff]", "?");
        }

        @Override
        public void executionStarted(TestIdentifier test) {
            starts.put(test.getUniqueId(), System.nanoTime());
        }

        @Override
        public void executionSkipped(TestIdentifier test, String reason) {
            enter(test, "skipped", "<skipped/>");
        }

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            switch (result.getStatus()) {
                case SUCCESSFUL -> {
                    if (test.isTest()) {
                        enter(test, "passed", "");
                    }
                }
                case ABORTED -> enter(test, "skipped", "<skipped/>");
                case FAILED -> {
                    failed = true;
                    String why = result.getThrowable().map(e -> tell(test, e)).orElse("");
                    enter(test, "FAILED", "<failure>" + escaped(why) + "</failure>");
                }
                default -> throw new AssertionError(result);
            }
        }

        private synchronized String tell(TestIdentifier test, Throwable failure) {
            var trace = new StringWriter();
            failure.printStackTrace(new PrintWriter(trace));
            out.println(WHY + test.getUniqueIdObject().getLastSegment().getValue());
            var lines = trace.toString().lines().filter(l -> !l.contains("at org.junit.")).limit(15).toList();
            lines.forEach(l -> out.println(WHY + l));
            return String.join("\n", lines);
        }

        /** The class of a test, or the one around it. */
        private static Optional<String> type(TestIdentifier test) {
            return test.getSource().map(source -> switch (source) {
                case MethodSource method -> method.getClassName();
                case ClassSource type -> type.getClassName();
                default -> null;
            }).map(name -> name.replaceFirst("\\$.*", ""));
        }

        /**
         * A class that has failures failed; one with nothing but skipped tests was skipped.
         *
         * @param child the element in the report that says so, or ""
         */
        private synchronized void enter(TestIdentifier test, String result, String child) {
            long start = starts.getOrDefault(test.getUniqueId(), System.nanoTime());
            String method = test.getUniqueIdObject().getLastSegment().getValue();
            String name = test.getDisplayName().equals(method) ? method : method + " " + test.getDisplayName();
            type(test).ifPresent(type -> {
                cases.computeIfAbsent(type, t -> new ArrayList<>())
                        .add(new Case(name, (System.nanoTime() - start) / 1e9, child));
                classes.merge(type, result,
                        (a, b) -> a.equals("FAILED") || b.equals("FAILED") ? "FAILED" : a.equals("passed") ? a : b);
            });
        }
    }
}
