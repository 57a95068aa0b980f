package scanner.report;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import scanner.findings.Finding;
import scanner.findings.Rule;

/**
 * SARIF 2.1.0, for code scanning services and IDEs: the chain of calls is a code flow, files are relative to {@code
 * SRCROOT}.
 */
public final class SarifReport {

    /** What the tool is about; the skill has no address of its own. */
    private static final String HOME = "https://docs.oracle.com/en/java/javase/21/core/concurrency.html";
    private static final String UNRESERVED = "-._~/!$&'()*+,;=@";

    private SarifReport() {
    }

    /** @param rules all there are; {@code release} picks what their help says */
    public static String of(Report report, List<Rule> rules, int release) {
        List<String> names = rules.stream().map(Rule::name).toList();
        List<String> fingerprints = Baseline.fingerprints(report.findings());
        var results = new ArrayList<Object>();
        for (int i = 0; i < report.findings().size(); i++) {
            Finding finding = report.findings().get(i);
            results.add(result(finding, names.indexOf(finding.rule()), fingerprints.get(i)));
        }
        List<?> notifications = report.problems().stream()
                .map(problem -> Json.object("level", "warning", "message", message(problem))).toList();
        String root = report.root().toUri().toString();
        return Json.text(Json.object(
                "$schema", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
                "version", "2.1.0",
                "runs", List.of(Json.object(
                        "tool", Json.object("driver", Json.object(
                                "name", "find-blocking-calls",
                                "informationUri", HOME,
                                "rules", rules.stream().map(rule -> rule(rule, release)).toList())),
                        "invocations", List.of(Json.object(
                                "executionSuccessful", true,
                                "toolExecutionNotifications", notifications.isEmpty() ? null : notifications)),
                        "originalUriBaseIds", Json.object(
                                "SRCROOT", Json.object("uri", root.endsWith("/") ? root : root + "/")),
                        "columnKind", "utf16CodeUnits",
                        "results", results))));
    }

    private static Map<String, Object> result(Finding finding, int rule, String fingerprint) {
        List<?> steps = finding.chain().stream()
                .map(step -> Json.object("location", location(step.place(), step.what(), null))).toList();
        List<?> places = finding.alsoAt().stream().distinct()
                .map(step -> location(step.place(), step.what(), null)).toList();
        return Json.object(
                "ruleId", finding.rule(),
                "ruleIndex", rule < 0 ? null : rule,
                "level", Report.name(finding.level()),
                "message", sentence(finding.message()),
                "locations", List.of(location(finding.place(), null, finding.enclosing())),
                "codeFlows", List.of(Json.object("threadFlows", List.of(Json.object("locations", steps)))),
                "relatedLocations", places.isEmpty() ? null : places,
                "partialFingerprints", Json.object("ruleEnclosingStep/v1", fingerprint));
    }

    private static Map<String, Object> rule(Rule rule, int release) {
        return Json.object(
                "id", rule.name(),
                "name", camelCase(rule.name()),
                "shortDescription", sentence(rule.why(release)),
                "fullDescription", sentence(rule.why(release) + ". Fix: " + rule.fix(release)),
                "help", Json.object("text", rule.explain(release), "markdown", markdown(rule, release)),
                "helpUri", rule.link(),
                "defaultConfiguration", Json.object("level", Report.name(rule.level())),
                "properties", Json.object(
                        "tags", List.of("concurrency", "reliability"),
                        "precision", rule.level() == Finding.Level.ERROR ? "very-high" : "high",
                        "problem.severity", rule.level() == Finding.Level.NOTE ? "recommendation"
                                : Report.name(rule.level())));
    }

    private static String markdown(Rule rule, int release) {
        return "**Why:** " + rule.why(release) + "\n\n**Fix:** " + rule.fix(release) + "\n\n" + rule.explain(release)
                .lines()
                .filter(line -> line.startsWith("- ")).collect(Collectors.joining("\n"));
    }

    /** {@code LostFailure} of {@code lost-failure}. */
    private static String camelCase(String name) {
        return Arrays.stream(name.split("-")).map(word -> Character.toUpperCase(word.charAt(0)) + word.substring(1))
                .collect(Collectors.joining());
    }

    /** A sentence ends with a full stop. */
    private static Map<String, Object> sentence(String text) {
        return message(text.endsWith(".") ? text : text + ".");
    }

    private static Map<String, Object> message(String text) {
        return Json.object("text", text);
    }

    private static Map<String, Object> location(Finding.Place place, String message, String enclosing) {
        return Json.object(
                "physicalLocation", Json.object(
                        "artifactLocation", Json.object("uri", uri(place.file()), "uriBaseId", "SRCROOT"),
                        "region", Json.object("startLine", place.line(), "startColumn", place.column())),
                "logicalLocations", enclosing == null ? null : List.of(Json.object("fullyQualifiedName", enclosing)),
                "message", message == null ? null : message(message));
    }

    private static String uri(String path) {
        var uri = new StringBuilder();
        for (byte b : path.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if (c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || UNRESERVED.indexOf(c) >= 0) {
                uri.append(c);
            } else {
                uri.append(String.format("%%%02X", (int) c));
            }
        }
        return uri.toString();
    }
}
