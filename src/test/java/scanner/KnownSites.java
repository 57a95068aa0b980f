package scanner;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import com.sun.source.tree.BlockTree;
import com.sun.source.tree.LambdaExpressionTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.SynchronizedTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import scanner.findings.Finding;
import scanner.project.Source;

/**
 * How many of the sites in {@code known-sites.tsv} and {@code application-sites.tsv} the scanner finds before their
 * fix, and of those how many are gone after it.
 *
 * <p>Run by hand. Arguments: trees named {@code REPOSITORY-BEFORE}, with the tree of the fix beside each as {@code
 * REPOSITORY-BEFORE-fixed}; the {@code README.md} next to the sites says how to get them. {@code -v} lists every site
 * with what was found, {@code -developed} and {@code -aside} take the application sites of that set only.
 */
public final class KnownSites {

    private static final int RELEASE = 21;
    private static final int NEAR = 3;
    private static final String NOT_SCANNED =
            "(?!(.*/)?src/main/)(.*/)?(module-info\\.java|(test|tests|jmh|testFixtures|it)/.*)";

    /** Which rules answer for which kind of site; a kind that is not here has no rule. */
    private static final Map<String, Set<String>> RULES = Map.ofEntries(
            Map.entry("monitor", Set.of("blocking-under-monitor", "blocking-under-lock")),
            Map.entry("initializer", Set.of("blocking-in-class-initializer")),
            Map.entry("event-loop", Set.of("blocking-on-event-loop", "blocking-in-callback", "blocking-in-reactive",
                    "blocking-in-nonblocking")),
            Map.entry("callback", Set.of("blocking-in-callback", "blocking-on-event-loop",
                    "blocking-on-common-pool", "blocking-on-timer-thread", "blocking-in-nonblocking")),
            Map.entry("reactive", Set.of("blocking-in-reactive", "blocking-on-event-loop", "blocking-in-callback",
                    "blocking-in-nonblocking")),
            Map.entry("common-pool", Set.of("blocking-on-common-pool", "blocking-in-fork-join-task",
                    "blocking-in-parallel-stream")),
            Map.entry("timer", Set.of("blocking-on-timer-thread")),
            Map.entry("ui", Set.of("blocking-on-ui-thread")),
            Map.entry("pool-deadlock", Set.of("pool-waits-for-itself")),
            Map.entry("compute", Set.of("compute-changes-its-map", "blocking-in-compute")),
            Map.entry("parallel-stream", Set.of("blocking-in-parallel-stream")),
            Map.entry("interrupt", Set.of("swallowed-interrupt", "interrupt-not-restored")),
            Map.entry("interrupt-wrapped", Set.of("interrupt-not-restored")),
            Map.entry("lock", Set.of("blocking-under-lock")),
            Map.entry("compute-if-absent", Set.of("lock-order-in-compute")),
            Map.entry("wait-no-timeout", Set.of("wait-without-timeout")),
            Map.entry("executor-leak", Set.of("executor-never-closed", "http-client-per-call")),
            Map.entry("schedule", Set.of("periodic-task-unguarded")),
            Map.entry("permit", Set.of("permit-not-released")),
            Map.entry("negative", Set.of("blocking-under-monitor")));

    private record Site(String repository, String before, String file, int line, String kind, String what,
            String set) {
    }

    private record Span(int from, int to) {

        boolean has(int line) {
            return from <= line && line <= to;
        }
    }

    /**
     * A source file. @param regions synchronized blocks, lambdas, methods and static initialisers, outer before inner.
     */
    private record Text(List<String> lines, List<Span> regions, Map<String, List<Span>> methods) {

        String text(int line) {
            return line <= lines.size() ? lines.get(line - 1).strip() : "";
        }

        Span innermost(int line) {
            var self = new Span(line, line);
            return regions.stream().filter(region -> region.has(line)).reduce(self, (outer, inner) -> inner);
        }

        Optional<String> method(int line) {
            return methods.keySet().stream().filter(name -> methods.get(name).stream().anyMatch(span -> span.has(line)))
                    .findFirst();
        }
    }

    /** @param near found within a few lines, not only around the site. @param gone the tree of the fix is rid of it. */
    private record Answer(Optional<Finding> found, boolean near, boolean gone) {
    }

    private record Outcome(Site site, Answer plain, Answer deep) {
    }

    private KnownSites() {
    }

