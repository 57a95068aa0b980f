import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;

/**
 * Trap: virtual threads are daemons, always: when {@code main} returns the JVM ends in the middle of their work, with
 * exit code 0 and without running their {@code finally} blocks. {@code setDaemon(false)} throws; there is no option.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27). SIGTERM runs no {@code finally} either.
 * Cure: whoever starts a thread waits for it: join it, or close its executor, below;
 * {@code examples/tasks/BackgroundTasks.java}.
 *
 * <p>Run: {@code java examples/traps/DaemonVirtualThreads.java} (starts two JVMs)
 */
public final class DaemonVirtualThreads {

    private DaemonVirtualThreads() {
    }

    // @start region="wrong"
    static void export(Runnable job) {
        Thread.startVirtualThread(job); // main returns, and the JVM does not wait
    }
    // @end region="wrong"

    // @start region="right"
    static void exportAndWait(Runnable job) {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            executor.execute(job);
        } // close() waits
    }
    // @end region="right"

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            Runnable job = () -> writeRecords(Integer.parseInt(args[1]));
            if (args[0].equals("wrong")) {
                export(job);
            } else {
                exportAndWait(job);
            }
            return;
        }
        Process wrong = rerun("wrong", 20_000);
        Process right = rerun("right", 100);
        String written = output(wrong);
        System.out.println("wrong: exit code " + wrong.exitValue() + ", records written: " + count(written) + " of 3");
        check(wrong.exitValue() == 0 && count(written) == 0, "a success that wrote nothing: " + written);

        written = output(right);
        System.out.println("right: exit code " + right.exitValue() + ", records written: " + count(written) + " of 3");
        check(right.exitValue() == 0 && count(written) == 3, "all is written: " + written);
    }

    private static void writeRecords(int millis) {
        try {
            Thread.sleep(millis); // stands for the query
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        for (int i = 0; i < 3; i++) {
            System.out.println("record");
        }
    }

    private static long count(String output) {
        return output.lines().filter("record"::equals).count();
    }

    private static String output(Process process) throws IOException, InterruptedException {
        var text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return text;
    }

    private static Process rerun(String mode, int millis) throws Exception {
        Path here = Path.of(DaemonVirtualThreads.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(here.toString().endsWith(".java") ? List.of(here.toString())
                : List.of("-cp", here.toString(), DaemonVirtualThreads.class.getName()));
        command.addAll(List.of(mode, Integer.toString(millis)));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
