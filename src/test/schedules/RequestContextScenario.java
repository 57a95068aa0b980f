import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** RequestContext: two requests in a pool of one thread each see their own, and what comes after sees none. */
public final class RequestContextScenario {
    public static void main(String[] args) throws Exception {
        var context = new RequestContext<String>();
        try (ExecutorService pool = Executors.newFixedThreadPool(1)) {
            Thread other = Thread.ofVirtual().start(() -> request(context, pool, "b"));
            request(context, pool, "a");
            other.join();
            boolean none = CompletableFuture.supplyAsync(() -> {
                try {
                    return context.get().isEmpty();
                } catch (IllegalStateException e) {
                    return true;
                }
            }, context.carrying(pool)).join();
            check(none, "not that of the pool's last task");
        }
        try {
            context.get();
            check(false, "none is below");
        } catch (IllegalStateException e) {
            check(e.getMessage().startsWith("no request context"), e.getMessage());
        }
    }

    private static void request(RequestContext<String> context, ExecutorService pool, String name) {
        try {
            String seen = context.call(name, () -> {
                var inPool = CompletableFuture.supplyAsync(context::get, context.carrying(pool));
                var task = pool.submit(context.carrying(context::get));
                String nested = context.call(name + name, context::get);
                return inPool.join() + task.get() + nested + context.get();
            });
            check(seen.equals(name + name + name + name + name), "its own: " + seen);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
