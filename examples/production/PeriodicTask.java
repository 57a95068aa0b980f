import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * asyncio: {@code while True: await job(); await asyncio.sleep(delay)} as a task. Final API, JDK 21 and later.
 *
 * <p>Use for work at intervals: refresh, flush, sweep. {@code scheduleAtFixedRate} makes up for a long run with a burst (59 runs in 400 ms
 * after one of 2.5 s), and ends for ever, without a word, at the first exception, {@code Error} or leftover interrupt flag. Do not use for
 * a time of day, nor for work that must survive the process: that is a scheduler's or a queue's.
 *
 * <p>Runs never overlap: the delay counts from the end of one run to the start of the next. Thread-safe.
 *
 * <p>Run: {@code java examples/production/PeriodicTask.java}
 */
public final class PeriodicTask implements AutoCloseable {

    // @start region="periodic"
    @FunctionalInterface
    public interface Job {
        void run() throws Exception;
    }

    @FunctionalInterface
    public interface FailureHandler {
        void failed(String task, Throwable cause);
    }

    private final Job job;
    private final long delayNanos;
    private final FailureHandler onFailure;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Thread thread;

    private PeriodicTask(String name, Duration firstDelay, Duration delay, Job job, FailureHandler onFailure) {
        this.job = Objects.requireNonNull(job);
        this.delayNanos = Math.max(1_000_000, Math.min(TimeUnit.NANOSECONDS.convert(delay), Long.MAX_VALUE / 2));
        this.onFailure = Objects.requireNonNull(onFailure);
        long firstNanos = Math.min(TimeUnit.NANOSECONDS.convert(firstDelay), Long.MAX_VALUE / 2);
        this.thread = Thread.ofVirtual().name(name).unstarted(() -> loop(firstNanos));
    }

    /**
     * Starts a virtual thread of that name, which runs the job until {@link #close}, whatever the job throws. Virtual threads do not keep
     * the JVM alive.
     *
     * @param firstDelay before the first run; a random one keeps many processes from beating in time
     * @param delay      between runs; less than a millisecond counts as one: a thread that never parks starves other virtual threads,
     *                   which are not time-sliced, and {@code Thread.yield()} does not help
     * @param onFailure  gets what the job throws, {@link Error}s included, in the task's thread; what it throws itself goes to the
     *                   thread's uncaught handler, and the runs go on
     */
    public static PeriodicTask start(String name, Duration firstDelay, Duration delay, Job job, FailureHandler onFailure) {
        var task = new PeriodicTask(name, firstDelay, delay, job, onFailure);
        task.thread.start();
        return task;
    }

    /**
     * Ends the delay, interrupts a run, or its failure handler, once, and waits until it has ended; no run starts afterwards. The
     * {@link InterruptedException} of an interrupted run is no failure; what else it throws is reported. An interrupt of the caller does not
     * end the wait, its flag is kept. Called from inside the job, it neither interrupts nor waits: this run is the last.
     */
    @Override
    public void close() {
        boolean first = closed.compareAndSet(false, true);
        stopped.countDown();
        if (Thread.currentThread() == thread) {
            return;
        }
        if (first) {
            thread.interrupt();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void loop(long firstNanos) {
        for (long nanos = firstNanos; !stoppedWithin(nanos); nanos = delayNanos) {
            try {
                job.run();
            } catch (Throwable e) {
                if (!(e instanceof InterruptedException && stopped.getCount() == 0)) {
                    report(e);
                }
            }
        }
    }

    private boolean stoppedWithin(long nanos) {
        long end = System.nanoTime() + nanos;
        while (true) {
            try {
                return stopped.await(end - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                continue; // close() counts down before it interrupts: what else comes the job has left behind
            }
        }
    }

    private void report(Throwable failure) {
        Thread.interrupted(); // the handler may block
        try {
            onFailure.failed(thread.getName(), failure);
        } catch (Throwable e) {
            thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
    }
    // @end region="periodic"

    public static void main(String[] args) throws Exception {
        var runs = new AtomicInteger();
        var failures = new ConcurrentLinkedQueue<String>();
        var six = new CountDownLatch(6);
        // @start region="use"
        var sweeper = PeriodicTask.start("sweeper", Duration.ZERO, Duration.ofMillis(10), () -> {
            six.countDown();
            sweep(runs.incrementAndGet());
        }, (task, cause) -> failures.add(task + ": " + cause));
        try (sweeper) {
            six.await(); // the application's life
        }
        // @end region="use"
        int atClose = runs.get();
        System.out.println(atClose + " runs; failures: " + failures);
        check(failures.size() == 2, "an exception and an Error were reported, and the runs went on");
        Thread.sleep(50);
        check(runs.get() == atClose, "no run after close()");
    }

    private static void sweep(int run) {
        switch (run) {
            case 2 -> throw new IllegalStateException("run 2 failed");
            case 3 -> throw new StackOverflowError();
            case 4 -> Thread.currentThread().interrupt(); // left behind
            default -> {
            }
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
