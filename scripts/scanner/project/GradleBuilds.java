package scanner.project;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The JDK a {@code build.gradle} or {@code build.gradle.kts} compiles for: {@code options.release}, else {@code
 * targetCompatibility}, {@code sourceCompatibility}, the toolchain; in its own file, those above it, and the build's
 * convention plugins. Reads the usual spellings, runs nothing: numbers, {@code JavaVersion}, variables, {@code
 * gradle.properties} and version catalogs are followed.
 */
final class GradleBuilds {

    private static final List<Pattern> SETTINGS = List.of(
            Pattern.compile("(?:\\brelease|getRelease\\(\\))\\s*(?:\\.set\\s*\\(|\\.convention\\s*\\(|="
                    + "|(?<=\\brelease)\\()\\s*(?=([^\\n;]+))|--release['\"]\\s*,\\s*(?=([^\\n;]+))"),
            Pattern.compile("\\btargetCompatibility\\s*(?:\\.set\\s*\\(|=|\\(|\\s)\\s*(?=([^\\n;]+))"),
            Pattern.compile("\\bsourceCompatibility\\s*(?:\\.set\\s*\\(|=|\\(|\\s)\\s*(?=([^\\n;]+))"),
            Pattern.compile("\\bJavaLanguageVersion\\s*\\.of\\s*\\(\\s*(?=([^\\n;]+))"
                    + "|\\bjvmToolchain\\s*\\(\\s*(?=([^\\n;]+))"));
    /** Strings first, so that what looks like a comment inside one is kept. */
    private static final Pattern COMMENT = Pattern.compile(
            "(\"(?:\\\\.|[^\"\\\\\\n])*\"|'(?:\\\\.|[^'\\\\\\n])*')|//[^\\n]*|(?s:/\\*.*?\\*/)");
    private static final Pattern CONSTANT = Pattern.compile("VERSION_(?:1_)?(\\d{1,2})\\b");
    private static final Pattern NUMBER = Pattern.compile("^['\"]?((?:1\\.)?\\d{1,2})(?:\\.0)?['\"]?(?![\\w.]).*",
            Pattern.DOTALL);
    private static final Pattern CATALOG = Pattern.compile("\\b(\\w+)\\.versions\\.([\\w.]+)");
    private static final Pattern PROPERTY = Pattern.compile(
            "[pP]roperty\\(\\s*['\"]([\\w.-]+)['\"]|(?:extra|ext)\\[\\s*['\"]([\\w.-]+)");
    private static final Pattern WRAPPED = Pattern.compile(
            "^(?:JavaVersion\\.toVersion|JavaLanguageVersion\\.of|Integer\\.\\w+|int|String\\.valueOf)\\s*\\(\\s*");
    private static final Pattern NAME = Pattern.compile("^[\"'$({]*([A-Za-z_][\\w.]*)");
    private static final Pattern CONVERSION = Pattern.compile(
            "\\.(?:get|toInt|toInteger|asInt|intValue|toString|majorVersion|orNull|trim|set)\\b.*");
    private static final Pattern PLUGIN = Pattern.compile(
            "\\bid\\s*\\(?\\s*['\"]([\\w.-]+)|apply\\s*\\(?\\s*plugin\\s*[:=]\\s*['\"]([\\w.-]+)|`([\\w.-]+)`");
    private static final List<String> CONVENTIONS = List.of("buildSrc", "build-logic", "buildLogic",
            "build-conventions", "gradle/plugins",
            "gradle/build-logic", "build-plugin", "build-plugins");

    /** How {@code condition ? special : usual} ends, and {@code given ?: usual}. */
    private static final Pattern OTHERWISE = Pattern.compile("^[^\\n]*\\?[^:?\\n]*:\\s*(\\S.*)", Pattern.DOTALL);

