package scanner.findings;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The data files beside the code: {@code #} begins a comment, blank lines are skipped, two leading blanks go on with
 * the line before.
 */
public final class DataFile {

    /** @param number from 1, of its first line in {@code file} */
    public record Line(String file, int number, String text) {
    }

    private DataFile() {
    }

    /**
     * Of a built-in file, such as {@code types/library.txt}: from {@code -Dscanner.home}, else the working directory's
     * {@code scripts/scanner}, else the class path.
     */
    public static List<Line> lines(String name) {
        try {
            String home = System.getProperty("scanner.home");
            Path file = home == null ? Path.of("scripts", "scanner", name) : Path.of(home, name);
            if (Files.isReadable(file)) {
                return lines(file.toString(), Files.readString(file));
            }
            try (InputStream in = DataFile.class.getResourceAsStream("/scanner/" + name)) {
                if (in == null) {
                    throw new IOException("the scanner's data file " + file.toAbsolutePath()
                            + " is missing; the skill is incomplete: install it again");
                }
                return lines(name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static List<Line> lines(Path file) throws IOException {
        return lines(file.toString(), Files.readString(file));
    }

    public static List<Line> lines(String file, String content) {
        var lines = new ArrayList<Line>();
        int number = 0;
        for (String raw : content.split("\n", -1)) {
            number++;
            int comment = raw.startsWith("#") ? 0 : raw.indexOf(" # ");
            String text = (comment < 0 ? raw : raw.substring(0, comment)).stripTrailing();
            if (text.isBlank()) {
                continue;
            }
            if (text.startsWith("  ") && !lines.isEmpty()) {
                Line last = lines.removeLast();
                lines.add(new Line(file, last.number, last.text + " " + text.strip()));
            } else {
                lines.add(new Line(file, number, text.strip()));
            }
        }
        return lines;
    }
}
