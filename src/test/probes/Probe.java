import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;

/**
 * What all probes share. A probe prints {@code id<TAB>value}: a class, a count, a name, never a time. Where "it does
 * not happen" is the value, it is waited for in rounds, of which only those count in which no thread of this process
 * was held up: the system says which of them wait, and which are ready and have no processor.
 */
final class Probe {

    static final int ROUNDS = 240;

    /** For one round that counts, at most so many: a thread that computes for ever, and nobody said so. */
    private static final int PATIENCE = 20;

    interface Action {
        void run() throws Exception;
    }

    private Probe() {
    }

    static synchronized void print(String id, Object value) {
        System.out.println(id + "\t" + String.valueOf(value).replaceAll("\\s+", " "));
        System.out.flush();
    }

    /** Whether it becomes true; false after rounds of 5 ms, in each of which every thread of this process waited. */
    static boolean happens(BooleanSupplier condition) throws InterruptedException {
        return happens(condition, ROUNDS);
    }

    static boolean happens(BooleanSupplier condition, int rounds) throws InterruptedException {
        return happens(condition, rounds, 0);
    }

    /** @param computing how many threads compute for ever, as the probe wants it */
    static boolean happens(BooleanSupplier condition, int rounds, int computing) throws InterruptedException {
        int quiet = 0;
        for (int i = 0; quiet < rounds && i < PATIENCE * rounds && !condition.getAsBoolean(); i++) {
            Thread.sleep(5);
            Thread.ofPlatform().start(() -> { }).join();
            quiet += busy() <= 1 + computing ? 1 : 0;
        }
        return condition.getAsBoolean();
    }

    /** Returns when all threads wait, or compute for ever: each is where it was sent, which nobody can ask it. */
    static void settle(int computing) throws InterruptedException {
        happens(() -> false, 20, computing);
    }

    /** How many threads of this process run, are ready to, or wait for a disk; the one that asks is one of them. */
    private static int busy() {
        String[] threads = new File("/proc/self/task").list();
        if (threads == null) {
            return 0; // a system that does not say so
        }
        int busy = 0;
        var stat = new byte[256];
        for (String thread : threads) {
            try (var in = new FileInputStream("/proc/self/task/" + thread + "/stat")) {
                String text = new String(stat, 0, in.read(stat));
                char state = text.charAt(text.lastIndexOf(')') + 2);
                busy += state == 'R' || state == 'D' ? 1 : 0;
            } catch (IOException e) {
                // it has ended meanwhile
            }
        }
        return busy;
    }

    /** Waits without a limit: the process that runs the probe has one. */
    static void until(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(2);
        }
    }

    /** What a call returns, or what it throws. */
    static String outcome(Callable<?> call) {
        try {
            return String.valueOf(call.call());
        } catch (ExecutionException e) {
            return thrown(e.getCause());
        } catch (Throwable e) {
            return thrown(e);
        }
    }

    /** Simple name and text; the same on each run. */
    static String thrown(Throwable e) {
        String type = e.getClass().getName().replaceAll(".*[.$]", "");
        String text = e.getMessage() == null ? "" : ": " + e.getMessage();
        return (type + text).replaceAll("@[0-9a-f]{4,}", "@N").replaceAll("\\$\\$Lambda[^\\]\\s]*", "L");
    }

    static Thread daemon(Action action) {
        return Thread.ofPlatform().daemon().start(() -> {
            try {
                action.run();
            } catch (Exception e) {
                // a peer that is gone: the probe's value says what came of it
            }
        });
    }

    /** Standard output of a JVM of its own, with two processors, that runs a class of these. */
    static String jvm(List<String> options, String... classAndArguments) throws Exception {
        var command = new ArrayList<String>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        command.addAll(List.of("-XX:ActiveProcessorCount=2", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(classAndArguments));
        Path errors = Files.createTempFile("probe", ".txt");
        try {
            Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
            try {
                String output = new String(process.getInputStream().readAllBytes()).strip();
                int exit = process.waitFor();
                if (exit != 0) {
                    throw new IOException("exit code " + exit + ": " + String.join(" ", command) + "\n"
                            + Files.readString(errors));
                }
                return output;
            } finally {
                process.destroyForcibly();
            }
        } finally {
            Files.delete(errors);
        }
    }

    /** Three at a time, so that what mostly waits does not wait in a row. */
    static void all(List<Action> actions) throws Exception {
        try (var executor = Executors.newFixedThreadPool(3)) {
            var running = new ArrayList<Future<?>>();
            for (Action action : actions) {
                running.add(executor.submit(() -> {
                    action.run();
                    return null;
                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
        }
    }

    /** Ends the JVM whatever still runs in it. */
    static void end() {
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }
}
