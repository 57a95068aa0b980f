package service;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Stop: each step once, in order, whatever the others throw; who else stops waits for the end, interrupted or not. */
public final class StopScenario {
    public static void main(String[] args) throws InterruptedException {
        Log.LINES.clear();
        var order = new StringBuffer();
        var begun = new CountDownLatch(1);
        var stop = new Stop();
        stop.step("one", () -> {
            check(!Thread.currentThread().isInterrupted(), "what brought us here is not meant for the steps");
            order.append(1);
            begun.countDown();
            throw new IllegalStateException("boom");
        });
        stop.step("two", () -> {
            order.append(2);
            throw new InterruptedException("step");
        });
        stop.step("three", () -> {
            Thread.yield();
            order.append(3);
            return true;
        });
        var ran = new AtomicInteger();
        Thread other = stopping(stop, ran, order);
        Thread interrupted = stopping(stop, ran, order);
        begun.await();
        interrupted.interrupt();
        other.join();
        interrupted.join();
        check(ran.get() == 2 && order.toString().equals("123"), "once, in order: " + order);
        check(Log.LINES.contains("stop: one failed: boom") && Log.LINES.contains("stop: three")
                && Log.LINES.getLast().equals("stopped"), "logged: " + Log.LINES);

        var clean = new Stop();
        clean.step("one", () -> true);
        Thread.currentThread().interrupt();
        check(clean.run() && Thread.interrupted(), "clean, the flag is kept");
        check(clean.run(), "and is asked again");
        var late = new Stop();
        late.step("one", () -> false);
        late.step("two", () -> true);
        check(!late.run() && !late.run(), "something still runs");
        Thread.currentThread().interrupt();
        check(!late.run() && Thread.interrupted(), "the flag is kept");
        afterwards();
    }

    /** The second call is interrupted while it waits. */
    private static void afterwards() throws InterruptedException {
        var begun = new CountDownLatch(1);
        var end = new CountDownLatch(1);
        var ended = new AtomicInteger();
        var stop = new Stop();
        stop.step("slow", () -> {
            begun.countDown();
            end.await();
            return ended.incrementAndGet() == 1;
        });
        Thread first = Thread.ofVirtual().start(() -> check(stop.run(), "clean"));
        begun.await();
        var told = new AtomicInteger();
        Thread second = Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            told.incrementAndGet();
            check(stop.run() && ended.get() == 1 && Thread.interrupted(), "waits for the end, the flag is kept");
        });
        while (told.get() == 0 || second.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        end.countDown();
        first.join();
        second.join();
    }

    private static Thread stopping(Stop stop, AtomicInteger ran, StringBuffer order) {
        return Thread.ofVirtual().start(() -> {
            check(!stop.run(), "not clean");
            check(order.length() == 3, "all steps have ended");
            ran.incrementAndGet();
        });
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
