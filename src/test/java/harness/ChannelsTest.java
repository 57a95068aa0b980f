package harness;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What stands in several places is the same in each: the version, the JDKs, the commands; and what users copy is
 * whole.
 */
@Tag("once")
@Timeout(600)
class ChannelsTest {

    private static final Path SNIPPETS = Path.of("assets/scanner");
    private static final String CODEX = ".codex-plugin/plugin.json";
    private static final String VERSION = first("\n  <version>(.*?)</version>", "pom.xml");

    /** A release changes pom.xml, then what this names. */
    @Test
    void theVersionIsThePomsEverywhere() {
        assertAll(
                () -> assertEquals(VERSION, first("\n  version: (.*)\n", "SKILL.md"), "SKILL.md, metadata.version"),
                () -> assertEquals(VERSION, first("\"version\": \"(.*?)\"", ".claude-plugin/plugin.json"),
                        ".claude-plugin/plugin.json"),
                () -> assertEquals(VERSION, first("\"version\": \"(.*?)\"", CODEX), CODEX),
                () -> assertFalse(read(".claude-plugin/marketplace.json").contains("\"version\""),
                        "the plugin's own manifest says it"),
                () -> assertEquals(VERSION,
                        first("\n## \\[(\\d.*?)] - \\d{4}-\\d\\d-\\d\\d\n", "CHANGELOG.md"),
                        "CHANGELOG.md, the newest released"),
                () -> assertEquals(VERSION, first("rev: v(.*)\n", SNIPPETS + "/pre-commit-config.yaml"),
                        "pre-commit-config.yaml"));
    }

    /**
     * Codex takes the repository itself for a plugin's skill where a manifest of its own says {@code ./.}; it ignores
     * {@code ./}. The edit hook is for Claude Code's tools, and Codex would run it in vain.
     */
    @Test
    void codexFindsTheSkillInThePluginsOwnFolder() {
        assertTrue(Files.exists(Path.of("SKILL.md")) && !Files.exists(Path.of("skills")), "the skill is the root");
        assertEquals("./.", first("\"skills\": \"(.*?)\"", CODEX));
        assertEquals("{}", first("\"hooks\": (.*)\n", CODEX));
        for (String field : List.of("name", "description")) {
            String value = "\"" + field + "\": \"(.*?)\"";
            assertEquals(first(value, ".claude-plugin/plugin.json"), first(value, CODEX), field);
        }
    }

    /** To add a JDK, change the list and fix what this names. */
    @Test
    void theJdksAreThePromisedEverywhere() {
        String comma = join(", ");
        int newest = Jdk.PROMISED.getLast();
        var problems = new ArrayList<String>();
        contains("SKILL.md", "on JDK " + Jdk.PROMISED.getFirst() + " to " + newest, problems);
        contains("README.md", "\n" + and(" and ") + ", tested", problems);
        contains("README.ja.md", "\n" + join("、") + " でテストしています", problems);
        contains(".github/workflows/ci.yml", "jdk: [" + comma + "]", problems);
        contains(".ci/run", " " + join(" ") + " ", problems);
        contains("scripts/scanner/Setup.java", "NEWEST_TRIED = " + newest + ";", problems);
        contains("scripts/ExploreSchedules.java", "NEWEST_TRIED = " + newest + ";", problems);
        String release = read(".github/workflows/release.yml");
        var installed = Pattern.compile("\n {12}(\\d+)(?=\n)").matcher(release).results().map(line -> line.group(1))
                .collect(Collectors.toSet());
        if (!installed.equals(Jdk.PROMISED.stream().map(String::valueOf).collect(Collectors.toSet()))) {
            problems.add(".github/workflows/release.yml installs " + installed);
        }
        assertTrue(problems.isEmpty(), () -> "Jdk.PROMISED is " + Jdk.PROMISED + ", but:\n"
                + String.join("\n", problems));
    }

    @Test
    void theJapaneseReadmeHasTheSameCommands() {
        assertEquals(blocks("README.md"), blocks("README.ja.md"), "the code blocks");
        assertEquals(commands("README.md"), commands("README.ja.md"), "the commands in the text");
        assertEquals(matches("]\\(([^)]+)\\)", "README.md", "README.ja.md"),
                matches("]\\(([^)]+)\\)", "README.ja.md", "README.md"), "the links");
    }

    @Test
    void powershellCopiesWhatInstallShCopies() {
        String shipped = first("SHIPPED=\"(.*?)\"", "scripts/install.sh");
        String line = blocks("README.md").stream().filter(block -> block.startsWith("powershell")).findFirst()
                .orElse("");
        var copied = Pattern.compile("\"([\\w.]+)\"(?=[, ]| \\|)")
                .matcher(line.substring(line.indexOf("\"SKILL.md\""))).results().map(name -> name.group(1))
                .collect(Collectors.toSet());
        if (line.contains("Copy-Item src\\test\\java\\*.java")) { // Copy-Item keeps no path
            copied.add("src/test/java/*.java");
        }
        assertEquals(Set.of(shipped.split(" ")), copied);
        assertTrue(line.contains("Copy-Item -Recurse"), line);
    }

