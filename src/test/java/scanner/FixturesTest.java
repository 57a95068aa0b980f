package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import scanner.findings.Finding;
import scanner.findings.Rule;
import scanner.findings.Rules;
import scanner.project.Source;

/**
 * Every line of the fixtures that says {@code // expect: rule} gives that finding, of the level behind it if one is
 * there, {@code (warning)}; and no other line gives any.
 */
@Timeout(600)
class FixturesTest {

    private static final Path FIXTURES = Path.of("src", "test", "resources", "scanner", "fixtures");
    private static final Pattern EXPECT = Pattern.compile("// expect: ([a-z-]+(?: \\([a-z]+\\))?)");
    private static final Pattern RELEASE = Pattern.compile("// release: (\\d+)");
    private static final int EVIDENCE = 10;

    @TestFactory
    Stream<DynamicTest> fixtures() throws IOException {
        return javaFiles(FIXTURES).stream().map(file -> DynamicTest.dynamicTest(FIXTURES.relativize(file).toString(),
                () -> assertEquals(String.join("\n", expected(file)), String.join("\n", found(file)))));
    }

    @Test
    void everyRuleHasItsFixture() throws IOException {
        for (Rule rule : Rules.all()) {
            Path folder = FIXTURES.resolve(rule.name());
            assertTrue(Files.isDirectory(folder), "no fixture for " + rule.name());
            long expected = 0;
            long statements = 0;
            for (Path file : javaFiles(folder)) {
                expected += expected(file).size();
                statements += Files.readAllLines(file).stream().filter(line -> line.strip().endsWith(";")
                        && !line.startsWith("import")).count();
            }
            assertTrue(expected > 0 && expected + statements >= EVIDENCE, rule.name() + " has little evidence: "
                    + expected);
        }
    }

    /** The programs under {@code examples/traps} are fixtures too, but for those whose task is a parameter. */
    @Test
    void trapsShowTheirRules() throws IOException {
        for (Rule rule : Rules.all()) {
            if (!rule.trap().isEmpty()) {
                Path trap = Path.of(rule.trap());
                assertTrue(Files.exists(trap), rule.trap());
                boolean isFound = found(trap).stream().anyMatch(line -> line.endsWith(" " + rule.name()));
                assertEquals(!Set.of("periodic-task-unguarded", "file-read-on-virtual-thread").contains(rule.name()),
                        isFound, rule.trap());
            }
        }
    }

    @Test
    void everyRuleIsExplained() {
        for (Rule rule : Rules.all()) {
            for (int release : List.of(21, 25, 27)) {
                String text = rule.explain(release);
                assertTrue(text.contains(rule.fix(release)) && text.contains(rule.section()), rule.name());
            }
        }
    }

    private static Set<String> expected(Path file) throws IOException {
        var expected = new TreeSet<String>();
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < lines.size(); i++) {
            Matcher matcher = EXPECT.matcher(lines.get(i));
            if (matcher.find()) {
                expected.add("%04d %s".formatted(i + 1, matcher.group(1)));
            }
        }
        return expected;
    }

    private static Set<String> found(Path file) throws IOException {
        String text = Files.readString(file);
        Matcher matcher = RELEASE.matcher(text);
        int release = matcher.find() ? Integer.parseInt(matcher.group(1)) : 21;
        var request = new Analysis.Request(List.of(new Source(file, file.getFileName().toString(), 0)), release,
                text.contains("// deep\n"),
                Set.of(), List.of(), step -> { });
        Analysis.Result result = Analysis.run(request);
        assertEquals(List.of(), result.problems());
        Set<String> expected = expected(file);
        var found = new TreeSet<String>();
        for (Finding finding : result.findings()) {
            var places = new ArrayList<Finding.Place>(List.of(finding.place()));
            finding.alsoAt().forEach(other -> places.add(other.place()));
            for (Finding.Place place : places) {
                String line = "%04d %s".formatted(place.line(), finding.rule());
                boolean isLevelSaid = expected.stream().anyMatch(each -> each.startsWith(line + " "));
                found.add(isLevelSaid ? line + " (" + finding.level().name().toLowerCase(Locale.ROOT) + ")" : line);
            }
        }
        return found;
    }

    private static List<Path> javaFiles(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
        }
    }
}
