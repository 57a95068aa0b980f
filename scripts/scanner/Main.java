package scanner;

import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import scanner.findings.Finding;
import scanner.findings.Rule;
import scanner.findings.Rules;
import scanner.project.Changes;
import scanner.project.Failure;
import scanner.project.ProjectSettings;
import scanner.project.Source;
import scanner.project.SourceTree;
import scanner.report.Baseline;
import scanner.report.GithubReport;
import scanner.report.JsonReport;
import scanner.report.Report;
import scanner.report.SarifReport;
import scanner.report.TextReport;
import scanner.source.Suppressions;

/** The command line: options in, report and exit code out. */
final class Main {

    static final int NOTHING_FOUND = 0;
    static final int FOUND = 1;
    static final int FAILED = 2;

    /** The target JDK where nothing says one: the first with virtual threads, so that nothing true there is missed. */
    private static final int DEFAULT_RELEASE = 21;

    private final Path cwd;
    private final PrintStream out;
    private final PrintStream err;
    private final Consumer<String> progress;
    private final Function<Analysis.Request, Analysis.Result> analysis;

    private Main(Path cwd, PrintStream out, PrintStream err, Consumer<String> progress,
                 Function<Analysis.Request, Analysis.Result> analysis) {
        this.cwd = cwd;
        this.out = out;
        this.err = err;
        this.progress = progress;
        this.analysis = analysis;
    }

    public static void main(String[] args) {
        System.exit(exitCode(args));
    }

    /** Also for {@link Setup}. */
    static int exitCode(String[] args) {
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        var err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        Consumer<String> progress = onTerminal() ? new Progress(err) : step -> { };
        return run(args, Path.of("").toAbsolutePath(), out, err, progress, Analysis::run);
    }

    /** Exit code 0, 1 or 2; {@code cwd} is what relative paths are relative to. */
    static int run(String[] args, Path cwd, PrintStream out, PrintStream err) {
        return run(args, cwd, out, err, step -> { }, Analysis::run);
    }

    static int run(String[] args, Path cwd, PrintStream out, PrintStream err, Consumer<String> progress,
                   Function<Analysis.Request, Analysis.Result> analysis) {
        var main = new Main(cwd, out, err, progress, analysis);
        int code;
        try {
            code = main.guarded(args);
        } catch (Failure e) {
            main.say(e.getMessage());
            code = FAILED;
        }
        if (out.checkError()) {
            main.say("the report could not be written whole to standard output: "
                    + "its disk is full or its reader (such as head) has ended");
            code = FAILED;
        }
        return code;
    }

    /** What goes wrong is one line that says how to get around it. */
    private int guarded(String[] args) throws Failure {
        try {
            return run(args);
        } catch (OutOfMemoryError e) {
            throw new Failure("out of memory at " + (Runtime.getRuntime().maxMemory() >> 20)
                    + " MB; scan fewer folders at a time, or allow more: JAVA_TOOL_OPTIONS=-Xmx4g");
        } catch (StackOverflowError e) {
            throw new Failure("some code is nested too deeply; scan less to find it");
        } catch (UncheckedIOException e) {
            throw new Failure(SourceTree.reason(e.getCause()));
        } catch (RuntimeException | Error e) {
            StackTraceElement[] trace = e.getStackTrace();
            throw new Failure("a bug in the scanner: " + String.valueOf(e).lines().findFirst().orElse("")
                    + (trace.length == 0 ? "" : " at " + trace[0])
                    + "; scan fewer folders at a time to get around it");
        } finally {
            progress.accept("");
        }
    }

    private int run(String[] args) throws Failure {
        Options options = Options.parse(args, cwd);
        switch (options.task()) {
            case HELP -> out.print(Options.HELP);
            case LIST_RULES -> Rules.all().forEach(rule -> out.printf("%-34s %-7s  %s  (%s)%n", rule.name(),
                    Report.name(rule.level()), rule.why(release(options, 0)), rule.jdks()));
            case EXPLAIN -> {
                Rule rule = Rules.named(options.topic()).orElse(null);
                if (rule == null) {
                    List<String> names = Rules.all().stream().map(Rule::name).toList();
                    throw new Failure("no rule is called " + options.topic()
                            + Options.suggestion(options.topic(), names) + " --list-rules has them all");
                }
                Path path = options.paths().get(0);
                Path folder = Files.isDirectory(path) ? path : path.getParent();
                out.print(rule.explain(release(options, new ProjectSettings().releaseIn(folder))));
            }
            case SCAN -> {
                return scan(options);
            }
        }
        return NOTHING_FOUND;
    }

