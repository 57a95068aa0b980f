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
import java.util.List;

/** The command. Started by {@code scripts/ExploreSchedules.java}, on a JDK whose java.base is patched for it. */
public final class Main {

    static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    static final PrintStream ERR = System.err;
    private static final int STUCK_LOOKS = 40;

    private Main() { }

    public static void main(String[] args) throws IOException {
        int code = args.length == 1 && args[0].startsWith("@") ? all(Path.of(args[0].substring(1))) : one(args);
        OUT.flush();
        Runtime.getRuntime().halt(code); // threads of the scenario may be left over
    }

    /** The worst of them: 1 if any was found, else 2 if any could not be controlled. */
    private static int all(Path file) throws IOException {
        boolean[] codes = new boolean[3];
        for (String line : Files.readAllLines(file)) {
            OUT.println("== " + line);
            codes[one(line.strip().split(" +"))] = true;
        }
        return codes[1] ? 1 : codes[2] ? 2 : 0;
    }

    private static int one(String[] args) throws IOException {
        Path folder = null;
        int code = 2;
        try {
            Internals.check();
            if (args.length == 0 || List.of(args).contains("--help")) {
                OUT.print(Options.USAGE);
                return args.length == 0 ? 2 : 0;
            }
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
        return code;
    }

    private static int run(Options options, Code code) throws Misuse {
        Explorer explorer = new Explorer(options, code);
        Progress progress = new Progress(System.console() != null && System.console().isTerminal() && !options.json());
        PrintStream out = System.out;
        PrintStream err = System.err;
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        System.setOut(nowhere);
        System.setErr(nowhere);
        Thread watch = watch(options, explorer, System.getProperty("explorer.debug") != null);
        Explorer.Found found = options.replay() == null ? explorer.explore(progress)
                : explorer.replay(options.replay(), () -> {
                    System.setOut(OUT);
                    System.setErr(ERR);
                });
        watch.interrupt();
        System.setOut(out);
        System.setErr(err);
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
    private static Thread watch(Options options, Explorer explorer, boolean debugged) {
        Thread watch = new Thread(() -> {
            long beats = -1;
            Schedule last = null;
            for (int looks = 0; !debugged;) { // looks, not seconds: a machine that is stopped stops them, too
                try {
                    Thread.sleep(500);
                } catch (InterruptedException e) {
                    return;
                }
                Schedule schedule = explorer.running();
                if (schedule == null || schedule != last || schedule.beats() != beats || schedule.ended()) {
                    last = schedule;
                    beats = schedule == null ? 0 : schedule.beats();
                    looks = 0;
                } else if (++looks > STUCK_LOOKS) {
                    Explorer.Found found = new Explorer.Found(0, schedule.stuck(), true, "", schedule);
                    print(new Report(options, explorer, found, command()), options);
                    Runtime.getRuntime().halt(2);
                }
            }
        }, "watch");
        watch.setDaemon(true);
        watch.start();
        return watch;
    }

    private static void delete(File file) {
        File[] children = file.listFiles();
        if (children != null) {
            Arrays.stream(children).forEach(Main::delete);
        }
        file.delete();
    }
}
