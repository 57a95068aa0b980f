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
import java.util.Set;
import java.util.TreeMap;
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
 * Runs every {@code *Test} class, but those tagged {@code once}, in a child JVM of each other JDK; on its own they have
 * just run, and what came of it stands in Surefire's reports.
 */
@Order(1)
class BehaviourIT {

    private static final Duration LIMIT = Duration.ofMinutes(30);
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
                } else {
                    runOn(jdk);
                }
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
        Child child = Child.run(LIMIT, jdk.java("-cp", System.getProperty("java.class.path"), Suite.class.getName()));
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
        private static final Set<String> ORDER = Set.of("passed", "skipped", "FAILED");
        private final Map<String, String> classes = new TreeMap<>();
        private final PrintStream out = System.out;
        private boolean failed;

        public static void main(String[] args) {
            var suite = new Suite();
            var request = LauncherDiscoveryRequestBuilder.request()
                    .selectors(DiscoverySelectors.selectClasspathRoots(Set.of(Path.of("target/test-classes"))))
                    .filters(ClassNameFilter.includeClassNamePatterns(".*Test"), TagFilter.excludeTags("once"))
                    .build();
            LauncherFactory.create().execute(request, suite);
            suite.classes.forEach((name, result) -> suite.out.println(MARK + name + "\t" + result));
            System.exit(suite.failed ? 1 : 0);
        }

        @Override
        public void executionSkipped(TestIdentifier test, String reason) {
            enter(test, "skipped");
        }

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            switch (result.getStatus()) {
                case SUCCESSFUL -> enter(test, test.isTest() ? "passed" : "");
                case ABORTED -> enter(test, "skipped");
                case FAILED -> {
                    enter(test, "FAILED");
                    failed = true;
                    result.getThrowable().ifPresent(e -> tell(test, e));
                }
                default -> throw new AssertionError(result);
            }
        }

        private synchronized void tell(TestIdentifier test, Throwable failure) {
            var trace = new StringWriter();
            failure.printStackTrace(new PrintWriter(trace));
            out.println(WHY + test.getUniqueIdObject().getLastSegment().getValue());
            trace.toString().lines().filter(l -> !l.contains("at org.junit.")).limit(15)
                    .forEach(l -> out.println(WHY + l));
        }

        /** A class that has failures failed; one with nothing but skipped tests was skipped. */
        private synchronized void enter(TestIdentifier test, String result) {
            String name = test.getSource().map(source -> switch (source) {
                case MethodSource method -> method.getClassName();
                case ClassSource type -> type.getClassName();
                default -> null;
            }).orElse(null);
            if (name != null && ORDER.contains(result)) {
                classes.merge(name.replaceFirst("\\$.*", ""), result,
                        (a, b) -> a.equals("FAILED") || b.equals("FAILED") ? "FAILED" : a.equals("passed") ? a : b);
            }
        }
    }
}
