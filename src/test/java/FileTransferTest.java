import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(600)
class FileTransferTest {

    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);

    private interface Answer {
        void to(HttpExchange exchange, String range) throws IOException;
    }

    private final byte[] content = new byte[500_000];
    private final List<String> ranges = Collections.synchronizedList(new ArrayList<>());
    private final ExecutorService handlers = Executors.newCachedThreadPool();
    private final HttpClient client = HttpClient.newHttpClient();
    private volatile Answer answer;
    private HttpServer server;
    private URI uri;
    @TempDir
    private Path folder;
    private Path target;

    @BeforeEach
    void start() throws IOException {
        new Random(1).nextBytes(content);
        target = folder.resolve("target");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(handlers);
        server.createContext("/", exchange -> {
            try (exchange) {
                String range = exchange.getRequestHeaders().getFirst("Range");
                ranges.add(range + " " + exchange.getRequestHeaders().getFirst("If-Range"));
                answer.to(exchange, range);
            }
        });
        server.start();
        uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    @AfterEach
    void stop() {
        client.shutdownNow();
        server.stop(0);
        handlers.shutdownNow();
    }

    /** Sends {@code bytes} from {@code from}, of which only so many as {@code stop} says. */
    private void send(HttpExchange exchange, int status, String etag, byte[] bytes, int from,
            int stop) throws IOException {
        exchange.getResponseHeaders().set("ETag", etag);
        if (status == 206) {
            exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (bytes.length - 1) + "/"
                    + bytes.length);
        }
        exchange.sendResponseHeaders(status, bytes.length - from);
        exchange.getResponseBody().write(bytes, from, stop - from);
        exchange.getResponseBody().flush();
    }

    private static int from(String range) {
        return Integer.parseInt(range.replaceAll("\\D", ""));
    }

    private void download() throws IOException, InterruptedException {
        FileTransfer.download(client, uri, target, LONG, bytes -> { });
    }

    private void breakOff() {
        answer = (exchange, range) -> send(exchange, 200, "\"1\"", content, 0, 200_000);
        assertThrows(IOException.class, this::download);
        assertFalse(Files.exists(target));
    }

    private List<String> files() throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void resumesTheSameVersion() throws Exception {
        breakOff();
        long there = Files.size(folder.resolve("target.part"));
        assertTrue(there > 0 && there <= 200_000, () -> there + " bytes");
        answer = (exchange, range) -> send(exchange, 206, "\"1\"", content, from(range), content.length);
        download();
        assertEquals("bytes=" + there + "- \"1\"", ranges.getLast());
        assertArrayEquals(content, Files.readAllBytes(target));
        assertEquals(List.of("target"), files());
    }

    @Test
    void startsAnewWhenTheVersionHasChangedOrRangesAreIgnored() throws Exception {
        breakOff();
        byte[] other = new byte[100_000];
        answer = (exchange, range) -> send(exchange, 200, "\"2\"", other, 0, other.length);
        download();
        assertArrayEquals(other, Files.readAllBytes(target));
        assertEquals(List.of("target"), files());
    }

    @Test
    void aRangeThatWasNotAskedForIsRefused() throws Exception {
        breakOff();
        answer = (exchange, range) -> send(exchange, 206, "\"1\"", content, from(range) + 1, content.length);
        assertThrows(IOException.class, this::download);
        assertFalse(Files.exists(target));
        answer = (exchange, range) -> send(exchange, 206, "\"1\"", content, from(range), content.length);
        download();
        assertArrayEquals(content, Files.readAllBytes(target), "the part was not spoilt");
    }

    /** 206 with the headers given and that many bytes. */
    private void answerPartly(String etag, String range, int from, int to) {
        answer = (exchange, asked) -> {
            if (etag != null) {
                exchange.getResponseHeaders().set("ETag", etag);
            }
            if (range != null) {
                exchange.getResponseHeaders().set("Content-Range", range);
            }
            exchange.sendResponseHeaders(206, to - from);
            exchange.getResponseBody().write(content, from, to - from);
        };
    }

    @Test
    void lessThanTheRangeAskedForIsNotComplete() throws Exception {
        breakOff();
        int there = (int) Files.size(folder.resolve("target.part"));
        answerPartly("\"1\"", "bytes " + there + "-" + (there + 999) + "/500000", there, there + 1000);
        assertTrue(assertThrows(IOException.class, this::download).getMessage().endsWith(there + 1000
                + " of 500000 bytes"));
        assertFalse(Files.exists(target));
        answer = (exchange, range) -> send(exchange, 206, "\"1\"", content, from(range), content.length);
        download();
        assertEquals("bytes=" + (there + 1000) + "- \"1\"", ranges.getLast(), "goes on after the short answer");
        assertArrayEquals(content, Files.readAllBytes(target));
    }

    @Test
    void halvesOfTwoVersionsAreNeverJoined() throws Exception {
        record Headers(String etag, String range) { }
        for (var headers : List.of(new Headers("\"2\"", "bytes %d-499999/500000"),
                new Headers(null, "bytes %d-499999/500000"), new Headers("\"1\"", "bytes %d-499999/500001"),
                new Headers("\"1\"", "bytes %d-499999/*"), new Headers("\"1\"", null))) {
            breakOff();
            int there = (int) Files.size(folder.resolve("target.part"));
            String range = headers.range == null ? null : headers.range.formatted(there);
            answerPartly(headers.etag, range, there, content.length);
            assertThrows(IOException.class, this::download);
            assertFalse(Files.exists(target));
            answer = (exchange, asked) -> send(exchange, 200, "\"2\"", content, 0, content.length);
            download();
            assertEquals("null null", ranges.getLast(), "started anew");
            Files.delete(target);
        }
    }

    @Test
    void a206ThatNobodyAskedForIsRefused() {
        answerPartly("\"1\"", "bytes 0-499999/500000", 0, content.length);
        assertThrows(IOException.class, this::download);
        assertFalse(Files.exists(target));
    }

    @Test
    void moreThanTheTotalIsGivenUp() throws Exception {
        breakOff();
        int there = (int) Files.size(folder.resolve("target.part"));
        answerPartly("\"1\"", "bytes " + there + "-499999/500000", there - 1, content.length);
        assertThrows(IOException.class, this::download);
        answer = (exchange, range) -> send(exchange, 200, "\"1\"", content, 0, content.length);
        download();
        assertEquals("null null", ranges.getLast());
        assertArrayEquals(content, Files.readAllBytes(target));
    }

    @Test
    void whatProgressThrowsEndsTheTransfer() throws Exception {
        Path file = Files.write(folder.resolve("file"), content);
        answer = (exchange, range) -> {
            exchange.getRequestBody().readAllBytes();
            send(exchange, 200, "\"1\"", content, 0, content.length);
        };
        LongConsumer throwing = bytes -> {
            throw new AssertionError("mine");
        };
        assertThrows(AssertionError.class, () -> FileTransfer.download(client, uri, target, LONG, throwing));
        var thrown = assertThrows(Throwable.class,
                () -> FileTransfer.upload(client, HttpRequest.newBuilder(uri), "PUT", file, LONG, throwing));
        assertTrue(thrown.toString().contains("mine"), thrown::toString);
    }

    @Test
    void anAnswerToAnUploadIsBoundedAndInItsCharset() throws Exception {
        Path file = Files.write(folder.resolve("file"), content);
        answer = (exchange, range) -> {
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=ISO-8859-1");
            exchange.sendResponseHeaders(200, 0);
            for (int i = 0; i < 300; i++) {
                exchange.getResponseBody().write("\u00e9".repeat(10_000).getBytes(StandardCharsets.ISO_8859_1));
            }
        };
        String text = FileTransfer.upload(client, HttpRequest.newBuilder(uri), "PUT", file, LONG, bytes -> { }).body();
        assertEquals("\u00e9".repeat(1024 * 1024), text);
    }

    @Test
    void theCallersSecondInterruptDoesNotReachTheTransfer() throws Exception {
        answer = (exchange, range) -> send(exchange, 200, "\"1\"", content, 0, content.length);
        var moving = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var thrown = new CompletableFuture<String>();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                FileTransfer.download(client, uri, target, LONG, bytes -> {
                    moving.countDown();
                    while (go.getCount() > 0) {
                        try {
                            go.await();
                        } catch (InterruptedException e) {
                            interrupts.incrementAndGet();
                        }
                    }
                });
            } catch (InterruptedException e) {
                thrown.complete("interrupted, flag " + Thread.currentThread().isInterrupted());
            } catch (IOException e) {
                thrown.completeExceptionally(e);
            }
        });
        moving.await();
        caller.interrupt();
        while (interrupts.get() == 0) {
            Thread.onSpinWait();
        }
        caller.interrupt();
        while (caller.isInterrupted()) {
            Thread.onSpinWait();
        }
        go.countDown();
        assertEquals("interrupted, flag true", thrown.get());
        assertEquals(1, interrupts.get());
    }

    @Test
    void refusesWhatCannotWork() {
        LongConsumer none = bytes -> { };
        assertThrows(NullPointerException.class, () -> FileTransfer.download(null, uri, target, LONG, none));
        assertThrows(NullPointerException.class, () -> FileTransfer.download(client, null, target, LONG, none));
        assertThrows(NullPointerException.class, () -> FileTransfer.download(client, uri, null, LONG, none));
        assertThrows(NullPointerException.class, () -> FileTransfer.download(client, uri, target, null, none));
        assertThrows(NullPointerException.class, () -> FileTransfer.download(client, uri, target, LONG, null));
        for (Duration nothing : List.of(Duration.ZERO, Duration.ofSeconds(Long.MIN_VALUE))) {
            assertThrows(HttpTimeoutException.class,
                    () -> FileTransfer.download(client, uri, target, nothing, none));
        }
        assertEquals(List.of(), ranges, "nothing was asked");
    }

    @Test
    void aPartThatIsLongerThanTheFileIsGivenUp() throws Exception {
        breakOff();
        answer = (exchange, range) -> exchange.sendResponseHeaders(416, -1);
        assertThrows(IOException.class, this::download);
        answer = (exchange, range) -> send(exchange, 200, "\"1\"", content, 0, content.length);
        download();
        assertEquals("null null", ranges.getLast());
    }

    @Test
    void withoutAStrongTagNothingIsResumed() throws Exception {
        answer = (exchange, range) -> send(exchange, 200, "W/\"1\"", content, 0, 200_000);
        assertThrows(IOException.class, this::download);
        answer = (exchange, range) -> send(exchange, 200, "W/\"1\"", content, 0, content.length);
        download();
        assertEquals("null null", ranges.getLast());
        assertArrayEquals(content, Files.readAllBytes(target));
    }

    @Test
    void aBadStatusLeavesTheOldFileAlone() throws Exception {
        Files.writeString(target, "old");
        answer = (exchange, range) -> exchange.sendResponseHeaders(404, -1);
        assertTrue(assertThrows(IOException.class, this::download).getMessage().endsWith("answered 404"));
        assertEquals("old", Files.readString(target));
        answer = (exchange, range) -> send(exchange, 200, "\"1\"", content, 0, content.length);
        download();
        assertArrayEquals(content, Files.readAllBytes(target), "replaced when complete");
    }

    @Test
    void aStalledDownloadEndsAndAMovingOneDoesNot() throws Exception {
        try (var stalling = new HostileServer(HostileServer.Fault.STALLS_IN_BODY)) {
            assertThrows(HttpTimeoutException.class,
                    () -> FileTransfer.download(client, stalling.uri(), target, Duration.ofMillis(100), bytes -> { }));
            stalling.awaitAllClosed();
        }
        Throwable thrown = interruptedInTrickle();
        for (int again = 0; again < 3 && thrown instanceof HttpTimeoutException; again++) {
            thrown = interruptedInTrickle(); // a thread was held up for all of the idle time
        }
        assertInstanceOf(InterruptedException.class, thrown);
        assertFalse(Files.exists(target));
    }

    /** What ends a download of a byte every 100 ms, interrupted once it has taken longer than its idle time. */
    private Throwable interruptedInTrickle() throws Exception {
        try (var trickling = new HostileServer(HostileServer.Fault.TRICKLES)) {
            var moved = new CountDownLatch(60);
            var thrown = new CompletableFuture<Throwable>();
            var caller = Thread.ofVirtual().start(() -> {
                try {
                    FileTransfer.download(client, trickling.uri(), target, Duration.ofSeconds(5),
                            bytes -> moved.countDown());
                    thrown.complete(new AssertionError("ended by itself"));
                } catch (Throwable e) {
                    thrown.complete(e);
                }
                while (moved.getCount() > 0) {
                    moved.countDown();
                }
            });
            moved.await();
            caller.interrupt();
            caller.join();
            trickling.awaitAllClosed();
            return thrown.get();
        }
    }

    @Test
    void uploadsAndReportsProgress() throws Exception {
        Path file = Files.write(folder.resolve("file"), content);
        var received = new AtomicReference<byte[]>();
        answer = (exchange, range) -> {
            received.set(exchange.getRequestBody().readAllBytes());
            exchange.sendResponseHeaders(500, -1);
        };
        var progress = new AtomicReference<>(0L);
        var response = FileTransfer.upload(client, HttpRequest.newBuilder(uri), "PUT", file, LONG, progress::set);
        assertEquals(500, response.statusCode(), "any status is an answer");
        assertArrayEquals(content, received.get());
        assertEquals(content.length, progress.get());
    }

    @Test
    void anUploadThatNobodyReadsEnds() throws Exception {
        Path file = folder.resolve("large");
        try (var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(1), 100_000_000); // sparse
        }
        try (var deaf = new HostileServer(HostileServer.Fault.NEVER_READS)) {
            assertThrows(HttpTimeoutException.class,
                    () -> FileTransfer.upload(client, HttpRequest.newBuilder(deaf.uri()), "PUT", file,
                    Duration.ofMillis(300), bytes -> { }));
        }
    }

    /** In a JVM with a heap of 24 MB. */
    @Test
    @Timeout(600)
    void filesLargerThanTheHeap() throws Exception {
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var process = new ProcessBuilder(java, "-Xmx24m", "-XX:TieredStopAtLevel=1", "-cp",
                System.getProperty("java.class.path"),
                SmallHeap.class.getName(), folder.toString()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(500, TimeUnit.SECONDS) && process.exitValue() == 0, output);
        System.out.print(output);
    }

    static final class SmallHeap {
        public static void main(String[] args) throws Exception {
            Path folder = Path.of(args[0]);
            Path file = folder.resolve("large");
            long size = 100_000_000;
            try (var out = Files.newOutputStream(file)) {
                byte[] block = new byte[100_000];
                for (int i = 0; i < size / block.length; i++) {
                    new Random(i).nextBytes(block);
                    out.write(block);
                }
            }
            var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", exchange -> {
                try (exchange) {
                    if (exchange.getRequestMethod().equals("PUT")) {
                        Files.copy(exchange.getRequestBody(), folder.resolve("stored"));
                        exchange.sendResponseHeaders(201, -1);
                    } else {
                        exchange.sendResponseHeaders(200, size);
                        Files.copy(folder.resolve("stored"), exchange.getResponseBody());
                    }
                }
            });
            server.start();
            var uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
            try (var client = HttpClient.newHttpClient()) {
                FileTransfer.upload(client, HttpRequest.newBuilder(uri), "PUT", file, Duration.ofDays(1),
                        bytes -> { });
                FileTransfer.download(client, uri, folder.resolve("copy"), Duration.ofDays(1), bytes -> { });
            }
            server.stop(0);
            if (Files.mismatch(file, folder.resolve("copy")) != -1) {
                throw new AssertionError("the copy differs");
            }
            System.out.println("FileTransfer: " + size / 1_000_000 + " MB up and down with a heap of "
                    + Runtime.getRuntime().maxMemory() / 1_000_000 + " MB");
        }
    }

    @Test
    void aVersionThatACrashHasSpoiltIsNone() throws Exception {
        for (byte[] spoilt : List.of(new byte[100], new byte[] {(byte) 0xff, '\n'}, new byte[] {'\n'}, new byte[0])) {
            breakOff();
            Files.write(target.resolveSibling("target.part.etag"), spoilt);
            ranges.clear();
            answer = (exchange, range) -> send(exchange, 200, "\"2\"", content, 0, content.length);
            download();
            assertEquals(List.of("null null"), ranges);
            assertArrayEquals(content, Files.readAllBytes(target));
            Files.delete(target);
        }
    }
}
