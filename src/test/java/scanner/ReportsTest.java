package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import scanner.findings.Finding;
import scanner.findings.Rule;
import scanner.findings.Rules;
import scanner.report.GithubReport;
import scanner.report.Json;
import scanner.report.JsonReport;
import scanner.report.Report;
import scanner.report.SarifReport;
import scanner.report.TextReport;

/**
 * Each format beside a recorded report in {@code src/test/resources/scanner}; {@code -Drecorded=write} writes them
 * anew.
 */
@Tag("once")
@Timeout(600)
class ReportsTest {

    private static final List<Rule> RULES = List.of(
            new Rule("blocking-under-monitor", Finding.Level.WARNING, 8, 23, line("it pins"), line("use a lock"),
                    "references/a.md",
                    "https://example.org/a", "examples/traps/T.java",
                    List.of(new Rule.Detail(21, 23, "on 21 \"too\""), new Rule.Detail(25, 25, "not told"))),
            new Rule("lost-failure", Finding.Level.NOTE, 8, Integer.MAX_VALUE, line("it is lost"), line("keep it"),
                    "references/b.md", "https://example.org/b", "", List.of()));

    private static List<Rule.Detail> line(String text) {
        return List.of(new Rule.Detail(8, Integer.MAX_VALUE, text));
    }

    private static final Report REPORT = report();

    private static Report report() {
        var a = new Finding.Place("src/A.java", 12, 9);
        var chain = List.of(
                new Finding.Step(new Finding.Place("src/A.java", 10, 5), "synchronized m()"),
                new Finding.Step(a, "B.load()"),
                new Finding.Step(new Finding.Place("src/my files/B, 100%: Ä.java", 7, 1), "Thread.sleep()"));
        var places = IntStream.rangeClosed(20, 31).mapToObj(line -> new Finding.Step(
                new Finding.Place("src/A.java", line, 3), "Thread.sleep() in synchronized n()")).toList();
        return new Report(Path.of("/home/me/my project"), "my project/", List.of(17, 21), 3, List.of(
                new Finding("blocking-under-monitor", Finding.Level.ERROR, a,
                        "B.load() blocks (Thread.sleep()) in synchronized m()", chain, places,
                        "org.acme.A.m"),
                new Finding("blocking-under-monitor", Finding.Level.WARNING,
                        new Finding.Place("src/my files/B, 100%: Ä.java", 3, 1),
                        "100% \"odd\",\n::a message\twith\u001b[31m everything: \\ \u2028 \ud83d\ude80", List.of(
                        new Finding.Step(new Finding.Place("src/my files/B, 100%: Ä.java", 3, 1), "Object.wait()")),
                        List.of(new Finding.Step(new Finding.Place("src/A.java", 1, 1), "elsewhere\n")),
                                "org.acme.B.<init>"),
                new Finding("lost-failure", Finding.Level.NOTE, new Finding.Place("C.java", 1, 1),
                        "what it throws is lost", List.of(
                        new Finding.Step(new Finding.Place("C.java", 1, 1), "what it throws is lost")), List.of(),
                                "C.run")),
                2, 1, false, List.of("src/D.java:3: does not parse"),
                new Report.Scan(1_240_000_000, Map.of("org.acme", 7, "org.other", 1)));
    }

    private static final Report EMPTY = new Report(Path.of("/home/me/my project"), "", List.of(21), 1, List.of(), 0, 0,
            false, List.of(), new Report.Scan(40_000_000, Map.of()));

    private static void compare(String name, String report) throws IOException {
        if ("write".equals(System.getProperty("recorded"))) {
            Files.writeString(Path.of("src/test/resources/scanner", name), report);
            return;
        }
        assertEquals(Cli.recorded(name), report,
                "rewrite with mvn test -Dtest=ReportsTest -DargLine=-Drecorded=write if this is meant");
    }

    @Test
    void text() throws IOException {
        compare("report.txt", TextReport.of(REPORT));
        assertEquals("Nothing found in 1 file for JDK 21. Took 0.0 s.\n", TextReport.of(EMPTY));
    }

    @Test
    void textHoldsNothingATerminalObeys() {
        assertTrue(TextReport.of(REPORT).chars().noneMatch(c -> Character.isISOControl(c) && c != '\n'));
    }

