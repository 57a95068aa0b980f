import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * asyncio: {@code task.cancel()}, {@code await task}, {@code except CancelledError}. Final API, JDK 21 and later.
 *
 * <p>Use for one piece of work that you may want to stop, and to wait until it has really stopped. {@code
 * Future.cancel(true)} is "done" while the work still runs, and drops what its cleanup throws. Do not use for a group
 * of tasks ({@code TaskGroup}) nor for a time limit ({@code Timeout}).
 *
 * <p>Cancellation is an interrupt: delivered once, at the next wait that heeds it. These ignore it: {@code Lock.lock()}
 * ({@code lockInterruptibly()} does), {@code synchronized}, {@code CompletableFuture.join()} ({@code get()} does),
 * {@code Semaphore.acquireUninterruptibly()}, {@code Phaser.awaitAdvance()}, DNS, file reads, a subprocess' output, CPU
 * loops, and sockets in a platform thread. In a virtual thread socket I/O throws {@code SocketException}, the socket is
 * closed, the flag stays set.
 *
 * <p>Run: {@code java examples/time/Cancellation.java}
 */
public final class Cancellation {

    private Cancellation() {
    }

    // @start region="task"
    /** Work in its own virtual thread. Thread-safe; {@link #close} it where you start it. */
    public static final class Task<T> implements AutoCloseable {
        private enum State { RUNNING, CANCELLED, ENDED }

        private final AtomicReference<State> state = new AtomicReference<>(State.RUNNING);
        private final Thread thread;
        private final CompletableFuture<Void> ended = new CompletableFuture<>();
        private T result; // written by the thread, read after its end
        private Throwable failure;
        private boolean flag; // left set: an IOException answers the interrupt

        private Task(String name, Callable<? extends T> work) {
            thread = Thread.ofVirtual().name(name).unstarted(() -> {
                try {
                    if (state.get() == State.RUNNING) { // else cancelled before it began
                        result = work.call();
                    }
                } catch (Throwable e) {
                    failure = e;
                    flag = Thread.currentThread().isInterrupted();
                }
                state.compareAndSet(State.RUNNING, State.ENDED);
                ended.complete(null);
            });
        }

        public static <T> Task<T> start(String name, Callable<? extends T> work) {
            Objects.requireNonNull(name, "name");
            var task = new Task<T>(name, Objects.requireNonNull(work, "work"));
            task.thread.start();
            return task;
        }

        /**
         * Interrupts the work and returns at once. Returns false and does nothing if it has ended or was cancelled
         * before. Work that has not begun does not run.
         */
        public boolean cancel() {
            boolean first = state.compareAndSet(State.RUNNING, State.CANCELLED);
            if (first) {
                thread.interrupt();
            }
            return first;
        }

        /** Waits until the work has ended, cleanup included; false if it still runs after {@code grace}. */
        public boolean awaitEnd(Duration grace) throws InterruptedException {
            refuseSelf();
            Objects.requireNonNull(grace, "grace");
            // half: on 21 a wait of Long.MAX_VALUE in a virtual thread can stop the timers of all the others
            long nanos = Math.clamp(TimeUnit.NANOSECONDS.convert(grace), 0, Long.MAX_VALUE / 2);
            return thread.join(Duration.ofNanos(nanos));
        }

        /**
         * Waits for the end and returns the result. An interrupted caller leaves the work running: {@code close()}
         * stops it. A task that waits for a cancelled one gets an exception, but is not cancelled itself (in asyncio it
         * is).
         *
         * @throws ExecutionException    the work's failure is the cause
         * @throws CancellationException if {@code cancel()} came before the end, whatever the work did then; what its
         *                               cleanup threw is the cause
         */
        public T result() throws InterruptedException, ExecutionException {
            refuseSelf();
            thread.join();
            if (state.get() == State.CANCELLED) {
                boolean answer = failure instanceof InterruptedException || flag && failure instanceof IOException;
                var cancelled = new CancellationException(thread.getName() + " was cancelled");
                cancelled.initCause(answer ? null : failure);
                throw cancelled;
            }
            if (failure != null) {
                throw new ExecutionException(failure);
            }
            return result;
        }

        /**
         * Cancels and waits for the end, however long that takes; an interrupt during the wait is kept in the flag.
         *
         * @throws IllegalStateException by the work itself, which would wait for its own end; nothing was cancelled
         */
        @Override
        public void close() {
            refuseSelf();
            cancel();
            ended.join();
        }

        private void refuseSelf() {
            if (Thread.currentThread() == thread) {
                throw new IllegalStateException(thread.getName() + " would wait for itself");
            }
        }
    }
    // @end region="task"

    // @start region="cleanup"
    @FunctionalInterface
    public interface Cleanup<X extends Exception> {
        void run() throws X, InterruptedException;
    }

    /**
     * Runs a cleanup that blocks, from {@code finally}: with the interrupt flag still set its first wait would throw.
     * The flag is cleared before and set again after. An interrupt that arrives during the cleanup ends it: give it a
     * time limit, put what must happen in any case into a {@code finally} that does not block, or run it through {@code
     * Shield}.
     */
    public static <X extends Exception> void cleanUp(Cleanup<X> cleanup) throws X, InterruptedException {
        boolean cancelled = Thread.interrupted();
        try {
            cleanup.run();
        } finally {
            if (cancelled) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** For loops that compute: call it every millisecond or so, not in every turn. */
    public static void throwIfCancelled() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }
    // @end region="cleanup"

    public static void main(String[] args) throws Exception {
        var goodbyes = new AtomicInteger();
        var working = new CountDownLatch(1);
        // @start region="use"
        try (var upload = Cancellation.Task.start("upload", () -> {
            try {
                working.countDown();
                while (!Thread.currentThread().isInterrupted()) {
                    Thread.onSpinWait(); // computes; the flag stays set
                }
                return "incomplete";
            } finally {
                Cancellation.cleanUp(() -> {
                    Thread.sleep(20); // a farewell to the server may block
                    goodbyes.incrementAndGet();
                });
            }
        })) {
            working.await();
            upload.cancel();
        } // close() waits for the end; so does awaitEnd(grace)
        // @end region="use"
        System.out.println("cancelled; cleanups that ran to the end: " + goodbyes);
        check(goodbyes.get() == 1, "the cleanup is over when the wait is");

        try (var sum = Task.start("sum", () -> {
            for (long i = 0; ; i++) {
                if ((i & 0xFFFF) == 0) {
                    throwIfCancelled();
                }
            }
        })) {
            System.out.println("a CPU loop has ended after 1 ms: " + sum.awaitEnd(Duration.ofMillis(1)));
        }
        System.out.println("and has after close(), because it asks now and then");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