    private int scan(Options options) throws Failure {
        if ((options.changed() || options.callers()) && options.writeBaseline() != null) {
            throw new Failure("--write-baseline lists every finding: leave out "
                    + (options.changed() ? "--changed" : "--with-callers"));
        }
        if (options.changed() && options.callers()) {
            throw new Failure("--changed asks git for the files, --with-callers is given them: leave out one");
        }
        for (Path catalogue : options.catalogues()) {
            if (!Files.isReadable(catalogue) || Files.isDirectory(catalogue)) {
                throw new Failure("cannot read the catalogue " + catalogue
                        + (Files.exists(catalogue) ? "" : ": no such file"));
            }
        }
        Baseline baseline = options.baseline() == null ? null : Baseline.read(options.baseline());
        long start = System.nanoTime();
        progress.accept("looking for Java files");
        SourceTree tree = SourceTree.of(options.callers() ? List.of(cwd) : options.paths(), cwd);
        tree.problems().forEach(this::say);
        if (tree.files().isEmpty()) {
            List<String> paths = options.paths().stream().map(Path::toString).toList();
            throw new Failure("no Java files in " + String.join(", ", paths)
                    + "; build output, hidden and generated folders are looked into only if named");
        }

        var settings = new ProjectSettings();
        var releases = new TreeSet<Integer>();
        var sources = new ArrayList<Source>();
        for (Map.Entry<String, Path> file : tree.files().entrySet()) {
            int release = options.release() > 0 ? 0 : settings.releaseIn(file.getValue().getParent());
            releases.add(release(options, release));
            sources.add(new Source(file.getValue(), file.getKey(), release));
        }
        boolean some = options.changed() || options.callers();
        Set<Path> only = options.changed() ? changed(options, tree) : options.callers() ? given(options, tree)
                : Set.of();
        Analysis.Result result = some && only.isEmpty() ? new Analysis.Result(List.of(), List.of(), Map.of())
                : analyse(new Analysis.Request(sources, release(options, 0), options.deep(), only, options.catalogues(),
                        progress));
        progress.accept("");
        var problems = new ArrayList<>(tree.problems());
        for (String problem : result.problems()) {
            boolean named = tree.files().containsKey(problem.substring(0, Math.max(0, problem.indexOf(':'))));
            problems.add(named ? tree.display() + problem : problem);
            say(problems.get(problems.size() - 1));
        }

        var suppressions = new Suppressions(tree.files()::get);
        List<Finding> findings = suppressions.apply(result.findings());
        suppressions.problems().forEach(problem -> say(tree.display() + problem));
        int code = tree.complete() ? NOTHING_FOUND : FAILED;
        if (options.writeBaseline() != null) {
            Baseline.write(options.writeBaseline(), findings);
            say(Report.counted(findings.size(), "finding") + " written to the baseline " + options.writeBaseline());
            return code;
        }
        int known = 0;
        if (baseline != null) {
            int all = findings.size();
            findings = baseline.apply(findings);
            known = all - findings.size();
            if (baseline.stale() > 0 && !options.changed()) {
                say(Report.counted(baseline.stale(), "line") + " of the baseline " + options.baseline()
                        + " found no more; --write-baseline drops them");
            }
        }
        var report = new Report(tree.root(), tree.display(), List.copyOf(releases), sources.size(), findings,
                suppressions.count(), known, options.all(), problems,
                new Report.Scan(System.nanoTime() - start, result.unknown()));
        switch (options.format()) {
            case TEXT -> out.print(TextReport.of(report));
            case JSON -> out.print(JsonReport.of(report));
            case SARIF -> out.print(SarifReport.of(report, Rules.all(), releases.last()));
            case GITHUB -> out.print(GithubReport.of(report));
        }
        if (options.format() != Options.Format.TEXT) {
            say(report.summary());
        }
        if (!findings.isEmpty() && findings.stream().noneMatch(f -> f.level().compareTo(options.failOn()) >= 0)) {
            say("nothing at or above --fail-on " + Report.name(options.failOn()) + ": exit code " + code);
        }
        boolean fails = findings.stream().anyMatch(finding -> finding.level().compareTo(options.failOn()) >= 0);
        return code == NOTHING_FOUND && fails ? FOUND : code;
    }

    private Analysis.Result analyse(Analysis.Request request) throws Failure {
        try {
            return analysis.apply(request);
        } catch (IllegalArgumentException e) {
            if (request.catalogues().isEmpty()) {
                throw e;
            }
            throw new Failure(e.getMessage() + " (--catalogue)");
        }
    }

    private static int release(Options options, int found) {
        return options.release() > 0 ? options.release() : found > 0 ? found : DEFAULT_RELEASE;
    }

    /** The files to scan that git says have changed, by the path they are scanned under. */
    private static Set<Path> changed(Options options, SourceTree tree) throws Failure {
        try {
            Path root = tree.root().toRealPath();
            var only = new HashSet<Path>();
            for (Path file : Changes.files(tree.root(), options.since())) {
                String name = file.startsWith(root) ? SourceTree.slashed(root.relativize(file)) : "";
                if (tree.files().containsKey(name)) {
                    only.add(tree.files().get(name));
                }
            }
            return only;
        } catch (IOException e) {
            throw new Failure("cannot read " + tree.root() + ": " + SourceTree.reason(e));
        }
    }

    /** The files named on the command line that a scan of the working directory reads. */
    private static Set<Path> given(Options options, SourceTree tree) {
        var only = new HashSet<Path>(tree.files().values());
        only.retainAll(options.paths());
        return only;
    }

    private void say(String line) {
        err.println("find-blocking-calls: " + line);
    }

    private static boolean onTerminal() {
        Console console = System.console();
        try {
            return console != null && (Runtime.version().feature() < 22
                    || (boolean) Console.class.getMethod("isTerminal").invoke(console));
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }

    /** One line on a terminal that says what is being done and is gone in the end. */
    private static final class Progress implements Consumer<String> {

        private final PrintStream terminal;
        private int shown;

        Progress(PrintStream terminal) {
            this.terminal = terminal;
        }

        @Override
        public synchronized void accept(String step) {
            String line = step.length() > 79 ? step.substring(0, 79) : step;
            terminal.print("\r" + line + " ".repeat(Math.max(0, shown - line.length())) + (line.isEmpty() ? "\r" : ""));
            terminal.flush();
            shown = line.length();
        }
    }
}
