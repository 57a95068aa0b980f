package harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Runs of {@code scripts/ExploreSchedules.java}, many in one JVM. */
final class ScheduleRuns {

    private static final Path LAUNCHER = Path.of("scripts", "ExploreSchedules.java");

    static final Path SCENARIOS = Path.of("src", "test", "schedules");
    static final Path SERVICE = Path.of("assets", "service", "src", "main", "java", "service");

    private ScheduleRuns() {
    }

    /** All of them: of the examples, then of the service's parts, in the package {@code service}. */
    static List<Path> scenarios() throws IOException {
        var scenarios = new ArrayList<>(Examples.javaFiles(SCENARIOS));
        scenarios.addAll(Examples.javaFiles(SCENARIOS.resolve("service")));
        scenarios.removeIf(file -> !file.toString().endsWith("Scenario.java"));
        return scenarios;
    }

    /** The class that {@code NameScenario}, or {@code NameCloseScenario}, is about. */
    static Path example(Path scenario) throws IOException {
        String name = scenario.getFileName().toString().replace("Scenario.java", "");
        boolean service = scenario.getParent().endsWith("service");
        for (int end = name.length(); end > 0; end--) {
            Path part = SERVICE.resolve(name.substring(0, end) + ".java");
            var example = service ? Optional.of(part).filter(Files::exists) : Examples.named(name.substring(0, end));
            if (example.isPresent()) {
                return example.get();
            }
        }
        throw new AssertionError("no class for " + scenario);
    }

    /** The newest promised JDK that can run the explorer, if there is one. */
    static Jdk jdk() {
        return Jdk.installed().stream().filter(jdk -> jdk.feature() >= 25)
                .filter(jdk -> jdk.feature() <= Jdk.PROMISED.getLast()).reduce((older, newer) -> newer).orElse(null);
    }

    static Child one(Jdk jdk, String... arguments) throws IOException, InterruptedException {
        var command = jdk.java(LAUNCHER.toString());
        command.addAll(List.of(arguments));
        return Child.run(Duration.ofMinutes(20), command);
    }

    /** What each of the argument lists gives. One that stops the JVM, for it never ends, does not stop the others. */
    static Map<String, String> all(Jdk jdk, List<String> lines) throws IOException, InterruptedException {
        var outputs = new LinkedHashMap<String, String>();
        Path file = Files.createTempFile("runs", ".txt");
        try {
            for (List<String> left = lines; !left.isEmpty(); left = lines.subList(outputs.size(), lines.size())) {
                Files.write(file, left);
                Child child = Child.run(Duration.ofMinutes(60), jdk.java(LAUNCHER.toString(), "@" + file));
                int before = outputs.size();
                for (String part : child.output().split("(?m)^== ")) {
                    int end = part.indexOf('\n');
                    if (end > 0) {
                        outputs.put(part.substring(0, end).strip(), part.substring(end + 1));
                    }
                }
                if (outputs.size() == before) {
                    throw new AssertionError(child.output());
                }
            }
        } finally {
            Files.delete(file);
        }
        return outputs;
    }
}
