package copier;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The project that copies go into: its source root, package, JDK and module. */
final class Project {

    private static final String[][] MODULES = {{"java.net.http.", "java.net.http"},
        {"com.sun.net.httpserver.", "jdk.httpserver"}, {"java.sql.", "java.sql"}, {"javax.sql.", "java.sql"},
        {"jdk.jfr.", "jdk.jfr"}, {"java.lang.management.", "java.management"}, {"javax.management.", "java.management"},
        {"com.sun.management.", "jdk.management"}, {"java.util.logging.", "java.logging"}};

    private Project() {
    }

    static Path sourceRoot(Path here) throws IOException, Refusal {
        Path project = of(here);
        for (Path above = here; above != null && above.startsWith(project); above = above.getParent()) {
            if (Files.isDirectory(above.resolve("src/main/java"))) {
                return above.resolve("src/main/java");
            }
        }
        Matcher configured = Pattern.compile("<sourceDirectory>\\s*([^<$]+?)\\s*<").matcher(build(project, "pom.xml"));
        if (configured.find()) {
            return project.resolve(configured.group(1));
        }
        var roots = new ArrayList<Path>();
        Files.walkFileTree(project, Set.of(), 6, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                String name = String.valueOf(folder.getFileName());
                if (folder.endsWith(Path.of("src", "main", "java"))) {
                    roots.add(folder);
                    return FileVisitResult.SKIP_SUBTREE;
                }
                boolean skip = name.startsWith(".") || Set.of("target", "build", "out", "node_modules").contains(name);
                return skip ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE;
            }
        });
        if (roots.size() > 1) {
            roots.sort(null);
            throw new Refusal(2, roots.size() + " source roots, " + here.relativize(roots.get(0)) + " and "
                    + here.relativize(roots.get(1))
                    + (roots.size() > 2 ? " among them" : "") + ": name a folder with --to, or run this in one module");
        }
        if (roots.size() == 1) {
            return roots.get(0);
        }
        if (Files.exists(project.resolve("pom.xml")) || Files.exists(project.resolve("build.gradle"))
                || Files.exists(project.resolve("build.gradle.kts"))) {
            return project.resolve("src/main/java");
        }
        for (String plain : List.of("src", "")) {
            if (!Text.javaFiles(project.resolve(plain)).isEmpty()) {
                return project.resolve(plain);
            }
        }
        throw new Refusal(2, "no Java sources in " + project + ": name the folder with --to DIR");
    }

    /** By its name: src, or the java of src/main/java. */
    static boolean isSourceRoot(Path folder) {
        Path parents = folder.getParent() == null ? null : folder.getParent().getParent();
        return folder.endsWith("src") || folder.endsWith("java") && parents != null && parents.endsWith("src");
    }

    /** The nearest folder above that has a build file or is a repository; else the folder itself. */
    static Path of(Path folder) {
        for (Path above = folder; above != null; above = above.getParent()) {
            for (String sign : List.of("pom.xml", "build.gradle", "build.gradle.kts", "settings.gradle",
                    "settings.gradle.kts", ".git",
                    ".java-version", ".sdkmanrc")) {
                if (Files.exists(above.resolve(sign))) {
                    return above;
                }
            }
        }
        return folder;
    }

    /** What the packages of a source root have in common. */
    static String commonPackage(Path root) throws IOException {
        String common = null;
        for (Path file : Text.javaFiles(root)) {
            if (!file.endsWith("module-info.java") && !file.endsWith("package-info.java")) {
                Path relative = root.relativize(file).getParent();
                String name = relative == null ? "" : relative.toString().replace('\\', '/').replace('/', '.');
                common = common == null ? name : common(common, name);
            }
        }
        return common == null ? "" : common;
    }

    static String common(String a, String b) {
        String[] these = a.split("\\.");
        String[] those = b.split("\\.");
        int same = 0;
        while (same < these.length && same < those.length && these[same].equals(those[same])) {
            same++;
        }
        return String.join(".", Arrays.copyOf(these, same));
    }

    /** The package that the sources in a folder have, else what its path says. */
    static String packageOf(Path folder) throws IOException {
        for (Path file : Text.children(folder)) {
            Matcher declared = Skill.PACKAGE.matcher(file.toString().endsWith(".java") ? Text.read(file) : "");
            if (declared.find()) {
                return declared.group(1);
            }
        }
        Matcher rooted = Pattern.compile(".*/src/(?:main|test)/java/(.+)")
                .matcher(folder.toAbsolutePath().normalize().toString().replace('\\', '/'));
        return rooted.matches() ? rooted.group(1).replace('/', '.') : "";
    }

    static int targetJdk(Path project) throws IOException {
        Path folder = project.toAbsolutePath().normalize();
        for (int up = 0; folder != null && up < 4; up++, folder = folder.getParent()) {
            String pom = build(folder, "pom.xml").replaceAll("(?s)<!--.*?-->", "");
            for (String tag : List.of("maven.compiler.release", "release", "maven.compiler.target", "target",
                    "java.version", "jdk.version")) {
                Matcher number = Pattern.compile("<" + Pattern.quote(tag) + ">\\s*(?:1\\.)?(\\d{1,2})\\s*<")
                        .matcher(pom);
                if (number.find()) {
                    return Integer.parseInt(number.group(1));
                }
            }
            String gradle = (build(folder, "build.gradle") + build(folder, "build.gradle.kts"))
                    .replaceAll("(?s)/\\*.*?\\*/|//[^\\n]*", "");
            for (String setting : List.of("\\brelease\\s*(?:=|\\.set\\()\\s*", "JavaLanguageVersion\\.of\\(\\s*",
                    "jvmToolchain\\(\\s*",
                    "targetCompatibility\\s*=?\\s*(?:JavaVersion\\.VERSION_)?['\"]?(?:1[._])?",
                    "sourceCompatibility\\s*=?\\s*(?:JavaVersion\\.VERSION_)?['\"]?(?:1[._])?")) {
                Matcher number = Pattern.compile(setting + "(\\d{1,2})\\b").matcher(gradle);
                if (number.find()) {
                    return Integer.parseInt(number.group(1));
                }
            }
            Matcher managed = Pattern.compile("(?m)^(?:java=)?(?:[a-z-]+)?(?:1\\.)?(\\d{1,2})\\b")
                    .matcher(build(folder, ".java-version") + '\n' + build(folder, ".sdkmanrc"));
            if (managed.find()) {
                return Integer.parseInt(managed.group(1));
            }
            if (Files.exists(folder.resolve(".git"))) {
                break;
            }
        }
        return 0;
    }

    static String build(Path folder, String file) throws IOException {
        return Files.isRegularFile(folder.resolve(file)) ? Text.read(folder.resolve(file)) : "";
    }

    static void checkModule(Path folder, String in, Map<Path, String> files) throws IOException, Refusal {
        for (Path above = folder.toAbsolutePath().normalize(); above != null; above = above.getParent()) {
            Path info = above.resolve("module-info.java");
            if (Files.isRegularFile(info)) {
                String text = Text.read(info).replaceAll("(?s)/\\*.*?\\*/|//[^\\n]*", "");
                if (in.isEmpty()) {
                    throw new Refusal(2, info
                            + " makes this a module, which has no unnamed package: add --package NAME");
                }
                var missing = new TreeSet<String>();
                for (String copied : files.values()) {
                    for (String[] module : MODULES) {
                        if (copied.contains("import " + module[0])
                                && !Pattern.compile("requires[^;]*\\b" + Pattern.quote(module[1]) + "\\s*;")
                                        .matcher(text).find()) {
                            missing.add("requires " + module[1] + ";");
                        }
                    }
                }
                if (!missing.isEmpty()) {
                    throw new Refusal(2, info + " lacks " + String.join(" ", missing)
                            + " Add it, then run this again.");
                }
                return;
            }
            if (Files.exists(above.resolve("pom.xml")) || Files.isDirectory(above.resolve(".git"))) {
                return;
            }
        }
    }

    static Path testFolder(Path folder) {
        String path = folder.toString();
        String main = Path.of("src", "main", "java").toString();
        return path.contains(main) ? Path.of(path.replace(main, Path.of("src", "test", "java").toString())) : folder;
    }
}
