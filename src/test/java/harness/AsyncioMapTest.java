package harness;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code references/asyncio-to-java.md} answers every public name of asyncio, each row with a file that exists. */
@Tag("once")
class AsyncioMapTest {

    private static final Path PAGE = Path.of("references/asyncio-to-java.md");
    private static final Path NAMES = Path.of("src/test/resources/asyncio-names.txt");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    private static final Pattern WORD = Pattern.compile("\\w+");

    @Test
    void answersEveryName() throws IOException {
        var answered = new HashSet<String>();
        for (String line : Files.readAllLines(PAGE)) {
            // of a row only the first cell: a word on the Java side is no answer to an asyncio name
            String asked = line.startsWith("|") ? line.split("(?<!\\\\)\\|")[1] : line;
            CODE.matcher(asked).results().map(match -> match.group(1))
                    .forEach(code -> WORD.matcher(code).results().map(MatchResult::group).forEach(answered::add));
        }
        var missing = Files.readAllLines(NAMES).stream()
                .filter(name -> !name.startsWith("#") && !answered.contains(name)).toList();
        assertTrue(missing.isEmpty(), () -> PAGE + " has no answer for " + missing);
    }

    @Test
    void everyRowNamesAFileThatExists() throws IOException {
        var problems = new ArrayList<String>();
        List<String> lines = Files.readAllLines(PAGE);
        int rows = 0;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (!line.startsWith("| ") || line.startsWith("| asyncio |")) {
                continue;
            }
            rows++;
            String[] cells = line.strip().split("\\|");
            if (cells.length != 5 || cells[1].isBlank() || cells[2].isBlank() || cells[4].isBlank()) {
                problems.add(PAGE + ":" + (i + 1) + ": a row is: asyncio, Java, what bites (may be empty), file");
                continue;
            }
            var files = CODE.matcher(cells[4]).results().map(match -> match.group(1)).toList();
            if (files.isEmpty() && !cells[4].strip().equals("JDK")) {
                problems.add(PAGE + ":" + (i + 1) + ": name a file, or JDK");
            }
            for (String file : files) {
                if (Examples.named(file).isEmpty()) {
                    problems.add(PAGE + ":" + (i + 1) + ": no example " + file);
                }
            }
        }
        assertTrue(problems.isEmpty(), () -> String.join("\n", problems));
        assertTrue(rows > 40, "only " + rows + " rows were read");
    }
}
