import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import jdk.jfr.Event;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.consumer.RecordedClass;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;

/**
 * asyncio: the log of debug mode, "Executing took 0.5 seconds", in production. Final API, JDK 21 and later.
 *
 * <p>Reports pinned virtual threads and long waits for sockets, files and locks, from the JVM's own flight recorder,
 * about a second late, at a cost that is acceptable in production. Use to find what is slow where no debugger reaches.
 * Do not use for CPU time (a profiler), nor for a hang: an event is written when its wait is <em>over</em> ({@code
 * ThreadDump}, {@code CarrierWatchdog}).
 *
 * <p>The flight recorder has no event for a virtual thread that waits unmounted: {@code jdk.ThreadPark} (locks,
 * semaphores, queues) covers only platform and pinned threads, on every JDK; so does {@code jdk.JavaMonitorEnter},
 * which on 21 includes virtual threads, as they are pinned. Wrap such a wait in {@link #timed}. On 21 neither {@code
 * Object.wait} nor waiting to enter {@code synchronized} is a {@code jdk.VirtualThreadPinned}; a file read that holds
 * its carrier (25 and later) is a {@code jdk.FileRead}.
 *
 * <p>For each kind and place in the code the listener is called at most once per {@code gap}, with the number skipped
 * in between. It runs in the recorder's thread, one call at a time; what it throws is printed and ends nothing. At most
 * 1,000 places are remembered.
 *
 * <p>The recorder writes at most 32 MB to the temporary folder. <strong>If it cannot, because that disk is full, the
 * JVM ends</strong> (exit code 1 or an abort, on every JDK; nothing can catch it): give it its own folder with {@code
 * -Djava.io.tmpdir}, or do not use it there.
 *
 * <p>Run: {@code java examples/diagnosis/JfrMonitor.java}
 */
public final class JfrMonitor implements AutoCloseable {

    /**
     * @param event   its name in the flight recorder
     * @param detail  the lock's class, the host, the path, the reason it was pinned; or empty
     * @param frames  innermost first, those of the JDK left out if there are others
     * @param skipped events of the same kind and place since the last one reported
     */
    public record Wait(String event, Duration duration, String thread, String detail, List<String> frames,
                       long skipped) {
        @Override
        public String toString() {
            return event + " " + duration.toMillis() + " ms" + (detail.isEmpty() ? "" : ", " + detail) + ", in "
                    + thread + (skipped == 0 ? "" : ", " + skipped + " more since the last")
                    + " at " + String.join(" < ", frames);
        }
    }

    @Name("app.Wait")
    @StackTrace
    private static final class AppWait extends Event {
        String what;
    }

    /** A wait that may be interrupted. */
    public interface Blocking {
        void run() throws InterruptedException;
    }

    private static final class Place {
        private long told;
        private long skipped;
    }

