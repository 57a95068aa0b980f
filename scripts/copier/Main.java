package copier;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The command: options, and what is done for each. */
public final class Main {

    private static final String HELP = String.join("\n",
            "Usage: java scripts/CopyPattern.java NAME... [--to DIR] [--package NAME] [--tests] [--jdk N]",
            "  Copies patterns into the project in this folder, without their demo, and prints each contract.",
            "  NAME is a class of examples/ (Retry), structured/NAME (on StructuredTaskScope, for your JDK),",
            "  service (the whole HTTP service, into the folder DIR) or service/NAME (one part and what it needs).",
            "    --to DIR        the folder to copy to; default: the project's source root and package",
            "    --package NAME  the package; if DIR is a source root, such as src, its folder below DIR",
            "    --tests         also copies the JUnit 5 test of each",
            "    --jdk N         the JDK you build for; default: what pom.xml, build.gradle or .java-version says",
            "  --list [WORDS]    lists the patterns whose line in the index has all these words",
            "  --show NAME...    prints what would be copied",
            "  --outdated DIR    lists copies below DIR that the skill has changed since, and what was wrong",
            "  --update DIR      replaces these copies, but prints a patch for each one that you have edited",
            "Exit codes: 0 done; 1 --outdated found an outdated copy, or --update left one that you have edited;",
            "  2 wrong usage, or the target folder is unclear; 3 a file is in the way, or cannot be read or written.");

    private final Skill skill;
    private final Path here;
    private final PrintStream out;
    private final List<String> names = new ArrayList<>();
    private String command = "copy";
    private Path to;
    private String pkg;
    private boolean tests;
    private int jdk;

    private Main(Path skill, Path here, PrintStream out) {
        this.skill = new Skill(skill);
        this.here = here;
        this.out = out;
    }

    /**
     * @param here the folder that the user stands in
     * @return the exit code; everything is said by then
     */
    public static int run(Path skill, Path here, PrintStream out, PrintStream err, String... args) {
        try {
            return new Main(skill, here, out).run(args);
        } catch (Refusal e) {
            err.println("copy-pattern: " + e.getMessage());
            return e.code;
        } catch (CharacterCodingException e) {
            err.println("copy-pattern: a source file is not UTF-8: " + e.getMessage());
            return 3;
        } catch (IOException | InvalidPathException e) {
            err.println("copy-pattern: " + Text.said(e));
            return 3;
        }
    }

    private int run(String[] args) throws Refusal, IOException {
        if (args.length == 0 || Arrays.asList(args).contains("--help") || Arrays.asList(args).contains("-h")) {
            out.println(HELP);
            return args.length == 0 ? 2 : 0;
        }
        parse(args);
        switch (command) {
            case "--list":
                skill.list(names, out);
                return 0;
            case "--show":
                for (String name : names) {
                    for (Path source : skill.sources(name, target(Project.of(here)))) {
                        out.print(skill.text(source, pkg == null ? "" : pkg));
                    }
                }
                return 0;
            case "--outdated":
            case "--update":
                return new Copies(skill, here, out).outdated(here.resolve(names.get(0)), command.equals("--update"));
            default:
                return copy();
        }
    }

    private void parse(String[] args) throws Refusal {
        for (int i = 0; i < args.length; i++) {
            String option = args[i];
            switch (option) {
                case "--to":
                    to = here.resolve(value(args, ++i)).normalize();
                    break;
                case "--package":
                    pkg = value(args, ++i);
                    if (!pkg.matches("[\\p{L}_$][\\p{L}\\p{N}_$]*(\\.[\\p{L}_$][\\p{L}\\p{N}_$]*)*")) {
                        throw new Refusal(2, "--package " + pkg
                                + " is not a package name such as com.acme.quotes");
                    }
                    break;
                case "--jdk":
                    String number = value(args, ++i);
                    if (!number.matches("\\d{1,3}") || Integer.parseInt(number) < 21) {
                        throw new Refusal(2, "--jdk " + number
                                + ": the patterns need JDK 21 or later");
                    }
                    jdk = Integer.parseInt(number);
                    break;
                case "--tests":
                    tests = true;
                    break;
                case "--list":
                case "--show":
                case "--outdated":
                case "--update":
                    if (!command.equals("copy")) {
                        throw new Refusal(2, command + " and " + option + " cannot be combined");
                    }
                    command = option;
                    break;
                default:
                    if (option.startsWith("-")) {
                        throw new Refusal(2, "unknown option " + option + "; see --help");
                    }
                    names.add(option);
            }
        }
        boolean folder = command.equals("--outdated") || command.equals("--update");
        if (folder && names.size() != 1) {
            throw new Refusal(2, command + " takes one folder: the project, or its source root");
        }
        if (names.isEmpty() && !command.equals("--list")) {
            throw new Refusal(2, "name the patterns; --list shows them");
        }
    }

    private static String value(String[] args, int i) throws Refusal {
        if (i == args.length || args[i].startsWith("--") || args[i].isEmpty()) {
            throw new Refusal(2, args[i - 1] + " needs a value; see --help");
        }
        return args[i];
    }

