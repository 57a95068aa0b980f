import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The examples, naive Java, asyncio and asyncio on uvloop side by side, in one run: {@code java bench/Compare.java}
 * (any Java of 17 or later; the JDKs that are measured are looked for). {@code --help} lists the options. Each
 * measurement is a process of its own ({@code Workloads.java}, {@code workloads.py}) with its warm-up inside; the
 * runtimes take turns. A full run writes {@code bench/results/results.tsv}, {@code .md} and {@code .svg}, and the
 * short table between the markers {@code bench: start} and {@code bench: end} of README.md and
 * references/performance.md.
 */
public final class Compare {

    private static final String HELP = """
            Usage: java bench/Compare.java [options], in the repository's folder. Without options: the full run, about 9 minutes.
              --quick            one size, one JDK, one repetition, under a minute; writes to target/bench
              --jdks 21,25,27    which JDKs
              --patterns a,b     of spawn gather parked bounded queue lock timeout http-client http-server
              --sizes 1000,10000 numbers of tasks; the largest of up to 100000 is the one that is repeated and compared
              --repetitions 3    of that size; median and range are reported
              --python FILE      with aiohttp and uvloop, for what is to be compared with them (default: /usr/bin/python3, else python3)
              --out DIR          where to write; then README.md and references/performance.md are left alone
              --render           measures nothing: writes table, picture and short table anew from results.tsv
            Exit code: 0, 1 a measurement failed, 2 cannot run (reason on stderr).""";

    /** One process. @param runtime such as asyncio, 21, or 21-naive */
    private record Sample(String pattern, int n, String runtime, long wallNanos, long cpuNanos, long peakKilobytes) {
    }

    private record Cell(String pattern, int n, String runtime) {
    }

    private static final class Refusal extends Exception {
        private static final long serialVersionUID = 1;

        Refusal(String message) {
            super(message);
        }
    }

    private static final Map<String, String> PATTERNS = new LinkedHashMap<>();

    static {
        PATTERNS.put("spawn", "start tasks that do nothing, await all (`TaskGroup`)");
        PATTERNS.put("gather", "tasks that sleep 10 ms (`Gather`)");
        PATTERNS.put("parked", "tasks that all wait for one `Event` (`Gather`)");
        PATTERNS.put("bounded", "tasks that sleep 1 ms, 1,000 at once (`BoundedGather`)");
        PATTERNS.put("queue", "items, 1 producer, 4 consumers, room for 100 (`WorkQueue`)");
        PATTERNS.put("lock", "updates under one lock by 100 tasks (`SharedState`)");
        PATTERNS.put("timeout", "calls with a timeout, by 100 tasks (`Timeout`)");
        PATTERNS.put("http-client", "GETs, 50 connections (`HttpClient`, aiohttp)");
        PATTERNS.put("http-server", "GETs, 50 connections (`HttpServer`, aiohttp)");
    }

    private static final List<String> PYTHON = List.of("asyncio", "uvloop");
    private static final int HEADLINE = 100_000;
    private static final int HEADLINE_HTTP = 10_000;
    private static final List<Integer> SIZES = List.of(1_000, 10_000, 100_000, 1_000_000);
    private static final Path RESULTS = Path.of("bench/results");

    private List<Integer> jdks = List.of(21, 25, 27);
    private List<String> patterns = List.copyOf(PATTERNS.keySet());
    private List<Integer> sizes = SIZES;
    private int repetitions = 3;
    private String python = Files.isExecutable(Path.of("/usr/bin/python3")) ? "/usr/bin/python3" : "python3";
    private Path out = RESULTS;
    private boolean render;

    private final Map<Integer, Path> homes = new TreeMap<>();
    private final Map<String, String> about = new LinkedHashMap<>();
    private final List<String> skipped = new ArrayList<>();

    private Compare() {
    }

    public static void main(String[] args) throws Exception {
        var compare = new Compare();
        try {
            if (List.of(args).contains("--help")) {
                System.out.println(HELP);
                return;
            }
            compare.parse(List.of(args));
            if (!Files.exists(Path.of("bench/Compare.java"))) {
                throw new Refusal("run it in the repository's folder: bench/Compare.java is not here");
            }
            compare.run();
        } catch (Refusal e) {
            System.err.println("Compare: " + e.getMessage());
            System.exit(2);
        } catch (IOException e) {
            System.err.println("Compare: " + e);
            System.exit(1);
        }
    }

