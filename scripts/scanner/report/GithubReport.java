package scanner.report;

import scanner.findings.Finding;

/** Workflow commands, which GitHub Actions shows as annotations on the lines of a pull request. */
public final class GithubReport {

    private GithubReport() {
    }

    public static String of(Report report) {
        var text = new StringBuilder();
        for (Finding finding : report.findings()) {
            var message = new StringBuilder(finding.message());
            for (Finding.Step step : Report.chain(finding)) {
                message.append('\n').append(step.what()).append(" (").append(report.display())
                        .append(step.place().file()).append(':').append(step.place().line()).append(')');
            }
            text.append("::").append(finding.level() == Finding.Level.NOTE ? "notice" : Report.name(finding.level()))
                    .append(" file=").append(property(report.display() + finding.place().file()))
                    .append(",line=").append(finding.place().line())
                    .append(",col=").append(finding.place().column())
                    .append(",title=").append(property(finding.rule()))
                    .append("::").append(data(message.toString())).append('\n');
        }
        return text.toString();
    }

    private static String data(String text) {
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A");
    }

    private static String property(String text) {
        return data(text).replace(":", "%3A").replace(",", "%2C");
    }
}
