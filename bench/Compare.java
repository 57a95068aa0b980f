import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The examples, naive Java, asyncio and asyncio on uvloop: {@code java bench/Bench.java asyncio}. Each measurement is a
 * process of its own ({@code Workloads.java}, {@code workloads.py}), which says how long its first run took, a run of
 * the first second, and one in steady state; the runtimes take turns, round by round. A run's samples are a file of
 * their own, {@code asyncio-DATE.tsv}, and the tables give the range over all these files: other days, other machines.
 * What was not steady, or was measured while others used the machine, is no figure.
 */
final class Compare {

    /** One process. @param runtime such as asyncio, 21, or 21-naive; @param others the share of the machine's CPU */
    private record Sample(Cell cell, double first, double second, double steady, double after, double cpu,
            double peakMegabytes, double others) {

        String line() {
            return Machine.format("%s\t%d\t%s\t%.0f\t%.0f\t%.0f\t%.2f\t%.0f\t%.0f\t%.3f", cell.pattern, cell.n,
                    cell.runtime, first, second, steady, after, cpu, peakMegabytes, others);
        }

        static Sample of(String[] fields) {
            double[] numbers = Stream.of(fields).skip(3).mapToDouble(Double::parseDouble).toArray();
            return new Sample(new Cell(fields[0], Integer.parseInt(fields[1]), fields[2]), numbers[0], numbers[1],
                    numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]);
        }

        boolean isQuiet() {
            return others <= Machine.NOISE;
        }

