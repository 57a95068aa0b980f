import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * asyncio: {@code create_subprocess_exec}, {@code communicate()} under {@code wait_for}. Final API, JDK 21 and later,
 * Unix and Windows.
 *
 * <p>Use {@link #run} for a command that ends and whose output fits into memory, and {@link Dialogue} to exchange lines
 * with one. Do not use for endless output that must be fast (read {@code getInputStream()} in a platform thread), or to
 * run a shell with untrusted words: pass arguments, no shell is involved.
 *
 * <p>Nothing blocks in a pipe: the calling thread empties both as they fill. So neither a full pipe nor a surviving
 * grandchild that keeps one open can block the caller, no reader thread is left behind, and no virtual thread's carrier
 * is held.
 *
 * <p>Run: {@code java examples/queues/Subprocess.java}
 */
public final class Subprocess {

    // More than 150 lines: run() and Dialogue share how a process and its descendants are ended.

    private Subprocess() {
    }

    // @start region="subprocess"
    /** @param truncated whether a stream exceeded the limit: its beginning is kept, the rest was read and dropped */
    public record Result(int exitCode, String stdout, String stderr, boolean truncated) {
    }

    private static final Duration GRACE = Duration.ofSeconds(2);
    private static final Duration PAUSE = Duration.ofMillis(5); // latency of output; the exit is noticed at once

    /**
     * Runs the command until it exits; an exit code other than 0 is a result. It does not wait for output that a child
     * of the command writes later, and does not stop the child.
     *
     * @param input    its standard input, through a temporary file; if empty, it reads end of file, unless {@code
     *                 command} redirects it
     * @param charset  of input and output; for the platform's own tools {@code System.getProperty("native.encoding")}
     * @param maxBytes kept of each stream
     * @throws IOException          if it cannot be started, or if reading its output fails
     * @throws TimeoutException     if it still runs after {@code timeout}; the message has the beginning of its error
     *         output
     * @throws InterruptedException if the caller was interrupted. Then, as after a timeout, it and its descendants were
     *                              told to end (SIGTERM), forced to after 2 seconds, and have ended, unless the system
     *                              needs more than 2 further seconds. Not found: a child whose parent had already
     *                              exited, or that was just being started
     */
    public static Result run(ProcessBuilder command, byte[] input, Charset charset, int maxBytes, Duration timeout)
            throws IOException, InterruptedException, TimeoutException {
        Objects.requireNonNull(command, "command");
        Objects.requireNonNull(input, "input");
        Objects.requireNonNull(charset, "charset");
        if (maxBytes < 0) {
            throw new IllegalArgumentException("maxBytes is " + maxBytes + ", must be 0 or more");
        }
        long end = end(Objects.requireNonNull(timeout, "timeout"));
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
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

    private static long end(Duration limit) {
        return System.nanoTime() + Math.clamp(TimeUnit.NANOSECONDS.convert(limit), 0, Long.MAX_VALUE / 2);
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
            if (exited && !moved) {
                return true;
            }
            if (nanos <= 0 && exited) {
                drainTheRest(out, err);
            }
            if (nanos <= 0) {
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

    /** What it wrote before it exited fits in its pipes: the limit does not cut that off. */
    private static void drainTheRest(Capture out, Capture err) throws IOException {
        int pipes = 2 << 20; // two of the largest that Linux allows, and more than elsewhere
        for (int read = 0; out.drain() | err.drain(); read += 8192) {
            if (read > pipes) { // others go on writing
                out.truncated = true;
                return;
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
     * An orphan that nobody reaps, as in a container whose first process is no init, is "alive" forever; it has no
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

    /**
     * {@code send_signal}: by the shell's {@code kill}, so on Unix only.
     *
     * @param signal the name, such as HUP
     * @param pid    negative for a process group; a command has its own if it begins with {@code setsid} (Linux)
     * @throws IOException if there is no such process or signal, or it may not be sent
     */
    public static void signal(String signal, long pid) throws IOException, InterruptedException, TimeoutException {
        Objects.requireNonNull(signal, "signal");
        var kill = run(new ProcessBuilder("sh", "-c", "kill -s \"$1\" -- \"$2\"", "sh", signal, "" + pid), new byte[0],
                StandardCharsets.UTF_8, 1000, Duration.ofMinutes(1));
        if (kill.exitCode() != 0) {
            throw new IOException("signal " + signal + " to " + pid + ": " + kill.stderr().strip());
        }
    }

    // @start region="dialogue"
    /**
     * {@code create_subprocess_exec(stdin=PIPE, stdout=PIPE)} for a dialogue in lines. For one thread; any thread may
     * {@link #close}. Its error output goes where the command redirects it, else to this program's.
     */
    public static final class Dialogue implements AutoCloseable {
        private final Process process;
        private final InputStream in;
        private final Charset charset;
        private final int maxBytes;
        private final ByteArrayOutputStream line = new ByteArrayOutputStream();

        /** @param maxBytes of a line that the process writes, 0 or more */
        public Dialogue(ProcessBuilder command, Charset charset, int maxBytes) throws IOException {
            Objects.requireNonNull(command, "command");
            this.charset = Objects.requireNonNull(charset, "charset");
            if (maxBytes < 0) {
                throw new IllegalArgumentException("maxBytes is " + maxBytes + ", must be 0 or more");
            }
            this.maxBytes = maxBytes;
            var before = command.redirectError();
            if (before == ProcessBuilder.Redirect.PIPE) {
                // nobody reads it: full, it would stop everything
                command.redirectError(ProcessBuilder.Redirect.INHERIT);
            }
            try {
                process = command.start();
            } finally {
                command.redirectError(before);
            }
            in = process.getInputStream();
        }

        public Process process() {
            return process;
        }

        /**
         * Waits while the pipe is full and the process does not read; {@link #close} ends the wait with an IOException.
         */
        public void send(String text) throws IOException {
            process.getOutputStream().write((text + "\n").getBytes(charset));
            process.getOutputStream().flush();
        }

        /**
         * The next line without its end, a few milliseconds after it was written; null if the process has exited. After
         * an exception nothing is lost: the next call goes on in the same line.
         *
         * @throws IOException a line of more than {@code maxBytes}; every further call throws it, too
         */
        public String readLine(Duration limit) throws IOException, InterruptedException, TimeoutException {
            long end = end(Objects.requireNonNull(limit, "limit"));
            while (true) {
                boolean exited = !process.isAlive(); // asked before the last read, so that nothing is missed
                int there = in.available();
                for (int i = 0; i < there && line.size() <= maxBytes; i++) {
                    int b = in.read();
                    if (b == '\n') {
                        return take();
                    }
                    line.write(b);
                }
                if (line.size() > maxBytes) { // stays so: the rest would look like a line
                    throw new IOException("a line of more than " + maxBytes + " bytes");
                }
                if (exited && in.available() == 0) {
                    return line.size() == 0 ? null : take();
                }
                long nanos = end - System.nanoTime();
                if (nanos <= 0) {
                    throw new TimeoutException("no line within " + limit);
                }
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                if (there == 0) {
                    process.waitFor(Math.min(nanos, PAUSE.toNanos()), TimeUnit.NANOSECONDS);
                }
            }
        }

        private String take() {
            String text = line.toString(charset);
            line.reset();
            return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
        }

        /** Ends the process and its descendants as {@link #run} does after a timeout: told to, then forced to. */
        @Override
        public void close() {
            kill(process, new Capture(in, 0), new Capture(process.getErrorStream(), 0));
            for (Closeable stream : List.of(process.getOutputStream(), in)) { // now nobody waits in them
                try {
                    stream.close();
                } catch (IOException e) {
                    // what was not written has no reader
                }
            }
        }
    }
    // @end region="dialogue"

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
        // @start region="talk"
        try (var server = new Subprocess.Dialogue(new ProcessBuilder(endless), StandardCharsets.UTF_8, 1000)) {
            System.out.println("it says: " + server.readLine(Duration.ofMinutes(1))); // after a server.send("text")
        } // killed and ended
        // @end region="talk"
        check(ProcessHandle.current().children().findAny().isEmpty(), "nothing is left running");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
