package scanner;

import java.util.List;

/** For people and agents: a line a finding, its chain of calls below. */
final class TextReport {

    private static final int PLACES = 10;

    private TextReport() {
    }

    static String of(Report report) {
        var text = new StringBuilder();
        for (Finding finding : report.findings()) {
            Finding.Place place = finding.place();
            text.append(report.display()).append(place.file()).append(':').append(place.line()).append(':').append(place.column()).append(": ")
                    .append(Report.name(finding.level())).append(" [").append(finding.rule()).append("] ").append(finding.message()).append('\n');
            String indent = "    ";
            boolean said = finding.chain().size() == 1 && finding.chain().get(0).what().equals(finding.message());
            for (Finding.Step step : said ? List.<Finding.Step>of() : finding.chain()) {
                text.append(indent).append(step.what()).append(" (").append(place(step.place(), place, report)).append(")\n");
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
        return printable(text.append('\n'));
    }

    /** The file is said only where it is not the finding's own. */
    private static String place(Finding.Place place, Finding.Place finding, Report report) {
        String file = place.file().equals(finding.file()) ? "line " : report.display() + place.file() + ":";
        return file + place.line() + ":" + place.column();
    }

    /** A file's name may hold what a terminal obeys. */
    private static String printable(StringBuilder text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isISOControl(text.charAt(i)) && text.charAt(i) != '\n') {
                text.setCharAt(i, '?');
            }
        }
        return text.toString();
    }
}
