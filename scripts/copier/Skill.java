package copier;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The skill that copies are made from: what can be named, and the text of a copy. */
final class Skill {

    private static final String MARK = "// java-async-patterns ";
    /** The first line of a copy: version, file, and hash of what follows. */
    static final Pattern HEADER = Pattern.compile(MARK + "(\\S+) (\\S+) ([0-9a-f]{12})");
    static final Pattern PACKAGE = Pattern.compile("(?m)^package\\s+([\\w.]+)\\s*;[ \\t]*\\n+");
    private static final Pattern IMPORT = Pattern.compile("import (?:static )?[\\w.]+\\.(\\w+);");
    private static final Pattern ROW = Pattern.compile("\\| \\[(\\w+)]\\(([\\w/]+)\\.java\\) \\| (.*) \\|");
    private static final String SERVICE = "assets/service";

    private final Path root;
    private String version;

    Skill(Path root) {
        this.root = root;
    }

    Path root() {
        return root;
    }

    /** The file of a copy's first line; null if the skill has none. */
    Path file(String path) {
        Path file = root.resolve(path).normalize();
        return file.startsWith(root) && Files.isRegularFile(file) ? file : null;
    }

    boolean isPart(Path source) {
        return source.startsWith(service());
    }

    boolean isStructured(Path source) {
        return source.startsWith(root.resolve("examples/structured"));
    }

    Path service() {
        return root.resolve(SERVICE);
    }

    void list(List<String> words, PrintStream out) throws IOException, Refusal {
        String heading = "";
        int found = 0;
        for (String line : Text.lines(root.resolve("examples/README.md"))) {
            if (line.startsWith("## ")) {
                heading = line.substring(3);
            }
            Matcher row = ROW.matcher(line);
            if (row.matches() && !row.group(2).startsWith("traps/") && hasAllWords(words, heading + ' ' + line)) {
                out.println(row.group(1) + " (" + row.group(2) + "): " + row.group(3).replace(" | ", "; "));
                found++;
            }
        }
        var about = new StringBuilder("service http server lifecycle shutdown health metrics container");
        for (Path part : Files.isDirectory(service()) ? serviceParts() : List.<Path>of()) {
            about.append(' ').append(Text.simple(part));
        }
        if (hasAllWords(words, about.toString()) && Files.isDirectory(service())) {
            out.println("service (assets/service): a production HTTP service in small files, with tests; one part with"
                    + " what it needs: service/HttpService");
            found++;
        }
        if (found == 0) {
            throw new Refusal(2, "no pattern has all the words " + words
                    + " in its line; use fewer words, or --list alone");
        }
    }

    private static boolean hasAllWords(List<String> words, String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        for (String word : words) {
            if (!lower.contains(word.toLowerCase(Locale.ROOT))) {
                return false;
            }
        }
        return true;
    }

    /** The files of a name: one, or a part of the service and the parts it uses. */
    Set<Path> sources(String name, int jdk) throws IOException, Refusal {
        String plain = name.replace('\\', '/').replaceFirst("^examples/", "").replaceFirst("\\.java$", "");
        String last = plain.substring(plain.lastIndexOf('/') + 1);
        if (plain.startsWith("traps/")) {
            throw new Refusal(2, name + " shows a trap: run it, do not copy it");
        }
        if (plain.startsWith("structured/")) {
            Matcher explicit = Pattern.compile("structured/jdk(\\d+)/.*").matcher(plain);
            int target = explicit.matches() ? Integer.parseInt(explicit.group(1)) : jdk;
            if (target == 0) {
                throw new Refusal(2,
                        "each JDK has its own StructuredTaskScope, and no build file here names one: add --jdk N");
            }
            Path source = root.resolve("examples/structured/jdk" + generation(target) + '/' + last + ".java");
            if (Files.exists(source)) {
                return Set.of(source);
            }
            throw new Refusal(2, "no pattern " + name + nearest("structured/" + last));
        }
        if (plain.startsWith("service/")) {
            for (Path part : serviceParts()) {
                if (Text.simple(part).equals(last)) {
                    return withParts(part);
                }
            }
        }
        Map<String, Path> all = all();
        if (!all.containsKey(last) || (plain.contains("/") && !all.get(last).endsWith(Path.of(plain + ".java")))) {
            throw new Refusal(2, "no pattern " + name + nearest(last));
        }
        Path source = all.get(last);
        return isPart(source) ? withParts(source) : Set.of(source);
    }

    private static int generation(int jdk) {
        return jdk < 25 ? 21 : Math.min(jdk, 27);
    }

