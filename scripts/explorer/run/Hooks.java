package explorer.run;

import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;

import jdk.internal.misc.Unsafe;
import jdk.internal.misc.VM;

/**
 * What the code under test and the patched classes of the JDK call instead of, or before, what is written there. For
 * threads that belong to no schedule everything is as it always was. This package is part of java.base when it runs.
 */
public final class Hooks {

    /** The schedule that runs: one at a time. */
    static volatile Schedule now;

    private Hooks() { }

    private static Task task() {
        Schedule schedule = now;
        return schedule == null ? null : schedule.current();
    }

    public static boolean controlled() {
        return task() != null;
    }

    // Points

    public static void point(int site) {
        point(null, site);
    }

    public static void point(Object object, int site) {
        Task task = task();
        if (task != null) {
            now.point(task, object, Site.of(site));
        }
    }

    /** What was read: only where a trace is made. */
    public static void value(Object value) {
        Task task = task();
        if (task != null) {
            now.value(task, value);
        }
    }

    // Time and chance

    public static long nanoTime() {
        return task() == null ? System.nanoTime() : now.nanoTime();
    }

    /** As {@link #nanoTime}, asked by the code under test: what looks until it is late comes to an end. */
    public static long lookAtTime() {
        return task() == null ? System.nanoTime() : now.lookAtTime();
    }

    public static long currentTimeMillis() {
        return task() == null ? System.currentTimeMillis() : now.millis();
    }

    /** As {@code VM.getNanoTimeAdjustment}, which every clock of java.time asks. */
    public static long nanosSince(long seconds) {
        return task() == null ? VM.getNanoTimeAdjustment(seconds) : now.nanosSince(seconds);
    }

    public static UUID randomUUID() {
        Task task = task();
        return task == null ? UUID.randomUUID()
                : new UUID(now.random.nextLong() & ~0xF000L | 0x4000L, now.random.nextLong() >>> 2 | 1L << 63);
    }

    /** Null if the timer is not a schedule's. */
    public static Future<?> schedule(Thread thread, Runnable action, long delay, TimeUnit unit) {
        Schedule schedule = now;
        return schedule == null || !Internals.runsIn(thread, schedule) ? null
                : schedule.timer(unit.toNanos(delay), action);
    }

    // Threads

    public static Thread currentThread() {
        Task task = task();
        return task == null ? Thread.currentThread() : task.shown;
    }

    /** The virtual thread that runs for this one, or null. */
    public static Thread standIn(Thread thread) {
        Task task = now == null || thread.isVirtual() ? null : now.task(thread);
        return task == null ? null : task.virtual;
    }

    public static Thread real(Thread thread) {
        Thread standIn = thread == null ? null : standIn(thread);
        return standIn == null ? thread : standIn;
    }

    /** Whether a virtual thread was started for it. */
    public static boolean start(Thread thread, Object container) {
        return task() != null && now.start(thread, container);
    }

    public static boolean start(Thread thread) {
        return start(thread, null);
    }

    public static void starting(Thread virtual) {
        Schedule schedule = now;
        if (schedule != null && Internals.runsIn(virtual, schedule)) {
            schedule.add(virtual, virtual);
        }
    }

    public static void interrupting(Thread virtual) {
        Task task = now == null ? null : now.task(virtual);
        if (task != null && task.aside && task.interruptible) {
            now.wake(task);
        }
    }

    /** Null if it is for the thread to say. */
    public static Thread.State state(Thread thread) {
        Task task = now == null ? null : now.task(thread);
        return task == null || !task.aside ? null
                : !task.interruptible ? Thread.State.BLOCKED : Thread.State.WAITING;
    }

    /** Whether the wait has been done here. */
    public static boolean join(Thread thread, long millis) throws InterruptedException {
        Task task = task();
        Task other = task == null ? null : now.task(thread);
        if (other != null) {
            now.join(task, other, millis * 1_000_000);
        }
        return other != null;
    }

    public static boolean join(Thread thread, Duration duration) throws InterruptedException {
        Task task = task();
        Task other = task == null ? null : now.task(thread);
        if (other == null || duration.isNegative() || duration.isZero()) {
            return thread.join(duration);
        }
        now.join(task, other, TimeUnit.NANOSECONDS.convert(duration));
        return other.ended;
    }

