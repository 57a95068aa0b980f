import java.net.SocketException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * asyncio: {@code while True: await job(); await asyncio.sleep(delay)} as a task, or {@code loop.call_at} on a grid.
 * Final API, JDK 21 and later.
 *
 * <p>Use for work at intervals: refresh, flush, sweep. {@code scheduleAtFixedRate} makes up for a long run with a burst
 * (59 runs in 400 ms after one of 2.5 s), and silently ends forever at the first exception, {@code Error} or leftover
 * interrupt flag. Do not use for a time of day (use a scheduler) or for work that must survive the process (use a
 * queue). Where no thread may wait (an event loop, a test) use {@link Plan} alone.
 *
 * <p>Each task has its own virtual thread: start one per job; a slow one delays no other. The runs of one task never
 * overlap. Thread-safe.
 *
 * <p>Run: {@code java examples/production/PeriodicTask.java}
 */
public final class PeriodicTask implements AutoCloseable {

    // @start region="plan"
    /**
     * When a job is due. It only decides: never waits, starts no thread, and is told the time, as {@code
     * System.nanoTime()} has it. Not thread-safe. Several jobs: a plan each; begin those that are due, then wait for
     * the least {@link #waitNanos}.
     */
    public static final class Plan {
        private static final long LEAST = 1_000_000; // a thread that never parks starves other virtual threads

        private final boolean atRate;
        private final long every;
        private long due;
        private boolean running;

        private Plan(long now, Duration first, Duration every, boolean atRate) {
            this.atRate = atRate;
            this.every = Math.max(LEAST, nanos(every));
            this.due = now + nanos(first);
        }

        /** {@code delay} counts from the end of a run to the start of the next. */
        public static Plan fixedDelay(long now, Duration first, Duration delay) {
            Objects.requireNonNull(first, "first");
            Objects.requireNonNull(delay, "delay");
            return new Plan(now, first, delay, false);
        }

        /**
         * {@code period} counts from start to start. A late run begins as soon as the last one has ended; runs missed
         * beyond that are skipped.
         */
        public static Plan fixedRate(long now, Duration first, Duration period) {
            Objects.requireNonNull(first, "first");
            Objects.requireNonNull(period, "period");
            return new Plan(now, first, period, true);
        }

        /** Nanoseconds until the next run is due; 0 if it is, {@code Long.MAX_VALUE} while one runs. */
        public long waitNanos(long now) {
            return running ? Long.MAX_VALUE : Math.max(0, due - now);
        }

        /** True if a run is due and none runs: then run it, and call {@link #ended} after it. */
        public boolean begin(long now) {
            if (running || due - now > 0) {
                return false;
            }
            running = true;
            return true;
        }

        public void ended(long now) {
            running = false;
            long next = atRate ? due + every : now + every;
            due = next - now < LEAST ? now + LEAST : next;
        }

        private static long nanos(Duration duration) {
            // 73 years: differences hold
            return Math.clamp(TimeUnit.NANOSECONDS.convert(duration), 0, Long.MAX_VALUE / 4);
        }
    }
    // @end region="plan"

    // @start region="periodic"
    @FunctionalInterface
    public interface Job {
        void run() throws Exception;
    }

    @FunctionalInterface
    public interface FailureHandler {
        void failed(String task, Throwable cause);
    }

    private static final int MOST_FAILURES = 16;
    private static final Throwable END = new IllegalStateException();

    private final Job job;
    private final FailureHandler onFailure;
    private final BlockingQueue<Throwable> failures = new ArrayBlockingQueue<>(MOST_FAILURES + 1);
    private final AtomicBoolean closed = new AtomicBoolean();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Thread thread;
    private final Thread reporter;

    private PeriodicTask(String name, Plan plan, Job job, FailureHandler onFailure) {
        this.job = Objects.requireNonNull(job, "job");
        this.onFailure = Objects.requireNonNull(onFailure, "onFailure");
        this.thread = Thread.ofVirtual().name(Objects.requireNonNull(name, "name")).unstarted(() -> loop(plan));
        this.reporter = Thread.ofVirtual().name(name + "-failures").unstarted(this::report);
        reporter.start();
        thread.start();
    }

