package scanner.project;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The JDK a source file's module is built for: what the nearest {@code pom.xml} or {@code build.gradle(.kts)} says
 * with what it inherits, else the nearest {@code .java-version} or {@code .sdkmanrc}. Looks no further up than the
 * repository's root.
 */
public final class ProjectSettings {

    private static final Pattern RELEASE = Pattern.compile("(?:1\\.)?(\\d{1,2})");
    private static final Pattern INSTALLED = Pattern.compile("(?:[A-Za-z][\\w-]*?-)?(?:1\\.)?(\\d{1,2})(?:[._+-].*)?");
    private static final Pattern GRAALVM = Pattern.compile("[\\d.]+\\.r(\\d{1,2})-grl");

    private final MavenBuilds maven = new MavenBuilds();
    private final GradleBuilds gradle = new GradleBuilds();
    private final Map<Path, Integer> built = new HashMap<>();
    private final Map<Path, Integer> installed = new HashMap<>();

    /** The JDK that sources in {@code folder} are for; 0 if nothing says. */
    public int releaseIn(Path folder) {
        int release = built(folder);
        return release > 0 ? release : installed(folder);
    }

    /** {@code 21} and {@code 1.8} as a number from 8 on; 0 for anything else. */
    public static int release(String text) {
        Matcher matcher = RELEASE.matcher(text.strip());
        int release = matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
        return release < 8 ? 0 : release;
    }

    /** What a build file says. Older than 8 counts as 8. */
    static int built(String text) {
        Matcher matcher = RELEASE.matcher(text.strip());
        return matcher.matches() ? Math.max(8, Integer.parseInt(matcher.group(1))) : 0;
    }

    /** The JDK named by a version manager: {@code 21.0.2-tem}, {@code temurin-21.0.2+13}, {@code openjdk64-1.8.0.1}. */
    static int installed(String text) {
        Matcher graalvm = GRAALVM.matcher(text.strip());
        Matcher matcher = graalvm.matches() ? graalvm : INSTALLED.matcher(text.strip());
        return matcher.matches() ? Math.max(8, Integer.parseInt(matcher.group(1))) : 0;
    }

    /** The text of a small file; empty if it cannot be read. */
    static String read(Path file) {
        try {
            boolean small = Files.isRegularFile(file) && Files.size(file) < 5_000_000;
            return small ? new String(Files.readAllBytes(file), StandardCharsets.UTF_8) : "";
        } catch (IOException e) {
            return "";
        }
    }

    private int built(Path folder) {
        Integer known = built.get(folder);
        if (known == null) {
            known = maven.release(folder);
            if (known == 0) {
                known = gradle.release(folder);
            }
            boolean module = MavenBuilds.isIn(folder) || GradleBuilds.isIn(folder);
            if (known == 0 && !module && inherits(folder)) {
                known = built(folder.getParent());
            }
            built.put(folder, known);
        }
        return known;
    }

    private int installed(Path folder) {
        Integer known = installed.get(folder);
        if (known == null) {
            known = installed(read(folder.resolve(".java-version")).lines().findFirst().orElse(""));
            if (known == 0) {
                known = read(folder.resolve(".sdkmanrc")).lines().map(String::strip)
                        .filter(line -> line.startsWith("java="))
                        .mapToInt(line -> installed(line.substring(5))).findFirst().orElse(0);
            }
            if (known == 0 && inherits(folder)) {
                known = installed(folder.getParent());
            }
            installed.put(folder, known);
        }
        return known;
    }

    /** Whether what stands above {@code folder} may say something about it. */
    static boolean inherits(Path folder) {
        return folder.getParent() != null && !Files.exists(folder.resolve(".git"));
    }
}
