package scanner.report;

import java.util.List;
import scanner.findings.Finding;

/** For people and agents: a line a finding, its chain of calls below. */
public final class TextReport {

    private static final int PLACES = 5;

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
            List<Finding.Step> others = finding.alsoAt();
            int shown = report.all() ? others.size() : Math.min(PLACES, others.size());
            for (Finding.Step other : others.subList(0, shown)) {
                text.append("    also at ").append(place(other.place(), place, report)).append(": ")
                        .append(printable(other.what())).append('\n');
            }
            if (shown < others.size()) {
                text.append("    and at ").append(Report.counted(others.size() - shown, "more place"))
                        .append(" (--all)\n");
            }
        }
        text.append(report.summary()).append(" Took ").append("%.1f".formatted(report.scan().nanos() / 1e9))
                .append(" s.\n");
        report.counts().forEach((rule, count) -> text.append("  ").append("%4d".formatted(count)).append(' ')
                .append(rule)
                .append('\n'));
        if (!report.unknown().isEmpty()) {
            text.append("Not followed, because nothing is known of these libraries: ").append(report.unknown())
                    .append('\n');
        }
        if (!report.findings().isEmpty()) {
            text.append("Why, and how to fix it: --explain ").append(report.findings().get(0).rule()).append('\n');
        }
        return text.toString();
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
