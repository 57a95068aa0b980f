import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code AsyncExitStack}, and the lifespan context manager of a server. Final API, JDK 21 and later.
 *
 * <p>Use for what an application opens at its start and closes at its end: opened in order, closed in reverse, even if
 * the third fails to open. Do not use for two or three resources of one method (plain {@code try (...)}), or for a
 * single one whose release blocks ({@code ManagedResource}). {@code finally} does not run on SIGTERM by itself: {@code
 * GracefulShutdown}.
 *
 * <p>A release does not learn of the body's failure and cannot swallow it: catch it around the {@code try}. To keep
 * what was opened ({@code pop_all}), open it in {@link #start}. Thread-safe.
 *
 * <p>Run: {@code java examples/production/Lifespan.java}
 */
public final class Lifespan implements AutoCloseable {

    // @start region="lifespan"
    @FunctionalInterface
    public interface Release<T> {
        void release(T resource) throws Exception;
    }

    /** Opens what belongs together; see {@link #start}. */
    @FunctionalInterface
    public interface Opening {
        void open(Lifespan lifespan) throws Exception;
    }

    @FunctionalInterface
    private interface Step {
        void run() throws Exception;
    }

    private final ReentrantLock lock = new ReentrantLock(); // guards what follows
    private final Deque<Step> opened = new ArrayDeque<>();
    private boolean closed;

    /**
     * Returns a lifespan that outlives this method. If {@code opening} throws, what it had opened is closed; failures
     * of that are suppressed.
     */
    public static Lifespan start(Opening opening) throws Exception {
        Objects.requireNonNull(opening, "opening");
        var lifespan = new Lifespan();
        try {
            opening.open(lifespan);
            return lifespan;
        } catch (Throwable e) {
            try (lifespan) {
                throw e;
            }
        }
    }

    /**
     * Opens a resource. If {@code open} throws there is nothing to release. A resource that is ready after {@link
     * #close} is released at once.
     *
     * @throws IllegalStateException if closed; a failed release is suppressed
     * @throws Exception             what {@code open} throws
     */
    public <T> T open(Callable<? extends T> open, Release<? super T> release) throws Exception {
        Objects.requireNonNull(open, "open");
        Objects.requireNonNull(release, "release");
        if (!add(null)) {
            throw new IllegalStateException("open after close");
        }
        T resource = open.call();
        Step step = () -> release.release(resource);
        if (!add(step)) {
            var late = new IllegalStateException("closed while opening");
            try {
                releaseAll(List.of(step));
            } catch (ExecutionException e) {
                late.addSuppressed(e);
            }
            throw late;
        }
        return resource;
    }

    /** Like {@link #open(Callable, Release)}, released by its own {@code close()}. */
    public <T extends AutoCloseable> T open(Callable<? extends T> open) throws Exception {
        return open(open, AutoCloseable::close);
    }

    /**
     * Releases all in reverse order, even if earlier ones fail or throw an {@link Error}. Each release begins with the
     * interrupt flag cleared, so it can block; afterwards the flag is set again if it was set, or if an interrupt ended
     * a release. There is no time limit here: give each release its own. Later calls, even from a release, do nothing
     * and do not wait.
     *
     * @throws ExecutionException the first failure is the cause, the others are suppressed
     */
    @Override
    public void close() throws ExecutionException {
        var steps = new ArrayList<Step>();
        lock.lock();
        try {
            closed = true;
            steps.addAll(opened);
            opened.clear();
        } finally {
            lock.unlock();
        }
        releaseAll(steps);
    }

    private boolean add(Step step) {
        lock.lock();
        try {
            if (!closed && step != null) {
                opened.push(step);
            }
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    private static void releaseAll(List<Step> steps) throws ExecutionException {
        ExecutionException failed = null;
        boolean interrupted = false;
        for (Step step : steps) {
            interrupted |= Thread.interrupted();
            try {
                step.run();
            } catch (Throwable e) {
                interrupted |= e instanceof InterruptedException;
                if (failed == null) {
                    failed = new ExecutionException("not released", e);
                } else {
                    failed.addSuppressed(e); // on our own: another's may be shared or immutable
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failed != null) {
            throw failed;
        }
    }
    // @end region="lifespan"

    public static void main(String[] args) throws Exception {
        var log = new ArrayList<String>();
        // @start region="use"
        try (var lifespan = new Lifespan()) {
            String database = lifespan.open(() -> connect("database", log), name -> log.add("close " + name));
            String cache = lifespan.open(() -> connect("cache", log), name -> log.add("close " + name));
            log.add("serve from " + cache + " and " + database);
        }
        // @end region="use"
        System.out.println(log);
        check(log
                .equals(List.of("open database", "open cache", "serve from cache and database", "close cache",
                        "close database")),
                "closed in reverse order");

        log.clear();
        try {
            start(lifespan -> {
                lifespan.open(() -> connect("database", log), name -> log.add("close " + name));
                lifespan.open(() -> connect("cache", log), name -> {
                    throw new IOException("cannot flush " + name);
                });
                lifespan.open(() -> connect("port in use", log), name -> log.add("never"));
            });
            check(false, "the failure to open is thrown");
        } catch (IOException e) {
            System.out.println(log + ", " + e.getMessage() + ", suppressed " + List.of(e.getSuppressed()));
            check(log.equals(List.of("open database", "open cache", "close database")), "what was open is closed");
            check(e.getSuppressed()[0].getCause().getMessage().equals("cannot flush cache"),
                    "a failed close is suppressed");
        }
    }

    private static String connect(String name, List<String> log) throws IOException {
        if (name.equals("port in use")) {
            throw new IOException(name);
        }
        log.add("open " + name);
        return name;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