    private int copy() throws IOException, Refusal {
        if (names.contains("service")) {
            return copyService();
        }
        Path root = to == null ? Project.sourceRoot(here) : to;
        String in = pkg != null ? pkg : to == null ? Project.commonPackage(root) : Project.packageOf(to);
        boolean inRoot = to == null || pkg != null && Project.isSourceRoot(to);
        Path folder = inRoot ? root.resolve(in.replace('.', '/')) : to;
        Path project = Project.of(folder);
        int target = target(project);
        if (target > 0 && target < 21) {
            throw new Refusal(2, "the build in " + project + " is for JDK " + target
                    + ", the patterns need 21 or later; --jdk N overrules it");
        }
        var files = new LinkedHashMap<Path, String>();
        var sources = new LinkedHashSet<Path>();
        for (String name : names) {
            sources.addAll(skill.sources(name, target));
        }
        for (Path part : List.copyOf(sources)) { // LineLog is a pattern and a part of the service: once is enough
            sources.removeIf(source -> skill.isPart(part) && !skill.isPart(source)
                    && source.getFileName().equals(part.getFileName()));
        }
        for (Path source : sources) {
            if (files.put(folder.resolve(source.getFileName()), skill.text(source, in)) != null) {
                throw new Refusal(2, Text.simple(source)
                        + " is named twice, on StructuredTaskScope and without; copy one of them");
            }
        }
        Project.checkModule(folder, in, files);
        var contracts = new ArrayList<>(files.keySet());
        if (tests) {
            addTests(sources, Project.testFolder(folder), in, files);
        }
        Writer.write(files);
        show(files, contracts);
        for (Path source : sources) {
            if (skill.isStructured(source)) {
                out.println("StructuredTaskScope is preview API: --enable-preview for the compiler and for java.");
                break;
            }
        }
        return 0;
    }

    /** Each file, with its contract: the more there are, the shorter. */
    private void show(Map<Path, String> files, List<Path> contracts) {
        long shown = contracts.stream().filter(file -> !Contract.of(files.get(file)).isEmpty()).count();
        int most = (int) Math.min(40, 200 / Math.max(1, shown));
        for (Path file : files.keySet()) {
            List<String> contract = contracts.contains(file) ? Contract.of(files.get(file), most) : List.of();
            boolean forOthers = contracts.contains(file) && contract.isEmpty();
            out.println("== " + Text.shown(file, here) + " (" + files.get(file).lines().count() + " lines"
                    + (forOthers ? ", for the other parts)" : ")"));
            contract.forEach(out::println);
        }
    }

    private void addTests(Set<Path> sources, Path folder, String in, Map<Path, String> files)
            throws IOException {
        for (Path source : sources) {
            boolean part = skill.isPart(source);
            Path home = part ? skill.service().resolve("src/test/java/service") : skill.root().resolve("src/test/java");
            Path test = home.resolve(Text.simple(source) + "Test.java");
            if (skill.isStructured(source) || !Files.exists(test)) {
                out.println(Text.simple(source) + " has no test of its own to copy.");
                continue;
            }
            files.put(folder.resolve(test.getFileName()), skill.text(test, in));
            for (Path helper : Text.children(home)) {
                String name = Text.simple(helper);
                if (!name.endsWith("Test") && Pattern.compile("\\b" + name + "\\b").matcher(Text.read(test)).find()) {
                    files.put(folder.resolve(helper.getFileName()), skill.text(helper, in));
                }
            }
        }
    }

    /** The whole service as a project of its own; its package is renamed wherever it is named. */
    private int copyService() throws IOException, Refusal {
        if (names.size() > 1 || to == null) {
            throw new Refusal(2,
                    "service is a project of its own: CopyPattern service --to DIR --package NAME, in an empty folder");
        }
        Path source = skill.service();
        String in = pkg == null ? "service" : pkg;
        var files = new LinkedHashMap<Path, String>();
        String folder = "java/" + in.replace('.', '/') + '/';
        for (Path file : Text.below(source)) {
            String text = file.toString().endsWith(".java") ? skill.text(file, in) : Text.read(file)
                    .replaceAll("\\bservice\\.(?=[A-Z])", Matcher.quoteReplacement(in + "."))
                    .replace("java/service/", folder);
            String relative = source.relativize(file).toString().replace('\\', '/');
            files.put(to.resolve(relative.replace("java/service/", folder)), text);
        }
        if (files.isEmpty()) {
            throw new Refusal(3, "no " + source + "; the skill is incomplete: install it again");
        }
        Writer.write(files);
        for (Path file : files.keySet()) {
            out.println(Text.shown(file, here));
        }
        out.println("Read " + Text.shown(to.resolve("README.md"), here)
                + " next: one command runs it, one passes its tests.");
        return 0;
    }

    private int target(Path project) throws IOException {
        return jdk > 0 ? jdk : Project.targetJdk(project);
    }
}
