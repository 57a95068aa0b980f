package scanner;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import scanner.findings.Finding;
import scanner.project.Failure;
import scanner.project.ProjectSettings;

/**
 * What the user asked for.
 *
 * @param task          what to do
 * @param topic         the rule to explain; empty if the task is another
 * @param paths         files and folders to scan, absolute; the working directory if none was given
 * @param format        of the report
 * @param release       the target JDK, 0 to read it from the project
 * @param failOn        the lowest level that makes the exit code 1
 * @param deep          also report weaker leads
 * @param changed       only what git says has changed
 * @param since         the commit {@code changed} counts from; empty for what is not committed yet
 * @param baseline      findings to leave out; null for none
 * @param writeBaseline where to write the findings as a baseline; null for not at all
 * @param catalogues    data files that extend the built-in catalogue
 */
record Options(Task task, String topic, List<Path> paths, Format format, int release, Finding.Level failOn,
               boolean deep, boolean all, boolean callers, boolean changed, String since, Path baseline,
                       Path writeBaseline, List<Path> catalogues) {

    enum Task { SCAN, HELP, LIST_RULES, EXPLAIN }

    enum Format { TEXT, JSON, SARIF, GITHUB }

    static final String HELP = """
            Usage: find-blocking-calls [option ...] [file or folder ...]

            Finds blocking calls where Java code must not block, and tasks whose failures nobody sees. It reads only
            sources: no build, no class path. Without a file or folder it scans the working directory.

              --deep                 also follow calls into every override and report less certain findings;
                                     check each
              --all                  list every place of a finding, not only the first five
              --release N            the JDK the code runs on; otherwise read from pom.xml, build.gradle(.kts),
                                     .java-version or .sdkmanrc, else 21
              --changed[=COMMIT]     only files that git reports as not committed (or as changed since the branch left
                                     COMMIT), and their callers
              --with-callers         scan only the given files, but follow calls from and to them through the
                                     working directory
              --format FORMAT        text, json, sarif or github (default: text)
              --fail-on LEVEL        error, warning or note: exit code 1 from this level on (default: note)
              --baseline FILE        leave out the findings listed in FILE
              --write-baseline FILE  list every finding in FILE and report none
              --catalogue FILE       more blocking calls and contexts, in the form of blocking.txt
                                     and contexts.txt in scripts/scanner/blocking;
                                     can be repeated
              --explain RULE         prints why the rule exists and how to fix its findings, on the target JDK
              --list-rules           lists the rules, one per line
              --help                 this text

            Suppress one finding:  // blocking-ok: reason    on its line, or before the statement
            or a declaration:      @SuppressWarnings("blocking") or @SuppressWarnings("RULE")

            The report goes to standard output, everything else to standard error.
            Exit codes: 0 nothing found, 1 something found, 2 the scan failed or is incomplete.
            """;

    private static final List<String> NAMES = List.of("--deep", "--all", "--release", "--with-callers", "--changed",
            "--format", "--fail-on",
            "--baseline", "--write-baseline", "--catalogue", "--explain", "--list-rules", "--help");

    static Options parse(String[] args, Path cwd) throws Failure {
        return new Parser(args, cwd).parse();
    }

    /**
     * The word of {@code known} that is most likely meant by {@code word}, as {@code "; did you mean X?"}, or a full
     * stop.
     */
    static String suggestion(String word, List<String> known) {
        String best = "";
        int least = 1 + word.length() / 3;
        for (String candidate : known) {
            int distance = distance(word, candidate);
            if (distance < least) {
                least = distance;
                best = candidate;
            }
        }
        return best.isEmpty() ? "." : "; did you mean " + best + "?";
    }

    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            int diagonal = i;
            for (int j = 0; j <= b.length(); j++) {
                int above = row[j];
                boolean same = i > 0 && j > 0 && a.charAt(i - 1) == b.charAt(j - 1);
                row[j] = i == 0 ? j : j == 0 ? i : Math.min(Math.min(above, row[j - 1]) + 1, diagonal + (same ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.length()];
    }

    private static final class Parser {

        private final String[] args;
        private final Path cwd;
        private int next;
        private String option = "";
        private String attached;

        private Task task = Task.SCAN;
        private String topic = "";
        private final List<Path> paths = new ArrayList<>();
        private Format format = Format.TEXT;
        private int release;
        private Finding.Level failOn = Finding.Level.NOTE;
        private boolean deep;
        private boolean all;
        private boolean callers;
        private boolean changed;
        private String since = "";
        private Path baseline;
        private Path writeBaseline;
        private final List<Path> catalogues = new ArrayList<>();

        Parser(String[] args, Path cwd) {
            this.args = args;
            this.cwd = cwd;
        }

        Options parse() throws Failure {
            boolean onlyPaths = false;
            while (next < args.length) {
                String arg = args[next++];
                if (onlyPaths || !arg.startsWith("-") || arg.equals("-")) {
                    paths.add(path(arg));
                } else if (arg.equals("--")) {
                    onlyPaths = true;
                } else {
                    int equals = arg.indexOf('=');
                    option = equals < 0 ? arg : arg.substring(0, equals);
                    attached = equals < 0 ? null : arg.substring(equals + 1);
                    take();
                    if (attached != null) {
                        throw new Failure(option + " takes no value, but was given '" + attached + "'");
                    }
                }
            }
            if (paths.isEmpty()) {
                paths.add(cwd);
            }
            return new Options(task, topic, List.copyOf(paths), format, release, failOn, deep, all, callers, changed,
                    since, baseline,
                    writeBaseline, List.copyOf(catalogues));
        }

        private void take() throws Failure {
            switch (option) {
                case "--deep" -> deep = true;
                case "--all" -> all = true;
                case "--with-callers" -> callers = true;
                case "--changed" -> {
                    changed = true;
                    if (attached != null) {
                        since = value("the commit to compare with");
                    }
                }
                case "--release" -> release = release(value("the number of a JDK"));
                case "--format" -> format = constant(Format.values(), value("text, json, sarif or github"));
                case "--fail-on" -> {
                    String level = value("error, warning or note");
                    failOn = level.startsWith("${") ? Finding.Level.ERROR // a property that Maven does not know
                            : constant(Finding.Level.values(), level);
                }
                case "--baseline" -> baseline = path(value("a file"));
                case "--write-baseline" -> writeBaseline = path(value("a file"));
                case "--catalogue" -> catalogues.add(path(value("a file")));
                case "--explain" -> {
                    task = Task.EXPLAIN;
                    topic = value("the name of a rule (--list-rules has them)");
                }
                case "--list-rules" -> task = Task.LIST_RULES;
                case "--help", "-h" -> task = Task.HELP;
                default -> throw new Failure("unknown option " + option + suggestion(option, NAMES)
                        + " --help lists them all");
            }
        }

        private String value(String what) throws Failure {
            String value = attached;
            attached = null;
            if (value == null && next < args.length && !args[next].startsWith("--")) {
                value = args[next++];
            }
            if (value == null || value.isEmpty()) {
                throw new Failure(option + " needs a value: " + what);
            }
            return value;
        }

        private int release(String text) throws Failure {
            int release = ProjectSettings.release(text);
            if (release == 0) {
                throw new Failure("--release " + text + " is not a JDK; give the number of one from 8 on, such as 21");
            }
            return release;
        }

        private <E extends Enum<E>> E constant(E[] values, String text) throws Failure {
            var names = new ArrayList<String>();
            for (E value : values) {
                String name = value.name().toLowerCase(Locale.ROOT);
                if (name.equals(text)) {
                    return value;
                }
                names.add(name);
            }
            throw new Failure(option + " " + text + " is not known" + suggestion(text, names) + " It is one of "
                    + String.join(", ", names));
        }

        private Path path(String text) throws Failure {
            try {
                if (text.isEmpty()) {
                    throw new Failure("a path is empty; leave it out to scan the working directory");
                }
                return cwd.resolve(text).normalize();
            } catch (InvalidPathException e) {
                throw new Failure("not a path: " + text.replace('\0', '?') + " (" + e.getReason() + ")");
            }
        }
    }
}
