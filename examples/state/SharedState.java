import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * asyncio: {@code async with lock:} around shared state. Final API, JDK 21 and later.
 *
 * <p>Use when several fields, or a collection and a field, must change together. Do not use for one number ({@code
 * AtomicLong}, {@code LongAdder}), one immutable record ({@code AtomicReference.updateAndGet}), one map entry ({@code
 * ConcurrentHashMap.merge}), or to wait for a condition ({@code ConditionVariable}). In code ported from asyncio, every
 * read-modify-write needs one of these: there nothing happens between two awaits, here threads run at any moment.
 *
 * <p>There is no {@code locked()}, as its answer would be outdated; {@code locked(Duration.ZERO, action)} tries.
 * Thread-safe: the state is reachable only through the lock, as long as no action lets it escape. Waiting is
 * interruptible ({@code synchronized} and {@code lock()} are not). Not fair. The action runs in the caller's thread
 * under the lock: keep it short and let it call nothing that blocks or is not yours.
 *
 * <p>Run: {@code java examples/state/SharedState.java}
 */
public final class SharedState<S> {

    // @start region="locked"
    private final ReentrantLock lock = new ReentrantLock();
    private final S state;

    /** Takes over {@code state}: do not keep a reference, which would bypass the lock. */
    public SharedState(S state) {
        this.state = Objects.requireNonNull(state, "state");
    }

    /**
     * Runs {@code action} alone with the state and returns or throws what it does. An exception does not undo its
     * changes.
     *
     * @throws InterruptedException  interrupted before the action; it has not run
     * @throws IllegalStateException if called from within an action (an asyncio lock would wait for itself)
     */
    public <R> R locked(Function<? super S, ? extends R> action) throws InterruptedException {
        Objects.requireNonNull(action, "action");
        refuseReentry();
        lock.lockInterruptibly(); // outside the try: if it throws there is nothing to unlock
        try {
            return action.apply(state);
        } finally {
            lock.unlock();
        }
    }

    /**
     * As above. @throws TimeoutException the lock was not free within {@code limit} (zero: now); the action has not
     * run
     */
    public <R> R locked(Duration limit, Function<? super S, ? extends R> action)
            throws InterruptedException, TimeoutException {
        Objects.requireNonNull(action, "action");
        refuseReentry();
        Objects.requireNonNull(limit, "limit");
        if (!lock.tryLock(Math.min(TimeUnit.NANOSECONDS.convert(limit), Long.MAX_VALUE / 2), TimeUnit.NANOSECONDS)) {
            throw new TimeoutException("state still locked after " + limit);
        }
        try {
            return action.apply(state);
        } finally {
            lock.unlock();
        }
    }

    private void refuseReentry() {
        if (lock.isHeldByCurrentThread()) {
            throw new IllegalStateException("re-entered: the state may be half changed");
        }
    }
    // @end region="locked"

    private static long unguarded;

    public static void main(String[] args) throws Exception {
        var atomic = new AtomicLong();
        var hits = new SharedState<Map<String, Long>>(new HashMap<>());
        int threads = 4;
        int each = 50_000;
        var ready = new CountDownLatch(threads);
        var running = new ArrayList<Thread>();
        for (int i = 0; i < threads; i++) {
            running.add(Thread.startVirtualThread(() -> {
                try {
                    ready.countDown();
                    ready.await();
                    for (int n = 0; n < each; n++) {
                        long seen = unguarded; // unguarded++ is read, add, write
                        if (n % 10_000 == 0) {
                            LockSupport.parkNanos(1_000); // as the scheduler may do anywhere
                        }
                        unguarded = seen + 1;
                    }
                    for (int n = 0; n < each; n++) {
                        // @start region="guards"
                        atomic.incrementAndGet(); // enough for one number
                        // two at once
                        hits.locked(map -> map.merge("page", 1L, Long::sum) + map.merge("total", 1L, Long::sum));
                        // @end region="guards"
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
        }
        for (Thread thread : running) {
            thread.join();
        }
        long expected = (long) threads * each;
        Map<String, Long> counted = hits.locked(map -> Map.copyOf(map));
        System.out.println("no guard: " + (expected - unguarded) + " of " + expected + " increments lost; atomic: "
                + (expected - atomic.get()) + "; locked: " + (expected - counted.get("page")));
        check(atomic.get() == expected, "an atomic is enough for one number");
        check(counted.equals(Map.of("page", expected, "total", expected)),
                "two entries change together under the lock");

        var held = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        Thread holder = Thread.startVirtualThread(() -> {
            try {
                hits.locked(map -> {
                    held.countDown();
                    while (release.getCount() > 0) {
                        Thread.onSpinWait();
                    }
                    return null;
                });
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        held.await();
        try {
            hits.locked(Duration.ofMillis(20), map -> map.put("late", 1L));
            check(false, "a limit is kept");
        } catch (TimeoutException e) {
            System.out.println(e.getMessage());
        }
        release.countDown();
        holder.join();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