    private static final Pattern CONTENDED =
            Pattern.compile("java\\.util\\.concurrent\\.(locks\\.Reentrant|Semaphore).*");
    private static final int PLACES = 1_000;
    private final RecordingStream stream = new RecordingStream();
    private final Map<String, Place> places = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Place> eldest) {
            return size() > PLACES;
        }
    };
    private final long gapNanos;
    private final Consumer<? super Wait> listener;
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile Thread telling;

    private JfrMonitor(Duration gap, Consumer<? super Wait> listener) {
        Objects.requireNonNull(gap, "gap");
        this.gapNanos = TimeUnit.NANOSECONDS.convert(gap); // saturates
        this.listener = Objects.requireNonNull(listener, "listener");
    }

    // @start region="start"
    /**
     * @param pinned threshold for a pinned virtual thread; 20 ms is the JDK's own
     * @param wait   threshold for all other waits
     */
    public static JfrMonitor start(Duration pinned, Duration wait, Duration gap, Consumer<? super Wait> listener) {
        Objects.requireNonNull(pinned, "pinned");
        Objects.requireNonNull(wait, "wait");
        var monitor = new JfrMonitor(gap, listener);
        monitor.stream.setMaxSize(32L << 20); // on disk
        monitor.on("jdk.VirtualThreadPinned", pinned);
        for (String event : List.of("jdk.JavaMonitorEnter", "jdk.ThreadPark", "jdk.SocketRead", "jdk.SocketWrite",
                "jdk.FileRead", "app.Wait")) {
            monitor.on(event, wait);
        }
        monitor.on("jdk.VirtualThreadSubmitFailed", Duration.ZERO); // a virtual thread that will never run
        monitor.stream.startAsync();
        return monitor;
    }
    // @end region="start"

    // @start region="timed"
    /** For waits of virtual threads that the JDK does not record: {@code timed("orders", lock::lockInterruptibly)}. */
    public static void timed(String what, Blocking wait) throws InterruptedException {
        Objects.requireNonNull(what, "what");
        Objects.requireNonNull(wait, "wait");
        var event = new AppWait();
        event.begin();
        try {
            wait.run();
        } finally {
            event.what = what;
            event.commit(); // nothing, unless a recording is on and it took longer than its threshold
        }
    }
    // @end region="timed"

    private void on(String name, Duration threshold) {
        stream.enable(name).withThreshold(threshold).withStackTrace();
        stream.onEvent(name, event -> {
            String detail = detail(event);
            // idle threads park too: only what is contended is told
            if (!name.equals("jdk.ThreadPark") || CONTENDED.matcher(detail).matches()) {
                tell(event, name, detail);
            }
        });
    }

    private static String detail(RecordedEvent event) {
        for (String field : List.of("pinnedReason", "monitorClass", "parkedClass", "host", "path", "what",
                "exceptionMessage")) {
            if (event.hasField(field) && event.getValue(field) != null) {
                return event.getValue(field) instanceof RecordedClass type ? type.getName() : event.getString(field);
            }
        }
        return "";
    }

    private void tell(RecordedEvent event, String name, String detail) {
        var all = new ArrayList<String>();
        var own = new ArrayList<String>();
        if (event.getStackTrace() != null) {
            for (var frame : event.getStackTrace().getFrames()) {
                String type = frame.getMethod().getType().getName();
                if (type.contains("$$Lambda")) {
                    continue;
                }
                String text = type + "." + frame.getMethod().getName() + ":" + frame.getLineNumber();
                (type.matches("(java|jdk|sun)\\..*|JfrMonitor") ? all : own).add(text);
            }
        }
        var frames = (own.isEmpty() ? all : own).stream().limit(5).toList();
        Place place = places.computeIfAbsent(name + frames.stream().findFirst(), key -> new Place());
        long now = System.nanoTime();
        if (place.told != 0 && now - place.told < gapNanos) {
            place.skipped++;
            return;
        }
        var thread = event.getThread();
        String who = thread == null ? "?"
                : (thread.isVirtual() ? "virtual #" : "#") + thread.getJavaThreadId() + " " + thread.getJavaName();
        var wait = new Wait(name, event.getDuration(), who.strip(), detail, frames, place.skipped);
        place.told = now;
        place.skipped = 0;
        telling = Thread.currentThread();
        try {
            listener.accept(wait);
        } catch (Error e) { // would end the recorder's thread
            throw new IllegalStateException("the listener failed", e);
        } finally {
            telling = null;
        }
    }

    /**
     * Reports what has happened until now, and ends the recording; an interrupt meanwhile is kept in the flag. A second
     * call does nothing.
     *
     * @throws IllegalStateException if called by the listener
     */
    @Override
    public void close() {
        if (Thread.currentThread() == telling) {
            throw new IllegalStateException("close() in the listener would wait for itself");
        }
        if (closed.compareAndSet(false, true)) {
            CompletableFuture.runAsync(() -> { // an interrupt of this thread would lose events
                stream.stop();
                stream.close();
            }, Thread.ofPlatform().name("jfr-close")::start).join();
        }
    }

    public static void main(String[] args) throws Exception {
        var waits = new ArrayList<Wait>();
        // @start region="use"
        var monitor = JfrMonitor.start(Duration.ofMillis(20), Duration.ofMillis(100), Duration.ofMinutes(1), wait -> {
            System.out.println(wait);
            waits.add(wait);
        });
        // @end region="use"
        try (monitor) {
            Thread.ofVirtual().name("loads a class").start(Slow::touch).join();
            var lock = new ReentrantLock();
            lock.lock();
            Thread waiter = Thread.ofVirtual().name("order 42").start(() -> Orders.place(lock));
            while (!lock.hasQueuedThread(waiter)) {
                Thread.sleep(1);
            }
            Thread.sleep(150);
            lock.unlock();
            waiter.join();
        }
        check(waits.toString().contains("jdk.VirtualThreadPinned"), "the pinned thread is told");
        check(waits.stream().anyMatch(wait -> wait.detail().equals("orders")), "the wait for the lock is told");
    }

    private static final class Orders {
        static void place(ReentrantLock lock) {
            try {
                timed("orders", lock::lockInterruptibly);
                lock.unlock();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static final class Slow {
        static {
            try {
                new CountDownLatch(1).await(100,
                        TimeUnit.MILLISECONDS); // blocking-ok: a class initialiser pins on every JDK
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        static void touch() {
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
