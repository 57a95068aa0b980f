package explorer;

import explorer.run.Internals;
import explorer.run.Schedule;
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
    private static final long STUCK_NANOS = 20_000_000_000L;

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
        watch(options, explorer, System.getProperty("explorer.debug") != null);
        Explorer.Found found = options.replay() == null ? explorer.explore(progress)
                : explorer.replay(options.replay(), () -> {
                    System.setOut(OUT);
                    System.setErr(ERR);
                });
        progress.clear();
        Report report = new Report(options, explorer, found, command());
        print(report, options);
        return report.exitCode();
    }

    private static void print(Report report, Options options) {
        OUT.print(options.json() ? report.json() : report.text());
        OUT.flush();
    }

    private static String command() {
        return "java " + System.getProperty("explorer.command", "scripts/ExploreSchedules.java");
    }

    /** Ends all if nothing happens for long. */
    private static void watch(Options options, Explorer explorer, boolean debugged) {
        Thread watch = new Thread(() -> {
            long beats = -1;
            Schedule last = null;
            for (long since = System.nanoTime(); !debugged;) {
                try {
                    Thread.sleep(500);
                } catch (InterruptedException e) {
                    return;
                }
                Schedule schedule = explorer.running();
                if (schedule == null || schedule != last || schedule.beats() != beats || schedule.ended()) {
                    last = schedule;
                    beats = schedule == null ? 0 : schedule.beats();
                    since = System.nanoTime();
                } else if (System.nanoTime() - since > STUCK_NANOS) {
                    Explorer.Found found = new Explorer.Found(0, schedule.stuck(), true, false, schedule);
                    print(new Report(options, explorer, found, command()), options);
                    Runtime.getRuntime().halt(2);
                }
            }
        }, "watch");
        watch.setDaemon(true);
        watch.start();
    }

    private static void delete(File file) {
        File[] children = file.listFiles();
        if (children != null) {
            Arrays.stream(children).forEach(Main::delete);
        }
        file.delete();
    }
}
