package service;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import jdk.jfr.consumer.RecordingStream;

/**
 * Counts for how long virtual threads pin their carriers, more than 20 ms each: on 21 to 23 by {@code synchronized}, on
 * all JDKs by native code and class initializers. Costs half a second of a processor at the start. <b>JFR ends the JVM
 * if it cannot write to the temporary folder</b>, and no {@code catch} helps: only where that folder has room. Needs no
 * other file.
 */
public final class PinnedEvents implements AutoCloseable {
    private final LongAdder count = new LongAdder();
    private final LongAdder nanos = new LongAdder();
    private volatile boolean recording;
    private RecordingStream stream; // guarded by this, as is the next
    private boolean closed;

    /** Starts it in its own thread: it takes a moment. @param failed told if it cannot be; may log */
    public PinnedEvents(Consumer<Throwable> failed) {
        Objects.requireNonNull(failed, "failed");
        Thread.ofPlatform().daemon().name("pinned-events").start(() -> {
            try {
                record();
            } catch (RuntimeException | LinkageError e) { // a file system to read only, a runtime image without jdk.jfr
                failed.accept(e);
            }
        });
    }

    private synchronized void record() {
        if (closed) {
            return;
        }
        stream = new RecordingStream();
        stream.setMaxSize(10 << 20);
        stream.enable("jdk.VirtualThreadPinned").withThreshold(Duration.ofMillis(20)).withoutStackTrace();
        stream.onEvent("jdk.VirtualThreadPinned", event -> {
            count.increment();
            nanos.add(event.getDuration().toNanos());
        });
        stream.startAsync();
        recording = true;
    }

    public boolean isRecording() {
        return recording;
    }

    public long count() {
        return count.sum();
    }

    public long millis() {
        return nanos.sum() / 1_000_000;
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (stream != null) {
            stream.close();
        }
    }
}
