package service;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Calls to other services, over one {@code HttpClient}: at most N at a time, each with one limit for all of it, the
 * body too, and with the id of our request. HTTP/1.1 alone: a connection of HTTP/2 that has gone silent would take
 * every further call with it, and the client offers that by itself. Follows no redirects. GET is repeated by {@code
 * HttpClient} when a connection drops: 2 attempts on 21 and 25, 5 from 26 on, one with {@code
 * -Djdk.httpclient.redirects.retrylimit=1}.
 *
 * <p>Thread-safe. An interrupt ends the call and closes its connection. Needs {@link HttpError}, {@link Memory}, {@link
 * Log}.
 */
public final class Outgoing implements AutoCloseable {
    private static final long A_YEAR = TimeUnit.DAYS.toNanos(365); // longer fails as a connect timeout on 21 and 25
    private final HttpClient client;
    private final Semaphore places;
    private final int limit;
    private final Duration wait;
    private final Duration timeout;
    private final int maxBody;

    /**
     * @param limit calls at a time
     * @param wait for a place
     * @param timeout of a call; connecting: a third
     * @param maxBody bytes
     */
    public Outgoing(int limit, Duration wait, Duration timeout, int maxBody) {
        if (limit < 1 || maxBody < 0 || wait.isNegative()
                || timeout.compareTo(Duration.ofMillis(1)) < 0) {
            throw new IllegalArgumentException("no limit or timeout, or a negative wait or maxBody");
        }
        this.limit = limit;
        this.wait = wait;
        this.timeout = timeout;
        this.maxBody = maxBody;
        this.places = new Semaphore(limit);
        this.client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofNanos(Math.min(nanos(timeout) / 3, A_YEAR) + 1_000_000)).build();
    }

    private static long nanos(Duration duration) {
        return Math.min(TimeUnit.NANOSECONDS.convert(duration), Long.MAX_VALUE / 2);
    }

    public int inUse() {
        return limit - places.availablePermits();
    }

    public int waiting() {
        return places.getQueueLength();
    }

    /**
     * @param memory counts the body of the answer; {@link Request#memory} in a handler
     * @throws HttpError              what our client gets if it is not caught: 503 no place, 504 too slow, 502 failed
     * @throws Memory.FullException   no memory for the body: 503
     */
    public HttpResponse<byte[]> call(HttpRequest.Builder request, Memory.Lease memory) throws HttpError,
            InterruptedException {
        Objects.requireNonNull(request, "request");
        Objects.requireNonNull(memory, "memory");
        if (!places.tryAcquire(nanos(wait), TimeUnit.NANOSECONDS)) {
            throw new HttpError(503, "too many calls to other services");
        }
        try {
            if (Log.request() != null) {
                request.setHeader("X-Request-Id", Log.request());
            }
            var answer = client.sendAsync(request.build(), info -> new Body(maxBody, memory));
            try {
                return answer.get(nanos(timeout), TimeUnit.NANOSECONDS);
            } finally {
                answer.cancel(true); // closes the connection; HttpRequest.timeout ends at the headers on 21 and 25
            }
        } catch (TimeoutException e) {
            throw new HttpError(504, "another service took too long");
        } catch (ExecutionException e) {
            for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
                if (cause instanceof Memory.FullException full) {
                    throw full;
                }
            }
            Log.error("call failed", e.getCause());
            throw e.getCause() instanceof HttpTimeoutException ? new HttpError(504, "another service took too long")
                    : new HttpError(502, "another service failed");
        } finally {
            places.release();
        }
    }

    /** Ends all calls. */
    @Override
    public void close() {
        client.shutdownNow();
    }

    /** A body in memory, counted before it is kept. ({@code BodyHandlers.limiting} came with JDK 25.) */
    private static final class Body implements BodySubscriber<byte[]> {
        private static final int PART = 64; // what a part holds beside its bytes: a chunk may be a single one
        private final CompletableFuture<byte[]> result = new CompletableFuture<>();
        private final List<byte[]> parts = new ArrayList<>();
        private int size;
        private final int most;
        private final Memory.Lease memory;
        private Flow.Subscription subscription;

        private Body(int most, Memory.Lease memory) {
            this.most = most;
            this.memory = memory;
        }

        @Override
        public CompletionStage<byte[]> getBody() {
            return result;
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            this.subscription = subscription;
            subscription.request(1);
        }

        @Override
        public void onNext(List<ByteBuffer> buffers) {
            try {
                for (var buffer : buffers) {
                    if (buffer.remaining() > most - size) {
                        throw new IOException("more than " + most + " bytes");
                    }
                    memory.take(PART + buffer.remaining());
                    byte[] part = new byte[buffer.remaining()];
                    buffer.get(part);
                    parts.add(part);
                    size += part.length;
                }
                subscription.request(1);
            } catch (IOException | RuntimeException | OutOfMemoryError e) {
                subscription.cancel();
                result.completeExceptionally(e);
            }
        }

        @Override
        public void onError(Throwable failure) {
            result.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            try {
                memory.take(size); // for a moment it is there twice
                var body = ByteBuffer.allocate(size);
                parts.forEach(body::put);
                memory.give(size + (long) PART * parts.size());
                parts.clear();
                result.complete(body.array());
            } catch (RuntimeException | OutOfMemoryError e) {
                result.completeExceptionally(e);
            }
        }
    }
}