    private void parse(List<String> args) throws Refusal {
        for (int i = 0; i < args.size(); i++) {
            String option = args.get(i);
            if (option.equals("--quick")) {
                jdks = List.of(25);
                sizes = List.of(10_000);
                repetitions = 1;
                out = Path.of("target/bench");
                continue;
            } else if (option.equals("--render")) {
                render = true;
                continue;
            }
            if (i + 1 == args.size()) {
                throw new Refusal(option + " is no option, or has no value; --help lists them");
            }
            String value = args.get(++i);
            try {
                switch (option) {
                    case "--jdks" -> jdks = Stream.of(value.split(",")).map(Integer::valueOf).toList();
                    case "--sizes" -> sizes = Stream.of(value.split(",")).map(Integer::valueOf).sorted().toList();
                    case "--patterns" -> patterns = List.of(value.split(","));
                    case "--repetitions" -> repetitions = Integer.parseInt(value);
                    case "--python" -> python = value;
                    case "--out" -> out = Path.of(value);
                    default -> throw new Refusal(option + " is no option; --help lists them");
                }
            } catch (NumberFormatException e) {
                throw new Refusal(option + " " + value + ": not a number");
            }
        }
        for (String pattern : patterns) {
            if (!PATTERNS.containsKey(pattern)) {
                throw new Refusal("--patterns " + pattern + ": only " + String.join(", ", PATTERNS.keySet()));
            }
        }
    }

    private void run() throws Exception {
        if (!render) {
            measure();
        }
        var samples = read(out.resolve("results.tsv"));
        Files.writeString(out.resolve("results.md"), table(samples));
        Files.writeString(out.resolve("results.svg"), picture(samples));
        System.out.println("\n" + shortTable(samples) + "\nWritten: " + out.resolve("results.md") + ", .svg, .tsv");
        if (out.equals(RESULTS)) {
            for (Path page : List.of(Path.of("README.md"), Path.of("references/performance.md"))) {
                publish(page, shortTable(samples));
            }
        }
        skipped.forEach(line -> System.out.println("SKIPPED " + line));
    }

    // measuring

