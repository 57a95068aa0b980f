import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

/**
 * asyncio: {@code async with} and {@code @asynccontextmanager}. Final API, JDK 21 and later.
 *
 * <p>Use for a resource whose release blocks (a rollback, a goodbye to the server, a flush) and must succeed even if
 * the task was cancelled. A plain {@code AutoCloseable} is enough if {@code close} does not block: it, too, runs on
 * cancellation, but with the flag still set its first blocking call throws {@link InterruptedException} at once.
 *
 * <p>Unlike the code after {@code yield}, the release does not learn how the body ended, and cannot swallow its
 * exception. So let the last line of the body say that it is complete ({@code commit()}), and the release roll back
 * what was not committed. Instead of a decorator, write a method that takes the body as a lambda.
 *
 * <p>Run: {@code java examples/time/ManagedResource.java}
 */
public final class ManagedResource<T, X extends Exception> implements AutoCloseable {

    // @start region="resource"
    /** Releases a resource. It must not throw {@link InterruptedException}, which {@code try (...)} would suppress. */
    @FunctionalInterface
    public interface Release<T, X extends Exception> {
        void release(T resource) throws X;
    }

    private final T resource;
    private final AtomicReference<Release<? super T, X>> release;

    private ManagedResource(T resource, Release<? super T, X> release) {
        this.resource = resource;
        this.release = new AtomicReference<>(release);
    }

    /**
     * Takes a resource, to be closed in {@code try (...)}. If {@code acquire} throws there is nothing to release.
     *
     * @throws Exception what {@code acquire} throws
     */
    public static <T, X extends Exception> ManagedResource<T, X> acquire(Callable<T> acquire,
            Release<? super T, X> release) throws Exception {
        Objects.requireNonNull(release, "release");
        return new ManagedResource<>(acquire.call(), release);
    }

    /** The resource. Not checked for use after {@link #close}. */
    public T get() {
        return resource;
    }

    /**
     * Releases once, whichever thread comes first; later calls do nothing. The release runs with the interrupt flag
     * cleared, so that it can block; the flag is set again afterwards, even if the release fails. An interrupt during
     * the release stops it: limit it with a timeout rather than ignore interrupts.
     *
     * @throws X what the release throws; in {@code try (...)} it is suppressed on the exception of the body
     */
    @Override
    public void close() throws X {
        var once = release.getAndSet(null);
        if (once != null) {
            boolean interrupted = Thread.interrupted();
            try {
                once.release(resource);
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }
    // @end region="resource"

    public static void main(String[] args) throws Exception {
        var log = new StringBuffer();
        // @start region="use"
        try (var connection = ManagedResource.acquire(() -> open("orders", log), name -> sayGoodbye(name, log))) {
            log.append("use ").append(connection.get()).append("; ");
        }
        // @end region="use"
        System.out.println(log);
        check(log.toString().equals("open orders; use orders; goodbye orders; "), "closed after use");

        log.setLength(0);
        var inUse = new CountDownLatch(1);
        Thread worker = Thread.ofVirtual().start(() -> {
            try (var connection = ManagedResource.acquire(() -> open("orders", log), name -> sayGoodbye(name, log))) {
                inUse.countDown();
                while (!Thread.currentThread().isInterrupted()) { // a loop that leaves the flag set
                    check(connection.get().equals("orders"), "open while in use");
                }
            } catch (Exception e) {
                log.append(e);
            }
            log.append("flag kept: ").append(Thread.currentThread().isInterrupted());
        });
        inUse.await();
        worker.interrupt();
        worker.join();
        System.out.println(log);
        check(log.toString().equals("open orders; goodbye orders; flag kept: true"), "a cancelled task says goodbye");
    }

    private static String open(String name, StringBuffer log) {
        log.append("open ").append(name).append("; ");
        return name;
    }

    private static void sayGoodbye(String name, StringBuffer log) throws IOException {
        try {
            Thread.sleep(20); // the goodbye blocks
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("no goodbye to " + name);
        }
        log.append("goodbye ").append(name).append("; ");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
