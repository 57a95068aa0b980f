import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class FutureBridgeTest {

    private static final Duration SHORT = Duration.ofMillis(1);

    @Test
    void valueAndFailureItself() throws Exception {
        assertEquals(1, FutureBridge.await(CompletableFuture.completedStage(1)));
        assertEquals(null, FutureBridge.<String>await(CompletableFuture.completedFuture(null), Duration.ZERO));
        var boom = new IOException("boom");
        var source = new CompletableFuture<Integer>();
        var dependent = source.thenApply(x -> x).thenCompose(CompletableFuture::completedFuture);
        source.completeExceptionally(new CompletionException(new CompletionException(boom)));
        var first = assertThrows(ExecutionException.class, () -> FutureBridge.await(dependent));
        assertSame(boom, first.getCause());
        assertNotSame(first, assertThrows(ExecutionException.class, () -> FutureBridge.await(dependent)));
        var bare = new CompletionException("bare", null);
        assertSame(bare, assertThrows(ExecutionException.class, () ->
                FutureBridge.await(CompletableFuture.failedFuture(bare))).getCause());
    }

    @Test
    void aTimeoutCancelsAndOneOfTheStagesOwnIsAFailure() {
        var never = new CompletableFuture<Integer>();
        assertThrows(TimeoutException.class, () -> FutureBridge.await(never, SHORT));
        assertTrue(never.isCancelled());
        var own = CompletableFuture.<Integer>failedFuture(new TimeoutException("own"));
        assertInstanceOf(TimeoutException.class, assertThrows(ExecutionException.class, () -> FutureBridge.await(own,
                SHORT)).getCause());
        assertThrows(CancellationException.class, () -> FutureBridge.await(never));
    }

    @Test
    void anInterruptCancelsUnlessTheOutcomeIsThere() throws Exception {
        var never = new CompletableFuture<Integer>();
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> FutureBridge.await(never));
        assertTrue(never.isCancelled());
        assertFalse(Thread.interrupted());
        Thread.currentThread().interrupt();
        assertEquals(1, FutureBridge.await(CompletableFuture.completedFuture(1)));
        assertTrue(Thread.interrupted());
    }

    @Test
    void anOutcomeThatBeatsTheCancelIsReturned() throws Exception {
        var stubborn = new CompletableFuture<Integer>() {
            @Override
            public boolean cancel(boolean mayInterrupt) {
                complete(7); // the moment between get() and cancel()
                return super.cancel(mayInterrupt);
            }
        };
        Thread.currentThread().interrupt();
        assertEquals(7, FutureBridge.await(stubborn));
        assertTrue(Thread.interrupted());
    }

    /** The connection is closed, not only the future completed. */
    @Test
    void anInterruptReachesTheHttpExchange() throws Exception {
        try (var server = new ServerSocket(0, 5,
                InetAddress.getLoopbackAddress()); var client = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.getLocalPort() + "/"))
                    .version(HttpClient.Version.HTTP_1_1).build();
            var caller = Thread.startVirtualThread(() -> assertThrows(InterruptedException.class, () ->
                    FutureBridge.await(client.sendAsync(request, HttpResponse.BodyHandlers.ofString()))));
            try (var connection = server.accept()) {
                var in = connection.getInputStream();
                assertTrue(in.read() > 0);
                caller.interrupt();
                caller.join();
                int last;
                try {
                    do {
                        last = in.read();
                    } while (last >= 0);
                } catch (IOException reset) {
                    last = -1;
                }
                assertEquals(-1, last, "the exchange was aborted");
            }
        }
    }

    @Test
    void cancellingReachesEverySourceButPlainDependentsDoNot() {
        var a = new CompletableFuture<Integer>();
        var b = new CompletableFuture<Integer>();
        a.thenCombine(b, Integer::sum).cancel(true);
        CompletableFuture.allOf(a, b).cancel(true);
        assertFalse(a.isDone() || b.isDone(), "the trap");
        var race = FutureBridge.cancelling(CompletableFuture.anyOf(a, b), a, b);
        a.complete(1);
        assertEquals(1, race.resultNow());
        assertTrue(b.isCancelled());
        assertEquals(1, a.resultNow());
    }

    /**
     * Completion against interrupt, in every order: the value is returned or the future cancelled, never neither,
     * never both.
     */
    @Test
    void stress() throws Exception {
        int rounds = 100_000;
        var returned = new AtomicInteger();
        var cancelled = new AtomicInteger();
        var tasks = new ArrayList<Chaos.Task>();
        for (int t = 0; t < 10; t++) {
            tasks.add(() -> {
                for (int i = 0; i < rounds / 10; i++) {
                    int number = i;
                    var future = new CompletableFuture<Integer>();
                    Thread completer = Thread.startVirtualThread(() -> {
                        for (int n = ThreadLocalRandom.current().nextInt(3); n > 0; n--) {
                            Thread.yield();
                        }
                        future.complete(number);
                    });
                    try {
                        int value = ThreadLocalRandom.current().nextInt(5) == 0
                                ? FutureBridge.await(future, Duration.ofNanos(2_000)) : FutureBridge.await(future);
                        assertEquals(number, value);
                        assertEquals(number, future.resultNow());
                        returned.incrementAndGet();
                    } catch (InterruptedException | TimeoutException e) {
                        assertTrue(future.isCancelled());
                        cancelled.incrementAndGet();
                    }
                    Chaos.insist(completer::join);
                }
            });
        }
        long interrupts = Chaos.run(tasks);
        System.out.println("FutureBridge: " + rounds + " waits, " + interrupts + " interrupts, " + returned
                + " returned, " + cancelled + " cancelled");
        assertEquals(rounds, returned.get() + cancelled.get());
        assertTrue(returned.get() > 0 && cancelled.get() > 0);
    }

    @Test
    void aNullAmongTheSourcesIsRefusedAtOnce() {
        var dependent = new CompletableFuture<Integer>();
        var source = new CompletableFuture<Integer>();
        assertThrows(NullPointerException.class, () -> FutureBridge.cancelling(dependent, source, null));
        dependent.cancel(true);
        assertFalse(source.isDone());
    }

    @Test
    void causesInARingAreNoEndlessLoop() {
        var ring = new CompletionException("ring", null) {
            private static final long serialVersionUID = 1;

            @Override
            public synchronized Throwable getCause() {
                return this;
            }
        };
        assertSame(ring, assertThrows(ExecutionException.class,
                () -> FutureBridge.await(CompletableFuture.failedFuture(ring))).getCause());
    }
}
