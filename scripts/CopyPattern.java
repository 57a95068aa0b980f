import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * Copies patterns of this skill into a project, without their demo, and keeps the copies up to date: starts
 * {@code copier.Main} of {@code scripts/copier}, compiled once into the user's cache. Runs on JDK 11 and later.
 *
 * <p>Run: {@code java scripts/CopyPattern.java --help}
 */
public final class CopyPattern {

    private CopyPattern() {
    }

    public static void main(String[] args) {
        int code = 2;
        try {
            Path scripts = scripts();
            URL[] classes = {classes(scripts.resolve("copier")).toUri().toURL()};
            code = (Integer) new URLClassLoader(classes).loadClass("copier.Main")
                    .getMethod("run", Path.class, Path.class, PrintStream.class, PrintStream.class, String[].class)
                    .invoke(null, scripts.getParent(), Path.of("").toAbsolutePath(), System.out, System.err, args);
        } catch (IOException | ReflectiveOperationException e) {
            System.err.println("copy-pattern: " + (e.getCause() == null ? e.getMessage() : e.getCause()));
        }
        System.exit(code);
    }

    /** The folder of this file, as the command that runs it says. */
    private static Path scripts() throws IOException {
        String command = System.getProperty("sun.java.command", "");
        int end = command.indexOf("CopyPattern.java");
        if (end < 0) {
            throw new IOException("run it as java scripts/CopyPattern.java");
        }
        return Path.of(command.substring(command.indexOf(' ') + 1, end) + "CopyPattern.java").toRealPath().getParent();
    }

    private static Path classes(Path sources) throws IOException {
        File[] files = sources.toFile().listFiles((folder, name) -> name.endsWith(".java"));
        if (files == null || files.length == 0) {
            throw new IOException("no sources in " + sources + "; the skill is incomplete: install it again");
        }
        Arrays.sort(files);
        CRC32 hash = new CRC32();
        for (File file : files) {
            hash.update(Files.readAllBytes(file.toPath()));
        }
        Path cache = cache();
        Path done = cache.resolve("copier-" + Long.toHexString(hash.getValue()));
        if (Files.isDirectory(done)) {
            return done;
        }
        Path fresh = temporary(cache);
        compile(files, fresh);
        try {
            return Files.move(fresh, done, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) { // another was first, or the cache cannot be written
            return fresh;
        }
    }

    private static Path temporary(Path cache) throws IOException {
        try {
            return Files.createTempDirectory(Files.createDirectories(cache), "copier-");
        } catch (IOException e) {
            return Files.createTempDirectory("copier-");
        }
    }

    private static Path cache() {
        for (String name : List.of("XDG_CACHE_HOME", "LOCALAPPDATA")) {
            String value = System.getenv(name);
            if (value != null && !value.isEmpty()) {
                return Path.of(value, "java-async-patterns");
            }
        }
        return Path.of(System.getProperty("user.home"), ".cache", "java-async-patterns");
    }

    private static void compile(File[] files, Path to) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<String> command = new ArrayList<>(List.of("-proc:none", "-nowarn", "--release", "11", "-encoding",
                "UTF-8", "-d", to.toString()));
        for (File file : files) {
            command.add(file.getPath());
        }
        if (compiler == null || compiler.run(null, null, null, command.toArray(new String[0])) != 0) {
            throw new IOException("cannot compile " + files[0].getParent() + " with the Java of "
                    + System.getProperty("java.home"));
        }
    }
}
