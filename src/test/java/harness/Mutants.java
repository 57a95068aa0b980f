package harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the scenarios of {@code src/test/schedules} are worth: each example is broken in one place after another, a
 * wake-up dropped, a loop turned into an if, a guard off, a flag not set or not restored, and the scenarios of the
 * class must find it. A command of maintainers: {@code java src/test/java/harness/Mutants.java [Class...]}, on 25.
 *
 * <p>Those in {@code src/test/resources/mutants.txt} cannot be told from the class by what it promises; each says why.
 */
final class Mutants {

    private static final Pattern WAKE_UP = Pattern.compile("^\\s*LockSupport\\.unpark\\(.*\\);"
            + "|^\\s*[\\w.()]*\\.?(signalAll|signal|notifyAll|notify|release|countDown)\\(\\d*\\);");
    private static final Pattern RESTORE = Pattern.compile("^\\s*Thread\\.currentThread\\(\\)\\.interrupt\\(\\);");
    private static final Pattern FLAG = Pattern.compile("^\\s*(this\\.|\\w+\\.)?\\w+ = (true|false|null);");
    private static final Pattern LOOP = Pattern.compile("^(\\s*)while (\\((?!true).*\\) \\{.*)$");
    private static final Pattern GUARD = Pattern.compile("^(\\s*(?:\\} else )?)if \\((.*)\\) \\{(.*)$");
    private static final int RUNS = Integer.getInteger("schedules", 1_000);

    /** A line that is broken. */
    private record Mutant(Path source, int line, int nth, String was, String is) {
        /** Stays the same when lines are added above. */
        String key() {
            return source.getFileName().toString().replace(".java", "") + ": " + code(was)
                    + (nth == 1 ? "" : " (" + nth + ")")
                    + (is.isBlank() ? " dropped" : is.contains("if (false") ? " off" : " as if");
        }
    }

    private Mutants() {
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        var equivalent = new ArrayList<String>();
        Path known = Path.of("src", "test", "resources", "mutants.txt");
        if (Files.exists(known)) {
            Files.readAllLines(known).stream().filter(line -> !line.startsWith("#")).map(line -> line.split(" -- ")[0])
                    .forEach(equivalent::add);
        }
        var scenarios = new LinkedHashMap<Path, List<Path>>();
        for (Path scenario : Examples.javaFiles(ScheduleRuns.SCENARIOS)) {
            Path example = ScheduleRuns.example(scenario);
            String name = example.getFileName().toString().replace(".java", "");
            if (args.length == 0 || List.of(args).contains(name)) {
                scenarios.computeIfAbsent(example, key -> new ArrayList<>()).add(scenario);
            }
        }
        Path folder = Files.createTempDirectory("mutants");
        int killedOfAll = 0;
        int all = 0;
        for (var one : scenarios.entrySet()) {
            var lines = new LinkedHashMap<String, Mutant>();
            for (Mutant mutant : mutants(one.getKey())) {
                Path in = Files.createDirectories(folder.resolve(one.getKey().getFileName() + "-" + mutant.line + "-"
                        + lines.size()));
                Path broken = in.resolve(one.getKey().getFileName());
                var text = new ArrayList<>(Files.readAllLines(one.getKey()));
                text.set(mutant.line, mutant.is);
                Files.write(broken, text);
                for (Path scenario : one.getValue()) {
                    lines.put("--first --runs " + RUNS + " --seconds 60 " + scenario + " " + broken, mutant);
                }
            }
            var results = new LinkedHashMap<Mutant, String>();
            Map<String, String> outputs = ScheduleRuns.all(ScheduleRuns.jdk(), List.copyOf(lines.keySet()));
            outputs.forEach((line, output) -> {
                Mutant mutant = lines.get(line);
                if (mutant != null && !output.contains("it does not compile")) {
                    String verdict = output.split("\\R", 2)[0];
                    if (!results.containsKey(mutant) || !verdict.startsWith("nothing found")) {
                        results.put(mutant, verdict);
                    }
                }
            });
            int killed = 0;
            int same = 0;
            for (var result : results.entrySet()) {
                boolean survives = result.getValue().startsWith("nothing found");
                boolean told = survives && equivalent.contains(result.getKey().key());
                same += told ? 1 : 0;
                killed += survives ? 0 : 1;
                if (survives && !told) {
                    System.out.println("  " + (result.getKey().line + 1) + " " + result.getKey().key());
                }
            }
            System.out.println(one.getKey() + ": " + killed + " of " + (results.size() - same) + " killed, "
                    + same + " equivalent");
            killedOfAll += killed;
            all += results.size() - same;
        }
        System.out.println(killedOfAll + " of " + all + " killed, " + killedOfAll * 100 / Math.max(1, all) + " %");
        System.exit(killedOfAll * 10 >= all * 9 ? 0 : 1);
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
            if (guard.matches() && !next.contains("IllegalArgumentException")) {
                mutants.add(new Mutant(source, i, nth, line, guard.group(1) + "if (false && (" + guard.group(2) + ")) {"
                        + guard.group(3)));
            }
        }
        return mutants;
    }
}