    /**
     * Starts a virtual thread of that name, which runs the job until {@link #close}, whatever the job throws. Virtual
     * threads do not keep the JVM alive.
     *
     * @param firstDelay before the first run; a random one keeps many processes from running in step
     * @param delay      from the end of a run to the start of the next; less than a millisecond counts as one
     * @param onFailure  gets what the job throws, {@link Error}s included, in order, in its own thread: the runs go on
     *                   while it blocks (then 16 failures wait, and more are dropped), and what it throws goes to the
     *                   uncaught handler
     */
    public static PeriodicTask start(String name, Duration firstDelay, Duration delay, Job job,
            FailureHandler onFailure) {
        Objects.requireNonNull(firstDelay, "firstDelay");
        Objects.requireNonNull(delay, "delay");
        return new PeriodicTask(name, Plan.fixedDelay(System.nanoTime(), firstDelay, delay), job, onFailure);
    }

    /** Like {@link #start}, {@code period} from start to start: see {@link Plan#fixedRate}. */
    public static PeriodicTask startAtFixedRate(String name, Duration firstDelay, Duration period, Job job,
                                                FailureHandler onFailure) {
        Objects.requireNonNull(firstDelay, "firstDelay");
        Objects.requireNonNull(period, "period");
        return new PeriodicTask(name, Plan.fixedRate(System.nanoTime(), firstDelay, period), job, onFailure);
    }

    /** No further run begins; a current one goes on. Does not wait; may be called from inside the job. */
    public void stop() {
        stopped.countDown();
    }

    /**
     * Stops, interrupts a run once, and waits until it has ended and its failure is reported. Being interrupted is not
     * a failure; anything else it throws is. A handler that still runs a second later is interrupted and left behind.
     * An interrupt of the caller does not end the wait; its flag is kept.
     *
     * @throws IllegalStateException if called from inside the job or the handler: use {@link #stop}
     */
    @Override
    public void close() {
        if (Thread.currentThread() == thread || Thread.currentThread() == reporter) {
            throw new IllegalStateException(thread.getName() + ": close() would wait for itself, use stop()");
        }
        stop();
        boolean first = closed.compareAndSet(false, true);
        if (first) {
            thread.interrupt();
        }
        boolean interrupted = join(thread, Long.MAX_VALUE / 2);
        interrupted |= join(reporter, TimeUnit.SECONDS.toNanos(1));
        if (first) {
            reporter.interrupt();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean join(Thread thread, long nanos) {
        long end = System.nanoTime() + nanos;
        boolean interrupted = false;
        while (thread.isAlive() && end - System.nanoTime() > 0) {
            try {
                thread.join(Duration.ofNanos(end - System.nanoTime()));
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        return interrupted;
    }

    private void loop(Plan plan) {
        while (!stoppedWithin(plan.waitNanos(System.nanoTime()))) {
            if (plan.begin(System.nanoTime())) {
                try {
                    job.run();
                } catch (Throwable e) {
                    if (!isCancellation(e) && failures.size() < MOST_FAILURES) {
                        failures.add(e);
                    }
                }
                plan.ended(System.nanoTime());
            }
        }
        failures.add(END);
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

    private boolean isCancellation(Throwable e) {
        boolean byInterrupt = e instanceof InterruptedException || e instanceof ClosedByInterruptException
                || Thread.currentThread().isInterrupted()
                        && (e instanceof SocketException || e instanceof CancellationException);
        return byInterrupt && closed.get();
    }

    private void report() {
        for (Throwable failure = nextFailure(); failure != END; failure = nextFailure()) {
            try {
                onFailure.failed(thread.getName(), failure);
            } catch (Throwable e) {
                try {
                    reporter.getUncaughtExceptionHandler().uncaughtException(reporter, e);
                } catch (Throwable ignored) {
                    // as the JVM does
                }
            }
        }
    }

    private Throwable nextFailure() {
        while (true) {
            try {
                return failures.take();
            } catch (InterruptedException e) {
                continue; // left behind by the handler
            }
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
