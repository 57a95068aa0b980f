import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * asyncio: {@code loop.add_signal_handler(SIGTERM, task.cancel)} and {@code asyncio.run}. Final API, JDK 21 and later.
 *
 * <p>Use as the outermost call of {@code main}, around a {@code try (...)} that opens in order what the application
 * needs ({@code Lifespan}) and then waits. On SIGTERM, SIGINT or SIGHUP the JVM runs its shutdown hooks while other
 * threads go on, and halts: <b>no thread is interrupted and no {@code finally} runs</b>. Here a hook interrupts the
 * application once and waits, at most for the grace, until it has closed everything in reverse order. With nothing to
 * close it exits at once. A second signal changes nothing; only SIGKILL does.
 *
 * <p>A hook may start threads, virtual ones too, wait and log. It must not call {@code System.exit} (hangs forever:
 * {@code halt} ends it), nor add hooks. Hooks run concurrently, in no order, without a time limit: have only one.
 * {@code java.util.logging} has its own hook that closes its handlers: what you log during shutdown may be lost, so
 * report on {@code System.err}. After SIGKILL, a crash or {@code halt} no hook runs. Inside a container the JVM must be
 * process 1 or get the signal ({@code exec java ...}).
 *
 * <p>Run: {@code java examples/production/GracefulShutdown.java}
 */
public final class GracefulShutdown {

    private static final int OF_THE_SIGNAL = -1;

    private GracefulShutdown() {
    }

    // @start region="graceful"
    /** @see #run(Duration, int, int, Application) */
    @FunctionalInterface
    public interface Application<T> {
        /**
         * @param signal at zero once the signal has come, after the interrupt: if you wait for it, an interrupt
         *               swallowed during startup does not matter
         */
        T run(CountDownLatch signal) throws Exception;
    }

    /** As below; the exit code after a signal is 128 + its number (SIGTERM 143, SIGINT 130), unless late. */
    public static <T> T run(Duration grace, int exitCodeIfLate, Callable<? extends T> application) throws Exception {
        Objects.requireNonNull(application, "application");
        return runUntilSignal(grace, OF_THE_SIGNAL, exitCodeIfLate, signal -> application.call());
    }

    /**
     * Runs the application in the caller's thread; a signal interrupts it, even while it starts. An application that
     * ends by itself returns as if called directly. Call {@code System.exit} only after that: from inside, it blocks
     * for the grace, because the hook waits for the thread that called it.
     *
     * <p>After a signal nothing returns: the JVM ends with {@code exitCode} if the application returned or threw {@link
     * InterruptedException}. Anything else it throws goes to {@code System.err}. If it still runs after the grace, its
     * stack goes there, which may take a second at most, and the code is {@code exitCodeIfLate}. Other shutdown hooks
     * have until then.
     *
     * @param grace          shorter than the time until SIGKILL (Kubernetes: 30 s, {@code docker stop}: 10 s)
     * @param exitCode       0 to 255: 0 where a stop is no failure
     * @param exitCodeIfLate 0 to 255; also if it fails while it stops
     * @throws IllegalStateException the signal came first: the application is not started
     * @throws Exception             what the application throws, if there was no signal
     */
    public static <T> T run(Duration grace, int exitCode, int exitCodeIfLate, Application<? extends T> application)
            throws Exception {
        if (exitCode < 0 || exitCode > 255) {
            throw new IllegalArgumentException("exitCode is " + exitCode + ": must be 0 to 255");
        }
        return runUntilSignal(grace, exitCode, exitCodeIfLate, Objects.requireNonNull(application, "application"));
    }

    private static <T> T runUntilSignal(Duration grace, int exitCode, int exitCodeIfLate,
            Application<? extends T> application)
            throws Exception {
        long graceNanos = Math.min(TimeUnit.NANOSECONDS.convert(Objects.requireNonNull(grace, "grace")),
                Long.MAX_VALUE / 2);
        if (exitCodeIfLate < 0 || exitCodeIfLate > 255) {
            throw new IllegalArgumentException("exitCodeIfLate is " + exitCodeIfLate + ": must be 0 to 255");
        }
        var main = Thread.currentThread();
        var signal = new CountDownLatch(1);
        var ended = new CompletableFuture<Boolean>();
        var hook = new Thread(() -> {
            main.interrupt(); // first: afterwards it would hit the clean-up of who waits for the signal
            signal.countDown();
            boolean well = false;
            boolean late = true;
            try {
                well = ended.get(graceNanos, TimeUnit.NANOSECONDS);
                late = false;
            } catch (TimeoutException e) {
                var where = new IllegalStateException(main.getName() + " still runs " + grace
                        + " after the signal, here:");
                where.setStackTrace(main.getStackTrace());
                print(where::printStackTrace);
            } catch (InterruptedException | ExecutionException e) {
                // late
            }
            if (late || exitCode != OF_THE_SIGNAL) {
                print(System.out::flush);
                Runtime.getRuntime().halt(well ? exitCode : exitCodeIfLate); // System.exit would hang: it is on its way
            }
        }, "shutdown");
        Runtime.getRuntime().addShutdownHook(hook);
        Throwable failure = null;
        try {
            return application.run(signal);
        } catch (Throwable e) {
            failure = e;
            throw e;
        } finally {
            if (signalled(hook)) {
                boolean well = failure == null || failure instanceof InterruptedException;
                try {
                    if (!well) {
                        failure.printStackTrace();
                    }
                } finally {
                    ended.complete(well);
                    awaitHalt();
                }
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

    /** At most a second: whoever reads the output may have stopped. */
    private static void print(Runnable output) {
        try {
            Thread.ofPlatform().daemon().start(output).join(1_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The JVM halts when the hook returns: nothing that follows in the caller is cut off halfway. */
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
                if (line.endsWith("run") && child.supportsNormalTermination()) {
                    child.toHandle().destroy(); // SIGTERM; Process.destroy() would close the output too
                } else if (line.endsWith("run")) {
                    System.out.println("no signals on this system: the child is killed");
                    child.destroyForcibly().waitFor();
                    return;
                }
            }
            int exit = child.waitFor();
            System.out.println(lines + ", exit code " + exit);
            check(lines
                    .equals(List.of("[log, database, background work, server] run", "closed server",
                            "closed background work",
                    "closed database", "closed log")), "SIGTERM closes in reverse order");
            check(exit == 0, "exit code 0");
        } finally {
            child.destroyForcibly();
        }
    }

    // @start region="use"
    private static void application() throws Exception {
        GracefulShutdown.run(Duration.ofSeconds(20), 0, 1, signal -> {
            try (var log = new Resource("log"); // closed last: the others still write to it
                 var database = new Resource("database");
                 var background = new Resource("background work");
                 var server = new Resource("server")) { // closed first: accepts no more, finishes what it has begun
                System.out.println(List.of(log, database, background, server) + " run");
                signal.await();
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

    /**
     * This program again, with an argument: from source, as {@code java GracefulShutdown.java}, or from the class path.
     */
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
