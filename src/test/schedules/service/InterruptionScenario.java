package service;

import java.util.concurrent.atomic.AtomicInteger;

/** Interruption: once, whoever it is, with the reason; never after the end, and no flag is left. */
public final class InterruptionScenario {
    public static void main(String[] args) throws InterruptedException {
        var work = new Interruption[1];
        var told = new AtomicInteger();
        Thread worker = Thread.ofVirtual().unstarted(() -> {
            work[0] = new Interruption();
            Thread.yield();
            if (Thread.interrupted()) {
                check(work[0].why() == 1 || work[0].why() == 2, "the reason is there first");
            }
            check(!work[0].ended(), "not yet");
            work[0].end();
            check(work[0].ended() && !Thread.currentThread().isInterrupted(), "no flag is left");
            Thread.yield();
            check(!Thread.currentThread().isInterrupted(), "and none comes");
            work[0].end();
        });
        worker.start();
        while (work[0] == null) {
            Thread.onSpinWait();
        }
        Thread other = Thread.ofVirtual().start(() -> {
            if (work[0].interrupt(2)) {
                check(told.incrementAndGet() == 1 && work[0].why() == 2, "once");
                work[0].ignoredFor(0);
            }
        });
        if (work[0].interrupt(1)) {
            check(told.incrementAndGet() == 1 && work[0].why() == 1, "once");
        }
        other.join();
        worker.join();
        check(told.get() <= 1 && (told.get() == 1) == (work[0].why() > 0), "once, or it had ended");
        check(!work[0].interrupt(1) && !work[0].ignoredFor(0), "too late");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