    private void measure() throws Exception {
        long begun = System.nanoTime();
        for (int jdk : jdks) {
            findJdk(jdk);
        }
        if (homes.isEmpty()) {
            throw new Refusal("found none of the JDKs " + jdks + "; looked at JAVA_HOME_NN_*, ~/.cache/jdks, ~/.sdkman, ~/.jdks, /usr/lib/jvm");
        }
        var runtimes = new ArrayList<String>();
        findPython(runtimes);
        homes.keySet().forEach(jdk -> runtimes.add("" + jdk));
        homes.keySet().forEach(jdk -> runtimes.add(jdk + "-naive"));
        describe();

        Path classes = Files.createTempDirectory("bench");
        try {
            Path oldest = homes.values().iterator().next();
            output(List.of(oldest.resolve("bin/javac").toString(), "--release", "21", "-proc:none", "-sourcepath", "examples", "-d", classes.toString(),
                    "bench/Workloads.java", "bench/HttpLoad.java"), Map.of());
            Path newestLts = homes.getOrDefault(25, oldest);
            var load = List.of(newestLts.resolve("bin/java").toString(), "-cp", classes.toString(), "HttpLoad");
            Process server = new ProcessBuilder(concat(load, List.of("serve"))).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            try (var lines = server.inputReader()) {
                measure(runtimes, classes, String.join("\t", load), lines.readLine());
            } finally {
                server.destroy();
            }
        } finally {
            try (Stream<Path> files = Files.walk(classes)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
        System.err.printf("%n%d s%n", (System.nanoTime() - begun) / 1_000_000_000);
    }

    private void measure(List<String> runtimes, Path classes, String load, String port) throws Exception {
        var samples = new ArrayList<Sample>();
        for (int repetition = 0; repetition < repetitions; repetition++) {
            for (String pattern : patterns) {
                for (int n : sizesOf(pattern)) {
                    for (String runtime : runtimes) {
                        if (repetition > 0 && n != headline(pattern) || runtime.endsWith("-naive") && (n != headline(pattern)
                                || pattern.equals("http-server"))) {
                            continue;
                        }
                        samples.add(sample(new Cell(pattern, n, runtime), classes, load, port));
                    }
                }
            }
        }
        Files.createDirectories(out);
        Files.write(out.resolve("results.tsv"), Stream.concat(
                about.entrySet().stream().map(entry -> "# " + entry.getKey() + "\t" + entry.getValue()),
                samples.stream().map(s -> String.join("\t", s.pattern, "" + s.n, s.runtime, "" + s.wallNanos, "" + s.cpuNanos, "" + s.peakKilobytes)))
                .toList());
    }

    private List<Integer> sizesOf(String pattern) {
        if (pattern.startsWith("http")) {
            return List.of(Math.min(HEADLINE_HTTP, sizes.get(sizes.size() - 1)));
        }
        boolean huge = pattern.equals("gather") || pattern.equals("parked");
        return sizes.stream().filter(n -> n <= HEADLINE || huge).toList();
    }

    private int headline(String pattern) {
        int most = pattern.startsWith("http") ? HEADLINE_HTTP : HEADLINE;
        return sizesOf(pattern).stream().filter(n -> n <= most).max(Integer::compare).orElse(sizes.get(0));
    }

    private Sample sample(Cell cell, Path classes, String load, String port) throws Exception {
        var command = new ArrayList<String>();
        if (PYTHON.contains(cell.runtime)) {
            command.addAll(List.of(python, "bench/workloads.py", cell.pattern, cell.runtime));
        } else {
            String[] runtime = cell.runtime.split("-");
            command.addAll(List.of(homes.get(Integer.valueOf(runtime[0])).resolve("bin/java").toString(), "-cp", classes.toString(), "Workloads",
                    cell.pattern, runtime.length > 1 ? runtime[1] : "examples"));
        }
        command.addAll(List.of("" + cell.n, port));
        String[] fields = output(command, Map.of("BENCH_LOAD", load)).strip().split("\t");
        var sample = new Sample(cell.pattern, cell.n, cell.runtime, Long.parseLong(fields[0]), Long.parseLong(fields[1]), Long.parseLong(fields[2]));
        System.err.printf(Locale.ROOT, "%-12s %,9d %-9s %10.1f ms %10.1f ms CPU %6d MB%n", cell.pattern, cell.n, cell.runtime,
                sample.wallNanos / 1e6, sample.cpuNanos / 1e6, sample.peakKilobytes / 1024);
        return sample;
    }

    private static List<String> concat(List<String> a, List<String> b) {
        return Stream.concat(a.stream(), b.stream()).toList();
    }

    private static String output(List<String> command, Map<String, String> environment) throws Exception {
        var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().keySet().removeAll(List.of("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "PYTHONASYNCIODEBUG"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes());
        if (!process.waitFor(1, TimeUnit.MINUTES) || process.exitValue() != 0) {
            throw new IOException("failed: " + String.join(" ", command));
        }
        return output;
    }

    private void findJdk(int feature) throws IOException {
        var candidates = new ArrayList<Path>();
        System.getenv().forEach((name, value) -> {
            if (name.startsWith("JAVA_HOME")) {
                candidates.add(Path.of(value));
            }
        });
        var user = Path.of(System.getProperty("user.home"));
        for (Path folder : List.of(user.resolve(".cache/jdks"), user.resolve(".sdkman/candidates/java"), user.resolve(".jdks"), Path.of("/usr/lib/jvm"))) {
            if (Files.isDirectory(folder)) {
                try (Stream<Path> children = Files.list(folder)) {
                    candidates.addAll(children.sorted().toList());
                }
            }
        }
        for (Path home : candidates) {
            Path release = home.resolve("release");
            if (!homes.containsKey(feature) && Files.isExecutable(home.resolve("bin/javac")) && Files.exists(release)
                    && Files.readString(release).contains("JAVA_VERSION=\"" + feature)) {
                homes.put(feature, home);
                about.put("JDK " + feature, Files.readString(release).replaceAll("(?s).*JAVA_VERSION=\"([^\"]+)\".*", "$1"));
            }
        }
        if (!homes.containsKey(feature)) {
            skipped.add("JDK " + feature + ": not found");
        }
    }

    private void findPython(List<String> runtimes) throws Exception {
        boolean http = patterns.stream().anyMatch(pattern -> pattern.startsWith("http"));
        for (String runtime : PYTHON) {
            String imports = (runtime.equals("uvloop") ? "import uvloop; v = uvloop.__version__" : "import sys; v = sys.version.split()[0]")
                    + (http ? "; import aiohttp; v += ', aiohttp ' + aiohttp.__version__" : "")
                    + "; import sys; assert sys.version_info >= (3, 11); print(v)";
            try {
                Process process = new ProcessBuilder(python, "-c", imports).redirectErrorStream(true).start();
                String version = new String(process.getInputStream().readAllBytes()).strip();
                if (process.waitFor() == 0) {
                    runtimes.add(runtime);
                    about.put(runtime.equals("uvloop") ? "uvloop" : "Python", version.replaceFirst(runtime.equals("uvloop") ? ",.*" : "$^", ""));
                } else {
                    skipped.add(runtime + ": " + python + " (3.11 or later" + (http ? ", aiohttp" : "") + "): " + version.replaceFirst("(?s).*\n", ""));
                }
            } catch (IOException e) {
                skipped.add(runtime + ": " + python + " does not start; --python names another");
            }
        }
    }

    private void describe() throws IOException {
        String cpu = lineOf("/proc/cpuinfo", "model name").replaceFirst(".*: ", "");
        String memory = lineOf("/proc/meminfo", "MemTotal").replaceAll("\\D", "");
        String system = lineOf("/etc/os-release", "PRETTY_NAME").replaceAll("PRETTY_NAME=|\"", "");
        about.put("date", Instant.now().truncatedTo(ChronoUnit.MINUTES).toString().substring(0, 16).replace('T', ' ') + " UTC");
        about.put("machine", Runtime.getRuntime().availableProcessors() + " cores" + (cpu.isEmpty() ? "" : " (" + cpu + ")")
                + (memory.isEmpty() ? "" : ", " + (Long.parseLong(memory) + 524_288) / 1_048_576 + " GB")
                + ", " + (system.isEmpty() ? System.getProperty("os.name") : system));
        about.put("load before", lineOf("/proc/loadavg", "").replaceFirst(" .*", ""));
    }

    private static String lineOf(String file, String prefix) throws IOException {
        Path path = Path.of(file);
        if (!Files.exists(path)) {
            return "";
        }
        try (Stream<String> lines = Files.lines(path)) {
            return lines.filter(line -> line.startsWith(prefix)).findFirst().orElse("");
        }
    }

    private Map<Cell, List<Sample>> read(Path file) throws IOException, Refusal {
        if (!Files.exists(file)) {
            throw new Refusal(file + " is not there: run once without --render");
        }
        about.clear();
        var cells = new LinkedHashMap<Cell, List<Sample>>();
        for (String line : Files.readAllLines(file)) {
            String[] f = line.split("\t");
            if (line.startsWith("# ")) {
                about.put(f[0].substring(2), f[1]);
            } else {
                cells.computeIfAbsent(new Cell(f[0], Integer.parseInt(f[1]), f[2]), cell -> new ArrayList<>()).add(new Sample(f[0],
                        Integer.parseInt(f[1]), f[2], Long.parseLong(f[3]), Long.parseLong(f[4]), Long.parseLong(f[5])));
            }
        }
        cells.values().forEach(samples -> samples.sort(Comparator.comparingLong(Sample::wallNanos)));
        return cells;
    }

    // writing

    private static double wall(List<Sample> samples) {
        return samples.get(samples.size() / 2).wallNanos / 1e6;
    }

    private static double cpu(List<Sample> samples) {
        return samples.stream().mapToLong(Sample::cpuNanos).sorted().skip(samples.size() / 2).findFirst().orElse(0) / 1e6;
    }

    private static double peak(List<Sample> samples) {
        return samples.stream().mapToLong(Sample::peakKilobytes).sorted().skip(samples.size() / 2).findFirst().orElse(0) / 1024.0;
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.1f" : "%,.0f", value);
    }

    private static String name(String runtime) {
        return runtime.endsWith("-naive") ? "naive " + runtime.replace("-naive", "") : PYTHON.contains(runtime) ? runtime : "Java " + runtime;
    }

    private static List<String> runtimes(Map<Cell, List<Sample>> cells) {
        return cells.keySet().stream().map(Cell::runtime).distinct().toList();
    }

    private static List<Integer> sizes(Map<Cell, List<Sample>> cells, String pattern) {
        return List.copyOf(cells.keySet().stream().filter(cell -> cell.pattern.equals(pattern)).map(Cell::n).collect(Collectors.toCollection(TreeSet::new)));
    }

    /** The size that was compared: the one naive Java was measured at, else the largest of up to 100,000. */
    private static int compared(Map<Cell, List<Sample>> cells, String pattern) {
        return sizes(cells, pattern).stream().filter(n -> n <= HEADLINE).max(Integer::compare).orElse(sizes(cells, pattern).get(0));
    }

    private String conditions() {
        return about.get("date") + "; " + about.get("machine") + "; JDK "
                + about.entrySet().stream().filter(e -> e.getKey().startsWith("JDK")).map(Map.Entry::getValue).collect(Collectors.joining(", "))
                + (about.containsKey("Python") ? "; Python " + about.get("Python") : "")
                + (about.containsKey("uvloop") ? ", uvloop " + about.get("uvloop") : "") + "; load average before: " + about.get("load before");
    }

    private String shortTable(Map<Cell, List<Sample>> cells) {
        var runtimes = runtimes(cells).stream().filter(runtime -> !runtime.endsWith("-naive")).toList();
        var text = new StringBuilder("| milliseconds | tasks |");
        runtimes.forEach(runtime -> text.append(' ').append(name(runtime)).append(" |"));
        text.append(" asyncio / Java |\n|---|---|").append("---|".repeat(runtimes.size() + 1)).append('\n');
        PATTERNS.forEach((pattern, what) -> {
            if (!sizes(cells, pattern).isEmpty()) {
                row(text, cells, runtimes, pattern, compared(cells, pattern), Compare::wall, pattern + ": " + what.replaceAll(" \\(.*", ""));
            }
        });
        int most = sizes(cells, "parked").stream().max(Integer::compare).orElse(0);
        if (most > 0) {
            row(text, cells, runtimes, "parked", most, Compare::peak, "parked: peak memory, MB");
        }
        return text + "\nMedians, warm, a process each. " + conditions() + ".\n";
    }

    private static void row(StringBuilder text, Map<Cell, List<Sample>> cells, List<String> runtimes, String pattern, int n,
            ToDoubleFunction<List<Sample>> of, String title) {
        text.append("| ").append(title).append(" | ").append(String.format(Locale.ROOT, "%,d", n)).append(" |");
        var ratios = new TreeSet<Double>();
        var asyncio = cells.get(new Cell(pattern, n, "asyncio"));
        for (String runtime : runtimes) {
            var samples = cells.get(new Cell(pattern, n, runtime));
            text.append(' ').append(samples == null ? "-" : number(of.applyAsDouble(samples))).append(" |");
            if (samples != null && asyncio != null && !PYTHON.contains(runtime)) {
                ratios.add(of.applyAsDouble(asyncio) / of.applyAsDouble(samples));
            }
        }
        text.append(ratios.isEmpty() ? " - |\n" : " " + number(ratios.first()) + " to " + number(ratios.last()) + " |\n");
    }

    private String table(Map<Cell, List<Sample>> cells) {
        var text = new StringBuilder("# Java, asyncio and uvloop side by side\n\n" + conditions() + ".\n\n"
                + "Written by `java bench/Compare.java`; do not edit. Java: the files of `examples/` as they are, default JVM options; naive: a\n"
                + "virtual-thread-per-task executor and futures. Every measurement is a process of its own, warmed up inside; time is median [least to\n"
                + "most] over the processes, CPU is user and system time of all threads (JIT and GC too), memory is the process's peak (VmHWM).\n"
                + "The JVM takes memory it does not need while the machine has it: a quarter of the RAM is its default limit.\n\n"
                + "![time and memory over the number of tasks](results.svg)\n\n## In short\n\n" + shortTable(cells)
                + "\n## The compared size\n\n| pattern | tasks | runtime | ms | CPU ms | peak MB | times asyncio |\n|---|---|---|---|---|---|---|\n");
        PATTERNS.forEach((pattern, what) -> {
            if (sizes(cells, pattern).isEmpty()) {
                return;
            }
            int n = compared(cells, pattern);
            for (String runtime : runtimes(cells)) {
                var samples = cells.get(new Cell(pattern, n, runtime));
                var asyncio = cells.get(new Cell(pattern, n, "asyncio"));
                if (samples != null) {
                    text.append(String.format(Locale.ROOT, "| %s | %,d | %s | %s [%s to %s] | %s | %s | %s |%n", pattern, n, name(runtime), number(wall(samples)),
                            number(samples.get(0).wallNanos / 1e6), number(samples.get(samples.size() - 1).wallNanos / 1e6), number(cpu(samples)),
                            number(peak(samples)), asyncio == null ? "-" : number(wall(asyncio) / wall(samples))));
                }
            }
        });
        text.append("\n## Growth\n\nMilliseconds / peak MB.\n");
        PATTERNS.forEach((pattern, what) -> {
            var sizes = sizes(cells, pattern);
            if (sizes.size() < 2) {
                return;
            }
            text.append("\n**").append(pattern).append("**: ").append(what).append("\n\n| runtime |");
            sizes.forEach(n -> text.append(String.format(Locale.ROOT, " %,d |", n)));
            text.append("\n|---|").append("---|".repeat(sizes.size())).append('\n');
            for (String runtime : runtimes(cells)) {
                if (!runtime.endsWith("-naive")) {
                    text.append("| ").append(name(runtime)).append(" |");
                    sizes.forEach(n -> {
                        var samples = cells.get(new Cell(pattern, n, runtime));
                        text.append(' ').append(samples == null ? "-" : number(wall(samples)) + " / " + number(peak(samples))).append(" |");
                    });
                    text.append('\n');
                }
            }
        });
        return text.toString();
    }

    private static void publish(Path page, String text) throws IOException {
        String start = "<!-- bench: start -->\n";
        String end = "<!-- bench: end -->";
        String before = Files.exists(page) ? Files.readString(page) : "";
        int from = before.indexOf(start);
        int to = before.indexOf(end);
        if (from < 0 || to < from) {
            System.out.println(page + ": no markers, left alone");
            return;
        }
        Files.writeString(page, before.substring(0, from + start.length()) + "\n" + text + "\n" + before.substring(to));
        System.out.println("Updated: " + page);
    }

    // the picture: a panel for each pattern, both axes logarithmic

    private static final int WIDTH = 250;
    private static final int HEIGHT = 170;
    private static final Map<String, String> COLOURS = Map.of("asyncio", "#d55e00", "uvloop", "#e69f00", "21", "#56b4e9", "25", "#0072b2", "26", "#7b68c8",
            "27", "#009e73");

    private String picture(Map<Cell, List<Sample>> cells) {
        var panels = new ArrayList<String>();
        for (String pattern : PATTERNS.keySet()) {
            if (!pattern.startsWith("http") && !sizes(cells, pattern).isEmpty()) {
                panels.add(panel(cells, pattern, pattern + ", ms", Compare::wall));
            }
        }
        if (!sizes(cells, "parked").isEmpty()) {
            panels.add(panel(cells, "parked", "parked, peak MB", Compare::peak));
        }
        int columns = Math.min(4, Math.max(1, panels.size()));
        int width = 20 + columns * (WIDTH + 20);
        int height = 80 + (panels.size() + columns - 1) / columns * (HEIGHT + 60);
        var svg = new StringBuilder(String.format("""
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="12">
                <style>.back{fill:#fff}.ink{fill:#222}.grid{stroke:#ddd}.frame{stroke:#888;fill:none}
                @media (prefers-color-scheme: dark){.back{fill:#161b22}.ink{fill:#dde}.grid{stroke:#333a44}.frame{stroke:#778}}</style>
                <rect class="back" width="%d" height="%d" rx="8"/>
                <text class="ink" x="20" y="24" font-size="15" font-weight="bold">Over the number of tasks, both axes logarithmic; lower is better</text>
                """, width, height, width, height, width, height));
        int x = 20;
        for (String runtime : runtimes(cells)) {
            if (!runtime.endsWith("-naive")) {
                svg.append(String.format("<path d=\"M%d 43h22\" stroke=\"%s\" stroke-width=\"3\"/><text class=\"ink\" x=\"%d\" y=\"47\">%s</text>%n", x,
                        COLOURS.getOrDefault(runtime, "#888"), x + 28, name(runtime)));
                x += 105;
            }
        }
        for (int i = 0; i < panels.size(); i++) {
            svg.append(String.format("<g transform=\"translate(%d %d)\">%n%s</g>%n", 20 + i % columns * (WIDTH + 20),
                    80 + i / columns * (HEIGHT + 60), panels.get(i)));
        }
        return svg.append(String.format("<text class=\"ink\" x=\"20\" y=\"%d\" font-size=\"10\">%s</text>%n</svg>%n", height - 8, conditions())).toString();
    }

    private static String panel(Map<Cell, List<Sample>> cells, String pattern, String title, ToDoubleFunction<List<Sample>> of) {
        var sizes = sizes(cells, pattern);
        var values = cells.entrySet().stream().filter(e -> e.getKey().pattern.equals(pattern) && !e.getKey().runtime.endsWith("-naive"))
                .mapToDouble(e -> of.applyAsDouble(e.getValue())).toArray();
        double low = Math.floor(Math.log10(Stream.of(values).flatMapToDouble(java.util.Arrays::stream).min().orElse(1)));
        double high = Math.ceil(Math.log10(Stream.of(values).flatMapToDouble(java.util.Arrays::stream).max().orElse(10)) + 1e-9);
        double first = Math.log10(sizes.get(0));
        double last = Math.max(first + 1, Math.log10(sizes.get(sizes.size() - 1)));
        int left = 46;
        int plot = WIDTH - left;
        var svg = new StringBuilder(String.format("<text class=\"ink\" x=\"%d\" y=\"-6\" font-weight=\"bold\">%s</text>%n", left, title));
        for (double power = low; power <= high; power++) {
            double y = HEIGHT - (power - low) / (high - low) * HEIGHT;
            svg.append(String.format(Locale.ROOT, "<path class=\"grid\" d=\"M%d %.1fh%d\"/><text class=\"ink\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>%n",
                    left, y, plot, left - 5, y + 4, power < 0 ? "0.1".repeat(power == -1 ? 1 : 0) + (power == -1 ? "" : "0.01") : String.format(Locale.ROOT, "%,.0f", Math.pow(10, power))));
        }
        for (int n : sizes) {
            double x = left + (Math.log10(n) - first) / (last - first) * plot;
            svg.append(String.format(Locale.ROOT, "<path class=\"grid\" d=\"M%.1f 0v%d\"/><text class=\"ink\" x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>%n",
                    x, HEIGHT, x, HEIGHT + 16, n == sizes.get(sizes.size() - 1) && sizes.size() > 1 ? "end" : "middle",
                    n >= 1_000_000 ? n / 1_000_000 + "M" : n >= 1_000 ? n / 1_000 + "k" : n));
        }
        svg.append(String.format("<rect class=\"frame\" x=\"%d\" y=\"0\" width=\"%d\" height=\"%d\"/>%n", left, plot, HEIGHT));
        for (String runtime : runtimes(cells)) {
            var points = new ArrayList<String>();
            for (int n : sizes) {
                var samples = cells.get(new Cell(pattern, n, runtime));
                if (samples != null && !runtime.endsWith("-naive")) {
                    points.add(String.format(Locale.ROOT, "%.1f,%.1f", left + (Math.log10(n) - first) / (last - first) * plot,
                            HEIGHT - (Math.log10(of.applyAsDouble(samples)) - low) / (high - low) * HEIGHT));
                }
            }
            if (!points.isEmpty()) {
                String colour = COLOURS.getOrDefault(runtime, "#888");
                svg.append(String.format("<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\" points=\"%s\"/>%n", colour, String.join(" ", points)));
                points.forEach(point -> svg.append(String.format("<circle r=\"3\" fill=\"%s\" cx=\"%s\" cy=\"%s\"/>", colour, point.split(",")[0],
                        point.split(",")[1])));
                svg.append('\n');
            }
        }
        return svg.toString();
    }
}
