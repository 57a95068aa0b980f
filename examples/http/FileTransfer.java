import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpResponse.ResponseInfo;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import java.util.regex.Pattern;

/**
 * aiohttp: {@code session.post(url, data=open(file, 'rb'))} and {@code async for chunk in
 * response.content.iter_chunked(n)} into a file. Final API, JDK 21 and later.
 *
 * <p>Use for files of any size, even larger than the heap: either way only a few buffers are in memory. A transfer has
 * no deadline but must make progress: {@code idle} without a byte ends it. Do not use for answers that you read into
 * memory ({@code SharedHttpClient}).
 *
 * <p>Stateless and thread-safe, except for two downloads to the same target at a time. You own {@code client}: give it
 * a connect timeout. To retry, wrap the call ({@code Retry}): a download resumes where the last attempt ended.
 *
 * <p>Run: {@code java examples/http/FileTransfer.java}
 */
public final class FileTransfer {

    private static final int BUFFER = 64 * 1024;
    private static final int MOST_OF_ANSWER = 1024 * 1024;

    private FileTransfer() {
    }

    // @start region="download"
    /**
     * Downloads into {@code target}, which appears only when it is complete. What a failed attempt left in {@code
     * target.part} is not fetched again if the server still has the same version (a strong ETag, If-Range) and answers
     * with the rest: the ETag, the position and the total must match, else the next attempt starts from the beginning.
     *
     * <p>Only a server that announces no length and closes the connection at the end (HTTP/1.0) can break off without
     * being noticed.
     *
     * @param idle     longest wait for the next bytes; the transfer ends after at most twice that; at zero or less
     *                 nothing is asked
     * @param progress gets the number of bytes so far, in the transfer's thread; an exception ends the transfer
     * @throws HttpTimeoutException nothing came for {@code idle}
     * @throws IOException          a bad status, a lost connection, fewer bytes than announced, a full disk; {@code
     *                              target.part} is kept
     * @throws InterruptedException the caller was interrupted; the transfer has ended, {@code target.part} is kept
     */
    public static void download(HttpClient client, URI uri, Path target, Duration idle, LongConsumer progress)
            throws IOException, InterruptedException {
        Objects.requireNonNull(client, "client");
        Objects.requireNonNull(uri, "uri");
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(progress, "progress");
        Path part = target.resolveSibling(target.getFileName() + ".part");
        // the ETag, then the total if it is known
        Path version = target.resolveSibling(target.getFileName() + ".part.etag");
        var moved = new AtomicLong();
        untilIdle(uri, idle, moved, () -> {
            var request = HttpRequest.newBuilder(uri);
            List<String> known = Files.exists(version) ? Files.readAllLines(version, StandardCharsets.ISO_8859_1)
                    : List.of();
            boolean usable = !known.isEmpty() && known.getFirst().matches("[ -~]+"); // not after a crash of the system
            long there = Files.exists(part) && usable ? Files.size(part) : 0;
            if (there > 0) {
                request.header("Range", "bytes=" + there + "-").header("If-Range", known.getFirst());
            }
            var response = send(client, request.build());
            int status = response.statusCode();
            var range = CONTENT_RANGE.matcher(response.headers().firstValue("Content-Range").orElse(""));
            boolean sameVersion = status == 206 && there > 0 && range.matches()
                    && response.headers().firstValue("ETag").filter(known.getFirst()::equals).isPresent()
                    && (known.size() == 1 || known.get(1).equals(range.group(2)));
            boolean resumed = sameVersion && Long.parseLong(range.group(1)) == there;
            long total = resumed ? Long.parseLong(range.group(2))
                    : response.headers().firstValue("Content-Length").map(Long::parseLong).orElse(-1L);
            long size = resumed ? there : 0;
            try (InputStream body = response.body()) {
                if (status != 200 && !resumed) {
                    if (there > 0 && (status == 416 || status == 206 && !sameVersion)) {
                        Files.delete(version); // the part is not of what the server has: the next attempt starts over
                    }
                    throw new IOException(uri + " answered " + status
                            + (status == 206 ? " with another range or version" : ""));
                }
                if (!resumed) {
                    Files.deleteIfExists(version); // first, so that a part and a version of two files never meet
                    Files.deleteIfExists(part);
                    var etag = response.headers().firstValue("ETag").filter(tag -> !tag.startsWith("W/"));
                    if (etag.isPresent()) {
                        Files.write(version, total < 0 ? List.of(etag.get())
                                : List.of(etag.get(), Long.toString(total)));
                    }
                }
                try (var out = Files.newOutputStream(part, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
                    byte[] buffer = new byte[BUFFER];
                    for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) { // throws if shorter than announced
                        out.write(buffer, 0, n);
                        size += n;
                        moved.addAndGet(n);
                        progress.accept(size);
                    }
                }
            }
            if (total >= 0 && size != total) { // a server may answer with less than the range that was asked for
                if (size > total) {
                    Files.deleteIfExists(version);
                }
                throw new IOException(uri + ": " + size + " of " + total + " bytes");
            }
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            Files.deleteIfExists(version);
            return null;
        });
    }

    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-\\d{1,18}/(\\d{1,18})");

