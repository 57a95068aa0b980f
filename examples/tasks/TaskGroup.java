import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future.State;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

/**
 * asyncio: {@code TaskGroup}. Final API, JDK 21 and later, the same on each. Stands in for {@code StructuredTaskScope}
 * while that is a preview (JEP 453 on 21 to JEP 533 on 27: four APIs that do not compile on one another). Longer than
 * the other files because it has three policies.
 *
 * <p>Use for calls that belong together: different result types, every failure wanted, or a deadline with partial
 * results. For a list of similar calls use {@code Gather}, for thousands {@code BoundedGather}.
 *
 * <p>Each task has a virtual thread; cancelling interrupts it, once. <b>When {@code join} or {@code close} returns or
 * throws, every task has ended</b>, even one that ignores its interrupt. What a task returns after it was told to stop
 * is dropped, so a task must close what it opened. <b>The body is not interrupted</b> when a task fails, unlike
 * asyncio's: a wait outside {@code join} goes on to its end. So fork what waits, and let the body only fork and join.
 * An owner that is a virtual thread needs a carrier to stop tasks: on one processor a task that computes is never
 * stopped. {@code ScopedValue} bindings are not inherited, unlike with {@code StructuredTaskScope}: pass parameters.
 * Only the thread that made the group may call it, else {@link WrongThreadException}: a task that forks opens its own
 * group.
 *
 * <p>Run: {@code java examples/tasks/TaskGroup.java}
 */
public final class TaskGroup<T> implements AutoCloseable {

    private enum Policy { FAIL_FAST, FIRST_SUCCESS, COLLECT_ALL }

    private final Policy policy;
    private final Thread owner = Thread.currentThread();
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    private final Set<Task<?>> running = ConcurrentHashMap.newKeySet();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>(); // in order of time
    private final AtomicReference<Task<? extends T>> first = new AtomicReference<>();
    private final AtomicInteger unended = new AtomicInteger(1); // one is the owner's, until join
    private final AtomicBoolean cancelled = new AtomicBoolean();
    private final CompletableFuture<Void> settled = new CompletableFuture<>(); // join has nothing to wait for any more
    private boolean forked;
    private boolean closed;
    private volatile boolean joined;

    private TaskGroup(Policy policy) {
        this.policy = policy;
    }

    /** The first failure interrupts all other tasks, even before the owner has reached {@code join}. */
    public static <T> TaskGroup<T> failFast() {
        return new TaskGroup<>(Policy.FAIL_FAST);
    }

    /** The first result, {@code null} included, interrupts all other tasks; {@link #first} returns it. */
    public static <T> TaskGroup<T> firstSuccess() {
        return new TaskGroup<>(Policy.FIRST_SUCCESS);
    }

    /** Only a timeout or an interrupt of the owner stops tasks; read each {@link Task#state}. */
    public static <T> TaskGroup<T> collectAll() {
        return new TaskGroup<>(Policy.COLLECT_ALL);
    }

    /**
     * Starts a task. In a group that is already cancelled it does not run, and is {@code CANCELLED}.
     *
     * @throws IllegalStateException after {@code join} or {@code close}
     */
    public <U extends T> Task<U> fork(Callable<? extends U> callable) {
        requireOpen("fork");
        Objects.requireNonNull(callable, "callable");
        var task = new Task<U>(this);
        forked = true;
        running.add(task); // before the look at the flag: else cancel() may see neither
        if (cancelled.get()) {
            task.cancel();
            return task;
        }
        unended.incrementAndGet();
        boolean started = false;
        try {
            executor.execute(() -> run(task, callable));
            started = true;
        } finally {
            if (!started) {
                ended(task);
            }
        }
        return task;
    }

    /** Like {@link #join(Duration)} with no deadline. */
    public void join() throws InterruptedException, ExecutionException {
        try {
            join(Duration.ofSeconds(Long.MAX_VALUE));
        } catch (TimeoutException e) {
            throw new AssertionError("146 years have passed", e);
        }
    }

