import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * asyncio: {@code loop.add_signal_handler(SIGTERM, task.cancel)} and {@code asyncio.run}. Final API, JDK 21 and later.
 *
 * <p>Use as the outermost call of {@code main}, around a {@code try (...)} that opens in order what the application needs ({@code Lifespan})
 * and then waits. On SIGTERM, SIGINT or SIGHUP the JVM runs its shutdown hooks beside the other threads and halts: <b>no thread is
 * interrupted and no {@code finally} runs</b>. Here a hook interrupts the application once and waits until it has closed everything, in
 * reverse order, at most for the grace.
 *
 * <p>A hook may start threads, virtual ones too, wait and log. It must not call {@code System.exit} (hangs for ever: {@code halt}
 * ends it), nor add hooks. Hooks run at once, in no order, without a limit: have one. {@code java.util.logging} has one of its own that
 * closes its handlers: what is logged during shutdown may be lost, so report on {@code System.err}. After SIGKILL, a crash or {@code halt} no
 * hook runs. Inside a container the JVM must be process 1 or get the signal ({@code exec java ...}).
 *
 * <p>Run: {@code java examples/production/GracefulShutdown.java}
 */
public final class GracefulShutdown {

    private GracefulShutdown() {
    }

    // @start region="graceful"
    /**
     * Runs the application in the caller's thread; on a signal interrupts it, also while it starts up. An application that ends by
     * itself returns here as if called directly; {@code System.exit} is for after that: from inside it blocks for the grace, for the hook
     * waits for the very thread that called it.
     *
     * <p>Exit code after a signal: 128 + its number (SIGTERM 143, SIGINT 130), whatever the application returns or throws; what it throws
     * other than {@link InterruptedException} goes to {@code System.err}. If it still runs after the grace, its stack does too, and the JVM
     * halts with {@code exitCodeIfLate}.
     *
     * @param grace shorter than the time after which SIGKILL comes (Kubernetes: 30 s, {@code docker stop}: 10 s)
     * @throws IllegalStateException the signal came before: the application is not started
     * @throws Exception             what the application throws, if there was no signal
     */
    public static <T> T run(Duration grace, int exitCodeIfLate, Callable<? extends T> application) throws Exception {
        Objects.requireNonNull(application);
        long graceNanos = Math.min(TimeUnit.NANOSECONDS.convert(grace), Long.MAX_VALUE / 2);
        var main = Thread.currentThread();
        var ended = new CountDownLatch(1);
        var hook = new Thread(() -> {
            main.interrupt();
            try {
                if (!ended.await(graceNanos, TimeUnit.NANOSECONDS)) {
                    var late = new IllegalStateException(main.getName() + " still runs " + grace + " after the signal, here:");
                    late.setStackTrace(main.getStackTrace());
                    late.printStackTrace();
                    Runtime.getRuntime().halt(exitCodeIfLate); // System.exit would hang: the exit is on its way
                }
            } catch (InterruptedException e) {
                Runtime.getRuntime().halt(exitCodeIfLate);
            }
        }, "shutdown");
        Runtime.getRuntime().addShutdownHook(hook);
        Throwable failure = null;
        try {
            return application.call();
        } catch (Throwable e) {
            failure = e;
            throw e;
        } finally {
            if (signalled(hook)) {
                if (failure != null && !(failure instanceof InterruptedException)) {
                    failure.printStackTrace();
                }
                ended.countDown();
                awaitHalt();
            }
        }
    }

    private static boolean signalled(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
            return false;
        } catch (IllegalStateException e) { // shutdown in progress
            return true;
        }
    }

    /** The JVM halts when the hook returns: nothing that follows in the caller runs by half. */
    private static void awaitHalt() {
        while (true) {
            try {
                Thread.sleep(Duration.ofDays(1));
            } catch (InterruptedException e) {
                continue; // by the hook, if the application had ended before
            }
        }
    }
    // @end region="graceful"

    // @start region="use"
    private static void application() throws Exception {
        GracefulShutdown.run(Duration.ofSeconds(20), 1, () -> {
            try (var database = new Resource("database"); var server = new Resource("server using " + database)) {
                System.out.println(server + " runs");
                Thread.sleep(Duration.ofSeconds(Long.MAX_VALUE));
                return null;
            }
        });
    }
    // @end region="use"

    private record Resource(String name) implements AutoCloseable {
        @Override
        public void close() {
            System.out.println("closed " + name);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            application();
            return;
        }
        var child = new ProcessBuilder(thisProgram("child")).redirectErrorStream(true).start();
        try (var output = child.inputReader()) {
            var lines = new ArrayList<String>();
            for (String line; (line = output.readLine()) != null; ) {
                lines.add(line);
                if (line.endsWith("runs") && child.supportsNormalTermination()) {
                    child.toHandle().destroy(); // SIGTERM; Process.destroy() would close the output too
                } else if (line.endsWith("runs")) {
                    System.out.println("no signals on this system: the child is killed");
                    child.destroyForcibly().waitFor();
                    return;
                }
            }
            int exit = child.waitFor();
            System.out.println(lines + ", exit code " + exit);
            check(lines.equals(List.of("server using database runs", "closed server using database", "closed database")),
                    "SIGTERM closes in reverse order");
            check(exit == 143, "exit code 143");
        } finally {
            child.destroyForcibly();
        }
    }

    /** This program again, with an argument: from source, as {@code java GracefulShutdown.java}, or from the class path. */
    private static List<String> thisProgram(String argument) throws IOException {
        String java = ProcessHandle.current().info().command().orElseThrow(() -> new IOException("where is java?"));
        String[] command = System.getProperty("sun.java.command").split(" ", 2); // "LAUNCHER FILE" from source
        return command.length > 1 ? List.of(java, command[1], argument)
                : List.of(java, "-cp", System.getProperty("java.class.path"), command[0], argument);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
