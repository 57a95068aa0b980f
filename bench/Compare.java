import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleUnaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
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
            Usage: java bench/Compare.java [options], in the repository's folder. Without options: the full run, about 12 minutes.
              --quick            one size, one JDK, one repetition, about a minute; writes to target/bench
              --jdks 21,25,27    which JDKs
              --patterns a,b     of spawn gather parked bounded queue lock timeout http-client http-server
              --sizes 1000,10000 numbers of tasks; the largest of up to 100000 is the one that is repeated and compared
              --repetitions 3    of that size; median and range are reported
              --python FILE      3.11 or later, with aiohttp and uvloop (default: /usr/bin/python3, else python3)
              --out DIR          where to write; then README.md and references/performance.md are left alone
              --render           measures nothing: writes table, picture and short table anew from results.tsv
            Exit code: 0, 1 a measurement failed, 2 cannot run (reason on stderr).""";

    /** One process. @param runtime such as asyncio, 21, or 21-naive */
    private record Sample(Cell cell, long wallNanos, long cpuNanos, long peakKilobytes) {

        String line() {
            return cell.pattern + "\t" + cell.n + "\t" + cell.runtime + "\t" + wallNanos + "\t" + cpuNanos + "\t"
                    + peakKilobytes;
        }

        static Sample of(String line) {
            String[] fields = line.split("\t");
            return new Sample(new Cell(fields[0], Integer.parseInt(fields[1]), fields[2]), Long.parseLong(fields[3]),
                    Long.parseLong(fields[4]), Long.parseLong(fields[5]));
        }
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
            throw new Refusal("found none of the JDKs " + jdks
                    + " in JAVA_HOME_NN_*, ~/.cache/jdks, ~/.sdkman, ~/.jdks, /usr/lib/jvm");
        }
        var runtimes = new ArrayList<String>();
        findPython(runtimes);
        homes.keySet().forEach(jdk -> runtimes.add("" + jdk));
        homes.keySet().forEach(jdk -> runtimes.add(jdk + "-naive"));
        describe();

        Path classes = Files.createTempDirectory("bench");
        try {
            Path oldest = homes.values().iterator().next();
            output(List.of(oldest + "/bin/javac", "--release", "21", "-proc:none", "-sourcepath", topics(), "-d", ""
                    + classes,
                    "bench/Workloads.java", "bench/HttpLoad.java"), Map.of());
            Path newestLts = homes.getOrDefault(25, oldest);
            var load = List.of(newestLts + "/bin/java", "-cp", "" + classes, "HttpLoad");
            var serve = new ArrayList<>(load);
            serve.add("serve");
            Process server = new ProcessBuilder(serve).redirectError(ProcessBuilder.Redirect.INHERIT).start();
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
                        boolean compared = n == headline(pattern);
                        boolean naive = runtime.endsWith("-naive");
                        if (compared ? !(naive && pattern.equals("http-server")) : repetition == 0 && !naive) {
                            samples.add(sample(new Cell(pattern, n, runtime), classes, load, port));
                        }
                    }
                }
            }
        }
        Files.createDirectories(out);
        var lines = new ArrayList<String>();
        about.forEach((name, value) -> lines.add("# " + name + "\t" + value));
        samples.forEach(sample -> lines.add(sample.line()));
        Files.write(out.resolve("results.tsv"), lines);
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
            command.addAll(List.of(homes.get(Integer.valueOf(runtime[0])) + "/bin/java", "-cp", "" + classes,
                    "Workloads",
                    cell.pattern, runtime.length > 1 ? runtime[1] : "examples"));
        }
        command.addAll(List.of("" + cell.n, port));
        String figures = output(command, Map.of("BENCH_LOAD", load)).strip();
        var sample = Sample.of(cell.pattern + "\t" + cell.n + "\t" + cell.runtime + "\t" + figures);
        System.err.print(format("%-12s %,9d %-9s %10.1f ms %10.1f ms CPU %6d MB%n", cell.pattern, cell.n, cell.runtime,
                sample.wallNanos / 1e6, sample.cpuNanos / 1e6, sample.peakKilobytes / 1024));
        return sample;
    }

    /** The source roots of the examples: one a topic. */
    private static String topics() throws IOException {
        try (var folders = Files.list(Path.of("examples"))) {
            return folders.filter(Files::isDirectory).map(Path::toString)
                    .collect(Collectors.joining(File.pathSeparator));
        }
    }

    private static String output(List<String> command, Map<String, String> environment) throws Exception {
        var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().keySet().removeAll(List.of("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS",
                "PYTHONASYNCIODEBUG"));
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
        for (Path folder : List.of(user.resolve(".cache/jdks"), user.resolve(".sdkman/candidates/java"),
                user.resolve(".jdks"),
                Path.of("/usr/lib/jvm"))) {
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
                String version = Files.readString(release).replaceAll("(?s).*JAVA_VERSION=\"([^\"]+)\".*", "$1");
                about.put("JDK " + feature, version);
            }
        }
        if (!homes.containsKey(feature)) {
            skipped.add("JDK " + feature + ": not found");
        }
    }

    private void findPython(List<String> runtimes) throws Exception {
        boolean http = patterns.stream().anyMatch(pattern -> pattern.startsWith("http"));
        for (String runtime : PYTHON) {
            boolean loop = runtime.equals("uvloop");
            String code = "import sys; assert sys.version_info >= (3, 11), 'needs 3.11 or later'; v = sys.version.split()[0]"
                    + (http ? "; import aiohttp; v += ', aiohttp ' + aiohttp.__version__" : "")
                    + (loop ? "; import uvloop; v = uvloop.__version__" : "") + "; print(v)";
            try {
                Process process = new ProcessBuilder(python, "-c", code).redirectErrorStream(true).start();
                String answer = new String(process.getInputStream().readAllBytes()).strip()
                        .replaceFirst("(?s).*\n", "");
                if (process.waitFor() == 0) {
                    runtimes.add(runtime);
                    about.put(loop ? "uvloop" : "Python", answer);
                } else {
                    skipped.add(runtime + ": " + python + ": " + answer);
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
        about.put("date", Instant.now().toString().substring(0, 16).replace('T', ' ') + " UTC");
        about.put("machine", Runtime.getRuntime().availableProcessors() + " cores"
                + (cpu.isEmpty() ? "" : " (" + cpu + ")")
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
            if (line.startsWith("# ")) {
                about.put(line.substring(2, line.indexOf('\t')), line.substring(line.indexOf('\t') + 1));
            } else {
                var sample = Sample.of(line);
                cells.computeIfAbsent(sample.cell, cell -> new ArrayList<>()).add(sample);
            }
        }
        cells.values().forEach(samples -> samples.sort(Comparator.comparingLong(Sample::wallNanos)));
        return cells;
    }

    // writing

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    private static double median(List<Sample> samples, ToLongFunction<Sample> of) {
        return samples.stream().mapToLong(of).sorted().skip(samples.size() / 2).findFirst().orElse(0);
    }

    private static double wall(List<Sample> samples) {
        return median(samples, Sample::wallNanos) / 1e6;
    }

    private static double peak(List<Sample> samples) {
        return median(samples, Sample::peakKilobytes) / 1024;
    }

    private static String number(double value) {
        return format(value < 10 ? "%.1f" : "%,.0f", value);
    }

    private static String name(String runtime) {
        return runtime.endsWith("-naive") ? "naive " + runtime.replace("-naive", "") : PYTHON.contains(runtime)
                ? runtime : "Java " + runtime;
    }

    private static List<String> runtimes(Map<Cell, List<Sample>> cells) {
        return cells.keySet().stream().map(Cell::runtime).distinct().toList();
    }

    private static List<Integer> sizes(Map<Cell, List<Sample>> cells, String pattern) {
        return cells.keySet().stream().filter(cell -> cell.pattern.equals(pattern)).map(Cell::n).distinct().sorted()
                .toList();
    }

    private static int compared(Map<Cell, List<Sample>> cells, String pattern) {
        var sizes = sizes(cells, pattern);
        return sizes.stream().filter(n -> n <= HEADLINE).max(Integer::compare).orElse(sizes.get(0));
    }

    private String conditions() {
        var text = new StringBuilder(about.get("date") + "; " + about.get("machine"));
        about.forEach((name, value) -> {
            if (name.startsWith("JDK") || PYTHON.contains(name) || name.equals("Python")) {
                text.append("; ").append(name.startsWith("JDK") ? "JDK" : name).append(' ').append(value);
            }
        });
        return text.append("; load average before: ").append(about.get("load before")).toString();
    }

    private String shortTable(Map<Cell, List<Sample>> cells) {
        var runtimes = lines(cells);
        var text = new StringBuilder("| milliseconds | tasks |");
        runtimes.forEach(runtime -> text.append(' ').append(name(runtime)).append(" |"));
        text.append(" speed-up |\n|---|---|").append("---|".repeat(runtimes.size() + 1)).append('\n');
        PATTERNS.forEach((pattern, what) -> {
            if (!sizes(cells, pattern).isEmpty()) {
                row(text, cells, runtimes, pattern, compared(cells, pattern), Compare::wall, pattern + ": "
                        + what.replaceAll(" \\(.*", ""));
            }
        });
        int most = sizes(cells, "parked").stream().max(Integer::compare).orElse(0);
        if (most > 0) {
            row(text, cells, runtimes, "parked", most, Compare::peak, "parked: peak memory, MB");
        }
        return text + "\nMedians, warm, a process each. " + conditions() + ".\n";
    }

    private static void row(StringBuilder text, Map<Cell, List<Sample>> cells, List<String> runtimes, String pattern,
            int n, ToDoubleFunction<List<Sample>> of, String title) {
        text.append("| ").append(title).append(" | ").append(format("%,d", n)).append(" |");
        var ratios = new TreeSet<Double>();
        var asyncio = cells.get(new Cell(pattern, n, "asyncio"));
        for (String runtime : runtimes) {
            var samples = cells.get(new Cell(pattern, n, runtime));
            text.append(' ').append(samples == null ? "-" : number(of.applyAsDouble(samples))).append(" |");
            if (samples != null && asyncio != null && !PYTHON.contains(runtime)) {
                ratios.add(of.applyAsDouble(asyncio) / of.applyAsDouble(samples));
            }
        }
        text.append(ratios.isEmpty() ? " - |\n" : " " + number(ratios.first()) + " to " + number(ratios.last())
                + " |\n");
    }

    private String table(Map<Cell, List<Sample>> cells) {
        var text = new StringBuilder(format("""
                # Java, asyncio and uvloop side by side

                %s.

                Written by `java bench/Compare.java`; do not edit. Java: the files of `examples/` as they are, default JVM
                options; naive: a virtual-thread-per-task executor and futures. Every measurement is a process of its own,
                warmed up inside, and the median of the runs that fit into half a second. Time is the median [least to most]
                over the processes, CPU is user and system time of all threads (JIT and GC too), memory is the process's peak
                (VmHWM). The JVM takes memory it does not need while the machine has it: its default limit is a quarter.

                ![time and memory over the number of tasks](results.svg)

                ## In short

                %s
                ## The compared size

                | pattern | tasks | runtime | ms | CPU ms | peak MB | times asyncio |
                |---|---|---|---|---|---|---|
                """, conditions(), shortTable(cells)));
        for (String pattern : PATTERNS.keySet()) {
            if (sizes(cells, pattern).isEmpty()) {
                continue;
            }
            int n = compared(cells, pattern);
            var asyncio = cells.get(new Cell(pattern, n, "asyncio"));
            for (String runtime : runtimes(cells)) {
                var samples = cells.get(new Cell(pattern, n, runtime));
                if (samples != null) {
                    text.append(format("| %s | %,d | %s | %s [%s to %s] | %s | %s | %s |%n", pattern, n, name(runtime),
                            number(wall(samples)), number(samples.get(0).wallNanos / 1e6),
                            number(samples.get(samples.size() - 1).wallNanos / 1e6),
                            number(median(samples, Sample::cpuNanos) / 1e6), number(peak(samples)),
                            asyncio == null ? "-" : number(wall(asyncio) / wall(samples))));
                }
            }
        }
        text.append("\n## Growth\n\nMilliseconds / peak MB.\n");
        PATTERNS.forEach((pattern, what) -> {
            var sizes = sizes(cells, pattern);
            if (sizes.size() < 2) {
                return;
            }
            text.append("\n**").append(pattern).append("**: ").append(what).append("\n\n| runtime |");
            sizes.forEach(n -> text.append(format(" %,d |", n)));
            text.append("\n|---|").append("---|".repeat(sizes.size())).append('\n');
            for (String runtime : lines(cells)) {
                text.append("| ").append(name(runtime)).append(" |");
                for (int n : sizes) {
                    var samples = cells.get(new Cell(pattern, n, runtime));
                    text.append(samples == null ? " - |" : " " + number(wall(samples)) + " / " + number(peak(samples))
                            + " |");
                }
                text.append('\n');
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
    private static final int LEFT = 46;
    private static final Map<String, String> COLOURS = Map.of("asyncio", "#d55e00", "uvloop", "#e69f00", "21",
            "#56b4e9",
            "25", "#0072b2", "26", "#7b68c8", "27", "#009e73");

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
        int columns = Math.min(4, Math.max(3, panels.size())); // wide enough for the legend
        int width = 20 + columns * (WIDTH + 20);
        int height = 80 + (panels.size() + columns - 1) / columns * (HEIGHT + 60);
        var svg = new StringBuilder(format("""
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %1$d %2$d" width="%1$d" height="%2$d" font-family="sans-serif"
                 font-size="12">
                <style>.back{fill:#fff}.ink{fill:#222}.grid{stroke:#ddd}.frame{stroke:#888;fill:none}
                @media (prefers-color-scheme: dark){.back{fill:#161b22}.ink{fill:#dde}.grid{stroke:#333a44}}</style>
                <rect class="back" width="%1$d" height="%2$d" rx="8"/>
                <text class="ink" x="20" y="24" font-size="15" font-weight="bold">\
                Over the number of tasks, both axes logarithmic; lower is better</text>
                """, width, height));
        int x = 20;
        for (String runtime : lines(cells)) {
            svg.append(format("<path d=\"M%d 43h22\" stroke=\"%s\" stroke-width=\"3\"/>", x,
                    COLOURS.getOrDefault(runtime, "#888")));
            svg.append(text(x + 28, 47, "start", name(runtime)));
            x += 105;
        }
        for (int i = 0; i < panels.size(); i++) {
            svg.append(format("<g transform=\"translate(%d %d)\">%n%s</g>%n", 20 + i % columns * (WIDTH + 20),
                    80 + i / columns * (HEIGHT + 60), panels.get(i)));
        }
        return svg.append(format("<text class=\"ink\" x=\"20\" y=\"%d\" font-size=\"10\">%s</text>%n</svg>%n",
                height - 8, conditions()))
                .toString();
    }

    private static List<String> lines(Map<Cell, List<Sample>> cells) {
        return runtimes(cells).stream().filter(runtime -> !runtime.endsWith("-naive")).toList();
    }

    private static String text(double x, double y, String anchor, String text) {
        return format("<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n", x, y, anchor, text);
    }

    private static String panel(Map<Cell, List<Sample>> cells, String pattern, String title,
            ToDoubleFunction<List<Sample>> of) {
        var sizes = sizes(cells, pattern);
        var logs = new TreeSet<Double>();
        cells.forEach((cell, samples) -> {
            if (cell.pattern.equals(pattern) && !cell.runtime.endsWith("-naive")) {
                logs.add(Math.log10(of.applyAsDouble(samples)));
            }
        });
        double low = Math.floor(logs.first());
        double high = Math.max(low + 1, Math.ceil(logs.last()));
        double first = Math.log10(sizes.get(0));
        double last = Math.max(first + 1, Math.log10(sizes.get(sizes.size() - 1)));
        DoubleUnaryOperator x = n -> LEFT + (Math.log10(n) - first) / (last - first) * (WIDTH - LEFT);
        DoubleUnaryOperator y = value -> HEIGHT - (Math.log10(value) - low) / (high - low) * HEIGHT;
        var svg = new StringBuilder(format("<text class=\"ink\" x=\"%d\" y=\"-6\" font-weight=\"bold\">%s</text>%n",
                LEFT, title));
        for (double power = low; power <= high; power++) {
            double value = Math.pow(10, power);
            svg.append(format("<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, y.applyAsDouble(value), WIDTH));
            svg.append(text(LEFT - 5, y.applyAsDouble(value) + 4, "end",
                    format(value < 0.1 ? "%.2f" : value < 1 ? "%.1f" : "%,.0f", value)));
        }
        for (int n : sizes) {
            svg.append(format("<path class=\"grid\" d=\"M%.1f 0V%d\"/>", x.applyAsDouble(n), HEIGHT));
            svg.append(text(x.applyAsDouble(n), HEIGHT + 16, x.applyAsDouble(n) > WIDTH - 10 ? "end" : "middle",
                    n >= 1_000_000 ? n / 1_000_000 + "M" : n >= 1_000 ? n / 1_000 + "k" : "" + n));
        }
        svg.append(format("<rect class=\"frame\" x=\"%d\" y=\"0\" width=\"%d\" height=\"%d\"/>%n", LEFT, WIDTH - LEFT,
                HEIGHT));
        for (String runtime : lines(cells)) {
            String colour = COLOURS.getOrDefault(runtime, "#888");
            var points = new StringBuilder();
            var dots = new StringBuilder();
            for (int n : sizes) {
                var samples = cells.get(new Cell(pattern, n, runtime));
                if (samples != null) {
                    double px = x.applyAsDouble(n);
                    double py = y.applyAsDouble(of.applyAsDouble(samples));
                    points.append(format("%.1f,%.1f ", px, py));
                    dots.append(format("<circle r=\"3\" fill=\"%s\" cx=\"%.1f\" cy=\"%.1f\"/>", colour, px, py));
                }
            }
            svg.append(format("<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\" points=\"%s\"/>%s%n", colour,
                    points.toString().strip(), dots));
        }
        return svg.toString();
    }
}
