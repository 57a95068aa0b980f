import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** CallbackBridge: an answer in the very moment of an interrupt, the limit or a failing start has one place. */
public final class CallbackBridgeLeaveScenario {
    private static final Duration LONG = Duration.ofDays(9);

    public static void main(String[] args) throws Exception {
        interrupted();
        unanswered();
        outOfTime();
        notStarted();
    }

    private static void interrupted() throws InterruptedException {
        var cancels = new AtomicInteger();
        var released = new AtomicInteger();
        var received = new AtomicInteger();
        Thread caller = Thread.ofVirtual().unstarted(() -> {
            Thread me = Thread.currentThread();
            try {
                int value = CallbackBridge.<Integer>await(callback -> {
                    Thread.ofVirtual().start(() -> {
                        me.interrupt();
                        callback.success(1);
                    });
                    return cancels::incrementAndGet;
                }, LONG, released::addAndGet);
                received.addAndGet(value);
                check(cancels.get() == 0 && Thread.interrupted(), "the flag is set again");
            } catch (InterruptedException e) {
                check(cancels.get() == 1 && !Thread.currentThread().isInterrupted(), "cancelled, told once");
            } catch (ExecutionException | TimeoutException e) {
                throw new AssertionError(e);
            }
        });
        caller.start();
        caller.join();
        while (received.get() + released.get() == 0) {
            Thread.onSpinWait();
        }
        check(received.get() + released.get() == 1 && cancels.get() == released.get(), "one place");
    }

    private static void unanswered() throws InterruptedException {
        var cancels = new AtomicInteger();
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                CallbackBridge.<Integer>await(callback -> cancels::incrementAndGet, LONG, value -> { });
                check(false, "no answer");
            } catch (InterruptedException e) {
                check(cancels.get() <= 1, "cancelled if begun");
            } catch (ExecutionException | TimeoutException e) {
                throw new AssertionError(e);
            }
        });
        caller.interrupt();
        caller.join();
    }

    private static void outOfTime() throws Exception {
        var cancels = new AtomicInteger();
        try {
            CallbackBridge.<Integer>await(callback -> cancels::incrementAndGet, Duration.ofMillis(1), value -> { });
            check(false, "no answer");
        } catch (TimeoutException e) {
            check(cancels.get() == 1, "cancelled");
        }
        try {
            CallbackBridge.<Integer>await(callback -> {
                callback.failure(new IllegalStateException("boom"));
                return cancels::incrementAndGet;
            }, LONG, value -> { });
            check(false, "it failed");
        } catch (ExecutionException e) {
            check(e.getCause().getMessage().equals("boom") && cancels.get() == 1, "as it is, not cancelled");
        }
    }

    private static void notStarted() throws Exception {
        var released = new AtomicInteger();
        try {
            CallbackBridge.<Integer>await(callback -> {
                callback.success(2);
                throw new IllegalStateException("start");
            }, LONG, released::addAndGet);
            check(false, "start threw");
        } catch (ExecutionException e) {
            check(e.getCause().getMessage().equals("start") && released.get() == 2, "the value is released");
        }
        var late = new AtomicInteger();
        try {
            CallbackBridge.<Integer>await(callback -> {
                Thread.ofVirtual().start(() -> {
                    callback.success(1);
                    late.incrementAndGet();
                });
                throw new InterruptedException();
            }, LONG, released::addAndGet);
            check(false, "start was interrupted");
        } catch (InterruptedException e) {
            while (late.get() == 0) {
                Thread.onSpinWait();
            }
            check(released.get() == 3, "also one that comes later, once");
        }
        Thread.currentThread().interrupt();
        try {
            CallbackBridge.<Integer>await(callback -> {
                throw new AssertionError("not started");
            }, LONG, value -> { });
            check(false, "interrupted before");
        } catch (InterruptedException e) {
            check(!Thread.currentThread().isInterrupted(), "told once");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