    public static void main(String[] args) throws IOException {
        List<String> trees = Arrays.stream(args).filter(arg -> !arg.startsWith("-")).toList();
        List<String> options = Arrays.stream(args).filter(arg -> arg.startsWith("-")).toList();
        if (trees.isEmpty()) {
            System.err.println("usage: KnownSites [-v] [-developed|-aside] REPOSITORY-BEFORE..."
                    + "  (beside each REPOSITORY-BEFORE-fixed)");
            System.exit(2);
        }
        List<Site> sites = Stream.concat(sites("known-sites.tsv", 8), sites("application-sites.tsv", 7))
                .filter(site -> options.stream().allMatch(set -> set.equals("-v") || set.equals("-" + site.set)))
                .toList();
        var outcomes = new ArrayList<Outcome>();
        for (String tree : trees) {
            Path root = Path.of(tree).toAbsolutePath().normalize();
            List<Site> here = sites.stream().filter(site -> isTreeOf(root, site)).toList();
            if (here.isEmpty()) {
                System.err.println(tree + ": no known site was in a tree of this name");
            } else {
                outcomes.addAll(judge(root, here));
            }
        }
        if (options.contains("-v")) {
            outcomes.forEach(KnownSites::list);
        }
        table("repository", outcomes, Site::repository);
        table("kind", outcomes, Site::kind);
        table("dispatch or set", outcomes, Site::set);
        System.out.println();
        for (Outcome o : outcomes) {
            if (o.site.kind.equals("negative")) {
                System.out.printf("does not block, %s: %s:%d%n", o.plain.found.isPresent() ? "REPORTED"
                        : o.deep.found.isPresent() ? "reported by --deep" : "not reported", o.site.file, o.site.line);
            }
        }
    }

    private static boolean isTreeOf(Path root, Site site) {
        String name = root.getFileName().toString();
        String repository = site.repository.substring(site.repository.indexOf('/') + 1) + "-";
        return name.startsWith(repository) && name.length() > repository.length() + 5
                && site.before.startsWith(name.substring(repository.length()));
    }

    private static List<Outcome> judge(Path root, List<Site> sites) throws IOException {
        Path fixed = root.resolveSibling(root.getFileName() + "-fixed");
        List<List<Finding>> before = List.of(scan(root, false), scan(root, true));
        boolean hasFix = Files.isDirectory(fixed);
        List<List<Finding>> after = hasFix ? List.of(scan(fixed, false), scan(fixed, true)) : List.of(List.of(),
                List.of());
        var outcomes = new ArrayList<Outcome>();
        for (Site site : sites) {
            Text source = source(root.resolve(site.file));
            Span span = source.innermost(site.line);
            Path fixedFile = fixed.resolve(site.file);
            Text repaired = Files.exists(fixedFile) ? source(fixedFile) : new Text(List.of(), List.of(), Map.of());
            var answers = new ArrayList<Answer>();
            for (int level = 0; level < 2; level++) {
                Optional<Finding> found = before.get(level).stream()
                        .min(Comparator.comparingInt(f -> distance(f, site, span)))
                        .filter(f -> distance(f, site, span) < Integer.MAX_VALUE);
                List<Finding> still = after.get(level);
                boolean near = found.filter(f -> distance(f, site, span) <= NEAR).isPresent();
                boolean gone = found
                        .filter(f -> still.stream().noneMatch(g -> same(f, source, g, repaired, site, span)))
                        .isPresent();
                answers.add(new Answer(found, near, hasFix && gone));
            }
            outcomes.add(new Outcome(site, answers.get(0), answers.get(1)));
        }
        return outcomes;
    }

    /**
     * Lines between the site and the nearest place the finding names; MAX_VALUE if none is near it or in what encloses
     * it.
     */
    private static int distance(Finding finding, Site site, Span span) {
        return RULES.getOrDefault(site.kind, Set.of()).contains(finding.rule())
                ? lines(finding, site.file).filter(line -> Math.abs(line - site.line) <= NEAR || span.has(line))
                .map(line -> Math.abs(line - site.line)).min().orElse(Integer.MAX_VALUE) : Integer.MAX_VALUE;
    }

    private static IntStream lines(Finding finding, String file) {
        Stream<Finding.Place> chain = finding.chain().stream().map(Finding.Step::place);
        return Stream.of(Stream.of(finding.place()), finding.alsoAt().stream().map(Finding.Step::place), chain)
                .flatMap(places -> places)
                .filter(Objects::nonNull).filter(place -> place.file().equals(file)).mapToInt(Finding.Place::line);
    }

    /**
     * Whether a finding in the repaired tree names the statement by which {@code found} was near the site: same text,
     * same method.
     */
    private static boolean same(Finding found, Text source, Finding other, Text repaired, Site site, Span span) {
        int line = lines(found, site.file).filter(at -> Math.abs(at - site.line) <= NEAR || span.has(at)).boxed()
                .min(Comparator.comparingInt(at -> Math.abs(at - site.line))).orElseThrow();
        return other.rule().equals(found.rule()) && lines(other, site.file).anyMatch(at ->
                repaired.text(at).equals(source.text(line)) && repaired.method(at).equals(source.method(line)));
    }

