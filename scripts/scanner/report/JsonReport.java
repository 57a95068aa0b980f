package scanner.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import scanner.findings.Finding;
import scanner.project.SourceTree;

/** For programs. */
public final class JsonReport {

    private JsonReport() {
    }

    public static String of(Report report) {
        var findings = new ArrayList<Object>();
        List<String> fingerprints = Baseline.fingerprints(report.findings());
        for (int i = 0; i < report.findings().size(); i++) {
            Finding finding = report.findings().get(i);
            Map<String, Object> object = Json.object("rule", finding.rule(), "level", Report.name(finding.level()));
            object.putAll(place(finding.place()));
            object.put("message", finding.message());
            object.put("enclosing", finding.enclosing());
            object.put("chain", finding.chain().stream().map(JsonReport::step).toList());
            object.put("alsoAt", finding.alsoAt().stream().map(JsonReport::step).toList());
            object.put("fingerprint", fingerprints.get(i));
            findings.add(object);
        }
        Map<String, Object> summary = Json.object(
                "errors", report.count(Finding.Level.ERROR),
                "warnings", report.count(Finding.Level.WARNING),
                "notes", report.count(Finding.Level.NOTE),
                "suppressed", report.suppressed(),
                "inBaseline", report.known(),
                "files", report.files());
        return Json.text(Json.object(
                "root", SourceTree.slashed(report.root()),
                "releases", report.releases(),
                "summary", summary,
                "findings", findings, "problems", report.problems()));
    }

    private static Map<String, Object> place(Finding.Place place) {
        return Json.object("file", place.file(), "line", place.line(), "column", place.column());
    }

    private static Map<String, Object> step(Finding.Step step) {
        Map<String, Object> object = place(step.place());
        object.put("what", step.what());
        return object;
    }
}
