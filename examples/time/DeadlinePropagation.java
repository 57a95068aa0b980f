import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * asyncio: {@code timeout_at(when)} nested, where the nearest one wins. Final API, JDK 21 and later.
 *
 * <p>Use when a request has a budget and passes through several layers: pass the {@link Deadline} down as a parameter;
 * each layer may take less, never more. With a timeout for each wait, the waits add up, and work goes on for a caller
 * that has left. Do not use for one call ({@code Timeout}). Work that computes is not stopped on one processor:
 * interrupting it takes a carrier.
 *
 * <p>Between processes send {@code remaining()}, not the point in time: clocks differ. For HTTP: {@code
 * request.timeout(deadline.remainingOrThrow())}; before 26 that ends at the headers, so read the body under {@link
 * Deadline#all}.
 *
 * <p>Run: {@code java examples/time/DeadlinePropagation.java}
 */
public final class DeadlinePropagation {

    private DeadlinePropagation() {
    }

    // @start region="deadline"
    @FunctionalInterface
    public interface Call<T> {
        T call(Deadline deadline) throws Exception;
    }

    /**
     * A point on the monotonic clock, up to 146 years ahead. Immutable: pass it to any thread. It only decides, and
     * takes its clock; only {@link #lock}, {@link #take} and {@link #all} wait.
     */
    public static final class Deadline {
        private final LongSupplier nanoClock;
        private final long at; // compare differences only: nanoTime may wrap around

        private Deadline(LongSupplier nanoClock, long at) {
            this.nanoClock = nanoClock;
            this.at = at;
        }

        public static Deadline after(Duration budget) {
            return after(budget, System::nanoTime);
        }

        public static Deadline after(Duration budget, LongSupplier nanoClock) {
            Objects.requireNonNull(budget, "budget");
            long nanos = Math.clamp(TimeUnit.NANOSECONDS.convert(budget), 0, Long.MAX_VALUE / 2);
            return new Deadline(nanoClock, nanoClock.getAsLong() + nanos);
        }

        /** The nearer of this deadline and {@code budget} from now. */
        public Deadline within(Duration budget) {
            long now = nanoClock.getAsLong();
            Objects.requireNonNull(budget, "budget");
            return new Deadline(nanoClock, now + Math.min(at - now, Math.max(0, TimeUnit.NANOSECONDS.convert(budget))));
        }

        /** For {@code tryLock}, {@code poll}, {@code awaitNanos}: 0 when it has passed, never negative. */
        public long nanos() {
            return Math.max(0, at - nanoClock.getAsLong());
        }

        public Duration remaining() {
            return Duration.ofNanos(nanos());
        }

        public boolean hasPassed() {
            return nanos() == 0;
        }

        /**
         * Whether something that takes {@code duration} can end in time: ask before a retry, or a call whose usual time
         * is known.
         */
        public boolean fits(Duration duration) {
            return TimeUnit.NANOSECONDS.convert(duration) < nanos();
        }

        /** For an API that refuses 0, and before work that nobody waits for any longer. */
        public Duration remainingOrThrow() throws TimeoutException {
            long nanos = nanos();
            if (nanos == 0) {
                throw new TimeoutException("deadline has passed");
            }
            return Duration.ofNanos(nanos);
        }

        /** Locks, or throws: never returns without the lock. */
        public void lock(Lock lock) throws InterruptedException, TimeoutException {
            if (!lock.tryLock(nanos(), TimeUnit.NANOSECONDS)) {
                throw new TimeoutException("deadline has passed waiting for a lock");
            }
        }

        public <T> T take(BlockingQueue<? extends T> queue) throws InterruptedException, TimeoutException {
            T item = queue.poll(nanos(), TimeUnit.NANOSECONDS);
            if (item == null) {
                throw new TimeoutException("deadline has passed waiting for a queue");
            }
            return item;
        }

        /**
         * Runs the calls at once, each in its own virtual thread with this deadline, and returns the results in their
         * order. When it returns or throws, all have ended: at the deadline they are interrupted, and one that ignores
         * it is waited for. Each is interrupted once, however many layers share the deadline; a second interrupt of the
         * caller is kept in its flag.
         *
         * @throws TimeoutException     if the deadline passed, whether this method noticed it or one of the calls
         * @throws ExecutionException   the first failure in time is the cause; the other calls were interrupted
         * @throws InterruptedException if the caller was interrupted; all calls were interrupted
         */
        public <T> List<T> all(Collection<? extends Call<? extends T>> calls)
                throws InterruptedException, ExecutionException, TimeoutException {
            List<Call<? extends T>> each = calls.stream().<Call<? extends T>>map(
                    call -> Objects.requireNonNull(call, "call")).toList();
            remainingOrThrow();
            var executor = Executors.newVirtualThreadPerTaskExecutor();
            try {
                var completed = new ExecutorCompletionService<T>(executor);
                var futures = new ArrayList<Future<T>>(each.size());
                for (var call : each) {
                    futures.add(completed.submit(() -> call.call(this)));
                }
                for (int i = 0; i < futures.size(); i++) {
                    var next = completed.poll(nanos(), TimeUnit.NANOSECONDS);
                    if (next == null) {
                        throw new TimeoutException("deadline has passed, " + (futures.size() - i) + " not ended");
                    }
                    next.get();
                }
                return futures.stream().map(Future::resultNow).toList();
            } catch (ExecutionException e) {
                if (hasPassed() && e.getCause() instanceof TimeoutException) {
                    var late = new TimeoutException("deadline has passed");
                    late.initCause(e.getCause());
                    throw late;
                }
                throw e;
            } finally {
                // the only interrupt: close() in this thread would pass on a second one of its own
                executor.shutdownNow();
                CompletableFuture.runAsync(executor::close, Thread::startVirtualThread).join();
            }
        }
    }
    // @end region="deadline"

    public static void main(String[] args) throws Exception {
        var rates = new ArrayBlockingQueue<String>(1);
        rates.add("42");
        List<String> answer = handleRequest(rates);
        System.out.println(answer);
        check(answer.equals(List.of("wanted an hour, had at most 200 ms: true", "price 42")), "no more than is left");

        var running = new AtomicInteger();
        try {
            var deadline = Deadline.after(Duration.ofMillis(50));
            deadline.all(List.of(outer -> outer.within(Duration.ofDays(1)).all(List.of(inner -> {
                running.incrementAndGet();
                try {
                    Thread.sleep(60_000);
                    return "never";
                } finally {
                    running.decrementAndGet();
                }
            }))));
            check(false, "50 ms are over");
        } catch (TimeoutException e) {
            System.out.println("two levels down, a day wanted: " + e.getMessage() + ", now running: " + running);
        }
        check(running.get() == 0, "the innermost call was stopped");
    }

    private static final ReentrantLock INVENTORY = new ReentrantLock();

    // @start region="use"
    static List<String> handleRequest(BlockingQueue<String> rates) throws Exception {
        Deadline deadline = Deadline.after(Duration.ofSeconds(10));
        return deadline.all(List.of(
                d -> reserve(d.within(Duration.ofMillis(200))), // no more than 200 ms, less if less is left
                d -> "price " + d.take(rates)));
    }
    // @end region="use"

    static String reserve(Deadline deadline) throws Exception {
        deadline.lock(INVENTORY);
        try {
            long hour = deadline.within(Duration.ofHours(1)).nanos();
            return "wanted an hour, had at most 200 ms: " + (hour <= 200_000_000);
        } finally {
            INVENTORY.unlock();
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
