package explorer;

import explorer.run.Schedule;
import explorer.run.Site;
import explorer.run.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;

/** What was found, for a person or for a program. */
final class Report {

    private static final int LONGEST_TRACE = 200;

    private final Options options;
    private final Explorer explorer;
    private final Explorer.Found found;
    private final String command;

    Report(Options options, Explorer explorer, Explorer.Found found, String command) {
        this.options = options;
        this.explorer = explorer;
        this.found = found;
        this.command = command;
    }

    int exitCode() {
        return found == null ? 0 : !found.repeats() || found.verdict().kind() == Verdict.Kind.NOT_CONTROLLED ? 2 : 1;
    }

    private String verdict() {
        return found == null ? "nothing found" : !found.repeats() ? "NOT REPEATABLE"
                : found.verdict().kind().toString();
    }

    private String headline() {
        if (found == null) {
            return "nothing found in " + explorer.schedules + " schedules (" + reached() + ")";
        }
        Verdict verdict = found.verdict();
        String share = explorer.failed + " of " + explorer.schedules + " schedules";
        if (verdict.kind() == Verdict.Kind.NOT_CONTROLLED) {
            return verdict.kind() + " " + verdict.detail();
        }
        if (!found.repeats()) {
            return "NOT REPEATABLE " + verdict.kind() + " " + verdict.detail() + " (seed " + found.seed()
                    + " did not do it again: " + (options.fresh() ? "something outside" : "statics, for which there is"
                            + " --fresh, or something outside") + "?)";
        }
        return verdict.kind() + " " + verdict.detail() + " (seed " + found.seed() + ", failed again; " + share
                + found.note() + ")";
    }

    private static String reached() {
        long reached = Site.all().stream().filter(site -> site.reached).count();
        return reached + " of " + Site.all().size() + " points reached";
    }

    private static List<String> notReached() {
        TreeSet<String> places = new TreeSet<>();
        for (Site site : Site.all()) {
            if (!site.reached) {
                places.add(site.place);
            }
        }
        return new ArrayList<>(places);
    }

    String text() {
        StringBuilder text = new StringBuilder(headline()).append('\n');
        if (found == null) {
            List<String> missed = notReached();
            if (!missed.isEmpty()) {
                text.append("not reached: ").append(String.join(", ", missed.subList(0, Math.min(20, missed.size()))))
                        .append(missed.size() > 20 ? " and " + (missed.size() - 20) + " more" : "").append('\n');
            }
            return text.toString();
        }
        for (String line : found.verdict().more()) {
            text.append("  ").append(line).append('\n');
        }
        if (explorer.verdicts.size() > 1) {
            text.append("other schedules: ").append(explorer.verdicts).append('\n');
        }
        if (!found.traced().trace().isEmpty()) {
            trace(text.append('\n'));
        }
        if (found.repeats() && found.verdict().kind() != Verdict.Kind.NOT_CONTROLLED) {
            text.append("\nagain: ").append(again()).append('\n');
        }
        return text.toString();
    }

    private String again() {
        return command + " --replay " + found.seed() + (options.seed() == 0 ? "" : " --seed " + options.seed())
                + (options.depth() == 0 ? "" : " --depth " + options.depth())
                + (options.fresh() ? " --fresh" : "")
                + (options.classPath().isEmpty() ? "" : " --classpath " + options.classPath()) + " "
                + String.join(" ", options.code());
    }

    /** A column for each thread. */
    private void trace(StringBuilder text) {
        List<Schedule.Event> trace = worthTelling(found.traced().trace());
        List<String> names = found.traced().names();
        int width = 30;
        StringBuilder head = new StringBuilder();
        for (int i = 1; i < Math.min(5, names.size()); i++) {
            head.append(pad(names.get(i), width));
        }
        text.append(head.toString().stripTrailing()).append('\n');
        int from = Math.max(0, trace.size() - LONGEST_TRACE);
        if (from > 0) {
            text.append("... ").append(from).append(" steps before\n");
        }
        for (Schedule.Event event : trace.subList(from, trace.size())) {
            if (event.task() == 0) {
                text.append("-- the clock ").append(event.what()).append('\n');
                continue;
            }
            String line = (place(event) + " " + event.what()).strip();
            text.append(" ".repeat((event.task() - 1) % 4 * width))
                    .append(names.size() > 5 ? "T" + event.task() + " " : "").append(line).append('\n');
        }
    }

    /** Without what only one thread ever comes to; and of the clock, how far it goes. */
    private static List<Schedule.Event> worthTelling(List<Schedule.Event> trace) {
        List<Schedule.Event> told = new ArrayList<>();
        for (Schedule.Event event : trace) {
            if (event.site() != null && !event.site().worthTelling()) {
                continue;
            }
            if (event.task() == 0 && !told.isEmpty() && told.getLast().task() == 0) {
                told.removeLast();
            }
            told.add(event);
        }
        return told;
    }

    private static String place(Schedule.Event event) {
        return event.site() == null ? "" : event.site().place;
    }

    private static String pad(String text, int width) {
        return text.length() >= width ? text.substring(0, width - 1) + " " : text + " ".repeat(width - text.length());
    }

    String json() {
        StringBuilder json = new StringBuilder("{\n");
        json.append("  \"verdict\": ").append(quoted(verdict())).append(",\n");
        json.append("  \"schedules\": ").append(explorer.schedules).append(",\n");
        json.append("  \"failed\": ").append(explorer.failed).append(",\n");
        json.append("  \"seconds\": ").append(String.format(Locale.ROOT, "%.2f", explorer.seconds)).append(",\n");
        json.append("  \"points\": ").append(Site.all().size()).append(",\n");
        json.append("  \"notReached\": ").append(array(notReached())).append(found == null ? "\n" : ",\n");
        if (found != null) {
            json.append("  \"seed\": ").append(found.seed()).append(",\n");
            json.append("  \"detail\": ").append(quoted(found.verdict().detail())).append(",\n");
            json.append("  \"more\": ").append(array(found.verdict().more())).append(",\n");
            json.append("  \"again\": ").append(quoted(again())).append(",\n");
            List<String> names = found.traced().names();
            List<String> events = new ArrayList<>();
            for (Schedule.Event event : found.traced().trace()) {
                events.add("\n    {\"thread\": " + quoted(names.get(event.task())) + ", \"place\": "
                        + quoted(place(event)) + ", \"does\": " + quoted(event.what()) + "}");
            }
            json.append("  \"trace\": [").append(String.join(",", events)).append("]\n");
        }
        return json.append("}\n").toString();
    }

    private static String array(List<String> texts) {
        return "[" + String.join(", ", texts.stream().map(Report::quoted).toList()) + "]";
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