    private final Map<Path, String> scripts = new HashMap<>();
    private final Map<Path, TreeMap<String, String>> conventions = new HashMap<>();
    /** Of the module that is being read: its folder, then those above it up to the build's root. */
    private List<Path> folders = List.of();

    static boolean isIn(Path folder) {
        return Files.exists(folder.resolve("build.gradle")) || Files.exists(folder.resolve("build.gradle.kts"))
                || isRoot(folder);
    }

    private static boolean isRoot(Path folder) {
        return Files.exists(folder.resolve("settings.gradle")) || Files.exists(folder.resolve("settings.gradle.kts"));
    }

    /** 0 if there is no build file in {@code folder}, or nothing that can be told. */
    int release(Path module) {
        if (!isIn(module)) {
            return 0;
        }
        folders = new ArrayList<>();
        for (Path folder = module; folder != null; folder = folder.getParent()) {
            folders.add(folder);
            if (!ProjectSettings.inherits(folder) || isRoot(folder)) {
                break;
            }
        }
        var plugins = new ArrayList<String>();
        for (Path folder : folders) {
            String script = script(folder);
            int release = release(script);
            if (release > 0) {
                return release;
            }
            plugins(script, plugins);
        }
        TreeMap<String, String> own = conventions.computeIfAbsent(folders.get(folders.size() - 1),
                GradleBuilds::conventions);
        for (int i = 0; i < plugins.size(); i++) { // grows: a convention may apply another
            for (String ending : List.of(".gradle", ".gradle.kts")) {
                String script = own.getOrDefault(plugins.get(i) + ending, "");
                int release = release(script);
                if (release > 0) {
                    return release;
                }
                plugins(script, plugins);
            }
        }
        return own.values().stream().mapToInt(this::release).filter(release -> release > 0).findFirst().orElse(0);
    }

    private static void plugins(String script, List<String> plugins) {
        Matcher matcher = PLUGIN.matcher(script);
        while (matcher.find()) {
            String plugin = group(matcher);
            if (!plugins.contains(plugin)) {
                plugins.add(plugin);
            }
        }
    }

    /** The scripts and classes of the build's own plugins, without comments, by file name. */
    private static TreeMap<String, String> conventions(Path root) {
        var found = new TreeMap<String, String>();
        for (String name : CONVENTIONS) {
            Path folder = root.resolve(name);
            if (!Files.isDirectory(folder)) {
                continue;
            }
            try (Stream<Path> files = Files.walk(folder, 12)) {
                files.filter(file -> file.toString()
                        .matches(".*[/\\\\]src[/\\\\]main[/\\\\].*\\.(gradle|gradle\\.kts|kt|groovy|java)"))
                        .sorted().limit(500)
                        .forEach(file -> found.putIfAbsent(file.getFileName().toString(),
                                withoutComments(ProjectSettings.read(file))));
            } catch (IOException | java.io.UncheckedIOException e) {
                continue; // settings are a convenience: what cannot be read says nothing
            }
        }
        return found;
    }

    private String script(Path folder) {
        return scripts.computeIfAbsent(folder, any -> withoutComments(
                ProjectSettings.read(folder.resolve("build.gradle"))
                        + ProjectSettings.read(folder.resolve("build.gradle.kts"))));
    }

    private static String withoutComments(String script) {
        return COMMENT.matcher(script).replaceAll(match -> match.group(1) == null ? " "
                : Matcher.quoteReplacement(match.group(1)));
    }

    private int release(String script) {
        for (Pattern setting : SETTINGS) {
            int forTests = 0;
            Matcher matcher = setting.matcher(script);
            while (matcher.find()) {
                int release = value(group(matcher), script, new HashSet<>());
                if (release == 0) {
                    continue;
                }
                String before = script.substring(Math.max(0, matcher.start() - 150), matcher.start());
                if (!before.substring(before.lastIndexOf('}') + 1).matches("(?s).*[tT]est.*")) {
                    return release;
                }
                forTests = forTests == 0 ? release : forTests;
            }
            if (forTests > 0) {
                return forTests;
            }
        }
        return 0;
    }

