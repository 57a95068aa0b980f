import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code shield(c)}, with the reference kept that asyncio forgets. Final API, JDK 21 and later.
 *
 * <p>Use for a critical section that must finish even if its caller is cancelled or times out: commit, refund, release
 * of a remote lock. Use one object per application, closed last. Do not use for a cleanup in the caller's own thread
 * ({@code Cancellation.cleanUp}), nor inside a {@code StructuredTaskScope}: nothing outlives the scope there.
 *
 * <p>The section runs in its own thread, without the caller's locks and thread-locals. SIGTERM runs no {@code finally}:
 * call {@link #close} from a shutdown hook.
 *
 * <p>Run: {@code java examples/time/Shield.java}
 */
public final class Shield implements AutoCloseable {

    // @start region="shield"
    @FunctionalInterface
    public interface AbandonedHandler {
        /**
         * Called in the section's thread. {@code outcome} is done: see {@code state()}, {@code resultNow()}, {@code
         * exceptionNow()}.
         */
        void ended(String section, Future<?> outcome);
    }

    private final AbandonedHandler onAbandoned;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();
    private final Set<Thread> sections = new LinkedHashSet<>(); // guarded by lock
    private boolean closed;

    public Shield(AbandonedHandler onAbandoned) {
        this.onAbandoned = Objects.requireNonNull(onAbandoned, "onAbandoned");
    }

    /**
     * Runs the section in a virtual thread that nobody interrupts, and waits for it. Its outcome goes to exactly one
     * place: to this caller, or to the handler if the caller left first. Thread-safe.
     *
     * @param patience how long the caller waits; the section goes on after it
     * @throws ExecutionException         the section's failure is the cause
     * @throws TimeoutException           if the section is still running after {@code patience}
     * @throws InterruptedException       if interrupted while waiting; if interrupted before, the section is not
     *                                    started
     * @throws RejectedExecutionException if closed
     */
    public <T> T call(String name, Callable<? extends T> section, Duration patience)
            throws InterruptedException, ExecutionException, TimeoutException {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(section, "section");
        Objects.requireNonNull(patience, "patience");
        long nanos = Math.clamp(TimeUnit.NANOSECONDS.convert(patience), 0, Long.MAX_VALUE / 2);
        var task = new FutureTask<T>(section::call);
        var taken = new AtomicBoolean(); // by the caller who leaves, or by the section that ends: who is first decides
        start(name, task, taken);
        try {
            return task.get(nanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException | TimeoutException e) {
            if (taken.compareAndSet(false, true)) {
                if (e instanceof TimeoutException) {
                    throw new TimeoutException(name + " still runs after " + patience);
                }
                throw e;
            }
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt(); // the outcome came at the same moment: it is not lost
            }
            return task.get();
        }
    }

    private void start(String name, FutureTask<?> task, AtomicBoolean taken) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            if (closed) {
                throw new RejectedExecutionException(name + ": closed");
            }
            sections.add(Thread.ofVirtual().name(name).start(() -> {
                try {
                    task.run();
                    if (!taken.compareAndSet(false, true)) {
                        Thread.interrupted(); // left behind by the section
                        onAbandoned.ended(name, task);
                    }
                } finally {
                    lock.lock();
                    try {
                        sections.remove(Thread.currentThread());
                        ended.signalAll();
                    } finally {
                        lock.unlock();
                    }
                }
            }));
        } finally {
            lock.unlock();
        }
    }

    /** The names of the sections that have not ended, oldest first. */
    public List<String> running() {
        lock.lock();
        try {
            return sections.stream().map(Thread::getName).toList();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Refuses new sections and waits for running ones; false if some still run after {@code patience}.
     *
     * @throws IllegalStateException in a section, which would wait for itself; nothing changes
     */
    public boolean drain(Duration patience) throws InterruptedException {
        Objects.requireNonNull(patience, "patience");
        long nanos = Math.min(TimeUnit.NANOSECONDS.convert(patience), Long.MAX_VALUE / 2);
        lock.lockInterruptibly();
        try {
            refuseSections();
            closed = true;
            while (!sections.isEmpty() && nanos > 0) {
                nanos = ended.awaitNanos(nanos);
            }
            return sections.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Refuses new sections and waits until all have ended, however long; an interrupt during the wait is kept in the
     * flag.
     *
     * @throws IllegalStateException as {@link #drain}
     */
    @Override
    public void close() {
        lock.lock();
        try {
            refuseSections();
            closed = true;
            while (!sections.isEmpty()) {
                ended.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    private void refuseSections() {
        if (sections.contains(Thread.currentThread())) {
            throw new IllegalStateException(Thread.currentThread().getName() + " would wait for itself");
        }
    }
    // @end region="shield"

    public static void main(String[] args) throws Exception {
        List<String> log = Collections.synchronizedList(new ArrayList<>());
        var bank = new CountDownLatch(1);
        try (var shield = new Shield((section, outcome) -> log.add(section + " ended later: "
                + (outcome.state() == Future.State.SUCCESS ? outcome.resultNow() : outcome.exceptionNow())))) {
            // @start region="use"
            try {
                shield.call("commit", () -> {
                    bank.await();
                    return "committed";
                }, Duration.ofMillis(20));
            } catch (TimeoutException e) { // the section goes on; its outcome goes to the handler
                System.out.println("caller timed out, running on: " + shield.running());
            }
            // @end region="use"
            var caller = Thread.ofVirtual().start(() -> {
                try {
                    shield.call("refund", () -> {
                        bank.await();
                        throw new IllegalStateException("account closed");
                    }, Duration.ofDays(1));
                } catch (Exception e) {
                    log.add("caller was cancelled: " + e.getClass().getSimpleName());
                }
            });
            while (shield.running().size() < 2) {
                Thread.sleep(1);
            }
            caller.interrupt();
            caller.join();
            bank.countDown();
        }
        log.forEach(System.out::println);
        check(log.size() == 3 && log.getFirst().equals("caller was cancelled: InterruptedException"), "it left");
        check(log.contains("commit ended later: committed"), "the section completed");
        check(log.contains("refund ended later: java.lang.IllegalStateException: account closed"), "a failure too");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