    private static List<Finding> scan(Path tree, boolean deep) throws IOException {
        Path root = tree.toRealPath();
        try (Stream<Path> files = Files.walk(root)) {
            List<Source> sources = files.filter(file -> file.toString().endsWith(".java"))
                    .map(file -> new Source(file, root.relativize(file).toString().replace('\\', '/'), 0))
                    .filter(source -> !source.name().matches(NOT_SCANNED))
                    .sorted(Comparator.comparing(Source::name)).toList();
            long start = System.nanoTime();
            var request = new Analysis.Request(sources, RELEASE, deep, Set.of(), List.of(), step -> { });
            Analysis.Result result = Analysis.run(request);
            System.err.printf("%s%s: %d files, %d findings, %d problems, %.1f s%n", tree.getFileName(),
                    deep ? " --deep" : "", sources.size(), result.findings().size(), result.problems().size(),
                    (System.nanoTime() - start) / 1e9);
            return result.findings();
        }
    }

    private static Text source(Path file) throws IOException {
        var compiler = ToolProvider.getSystemJavaCompiler();
        try (var manager = compiler.getStandardFileManager(null, null, null)) {
            var task = (JavacTask) compiler.getTask(null, manager, problem -> { }, List.of("-proc:none"), null,
                    manager.getJavaFileObjects(file));
            var unit = task.parse().iterator().next();
            SourcePositions positions = Trees.instance(task).getSourcePositions();
            String text = unit.getSourceFile().getCharContent(true).toString();
            var source = new Text(text.lines().toList(), new ArrayList<>(), new LinkedHashMap<>());
            new TreeScanner<Void, Void>() {
                @Override
                public Void scan(Tree tree, Void none) {
                    if (tree instanceof MethodTree || tree instanceof LambdaExpressionTree
                            || tree instanceof SynchronizedTree || tree instanceof BlockTree block
                            && block.isStatic()) {
                        var span = new Span(line(positions.getStartPosition(unit, tree)),
                                line(positions.getEndPosition(unit, tree)));
                        source.regions.add(span);
                        if (tree instanceof MethodTree method) {
                            String name = method.getName().toString();
                            source.methods.computeIfAbsent(name, unused -> new ArrayList<>()).add(span);
                        }
                    }
                    return super.scan(tree, none);
                }

                private int line(long position) {
                    return (int) unit.getLineMap().getLineNumber(position);
                }
            }.scan(unit, null);
            return source;
        }
    }

    private static Stream<Site> sites(String file, int set) throws IOException {
        try (var in = KnownSites.class.getResourceAsStream("/scanner/" + file)) {
            Objects.requireNonNull(in, "scanner/" + file + " is not on the class path");
            return new String(in.readAllBytes(), UTF_8).lines().skip(1).map(row -> row.split("\t"))
                    .map(column -> new Site(column[0], column[1], column[3], Integer.parseInt(column[4]), column[5],
                            column[6], column[set])).toList().stream();
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
            throw new IOException(file + ": a row has too few columns, or the fifth is no number", e);
        }
    }

    private static void list(Outcome outcome) {
        Site site = outcome.site;
        String by = outcome.deep.found.or(() -> outcome.plain.found)
                .map(f -> " | " + f.rule() + " " + f.place().line() + " " + f.chain().getLast().what()).orElse("");
        System.out.printf("%-8s %-8s %s %s:%d  %s (%s)%s%n", word(outcome.plain), word(outcome.deep), site.repository,
                site.file, site.line, site.kind, site.what, by);
    }

    private static String word(Answer answer) {
        return answer.found.isEmpty() ? "-" : answer.gone ? "gone" : "found";
    }

    private static void table(String title, List<Outcome> outcomes, Function<Site, String> by) {
        List<Outcome> real = outcomes.stream().filter(o -> !o.site.kind.equals("negative")).toList();
        System.out.printf("%n%-34s %5s | %8s %5s %5s | %8s %5s %5s%n", title, "sites", "default", "near", "gone",
                "--deep", "near", "gone");
        real.stream().collect(groupingBy(o -> by.apply(o.site), TreeMap::new, toList())).forEach(KnownSites::row);
        row("all", real);
        row("all of a kind that has a rule", real.stream().filter(o -> RULES.containsKey(o.site.kind)).toList());
    }

    private static void row(String name, List<Outcome> outcomes) {
        System.out.printf("%-34s %5d | %s | %s%n", name, outcomes.size(),
                counts(outcomes.stream().map(Outcome::plain).toList()), counts(outcomes.stream().map(Outcome::deep)
                        .toList()));
    }

    private static String counts(List<Answer> answers) {
        long found = answers.stream().filter(answer -> answer.found.isPresent()).count();
        return "%3d %3d%% %5d %5d".formatted(found, answers.isEmpty() ? 0 : found * 100 / answers.size(),
                answers.stream().filter(Answer::near).count(), answers.stream().filter(Answer::gone).count());
    }
}
