import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the benchmarks share: the JDKs there are, processes, and whether somebody else uses the machine. */
final class Machine {

    /** Of the machine's CPU time, by others, while something is measured: above it a figure is none. */
    static final double NOISE = 0.10;
    static final int FAILED = 1;
    static final int CANNOT_RUN = 2;
    static final int NOT_STEADY = 3;
    static final int SLOWER = 4;
    static final String NOT_STEADY_TEXT = "not steady";
    static final Path RESULTS = Path.of("bench/results");
    private static final long TICK = 10_000_000;

    /** Cannot run: the reason, one line. */
    static final class Refusal extends Exception {
        private static final long serialVersionUID = 1;

        Refusal(String message) {
            super(message);
        }
    }

    /** A process's line of figures, with how much of the machine others used while it ran. */
    record Answer(String[] fields, double others) {
        double number(int index) {
            return Double.parseDouble(fields[index]);
        }
    }

    interface Command {
        /** @return the exit code */
        int run() throws Exception;
    }

    interface Pages {
        /** From the figures of all days that are in {@code out}. @return the exit code */
        int write(Path out) throws Exception;
    }

    private Machine() {
    }

    /** Measures, or only writes the pages anew, for figures that came from elsewhere. */
    static void main(String name, String[] args, Command measure, Pages pages) throws Exception {
        main(name, () -> {
            if (!List.of(args).equals(List.of("pages"))) {
                return measure.run();
            }
            if (days(RESULTS, name).isEmpty()) {
                throw new Refusal(RESULTS + " has no " + name + "-DATE.tsv; java bench/Bench.java " + name
                        + " measures");
            }
            return pages.write(RESULTS);
        });
    }

    static void main(String name, Command command) throws Exception {
        try {
            System.exit(command.run());
        } catch (Refusal e) {
            System.err.println(name + ": " + e.getMessage());
            System.exit(CANNOT_RUN);
        } catch (IOException e) {
            System.err.println(name + ": " + e.getMessage());
            System.exit(FAILED);
        }
    }

    /** What Bench found: feature version and home. */
    static SortedMap<Integer, Path> jdks() {
        var homes = new TreeMap<Integer, Path>();
        for (String entry : System.getProperty("bench.jdks").split(File.pathSeparator)) {
            homes.put(Integer.valueOf(entry.substring(0, entry.indexOf('='))),
                    Path.of(entry.substring(entry.indexOf('=') + 1)));
        }
        return homes;
    }

    /** The one named, or the newest. */
    static Path jdk(String feature) throws Refusal {
        var jdks = jdks();
        Path home = feature.isEmpty() ? jdks.get(jdks.lastKey())
                : jdks.entrySet().stream().filter(jdk -> feature.equals("" + jdk.getKey())).map(Map.Entry::getValue)
                .findFirst().orElse(null);
        if (home == null) {
            throw new Refusal("--jdk " + feature + ": found only " + jdks.keySet());
        }
        return home;
    }

    static String tool(Path home, String name) {
        return home.resolve("bin").resolve(name).toString();
    }

    /** The source roots of the examples in {@code root}: one a topic; and the service's. */
    static String sources(Path root) throws IOException {
        try (var folders = Files.list(root.resolve("examples"))) {
            return Stream.concat(folders.filter(Files::isDirectory).map(Path::toString).sorted(),
                    Stream.of(root.resolve("assets/service/src/main/java").toString()))
                    .collect(Collectors.joining(File.pathSeparator));
        }
    }

    /** Runs it to its end, and returns what it prints. */
    static String output(List<String> command, Map<String, String> environment) throws IOException,
            InterruptedException {
        return output(command, environment, ProcessBuilder.Redirect.INHERIT);
    }

