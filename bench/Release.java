import static java.lang.ProcessBuilder.Redirect.DISCARD;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * This tree beside the last release, or a revision: {@code java bench/Bench.java release [REV]}. The same benchmark is
 * compiled against both; processes alternate, and only the ratio of a pair is told: it holds on any machine. What is
 * slower by a fifth in every pair is slower.
 */
final class Release {

    private static final double SLOWER = 1.2;
    private static final String LIMIT_SECONDS = "10";
    private static final List<String> PATTERNS = List.of("spawn", "bounded", "parked", "lock");

    private Release() {
    }

    public static void main(String[] args) throws Exception {
        Machine.main("release", () -> run(args));
    }

    private static int run(String[] args) throws Exception {
        var options = new LinkedHashMap<>(Map.of("--out", "target/bench", "--minutes", "6", "--jdk", "", "--jobs", ""));
        var words = new ArrayList<>(Machine.options(args, options));
        String revision = words.isEmpty() ? lastRelease() : words.removeFirst();
        Machine.none(words);
        double minutes = Machine.positive(options, "--minutes");
        Path jdk = Machine.jdk(options.get("--jdk"));
        var jobs = new LinkedHashMap<String, List<String>>();
        for (String job : Calls.jobs(options.get("--jobs"))) {
            for (String by : Calls.OURS.get(job).keySet()) {
                jobs.put(job + ", " + by, List.of("Calls", job, by, "" + Calls.JOBS.get(job).threads()[0],
                        LIMIT_SECONDS));
            }
        }
        if (options.get("--jobs").isEmpty()) {
            PATTERNS.forEach(pattern -> jobs.put(pattern, List.of("Workloads", pattern, "examples", "10000",
                    LIMIT_SECONDS)));
        }
        Path folder = Files.createTempDirectory("release");
        try {
            Path then = compile(revision, folder);
            var ratios = new LinkedHashMap<String, List<Double>>();
            jobs.keySet().forEach(job -> ratios.put(job, new ArrayList<>()));
            long begun = System.nanoTime();
            for (int round = 0; round == 0 || (System.nanoTime() - begun) / round * (round + 1) < minutes * 60e9;
                    round++) {
                for (var job : jobs.entrySet()) {
                    boolean thisFirst = round % 2 == 0;
                    double first = steady(jdk, thisFirst ? null : then, job.getValue());
                    double second = steady(jdk, thisFirst ? then : null, job.getValue());
                    if (first > 0 && second > 0) {
                        ratios.get(job.getKey()).add(thisFirst ? first / second : second / first);
                    }
                    System.err.println(job.getKey() + ": " + ratios.get(job.getKey()).stream()
                            .map(ratio -> Machine.format("%.2f", ratio)).toList());
                }
            }
            return report(revision, ratios, Path.of(options.get("--out")));
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static int report(String revision, Map<String, List<Double>> ratios, Path out) throws IOException {
        var text = new StringBuilder(Machine.format("| time, this tree / %s | median | pairs | |%n|---|---|---|---|%n",
                revision));
        int code = 0;
        for (var job : ratios.entrySet()) {
            var values = job.getValue();
            if (values.isEmpty()) {
                text.append("| ").append(job.getKey()).append(" | ").append(Machine.NOT_STEADY_TEXT).append(" | | |\n");
                code = Math.max(code, Machine.NOT_STEADY);
                continue;
            }
            boolean slower = values.size() > 1 && values.stream().allMatch(ratio -> ratio > SLOWER);
            code = slower ? Machine.SLOWER : code;
            text.append(Machine.format("| %s | %.2f | %s | %s |%n", job.getKey(), Steady.median(values),
                    String.join(" ", values.stream().sorted().map(ratio -> Machine.format("%.2f", ratio)).toList()),
                    slower ? "**slower**" : ""));
        }
        Files.createDirectories(out);
        Files.writeString(out.resolve("release.md"), text);
        System.out.println("\n" + text);
        return code;
    }

    /** Of a pair noise hits both: here what others use of the machine does not count. */
    private static double steady(Path jdk, Path classes, List<String> job) throws Exception {
        var line = new ArrayList<>(List.of(Machine.tool(jdk, "java"), "-cp",
                classes == null ? System.getProperty("java.class.path") : classes.toString()));
        line.addAll(job);
        String[] fields = Machine.output(line, Map.of()).strip().split("\t");
        return Double.parseDouble(fields[job.getFirst().equals("Calls") ? 3 : 2]);
    }

    private static String lastRelease() throws Exception {
        try {
            return Machine.output(List.of("git", "describe", "--tags", "--abbrev=0", "--match", "v*"), Map.of(), DISCARD).strip();
        } catch (IOException e) {
            throw new Machine.Refusal("git finds no release (a tag v*); name a revision: release HEAD~10");
        }
    }

    /** This benchmark with the examples of then. */
    private static Path compile(String revision, Path folder) throws Exception {
        Path tree = Files.createDirectory(folder.resolve("tree"));
        Path classes = Files.createDirectory(folder.resolve("classes"));
        Path archive = folder.resolve("tree.tar");
        try {
            Machine.output(List.of("git", "archive", "-o", "" + archive, revision, "examples",
                    "assets/service/src/main/java"), Map.of(), DISCARD);
            Machine.output(List.of("tar", "-xf", "" + archive, "-C", "" + tree), Map.of(), DISCARD);
        } catch (IOException e) {
            throw new Machine.Refusal(revision + ": git has no such revision, or its examples are not in topic folders");
        }
        Path newest = Machine.jdk("");
        try {
            Machine.output(List.of(Machine.tool(newest, "javac"), "-J-XX:TieredStopAtLevel=1",
                    "--release", "21", "-proc:none", "-nowarn", "-sourcepath", Machine.sources(tree),
                    "-d", "" + classes, "bench/Calls.java", "bench/Workloads.java", "bench/Steady.java",
                    "bench/Machine.java", "bench/HttpLoad.java"), Map.of(), DISCARD);
        } catch (IOException e) {
            throw new Machine.Refusal(revision + " lacks something that bench/Calls.java or bench/Workloads.java uses");
        }
        return classes;
    }
}
