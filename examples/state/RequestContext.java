import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;

/**
 * asyncio: {@code contextvars.ContextVar}, {@code copy_context().run(f)}. Final API, JDK 21 and later.
 *
 * <p>Use for what every layer of a request may need and no signature should carry: request id, user, locale, mainly for
 * logs. Carry an immutable record. Do not use for business arguments: pass them. On 25 and later {@code ScopedValue} is
 * final and does the same for one thread and the forks of a {@code StructuredTaskScope}; executors do not carry it
 * either. A value holds for a block: there is no {@code set} and {@code reset(token)}, no default, and no context that
 * several tasks change (put an object into it).
 *
 * <p>What a task inherits by itself (run {@code main} to see it on your JDK): {@code ThreadLocal} and {@code
 * ScopedValue} nothing, from 21 to 27; {@code InheritableThreadLocal} the value of the thread that <em>created</em> the
 * task's thread: right for a virtual thread per task, another task's value in a pool.
 *
 * <p>Run: {@code java examples/state/RequestContext.java}
 */
public final class RequestContext<C> {

    // @start region="context"
    private final ThreadLocal<C> current = new ThreadLocal<>();

    /** @throws IllegalStateException if no {@link #call} encloses this: a task was started without {@link #carrying} */
    public C get() {
        C context = current.get();
        if (context == null) {
            throw new IllegalStateException("no request context in " + Thread.currentThread());
        }
        return context;
    }

    /** Runs the body with {@code context}, visible to this thread only; then restores the previous context. */
    public <T> T call(C context, Callable<? extends T> body) throws Exception {
        Objects.requireNonNull(body, "body");
        C before = bind(Objects.requireNonNull(context, "context"));
        try {
            return body.call();
        } finally {
            bind(before);
        }
    }

    /** Returns the task with the context of the calling thread, whichever thread runs it, once or often. */
    public <T> Callable<T> carrying(Callable<? extends T> task) {
        Objects.requireNonNull(task, "task");
        C captured = get();
        return () -> call(captured, task);
    }

    /**
     * Returns an executor whose tasks have the submitting thread's context; if it has none, they have none, not that of
     * the pool's last task. For {@code CompletableFuture.supplyAsync}: stages run by it carry the context of the thread
     * that completes the stage before.
     */
    public Executor carrying(Executor executor) {
        Objects.requireNonNull(executor, "executor");
        return task -> {
            Objects.requireNonNull(task, "task");
            C captured = current.get();
            executor.execute(() -> {
                C before = bind(captured);
                try {
                    task.run();
                } finally {
                    bind(before);
                }
            });
        };
    }

    private C bind(C context) {
        C before = current.get();
        if (context == null) {
            current.remove(); // set(null) leaves an entry behind in a pool's thread
        } else {
            current.set(context);
        }
        return before;
    }
    // @end region="context"

    public static void main(String[] args) throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor(); var pool = Executors.newFixedThreadPool(1)) {
            INHERITABLE.set("of whoever came first");
            pool.submit(() -> { }).get(); // the pool's only thread is created here
            INHERITABLE.set("mine");
            String line = REQUEST.call(new Request("r-1", "ada"), () -> {
                System.out.println("JDK " + Runtime.version().feature() + ": what a task inherits by itself");
                show("virtual thread per task", executor);
                show("platform thread of a pool", pool);
                show("common pool", CompletableFuture.completedFuture(null).defaultExecutor());
                check(inherited(executor).equals("ThreadLocal: nothing, InheritableThreadLocal: mine"), "by creation");
                check(inherited(pool).endsWith("InheritableThreadLocal: of whoever came first"), "stale");
                // @start region="use"
                var background = executor.submit(REQUEST.carrying(() -> log("carried by hand")));
                System.out.println(background.get());
                Executor carrying = REQUEST.carrying(pool);
                return CompletableFuture.supplyAsync(() -> log("carried by the executor"), carrying).get();
                // @end region="use"
            });
            System.out.println(line);
            check(line.equals("[r-1] carried by the executor"), "carried");
            check(inherited(pool).startsWith("ThreadLocal: nothing"), "nothing stays behind in the pool");
        }
    }

    record Request(String id, String user) {
    }

    static final RequestContext<Request> REQUEST = new RequestContext<>();

    static String log(String message) {
        return "[" + REQUEST.get().id() + "] " + message;
    }

    private static final InheritableThreadLocal<String> INHERITABLE = new InheritableThreadLocal<>();

    private static void show(String where, Executor executor) throws Exception {
        System.out.println("  " + where + ": " + inherited(executor));
    }

    private static String inherited(Executor executor) throws Exception {
        var answer = new CompletableFuture<String>();
        executor.execute(() -> answer.complete(
                "ThreadLocal: " + (REQUEST.current.get() == null ? "nothing" : "the request")
                + ", InheritableThreadLocal: " + Objects.requireNonNullElse(INHERITABLE.get(), "nothing")));
        return answer.get();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
