package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A checkout with the line ends of Windows: the same findings at the same places, suppressed and known alike. */
@Tag("once")
@Timeout(600)
class LineEndsTest {

    @TempDir
    Path top;

    @Test
    void crlfChangesNothing() throws IOException {
        Path lf = top.resolve("lf");
        Path crlf = top.resolve("crlf");
        try (Stream<Path> traps = Files.list(Path.of("examples/traps"))) {
            for (Path trap : traps.toList()) {
                copy(Files.readString(trap), lf, crlf, trap.getFileName().toString());
            }
        }
        copy("""
                class Suppressed {
                    synchronized void one() throws InterruptedException {
                        // blocking-ok: known
                        Thread.sleep(1);
                    }

                    @SuppressWarnings("blocking")
                    synchronized void two() throws InterruptedException {
                        Thread.sleep(1); // two
                    }

                    synchronized void three() throws InterruptedException {
                        Thread.sleep(1); // blocking-ok: known
                    }

                    String block = \"""
                            // text
                            \""";

                    synchronized void found() throws InterruptedException {
                        Thread.sleep(1);
                    }
                }
                """, lf, crlf, "Suppressed.java");
        Cli expected = Cli.run(lf, "--release", "21");
        assertEquals(1, expected.code());
        assertEquals(List.of("Suppressed.java:21:16"), places(expected, "Suppressed"));
        assertEquals(expected, Cli.run(crlf, "--release", "21"));

        Cli.run(lf, "--release", "21", "--write-baseline", "known.txt");
        copy(Files.readString(lf.resolve("known.txt")), lf, crlf, "known.txt");
        assertEquals(0, Cli.run(crlf, "--release", "21", "--baseline", "known.txt").code(),
                "a baseline checked out with CRLF");
    }

    private static void copy(String text, Path lf, Path crlf, String name) throws IOException {
        Files.writeString(Files.createDirectories(lf).resolve(name), text);
        Files.writeString(Files.createDirectories(crlf).resolve(name), text.replace("\n", "\r\n"));
    }

    private static List<String> places(Cli run, String type) {
        return run.out().lines().filter(line -> line.startsWith(type)).map(line -> line.replaceFirst(": .*", ""))
                .toList();
    }
}
