package scanner;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import scanner.findings.Finding;

/** Calls the scanner's command line and keeps what came of it, but for the time it took. */
record Cli(int code, String out, String err) {

    static Cli run(Path cwd, String... args) {
        return run(cwd, Analysis::run, args);
    }

    static Cli run(Path cwd, Function<Analysis.Request, Analysis.Result> analysis, String... args) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        int code = Main.run(args, cwd, new PrintStream(out, false, StandardCharsets.UTF_8), new PrintStream(err, true,
                StandardCharsets.UTF_8),
                step -> { }, analysis);
        String report = out.toString(StandardCharsets.UTF_8).replaceAll(" Took [\\d.]+ s\\.", "");
        return new Cli(code, report, err.toString(StandardCharsets.UTF_8));
    }

    /** An analysis that finds just these. */
    static Function<Analysis.Request, Analysis.Result> finding(Finding... findings) {
        return request -> new Analysis.Result(List.of(findings), List.of(), Map.of());
    }

    /** A finding of one step. */
    static Finding at(String file, int line, int column) {
        var place = new Finding.Place(file, line, column);
        return new Finding("blocking-under-monitor", Finding.Level.WARNING, place,
                "Thread.sleep() blocks in a synchronized block",
                List.of(new Finding.Step(place, "Thread.sleep()")), List.of(), "org.acme.A.m");
    }

    static Path write(Path file, String... lines) throws IOException {
        Files.createDirectories(file.getParent());
        return Files.writeString(file, String.join("\n", lines) + "\n");
    }

    static String recorded(String name) throws IOException {
        try (var in = Cli.class.getResourceAsStream("/scanner/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    List<String> errors() {
        return err.lines().toList();
    }
}
