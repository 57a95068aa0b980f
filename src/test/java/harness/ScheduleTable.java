package harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The table in {@code src/test/schedules/README.md}: what the scenarios of each class are worth, or why none are. */
final class ScheduleTable {

    static final Path FILE = ScheduleRuns.SCENARIOS.resolve("README.md");

    /** A line: the class, then scenarios, killed, counted, equivalent; or one cell, why there are none. */
    record Row(String name, List<String> cells) {
        int scenarios() {
            return cells.size() == 1 ? 0 : Integer.parseInt(cells.getFirst());
        }

        /** False: no scenarios, or not yet measured, which a question mark says. */
        boolean measured() {
            return cells.size() == 4 && !cells.contains("?");
        }

        int killed() {
            return Integer.parseInt(cells.get(1));
        }

        int counted() {
            return Integer.parseInt(cells.get(2));
        }
    }

    private ScheduleTable() {
    }

    /** {@code Gather}, or {@code service.Tasks}. */
    static String name(Path source) {
        String name = source.getFileName().toString().replace(".java", "");
        return source.startsWith(ScheduleRuns.SERVICE) ? "service." + name : name;
    }

    /** The lines of both tables, by class. */
    static Map<String, Row> rows() throws IOException {
        var rows = new LinkedHashMap<String, Row>();
        for (String line : Files.readAllLines(FILE)) {
            if (line.matches("\\| [A-Z]\\w+ \\|.*|\\| service\\.\\w+ \\|.*")) {
                List<String> cells = List.of(line.substring(2, line.length() - 2).split(" \\| "));
                rows.put(cells.getFirst(), new Row(cells.getFirst(), cells.subList(1, cells.size())));
            }
        }
        return rows;
    }

    /** Replaces the line of that class, or adds one, in the order of the alphabet. */
    static void write(String name, int scenarios, int killed, int counted, int equivalent) throws IOException {
        var lines = new ArrayList<>(Files.readAllLines(FILE));
        String row = "| " + name + " | " + scenarios + " | " + killed + " | " + counted + " | " + equivalent + " |";
        int at = lines.indexOf("|---|---|---|---|---|") + 1;
        while (lines.get(at).startsWith("|") && lines.get(at).compareTo("| " + name + " |") < 0) {
            at++;
        }
        if (lines.get(at).startsWith("| " + name + " |")) {
            lines.set(at, row);
        } else {
            lines.add(at, row);
        }
        Files.writeString(FILE, String.join("\n", lines) + "\n");
    }
}
