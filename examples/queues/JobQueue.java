import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: a {@code Queue}, tasks that work on it and log what fails, {@code join} or {@code cancel} at the end.
 * Final API, JDK 21 and later.
 *
 * <p>Use for jobs that come in as long as the program runs and that nobody waits for: mails, webhooks, thumbnails. Do
 * not use where the caller needs the result ({@code BackgroundTasks}, {@code Offload}), where a failure should end
 * the work ({@code WorkQueue}), or for jobs that must survive a crash (a table or a broker).
 *
 * <p>Each job is handled, or its failure is reported to {@code onFailure}, or {@link #stop} returns it: none is lost,
 * and none is started twice. Jobs start in the order in which they were put. A job that fails, even with an Error,
 * costs no worker. An interrupt from elsewhere affects only the job that it hits, if any.
 *
 * <p>Thread-safe. A job may add others, but should use {@link #offer}: if all workers wait in {@link #put} for room,
 * nothing goes on.
 *
 * <p>Run: {@code java examples/queues/JobQueue.java}
 */
public final class JobQueue<T> implements AutoCloseable {

    // More than 150 lines: a queue, its workers, and two ways to stop.

    // @start region="jobs"
    @FunctionalInterface
    public interface Handler<T> {
        void handle(T job) throws Exception;
    }

    /**
     * Called in the worker's thread, with the interrupt flag cleared; what it throws goes to that thread's uncaught
     * exception handler.
     */
    @FunctionalInterface
    public interface FailureHandler<T> {
        void failed(T job, Throwable cause);
    }

    private final int capacity;
    private final Handler<? super T> handler;
    private final FailureHandler<? super T> onFailure;
    private final List<Thread> workers = new ArrayList<>();
    private final ReentrantLock lock = new ReentrantLock(); // guards all of the following
    private final Condition notFull = lock.newCondition();
    private final Condition notEmpty = lock.newCondition();
    private final Condition idle = lock.newCondition();
    private final ArrayDeque<T> queued = new ArrayDeque<>();
    private final List<T> cutOff = new ArrayList<>();
    private int inHand;
    private boolean closed;
    private boolean stopped; // implies closed
    private boolean interrupted; // implies stopped
    private boolean returned; // stop() has returned jobs that are not done

    /**
     * Starts the workers, virtual threads.
     *
     * @param capacity how many jobs may wait, besides those in hand
     * @param workers  how many jobs run at a time, at most
     */
    public JobQueue(int capacity, int workers, Handler<? super T> handler, FailureHandler<? super T> onFailure) {
        if (capacity < 1 || workers < 1) {
            throw new IllegalArgumentException("capacity " + capacity + " and workers " + workers
                    + " must be 1 or more");
        }
        this.capacity = capacity;
        this.handler = Objects.requireNonNull(handler, "handler");
        this.onFailure = Objects.requireNonNull(onFailure, "onFailure");
        for (int i = 0; i < workers; i++) {
            this.workers.add(Thread.ofVirtual().name("worker-" + i).unstarted(this::work));
        }
        try {
            this.workers.forEach(Thread::start);
        } catch (Throwable e) { // no memory: none is left behind
            stop(Duration.ZERO);
            throw e;
        }
    }

    /** Waits for room. @throws IllegalStateException if drained or stopped, even while waiting */
    public void put(T job) throws InterruptedException {
        Objects.requireNonNull(job, "job");
        lock.lockInterruptibly();
        try {
            while (!closed && queued.size() >= capacity) {
                notFull.await();
            }
            add(job);
        } finally {
            lock.unlock();
        }
    }

    /** Never waits; false if full (429, 503). @throws IllegalStateException if drained or stopped */
    public boolean offer(T job) {
        Objects.requireNonNull(job, "job");
        lock.lock();
        try {
            if (!closed && queued.size() >= capacity) {
                return false;
            }
            add(job);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** How many jobs have not ended: queued, or in hand. */
    public int size() {
        lock.lock();
        try {
            return queued.size() + inHand;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Accepts no more jobs and waits, at most {@code patience}, until all have ended and failures are reported; false
     * if some have not, or if stopped meanwhile. The workers go on either way: call it again, or {@link #stop}.
     *
     * @throws IllegalStateException if called by a job
     */
    public boolean drain(Duration patience) throws InterruptedException {
        refuseJob("drain");
        Objects.requireNonNull(patience, "patience");
        long nanos = Math.min(TimeUnit.NANOSECONDS.convert(patience), Long.MAX_VALUE / 2);
        lock.lockInterruptibly();
        try {
            close(false);
            while (!stopped && (inHand > 0 || !queued.isEmpty()) && nanos > 0) {
                nanos = idle.awaitNanos(nanos);
            }
            return inHand == 0 && queued.isEmpty() && cutOff.isEmpty() && !returned;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Starts no more jobs, lets those in hand run for {@code grace}, then interrupts each once; the workers have ended
     * when it returns. An interrupt of the caller ends the grace and stays in its flag. A second call waits, too.
     *
     * @return what is not done: jobs that failed when interrupted, whose failures are not reported, in the order of
     *         failing; then jobs not started, in the order of putting
     * @throws IllegalStateException if called by a job
     */
    public List<T> stop(Duration grace) {
        refuseJob("stop");
        Objects.requireNonNull(grace, "grace");
        long nanos = Math.min(TimeUnit.NANOSECONDS.convert(grace), Long.MAX_VALUE / 2);
        boolean restore = false;
        boolean first;
        lock.lock();
        try {
            close(true);
            while (inHand > 0 && nanos > 0) {
                try {
                    nanos = idle.awaitNanos(nanos);
                } catch (InterruptedException e) {
                    restore = true;
                    nanos = 0;
                }
            }
            first = !interrupted;
            interrupted = true;
        } finally {
            lock.unlock();
        }
        if (first) {
            workers.forEach(Thread::interrupt);
        }
        for (Thread worker : workers) {
            while (worker.isAlive()) {
                try {
                    worker.join();
                } catch (InterruptedException e) {
                    restore = true;
                }
            }
        }
        if (restore) {
            Thread.currentThread().interrupt();
        }
        lock.lock();
        try {
            var left = new ArrayList<>(cutOff);
            left.addAll(queued);
            returned |= !left.isEmpty();
            cutOff.clear();
            queued.clear();
            return left;
        } finally {
            lock.unlock();
        }
    }

    /** {@link #stop} without grace; what is not done goes to {@code onFailure} with a CancellationException. */
    @Override
    public void close() {
        var left = stop(Duration.ZERO);
        boolean restore = false;
        for (T job : left) {
            restore |= Thread.interrupted(); // the handler may block
            tell(job, new CancellationException("stopped before it was done"));
        }
        if (restore) {
            Thread.currentThread().interrupt();
        }
    }

    private void add(T job) {
        if (closed) {
            throw new IllegalStateException("drained or stopped");
        }
        queued.addLast(job);
        notEmpty.signal();
    }

    private void close(boolean stop) {
        closed = true;
        stopped |= stop;
        notFull.signalAll();
        notEmpty.signalAll();
        idle.signalAll();
    }

    private void refuseJob(String what) {
        if (workers.contains(Thread.currentThread())) {
            throw new IllegalStateException(what + "() called by a job would wait for itself");
        }
    }

    private void work() {
        for (T job = next(); job != null; job = next()) {
            Throwable failure = null;
            try {
                handler.handle(job);
            } catch (Throwable e) {
                failure = e;
            }
            if (failure != null && !isCutOff(job)) {
                tell(job, failure);
            }
            lock.lock();
            try {
                inHand--;
                idle.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private T next() {
        lock.lock();
        try {
            while (!closed && queued.isEmpty()) {
                notEmpty.awaitUninterruptibly(); // stop() wakes it before it interrupts
            }
            if (stopped || queued.isEmpty()) {
                return null;
            }
            Thread.interrupted(); // meant for a job before, for stop() has not come
            inHand++;
            notFull.signal();
            return queued.pollFirst();
        } finally {
            lock.unlock();
        }
    }

    private boolean isCutOff(T job) {
        lock.lock();
        try {
            if (interrupted) {
                return cutOff.add(job);
            }
            Thread.interrupted(); // left behind by the job: it would hit the handler
            return false;
        } finally {
            lock.unlock();
        }
    }

    private void tell(T job, Throwable cause) {
        try {
            onFailure.failed(job, cause);
        } catch (Throwable e) {
            if (e != cause && e.getSuppressed().length < 10) { // a shared constant would grow with each failure
                e.addSuppressed(cause);
            }
            try {
                Thread thread = Thread.currentThread();
                thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
            } catch (Throwable ignored) {
                // as the JVM does
            }
        }
    }
    // @end region="jobs"

    public static void main(String[] args) throws Exception {
        var sent = new AtomicInteger();
        var failed = new ConcurrentLinkedQueue<String>();
        var disk = new CountDownLatch(1);
        // @start region="use"
        try (var mails = new JobQueue<Integer>(1_000, 4, mail -> send(mail, sent),
                (mail, cause) -> failed.add("mail " + mail + ": " + cause.getMessage()))) {
            for (int mail = 0; mail < 5_000; mail++) {
                mails.put(mail); // or offer: false if full
            }
            if (!mails.drain(Duration.ofSeconds(10))) {
                keep(mails.stop(Duration.ofSeconds(1))); // what is not done
            }
        }
        // @end region="use"
        System.out.println(sent + " of 5000 sent; failed: " + failed);
        check(sent.get() == 4_999 && failed.size() == 1, "a failure is told and costs no worker");

        var begun = new CountDownLatch(2);
        var slow = new JobQueue<Integer>(10, 2, job -> {
            begun.countDown();
            disk.await();
        }, (job, cause) -> failed.add("unexpected " + cause));
        for (int job = 0; job < 5; job++) {
            slow.put(job);
        }
        begun.await();
        List<Integer> left = slow.stop(Duration.ofMillis(20));
        System.out.println("stopped; to be done later: " + left);
        check(left.size() == 5 && failed.size() == 1, "what was not done is returned, also what was interrupted");
    }

    private static void send(int mail, AtomicInteger sent) {
        if (mail == 13) {
            throw new IllegalStateException("no such address");
        }
        sent.incrementAndGet();
    }

    private static void keep(List<Integer> left) {
        System.out.println("to be sent after the restart: " + left);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