    @Test
    void json() throws IOException {
        compare("report.json", JsonReport.of(REPORT));
        Object json = JsonText.parse(JsonReport.of(REPORT));
        assertEquals(REPORT.findings().get(1).message(), JsonText.at(json, "findings", 1, "message"));
        assertEquals(12, ((List<?>) JsonText.at(json, "findings", 0, "alsoAt")).size());
        assertEquals(7.0, JsonText.at(json, "findings", 0, "chain", 2, "line"));
        assertEquals(List.of(), JsonText.at(JsonText.parse(JsonReport.of(EMPTY)), "findings"));
    }

    @Test
    void loneSurrogatesAreEscaped() {
        assertEquals("\"a\\ud83d b\\ude80\"\n", Json.text("a\ud83d b\ude80"));
        assertEquals("\"\ud83d\ude80\"\n", Json.text("\ud83d\ude80"));
    }

    @Test
    void sarif() throws IOException {
        compare("report.sarif", SarifReport.of(REPORT, RULES, 21));
    }

    @Test
    void sarifIsValid() throws IOException {
        String schema = Cli.recorded("sarif-schema-2.1.0.json");
        assertEquals(List.of(), JsonSchema.violations(schema, SarifReport.of(REPORT, RULES, 21)));
        assertEquals(List.of(), JsonSchema.violations(schema, SarifReport.of(EMPTY, RULES, 21)));
        assertEquals(List.of(), JsonSchema.violations(schema, SarifReport.of(REPORT, Rules.all(), 25)));
        assertEquals(List.of(), JsonSchema.violations(schema, SarifReport.of(REPORT, List.of(), 8)),
                "findings of a rule not listed");
    }

    @Test
    void theValidatorSeesWhatIsNotValid() throws IOException {
        String schema = Cli.recorded("sarif-schema-2.1.0.json");
        String valid = SarifReport.of(REPORT, RULES, 21);
        Map<String, String> breaks = Map.of(
                "\"version\": \"2.1.0\"", "\"version\": \"2.2.0\"",
                "\"startLine\": 12", "\"startLine\": 0",
                "\"startLine\": 10", "\"startLine\": \"10\"",
                "\"columnKind\"", "\"columnSort\"",
                "\"level\": \"note\"", "\"level\": \"info\"",
                "\"executionSuccessful\": true", "\"exitCode\": 1",
                "\"name\": \"find-blocking-calls\"", "\"nickname\": \"f\"");
        breaks.forEach((good, bad) -> {
            assertTrue(valid.contains(good), good);
            assertFalse(JsonSchema.violations(schema, valid.replace(good, bad)).isEmpty(), bad);
        });
    }

    @Test
    void sarifFilesAreRelativeToTheScannedRoot() {
        Object json = JsonText.parse(SarifReport.of(REPORT, RULES, 21));
        URI root = URI.create((String) JsonText.at(json, "runs", 0, "originalUriBaseIds", "SRCROOT", "uri"));
        Object artifact = JsonText.at(json, "runs", 0, "results", 1, "locations", 0, "physicalLocation",
                "artifactLocation");
        assertEquals("SRCROOT", JsonText.at(artifact, "uriBaseId"));
        assertEquals(Path.of("/home/me/my project/src/my files/B, 100%: Ä.java"),
                Path.of(root.resolve((String) JsonText.at(artifact, "uri"))));
    }

    @Test
    void sarifShowsTheChainAsACodeFlow() {
        Object json = JsonText.parse(SarifReport.of(REPORT, RULES, 21));
        Object flow = JsonText.at(json, "runs", 0, "results", 0, "codeFlows", 0, "threadFlows", 0, "locations");
        assertEquals(List.of("synchronized m()", "B.load()", "Thread.sleep()"),
                ((List<?>) flow).stream().map(step -> JsonText.at(step, "location", "message", "text")).toList());
    }

    @Test
    void github() throws IOException {
        compare("report.github.txt", GithubReport.of(REPORT));
        assertEquals(3, GithubReport.of(REPORT).lines().count(), "one line a finding, whatever is in it");
        assertEquals("", GithubReport.of(EMPTY));
    }
}
