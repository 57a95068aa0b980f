import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * asyncio: {@code task.add_done_callback(callback)}. Final API, JDK 21 and later.
 *
 * <p>Use when several parties want to be told of an end that nobody waits for. Do not use to continue with a result:
 * let a virtual thread wait for it; plain code after the call is simpler.
 *
 * <p>What it replaces: {@code FutureTask.done()} and {@code CompletableFuture.whenComplete} run at {@code
 * cancel(true)}, when the work is still running; {@code whenComplete} runs in the completing thread (after {@code
 * orTimeout}: the JDK's only timer thread), or in the registering one if that comes late, and hides what the callback
 * throws in a future that nobody reads.
 *
 * <p>Run: {@code java examples/tasks/CompletionCallbacks.java}
 */
public final class CompletionCallbacks {

    private CompletionCallbacks() {
    }

    // @start region="outcome"
    public sealed interface Outcome<T> {
        record Success<T>(T value) implements Outcome<T> { }

        record Failure<T>(Throwable cause) implements Outcome<T> { }

        /** {@code cancel()} came before the end; what the work returned or threw after it is dropped. */
        record Cancelled<T>() implements Outcome<T> { }
    }
    // @end region="outcome"

    // @start region="callbacks"
    /** Work in its own virtual thread. Thread-safe. */
    public static final class Task<T> {
        private final Thread worker;
        private final Thread.UncaughtExceptionHandler onCallbackFailure;
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition called = lock.newCondition();
        // guarded by lock, as is the rest
        private final Queue<Consumer<? super Outcome<T>>> waiting = new ArrayDeque<>();
        private Outcome<T> outcome; // set by cancel() or the end of the work: who is first decides
        private boolean ended; // the work
        private Thread caller; // of the callbacks; the worker is the first. Null: none waits
        private long registered;
        private long done;

        private Task(String name, Callable<? extends T> work, Thread.UncaughtExceptionHandler onCallbackFailure) {
            this.onCallbackFailure = onCallbackFailure;
            worker = Thread.ofVirtual().name(name).unstarted(() -> {
                Outcome<T> how;
                try {
                    how = new Outcome.Success<>(work.call());
                } catch (Throwable e) {
                    how = new Outcome.Failure<>(e);
                }
                lock.lock();
                try {
                    outcome = outcome == null ? how : outcome;
                    ended = true;
                    called.signalAll();
                } finally {
                    lock.unlock();
                }
                callAll();
            });
            caller = worker;
        }

        /** @param onCallbackFailure told what a callback throws; the other callbacks still run */
        public static <T> Task<T> start(String name, Callable<? extends T> work,
                Thread.UncaughtExceptionHandler onCallbackFailure) {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(work, "work");
            var task = new Task<T>(name, work, Objects.requireNonNull(onCallbackFailure, "onCallbackFailure"));
            task.worker.start();
            return task;
        }

        /**
         * Calls {@code callback} exactly once, after the work has really ended, even if that was long ago. A task's
         * callbacks run one at a time, in the order of registration, with the interrupt flag cleared, in the thread of
         * the work or, if registered late, in a new virtual thread. A callback cannot be removed: let it check a flag.
         */
        public void onDone(Consumer<? super Outcome<T>> callback) {
            Objects.requireNonNull(callback, "callback");
            lock.lock();
            try {
                if (caller == null) {
                    caller = Thread.ofVirtual().name(worker.getName() + "-callback").start(this::callAll);
                }
                waiting.add(callback);
                registered++;
            } finally {
                lock.unlock();
            }
        }

        private void callAll() {
            while (true) {
                Consumer<? super Outcome<T>> callback;
                lock.lock();
                try {
                    callback = waiting.poll();
                    if (callback == null) {
                        caller = null;
                        return;
                    }
                } finally {
                    lock.unlock();
                }
                Thread.interrupted(); // left behind by the work, or by the callback before
                call(callback);
                lock.lock();
                try {
                    done++;
                    called.signalAll();
                } finally {
                    lock.unlock();
                }
            }
        }

        private void call(Consumer<? super Outcome<T>> callback) {
            try {
                callback.accept(outcome);
            } catch (Throwable e) {
                try {
                    onCallbackFailure.uncaughtException(Thread.currentThread(), e);
                } catch (Throwable ignored) {
                    // as the JVM does with a handler that throws
                }
            }
        }

        /** Interrupts the work and returns at once; false if it had ended or was already cancelled. */
        public boolean cancel() {
            lock.lock();
            try {
                boolean first = outcome == null;
                if (first) {
                    outcome = new Outcome.Cancelled<>();
                    worker.interrupt(); // under the lock: the callbacks are spared
                }
                return first;
            } finally {
                lock.unlock();
            }
        }

        /**
         * Waits until the work has ended and every callback registered before this call has run. An interrupted caller
         * leaves the work running. Call it before {@code main} ends: virtual threads do not keep the JVM alive.
         *
         * @throws IllegalStateException in the work or one of the callbacks, which would wait for itself
         */
        public Outcome<T> await() throws InterruptedException {
            lock.lockInterruptibly();
            try {
                if (Thread.currentThread() == caller) {
                    throw new IllegalStateException(worker.getName() + " would wait for itself");
                }
                long wanted = registered;
                while (!ended || done < wanted) {
                    called.await();
                }
                return outcome;
            } finally {
                lock.unlock();
            }
        }
    }
    // @end region="callbacks"

    public static void main(String[] args) throws Exception {
        List<String> heard = Collections.synchronizedList(new ArrayList<>());
        var go = new CountDownLatch(1);
        // @start region="use"
        var download = CompletionCallbacks.Task.start("download", () -> {
            go.await();
            return 42;
        }, (thread, e) -> heard.add("reported: " + e.getMessage())); // what a callback throws
        download.onDone(outcome -> heard.add("first: " + outcome)); // Success, Failure or Cancelled
        download.onDone(outcome -> {
            throw new IllegalStateException("callback broke");
        });
        // @end region="use"
        go.countDown();
        download.await();
        download.onDone(outcome -> heard.add("late: " + outcome));
        download.await();
        System.out.println(heard);
        check(heard.equals(List.of("first: Success[value=42]", "reported: callback broke", "late: Success[value=42]")),
                "every callback once, in order");

        var endless = Task.start("endless", () -> {
            Thread.sleep(60_000);
            return "never";
        }, (thread, e) -> e.printStackTrace());
        endless.onDone(outcome -> System.out.println("endless: " + outcome));
        endless.cancel();
        check(endless.await() instanceof Outcome.Cancelled, "cancelled");
        var failing = Task.start("failing", () -> {
            throw new IOException("disk full");
        }, (thread, e) -> e.printStackTrace());
        check(failing.await() instanceof Outcome.Failure<?> f && f.cause() instanceof IOException, "failed");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
