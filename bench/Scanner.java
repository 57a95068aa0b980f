import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Seconds the scanner takes by lines of source: {@code java bench/Bench.java scanner}. The source is this repository's
 * own, as often as it takes, each time in packages of another name.
 */
final class Scanner {

    private static final List<String> ROOTS = List.of("examples", "scripts", "assets/service/src/main/java",
            "src/test/java");
    private static final List<Integer> LINES = List.of(100_000, 300_000, 1_000_000, 2_000_000, 3_000_000, 5_000_000);
    private static final Pattern OWN = Pattern.compile("(?m)^(package|import(?: static)?) "
            + "(?=(?:scanner|explorer|copier|harness|service)\\b)");
    private static final Pattern LINE = Pattern.compile("\n");
    private static final int RUNS = 3; // that have to agree
    private static final int MOST_RUNS = 6;
    private static final double SHORT = 10; // seconds: else once

    /** @param lines of the whole tree */
    private record Size(int lines, List<Double> seconds) { }

    private Scanner() {
    }

    public static void main(String[] args) throws Exception {
        Machine.main("scanner", args, () -> run(args), Scanner::pages);
    }

    private static int run(String[] args) throws Exception {
        var options = new LinkedHashMap<>(Map.of("--out", "bench/results", "--minutes", "2", "--jdk", "", "--lines",
                "" + LINES.getLast()));
        Machine.none(Machine.options(args, options));
        double minutes = Machine.positive(options, "--minutes");
        int most = Machine.numbers(options, "--lines").getFirst();
        if (most < 1) {
            throw new Machine.Refusal("--lines " + most + ": must be a positive number");
        }
        Path jdk = Machine.jdk(options.get("--jdk"));
        var about = Machine.about();
        about.put("JDK", Machine.version(jdk));
        Path tree = Files.createTempDirectory("scanned");
        var sizes = new ArrayList<Size>();
        long end = System.nanoTime() + (long) (minutes * 60e9);
        try {
            var sources = sources();
            int lines = 0;
            int copies = 0;
            for (int wanted : LINES.stream().map(n -> Math.min(n, most)).distinct().toList()) {
                while (lines < wanted) {
                    lines += copy(sources, tree.resolve("copy" + copies), "copy" + copies++, wanted - lines);
                }
                if (sizes.isEmpty()) {
                    scan(jdk, tree); // it compiles itself, and keeps that
                }
                var seconds = new ArrayList<Double>();
                do {
                    seconds.add(scan(jdk, tree));
                } while (seconds.getLast() < SHORT && seconds.size() < MOST_RUNS && !agree(seconds));
                sizes.add(new Size(lines, seconds));
                System.err.println(Machine.format("%,d lines: %s s", lines, seconds));
                int next = LINES.stream().filter(n -> n > wanted).findFirst().orElse(wanted);
                double estimate = Math.abs(seconds.getLast()) * next / wanted;
                if (System.nanoTime() + estimate * 1e9 > end && wanted < most) {
                    System.err.println("scanner: no time for more; --minutes gives it more");
                    break;
                }
            }
        } finally {
            delete(tree);
        }
        Path out = Path.of(options.get("--out"));
        Machine.write(out, "scanner", about, "lines; seconds of each run, negative: others used the machine",
                sizes.stream().map(size -> size.lines + "\t" + size.seconds.stream()
                        .map(seconds -> Machine.format("%.2f", seconds)).collect(Collectors.joining("\t"))).toList());
        return pages(out);
    }

    private static Map<String, String> sources() throws IOException {
        var sources = new LinkedHashMap<String, String>();
        for (String root : ROOTS) {
            try (Stream<Path> files = Files.walk(Path.of(root))) {
                for (Path file : files.filter(file -> file.toString().endsWith(".java")).sorted().toList()) {
                    sources.put(file.toString(), Files.readString(file));
                }
            }
        }
        return sources;
    }

    /** Whole files, until there are enough lines. Returns how many there are. */
    private static int copy(Map<String, String> sources, Path folder, String name, int enough) throws IOException {
        int lines = 0;
        for (var source : sources.entrySet()) {
            String text = OWN.matcher(source.getValue()).replaceAll("$1 " + name + ".");
            text = text.startsWith("package ") || text.contains("\npackage ") ? text : "package " + name + ";\n" + text;
            Path file = folder.resolve(source.getKey());
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
            lines += (int) LINE.matcher(text).results().count();
            if (lines >= enough) {
                break;
            }
        }
        return lines;
    }

    /** Seconds; negative: others used the machine meanwhile. */
    private static double scan(Path jdk, Path tree) throws Exception {
        var load = new Machine.Load();
        long start = System.nanoTime();
        var scan = new ProcessBuilder(Machine.tool(jdk, "java"), "scripts/FindBlockingCalls.java", "--release", "21",
                "" + tree).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        scan.environment().put("JAVA_HOME", "" + jdk);
        int code = scan.redirectError(ProcessBuilder.Redirect.DISCARD).start().waitFor();
        if (code > 1) { // 1: it has found something
            throw new IOException("the scanner ended with " + code);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        return load.others() > Machine.NOISE ? -seconds : seconds;
    }

    /** The last ones, and nobody else used the machine meanwhile. */
    private static boolean agree(List<Double> seconds) {
        var last = seconds.subList(Math.max(0, seconds.size() - RUNS), seconds.size()).stream().sorted().toList();
        return last.size() == RUNS && last.getFirst() > 0 && last.getLast() <= Steady.AGREE * last.getFirst();
    }

    private static void delete(Path tree) throws IOException {
        Files.walkFileTree(tree, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, IOException e) throws IOException {
                Files.delete(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static int pages(Path out) throws IOException {
        var days = Machine.days(out, "scanner");
        String text = table(days);
        Files.writeString(out.resolve("scanner.md"), "# The scanner by lines of source\n\n"
                + "Written by `java bench/Bench.java scanner`; do not edit. "
                + "This repository's own source, repeated under other package\nnames; the whole "
                + "command, compiled before.\n\n" + text + "\n" + Machine.conditions(days));
        System.out.println("\n" + text);
        return table(List.of(days.getLast())).contains(Machine.NOT_STEADY_TEXT) ? Machine.NOT_STEADY : 0;
    }

    /** By what was asked for: whole files make it some lines more. */
    private static String table(List<Machine.Day> days) {
        var figures = new TreeMap<Integer, List<Double>>();
        for (String[] row : days.stream().flatMap(day -> day.rows().stream()).toList()) {
            int lines = Integer.parseInt(row[0]);
            int asked = LINES.stream().filter(n -> n <= lines).max(Integer::compare).orElse(lines);
            var seconds = Stream.of(row).skip(1).map(Double::valueOf).toList();
            var last = seconds.subList(Math.max(0, seconds.size() - RUNS), seconds.size());
            var steady = figures.computeIfAbsent(asked, key -> new ArrayList<>());
            if (agree(seconds) || seconds.size() == 1 && last.getFirst() > 0) {
                steady.add(Steady.median(last));
            }
        }
        var head = new StringBuilder("| lines |");
        var text = new StringBuilder("| seconds |");
        figures.forEach((lines, seconds) -> {
            head.append(Machine.format(" %,d |", lines));
            text.append(' ').append(Machine.range(seconds)).append(" |");
        });
        return head + "\n|---|" + "---|".repeat(figures.size()) + "\n" + text + "\n";
    }
}
