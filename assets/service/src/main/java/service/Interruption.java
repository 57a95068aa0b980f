package service;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Work in the current thread that others may interrupt: once at most, whoever they are, and never after it has ended,
 * when the thread does something else. Thread-safe. Needs no other file.
 */
final class Interruption {
    private static final int RUNNING = 0;
    private static final int INTERRUPTING = 1;
    private static final int INTERRUPTED = 2;
    private static final int ENDED = 3;
    private final Thread thread = Thread.currentThread();
    private final AtomicInteger state = new AtomicInteger();
    private volatile int why;
    private volatile long at;

    /** @param why for {@link #why}, not 0 @return false if it has been interrupted before, or has ended */
    boolean interrupt(int why) {
        if (!state.compareAndSet(RUNNING, INTERRUPTING)) {
            return false;
        }
        this.at = System.nanoTime();
        this.why = why;
        try {
            thread.interrupt();
        } finally {
            state.set(INTERRUPTED);
        }
        return true;
    }

    /** Of the interrupt, or 0. */
    int why() {
        return why;
    }

    /** Interrupted that long ago, and still running. */
    boolean ignoredFor(long nanos) {
        return state.get() == INTERRUPTED && System.nanoTime() - at >= nanos;
    }

    /** By the thread itself. Also takes away a flag that the work has left behind. */
    void end() {
        while (!state.compareAndSet(RUNNING, ENDED) && !state.compareAndSet(INTERRUPTED, ENDED)
                && state.get() != ENDED) {
            Thread.onSpinWait(); // an interrupt is on its way, it takes a moment
        }
        Thread.interrupted();
    }

    boolean ended() {
        return state.get() == ENDED;
    }

    StackTraceElement[] stack() {
        return thread.getStackTrace();
    }
}
