import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * asyncio: {@code Event} with {@code set}, {@code clear} and {@code wait}. Final API, JDK 21 and later.
 *
 * <p>Use for a state that comes and goes and that threads wait for: connected, paused, ready. Do not use for what
 * happens once ({@code CountDownLatch(1)}: an event without {@code clear}), or to pass on values ({@code
 * CompletableFuture}, {@code WorkQueue}): two {@code set()} in a row count once.
 *
 * <p>Thread-safe, no lock. {@link #set} releases everyone who waits, even if {@link #clear} follows before they run: a
 * flag under a {@code Condition}, checked again after waking up, would miss exactly those. What a thread wrote before
 * {@code set()} is seen by those released.
 *
 * <p>Run: {@code java examples/state/Event.java}
 */
public final class Event {

    // @start region="event"
    private final AtomicReference<CountDownLatch> latch = new AtomicReference<>(new CountDownLatch(1));

    /** Releases all who wait. Ordered with {@link #clear}, even if already set: what came before is visible. */
    public void set() {
        CountDownLatch seen;
        do {
            seen = latch.get();
            seen.countDown();
        } while (!latch.compareAndSet(seen, seen)); // a write: clear() that comes later sees what was written before
    }

    /**
     * The next {@link #await} waits for the next {@link #set}; no effect on those who wait already, or if the event
     * is not set.
     */
    public void clear() {
        CountDownLatch seen = latch.get();
        if (seen.getCount() == 0) {
            latch.compareAndSet(seen, new CountDownLatch(1)); // lost: someone else has cleared it
        }
    }

    public boolean isSet() {
        return latch.get().getCount() == 0;
    }

    /** Waits until the event is set; returns at once if it is, unless the thread is interrupted, which comes first. */
    public void await() throws InterruptedException {
        latch.get().await();
    }

    /** Waits at most {@code limit} (zero or less: not at all). Returns whether the event was set in time. */
    public boolean await(Duration limit) throws InterruptedException {
        Objects.requireNonNull(limit, "limit");
        return latch.get().await(Math.min(TimeUnit.NANOSECONDS.convert(limit), Long.MAX_VALUE / 2),
                TimeUnit.NANOSECONDS);
    }
    // @end region="event"

    public static void main(String[] args) throws Exception {
        var connected = new Event();
        var released = new AtomicInteger();
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < 1_000; i++) {
            threads.add(Thread.startVirtualThread(() -> {
                try {
                    connected.await();
                    released.incrementAndGet();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
        }
        untilWaiting(threads);
        // @start region="pulse"
        connected.set();
        connected.clear(); // at once: hardly a waiter has run in between, and all are released
        // @end region="pulse"
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.println("set() then clear() released " + released + " of 1000 waiters; set now: "
                + connected.isSet());
        check(released.get() == 1_000 && !connected.isSet(), "clear() holds back nobody who waited at set()");
        check(!connected.await(Duration.ofMillis(20)), "after clear() the event has to be set again");
    }

    private static void untilWaiting(List<Thread> threads) throws InterruptedException {
        for (Thread thread : threads) {
            while (thread.getState() != Thread.State.WAITING) {
                Thread.sleep(1);
            }
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