    /**
     * Waits, once, until the policy is satisfied; then interrupts what still runs and waits until it has ended.
     *
     * @param timeout from now on; at zero or less only tasks that have already ended count
     * @throws ExecutionException    fail-fast: a task failed; first-success: all did. The cause is the first failure in
     *                               time; later ones, and what interrupted tasks threw but their answer to the
     *                               interrupt, are suppressed on the ExecutionException
     * @throws TimeoutException      fail-fast and first-success; failures are suppressed. Collect-all returns instead.
     *                               Either way you can read what ended in time; the rest is {@code CANCELLED}
     * @throws InterruptedException  the owner was interrupted while tasks were running; failures are suppressed. A
     *                               later interrupt, while they end, is kept in the flag
     * @throws IllegalStateException after {@code join} or {@code close}, or no task in a first-success group
     */
    public void join(Duration timeout) throws InterruptedException, ExecutionException, TimeoutException {
        requireOpen("join");
        Objects.requireNonNull(timeout, "timeout");
        // half: on 21 a wait of Long.MAX_VALUE in a virtual thread can stop the timers of all the others
        long nanos = Math.clamp(TimeUnit.NANOSECONDS.convert(timeout), 0, Long.MAX_VALUE / 2);
        if (policy == Policy.FIRST_SUCCESS && !forked) {
            throw new IllegalStateException("join of a first-success group without a task");
        }
        Exception early = null;
        ended(null);
        try {
            settled.get(nanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            early = e;
        } catch (TimeoutException e) {
            early = new TimeoutException("not done within " + timeout);
        } finally {
            joined = true;
            cancelAndAwait();
        }
        if (early instanceof InterruptedException e) {
            throw suppressing(e, failures);
        }
        if (policy == Policy.COLLECT_ALL || first.get() != null) {
            return;
        }
        if (early instanceof TimeoutException e) {
            throw suppressing(e, failures);
        }
        if (!failures.isEmpty()) {
            throw suppressing(new ExecutionException(failures.poll()), failures);
        }
    }

    /**
     * The result that ended a first-success group.
     *
     * @throws IllegalStateException if there is none, or before {@code join}
     */
    public T first() {
        if (first.get() == null) {
            throw new IllegalStateException("no task has succeeded in a first-success group");
        }
        return first.get().get();
    }

    /**
     * Interrupts what still runs and waits until it has ended. An interrupt does not end the wait; the owner's flag
     * is kept.
     *
     * @throws IllegalStateException tasks were forked and never joined; their failures are suppressed
     */
    @Override
    public void close() {
        requireOwner("close");
        closed = true;
        cancelAndAwait();
        if (forked && !joined) {
            joined = true;
            throw suppressing(new IllegalStateException("the group was closed without join()"), failures);
        }
    }

    private <U extends T> void run(Task<U> task, Callable<? extends U> callable) {
        task.thread = Thread.currentThread();
        try {
            if (!task.decided.get()) { // else told to stop before it began
                task.result = callable.call();
            }
            boolean inTime = task.decided.compareAndSet(false, true);
            task.state = inTime ? State.SUCCESS : State.CANCELLED;
            if (inTime && policy == Policy.FIRST_SUCCESS && first.compareAndSet(null, task)) {
                cancel();
            }
        } catch (Throwable e) {
            boolean answer = answersInterrupt(e);
            task.exception = e;
            boolean inTime = task.decided.compareAndSet(false, true);
            if (inTime || !answer) {
                failures.add(e); // before the state: a sibling that fails because it has seen it is the later one
            }
            task.state = inTime ? State.FAILED : State.CANCELLED;
            if (inTime && policy == Policy.FAIL_FAST) {
                cancel();
            }
        } finally {
            ended(task);
        }
    }

    /** Sockets, channels and iterators answer with another exception, and leave the flag set. */
    private static boolean answersInterrupt(Throwable e) {
        return e instanceof InterruptedException || Thread.currentThread().isInterrupted()
                && (e instanceof IOException || e instanceof CancellationException);
    }

    private void ended(Task<?> task) {
        if (task != null) {
            running.remove(task);
        }
        if (unended.decrementAndGet() == 0) {
            settled.complete(null);
        }
    }

    private void cancel() {
        if (cancelled.compareAndSet(false, true)) {
            running.forEach(Task::cancel);
            settled.complete(null);
        }
    }

    private void cancelAndAwait() {
        cancel();
        // close() in this thread would pass an interrupt of its own on to the tasks
        CompletableFuture.runAsync(executor::close, Thread::startVirtualThread).join();
    }

    private void requireOwner(String method) {
        if (Thread.currentThread() != owner) {
            throw new WrongThreadException(method + " by " + Thread.currentThread() + ", which did not make the group");
        }
    }

    private void requireOpen(String method) {
        requireOwner(method);
        if (joined || closed) {
            throw new IllegalStateException(method + " after " + (closed ? "close" : "join"));
        }
    }

    private static <E extends Exception> E suppressing(E exception, Collection<Throwable> failures) {
        failures.forEach(exception::addSuppressed); // on our own exception: a task's may be shared or immutable
        return exception;
    }

    /** A forked task. Any thread may ask; outcomes can be read once the group's {@code join} has returned or thrown. */
    public static final class Task<T> {
        private final TaskGroup<?> group;
        private final AtomicBoolean decided = new AtomicBoolean(); // by its end or by cancel(): who is first
        private volatile State state = State.RUNNING;
        private volatile Thread thread;
        private T result;
        private Throwable exception;

        private Task(TaskGroup<?> group) {
            this.group = group;
        }

        /**
         * Interrupts this task, once, from any thread. It is then {@code CANCELLED}, which is not a failure: a
         * fail-fast group goes on. Returns false and does nothing if it has ended or was told to stop before.
         */
        public boolean cancel() {
            boolean told = decided.compareAndSet(false, true);
            if (told) {
                state = State.CANCELLED;
                Thread begun = thread;
                if (begun != null) {
                    begun.interrupt();
                }
            }
            return told;
        }

        /**
         * {@code RUNNING}, {@code SUCCESS}, {@code FAILED}, or {@code CANCELLED}: told to stop, or never started.
         * Never blocks.
         */
        public State state() {
            return state;
        }

        /**
         * The result.
         *
         * @throws IllegalStateException before join, or if the task failed (then the cause) or was cancelled
         */
        public T get() {
            require(State.SUCCESS);
            return result;
        }

        /** What the task threw. @throws IllegalStateException before join, or if the task did not fail */
        public Throwable exception() {
            require(State.FAILED);
            return exception;
        }

        private void require(State expected) {
            if (!group.joined || state == State.RUNNING) { // the latter: a sibling asks while join still waits
                throw new IllegalStateException("a task's outcome was read before join()");
            }
            if (state != expected) {
                throw new IllegalStateException("the task is " + state + ", not " + expected, exception);
            }
        }
    }

    public static void main(String[] args) throws Exception {
        // @start region="fail-fast"
        try (var group = TaskGroup.failFast()) {
            var user = group.fork(() -> call("Ada", 100));
            var orders = group.fork(() -> call(3, 200));
            group.join();
            System.out.println(user.get() + " has " + orders.get() + " orders");
        }
        // @end region="fail-fast"

        var begun = new CountDownLatch(1); // what has not begun has nothing to clean up
        try (var group = TaskGroup.failFast()) {
            group.fork(() -> {
                try {
                    begun.countDown();
                    return call("never", 60_000);
                } catch (InterruptedException e) {
                    throw new UncheckedIOException(new IOException("rollback failed"));
                }
            });
            group.fork(() -> {
                begun.await();
                return Integer.parseInt("x");
            });
            group.join();
            check(false, "the failure is thrown");
        } catch (ExecutionException e) {
            System.out.println(e.getCause().getMessage() + "; suppressed: " + List.of(e.getSuppressed()));
            check(e.getSuppressed().length == 1, "the failed cleanup of the interrupted sibling is kept");
        }

        // @start region="first-success"
        try (var group = TaskGroup.<String>firstSuccess()) {
            group.fork(() -> call("far mirror", 60_000));
            group.fork(() -> call("near mirror", 50));
            group.join();
            System.out.println("fastest: " + group.first());
        }
        // @end region="first-success"

        // @start region="partial"
        try (var group = TaskGroup.<Integer>collectAll()) {
            var prices = Stream.of(50, 100, 60_000).map(millis -> group.fork(() -> call(millis, millis))).toList();
            group.join(Duration.ofSeconds(1));
            var inTime = prices.stream().filter(price -> price.state() == State.SUCCESS).map(Task::get).toList();
            System.out.println("in time: " + inTime); // [50, 100]
        }
        // @end region="partial"
    }

    private static <T> T call(T result, int millis) throws InterruptedException {
        Thread.sleep(millis);
        return result;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
