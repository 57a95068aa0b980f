package harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the scenarios of {@code src/test/schedules} are worth: each class is broken in one place after another, a
 * wake-up dropped, a loop turned into an if, a guard off, a flag not set or not restored, and the scenarios of the
 * class must find it. A command of maintainers: {@code java src/test/java/harness/Mutants.java [Class...]}, on 25 or
 * later. It writes what it measured into the table of the schedules' README.
 *
 * <p>Not counted: a guard that throws IllegalArgumentException or NullPointerException, for an argument is refused in
 * each order of the threads, and unit tests say so; and what {@code src/test/resources/mutants.txt} says cannot be told
 * from the class by what it promises, with the reason.
 */
final class Mutants {

    private static final Pattern WAKE_UP = Pattern.compile("^\\s*LockSupport\\.unpark\\(.*\\);"
            + "|^\\s*[\\w.()]*\\.?(signalAll|signal|notifyAll|notify|release|countDown)\\(\\d*\\);");
    private static final Pattern RESTORE = Pattern.compile("^\\s*Thread\\.currentThread\\(\\)\\.interrupt\\(\\);");
    private static final Pattern FLAG = Pattern.compile("^\\s*(this\\.|\\w+\\.)?\\w+ = (true|false|null);");
    private static final Pattern LOOP = Pattern.compile("^(\\s*)while (\\((?!true).*\\) \\{.*)$");
    private static final Pattern GUARD = Pattern.compile("^(\\s*(?:\\} else )?)if \\((.*)\\) \\{(.*)$");
    private static final Pattern ARGUMENT = Pattern.compile("throw new (IllegalArgument|NullPointer)Exception\\(");
    private static final String NOTHING = "nothing found";
    private static final Path EQUIVALENT = Path.of("src", "test", "resources", "mutants.txt");
    private static final int RUNS = Integer.getInteger("schedules", 1_000);

    /** A line that is broken. */
    private record Mutant(Path source, int line, int nth, String was, String is) {
        /** Stays the same when lines are added above. */
        String key() {
            return ScheduleTable.name(source) + ": " + code(was)
                    + (nth == 1 ? "" : " (" + nth + ")")
                    + (is.isBlank() ? " dropped" : is.contains("if (false") ? " off" : " as if");
        }
    }

    private Mutants() {
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        Map<String, String> equivalent = equivalent();
        var scenarios = new LinkedHashMap<Path, List<Path>>();
        for (Path scenario : ScheduleRuns.scenarios()) {
            Path source = ScheduleRuns.example(scenario);
            if (args.length == 0 || List.of(args).contains(name(source))) {
                scenarios.computeIfAbsent(source, key -> new ArrayList<>()).add(scenario);
            }
        }
        var known = scenarios.keySet().stream().map(Mutants::name).toList();
        for (String wanted : args) {
            if (!known.contains(wanted)) {
                System.err.println(wanted + ": no class with scenarios in src/test/schedules has this name, simple and"
                        + " without .java");
                System.exit(2);
            }
        }
        int killedOfAll = 0;
        int all = 0;
        for (var one : scenarios.entrySet()) {
            Map<Mutant, String> verdicts = verdicts(one.getKey(), one.getValue());
            int killed = 0;
            int same = 0;
            for (var result : verdicts.entrySet()) {
                boolean survives = result.getValue().startsWith(NOTHING);
                boolean told = equivalent.containsKey(result.getKey().key());
                killed += survives ? 0 : 1;
                same += survives && told ? 1 : 0;
                if (survives != told) {
                    System.out.println("  " + (result.getKey().line + 1) + " " + result.getKey().key()
                            + (told ? ": not equivalent, " + result.getValue() : ""));
                }
            }
            int counted = verdicts.size() - same;
            System.out.println(name(one.getKey()) + ": " + killed + " of " + counted + " killed, " + same
                    + " equivalent");
            ScheduleTable.write(ScheduleTable.name(one.getKey()), one.getValue().size(), killed, counted, same);
            killedOfAll += killed;
            all += counted;
        }
        System.out.println(killedOfAll + " of " + all + " killed, " + killedOfAll * 100 / Math.max(1, all) + " %");
        System.exit(killedOfAll * 10 >= all * 9 ? 0 : 1);
    }

