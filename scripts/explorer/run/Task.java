package explorer.run;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Lock;

/** A thread of the schedule, or the clock. A platform thread keeps its {@code Thread}; a virtual one runs for it. */
public final class Task {

    public final int id;
    /** What the code under test sees as the current thread. */
    final Thread shown;
    /** What runs; the same as {@link #shown} if the code under test made a virtual thread. */
    final Thread virtual;
    final Runnable continuation;
    final List<Task> joiners = new ArrayList<>();
    /** Those it has called, held or not. */
    final Set<Lock> locks = new HashSet<>();

    /** Where it was started. Those started in one place do the same. */
    Site origin;
    boolean ready;
    /** Waits for the explorer: for a monitor, to be notified, for a thread to end. */
    boolean aside;
    boolean interruptible;
    boolean ended;
    boolean silent;
    /** How often it was asked who goes on, and how often it waited: names those moments in every replay. */
    int decisions;
    int waits;
    /** What it does next. */
    Object object;
    Site site;
    /** While it waits in {@link #aside}: for what, and for whom. */
    String waitsFor;
    Monitor monitor;
    Task target;
    double priority = Double.NaN;
    long lastRun;
    /** The step at which it last said that it could do nothing yet. */
    int yielded = -1;
    int looks;

    Task(int id, Thread shown, Thread virtual, Runnable continuation) {
        this.id = id;
        this.shown = shown;
        this.virtual = virtual;
        this.continuation = continuation;
    }

    boolean isClock() {
        return virtual == null;
    }

    /** The same for those who are about to do the same. */
    long step() {
        return (origin == null ? -1L : origin.number) << 32 | (site == null ? 0xFFFFFFFFL : site.number);
    }

    /** Whether it can be told which of the two did first what it does next. */
    boolean races(Task other) {
        return object != null && object == other.object && site.name.equals(other.site.name)
                && (site.kind != Site.Kind.READ || other.site.kind != Site.Kind.READ);
    }

    public String name() {
        String own = shown == null ? "" : shown.getName();
        return isClock() ? "clock" : own.isEmpty() ? "T" + id : "T" + id + " " + own;
    }
}
