import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What holds for concurrent code on one JDK, and what changes from one to another: {@code references/facts.tsv}, which
 * programs have confirmed on each JDK. Runs on 11 or later, reads no more than that file and the build.
 *
 * <p>Run: {@code java scripts/JdkFacts.java --help}. Exit codes: 0 there are facts, 1 none matches, 2 it cannot be
 * answered; then the reason is on standard error.
 */
public final class JdkFacts {

    private static final int LINES = 40;
    /** Nobody has looked on that JDK; {@code -} is what does not exist there. */
    private static final String UNKNOWN = "?";
    private static final String USAGE = "java scripts/JdkFacts.java [--jdk N] [WORDS]           what is true on JDK N\n"
            + "java scripts/JdkFacts.java --from A --to B [WORDS]   what changes for concurrent code from A to B\n"
            + "Without --jdk, N is the JDK that the build in this folder, or above it, names.\n"
            + "WORDS: prints facts that contain all of them, such as: HttpClient timeout; dump owner; synchronized.\n"
            + "At most 40 lines.";
    /** How a build says it; the first that is found counts. */
    private static final Map<String, Pattern> BUILDS = new LinkedHashMap<>();

    static {
        BUILDS.put("pom.xml", Pattern.compile("<(?:maven\\.compiler\\.(?:release|target|source)|(?:java|jdk)\\.version"
                + "|release|target|source)>\\s*(?:1\\.)?(\\d+)\\s*<"));
        Pattern gradle = Pattern.compile("JavaLanguageVersion\\.of\\(\\s*[\"']?(\\d+)|jvmToolchain\\(\\s*(\\d+)"
                + "|VERSION_(\\d\\d)|(?:release(?:\\.set\\(|\\s*=)|Compatibility\\s*=)\\s*[\"']?(\\d+)");
        BUILDS.put("build.gradle.kts", gradle);
        BUILDS.put("build.gradle", gradle);
        BUILDS.put(".java-version", Pattern.compile("^(?:[A-Za-z][\\w-]*-)?(?:1\\.)?(\\d+)"));
        BUILDS.put(".sdkmanrc", Pattern.compile("(?m)^\\s*java=(?:1\\.)?(\\d+)"));
    }

    /** A line of the file. */
    private static final class Fact {
        private final String id;
        private final String text;
        private final String advice;
        private final Map<Integer, String> values = new TreeMap<>();

        private Fact(String[] cells, List<Integer> jdks) {
            id = cells[0];
            text = cells[3].replace("**", "");
            advice = cells[4];
            for (int i = 0; i < jdks.size(); i++) {
                values.put(jdks.get(i), cells[5 + i]);
            }
        }

        private boolean has(String word) {
            String all = id + " " + text + " " + advice + " " + values.values();
            return all.toLowerCase(Locale.ROOT).contains(word.toLowerCase(Locale.ROOT));
        }

        /** What javac says of source for another JDK: asked for by words only. */
        private boolean isOfJavac() {
            return id.startsWith("javac.");
        }

        private String toDo() {
            return advice.isEmpty() ? "" : "\n    " + advice;
        }
    }

    private final List<Fact> facts = new ArrayList<>();
    /** By feature release the version that it was seen on. */
    private final Map<Integer, String> versions = new TreeMap<>();

    public static void main(String[] args) {
        try {
            System.exit(run(args));
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("jdk-facts: " + e.getMessage());
            System.exit(2);
        }
    }