    /** Like {@code client.send}, which leaks the body if it is interrupted just as the headers arrive. */
    private static HttpResponse<InputStream> send(HttpClient client, HttpRequest request)
            throws IOException, InterruptedException {
        var opened = new CompletableFuture<InputStream>();
        try {
            return client.send(request, headers -> {
                var subscriber = BodySubscribers.ofInputStream();
                subscriber.getBody().thenAccept(opened::complete);
                return subscriber;
            });
        } catch (IllegalArgumentException e) { // a Content-Length that is no number, on 21 to 26
            throw new IOException(e);
        } catch (Throwable e) {
            opened.thenAccept(body -> { // now, or once there is one
                try {
                    body.close();
                } catch (IOException closed) {
                    e.addSuppressed(closed);
                }
            });
            throw e;
        }
    }
    // @end region="download"

    // @start region="upload"
    /**
     * Sends the file with {@code request} and returns the answer, whatever its status, with at most the first megabyte
     * of its text. The file's length is taken when the call begins: if the file shrinks, it throws an {@link
     * IOException}.
     *
     * @param request  its method is set to {@code method}; its {@code timeout}, if any, would also cover the sending
     * @param idle     longest wait for the server to take the next bytes, and for its answer; ends after at most twice
     *                 that
     * @param progress gets the bytes sent so far, in a thread of the client, which it must not block; what it throws
     *                 ends the transfer with an {@link IOException}
     */
    public static HttpResponse<String> upload(HttpClient client, HttpRequest.Builder request, String method, Path file,
                                              Duration idle, LongConsumer progress)
            throws IOException, InterruptedException {
        Objects.requireNonNull(client, "client");
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(file, "file");
        Objects.requireNonNull(idle, "idle");
        Objects.requireNonNull(progress, "progress");
        var sent = new AtomicLong();
        var body = counted(BodyPublishers.ofFile(file), bytes -> progress.accept(sent.addAndGet(bytes)));
        var complete = request.copy().method(method, body).build();
        return untilIdle(complete.uri(), idle, sent, () -> client.send(complete, FileTransfer::text));
    }