        boolean isSteady() {
            return steady > 0 && isQuiet();
        }
    }

    private record Cell(String pattern, int n, String runtime) { }

    /** One {@code asyncio-DATE.tsv}. */
    private record Day(Map<String, String> about, Map<Cell, List<Sample>> cells) { }

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

    private static final Map<String, String> BRIEFLY = Map.of("spawn", "tasks that do nothing", "gather",
            "that sleep 10 ms", "parked", "that wait for one `Event`", "bounded", "1,000 at a time, 1 ms each", "queue",
            "1 producer, 4 consumers", "lock", "100 tasks, one lock", "timeout", "calls in time", "http-client",
            "50 connections", "http-server", "50 connections");
    private static final List<String> PYTHON = List.of("asyncio", "uvloop");
    private static final int HEADLINE = 100_000;
    private static final int HEADLINE_HTTP = 1_000; // of 10,000 a run lasts seconds: no time for windows that agree
    private static final String LIMIT_SECONDS = "15";

    private final SortedMap<Integer, Path> homes = new TreeMap<>();
    private final Map<String, String> about = new LinkedHashMap<>();
    private final List<String> skipped = new ArrayList<>();
    private List<String> patterns;
    private List<Integer> sizes;
    private String python;

    private Compare() {
    }

    public static void main(String[] args) throws Exception {
        Machine.main("asyncio", args, () -> new Compare().run(args), Compare::pages);
    }

    private int run(String[] args) throws Exception {
        var options = new LinkedHashMap<>(Map.of("--out", "" + Machine.RESULTS, "--minutes", "8.5", "--jdks",
                "21,25,27", "--patterns", String.join(",", PATTERNS.keySet()), "--sizes", "1000,10000,100000,1000000",
                "--python", Files.isExecutable(Path.of("/usr/bin/python3")) ? "/usr/bin/python3" : "python3"));
        Machine.none(Machine.options(args, options));
        double minutes = Machine.positive(options, "--minutes");
        sizes = Machine.numbers(options, "--sizes").stream().sorted().toList();
        patterns = List.of(options.get("--patterns").split(","));
        python = options.get("--python");
        for (String pattern : patterns) {
            if (!PATTERNS.containsKey(pattern)) {
                throw new Machine.Refusal("--patterns " + pattern + ": only " + String.join(", ", PATTERNS.keySet()));
            }
        }
        for (int jdk : Machine.numbers(options, "--jdks")) {
            if (Machine.jdks().containsKey(jdk)) {
                homes.put(jdk, Machine.jdks().get(jdk));
            } else {
                skipped.add("JDK " + jdk + ": not found");
            }
        }
        if (homes.isEmpty()) {
            throw new Machine.Refusal("found none of the JDKs " + options.get("--jdks"));
        }
        Path out = Path.of(options.get("--out"));
        measure(out, minutes);
        int code = pages(out);
        skipped.forEach(line -> System.out.println("SKIPPED " + line));
        return code;
    }

    private static int pages(Path out) throws IOException {
        var days = days(out);
        Files.writeString(out.resolve("asyncio.md"), table(days));
        Files.writeString(out.resolve("asyncio.svg"), picture(days.getLast()));
        System.out.println("\n" + shortTable(days, false) + "\nWritten: " + out.resolve("asyncio.md") + ", .svg, -DATE.tsv");
        if (out.equals(Machine.RESULTS)) {
            Machine.publish(Path.of("README.md"), "bench", shortTable(days, false));
            Machine.publish(Path.of("references/performance.md"), "bench", shortTable(days, true));
        }
        return table(List.of(days.getLast())).contains(Machine.NOT_STEADY_TEXT) ? Machine.NOT_STEADY : 0;
    }

    // measuring

    private void measure(Path out, double minutes) throws Exception {
        about.putAll(Machine.about());
        for (var jdk : homes.entrySet()) {
            about.put("JDK " + jdk.getKey(), Machine.version(jdk.getValue()));
        }
        var runtimes = new ArrayList<String>();
        findPython(runtimes);
        homes.keySet().forEach(jdk -> runtimes.add("" + jdk));
        int naive = homes.containsKey(25) ? 25 : homes.firstKey();
        runtimes.add(naive + "-naive");
        var samples = new ArrayList<Sample>();
        var load = List.of(Machine.tool(Machine.jdks().getOrDefault(25, homes.get(homes.firstKey())), "java"), "-cp",
                System.getProperty("java.class.path"), "HttpLoad");
        var serve = new ArrayList<>(load);
        serve.add("serve");
        Process server = new ProcessBuilder(serve).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (var lines = server.inputReader()) {
            String port = lines.readLine();
            long begun = System.nanoTime();
            long lasted = 0;
            for (int round = 0; round == 0 || System.nanoTime() - begun + lasted < minutes * 60e9; round++) {
                long start = System.nanoTime();
                for (var cell : cells(runtimes, false)) {
                    samples.add(sample(cell, String.join("\t", load), port, server));
                }
                lasted = System.nanoTime() - start;
                for (var cell : round == 0 ? cells(runtimes, true) : List.<Cell>of()) {
                    if (System.nanoTime() - begun < minutes * 60e9) {
                        samples.add(sample(cell, String.join("\t", load), port, server));
                    } else {
                        skipped.add(cell + ": no time; --minutes gives it more");
                    }
                }
            }
        } finally {
            server.destroy();
        }
        var lines = new ArrayList<>(Machine.kept(Machine.file(out, "asyncio", about), patterns, about.get("machine")));
        samples.forEach(sample -> lines.add(sample.line()));
        Machine.write(out, "asyncio", about, "pattern, tasks, runtime; nanoseconds: first run, mean of the first "
                + "second, steady (0: not); seconds until steady; CPU nanoseconds of a run; peak MB; share of the "
                + "machine that others used", lines);
    }

    /** What is compared, in each round; or what only the long table and the picture of sizes need, once. */
    private List<Cell> cells(List<String> runtimes, boolean once) {
        var cells = new ArrayList<Cell>();
        for (String pattern : patterns) {
            for (int n : sizesOf(pattern)) {
                boolean compared = n == headline(pattern);
                for (String runtime : runtimes) {
                    boolean aside = runtime.equals("uvloop") || runtime.endsWith("-naive");
                    boolean server = runtime.endsWith("-naive") && pattern.equals("http-server");
                    boolean between = !runtime.equals("asyncio") && !runtime.equals("" + homes.firstKey())
                            && !runtime.equals("" + homes.lastKey());
                    if (compared ? !server && once == aside : once && !aside && (n > HEADLINE || !between)) {
                        cells.add(new Cell(pattern, n, runtime));
                    }
                }
            }
        }
        return cells;
    }

    private List<Integer> sizesOf(String pattern) {
        if (pattern.startsWith("http")) {
            return List.of(Math.min(HEADLINE_HTTP, sizes.getLast()));
        }
        return sizes.stream().filter(n -> n <= HEADLINE || pattern.equals("parked")).toList();
    }

    private int headline(String pattern) {
        return sizesOf(pattern).stream().filter(n -> n <= HEADLINE).max(Integer::compare).orElse(sizes.getFirst());
    }

    private Sample sample(Cell cell, String load, String port, Process server) throws Exception {
        var command = new ArrayList<String>();
        if (PYTHON.contains(cell.runtime)) {
            command.addAll(List.of(python, "bench/workloads.py", cell.pattern, cell.runtime));
        } else {
            String[] runtime = cell.runtime.split("-");
            command.addAll(List.of(Machine.tool(homes.get(Integer.valueOf(runtime[0])), "java"), "-cp",
                    System.getProperty("java.class.path"), "Workloads", cell.pattern,
                    runtime.length > 1 ? runtime[1] : "examples"));
        }
        command.addAll(List.of("" + cell.n, LIMIT_SECONDS, port));
        var answer = Machine.measure(command, Map.of("BENCH_LOAD", load), server.toHandle());
        var sample = new Sample(cell, answer.number(0), answer.number(1), answer.number(2), answer.number(3),
                answer.number(4), answer.number(5) / 1024, answer.others());
        System.err.print(Machine.format("%-12s %,9d %-9s first %9.1f ms, second %9.1f, steady %9.1f after %4.1f s, "
                + "others %3.0f %%%n", cell.pattern, cell.n, cell.runtime, sample.first / 1e6, sample.second / 1e6,
                sample.steady / 1e6, sample.after, sample.others * 100));
        return sample;
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

    private static List<Day> days(Path out) throws IOException {
        var days = new ArrayList<Day>();
        for (var measured : Machine.days(out, "asyncio")) {
            var cells = new LinkedHashMap<Cell, List<Sample>>();
            for (String[] row : measured.rows()) {
                var sample = Sample.of(row);
                cells.computeIfAbsent(sample.cell, cell -> new ArrayList<>()).add(sample);
            }
            days.add(new Day(measured.about(), cells));
        }
        return days;
    }

    // writing

    /** The median of what counts; 0: there is none. */
    private static double median(List<Sample> samples, Predicate<Sample> counts, ToDoubleFunction<Sample> of) {
        var values = samples == null ? List.<Double>of()
                : samples.stream().filter(counts).map(of::applyAsDouble).filter(value -> value > 0).toList();
        return values.isEmpty() ? 0 : Steady.median(values);
    }

    private static double steady(List<Sample> samples) {
        return median(samples, Sample::isSteady, Sample::steady) / 1e6;
    }

    private static double first(List<Sample> samples) {
        return median(samples, Sample::isQuiet, Sample::first) / 1e6;
    }

    private static double second(List<Sample> samples) {
        return median(samples, Sample::isQuiet, Sample::second) / 1e6;
    }

    private static double peak(List<Sample> samples) {
        return median(samples, Sample::isQuiet, Sample::peakMegabytes);
    }

    private static boolean isExamples(String runtime) {
        return !runtime.endsWith("-naive") && !PYTHON.contains(runtime);
    }

    private static String name(String runtime) {
        return runtime.endsWith("-naive") ? "naive " + runtime.replace("-naive", "") : PYTHON.contains(runtime)
                ? runtime : "Java " + runtime;
    }

    /** Days on which all else was the same are one. */
    private static String conditions(List<Day> days) {
        var dates = new LinkedHashMap<String, String>();
        days.forEach(day -> dates.merge(versions(day), day.about.get("date"), (one, more) -> one + " and " + more));
        return dates.entrySet().stream().map(each -> each.getValue() + "; " + each.getKey())
                .collect(Collectors.joining(". "));
    }

    private static String conditions(Day day) {
        return conditions(List.of(day)) + "; load average before: " + day.about.get("load average before");
    }

    private static String versions(Day day) {
        var text = new StringBuilder(day.about.get("machine"));
        day.about.forEach((name, value) -> {
            if (name.startsWith("JDK") || PYTHON.contains(name) || name.equals("Python")) {
                text.append("; ").append(name.startsWith("JDK") ? "JDK" : name).append(' ').append(value);
            }
        });
        return text.toString();
    }

    /** Over days and runtimes. */
    private static List<Double> values(List<Day> days, String pattern, int n, Predicate<String> runtimes,
            ToDoubleFunction<List<Sample>> of) {
        return days.stream().flatMap(day -> day.cells.keySet().stream()
                .filter(cell -> cell.pattern.equals(pattern) && cell.n == n && runtimes.test(cell.runtime))
                .map(cell -> of.applyAsDouble(day.cells.get(cell)))).filter(value -> value > 0).toList();
    }

    /** How many times asyncio's: each compared with what it was on its own day. */
    private static List<Double> ratios(List<Day> days, String pattern, int n, ToDoubleFunction<List<Sample>> of) {
        var ratios = new ArrayList<Double>();
        for (Day day : days) {
            double asyncio = of.applyAsDouble(day.cells.get(new Cell(pattern, n, "asyncio")));
            values(List.of(day), pattern, n, Compare::isExamples, of).stream().filter(value -> asyncio > 0)
                    .forEach(value -> ratios.add(asyncio / value));
        }
        return ratios;
    }

    private static TreeSet<Integer> sizes(List<Day> days, String pattern) {
        var sizes = new TreeSet<Integer>();
        days.forEach(day -> day.cells.keySet().stream().filter(cell -> cell.pattern.equals(pattern))
                .forEach(cell -> sizes.add(cell.n)));
        return sizes;
    }

    private static int compared(List<Day> days, String pattern) {
        Integer size = sizes(days, pattern).floor(HEADLINE);
        return size == null ? sizes(days, pattern).first() : size;
    }

    /** @param page without what the reference page has no room for */
    private static String shortTable(List<Day> days, boolean page) {
        var text = new StringBuilder(page
                ? "| | asyncio | uvloop | Java, steady | times asyncio: first call | steady |\n"
                : "| milliseconds | tasks | asyncio | uvloop | Java: first call | first second | steady | times asyncio: "
                + "first call | first second | steady |\n|---|---|---|---|");
        text.append(page ? "|---|---|---|---|---|---|\n" : "---|---|---|---|---|---|\n");
        var ofs = List.<ToDoubleFunction<List<Sample>>>of(Compare::first, Compare::second, Compare::steady);
        for (String pattern : PATTERNS.keySet()) {
            if (sizes(days, pattern).isEmpty() || page && pattern.equals("http-client")) { // the JDK's own
                continue;
            }
            int n = compared(days, pattern);
            var cells = new ArrayList<List<Double>>();
            cells.add(values(days, pattern, n, "asyncio"::equals, Compare::steady));
            cells.add(values(days, pattern, n, "uvloop"::equals, Compare::steady));
            ofs.subList(page ? 2 : 0, 3).forEach(of -> cells.add(values(days, pattern, n, Compare::isExamples, of)));
            (page ? List.of(ofs.get(0), ofs.get(2)) : ofs).forEach(of -> cells.add(ratios(days, pattern, n, of)));
            text.append(page ? "| " + pattern + ": " + BRIEFLY.get(pattern) + " |" : Machine.format("| %s: %s | %,d |",
                    pattern, PATTERNS.get(pattern).replaceAll(" \\(.*", ""), n));
            boolean warm = pattern.equals("http-server"); // its load generator is cold, too
            boolean uvloop = days.stream().anyMatch(day -> day.cells.containsKey(new Cell(pattern, n, "uvloop")));
            var steady = page ? List.of(0, 1, 2, 4) : List.of(0, 1, 4, 7);
            for (int i = 0; i < cells.size(); i++) {
                boolean none = cells.get(i).isEmpty() && (warm && !steady.contains(i) || !uvloop && i == 1);
                text.append(' ').append(none ? "" : Machine.range(cells.get(i))).append(" |");
            }
            text.append('\n');
        }
        text.append("\nFrom the least to the most of the JDKs").append(days.size() > 1 ? " and days" : "").append(
                ". First call: in a new process; steady: the medians of successive windows agree, after ")
                .append(Machine.range(after(days))).append(" s (Java).");
        int most = sizes(days, "parked").isEmpty() ? 0 : sizes(days, "parked").last();
        if (most > HEADLINE) {
            text.append(Machine.format(" `parked` with %,d tasks, peak MB: asyncio %s, Java %s.", most,
                    Machine.range(values(days, "parked", most, "asyncio"::equals, Compare::peak)),
                    Machine.range(values(days, "parked", most, Compare::isExamples, Compare::peak))));
        }
        text.append(' ').append(page ? days.stream().map(day -> Machine.day(day.about)).collect(Collectors.joining(
                " and ")) + ", " + days.getLast().about.get("machine").replaceAll("\\),.*", ")") : conditions(days));
        return text.append(".\n").toString();
    }

    private static List<Double> after(List<Day> days) {
        return days.stream().flatMap(day -> day.cells.values().stream()).flatMap(List::stream)
                .filter(sample -> sample.isSteady() && isExamples(sample.cell.runtime) && sample.after > 0)
                .map(Sample::after).toList();
    }

    private static String table(List<Day> days) {
        var text = new StringBuilder(Machine.format("""
                # Java, asyncio and uvloop

                Written by `java bench/Bench.java asyncio`; do not edit. Java: the files of `examples/` as they are, default
                JVM options; naive: a virtual-thread-per-task executor and futures. Every measurement is a process of its
                own: its first run, the mean of the runs begun in its first second, and the median once the medians of
                successive windows agree to 15 %%. "Not steady": they did not within %s s, or others used more than a tenth
                of the machine. CPU is user and system time of all threads (JIT and GC too) a run, memory is the process's
                peak (VmHWM); the JVM takes memory it does not need while the machine has it.

                ![time and memory over the number of tasks](asyncio.svg)

                %s""", LIMIT_SECONDS, shortTable(days, false)));
        for (Day day : days.reversed()) {
            text.append("\n## ").append(conditions(day)).append("""


                    | pattern | tasks | runtime | ms: first call | first second | steady | after s | CPU ms | peak MB | times asyncio, steady |
                    |---|---|---|---|---|---|---|---|---|---|
                    """);
            day.cells.forEach((cell, samples) -> {
                double asyncio = steady(day.cells.get(new Cell(cell.pattern, cell.n, "asyncio")));
                double steady = steady(samples);
                text.append(Machine.format("| %s | %,d | %s | %s | %s | %s | %s | %s | %s | %s |%n", cell.pattern, cell.n,
                        name(cell.runtime), figure(first(samples)), figure(second(samples)),
                        steady > 0 ? Machine.number(steady) : Machine.NOT_STEADY_TEXT,
                        figure(median(samples, Sample::isSteady, Sample::after)),
                        figure(median(samples, Sample::isSteady, Sample::cpu) / 1e6), figure(peak(samples)),
                        steady > 0 && asyncio > 0 ? Machine.number(asyncio / steady) : ""));
            });
        }
        return text.toString();
    }

    private static String figure(double value) {
        return value > 0 ? Machine.number(value) : "";
    }

    // the picture: a panel for each pattern, both axes logarithmic

    private static final int WIDTH = 250;
    private static final int HEIGHT = 170;
    private static final int LEFT = 46;
    private static final Map<String, String> COLOURS = Map.of("asyncio", "#d55e00", "uvloop", "#e69f00", "21",
            "#56b4e9",
            "25", "#0072b2", "26", "#7b68c8", "27", "#009e73");

    private static String picture(Day day) {
        var cells = day.cells;
        var panels = new ArrayList<String>();
        for (String pattern : PATTERNS.keySet()) {
            if (!pattern.startsWith("http") && !sizes(List.of(day), pattern).isEmpty()) {
                panels.add(panel(cells, pattern, pattern + ", ms", Compare::steady));
            }
        }
        if (!sizes(List.of(day), "parked").isEmpty()) {
            panels.add(panel(cells, "parked", "parked, peak MB", Compare::peak));
        }
        int columns = Math.min(4, Math.max(3, panels.size())); // wide enough for the legend
        int width = 20 + columns * (WIDTH + 20);
        int height = 80 + (panels.size() + columns - 1) / columns * (HEIGHT + 60);
        var svg = new StringBuilder(Machine.format("""
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
            svg.append(Machine.format("<path d=\"M%d 43h22\" stroke=\"%s\" stroke-width=\"3\"/>", x,
                    COLOURS.getOrDefault(runtime, "#888")));
            svg.append(text(x + 28, 47, "start", name(runtime)));
            x += 105;
        }
        for (int i = 0; i < panels.size(); i++) {
            svg.append(Machine.format("<g transform=\"translate(%d %d)\">%n%s</g>%n", 20 + i % columns * (WIDTH + 20),
                    80 + i / columns * (HEIGHT + 60), panels.get(i)));
        }
        return svg.append(Machine.format("<text class=\"ink\" x=\"20\" y=\"%d\" font-size=\"10\">%s</text>%n</svg>%n",
                height - 8, conditions(day)))
                .toString();
    }

    private static List<String> lines(Map<Cell, List<Sample>> cells) {
        return cells.keySet().stream().map(Cell::runtime).distinct()
                .filter(runtime -> !runtime.endsWith("-naive") && !runtime.equals("uvloop")).toList();
    }

    private static String text(double x, double y, String anchor, String text) {
        return Machine.format("<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n", x, y, anchor, text);
    }

    private static String panel(Map<Cell, List<Sample>> cells, String pattern, String title,
            ToDoubleFunction<List<Sample>> of) {
        var sizes = new ArrayList<>(sizes(List.of(new Day(Map.of(), cells)), pattern));
        var logs = new TreeSet<Double>();
        cells.forEach((cell, samples) -> {
            double value = of.applyAsDouble(samples);
            if (cell.pattern.equals(pattern) && lines(cells).contains(cell.runtime) && value > 0) {
                logs.add(Math.log10(value));
            }
        });
        if (logs.isEmpty()) {
            return Machine.format("<text class=\"ink\" x=\"%d\" y=\"-6\">%s: %s</text>%n", LEFT, title,
                    Machine.NOT_STEADY_TEXT);
        }
        double low = Math.floor(logs.first());
        double high = Math.max(low + 1, Math.ceil(logs.last()));
        double first = Math.log10(sizes.getFirst());
        double last = Math.max(first + 1, Math.log10(sizes.getLast()));
        DoubleUnaryOperator x = n -> LEFT + (Math.log10(n) - first) / (last - first) * (WIDTH - LEFT);
        DoubleUnaryOperator y = value -> HEIGHT - (Math.log10(value) - low) / (high - low) * HEIGHT;
        var svg = new StringBuilder(Machine.format("<text class=\"ink\" x=\"%d\" y=\"-6\" font-weight=\"bold\">%s</text>%n",
                LEFT, title));
        for (double power = low; power <= high; power++) {
            double value = Math.pow(10, power);
            svg.append(Machine.format("<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, y.applyAsDouble(value), WIDTH));
            svg.append(text(LEFT - 5, y.applyAsDouble(value) + 4, "end",
                    Machine.format(value < 0.1 ? "%.2f" : value < 1 ? "%.1f" : "%,.0f", value)));
        }
        for (int n : sizes) {
            svg.append(Machine.format("<path class=\"grid\" d=\"M%.1f 0V%d\"/>", x.applyAsDouble(n), HEIGHT));
            svg.append(text(x.applyAsDouble(n), HEIGHT + 16, x.applyAsDouble(n) > WIDTH - 10 ? "end" : "middle",
                    n >= 1_000_000 ? n / 1_000_000 + "M" : n >= 1_000 ? n / 1_000 + "k" : "" + n));
        }
        svg.append(Machine.format("<rect class=\"frame\" x=\"%d\" y=\"0\" width=\"%d\" height=\"%d\"/>%n", LEFT, WIDTH - LEFT,
                HEIGHT));
        for (String runtime : lines(cells)) {
            String colour = COLOURS.getOrDefault(runtime, "#888");
            var points = new StringBuilder();
            var dots = new StringBuilder();
            for (int n : sizes) {
                var samples = cells.get(new Cell(pattern, n, runtime));
                if (of.applyAsDouble(samples) > 0) {
                    double px = x.applyAsDouble(n);
                    double py = y.applyAsDouble(of.applyAsDouble(samples));
                    points.append(Machine.format("%.1f,%.1f ", px, py));
                    dots.append(Machine.format("<circle r=\"3\" fill=\"%s\" cx=\"%.1f\" cy=\"%.1f\"/>", colour, px, py));
                }
            }
            svg.append(Machine.format("<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\" points=\"%s\"/>%s%n", colour,
                    points.toString().strip(), dots));
        }
        return svg.toString();
    }
}
