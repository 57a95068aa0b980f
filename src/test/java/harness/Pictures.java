package harness;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Draws the README's pictures from what the commands print: a terminal as SVG.
 *
 * <p>Run, after something in them has changed: {@code java src/test/java/harness/Pictures.java}
 */
final class Pictures {

    static final Path FOLDER = Path.of(".github/pictures");
    private static final String SCAN = "java scripts/FindBlockingCalls.java --release 21 ";
    private static final Map<String, List<String>> COMMANDS = Map.of(
            "example.svg", List.of("java examples/tasks/TaskGroup.java"),
            "scan.svg", List.of(SCAN + "examples/traps/PinnedMonitor.java", SCAN + "--explain blocking-under-monitor"));
    private static final int COLUMNS = 104;
    private static final double ADVANCE = 7.83; // of a monospaced font of 13 pixels
    private static final int LEADING = 19;
    private static final int TOP = 56;
    private static final int LEFT = 18;

    private Pictures() {
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        for (var picture : all().entrySet()) {
            Files.writeString(Files.createDirectories(FOLDER).resolve(picture.getKey()), picture.getValue());
        }
    }

    /** The content of each file, from running its commands now. */
    static Map<String, String> all() throws IOException, InterruptedException {
        var pictures = new TreeMap<String, String>();
        for (var picture : COMMANDS.entrySet()) {
            var lines = new ArrayList<String>();
            for (String command : picture.getValue()) {
                lines.add("$ " + command);
                lines.addAll(output(command).stream()
                        .map(line -> line.replaceAll("Took [\\d.]+ s", "Took 0.1 s")).toList()); // on an idle machine
                lines.add("");
            }
            lines.removeLast();
            pictures.put(picture.getKey(), svg(lines));
        }
        return pictures;
    }

    private static List<String> output(String command) throws IOException, InterruptedException {
        var words = new ArrayList<>(List.of(command.split(" ")));
        words.set(0, Path.of(System.getProperty("java.home"), "bin", words.getFirst()).toString());
        var builder = new ProcessBuilder(words).redirectErrorStream(true);
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
        Process process = builder.start();
        process.getOutputStream().close();
        var lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        if (process.waitFor() > 1) {
            throw new IOException(command + ": " + lines);
        }
        return lines;
    }

    private static String svg(List<String> lines) {
        var rows = new StringBuilder();
        int y = TOP;
        for (String line : lines) {
            String style = line.startsWith("$ ") ? " class=\"p\"" : "";
            for (String row : wrapped(line)) {
                if (!row.isBlank()) {
                    rows.append("<text x=\"%d\" y=\"%d\"%s>%s</text>\n".formatted(LEFT, y, style, coloured(row)));
                }
                y += LEADING;
            }
        }
        int width = (int) (2 * LEFT + COLUMNS * ADVANCE);
        int height = y + 2;
        return """
                <svg xmlns="http://www.w3.org/2000/svg" width="%1$d" height="%2$d" viewBox="0 0 %1$d %2$d">
                <style>
                text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d8dee9; white-space: pre }
                .p { fill: #a3be8c; font-weight: bold }
                .w { fill: #ebcb8b }
                .e { fill: #bf616a }
                .r { fill: #88c0d0 }
                </style>
                <rect width="%1$d" height="%2$d" rx="8" fill="#1f2430"/>
                <circle cx="20" cy="20" r="6" fill="#bf616a"/><circle cx="40" cy="20" r="6" fill="#ebcb8b"/><circle cx="60" cy="20" r="6" fill="#a3be8c"/>
                %3$s</svg>
                """.formatted(width, height, rows);
    }

    private static List<String> wrapped(String line) {
        var rows = new ArrayList<String>();
        while (line.length() > COLUMNS) {
            int end = line.lastIndexOf(' ', COLUMNS) + 1;
            end = end == 0 ? COLUMNS : end;
            rows.add(line.substring(0, end));
            line = "    " + line.substring(end);
        }
        rows.add(line);
        return rows;
    }

    private static String coloured(String row) {
        return row.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                .replaceAll("\\b(warning|Fix:)", "<tspan class=\"w\">$1</tspan>")
                .replaceAll("\\b(error|Why:)", "<tspan class=\"e\">$1</tspan>")
                .replaceAll("(\\[[a-z-]+])", "<tspan class=\"r\">$1</tspan>");
    }
}
