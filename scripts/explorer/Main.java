package explorer;

import explorer.run.Internals;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** The command. Started by {@code scripts/ExploreSchedules.java}, on a JDK whose java.base is patched for it. */
public final class Main {

    static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    static final PrintStream ERR = System.err;
    private static final long STUCK_MILLIS = 20_000;

    private Main() { }

    public static void main(String[] args) throws IOException {
        Path folder = null;
        int code = 2;
        try {
            Internals.check();
            Options options = Options.of(args);
            folder = Files.createTempDirectory("explore-schedules");
            code = run(options, new Code(options, folder));
        } catch (Misuse e) {
            ERR.println("explore-schedules: " + e.getMessage());
        } catch (ExceptionInInitializerError | IllegalStateException e) {
            String why = e.getCause() == null ? e.getMessage() : e.getCause().getMessage();
            ERR.println("explore-schedules: not on this JDK (" + System.getProperty("java.version") + "): " + why);
        } finally {
            if (folder != null) {
                delete(folder.toFile());
            }
        }
        OUT.flush();
        Runtime.getRuntime().halt(code); // threads of the scenario may be left over
    }

    private static int run(Options options, Code code) throws Misuse {
        Explorer explorer = new Explorer(options, code);
        Progress progress = new Progress(System.console() != null && System.console().isTerminal() && !options.json());
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        System.setOut(nowhere);
        System.setErr(nowhere);
        Explorer.Found found = options.replay() == null ? explorer.explore(progress)
                : explorer.replay(options.replay(), () -> {
                    System.setOut(OUT);
                    System.setErr(ERR);
                });
        progress.clear();
        String command = "java " + System.getProperty("explorer.command", "scripts/ExploreSchedules.java");
        Report report = new Report(options, explorer, found, command);
        OUT.print(options.json() ? report.json() : report.text());
        return report.exitCode();
    }

    private static void delete(File file) {
        File[] children = file.listFiles();
        if (children != null) {
            Arrays.stream(children).forEach(Main::delete);
        }
        file.delete();
    }
}