    /** Everything that can be named: patterns, then parts of the service that no pattern has the name of. */
    Map<String, Path> all() throws IOException, Refusal {
        var all = new TreeMap<String, Path>();
        for (Path topic : Text.children(root.resolve("examples"))) {
            if (Files.isDirectory(topic) && !topic.endsWith("traps") && !topic.endsWith("structured")) {
                for (Path file : Text.children(topic)) {
                    all.put(Text.simple(file), file);
                }
            }
        }
        for (Path file : serviceParts()) {
            all.putIfAbsent(Text.simple(file), file);
        }
        if (all.isEmpty()) {
            throw new Refusal(3, "no examples in " + root + "; the skill is incomplete: install it again");
        }
        return all;
    }

    private List<Path> serviceParts() throws IOException {
        return Text.javaFiles(service().resolve("src/main/java"));
    }

    private Set<Path> withParts(Path part) throws IOException {
        List<Path> parts = serviceParts();
        var taken = new LinkedHashSet<Path>();
        var open = new ArrayDeque<Path>(List.of(part));
        while (!open.isEmpty()) {
            Path next = open.remove();
            if (taken.add(next)) {
                String code = Text.read(next).replaceAll("(?s)/\\*.*?\\*/|//[^\\n]*|\"(?:\\\\.|[^\"\\\\\\n])*\"", "");
                for (Path other : parts) {
                    if (Pattern.compile("\\b" + Text.simple(other) + "\\b").matcher(code).find()) {
                        open.add(other);
                    }
                }
            }
        }
        return taken;
    }

    private String nearest(String name) throws IOException, Refusal {
        var known = new TreeSet<>(all().keySet());
        if (name.startsWith("structured/")) {
            known.clear();
            for (Path file : Text.children(root.resolve("examples/structured/jdk25"))) {
                known.add("structured/" + Text.simple(file));
            }
        }
        String best = "";
        int least = Integer.MAX_VALUE;
        for (String candidate : known) {
            int distance = distance(name.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
            if (distance < least) {
                least = distance;
                best = candidate;
            }
        }
        return "; the nearest is " + best + ", and --list shows all";
    }

    private static int distance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(change, 1 + Math.min(previous[j], row[j - 1]));
            }
            previous = row;
        }
        return previous[b.length()];
    }

    String version() throws IOException {
        if (version == null) {
            Matcher said = Pattern.compile("(?m)^\\s+version: (\\S+)").matcher(Text.read(root.resolve("SKILL.md")));
            version = said.find() ? said.group(1) : "?";
        }
        return version;
    }

    private String path(Path source) {
        return root.relativize(source).toString().replace('\\', '/');
    }

    String text(Path source, String pkg) throws IOException {
        String body = body(source);
        return MARK + version() + ' ' + path(source) + ' ' + hash(body) + '\n'
                + (pkg.isEmpty() ? "" : "package " + pkg + ";\n\n") + body;
    }

    /** The copied text without its package: up to main, without regions and what only the demo imports. */
    String body(Path source) throws IOException {
        String text = PACKAGE.matcher(Text.read(source)).replaceFirst("");
        if (!source.startsWith(root.resolve("examples"))) {
            return text;
        }
        var all = text.lines().toArray(String[]::new);
        int end = 0;
        while (end < all.length && !all[end].startsWith("    public static void main(")) {
            end++;
        }
        boolean demo = end < all.length;
        while (demo && end > 0 && all[end - 1].strip().matches("|//.*|\\*.*|/\\*\\*.*|@\\w+.*")) {
            end--; // the comment of main, and blank lines before it
        }
        var kept = new ArrayList<String>();
        boolean run = false;
        for (int i = 0; i < end; i++) {
            String line = all[i].strip();
            run = line.startsWith("* <p>Run: ") || run && !line.equals("*") && !line.equals("*/");
            boolean before = i + 1 < end && line.equals("*") && all[i + 1].strip().startsWith("* <p>Run: ");
            if (!run && !before && !line.startsWith("// @start region") && !line.startsWith("// @end region")) {
                kept.add(all[i].stripTrailing());
            }
        }
        if (demo) {
            kept.add("}");
        }
        return withoutUnusedImports(kept);
    }

    private static String withoutUnusedImports(List<String> lines) {
        var code = new StringBuilder();
        for (String line : lines) {
            if (!line.startsWith("import ")) {
                code.append(line).append('\n');
            }
        }
        var result = new StringBuilder();
        boolean blank = true;
        for (String line : lines) {
            Matcher name = IMPORT.matcher(line);
            if (name.matches() && !Pattern.compile("\\b" + name.group(1) + "\\b").matcher(code).find()) {
                continue;
            }
            if (!line.isEmpty() || !blank) {
                result.append(line).append('\n');
            }
            blank = line.isEmpty();
        }
        return result.toString();
    }

    static String hash(String body) {
        try {
            var hex = new StringBuilder();
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(body.getBytes(StandardCharsets.UTF_8));
            for (int i = 0; i < 6; i++) {
                hex.append(String.format("%02x", digest[i]));
            }
            return hex.toString();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e); // every JDK has it
        }
    }
}
