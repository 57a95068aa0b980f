package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code references/facts.tsv} and the pages are one; {@code -Dfacts=write} makes the tables of the pages anew. */
@Tag("once")
@Timeout(600)
class FactsTest {

    private static final Pattern TABLE = Pattern.compile("<!-- facts: (\\S+) \\| (.+) -->");
    private static final String END = "<!-- facts: end -->";
    private static final String JDK = "2[1-8]";
    /** Something is said of a JDK: "on 21", "25+", "21, 25", "26 on", "21: ...". */
    private static final Pattern CLAIM = Pattern.compile(
            "(?i)\\b(?:on|from|before|until|up to|jdks?|since|in|of|is|than) " + JDK
            + "\\b(?![.,]\\d|%| [a-z]*(?:ms|calls|MB|KB)\\b)|\\b" + JDK + "(?:\\+|, " + JDK + "\\b| and " + JDK
                    + "\\b| to " + JDK
            + "\\b|: | on\\b| and later)");
    private static final Pattern JDK_COLUMN = Pattern.compile("(?:JDK )?" + JDK + "(?:(?:-|, | to )" + JDK
            + ")*(?:-ea)?");
    /** A source on the line itself: read and not run, a JEP, a bug of the JDK; else {@link #isRun}. */
    private static final Pattern SOURCE = Pattern.compile("\\[read|JEP \\d{3}|JDK-\\d{7}");
    /** What says for whom a page or file is, and claims nothing of a JDK. */
    private static final List<String> NO_CLAIM = List.of("description: ", "compatibility: ", "Measured on 21",
            "Run on 21", "Everything here and there was run",
            "when you move between", "Java side was run on", "runs on JDK 21 and later", "**21 and later, preview",
                    "or later is installed", "Shortest form, JDK 21",
            "JDK 25:", "copy from the folder of that JDK", "--from 21 --to 25");

    @Test
    void aFactHasATextAndPlacesThatAreThere() throws IOException {
        var facts = Facts.read();
        var problems = new ArrayList<String>();
        var ids = new HashSet<String>();
        for (Facts.Row row : facts.rows) {
            if (!ids.add(row.id())) {
                problems.add(row.id() + ": twice");
            }
            if (row.fact().isEmpty() || row.source().isEmpty()) {
                problems.add(row.id() + ": has no fact or no source");
            }
            for (Facts.Place place : row.places()) {
                String text = place.text().startsWith("facts: ") ? "<!-- " + place.text() + " |" : place.text();
                if (!Files.exists(place.file()) || new Facts.Place(place.page(), text)
                        .line(Files.readAllLines(place.file())) == 0) {
                    problems.add(row.id() + ": " + place.file() + " has no line with: " + text);
                }
            }
        }
        long probed = facts.rows.stream().filter(Facts.Row::isProbed).count();
        assertTrue(probed >= 100, () -> "only " + probed + " facts have a probe");
        assertTrue(problems.isEmpty(), () -> String.join("\n", problems));
    }

    @Test
    void theTablesOfThePagesAreMadeFromIt() throws IOException {
        var facts = Facts.read();
        var problems = new ArrayList<String>();
        for (Path page : pages()) {
            var before = Files.readAllLines(page);
            var after = new ArrayList<String>();
            for (int i = 0; i < before.size(); i++) {
                after.add(before.get(i));
                var table = TABLE.matcher(before.get(i));
                if (table.matches()) {
                    int end = i + before.subList(i, before.size()).indexOf(END);
                    assertTrue(end > i, page + ":" + (i + 1) + ": no " + END);
                    after.addAll(facts.table(table.group(1), table.group(2)));
                    i = end - 1;
                }
            }
            if ("write".equals(System.getProperty("facts"))) {
                Files.writeString(page, String.join("\n", after) + "\n");
            } else if (!after.equals(before)) {
                problems.add(page + ": a table differs from " + Facts.FILE + "; to rewrite it: " + Facts.REWRITE);
            }
        }
        assertTrue(problems.isEmpty(), () -> String.join("\n", problems));
    }

