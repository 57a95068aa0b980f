package harness;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/** Runs {@code scripts/install.sh} of a source folder in a child process with an environment of its own. */
final class Installer {
    static final Path REPOSITORY = Path.of("").toAbsolutePath();
    static final String MANIFEST = ".install-manifest";

    private final Path source;
    private final Path home;
    private final List<String> prefix = new ArrayList<>();
    private final Map<String, String> environment = new HashMap<>();

    /** What a run left: exit code, standard output, standard error. */
    record Outcome(int exit, String out, String err) {
    }

    Installer(Path source, Path home) {
        this.source = source;
        this.home = home;
        environment.put("PATH", System.getenv("PATH"));
        environment.put("HOME", home.toString());
    }

    /** The installed folder of a run without options. */
    Path target() {
        return home.resolve(".claude/skills/java-async-patterns");
    }

    /** Sets a variable, or removes it where the value is null. */
    Installer with(String variable, String value) {
        if (value == null) {
            environment.remove(variable);
        } else {
            environment.put(variable, value);
        }
        return this;
    }

    /** Looks for JDKs in these homes only. */
    Installer withJdks(Path... homes) {
        return with("JAVA_ASYNC_PATTERNS_JDKS", String.join(":", Stream.of(homes).map(Path::toString).toList()));
    }

    /** Puts a folder in front of PATH. */
    Installer withCommands(Path folder) {
        return with("PATH", folder + ":" + System.getenv("PATH"));
    }

    /** Runs the shell below another command, such as {@code setpriv}. */
    Installer below(String... command) {
        prefix.addAll(List.of(command));
        return this;
    }

    ProcessBuilder command(String... arguments) {
        var command = new ArrayList<>(prefix);
        command.addAll(List.of("bash", source.resolve("scripts/install.sh").toString()));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).directory(home.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        return builder;
    }

    Outcome run(String... arguments) throws IOException, InterruptedException {
        return run(command(arguments));
    }

    static Outcome run(ProcessBuilder builder) throws IOException, InterruptedException {
        Path errors = Files.createTempFile("install", ".err");
        try {
            Process process = builder.redirectError(errors.toFile()).start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes());
            return new Outcome(process.waitFor(), out, Files.readString(errors));
        } finally {
            Files.delete(errors);
        }
    }

    /** A stand-in for a JDK of the feature version: running a source file with it runs the shell commands. */
    static Path fakeJdk(Path home, String feature, String commands) throws IOException {
        script(home.resolve("bin/java"), """
                case $1 in
                -XshowSettings:properties)
                  echo '    java.home = %s'
                  echo '    java.specification.version = %s' ;;
                *) %s ;;
                esac >&2
                """.formatted(home, feature, commands));
        script(home.resolve("bin/javac"), "");
        return home;
    }

    static void script(Path file, String commands) throws IOException {
        Files.createDirectories(file.getParent());
        // Not written here: a process that another test starts meanwhile has open what this JVM has open for writing,
        // and as long as it has, the system refuses to run the file.
        Process writer = new ProcessBuilder("sh", "-c", "cat >\"$0\" && chmod 755 \"$0\"", file.toString())
                .redirectErrorStream(true).start();
        try (var in = writer.getOutputStream()) {
            in.write(("#!/bin/sh\n" + commands).getBytes());
        }
        if (writer.onExit().join().exitValue() != 0) {
            throw new IOException(file + ": " + new String(writer.getInputStream().readAllBytes()));
        }
    }

    /** What is under the folder, hidden or not: files with their content, symbolic links with their target, folders. */
    static Map<String, String> tree(Path folder) throws IOException {
        var tree = new TreeMap<String, String>();
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            return tree;
        }
        try (var paths = Files.walk(folder)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                String name = folder.relativize(path).toString().replaceFirst("/$", ""); // a zip's folders end so
                if (Files.isSymbolicLink(path)) {
                    tree.put(name, "-> " + Files.readSymbolicLink(path));
                } else if (Files.isRegularFile(path)) {
                    tree.put(name, content(path));
                } else if (!path.equals(folder)) {
                    tree.put(name, "a folder");
                }
            }
        }
        return tree;
    }

    /** A short text itself, so that a failed comparison can be read; of anything else length and checksum. */
    private static String content(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        if (bytes.length < 80) {
            return new String(bytes, StandardCharsets.ISO_8859_1);
        }
        var checksum = new CRC32();
        checksum.update(bytes);
        return bytes.length + " bytes, CRC " + Long.toHexString(checksum.getValue());
    }
}