    @Test
    void whatUsersCopyNamesFilesThatAreThere() throws Exception {
        String skill = ".claude/skills/java-async-patterns/";
        try (Stream<Path> files = Files.list(SNIPPETS)) {
            for (Path file : files.toList()) {
                for (String name : matches(Pattern.quote(skill) + "([\\w./-]+\\.java)", file.toString(), "")) {
                    assertTrue(Files.exists(Path.of(name)), () -> file + ": " + name);
                }
            }
        }
        DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(SNIPPETS.resolve("maven.xml").toFile());
        assertEquals(first("id: (.*)\n", ".pre-commit-hooks.yaml"),
                first("id: (.*)\n", SNIPPETS + "/pre-commit-config.yaml"));
        Path entry = Path.of(first("entry: (\\S+)", ".pre-commit-hooks.yaml"));
        assertTrue(Files.exists(entry), entry.toString());
        assertTrue(System.getProperty("os.name").startsWith("Windows") || Files.isExecutable(entry),
                "pre-commit runs it directly: " + entry);
    }

    @Test
    void workflowsUseNamedVersionsAndNoMoreRightsThanTheyNeed() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(".github/workflows"))) {
            for (Path file : files.toList()) {
                String text = read(file.toString());
                assertTrue(text.contains("\npermissions:\n  contents: read\n"), () -> file
                        + ": the default is reading");
                for (String action : matches("uses: (.*)", file.toString(), "")) {
                    assertTrue(action.matches("(actions|oracle-actions)/[\\w-]+@[0-9a-f]{40} # v[\\d.]+"), () -> file
                            + ": " + action);
                }
            }
        }
    }

    /** A JDK before 18 reads a source file in the system's code page, and a console may be in any. */
    @Test
    void whatStartsTheScannerAndWhatItSaysIsAscii() throws IOException {
        var files = new ArrayList<>(List.of(Path.of("scripts/FindBlockingCalls.java"),
                Path.of("scripts/ScanAfterEdit.java")));
        try (Stream<Path> scanner = Files.walk(Path.of("scripts/scanner"))) {
            scanner.filter(Files::isRegularFile).forEach(files::add);
        }
        for (Path file : files) {
            String text = Files.readString(file);
            assertTrue(StandardCharsets.US_ASCII.newEncoder().canEncode(text), () -> file + ": "
                    + text.replaceAll("\\p{ASCII}", ""));
        }
    }

    /** A shell script with CR does not start, and install.sh compares checksums. */
    @Test
    void filesAreCheckedOutWithLfOnEverySystem() throws IOException {
        assertTrue(read(".gitattributes").startsWith("* text=auto eol=lf\n"));
        for (String folder : List.of("scripts", "assets", "examples", "references")) {
            try (Stream<Path> files = Files.walk(Path.of(folder))) {
                for (Path file : files.filter(Files::isRegularFile).filter(file -> !file.toString().endsWith(".class"))
                        .toList()) {
                    assertFalse(Files.readString(file).contains("\r"), () -> file + " has CR");
                }
            }
        }
    }

    private static void contains(String file, String text, List<String> problems) {
        if (!read(file).contains(text)) {
            problems.add(file + " does not say: " + text.strip());
        }
    }

    private static String join(String separator) {
        return Jdk.PROMISED.stream().map(String::valueOf).collect(Collectors.joining(separator));
    }

    private static String and(String last) {
        int end = Jdk.PROMISED.size() - 1;
        return Jdk.PROMISED.subList(0, end).stream().map(String::valueOf).collect(Collectors.joining(", ")) + last
                + Jdk.PROMISED.get(end);
    }

    /** The fenced blocks, in their order, each with its language. */
    private static List<String> blocks(String file) {
        return Pattern.compile("(?ms)^```(.*?)^```$").matcher(read(file)).results().map(block -> block.group(1))
                .toList();
    }

    /** What stands in backticks and starts with a program or an option. */
    private static Set<String> commands(String file) {
        String text = Pattern.compile("(?ms)^```.*?^```$").matcher(read(file)).replaceAll("");
        return Pattern.compile("`((?:bash|claude|codex|npx|mvn|java|git|gradle|gemini|--)[ \\w-][^`]*)`").matcher(text)
                .results().map(command -> command.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> matches(String pattern, String file, String except) {
        return Pattern.compile(pattern).matcher(read(file)).results().map(match -> match.group(1))
                .filter(match -> !match.equals(except))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String first(String pattern, String file) {
        Matcher matcher = Pattern.compile(pattern).matcher(read(file));
        return matcher.find() ? matcher.group(1) : "(not found in " + file + ")";
    }

    private static String read(String file) {
        try {
            return Files.readString(Path.of(file));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