    /**
     * A line that names a JDK is a fact's, or made from them, or says where it was read, or names the test that checks
     * it.
     */
    @Test
    void whatThePagesSayOfAJdkHasAProbeOrASource() throws IOException {
        var facts = Facts.read();
        var problems = new ArrayList<String>();
        for (Path page : pages()) {
            var lines = Files.readAllLines(page);
            Set<Integer> known = facts.rows.stream().flatMap(row -> row.places().stream())
                    .filter(place -> place.file().equals(page))
                    .map(place -> place.line(lines)).collect(Collectors.toSet());
            boolean code = false;
            boolean made = false;
            boolean tested = false;
            boolean columns = false;
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i);
                code ^= line.startsWith("```");
                made = line.matches("<!-- (facts: .* \\||(claims|bench|libraries|growth|waiters|service): start).*")
                        || made && !line.matches("<!-- \\w+: end -->");
                if (line.startsWith("#")) {
                    tested = false;
                }
                tested |= isRun(line, "src/test/java", "src/test/java/harness", "src/libraries/java");
                boolean header = i + 1 < lines.size() && lines.get(i + 1).startsWith("|---");
                if (header) {
                    columns = Stream.of(line.split("\\|")).filter(cell -> JDK_COLUMN.matcher(cell.strip()).matches())
                            .count() >= 2;
                } else if (!line.startsWith("|")) {
                    columns = false;
                }
                boolean claim = !header && !line.startsWith("|---") && (columns || CLAIM.matcher(line).find());
                if (claim && !made && !tested && !(code && page.toString().startsWith("references")
                        && !line.contains("#")) && !known.contains(i + 1)
                        && !SOURCE.matcher(line).find() && !isRun(line, "examples/traps") && NO_CLAIM.stream()
                                .noneMatch(line::contains)) {
                    problems.add(page + ":" + (i + 1) + ": add it to a fact of " + Facts.FILE
                            + " (column where), or say [read], or name the test that checks it: " + line);
                }
            }
        }
        assertTrue(problems.isEmpty(), () -> problems.size() + " lines\n" + String.join("\n", problems));
    }

    /** Whether a line names a test, or a trap, which runs on each JDK and throws if it is not so. */
    private static boolean isRun(String line, String... folders) {
        return Pattern.compile("(\\w+)`").matcher(line).results().map(name -> name.group(1) + ".java")
                .anyMatch(file -> Stream.of(folders).anyMatch(folder -> Files.exists(Path.of(folder, file))));
    }

    @Test
    void aDifferenceNamesFactPageLineValuesAndVersions() throws IOException {
        var facts = Facts.read();
        var now = Runtime.Version.parse("27.0.2+9");
        var seen = new TreeMap<String, String>();
        facts.rows.stream().filter(Facts.Row::isProbed).forEach(row ->
                seen.put(row.id(), Facts.value(row.values().get(27), now)));
        assertEquals(List.of(), facts.differences(now, seen));
        seen.put("carriers.yield", "free");
        seen.put("client.new", "4");
        var differences = facts.differences(now, seen);
        assertEquals(2, differences.size());
        assertTrue(differences.getFirst()
                .matches("carriers\\.yield, `Thread\\.yield\\(\\)`.* \\(references/jdk-versions\\.md:\\d+, "
                + "references/production-patterns\\.md:[1-9]\\d*\\): \"held\" on 27\\S+, \"free\" on 27\\.0\\.2\\+9"),
                        differences.getFirst());
        assertTrue(differences.getLast().startsWith("client.new is not in references/facts.tsv"),
                differences.getLast());
    }

    @Test
    void aValueCanChangeWithAnUpdate() throws IOException {
        String cell = "no; from 25.0.5: yes";
        assertEquals("no", Facts.value(cell, Runtime.Version.parse("25.0.4+1")));
        assertEquals("yes", Facts.value(cell, Runtime.Version.parse("25.0.5+8")));
        assertEquals("yes", Facts.value(cell, Runtime.Version.parse("25.0.10+1")));
        var facts = Facts.read();
        String before = facts.rows.getFirst().values().get(25);
        facts.enter(Runtime.Version.parse("29-ea+1"), Map.of(facts.rows.getFirst().id(), "new"));
        assertEquals("new", facts.rows.getFirst().values().get(29), "a JDK without a column gets one");
        assertEquals(before, facts.rows.getFirst().values().get(25));
    }

    private static List<Path> pages() throws IOException {
        var pages = new ArrayList<>(List.of(Path.of("SKILL.md")));
        try (Stream<Path> files = Files.list(Path.of("references"))) {
            files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
        }
        return pages;
    }
}
