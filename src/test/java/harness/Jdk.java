package harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** An installed JDK of 21 or later. @param feature such as 21. @param version such as 21.0.12.1. */
record Jdk(int feature, String version, Path home) {

    /** The releases this project answers for. Each is tested, or reported as skipped. */
    static final List<Integer> PROMISED = List.of(21, 25, 26, 27);

    /** One JDK for each feature release, lowest first; the one this test runs on before others of its release. */
    static List<Jdk> installed() {
        var homes = new ArrayList<Path>();
        homes.add(Path.of(System.getProperty("java.home")));
        System.getenv().forEach((name, value) -> {
            if (name.equals("JAVA_HOME") || name.matches("JAVA_HOME_\\d+_\\w+")) {
                homes.add(Path.of(value));
            }
        });
        var user = Path.of(System.getProperty("user.home"));
        for (Path folder : List.of(Path.of("/usr/lib/jvm"), user.resolve(".sdkman/candidates/java"),
                user.resolve(".jdks"),
                user.resolve(".cache/jdks"))) {
            homes.addAll(children(folder));
        }
        for (Path bundle : children(Path.of("/Library/Java/JavaVirtualMachines"))) {
            homes.add(bundle.resolve("Contents/Home"));
        }
        Map<Integer, Jdk> found = new TreeMap<>();
        homes.forEach(home -> at(home).filter(jdk -> jdk.feature >= 21)
                .ifPresent(jdk -> found.putIfAbsent(jdk.feature, jdk)));
        return List.copyOf(found.values());
    }

    /**
     * Those on which everything is tested: the promised ones, and the one this test runs on. Any other takes part with
     * {@code -Djdks=all}, as in the weekly workflow.
     */
    static List<Jdk> tested() {
        boolean all = "all".equals(System.getProperty("jdks"));
        return installed().stream().filter(jdk -> all || PROMISED.contains(jdk.feature) || jdk.isThisOne()).toList();
    }

    boolean isThisOne() {
        return feature == Runtime.version().feature();
    }

    /** The one this test runs on. */
    static Jdk current() {
        return installed().stream().filter(Jdk::isThisOne).findFirst().orElseThrow();
    }

    static Optional<Jdk> of(int feature) {
        return installed().stream().filter(jdk -> jdk.feature == feature).findFirst();
    }

    private static Optional<Jdk> at(Path home) {
        boolean windows = System.getProperty("os.name").startsWith("Windows");
        if (!Files.isExecutable(home.resolve(windows ? "bin/javac.exe" : "bin/javac"))) {
            return Optional.empty();
        }
        try {
            Matcher version = Pattern.compile("JAVA_VERSION=\"((\\d+)[^\"]*)\"")
                    .matcher(Files.readString(home.resolve("release")));
            return version.find() ? Optional.of(new Jdk(Integer.parseInt(version.group(2)), version.group(1), home))
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static List<Path> children(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> children = Files.list(folder)) {
            return children.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The folder of {@code examples/structured} written for this JDK's generation of StructuredTaskScope, if there is
     * one.
     */
    Optional<String> generation() {
        return switch (feature) {
            case 22, 23, 24 -> Optional.empty();
            default -> Optional.of(newestFolder(Path.of("examples/structured"), feature).getFileName().toString());
        };
    }

    /** Of the folders {@code jdkNN} the newest that is not above {@code feature}. */
    static Path newestFolder(Path folders, int feature) {
        return children(folders).stream().filter(folder -> folder.getFileName().toString().matches("jdk\\d\\d"))
                .filter(folder -> Integer.parseInt(folder.getFileName().toString().substring(3)) <= feature)
                .reduce((older, newer) -> newer).orElseThrow();
    }

    /**
     * The command that starts a program which is over in seconds: without the second compiler and the collector that
     * only pay off later.
     */
    List<String> java(String... arguments) {
        return command(tool("java"), List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"), arguments);
    }

    /** The same for its compiler: on a hundred files less than half of the time. */
    List<String> javac(String... arguments) {
        return command(tool("javac"), List.of("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"), arguments);
    }

    private static List<String> command(String tool, List<String> options, String... arguments) {
        var command = new ArrayList<String>(List.of(tool));
        command.addAll(options);
        command.addAll(List.of(arguments));
        return command;
    }

    String tool(String name) {
        return home.resolve("bin").resolve(name).toString();
    }
}