    /** @param errors where they go */
    static String output(List<String> command, Map<String, String> environment, ProcessBuilder.Redirect errors)
            throws IOException, InterruptedException {
        var builder = new ProcessBuilder(command).redirectError(errors);
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

    /**
     * The same for a process that prints one line of figures.
     *
     * @param helpers at work for it, and still running
     */
    static Answer measure(List<String> command, Map<String, String> environment, ProcessHandle... helpers)
            throws IOException, InterruptedException {
        var load = new Load(helpers);
        return new Answer(output(command, environment).strip().split("\t"), load.others());
    }

    /** What others do with the machine from now on: not this process, its helpers, nor a child that has ended. */
    static final class Load {
        private final ProcessHandle[] helpers;
        private final long start = System.nanoTime();
        private final long busy;
        private final long own;

        Load(ProcessHandle... helpers) throws IOException {
            this.helpers = helpers;
            this.busy = busyNanos();
            this.own = ownNanos();
        }

        /** Their share of its CPU time until now; 0 where there is no /proc. */
        double others() throws IOException {
            double all = (System.nanoTime() - start) * (double) Runtime.getRuntime().availableProcessors();
            return busy == 0 ? 0 : Math.max(0, (busyNanos() - busy - (ownNanos() - own)) / all);
        }

        private long ownNanos() throws IOException {
            String[] fields = lineOf("/proc/self/stat", "").replaceFirst(".*\\) ", "").split(" ");
            long children = fields.length < 15 ? 0 : (Long.parseLong(fields[13]) + Long.parseLong(fields[14])) * TICK;
            return Steady.cpuNanos() + children + Stream.of(helpers).mapToLong(helper -> helper.info()
                    .totalCpuDuration().map(Duration::toNanos).orElse(0L)).sum();
        }
    }

    /** All processors together, since the start; 0 where there is no /proc. */
    private static long busyNanos() throws IOException {
        String[] fields = lineOf("/proc/stat", "cpu ").trim().split("\\s+");
        long ticks = 0;
        for (int i : fields.length < 9 ? new int[0] : new int[] {1, 2, 3, 6, 7, 8}) { // not idle, not waiting
            ticks += Long.parseLong(fields[i]);
        }
        return ticks * TICK;
    }

    static Map<String, String> about() throws IOException {
        var about = new LinkedHashMap<String, String>();
        String cpu = lineOf("/proc/cpuinfo", "model name").replaceFirst(".*: ", "");
        String memory = lineOf("/proc/meminfo", "MemTotal").replaceAll("\\D", "");
        String system = lineOf("/etc/os-release", "PRETTY_NAME").replaceAll("PRETTY_NAME=|\"", "");
        about.put("date", Instant.now().toString().substring(0, 16).replace('T', ' ') + " UTC");
        about.put("machine", Runtime.getRuntime().availableProcessors() + " cores"
                + (cpu.isEmpty() ? "" : " (" + cpu + ")")
                + (memory.isEmpty() ? "" : ", " + (Long.parseLong(memory) + 524_288) / 1_048_576 + " GB")
                + ", " + (system.isEmpty() ? System.getProperty("os.name") : system));
        about.put("load average before", lineOf("/proc/loadavg", "").replaceFirst(" .*", ""));
        return about;
    }

    /** The day of {@link #about}, as in the names of the files. */
    static String day(Map<String, String> about) {
        return about.get("date").substring(0, 10);
    }

    /** One {@code NAME-DATE.tsv}: when and where it was measured, and its lines. */
    record Day(Map<String, String> about, List<String[]> rows) {
        String date() {
            return day(about);
        }
    }

    /** Those of this command, the earliest first: other days, other machines. */
    static List<Day> days(Path out, String name) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(out)) {
            files = all.filter(file -> file.getFileName().toString().matches(name + "-[-\\d]+\\.tsv")).sorted()
                    .toList();
        }
        var days = new ArrayList<Day>();
        for (Path file : files) {
            var day = new Day(new LinkedHashMap<>(), new ArrayList<>());
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith("# ")) {
                    day.about.put(line.substring(2, line.indexOf('\t')), line.substring(line.indexOf('\t') + 1));
                } else {
                    day.rows.add(line.split("\t"));
                }
            }
            days.add(day);
        }
        return days;
    }

    /** The lines of all days that begin with these columns. */
    static List<String[]> rows(List<Day> days, String... first) {
        return days.stream().flatMap(day -> day.rows.stream())
                .filter(row -> List.of(row).subList(0, first.length).equals(List.of(first))).toList();
    }

    /** What was measured on the day of {@code about}. */
    static Path file(Path out, String name, Map<String, String> about) {
        return out.resolve(name + "-" + day(about) + ".tsv");
    }

    /** Writes it. @param columns what each line says */
    static void write(Path out, String name, Map<String, String> about, String columns, List<String> rows)
            throws IOException {
        var lines = new ArrayList<String>();
        about.forEach((key, value) -> lines.add("# " + key + "\t" + value));
        lines.add("# columns\t" + columns);
        lines.addAll(rows);
        Files.write(file(Files.createDirectories(out), name, about), lines);
    }

    /** When and where, a line for each day. @param more what else it depends on, keys of {@link #about} */
    static String conditions(List<Day> days, String... more) {
        var text = new StringBuilder(days.size() > 1 ? "From the least to the most of the days:\n\n" : "");
        for (Day day : days) {
            text.append(days.size() > 1 ? "- " : "").append(day.about.get("date")).append("; ")
                    .append(day.about.get("machine")).append("; JDK ").append(day.about.get("JDK"));
            for (String key : more) {
                text.append(day.about.containsKey(key) ? "; " + key + ": " + day.about.get(key) : "");
            }
            text.append("; load average before: ").append(day.about.get("load average before")).append(".\n");
        }
        return text.toString();
    }

    /** The same for a page, in a few words. */
    static String briefly(List<Day> days) {
        return days.stream().map(Day::date).collect(Collectors.joining(" and ")) + ", JDK "
                + days.stream().map(day -> day.about.get("JDK")).distinct().collect(Collectors.joining(" and ")) + ".";
    }

    static String version(Path jdk) throws IOException {
        return Files.readString(jdk.resolve("release")).replaceAll("(?s).*JAVA_VERSION=\"([^\"]+)\".*", "$1");
    }

    /** Which there are on the class path, with their versions. @param names with | between them */
    static String jars(String names) {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(jar -> Path.of(jar).getFileName().toString())
                .filter(jar -> jar.matches("(" + names + ")-\\d.*"))
                .map(jar -> jar.replace(".jar", "")).collect(Collectors.joining(", "));
    }

    static int feature(Path jdk) throws IOException {
        return Integer.parseInt(version(jdk).replaceFirst("\\D.*", ""));
    }

    /**
     * The lines of a file of the same day that are about something else than what is measured now.
     *
     * @param first  the first column: what is measured
     * @param alike  what the file's head has to say, such as machine and JDK: else nothing is kept
     */
    static List<String> kept(Path file, Collection<String> first, String... alike) throws IOException {
        var lines = Files.exists(file) ? Files.readAllLines(file) : List.<String>of();
        String head = lines.stream().filter(line -> line.startsWith("#")).collect(Collectors.joining("\n"));
        return Stream.of(alike).allMatch(head::contains) ? lines.stream().filter(line -> !line.startsWith("#")
                && !first.contains(line.substring(0, line.indexOf('\t')))).toList() : List.of();
    }

    /** Half of the machine's memory, for a JVM that is to hold a million of something. */
    static String heap() throws IOException {
        String memory = lineOf("/proc/meminfo", "MemTotal").replaceAll("\\D", "");
        return memory.isEmpty() ? "2g" : Long.parseLong(memory) / 2 + "k";
    }

    /** VmHWM of this process, or 0 where there is no /proc. */
    static long peakKilobytes() {
        try {
            String line = lineOf("/proc/self/status", "VmHWM").replaceAll("\\D", "");
            return line.isEmpty() ? 0 : Long.parseLong(line);
        } catch (IOException e) {
            return 0;
        }
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

    // writing

    static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    static String number(double value) {
        return format(value < 1 ? "%.2f" : value < 10 ? "%.1f" : "%,.0f", value);
    }

    /** {@code 3.1 to 4.0}, one number if they are the same as printed, or "not steady" if there is none. */
    static String range(List<Double> values) {
        return range(values, Machine::number);
    }

    static String range(List<Double> values, DoubleFunction<String> number) {
        if (values.isEmpty()) {
            return NOT_STEADY_TEXT;
        }
        String least = number.apply(values.stream().min(Double::compare).orElseThrow());
        String most = number.apply(values.stream().max(Double::compare).orElseThrow());
        return least.equals(most) ? least : least + " to " + most;
    }

    /** In lines of at most 120 columns. */
    static String wrapped(String text) {
        return text.replaceAll("(.{1,120})(?: |$)", "$1\n").strip();
    }

    /** Puts the text between the markers of a page, if the page has them. */
    static void publish(Path page, String marker, String text) throws IOException {
        String start = "<!-- " + marker + ": start -->\n";
        String before = Files.exists(page) ? Files.readString(page) : "";
        int from = before.indexOf(start);
        int to = before.indexOf("<!-- " + marker + ": end -->");
        if (from < 0 || to < from) {
            return;
        }
        Files.writeString(page, before.substring(0, from + start.length()) + "\n" + text.strip() + "\n\n"
                + before.substring(to));
        System.out.println("Updated: " + page);
    }

    /** Options that all have: {@code --out DIR} and {@code --minutes N}; what is left. */
    static List<String> options(String[] args, Map<String, String> options) throws Refusal {
        var left = new ArrayList<String>();
        for (int i = 0; i < args.length; i++) {
            if (!args[i].startsWith("--")) {
                left.add(args[i]);
            } else if (!options.containsKey(args[i]) || i + 1 == args.length) {
                throw new Refusal(args[i] + " is no option here, or has no value; --help lists them");
            } else {
                options.put(args[i], args[++i]);
            }
        }
        return left;
    }

    static double positive(Map<String, String> options, String option) throws Refusal {
        try {
            double value = Double.parseDouble(options.get(option));
            if (value > 0) {
                return value;
            }
        } catch (NumberFormatException e) {
            // refused below
        }
        throw new Refusal(option + " " + options.get(option) + ": must be a positive number");
    }

    static List<Integer> numbers(Map<String, String> options, String option) throws Refusal {
        try {
            return Stream.of(options.get(option).split(",")).map(Integer::valueOf).toList();
        } catch (NumberFormatException e) {
            throw new Refusal(option + " " + options.get(option) + ": must be numbers, with commas between them");
        }
    }

    static void none(List<String> words) throws Refusal {
        if (!words.isEmpty()) {
            throw new Refusal(words.getFirst() + " is no option here; --help lists them");
        }
    }
}
