import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;

/**
 * asyncio: {@code logging.handlers.QueueHandler} and {@code QueueListener}, with a bound. Final API, JDK 21 and later.
 *
 * <p>Use for an audit or access log on a disk or pipe that may hang: no thread that logs waits for it. One daemon
 * thread writes, in the order of {@link #offer}. Whatever the target throws, it tries again 100 ms later and goes on
 * after the last byte written: no line twice. Do not use for what must not be lost: a crash loses waiting lines.
 *
 * <p>Thread-safe. Memory: {@code maxBytes} and 32 KB; lines over that are dropped and counted. Close it last, within
 * {@code GracefulShutdown}.
 *
 * <p>Run: {@code java examples/production/LineLog.java}
 */
public final class LineLog implements AutoCloseable {

    // @start region="target"
    /** Where lines go, in the writer's thread. Bytes that remain when it returns or throws are tried again. */
    @FunctionalInterface
    public interface Target {
        void write(ByteBuffer lines) throws IOException;
    }

    /** Appends. The file is opened for each write of at most 16 KB: you may move it away; then a new one is created. */
    public static Target file(Path file) {
        Objects.requireNonNull(file, "file");
        return lines -> {
            try (var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
                while (lines.hasRemaining()) {
                    channel.write(lines);
                }
            }
        };
    }

    /** The standard output of the process, past {@code System.out}. */
    public static Target standardOutput() {
        return new FileOutputStream(FileDescriptor.out).getChannel()::write;
    }
    // @end region="target"

    // @start region="log"
    /** Lines so far. Those accepted but not yet written wait; once the log is closed they are lost. */
    public record Counts(long accepted, long written, long dropped) { }

    /** See {@link LineLog#LineLog}. */
    @FunctionalInterface
    public interface Problems {
        void tell(Counts counts, Throwable failure);
    }

    private static final int BLOCK = 16 * 1024;
    private final Target target;
    private final int maxBytes;
    private final int maxLine;
    private final Problems problems;
    private final Thread writer;
    private final AtomicLong dropped = new AtomicLong();
    private final AtomicLong seen = new AtomicLong(); // problems to tell: dropped lines, writes that begin to fail
    private final AtomicBoolean telling = new AtomicBoolean();
    private volatile Throwable failure; // of the last write
    private ByteBuffer writing = ByteBuffer.allocate(0); // the writer's
    private final ReentrantLock lock = new ReentrantLock(); // guards what follows; nothing blocks under it
    private final Condition lines = lock.newCondition();
    private final Condition progress = lock.newCondition();
    private final ArrayDeque<ByteBuffer> blocks = new ArrayDeque<>(); // the last one is being filled
    private long waitingBytes;
    private long accepted;
    private long written;
    private boolean closed;
    private boolean givenUp;

    /**
     * @param maxBytes of all lines that wait
     * @param maxLine  bytes of a line with its end, 16 or more; a longer line is cut and ends with {@code ...}
     * @param problems told when lines were dropped, and when writes begin to fail; {@code failure} is null if the last
     *                 write succeeded. Runs in its own daemon thread, at most once a second; may block and throw
     */
    public LineLog(Target target, int maxBytes, int maxLine, Problems problems) {
        this.target = Objects.requireNonNull(target, "target");
        this.problems = Objects.requireNonNull(problems, "problems");
        if (maxLine < 16 || maxBytes < maxLine) {
            throw new IllegalArgumentException("maxLine is " + maxLine + ", must be 16 or more; maxBytes is " + maxBytes
                    + ", must be maxLine or more");
        }
        this.maxBytes = maxBytes;
        this.maxLine = maxLine;
        this.writer = Thread.ofPlatform().daemon().name("line-log").start(this::writeAll);
    }

    /**
     * Adds a line and its end; never waits. Line breaks within become spaces.
     *
     * @return false if it was dropped: too much waits, the log is closed, or the heap is full
     */
    public boolean offer(String line) {
        Objects.requireNonNull(line, "line");
        try {
            byte[] bytes = encoded(line);
            lock.lock();
            try {
                if (!closed && waitingBytes + bytes.length <= maxBytes) {
                    append(bytes);
                    return true;
                }
            } finally {
                lock.unlock();
            }
        } catch (OutOfMemoryError e) {
            // dropped
        }
        dropped.incrementAndGet();
        seen.incrementAndGet();
        tell();
        return false;
    }

