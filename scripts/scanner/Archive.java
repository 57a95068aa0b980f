package scanner;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Makes the archive of the classes that scans load; {@link Setup} starts it, in the background. */
final class Archive {

    private Archive() {
    }

    /**
     * The shortcut as it will be, where it belongs, the archive that it names, {@code java}'s options; or nothing: does
     * what scans do, for the JVM to note the classes.
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length == 0) {
            exercise();
            return;
        }
        Path part = Path.of(args[0]);
        Path archive = Path.of(args[2]);
        Path made = archive.resolveSibling(part.getFileName());
        try {
            var command = new ArrayList<String>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:ArchiveClassesAtExit=" + made));
            command.addAll(Arrays.asList(args).subList(3, args.length));
            command.add("scanner.Archive");
            if (run(command) == 0) {
                Files.move(made, archive, StandardCopyOption.ATOMIC_MOVE);
                Files.move(part, Path.of(args[1]), StandardCopyOption.ATOMIC_MOVE);
            }
        } finally {
            Files.deleteIfExists(made);
            Files.deleteIfExists(part); // last: it shows that something is still to come
        }
    }

    private static void exercise() throws IOException, InterruptedException {
        Path project = Files.createTempDirectory("find-blocking-calls");
        try {
            Files.writeString(project.resolve("pom.xml"), "<project><properties><maven.compiler.release>21"
                    + "</maven.compiler.release></properties></project>");
            Files.writeString(project.resolve("A.java"), """
                    class A {
                        synchronized void pin() throws InterruptedException {
                            rest();
                        }

                        void rest() throws InterruptedException {
                            Thread.sleep(1000);
                        }

                        void swallow() {
                            try {
                                rest();
                            } catch (InterruptedException e) { // blocking-ok: an example
                            }
                        }
                    }
                    """);
            try {
                run(List.of("git", "init", "-q", project.toString()));
            } catch (IOException e) {
                // no git here: no scan of changes
            }
            var nowhere = new PrintStream(OutputStream.nullOutputStream());
            Files.setLastModifiedTime(project.resolve("A.java"), FileTime.fromMillis(0)); // read before, not just now
            System.setProperty("scanner.cache", project.toString());
            Main.run(new String[] {"--changed"}, project, nowhere, nowhere);
            Main.run(new String[] {"--changed"}, project, nowhere, nowhere);
            Main.run(new String[] {System.getProperty("scanner.home")}, project, nowhere, nowhere);
        } finally {
            try (Stream<Path> files = Files.walk(project)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private static int run(List<String> command) throws IOException, InterruptedException {
        return new ProcessBuilder(command).redirectOutput(Redirect.DISCARD).redirectError(Redirect.DISCARD).start()
                .waitFor();
    }
}