    /**
     * What an expression at the start of {@code text} comes to; 0 if it cannot be told. {@code seen}: names that were
     * looked up on the way.
     */
    private int value(String text, String script, Set<String> seen) {
        Matcher otherwise = OTHERWISE.matcher(text);
        String expression = (otherwise.find() ? otherwise.group(1) : text).strip();
        for (Matcher wrapped = WRAPPED.matcher(expression); wrapped.find(); wrapped = WRAPPED.matcher(expression)) {
            expression = expression.substring(wrapped.end());
        }
        Matcher number = NUMBER.matcher(expression);
        if (number.matches()) {
            return ProjectSettings.built(number.group(1));
        }
        Matcher constant = CONSTANT.matcher(expression);
        if (constant.find()) {
            return ProjectSettings.built(constant.group(1));
        }
        Matcher catalog = CATALOG.matcher(expression);
        if (catalog.find()) {
            return catalog(catalog.group(1), CONVERSION.matcher(catalog.group(2)).replaceFirst(""));
        }
        Matcher property = PROPERTY.matcher(expression);
        Matcher name = NAME.matcher(expression);
        if (property.find()) {
            return variable(group(property), script, seen);
        }
        if (name.find()) {
            String path = CONVERSION.matcher(name.group(1)).replaceFirst("");
            return variable(path.substring(path.lastIndexOf('.') + 1), script, seen);
        }
        return 0;
    }

    private int variable(String name, String script, Set<String> seen) {
        if (!seen.add(name)) {
            return 0;
        }
        String quoted = Pattern.quote(name);
        Pattern assignment = Pattern.compile("(?<![\\w.])(?:[\\w.]*\\.)?" + quoted
                + "(?:\\s*:\\s*\\w+)?['\"]?]?\\s*(?:=(?!=)|\\bby\\s+extra\\s*\\()\\s*(?=([^\\n;]+))"
                + "|\\bset\\(\\s*['\"]" + quoted + "['\"]\\s*,\\s*(?=([^\\n;]+))");
        int release = assigned(assignment, script, seen);
        for (int i = 0; i < folders.size() && release == 0; i++) {
            Path folder = folders.get(i);
            Matcher property = Pattern.compile("(?m)^\\s*" + quoted + "\\s*[=:]\\s*(\\S+)")
                    .matcher(ProjectSettings.read(folder.resolve("gradle.properties")));
            release = property.find() ? ProjectSettings.built(property.group(1)) : assigned(assignment, script(folder),
                    seen);
        }
        return release;
    }

    private int assigned(Pattern assignment, String script, Set<String> seen) {
        Matcher matcher = assignment.matcher(script);
        while (matcher.find()) {
            int release = value(group(matcher), script, seen);
            if (release > 0) {
                return release;
            }
        }
        return 0;
    }

    /**
     * {@code libs.versions.java.target} is {@code java-target}, {@code java_target} or {@code java.target} of {@code
     * gradle/libs.versions.toml}.
     */
    private int catalog(String catalog, String accessor) {
        String key = accessor.replace(".", "[-_.]");
        String toml = ProjectSettings.read(folders.get(folders.size() - 1).resolve("gradle").resolve(catalog
                + ".versions.toml"));
        Matcher matcher = Pattern.compile("(?m)^\\s*['\"]?" + key
                + "['\"]?\\s*=\\s*(?:\\{[^}\\n]*?=\\s*)?['\"]([^'\"]+)['\"]").matcher(toml);
        return matcher.find() ? ProjectSettings.installed(matcher.group(1)) : 0;
    }

    private static String group(Matcher matcher) {
        for (int i = 1; i <= matcher.groupCount(); i++) {
            if (matcher.group(i) != null) {
                return matcher.group(i);
            }
        }
        return "";
    }
}
