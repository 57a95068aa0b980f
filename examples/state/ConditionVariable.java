import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * asyncio: {@code Condition} with {@code wait_for(predicate)} and {@code notify_all}. Final API, JDK 21 and later.
 *
 * <p>Use to act on shared state as soon as a condition holds: room in a buffer, all accounts settled, version reached.
 * Do not use for a queue ({@code WorkQueue}), a flag ({@code Event}), a number of permits ({@code Semaphore}), or state
 * that nobody waits for ({@code SharedState}).
 *
 * <p>There is no bare {@code wait()} or {@code notify(n)}: a waiter says what it waits for. Thread-safe. No wake-up is
 * forgotten, or lost to a waiter that gives up: every action wakes all waiters, and each checks again, which costs a
 * check per waiter and action (for hundreds of waiters give each kind its own {@code Condition}). Predicates and
 * actions run under the lock: keep them short, call nothing that blocks or is not yours, and let no reference to the
 * state escape.
 *
 * <p>Run: {@code java examples/state/ConditionVariable.java}
 */
public final class ConditionVariable<S> {

    // @start region="when"
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final S state;

    /** Takes over {@code state}: do not keep a reference, which would bypass the lock. */
    public ConditionVariable(S state) {
        this.state = Objects.requireNonNull(state, "state");
    }

    /**
     * Runs {@code action} alone with the state, without a condition, and wakes all waiters. Otherwise like {@link
     * #when}.
     */
    public <R> R update(Function<? super S, ? extends R> action) throws InterruptedException {
        return when(any -> true, action);
    }

    /**
     * Waits until {@code condition} holds, then runs {@code action} before anyone can change that. Throws what either
     * throws.
     *
     * @throws InterruptedException  interrupted before the action, which has not run
     * @throws IllegalStateException if called from within a condition or action (an asyncio condition would wait for
     *         itself)
     */
    public <R> R when(Predicate<? super S> condition, Function<? super S, ? extends R> action)
            throws InterruptedException {
        Objects.requireNonNull(condition, "condition");
        Objects.requireNonNull(action, "action");
        refuseReentry();
        lock.lockInterruptibly();
        try {
            while (!condition.test(state)) { // not if: woken for another's sake, overtaken, or spuriously
                changed.await();
            }
            return run(action);
        } finally {
            lock.unlock();
        }
    }

    /**
     * As above, but waits at most {@code limit}, including for the lock (zero: now). A condition that holds when the
     * limit is over still counts.
     *
     * @throws TimeoutException the state was locked, or the condition did not hold, until then; the action has not run
     */
    public <R> R when(Predicate<? super S> condition, Duration limit, Function<? super S, ? extends R> action)
            throws InterruptedException, TimeoutException {
        Objects.requireNonNull(condition, "condition");
        Objects.requireNonNull(action, "action");
        refuseReentry();
        Objects.requireNonNull(limit, "limit");
        long end = System.nanoTime() + Math.clamp(TimeUnit.NANOSECONDS.convert(limit), 0, Long.MAX_VALUE / 2);
        if (!lock.tryLock(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            throw new TimeoutException("state still locked after " + limit);
        }
        try {
            long nanos = end - System.nanoTime();
            while (!condition.test(state)) {
                if (nanos <= 0) {
                    throw new TimeoutException("condition not met within " + limit);
                }
                nanos = changed.awaitNanos(nanos);
            }
            return run(action);
        } finally {
            lock.unlock();
        }
    }

    private void refuseReentry() {
        if (lock.isHeldByCurrentThread()) {
            throw new IllegalStateException("re-entered: the state may be half changed");
        }
    }

    private <R> R run(Function<? super S, ? extends R> action) {
        try {
            return action.apply(state);
        } finally {
            changed.signalAll(); // also if it threw: it may have changed the state first
        }
    }
    // @end region="when"

    public static void main(String[] args) throws Exception {
        var buffer = new ConditionVariable<>(new ArrayDeque<Integer>());
        int items = 10_000;
        Thread producer = Thread.startVirtualThread(() -> {
            try {
                for (int i = 1; i <= items; i++) {
                    put(buffer, i);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        var sum = new AtomicLong();
        for (int i = 0; i < items; i++) {
            sum.addAndGet(take(buffer));
        }
        producer.join();
        System.out.println(items + " items through a buffer of 3, sum " + sum);
        check(sum.get() == (long) items * (items + 1) / 2, "nothing lost, nothing twice");

        try {
            buffer.when(queue -> !queue.isEmpty(), Duration.ofMillis(20), ArrayDeque::remove);
            check(false, "an empty buffer stays empty");
        } catch (TimeoutException e) {
            System.out.println(e.getMessage());
        }

        var account = new Account();
        Thread customer = Thread.startVirtualThread(() -> {
            try {
                account.withdraw(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        account.deposit(4);
        account.deposit(6);
        customer.join();
    }

    // @start region="buffer"
    private static void put(ConditionVariable<ArrayDeque<Integer>> buffer, int item) throws InterruptedException {
        buffer.when(queue -> queue.size() < 3, queue -> queue.add(item));
    }

    private static int take(ConditionVariable<ArrayDeque<Integer>> buffer) throws InterruptedException {
        return buffer.when(queue -> !queue.isEmpty(), ArrayDeque::remove);
    }
    // @end region="buffer"

    /** What was {@code synchronized}, {@code wait} and {@code notifyAll}, for JDK 21 to 23. */
    // @start region="from-monitor"
    private static final class Account {
        private final ReentrantLock lock = new ReentrantLock(); // instead of the object's own: private, so callers too
        private final Condition changed = lock.newCondition();
        private long balance;

        void withdraw(long amount) throws InterruptedException { // was synchronized
            lock.lockInterruptibly(); // before try; entering synchronized ignored interrupts, as lock() does
            try {
                while (balance < amount) {
                    changed.await(); // was wait(); changed.wait() compiles, and throws
                }
                balance -= amount;
            } finally {
                lock.unlock();
            }
        }

        void deposit(long amount) {
            lock.lock();
            try {
                balance += amount;
                changed.signalAll(); // was notifyAll()
            } finally {
                lock.unlock();
            }
        }
    }
    // @end region="from-monitor"

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
