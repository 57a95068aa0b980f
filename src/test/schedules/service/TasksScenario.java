package service;

import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** Tasks: what was accepted has ended when stop() returns true, and nothing begins any more; never more than it may. */
public final class TasksScenario {
    public static void main(String[] args) throws InterruptedException {
        Log.LINES.clear();
        var tasks = new Tasks(1);
        var accepted = new AtomicInteger();
        var inside = new AtomicInteger();
        var ended = new AtomicInteger();
        var stopped = new boolean[1];
        Runnable caller = () -> {
            try {
                tasks.background("task", () -> {
                    check(!stopped[0], "begun before the end of stop()");
                    check(inside.incrementAndGet() == 1, "one at a time");
                    inside.decrementAndGet();
                    ended.incrementAndGet();
                });
                accepted.incrementAndGet();
            } catch (RejectedExecutionException e) {
                check(e.getMessage().equals("task"), "named");
            }
        };
        Thread other = Thread.ofVirtual().start(caller);
        Thread third = Thread.ofVirtual().start(caller);
        boolean all = tasks.stop(Duration.ofDays(1));
        stopped[0] = true;
        check(all && tasks.running() == 0, "nothing runs");
        other.join();
        third.join();
        check(ended.get() == accepted.get() && Log.LINES.isEmpty(), "each that was accepted: " + Log.LINES);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
