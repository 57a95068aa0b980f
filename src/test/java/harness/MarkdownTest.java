package harness;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Every Java block of the markdown equals the region of the compiled file that its marker names. {@code
 * -Dsnippets=write} rewrites the blocks instead of comparing them.
 */
@Tag("once")
@Timeout(600)
class MarkdownTest {

    private static final Set<String> REASONS =
            Set.of("pseudo-code", "does not compile on purpose", "third-party API", "shell output");
    private static final Pattern MARKER = Pattern.compile("<!-- snippet: ([^#\\s]+)#(\\S+) -->");
    private static final Pattern NOT_COMPILED = Pattern.compile("<!-- not compiled: (.+) -->");
    private static final Pattern LINK = Pattern.compile("\\[[^\\]]*]\\(([^)#\\s]+)(#[^)\\s]*)?\\)");
    private static final Pattern FILE = Pattern.compile("`((?:examples|scripts|assets|references)/[\\w./-]+\\.\\w+)`");
    private static final String REWRITE = "mvn -q test -Dtest=MarkdownTest -Dsnippets=write";

    @Test
    void javaBlocksAreRegionsOfCompiledFiles() throws IOException {
        boolean write = "write".equals(System.getProperty("snippets"));
        var problems = new ArrayList<String>();
        for (Path page : pages()) {
            var before = Files.readAllLines(page);
            var after = withSnippets(page, before, problems);
            if (write && !after.equals(before)) {
                Files.writeString(page, String.join("\n", after) + "\n");
            } else {
                firstDifference(before, after).ifPresent(line ->
                        problems.add(page + ":" + line + ": the block differs from its region; to rewrite it: "
                                + REWRITE));
            }
        }
        assertTrue(problems.isEmpty(), () -> String.join("\n", problems));
    }

    @Test
    void namesOnlyFilesThatExist() throws IOException {
        var problems = new ArrayList<String>();
        for (Path page : pages()) {
            int number = 0;
            for (String line : Files.readAllLines(page)) {
                number++;
                for (Pattern pattern : List.of(LINK, FILE)) {
                    for (Matcher matcher = pattern.matcher(line); matcher.find(); ) {
                        String target = matcher.group(1);
                        boolean relative = pattern == LINK && page.getParent() != null;
                        if (!target.contains("://") && !target.contains("NN")
                                && !Files.exists(relative ? page.resolveSibling(target) : Path.of(target))) {
                            problems.add(page + ":" + number + ": " + target + " does not exist");
                        }
                    }
                }
            }
        }
        assertTrue(problems.isEmpty(), () -> String.join("\n", problems));
    }

    @Test
    void theIndexNamesEveryExample() throws IOException {
        String index = Files.readString(Path.of("examples/README.md"));
        var missing = new ArrayList<String>();
        for (Path file : Examples.finalApi()) {
            String name = Examples.ROOT.relativize(file).toString().replace('\\', '/');
            if (!index.contains("(" + name + ")")) {
                missing.add(name);
            }
        }
        assertTrue(missing.isEmpty(), () -> "not in examples/README.md: " + missing);
    }

    static List<Path> pages() throws IOException {
        var pages = new ArrayList<Path>();
        for (Path root : List.of(Path.of(""), Path.of("references"), Path.of("examples"))) {
            if (Files.isDirectory(root.toAbsolutePath())) {
                try (Stream<Path> files = Files.list(root)) {
                    pages.addAll(files.filter(file -> file.toString().endsWith(".md")).sorted().toList());
                }
            }
        }
        return pages;
    }

    private static List<String> withSnippets(Path page, List<String> lines, List<String> problems) {
        var result = new ArrayList<String>();
        for (int i = 0; i < lines.size(); i++) {
            result.add(lines.get(i));
            if (!lines.get(i).strip().equals("```java")) {
                continue;
            }
            String above = i == 0 ? "" : lines.get(i - 1).strip();
            int end = i + 1;
            while (end < lines.size() && !lines.get(end).strip().equals("```")) {
                end++;
            }
            var block = lines.subList(i + 1, end);
            var marker = MARKER.matcher(above);
            var reason = NOT_COMPILED.matcher(above);
            if (marker.matches()) {
                var region = region(Path.of(marker.group(1)), marker.group(2));
                if (region.isEmpty()) {
                    problems.add(page + ":" + i + ": there is no region " + marker.group(2) + " in " + marker.group(1));
                }
                result.addAll(region.orElse(block));
            } else {
                if (!reason.matches() || !REASONS.contains(reason.group(1))) {
                    problems.add(page + ":" + (i + 1)
                            + ": a Java block needs <!-- snippet: FILE#REGION --> above it, or "
                            + "<!-- not compiled: REASON --> with a reason of " + REASONS);
                }
                result.addAll(block);
            }
            i = end - 1;
        }
        return result;
    }

    /** The lines of a region, without its markers and those of others, dedented. */
    private static Optional<List<String>> region(Path file, String name) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        var lines = new ArrayList<String>();
        boolean inside = false;
        boolean found = false;
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.contains("@start region=\"" + name + "\"")) {
                    inside = true;
                    found = true;
                } else if (line.contains("@end region=\"" + name + "\"")) {
                    inside = false;
                } else if (inside && !line.contains("@start region=") && !line.contains("@end region=")) {
                    lines.add(line.stripTrailing());
                }
            }
        } catch (IOException e) {
            return Optional.empty();
        }
        return found && !inside ? Optional.of(List.of(String.join("\n", lines).stripIndent().split("\n", -1)))
                : Optional.empty();
    }

    private static Optional<Integer> firstDifference(List<String> a, List<String> b) {
        for (int i = 0; i < Math.max(a.size(), b.size()); i++) {
            if (i >= a.size() || i >= b.size() || !a.get(i).equals(b.get(i))) {
                return Optional.of(i + 1);
            }
        }
        return Optional.empty();
    }
}
