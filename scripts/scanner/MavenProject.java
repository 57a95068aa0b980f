package scanner;

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

/** The JDK a {@code pom.xml} compiles for, with the properties and plugin settings of its parents as far as they are in the tree. */
final class MavenProject {

    private static final Pattern TAG = Pattern.compile("<(/?)([\\w.:-]+)[^>]*?(/?)>");
    private static final Pattern REFERENCE = Pattern.compile("\\$\\{([^}]+)}");
    private static final String PROJECT = "/project";
    /** How a parent that is not in the tree, such as Spring Boot's, and many in-house ones spell it. */
    private static final List<String> PROPERTIES = List.of("java.version", "jdk.version", "java.release", "release.version");

    private final Map<String, String> properties = new HashMap<>();
    /** The compiler plugin's settings; the nearest pom's first. */
    private final Map<String, List<String>> compiler = new HashMap<>();

    private MavenProject() {
    }

    static int release(Path folder) {
        Path pom = folder.resolve("pom.xml");
        if (!Files.exists(pom)) {
            return 0;
        }
        var project = new MavenProject();
        for (int depth = 0; pom != null && depth < 20; depth++) {
            pom = project.read(pom);
        }
        return project.release();
    }

    private int release() {
        for (String kind : List.of("release", "target", "source")) {
            var candidates = new ArrayList<>(compiler.getOrDefault(kind, List.of()));
            candidates.add("${maven.compiler." + kind + "}");
            int release = first(candidates);
            if (release > 0) {
                return release;
            }
        }
        return first(PROPERTIES.stream().map(name -> "${" + name + "}").toList());
    }

    private int first(List<String> candidates) {
        return candidates.stream().mapToInt(text -> ProjectSettings.built(resolved(text, 0))).filter(release -> release > 0).findFirst().orElse(0);
    }

    private String resolved(String text, int depth) {
        Matcher reference = REFERENCE.matcher(text);
        return depth > 10 || !reference.find() ? text
                : resolved(reference.replaceFirst(Matcher.quoteReplacement(properties.getOrDefault(reference.group(1), "?"))), depth + 1);
    }

    /** Takes in one pom and returns its parent's; null if that is not in the tree. */
    private Path read(Path pom) {
        String xml = ProjectSettings.read(pom).replaceAll("(?s)<!--.*?-->", "");
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
            String here = path.peek();
            if (tag.group(1).isEmpty()) {
                String opened = here + '/' + tag.group(2);
                parent |= opened.equals(PROJECT + "/parent");
                if (opened.equals(PROJECT + "/parent/relativePath") && !tag.group(3).isEmpty()) {
                    parent = false;
                }
                if (opened.endsWith("/plugins/plugin")) {
                    artifact = "";
                    pending.clear();
                } else if (opened.endsWith("/executions/execution")) {
                    execution = "default";
                }
                if (tag.group(3).isEmpty()) {
                    path.push(opened);
                }
                textStart = tag.end();
                continue;
            }
            if (path.size() == 1 || !here.endsWith("/" + tag.group(2))) {
                continue; // not well-formed: go by what can be understood
            }
            path.pop();
            String text = xml.substring(textStart, tag.start()).strip();
            if (here.startsWith(PROJECT + "/properties/")) {
                properties.putIfAbsent(tag.group(2), text);
            } else if (here.equals(PROJECT + "/parent/relativePath")) {
                parent = !text.isEmpty();
                relativePath = text;
            } else if (here.startsWith(PROJECT + "/build/")) {
                if (here.endsWith("/plugin/artifactId")) {
                    artifact = text;
                } else if (here.endsWith("/execution/id")) {
                    execution = text;
                } else if (here.endsWith("/plugin/configuration/" + tag.group(2))) {
                    pending.put(tag.group(2), text);
                } else if (here.endsWith("/execution/configuration/" + tag.group(2)) && execution.equals("default-compile")) {
                    pending.putIfAbsent(tag.group(2), text);
                } else if (here.endsWith("/plugins/plugin") && artifact.equals("maven-compiler-plugin")) {
                    pending.forEach((name, value) -> compiler.computeIfAbsent(name, any -> new ArrayList<>()).add(value));
                }
            }
            textStart = tag.end();
        }
        if (!parent) {
            return null;
        }
        Path above = pom.resolveSibling(relativePath).normalize();
        above = Files.isDirectory(above) ? above.resolve("pom.xml") : above;
        return Files.isRegularFile(above) && !above.equals(pom) ? above : null;
    }
}