    /** Those that compile, each with the first line that any of the scenarios has for it. */
    private static Map<Mutant, String> verdicts(Path source, List<Path> scenarios)
            throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("mutants");
        var verdicts = new LinkedHashMap<Mutant, String>();
        List<Mutant> left = mutants(source);
        for (Path scenario : scenarios) {
            var lines = new LinkedHashMap<String, Mutant>();
            for (Mutant mutant : left) {
                lines.put("--first --runs " + RUNS + " --seconds 60 " + scenario + " " + broken(mutant, folder),
                        mutant);
            }
            ScheduleRuns.all(ScheduleRuns.jdk(), List.copyOf(lines.keySet())).forEach((line, output) -> {
                if (!output.contains("it does not compile")) {
                    verdicts.put(lines.get(line), output.split("\\R", 2)[0]);
                }
            });
            left = left.stream().filter(mutant -> verdicts.getOrDefault(mutant, "").startsWith(NOTHING)).toList();
        }
        return verdicts;
    }

    /** In a folder of its own, and where its package wants to be. */
    private static Path broken(Mutant mutant, Path folder) throws IOException {
        Path file = mutant.source.getFileName();
        var text = new ArrayList<>(Files.readAllLines(mutant.source));
        text.set(mutant.line, mutant.is);
        Path in = folder.resolve(mutant.line + (mutant.is.isBlank() ? "-" : "+"));
        if (text.contains("package service;")) {
            in = in.resolve("service");
            Files.createDirectories(in);
            for (Path other : Examples.javaFiles(mutant.source.getParent())) { // found beside it
                Files.copy(other, in.resolve(other.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        return Files.write(Files.createDirectories(in).resolve(file), text);
    }

    /** Key and reason of what no scenario can tell from the class. */
    static Map<String, String> equivalent() throws IOException {
        var equivalent = new LinkedHashMap<String, String>();
        for (String line : Files.readAllLines(EQUIVALENT)) {
            if (!line.startsWith("#")) {
                String[] parts = line.split(" -- ", 2);
                equivalent.put(parts[0], parts[1]);
            }
        }
        return equivalent;
    }

    /** The keys of all mutants of a class, also of those that do not compile. */
    static List<String> keys(Path source) throws IOException {
        return mutants(source).stream().map(Mutant::key).toList();
    }

    private static String name(Path source) {
        return source.getFileName().toString().replace(".java", "");
    }

    private static String code(String line) {
        return line.replaceAll("//.*", "").strip();
    }

    private static List<Mutant> mutants(Path source) throws IOException {
        var mutants = new ArrayList<Mutant>();
        List<String> lines = Files.readAllLines(source);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.contains("public static void main")) {
                break;
            }
            int nth = (int) lines.subList(0, i + 1).stream().filter(other -> code(other).equals(code(line))).count();
            if (WAKE_UP.matcher(line).find() || RESTORE.matcher(line).find() || FLAG.matcher(line).find()) {
                mutants.add(new Mutant(source, i, nth, line, ""));
            }
            Matcher loop = LOOP.matcher(line);
            if (loop.matches()) {
                mutants.add(new Mutant(source, i, nth, line, loop.group(1) + "if " + loop.group(2)));
            }
            Matcher guard = GUARD.matcher(line);
            String next = i + 1 < lines.size() ? lines.get(i + 1) : "";
            if (guard.matches() && !ARGUMENT.matcher(next).find()) {
                mutants.add(new Mutant(source, i, nth, line, guard.group(1) + "if (false && (" + guard.group(2) + ")) {"
                        + guard.group(3)));
            }
        }
        return mutants;
    }
}
