package harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Where the examples lie: {@code examples/TOPIC/Name.java}; traps and structured are folders of their own kind. */
final class Examples {

    static final Path ROOT = Path.of("examples");
    static final Path TRAPS = ROOT.resolve("traps");

    private Examples() {
    }

    /** The topic folders, sorted: tasks, time, queues and so on. */
    static List<Path> topics() throws IOException {
        try (Stream<Path> folders = Files.list(ROOT)) {
            return folders.filter(Files::isDirectory).filter(folder -> !folder.equals(TRAPS))
                    .filter(folder -> !folder.equals(ROOT.resolve("structured"))).sorted().toList();
        }
    }

    /** Every pattern, then every trap: what is final API and runs on each JDK. */
    static List<Path> finalApi() throws IOException {
        var files = new ArrayList<Path>();
        for (Path topic : topics()) {
            files.addAll(javaFiles(topic));
        }
        files.addAll(javaFiles(TRAPS));
        return files;
    }

    /** What people copy: every pattern, then every part of the service. */
    static List<Path> copied() throws IOException {
        var files = new ArrayList<Path>();
        for (Path topic : topics()) {
            files.addAll(javaFiles(topic));
        }
        files.addAll(javaFiles(ScheduleRuns.SERVICE));
        return files;
    }

    /** The file of a pattern, by the name of its class or as {@code traps/Name}, {@code structured/jdkNN/Name}. */
    static Optional<Path> named(String name) throws IOException {
        Path file = ROOT.resolve(name + ".java");
        if (Files.exists(file)) {
            return Optional.of(file);
        }
        return finalApi().stream().filter(pattern -> pattern.endsWith(name + ".java")).findFirst();
    }

    static List<Path> javaFiles(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
        }
    }
}
