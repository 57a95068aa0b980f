import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * asyncio: {@code create_subprocess_exec}, {@code communicate()} under {@code wait_for}. Final API, JDK 21 and later,
 * Unix and Windows.
 *
 * <p>Use for a command that ends and whose output fits into memory. Do not use for a dialogue with a process or for
 * endless output (read {@code getInputStream()} yourself, in a platform thread), nor with a shell and words from
 * outside: pass arguments, no shell is involved.
 *
 * <p>Nothing here blocks in a pipe: both are emptied as they fill, in the calling thread, so neither a full pipe nor a
 * surviving grandchild that keeps one open can hold the caller, no reader thread is left behind, and a virtual thread's
 * carrier is not held.
 *
 * <p>Run: {@code java examples/queues/Subprocess.java}
 */
public final class Subprocess {

    private Subprocess() {
    }

    // @start region="subprocess"
    /**
     * @param truncated whether a stream was longer than the limit: its beginning is kept, the rest was read and dropped
     */
    public record Result(int exitCode, String stdout, String stderr, boolean truncated) {
    }

    private static final Duration GRACE = Duration.ofSeconds(2);
    private static final Duration PAUSE = Duration.ofMillis(5); // latency of output; the exit is noticed at once

    /**
     * Runs the command until it exits; an exit code other than 0 is a result. Output that a child of it writes after
     * that is not waited for, and the child not stopped.
     *
     * @param input    its standard input, through a temporary file; none: it reads end of file, unless {@code command}
     *                 redirects it
     * @param charset  of input and output; what the platform's own tools write: {@code
     *                 System.getProperty("native.encoding")}
     * @param maxBytes kept of each stream
     * @throws IOException          if it cannot be started
     * @throws TimeoutException     if it still runs after {@code timeout}; with the beginning of its error output
     * @throws InterruptedException if the caller was interrupted. Now as after a timeout it and its descendants were
     *                              told to end (SIGTERM), after 2 seconds forced to, and have ended, unless the system
     *                              does not let them within 2 more. Not found: a child whose parent had exited before,
     *                              or that was being started at that moment
     */
    public static Result run(ProcessBuilder command, byte[] input, Charset charset, int maxBytes, Duration timeout)
            throws IOException, InterruptedException, TimeoutException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        long end = System.nanoTime() + Math.min(TimeUnit.NANOSECONDS.convert(timeout), Long.MAX_VALUE / 2);
        Path file = input.length == 0 ? null : Files.createTempFile("stdin", null);
        try {
            var process = start(command, input, file);
            var out = new Capture(process.getInputStream(), maxBytes);
            var err = new Capture(process.getErrorStream(), maxBytes);
            try (out.stream; err.stream) {
                boolean exited = false;
                try {
                    process.getOutputStream().close();
                    exited = await(process, out, err, end);
                } finally {
                    if (!exited) {
                        kill(process, out, err);
                    }
                }
                if (!exited) {
                    String said = err.text(charset);
                    throw new TimeoutException(command.command() + " still running after " + timeout
                            + (said.isEmpty() ? "" : ": " + said.substring(0, Math.min(500, said.length()))));
                }
                return new Result(process.exitValue(), out.text(charset), err.text(charset),
                        out.truncated || err.truncated);
            }
        } finally {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static Process start(ProcessBuilder command, byte[] input, Path file) throws IOException {
        if (file == null) {
            return command.start();
        }
        Files.write(file, input);
        var before = command.redirectInput();
        try {
            return command.redirectInput(file.toFile()).start();
        } finally {
            command.redirectInput(before);
        }
    }

    /** Empties the pipes until the process has exited and all it wrote was read; false at {@code end}. */
    private static boolean await(Process process, Capture out, Capture err, long end)
            throws IOException, InterruptedException {
        while (true) {
            boolean exited = !process.isAlive(); // asked before the last read, so that nothing is missed
            boolean moved = out.drain() | err.drain();
            long nanos = end - System.nanoTime();
            if (exited && !moved || nanos <= 0) {
                return exited;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (!moved) {
                process.waitFor(Math.min(nanos, PAUSE.toNanos()), TimeUnit.NANOSECONDS);
            }
        }
    }

    private static void kill(Process process, Capture out, Capture err) {
        boolean interrupted = Thread.interrupted();
        Set<ProcessHandle> family = new LinkedHashSet<>();
        for (boolean force : new boolean[] {false, true}) {
            family.add(process.toHandle()); // before its children: a shell would go on with its next command
            process.descendants().forEach(family::add); // before the signal: orphans are nobody's descendants
            for (var member : family) {
                boolean ignored = force ? member.destroyForcibly() : member.destroy();
            }
            long end = System.nanoTime() + GRACE.toNanos();
            while ((process.isAlive() || family.stream().anyMatch(Subprocess::runs)) && end - System.nanoTime() > 0) {
                try {
                    Thread.sleep(PAUSE);
                    out.drain(); // it may have to write before it can end
                    err.drain();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (IOException e) {
                    // what it wrote is of no use any more
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * An orphan that nobody reaps, as in a container whose first process is no init, is "alive" for ever; it has no
     * command left.
     */
    private static boolean runs(ProcessHandle process) {
        return process.isAlive() && process.info().command().isPresent();
    }

    private static final class Capture {
        final InputStream stream;
        final int maxBytes;
        final ByteArrayOutputStream kept = new ByteArrayOutputStream();
        final byte[] buffer = new byte[8192];
        boolean truncated;

        Capture(InputStream stream, int maxBytes) {
            this.stream = stream;
            this.maxBytes = maxBytes;
        }

        /** Reads what is there, without blocking; false if nothing was. */
        boolean drain() throws IOException {
            int there = stream.available();
            if (there == 0) {
                return false;
            }
            int count = stream.read(buffer, 0, Math.min(there, buffer.length));
            int room = Math.min(count, maxBytes - kept.size());
            kept.write(buffer, 0, Math.max(0, room));
            truncated |= room < count;
            return count > 0;
        }

        String text(Charset charset) {
            return kept.toString(charset);
        }
    }
    // @end region="subprocess"

    public static void main(String[] args) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var version = run(new ProcessBuilder(java, "--version"), new byte[0], StandardCharsets.UTF_8,
                20, Duration.ofMinutes(1));
        System.out.println(version);
        check(version.exitCode() == 0 && version.truncated() && version.stdout().length() == 20, "the first 20 bytes");

        // @start region="use"
        var wrong = Subprocess.run(new ProcessBuilder(java, "--no-such-option"), new byte[0], StandardCharsets.UTF_8,
                10_000, Duration.ofMinutes(1)); // bytes kept of each stream; TimeoutException: killed and ended
        // @end region="use"
        System.out.println("exit code " + wrong.exitCode() + ", " + wrong.stderr().lines().findFirst().orElse(""));
        check(wrong.exitCode() == 1, "a failing command is a result");

        var endless = List.of(java, "-m", "jdk.httpserver", "-b", "127.0.0.1", "-p", "0");
        try {
            run(new ProcessBuilder(endless), new byte[0], StandardCharsets.UTF_8, 10_000, Duration.ofMillis(300));
            check(false, "a server does not exit");
        } catch (TimeoutException e) {
            System.out.println(e.getMessage());
        }
        check(ProcessHandle.current().children().findAny().isEmpty(), "nothing is left running");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