    /**
     * Accepts no more, and waits at most {@code limit} until all is written; the rest is lost. An interrupt does not
     * end the wait, and stays in the flag. A write that hangs is left behind in its daemon thread.
     *
     * @return lines that were accepted and are lost
     * @throws IllegalStateException if called by the target: it would wait for itself
     */
    public long close(Duration limit) {
        long end = System.nanoTime() + Math.clamp(TimeUnit.NANOSECONDS.convert(
                Objects.requireNonNull(limit, "limit")), 0, Long.MAX_VALUE / 2);
        if (Thread.currentThread() == writer) {
            throw new IllegalStateException("close() within a write would wait for itself");
        }
        boolean interrupted = false;
        lock.lock();
        try {
            closed = true;
            lines.signal();
            for (long left = 1; waitingBytes > 0 && left > 0; left = end - System.nanoTime()) {
                try {
                    progress.awaitNanos(end - System.nanoTime());
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            givenUp = true;
            return accepted - written;
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Like {@link #close(Duration)} with five seconds. */
    @Override
    public void close() {
        close(Duration.ofSeconds(5));
    }

    public Counts counts() {
        lock.lock();
        try {
            return new Counts(accepted, written, dropped.get());
        } finally {
            lock.unlock();
        }
    }

    private byte[] encoded(String line) {
        byte[] utf8 = line.substring(0, Math.min(line.length(), maxLine)).getBytes(StandardCharsets.UTF_8);
        boolean cut = utf8.length >= maxLine;
        int length = cut ? maxLine - 4 : utf8.length;
        while (cut && (utf8[length] & 0xC0) == 0x80) {
            length--; // not within a character
        }
        byte[] bytes = Arrays.copyOf(utf8, length + (cut ? 4 : 1));
        for (int i = 0; i < length; i++) {
            bytes[i] = bytes[i] == '\n' || bytes[i] == '\r' ? (byte) ' ' : bytes[i];
        }
        Arrays.fill(bytes, length, bytes.length - 1, (byte) '.');
        bytes[bytes.length - 1] = '\n';
        return bytes;
    }

    private void append(byte[] bytes) {
        ByteBuffer last = blocks.peekLast();
        int fits = last == null ? 0 : Math.min(last.remaining(), bytes.length);
        if (fits < bytes.length) { // first: it may fail
            int rest = bytes.length - fits;
            blocks.addLast(ByteBuffer.allocate(Math.max(BLOCK, rest)).put(bytes, fits, rest));
        }
        if (fits > 0) {
            last.put(bytes, 0, fits);
        }
        if (waitingBytes == 0) {
            lines.signal();
        }
        waitingBytes += bytes.length;
        accepted++;
    }

    private void writeAll() {
        while (true) {
            try {
                Thread.interrupted(); // left behind by the target: it would close the next channel
                Thread.sleep(failure == null ? 0 : 100);
                if (!take()) {
                    return;
                }
                int from = writing.position();
                try {
                    target.write(writing);
                } finally {
                    written(from);
                }
                if (writing.position() == from) {
                    throw new IOException("the target takes nothing");
                }
                failure = null;
            } catch (Throwable e) { // of any kind: nobody else writes the log
                boolean first = failure == null;
                failure = e;
                if (first) {
                    seen.incrementAndGet();
                    tell();
                }
            }
        }
    }

    /** Waits for what is to be written next. */
    private boolean take() throws InterruptedException {
        lock.lock();
        try {
            while (waitingBytes == 0 && !closed) {
                lines.await();
            }
            if (waitingBytes < BLOCK && !closed) {
                lines.awaitNanos(5_000_000); // a wake-up for each line costs more than the line
            }
            boolean more = waitingBytes > 0 && !givenUp;
            if (more && !writing.hasRemaining()) {
                writing = blocks.removeFirst().flip();
            }
            return more;
        } finally {
            lock.unlock();
        }
    }

    private void written(int from) {
        int ends = 0;
        for (int i = from; i < writing.position(); i++) {
            ends += writing.get(i) == '\n' ? 1 : 0;
        }
        lock.lock();
        try {
            waitingBytes -= writing.position() - from;
            written += ends;
            progress.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void tell() {
        if (telling.compareAndSet(false, true)) {
            try {
                Thread.ofPlatform().daemon().name("line-log-problems").start(() -> {
                    long told = seen.get();
                    try {
                        problems.tell(counts(), failure);
                    } finally {
                        Thread.interrupted();
                        LockSupport.parkNanos(1_000_000_000);
                        telling.set(false);
                        if (seen.get() != told) {
                            tell();
                        }
                    }
                });
            } catch (Throwable e) {
                telling.set(false); // no thread available: the next problem tries again
            }
        }
    }
    // @end region="log"

    public static void main(String[] args) throws Exception {
        Path file = Files.createTempFile("audit", ".log");
        var back = new CountDownLatch(1);
        LineLog.Target disk = LineLog.file(file);
        LineLog.Target hanging = lines -> {
            await(back);
            disk.write(lines);
        };
        // @start region="use"
        try (var audit = new LineLog(hanging, 1_000_000, 4_096,
                (counts, failure) -> System.err.println("audit: " + counts + ", " + failure))) {
            audit.offer("ACME complete"); // never waits
            // @end region="use"
            var accepted = new ArrayList<>(List.of("ACME complete"));
            IntStream.range(0, 100_000).mapToObj(i -> "quote " + i).filter(audit::offer).forEach(accepted::add);
            System.out.println("the disk hangs: " + audit.counts() + " of 100,001 lines");
            int dropped = 100_001 - accepted.size();
            check(dropped > 0 && audit.counts().equals(new Counts(accepted.size(), 0, dropped)),
                    "bounded, and counted");
            back.countDown();
            long lost = audit.close(Duration.ofMinutes(1));
            System.out.println("it is back: " + audit.counts() + ", lost " + lost);
            check(lost == 0 && Files.readAllLines(file).equals(accepted), "what was accepted is in the file, in order");
        } finally {
            Files.delete(file);
        }
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
