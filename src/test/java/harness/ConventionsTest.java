package harness;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What CONTRIBUTING.md asks of a file, as far as its text shows it. */
@Tag("once")
@Timeout(600)
class ConventionsTest {

    private static final int COLUMNS = 120;
    private static final int LONG = 300;
    private static final Pattern WHY = Pattern.compile(
            "(?i)long\\s+(?:\\* )?because|more\\s+(?:\\* )?than\\s+(?:\\* )?150 lines");
    private static final String TYPE = "(?:public |final |abstract |sealed )*(?:class|interface|record|enum) ";

    private static final Map<String, String> STOPPED_TWICE = Map.of(
            "CpuBoundPool", "a job gets one interrupt from its caller");
    private static final Map<String, String> UNDER_ITS_LOCK = Map.of(
            "SharedState", "an action has the state for itself: its purpose",
            "ConditionVariable", "a condition of the guarded state",
            "KeyedLimits", "functions of its own",
            "WebSocketClient", "functions of its own",
            "Shield", "in the thread that is started there");

    @Test
    void noLineOfJavaIsLongerThan120Columns() throws IOException {
        var problems = new ArrayList<String>();
        for (String folder : List.of("examples", "scripts", "assets", "src", "bench")) {
            try (Stream<Path> files = Files.walk(Path.of(folder))) {
                for (Path file : files.filter(path -> path.toString().endsWith(".java"))
                        .filter(path -> !path.startsWith("src/test/resources")).sorted().toList()) {
                    boolean shipped = !folder.equals("src") && !folder.equals("bench");
                    number(file, line -> line.length() > COLUMNS && (shipped || !line.contains("\"")),
                            "over " + COLUMNS + " columns", problems); // elsewhere a text that is data may be longer
                }
            }
        }
        assertTrue(problems.isEmpty(), () -> String.join("\n", problems));
    }

    @Test
    void anExampleStandsAloneAndMainComesLast() throws IOException {
        var problems = new ArrayList<String>();
        for (Path file : Examples.finalApi()) {
            String text = Files.readString(file);
            String name = file.getFileName().toString().replace(".java", "");
            boolean named = Pattern.compile("(?m)^public " + TYPE + name + "\\b").matcher(text).find();
            if (!named || Pattern.compile("(?m)^" + TYPE).matcher(text).results().count() != 1) {
                problems.add(file + ": one top-level type, public, named like the file; helpers are nested");
            }
            if (Pattern.compile("(?m)^package |^import .*\\*;").matcher(text).find()) {
                problems.add(file + ": no package, no import of a whole package");
            }
            if (!file.startsWith(Examples.TRAPS)
                    && !text.replaceAll("\\s*\\n \\*\\s*", " ").contains("Final API, JDK 21")) {
                problems.add(file + ": the first paragraph ends in: Final API, JDK 21 and later.");
            }
        }
        assertTrue(problems.isEmpty(), () -> String.join("\n", problems));
    }

    /** What is copied ends where {@code main} begins. */
    @Test
    void whatIsCopiedAndLongSaysWhy() throws IOException {
        var problems = new ArrayList<String>();
        for (var part : copied().entrySet()) {
            Path file = part.getKey();
            long lines = part.getValue().lines()
                    .filter(line -> !line.isBlank() && !line.strip().startsWith("import ")).count();
            if (file.startsWith(Examples.ROOT) && lines > LONG && !WHY.matcher(part.getValue()).find()) {
                problems.add(file + ": " + lines + " lines to copy; over " + LONG
                        + " its Javadoc says: Long because ...");
            }
            if (part.getValue().contains("@start region=\"use")) {
                problems.add(file + ": its demo begins before main, and would be copied");
            }
        }
        assertTrue(problems.isEmpty(), () -> String.join("\n", problems));
    }

    /** {@code close} of an executor passes on an interrupt of its caller: the tasks would have a second one. */
    @Test
    void anExecutorIsNotClosedAfterShutdownNow() throws IOException {
        var problems = new ArrayList<String>();
        for (var part : copied().entrySet()) {
            for (var stop : Pattern.compile("(\\w+)\\.shutdownNow\\(\\)").matcher(part.getValue()).results().toList()) {
                var closed = Pattern.compile("(?<![\\w.])NAME\\.close\\(\\)|try \\([^)]*\\bNAME ="
                        .replace("NAME", stop.group(1)));
                if (closed.matcher(part.getValue()).find() && !STOPPED_TWICE.containsKey(name(part.getKey()))) {
                    problems.add(part.getKey() + ": " + stop.group()
                            + " and close(); wait for the end without passing on an interrupt, as Gather does");
                }
            }
        }
        assertTrue(problems.isEmpty(), () -> String.join("\n", problems));
    }

    /** The user's code may block, throw or call back: nobody else waits for a lock meanwhile. */
    @Test
    void theUsersCodeDoesNotRunUnderALock() throws IOException {
        var problems = new ArrayList<String>();
        for (var part : copied().entrySet()) {
            String text = part.getValue();
            var types = new StringBuilder(
                    "Runnable|Callable|Comparator|\\w*(?:Function|Consumer|Supplier|Predicate|Operator)");
            Pattern.compile("@FunctionalInterface\\s+(?:public )?(?:static )?interface (\\w+)").matcher(text).results()
                    .forEach(type -> types.append('|').append(type.group(1)));
            var functions = Pattern.compile("(?<!<)\\b(?:" + types + ")(?:<[^;(){}=]*>)? (\\w+)\\s*[;,)=]").matcher(text)
                    .results().map(field -> field.group(1)).distinct().collect(Collectors.joining("|"));
            if (functions.isEmpty() || UNDER_ITS_LOCK.containsKey(name(part.getKey()))) {
                continue;
            }
            var call = Pattern.compile("\\b(?:" + functions + ")\\.\\w+\\(");
            Pattern.compile("\\.lock(?:Interruptibly)?\\(\\);(.*?)unlock\\(\\)", Pattern.DOTALL).matcher(text).results()
                    .flatMap(section -> call.matcher(section.group(1)).results())
                    .forEach(use -> problems.add(part.getKey() + ": " + use.group() + "...) under a lock"));
        }
        assertTrue(problems.isEmpty(), () -> String.join("\n", problems));
    }

    /** By file, the text of what people copy. */
    private static Map<Path, String> copied() throws IOException {
        var parts = new TreeMap<Path, String>();
        for (Path file : Examples.copied()) {
            String text = Files.readString(file);
            boolean hasDemo = file.startsWith(Examples.ROOT);
            parts.put(file, hasDemo ? text.split("    public static void main\\(")[0] : text);
        }
        return parts;
    }

    private static String name(Path file) {
        return file.getFileName().toString().replace(".java", "");
    }

    private static void number(Path file, Predicate<String> bad, String what, List<String> problems)
            throws IOException {
        var lines = Files.readAllLines(file);
        boolean text = false; // in a text block, which is data
        for (int i = 0; i < lines.size(); i++) {
            boolean mark = lines.get(i).split("\"\"\"", -1).length % 2 == 0;
            if (bad.test(lines.get(i)) && !text && !mark) {
                problems.add(file + ":" + (i + 1) + ": " + what);
            }
            text ^= mark;
        }
    }
}
