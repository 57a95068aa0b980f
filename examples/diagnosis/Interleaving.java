import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * For tests: makes threads pass named points in one order, so that a race happens each time. asyncio has no need of
 * it: there tasks change at {@code await} only. Final API, JDK 21 and later.
 *
 * <p>Use to show that a race exists, and that it does not after the fix. Do not use in production code: put the points
 * where the code under test calls something that the test provides (a repository, a clock, a listener). To wait for an
 * end, join the thread.
 *
 * <p>{@link #at} returns when all points before it in the order have been passed. A point may stand in the order more
 * than once. A point out of order waits; after {@code patience}, or when another thread has failed, every {@code at}
 * throws an {@code AssertionError} that says which point was missing. Thread-safe. What precedes {@code at("a")}
 * happens-before what follows a later point.
 *
 * <p>Run: {@code java examples/diagnosis/Interleaving.java}
 */
public final class Interleaving {

    // @start region="helper"
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition passed = lock.newCondition();
    private final List<String> order;
    private final long patience;
    private int next;
    private AssertionError failure;

    /** @param patience generous, such as ten seconds: it is the time until a broken test fails, and delays no other */
    public Interleaving(Duration patience, String... order) {
        Objects.requireNonNull(patience, "patience");
        this.patience = Math.min(TimeUnit.NANOSECONDS.convert(patience), Long.MAX_VALUE / 2);
        this.order = List.of(Objects.requireNonNull(order, "order"));
    }

    /** @throws AssertionError if the point is not in what is left of the order, or its turn does not come in time */
    public void at(String point) throws InterruptedException {
        Objects.requireNonNull(point, "point");
        lock.lockInterruptibly();
        try {
            long left = patience;
            while (failure == null && !(next < order.size() && order.get(next).equals(point))) {
                if (!order.subList(next, order.size()).contains(point)) {
                    fail("\"" + point + "\" is not in the order, or was passed too often");
                } else if (left <= 0) {
                    fail("\"" + order.get(next) + "\" did not come; \"" + point + "\" has waited for it");
                } else {
                    left = passed.awaitNanos(left);
                }
            }
            if (failure != null) {
                throw new AssertionError(failure.getMessage(), failure);
            }
            next++;
            passed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void fail(String what) {
        failure = new AssertionError(what + "; passed: " + order.subList(0, next));
        passed.signalAll();
    }
    // @end region="helper"

    public static void main(String[] args) throws Exception {
        var wrong = new Account();
        // @start region="use"
        var steps = new Interleaving(Duration.ofSeconds(10),
                "ann has read", "bob has read", "ann writes", "bob writes");
        Account.Audit audit = who -> {
            steps.at(who + " has read");
            steps.at(who + " writes");
        };
        Thread ann = Thread.startVirtualThread(() -> run(() -> wrong.withdraw("ann", 10, audit)));
        Thread bob = Thread.startVirtualThread(() -> run(() -> wrong.withdraw("bob", 20, audit)));
        ann.join();
        bob.join();
        // @end region="use"
        System.out.println("wrong: 100 - 10 - 20 = " + wrong.balance);
        check(wrong.balance.get() != 70, "an update is lost, each time");

        var right = new Account();
        var again = new Interleaving(Duration.ofSeconds(10), "bob", "ann");
        ann = Thread.startVirtualThread(() -> run(() -> right.withdrawRight("ann", 10, again::at)));
        bob = Thread.startVirtualThread(() -> run(() -> right.withdrawRight("bob", 20, again::at)));
        ann.join();
        bob.join();
        System.out.println("right: 100 - 10 - 20 = " + right.balance);
        check(right.balance.get() == 70, "both updates");
    }

    /** Under test: takes what it calls as a parameter. */
    private static final class Account {
        private final AtomicInteger balance = new AtomicInteger(100);

        interface Audit {
            void ask(String who) throws InterruptedException;
        }

        void withdraw(String who, int amount, Audit audit) throws InterruptedException {
            int before = balance.get();
            audit.ask(who);
            balance.set(before - amount); // lost update
        }

        void withdrawRight(String who, int amount, Audit audit) throws InterruptedException {
            audit.ask(who);
            balance.addAndGet(-amount);
        }
    }

    private interface Body {
        void run() throws InterruptedException;
    }

    private static void run(Body body) {
        try {
            body.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
