package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A package of the scanner uses only those below it. */
@Tag("once")
@Timeout(600)
class PackagesTest {

    private static final Path SOURCES = Path.of("scripts", "scanner");
    private static final Pattern USE = Pattern.compile("\\bscanner\\.([a-z]+)\\.[A-Z]");

    /** From the top down; CONTRIBUTING.md says what each is for. */
    private static final List<String> ORDER = List.of("", "report", "checks", "blocking", "types", "source", "findings",
            "project");

    @Test
    void referencesPointDown() throws IOException {
        var upwards = new ArrayList<String>();
        var packages = new TreeSet<String>();
        try (Stream<Path> files = Files.walk(SOURCES)) {
            for (Path file : files.filter(each -> each.toString().endsWith(".java")).sorted().toList()) {
                String from = SOURCES.relativize(file.getParent()).toString();
                packages.add(from);
                USE.matcher(Files.readString(file)).results().map(use -> use.group(1)).distinct()
                        .filter(to -> ORDER.indexOf(to) < ORDER.indexOf(from))
                        .forEach(to -> upwards.add(file + " uses scanner." + to));
            }
        }
        assertEquals(List.of(), upwards);
        assertEquals(new TreeSet<>(ORDER), packages, "a new package has its place in the order");
    }
}
