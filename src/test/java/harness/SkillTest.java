package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * SKILL.md against the open Agent Skills format (agentskills.io/specification), and every text for agents against its
 * budget.
 */
@Tag("once")
@Timeout(600)
class SkillTest {

    private static final Set<String> PORTABLE =
            Set.of("name", "description", "license", "compatibility", "metadata", "allowed-tools");

    @Test
    void theFrontmatterIsPortable() throws IOException {
        var fields = frontmatter();
        assertTrue(PORTABLE.containsAll(fields.keySet()), () -> "only " + PORTABLE + ", not " + fields.keySet());
        assertEquals("java-async-patterns", fields.get("name"));
        String description = fields.get("description");
        assertTrue(description.length() >= 350 && description.length() <= 600, () -> description.length()
                + " characters, not 350 to 600");
        assertFalse(description.matches(".*[<>].*"), "no angle brackets in the description");
        assertFalse(description.matches(".*: .*") && !description.startsWith("\""),
                "a colon and a space end a plain YAML scalar");
        assertTrue(fields.getOrDefault("compatibility", "").length() <= 500);
    }

    @Test
    void theDescriptionNamesTasksAndSymptoms() throws IOException {
        String description = frontmatter().get("description").toLowerCase();
        for (String word : List.of("asyncio", "gather", "semaphore", "taskgroup", "aiohttp", "concurrent",
                "virtual threads", "executors",
                "structuredtaskscope", "completablefuture", "locks", "queues", "timeouts", "retries", "rate limits",
                        "circuit breakers",
                "caches", "http", "shutdown", "scheduled jobs", "hangs", "deadlocks", "does not exit",
                        "threads pile up", "periodic job",
                "thread dump")) {
            assertTrue(description.contains(word), word);
        }
    }

    @Test
    void textForAgentsKeepsItsBudget() throws IOException {
        var problems = new ArrayList<String>();
        budget(Path.of("SKILL.md"), 300, 2_800, problems);
        if (Files.isDirectory(Path.of("references"))) {
            try (Stream<Path> files = Files.list(Path.of("references"))) {
                for (Path file : files.filter(file -> file.toString().endsWith(".md")).sorted().toList()) {
                    budget(file, Integer.MAX_VALUE, 4_500, problems);
                    String text = Files.readString(file);
                    if (text.lines().count() > 100 && text.lines().filter(line -> line.matches("- \\[.+]\\(#.+\\).*"))
                            .count() < 2) {
                        problems.add(file + ": over 100 lines and without a contents list");
                    }
                }
            }
        }
        assertTrue(problems.isEmpty(), () -> String.join("\n", problems));
    }

    @Test
    void linksAreOneLevelDeepAndLineEndsAreLf() throws IOException {
        for (Path page : MarkdownTest.pages()) {
            String text = Files.readString(page);
            assertFalse(text.contains("](../"), () -> page + " links upwards");
            assertFalse(text.contains("\r"), () -> page + " has CR line ends");
        }
    }

    private static void budget(Path file, int lines, int tokens, List<String> problems) throws IOException {
        String text = Files.readString(file);
        long isLines = text.lines().count();
        int isTokens = text.length() / 4;
        if (isLines > lines || isTokens > tokens) {
            problems.add(file + ": " + isLines + " lines, about " + isTokens + " tokens; the budget is " + lines
                    + " and " + tokens);
        }
    }

    /** Top-level fields; a nested line belongs to the field above it. */
    private static Map<String, String> frontmatter() throws IOException {
        var lines = Files.readAllLines(Path.of("SKILL.md"));
        assertEquals("---", lines.getFirst());
        int end = lines.subList(1, lines.size()).indexOf("---") + 1;
        assertTrue(end > 1, "the frontmatter has no end");
        var fields = new LinkedHashMap<String, String>();
        String last = null;
        for (String line : lines.subList(1, end)) {
            if (line.startsWith(" ")) {
                fields.merge(last, line, String::concat);
            } else {
                int colon = line.indexOf(':');
                assertTrue(colon > 0, () -> "not a field: " + line);
                last = line.substring(0, colon);
                fields.put(last, line.substring(colon + 1).strip());
            }
        }
        return fields;
    }
}