    private static BodyPublisher counted(BodyPublisher body, LongConsumer counter) {
        return BodyPublishers.fromPublisher(subscriber -> body.subscribe(new Flow.Subscriber<ByteBuffer>() {
            private Flow.Subscription subscription;
            private boolean failed;

            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                this.subscription = subscription;
                subscriber.onSubscribe(subscription);
            }

            @Override
            public void onNext(ByteBuffer bytes) {
                if (failed) {
                    return;
                }
                try {
                    counter.accept(bytes.remaining()); // before: afterwards they belong to the client
                } catch (Throwable e) { // else the client would not hear of it, and wait
                    failed = true;
                    subscription.cancel();
                    subscriber.onError(e);
                    return;
                }
                subscriber.onNext(bytes);
            }

            @Override
            public void onError(Throwable failure) {
                subscriber.onError(failure);
            }

            @Override
            public void onComplete() {
                if (!failed) {
                    subscriber.onComplete();
                }
            }
        }), body.contentLength());
    }

    /** Like {@code BodyHandlers.ofString}, which has no limit. */
    private static BodySubscriber<String> text(ResponseInfo answer) {
        var bytes = new ByteArrayOutputStream();
        var first = BodySubscribers.ofByteArrayConsumer(part -> part.ifPresent(
                more -> bytes.write(more, 0, Math.min(more.length, MOST_OF_ANSWER - bytes.size()))));
        return BodySubscribers.mapping(first, nothing -> {
            var decoder = BodyHandlers.ofString().apply(answer); // knows the charset
            decoder.onSubscribe(new Flow.Subscription() {
                @Override
                public void request(long n) {
                    // all of it follows
                }

                @Override
                public void cancel() {
                    // likewise
                }
            });
            decoder.onNext(List.of(ByteBuffer.wrap(bytes.toByteArray())));
            decoder.onComplete();
            return decoder.getBody().toCompletableFuture().join();
        });
    }
    // @end region="upload"

    // @start region="idle"
    /** Runs the transfer in a virtual thread, and interrupts it once if {@code moved} stands still for {@code idle}. */
    private static <T> T untilIdle(URI uri, Duration idle, AtomicLong moved, Callable<T> transfer)
            throws IOException, InterruptedException {
        long nanos = Math.min(TimeUnit.NANOSECONDS.convert(Objects.requireNonNull(idle, "idle")), Long.MAX_VALUE / 2);
        if (nanos <= 0) {
            throw new HttpTimeoutException(uri + " not asked: it may not stand still for a moment");
        }
        var task = new FutureTask<>(transfer);
        var thread = Thread.ofVirtual().name("transfer").start(task);
        try {
            for (long before = -1; before != moved.get(); ) {
                before = moved.get();
                try {
                    return task.get(nanos, TimeUnit.NANOSECONDS);
                } catch (TimeoutException e) {
                    // look whether it has moved
                }
            }
            interruptAndJoin(thread);
            if (task.state() == Future.State.SUCCESS) {
                return task.resultNow();
            }
            throw new HttpTimeoutException(uri + ": nothing moved for " + idle + " after " + moved + " bytes");
        } catch (InterruptedException e) {
            interruptAndJoin(thread);
            throw e;
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException failure -> throw failure;
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case Throwable failure -> throw new IOException(failure);
            }
        }
    }

    private static void interruptAndJoin(Thread thread) {
        thread.interrupt();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
    // @end region="idle"

    public static void main(String[] args) throws Exception {
        // before the first server: on 21 a kept connection stalls 40 ms
        System.setProperty("sun.net.httpserver.nodelay", "true");
        Path folder = Files.createTempDirectory("transfer");
        Path stored = folder.resolve("stored");
        var server = server(stored);
        var uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/file");
        try (var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build()) {
            Path file = folder.resolve("file");
            byte[] content = new byte[3_000_000];
            new Random(1).nextBytes(content);
            Files.write(file, content);
            // @start region="use"
            var answer = FileTransfer.upload(client, HttpRequest.newBuilder(uri), "PUT", file, Duration.ofSeconds(10),
                    bytes -> System.out.print(bytes % 1_000_000 < 16_384 ? "sent " + bytes / 1_000_000 + " MB\n" : ""));
            // @end region="use"
            System.out.println("upload answered " + answer.statusCode());
            check(Files.mismatch(file, stored) == -1, "what arrived is what was sent");

            Path copy = folder.resolve("copy");
            var first = new AtomicLong(Long.MAX_VALUE);
            try {
                download(client, uri, copy, Duration.ofSeconds(10), bytes -> { });
                check(false, "the server breaks off the first download");
            } catch (IOException e) {
                System.out.println("broken off: " + e.getMessage() + "; target exists: " + Files.exists(copy));
            }
            download(client, uri, copy, Duration.ofSeconds(10), bytes -> first.accumulateAndGet(bytes, Math::min));
            System.out.println("second attempt went on after " + first.get() / 1_000_000 + " MB or more");
            check(Files.mismatch(file, copy) == -1 && first.get() > 1_000_000, "resumed and complete");
        } finally {
            server.stop(0);
            try (var files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    /** Stores what is PUT; the first GET is broken off in the middle; answers ranges of the version "1". */
    private static HttpServer server(Path stored) throws IOException {
        var gets = new AtomicLong();
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory()));
        server.createContext("/file", exchange -> {
            try (exchange) {
                if (exchange.getRequestMethod().equals("PUT")) {
                    Files.copy(exchange.getRequestBody(), stored);
                    exchange.sendResponseHeaders(201, -1);
                    return;
                }
                byte[] content = Files.readAllBytes(stored);
                String range = exchange.getRequestHeaders().getFirst("Range");
                int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
                exchange.getResponseHeaders().set("ETag", "\"1\"");
                exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (content.length - 1) + "/"
                        + content.length);
                exchange.sendResponseHeaders(range == null ? 200 : 206, content.length - from);
                exchange.getResponseBody().write(content, from, gets.incrementAndGet() == 1 ? content.length / 2
                        : content.length - from);
            }
        });
        server.start();
        return server;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
