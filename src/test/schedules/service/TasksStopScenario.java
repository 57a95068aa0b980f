package service;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** Tasks: stop() lets tasks end in the grace, tells the rest once, and says what still runs; every() survives all. */
public final class TasksStopScenario {
    private static final Duration LONG = Duration.ofDays(9);

    public static void main(String[] args) throws InterruptedException {
        Log.LINES.clear();
        long start = System.nanoTime();
        places();
        graceful();
        told();
        deaf();
        again();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "told, not out of time");
    }

    private static void places() {
        var tasks = new Tasks(1);
        var ended = new AtomicInteger();
        for (int i = 1; i <= 2; i++) {
            tasks.background("task", ended::incrementAndGet);
            while (tasks.running() > 0) {
                Thread.onSpinWait();
            }
            check(ended.get() == i, "its place is free again");
        }
    }

    private static void graceful() {
        var tasks = new Tasks(2);
        var ended = new AtomicInteger();
        var tried = new CountDownLatch(1);
        Log.request("id");
        tasks.background("second", () -> {
            check(Log.request().equals("id"), "the id of the request that began it");
            tried.await();
            Thread.sleep(20);
            ended.incrementAndGet();
        });
        tasks.background("fails", () -> {
            tried.await();
            throw new IllegalStateException("boom");
        });
        try {
            tasks.background("third", () -> check(false, "not run"));
            check(false, "two run");
        } catch (RejectedExecutionException e) {
            check(e.getMessage().equals("third"), "named");
        }
        tried.countDown();
        check(tasks.stop(Duration.ofSeconds(3)) && ended.get() == 1, "ended in the grace");
        check(Log.LINES.remove("fails failed: boom") && Log.LINES.isEmpty(), "the failure: " + Log.LINES);
        try {
            tasks.background("late", () -> check(false, "not run"));
            check(false, "stopped");
        } catch (RejectedExecutionException e) {
            check(tasks.running() == 0, "nothing begins");
        }
        tasks.every("late", Duration.ofMillis(1), () -> check(false, "not run"));
    }

    private static void told() throws InterruptedException {
        var tasks = new Tasks(1);
        var interrupts = new AtomicInteger();
        var begun = new CountDownLatch(1);
        tasks.background("long", () -> {
            try {
                tasks.stop(LONG);
                check(false, "it would wait for itself");
            } catch (IllegalStateException e) {
                begun.countDown();
            }
            try {
                Thread.sleep(LONG);
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
            }
            Thread.sleep(10);
            throw new InterruptedException("the answer: no failure");
        });
        begun.await();
        Thread other = Thread.ofVirtual().start(() -> check(tasks.stop(Duration.ofMillis(50)), "waits, too"));
        Thread.currentThread().interrupt();
        check(tasks.stop(Duration.ofMillis(50)) && Thread.interrupted(), "all ended, the flag is kept");
        other.join();
        check(interrupts.get() == 1 && Log.LINES.isEmpty(), "told once: " + interrupts + Log.LINES);
    }

    private static void deaf() throws InterruptedException {
        var tasks = new Tasks(1);
        var release = new CountDownLatch(1);
        var begun = new CountDownLatch(1);
        tasks.background("deaf", () -> {
            begun.countDown();
            while (release.getCount() > 0) {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    check(release.getCount() == 1, "told");
                }
            }
        });
        begun.await();
        check(!tasks.stop(Duration.ZERO) && Log.LINES.remove("still running: deaf"), "said: " + Log.LINES);
        release.countDown();
        check(tasks.stop(LONG), "now it has ended");
    }

    private static void again() throws InterruptedException {
        var tasks = new Tasks(1);
        var runs = new AtomicInteger();
        var third = new CountDownLatch(3);
        tasks.every("again", Duration.ofMinutes(1), () -> {
            check(!Thread.currentThread().isInterrupted(), "no flag is left over");
            Thread.currentThread().interrupt();
            third.countDown();
            if (runs.incrementAndGet() == 1) {
                throw new IllegalStateException("first");
            }
        });
        long start = System.nanoTime();
        third.await();
        check(System.nanoTime() - start >= Duration.ofMinutes(2).toNanos(), "a minute between the runs");
        check(tasks.stop(LONG), "it ends");
        check(Log.LINES.remove("again failed: first") && Log.LINES.isEmpty(), "the failure: " + Log.LINES);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