    public static void yields() {
        Task task = task();
        if (task == null) {
            Thread.yield();
        } else {
            now.yields(task);
        }
    }

    public static void spins() {
        Task task = task();
        if (task == null) {
            Thread.onSpinWait();
        } else {
            now.spins(task);
        }
    }

    public static void park() {
        park(null);
    }

    public static void park(Object blocker) {
        long nothing = forNothing();
        if (nothing > 0) {
            LockSupport.parkNanos(blocker, nothing);
        } else {
            LockSupport.park(blocker);
        }
    }

    public static void park(Object unsafe, boolean until, long time) {
        if (task() == null) {
            ((Unsafe) unsafe).park(until, time);
        } else if (until) {
            LockSupport.parkUntil(time);
        } else if (time == 0) {
            LockSupport.park();
        } else {
            LockSupport.parkNanos(time);
        }
    }

    public static void unpark(Object unsafe, Object thread) {
        if (task() == null) {
            ((Unsafe) unsafe).unpark(thread);
        } else {
            LockSupport.unpark((Thread) thread);
        }
    }

    /** A virtual thread is about to block its carrier, which is everyone's. */
    public static void pinned() {
        if (task() != null) {
            now.pinned(task());
        }
    }

    public static ForkJoinPool pool(ForkJoinPool common) {
        return task() == null ? common : now.commonPool(common);
    }

    // Monitors

    public static void enter(Object object) {
        Task task = task();
        if (task != null) {
            now.monitors.enter(task, object);
        }
    }

    public static void exit(Object object) {
        Task task = task();
        if (task != null) {
            now.monitors.exit(task, object);
        }
    }

    public static void await(Object object) throws InterruptedException {
        await(object, 0L);
    }

    public static void await(Object object, long millis) throws InterruptedException {
        Task task = task();
        if (task == null) {
            object.wait(millis);
        } else {
            now.monitors.await(task, object, millis);
        }
    }

    public static void await(Object object, long millis, int nanos) throws InterruptedException {
        await(object, nanos > 0 ? millis + 1 : millis);
    }

    public static void signal(Object object) {
        Task task = task();
        if (task == null) {
            object.notify();
        } else {
            now.monitors.signal(task, object, false);
        }
    }

    public static void signalAll(Object object) {
        Task task = task();
        if (task == null) {
            object.notifyAll();
        } else {
            now.monitors.signal(task, object, true);
        }
    }

    public static boolean holdsLock(Object object) {
        Task task = task();
        return task == null ? Thread.holdsLock(object) : now.monitors.holds(task, object);
    }

    // Conditions, whose own code never lets a wait end for nothing, though it may

    public static void await(Condition condition) throws InterruptedException {
        long nothing = forNothing();
        if (nothing > 0) {
            condition.awaitNanos(nothing);
        } else {
            condition.await();
        }
    }

    public static long awaitNanos(Condition condition, long nanos) throws InterruptedException {
        long nothing = forNothing();
        return nothing > 0 && nothing < nanos ? nanos - nothing + condition.awaitNanos(nothing)
                : condition.awaitNanos(nanos);
    }

    public static boolean await(Condition condition, long time, TimeUnit unit) throws InterruptedException {
        long nothing = forNothing();
        if (nothing > 0 && nothing < unit.toNanos(time)) {
            condition.awaitNanos(nothing);
            return true;
        }
        return condition.await(time, unit);
    }

    public static void awaitUninterruptibly(Condition condition) {
        long nothing = forNothing();
        if (nothing == 0) {
            condition.awaitUninterruptibly();
            return;
        }
        boolean interrupted = Thread.interrupted();
        try {
            condition.awaitNanos(nothing);
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** How long this wait takes if it ends for nothing, or 0. */
    private static long forNothing() {
        Task task = task();
        return task == null ? 0 : now.forNothing(task);
    }

    // The end

    public static void exit(int code) {
        Task task = task();
        if (task == null) {
            System.exit(code);
        } else {
            now.exit(task, code);
        }
    }
}
