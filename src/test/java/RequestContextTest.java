import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class RequestContextTest {
    private record Request(int id) {
    }

    private final RequestContext<Request> context = new RequestContext<>();

    private void assertNone() {
        assertThrows(IllegalStateException.class, context::get);
    }

    @Test
    void bindsNestsAndRestores() throws Exception {
        assertNone();
        assertEquals("done", context.call(new Request(1), () -> {
            assertEquals(1, context.get().id());
            var boom = new IOException();
            assertSame(boom, assertThrows(IOException.class, () -> context.call(new Request(2), () -> {
                assertEquals(2, context.get().id());
                throw boom;
            })));
            assertEquals(1, context.get().id());
            return "done";
        }));
        assertNone();
        assertThrows(NullPointerException.class, () -> context.call(null, () -> 1));
    }

    @Test
    void carriedTasksSeeTheContextOfTheirCaptureAndLeaveNothing() throws Exception {
        assertThrows(IllegalStateException.class, () -> context.carrying(() -> 1));
        try (var pool = Executors.newFixedThreadPool(1)) {
            Callable<Integer> carried = context.call(new Request(1), () -> context.carrying(() -> context.get().id()));
            assertEquals(1, pool.submit(carried).get());
            assertEquals(1, pool.submit(carried).get(), "more than once");
            pool.submit(this::assertNone).get();
            assertEquals(1, context.call(new Request(2), () -> {
                int inner = carried.call();
                assertEquals(2, context.get().id(), "restored in the same thread");
                return inner;
            }));
        }
    }

    @Test
    void anExecutorThatCarries() throws Exception {
        try (var pool = Executors.newFixedThreadPool(1)) {
            Executor carrying = context.carrying((Executor) pool);
            assertEquals(7, context.call(new Request(7),
                    () -> CompletableFuture.supplyAsync(() -> context.get().id(), carrying).get()));
            CompletableFuture.runAsync(this::assertNone, carrying).get();
            var gate = new CountDownLatch(1);
            var chain = context.call(new Request(8), () -> CompletableFuture.supplyAsync(() -> {
                assertEquals(8, context.get().id());
                try {
                    gate.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                return 1;
            }, carrying).thenApplyAsync(x -> context.get().id(), carrying));
            gate.countDown();
            assertEquals(8, chain.get(), "the completing thread's context");
            // a caller that runs the task itself gets its own context back
            context.call(new Request(9), () -> {
                context.carrying((Executor) Runnable::run).execute(() -> assertEquals(9, context.get().id()));
                assertEquals(9, context.get().id());
                return null;
            });
        }
    }

    @Test
    void whatIsInheritedByItself() throws Exception {
        var inheritable = new InheritableThreadLocal<String>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor(); var pool = Executors.newFixedThreadPool(1)) {
            inheritable.set("first");
            pool.submit(() -> { }).get();
            inheritable.set("second");
            assertEquals("second", executor.submit(inheritable::get).get());
            assertEquals("first", pool.submit(inheritable::get).get(), "stale");
            var without = new CompletableFuture<String>();
            Thread.ofVirtual().inheritInheritableThreadLocals(false).start(() -> without.complete(inheritable.get()));
            assertNull(without.get());
            context.call(new Request(1), () -> {
                executor.submit(this::assertNone).get();
                pool.submit(this::assertNone).get();
                return null;
            });
        } finally {
            inheritable.remove();
        }
    }

    @Test
    void stress() throws Exception {
        int rounds = 100_000;
        var right = new AtomicInteger();
        var failures = new AtomicInteger();
        try (var pool = Executors.newFixedThreadPool(4); var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            Executor carrying = context.carrying((Executor) pool);
            var all = new ArrayList<CompletableFuture<?>>();
            for (int i = 0; i < rounds; i++) {
                int id = i;
                var done = new CompletableFuture<Integer>();
                all.add(done.handle((value, e) ->
                        (value != null && value == id ? right : failures).incrementAndGet()));
                int kind = ThreadLocalRandom.current().nextInt(4);
                context.call(new Request(id), () -> {
                    switch (kind) {
                        case 0 -> carrying.execute(() -> done.complete(context.get().id()));
                        case 1 -> executor.submit(context.carrying(() -> done.complete(context.get().id())));
                        case 2 -> pool.submit(context.carrying(() -> context.call(new Request(-1), () -> {
                            carrying.execute(() -> done.complete(-id - context.get().id() * 2 * id));
                            throw new IOException();
                        })));
                        default -> pool.submit(() -> {
                            try {
                                context.get();
                                done.completeExceptionally(new AssertionError("something stayed behind"));
                            } catch (IllegalStateException e) {
                                done.complete(id);
                            }
                        });
                    }
                    return null;
                });
            }
            CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get();
        }
        System.out.printf("RequestContext: %,d tasks: %,d saw their own context, %,d not%n",
                rounds, right.get(), failures.get());
        assertEquals(rounds, right.get());
        assertNone();
    }
}
