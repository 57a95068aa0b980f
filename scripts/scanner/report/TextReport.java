package scanner.report;

import java.util.List;
import scanner.findings.Finding;

/** For people and agents: a line a finding, its chain of calls below. */
public final class TextReport {

    private static final int PLACES = 10;

    private TextReport() {
    }

    public static String of(Report report) {
        var text = new StringBuilder();
        for (Finding finding : report.findings()) {
            Finding.Place place = finding.place();
            text.append(printable(report.display() + place.file())).append(':').append(place.line()).append(':')
                    .append(place.column()).append(": ")
                    .append(Report.name(finding.level())).append(" [").append(finding.rule()).append("] ")
                            .append(printable(finding.message())).append('\n');
            String indent = "    ";
            for (Finding.Step step : Report.chain(finding)) {
                text.append(indent).append(printable(step.what())).append(" (").append(place(step.place(), place,
                        report)).append(")\n");
                indent += "  ";
            }
            List<Finding.Place> places = finding.alsoAt();
            for (int i = 0; i < Math.min(PLACES, places.size()); i++) {
                text.append(i == 0 ? "    also at " : ", ").append(place(places.get(i), place, report));
            }
            if (places.size() > PLACES) {
                text.append(" and ").append(places.size() - PLACES).append(" more");
            }
            text.append(places.isEmpty() ? "" : "\n");
        }
        text.append(report.summary());
        if (!report.findings().isEmpty()) {
            text.append(" --explain RULE says why and how to mend.");
        }
        return text.append('\n').toString();
    }

    /** The file is said only where it is not the finding's own. */
    private static String place(Finding.Place place, Finding.Place finding, Report report) {
        String file = place.file().equals(finding.file()) ? "line " : printable(report.display() + place.file()) + ":";
        return file + place.line() + ":" + place.column();
    }

    /** The name of a file, and what is quoted from it, may hold line ends and what a terminal obeys. */
    private static String printable(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }
}