    private static int run(String[] args) throws IOException {
        Map<String, Integer> options = new LinkedHashMap<>();
        List<String> words = new ArrayList<>();
        for (int i = 0; i < args.length; i++) {
            if (args[i].equals("--help") || args[i].equals("-h")) {
                System.out.println(USAGE);
                return 0;
            }
            if (Arrays.asList("--jdk", "--from", "--to").contains(args[i])) {
                String number = i + 1 < args.length ? args[i + 1] : "";
                if (!number.matches("\\d{1,3}")) {
                    throw new IllegalArgumentException(
                            args[i] + " needs the number of a JDK, such as 25, not \"" + number + "\"");
                }
                options.put(args[i++], Integer.valueOf(number));
            } else if (args[i].startsWith("-")) {
                throw new IllegalArgumentException("unknown option " + args[i] + "; see --help");
            } else {
                Collections.addAll(words, args[i].trim().split("\\s+"));
            }
        }
        words.removeIf(String::isEmpty);
        Integer from = options.get("--from");
        Integer to = options.get("--to");
        if ((from == null) != (to == null) || from != null && options.containsKey("--jdk")) {
            throw new IllegalArgumentException("use --from A with --to B, and without --jdk");
        }
        JdkFacts facts = new JdkFacts(source().resolveSibling("../references/facts.tsv").normalize());
        return from != null ? facts.between(from, to, words) : facts.on(options.get("--jdk"), words);
    }

