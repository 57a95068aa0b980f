package scanner.project;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The JDK a {@code pom.xml} compiles for, with the properties and plugin settings of its parents as far as they are in
 * the tree.
 */
final class MavenBuilds {

    private static final Pattern TAG = Pattern.compile("<(/?)([\\w.:-]+)[^>]*?(/?)>");
    private static final Pattern NOT_TAGS = Pattern.compile("(?s)<!--.*?-->|<!\\[CDATA\\[.*?]]>");
    private static final Pattern REFERENCE = Pattern.compile("\\$\\{([^}]+)}");
    private static final String PROJECT = "/project";
    /** How a parent that is not in the tree, such as Spring Boot's, and many in-house ones spell it. */
    private static final List<String> PROPERTIES =
            List.of("java.version", "javaVersion", "jdk.version", "java.release", "release.version");

    private final Map<Path, Pom> poms = new HashMap<>();

    /**
     * One file.
     *
     * @param parent   the parent's file; null if it is not in the tree
     * @param compiler settings of the compiler plugin
     */
    private record Pom(Path parent, Map<String, String> properties, Map<String, List<String>> compiler) {
    }

    static boolean isIn(Path folder) {
        return Files.exists(folder.resolve("pom.xml"));
    }

    /** 0 if there is no pom in {@code folder}, or it does not say. */
    int release(Path folder) {
        if (!isIn(folder)) {
            return 0;
        }
        var properties = new HashMap<String, String>();
        var compiler = new HashMap<String, List<String>>();
        Path file = folder.resolve("pom.xml");
        for (int depth = 0; file != null && depth < 20; depth++) {
            Pom pom = poms.computeIfAbsent(file, MavenBuilds::read);
            pom.properties.forEach(properties::putIfAbsent);
            pom.compiler.forEach((name, values) -> compiler.computeIfAbsent(name, any -> new ArrayList<>())
                    .addAll(values));
            file = pom.parent;
        }
        for (String kind : List.of("release", "target", "source")) {
            var candidates = new ArrayList<>(compiler.getOrDefault(kind, List.of()));
            candidates.add("${maven.compiler." + kind + "}");
            int release = first(candidates, properties);
            if (release > 0) {
                return release;
            }
        }
        return first(PROPERTIES.stream().map(name -> "${" + name + "}").toList(), properties);
    }

    private static int first(List<String> candidates, Map<String, String> properties) {
        return candidates.stream().mapToInt(text -> ProjectSettings.built(resolved(text, properties, 0)))
                .filter(release -> release > 0)
                .findFirst().orElse(0);
    }

    private static String resolved(String text, Map<String, String> properties, int depth) {
        Matcher reference = REFERENCE.matcher(text);
        return depth > 10 || !reference.find() ? text : resolved(
                reference.replaceFirst(Matcher.quoteReplacement(properties.getOrDefault(reference.group(1), "?"))),
                        properties, depth + 1);
    }

    private static Pom read(Path file) {
        String xml = NOT_TAGS.matcher(ProjectSettings.read(file)).replaceAll("");
        var pom = new Pom(null, new HashMap<>(), new HashMap<>());
        Deque<String> path = new ArrayDeque<>();
        path.push("");
        boolean parent = false;
        String relativePath = "../pom.xml";
        String artifact = "";
        String execution = "";
        var pending = new HashMap<String, String>();
        int textStart = 0;
        Matcher tag = TAG.matcher(xml);
        while (tag.find()) {
            if (tag.group(1).isEmpty()) {
                String opened = path.peek() + '/' + tag.group(2);
                boolean empty = !tag.group(3).isEmpty();
                if (opened.equals(PROJECT + "/parent")) {
                    parent = true;
                } else if (empty && opened.equals(PROJECT + "/parent/relativePath")) {
                    parent = false;
                } else if (opened.endsWith("/plugins/plugin")) {
                    artifact = "";
                    pending.clear();
                } else if (opened.endsWith("/executions/execution")) {
                    execution = "default";
                }
                if (!empty) {
                    path.push(opened);
                }
                textStart = tag.end();
                continue;
            }
            String closing = "/" + tag.group(2);
            if (path.stream().noneMatch(open -> open.endsWith(closing))) {
                continue; // not well-formed: go by what can be understood
            }
            while (!path.peek().endsWith(closing)) {
                path.pop();
            }
            String here = path.pop();
            String text = xml.substring(textStart, tag.start()).strip();
            textStart = tag.end();
            if (here.equals(PROJECT + "/properties" + closing)) {
                pom.properties.putIfAbsent(tag.group(2), text);
            } else if (here.equals(PROJECT + "/parent/relativePath")) {
                parent = !text.isEmpty();
                relativePath = text;
            } else if (here.startsWith(PROJECT + "/build/")) {
                if (here.endsWith("/plugin/artifactId")) {
                    artifact = text;
                } else if (here.endsWith("/execution/id")) {
                    execution = text;
                } else if (here.endsWith("/plugin/configuration" + closing)) {
                    pending.put(tag.group(2), text);
                } else if (here.endsWith("/execution/configuration" + closing) && execution.equals("default-compile")) {
                    pending.putIfAbsent(tag.group(2), text);
                } else if (here.endsWith("/plugins/plugin") && artifact.equals("maven-compiler-plugin")) {
                    pending.forEach((name, value) -> pom.compiler.computeIfAbsent(name, any -> new ArrayList<>())
                            .add(value));
                }
            }
        }
        Path above = file.resolveSibling(relativePath).normalize();
        above = Files.isDirectory(above) ? above.resolve("pom.xml") : above;
        boolean inTree = parent && Files.isRegularFile(above) && !above.equals(file);
        return new Pom(inTree ? above : null, pom.properties, pom.compiler);
    }
}