    private JdkFacts(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("no file " + file + "; the skill is incomplete: install it again");
        }
        List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        String[] header = lines.get(0).split("\t");
        List<Integer> jdks = new ArrayList<>();
        for (String version : Arrays.asList(header).subList(5, header.length)) {
            jdks.add(Integer.valueOf(version.replaceFirst("\\D.*", "")));
            versions.put(jdks.get(jdks.size() - 1), version);
        }
        for (String line : lines.subList(1, lines.size())) {
            facts.add(new Fact(line.split("\t", -1), jdks));
        }
    }

    private int on(Integer asked, List<String> words) throws IOException {
        int jdk = asked != null ? asked : 0;
        String why = "";
        if (jdk == 0) {
            String[] built = built();
            jdk = Integer.parseInt(built[0]);
            why = " (" + built[1] + ")";
        }
        List<Integer> columns = columns(jdk);
        // without words: what is not the same on all of them, first what asks for something to be done
        Predicate<Fact> own = fact -> new LinkedHashSet<>(fact.values.values()).size() > 1 && !fact.isOfJavac();
        LinkedHashSet<String> out = new LinkedHashSet<>();
        for (Fact fact : words.isEmpty() ? adviceFirst(own) : matching(facts, words)) {
            LinkedHashSet<String> values = new LinkedHashSet<>();
            columns.forEach(column -> values.add(fact.values.get(column)));
            String value = values.size() == 1 ? values.iterator().next() : columns.stream()
                    .map(column -> "JDK " + column + " " + fact.values.get(column)).collect(Collectors.joining(", "));
            if (!value.equals(UNKNOWN)) {
                out.add(fact.text + ": " + value + fact.toDo());
            }
        }
        String seen = columns.stream().map(versions::get).collect(Collectors.joining(" and "));
        String note = columns.contains(jdk) ? "" : ": no column of its own";
        return print("JDK " + jdk + why + note + ", seen on " + seen, out, words);
    }

    private int between(int from, int to, List<String> words) {
        int a = nearest(from);
        int b = nearest(to);
        LinkedHashSet<String> out = new LinkedHashSet<>();
        LinkedHashSet<String> added = new LinkedHashSet<>();
        LinkedHashSet<String> gone = new LinkedHashSet<>();
        List<Fact> differing = adviceFirst(fact -> !fact.values.get(a).equals(fact.values.get(b)) && !fact.isOfJavac()
                && !fact.values.get(a).equals(UNKNOWN) && !fact.values.get(b).equals(UNKNOWN));
        for (Fact fact : words.isEmpty() ? differing : matching(differing, words)) {
            String old = fact.values.get(a);
            String now = fact.values.get(b);
            if (old.equals("-") && now.matches("yes|preview")) {
                added.add(fact.text + (now.equals("yes") ? "" : " (preview)"));
            } else if (now.equals("-") && old.matches("yes|preview") && fact.advice.isEmpty()) {
                gone.add(fact.text);
            } else {
                out.add(fact.text + ": " + old + " -> " + now + (fact.advice.isEmpty() ? "" : ". " + fact.advice));
            }
        }
        List<String> lines = new ArrayList<>();
        if (!gone.isEmpty()) {
            lines.add("gone: " + String.join("; ", gone));
        }
        if (!added.isEmpty()) {
            lines.add("new: " + String.join("; ", added));
        }
        lines.addAll(out);
        return print("from JDK " + versions.get(a) + " to " + versions.get(b), lines, words);
    }

    private List<Fact> adviceFirst(Predicate<Fact> which) {
        return facts.stream().filter(which).sorted((a, b) -> Boolean.compare(a.advice.isEmpty(), b.advice.isEmpty()))
                .collect(Collectors.toList());
    }

    /** Facts with all of the words; if there is none, with any of them. */
    private static List<Fact> matching(List<Fact> facts, List<String> words) {
        Predicate<Fact> all = fact -> words.stream().allMatch(fact::has);
        Predicate<Fact> any = fact -> words.stream().anyMatch(fact::has);
        return facts.stream().filter(facts.stream().anyMatch(all) ? all : any).collect(Collectors.toList());
    }

    private static int print(String title, Iterable<String> entries, List<String> words) {
        List<String> lines = new ArrayList<>();
        int left = 0;
        for (String entry : entries) {
            List<String> more = Arrays.asList(entry.split("\n"));
            if (left > 0 || lines.size() + more.size() > LINES - 2) {
                left++;
            } else {
                lines.addAll(more);
            }
        }
        if (lines.isEmpty()) {
            System.out.println(title + ": no fact has " + String.join(" or ", words));
            return 1;
        }
        System.out.println(title);
        lines.forEach(System.out::println);
        if (left > 0) {
            System.out.println(left + " more: add a word to narrow the search");
        }
        return 0;
    }

    /** The column of a JDK; of one between two columns both; of a newer one the newest. */
    private List<Integer> columns(int jdk) {
        List<Integer> all = new ArrayList<>(versions.keySet());
        if (jdk < all.get(0)) {
            throw new IllegalArgumentException(
                    "no facts of JDK " + jdk + ": the patterns need JDK " + all.get(0) + " or later");
        }
        int last = all.stream().filter(column -> column <= jdk).reduce((a, b) -> b).get();
        List<Integer> columns = new ArrayList<>(Collections.singletonList(last));
        if (last < jdk) {
            all.stream().filter(column -> column > jdk).findFirst().ifPresent(columns::add);
        }
        return columns;
    }

    private int nearest(int jdk) {
        List<Integer> columns = columns(jdk);
        if (!columns.contains(jdk)) {
            System.err.println("jdk-facts: no column for JDK " + jdk + ", taken as " + columns.get(0));
        }
        return columns.get(0);
    }

    /** What the build in this folder or one above it compiles for, and the file that says so. */
    private static String[] built() throws IOException {
        for (File folder = new File("").getAbsoluteFile(); folder != null; folder = folder.getParentFile()) {
            for (Map.Entry<String, Pattern> build : BUILDS.entrySet()) {
                File file = new File(folder, build.getKey());
                if (file.isFile()) {
                    String text = new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8);
                    Matcher matcher = build.getValue().matcher(text.replaceAll("(?s)<!--.*?-->", ""));
                    if (matcher.find()) {
                        int group = 1;
                        while (matcher.group(group) == null) {
                            group++;
                        }
                        return new String[] {matcher.group(group), file.getPath()};
                    }
                }
            }
            if (new File(folder, ".git").exists()) {
                break;
            }
        }
        String running = System.getProperty("java.specification.version");
        return new String[] {
                running.replace("1.", ""), "the java that runs this: no build here names one, --jdk N does"};
    }

    /** This file, as the command that runs it says. */
    private static Path source() throws IOException {
        String command = System.getProperty("sun.java.command", "");
        int end = command.indexOf("JdkFacts.java");
        if (end < 0) {
            throw new IOException("run it as java scripts/JdkFacts.java");
        }
        return Path.of(command.substring(command.indexOf(' ') + 1, end) + "JdkFacts.java").toAbsolutePath();
    }
}
