import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * aiohttp: {@code async with session.ws_connect(url) as ws}, {@code async for msg in ws}, {@code ws.send_str}. Final
 * API, JDK 21 and later.
 *
 * <p>Use for a WebSocket that threads read and write like a queue. {@code java.net.http.WebSocket} itself calls a
 * listener, with fragments, and allows one send at a time. Reconnect yourself after a failure, with {@code Retry}: what
 * was sent and not confirmed by the peer may be lost, and only the application knows what to send again.
 *
 * <p>Thread-safe: any number of senders, who take turns; each message goes to one receiver. At most {@code capacity}
 * messages wait to be received; then the peer has to wait, and its pings too, so a receiver that has stopped looks dead
 * to it.
 *
 * <p>Run: {@code java examples/http/WebSocketClient.java}
 */
public final class WebSocketClient implements AutoCloseable {

    /** A whole message. */
    public sealed interface Message { }

    public record Text(String text) implements Message { }

    public record Binary(byte[] bytes) implements Message { }

    private static final Duration LONGEST = Duration.ofDays(365); // as a connect timeout, more fails on 21 and 25

    /** The last of the queue; never taken out. */
    private record End(Throwable failure) { }

    // @start region="client"
    private final BlockingQueue<Object> incoming = new LinkedBlockingQueue<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final ReentrantLock sending = new ReentrantLock();
    private final int maxMessage;
    private final Duration timeout;
    private final AtomicReference<CompletableFuture<Void>> pong = new AtomicReference<>(new CompletableFuture<>());
    private volatile boolean closing;
    private WebSocket socket;

    private WebSocketClient(int maxMessage, Duration timeout) {
        this.maxMessage = maxMessage;
        this.timeout = timeout;
    }

    /**
     * Connects and shakes hands.
     *
     * @param capacity   messages that wait to be received; 1 or more
     * @param maxMessage characters or bytes of a message, 1 or more; a longer one ends the connection
     * @param timeout    for connecting, for each send, for the close handshake in {@link #close}; positive
     * @throws IOException          not connected in time, or no WebSocket there ({@code WebSocketHandshakeException})
     * @throws InterruptedException the caller was interrupted; no connection is left
     */
    public static WebSocketClient connect(HttpClient client, URI uri, int capacity, int maxMessage, Duration timeout)
            throws IOException, InterruptedException {
        Objects.requireNonNull(client, "client");
        Objects.requireNonNull(uri, "uri");
        Objects.requireNonNull(timeout, "timeout");
        if (capacity < 1 || maxMessage < 1 || timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("capacity is " + capacity + ", maxMessage " + maxMessage + ", timeout "
                    + timeout
                    + ": must be 1 or more, and more than nothing");
        }
        var webSocket = new WebSocketClient(maxMessage, timeout.compareTo(LONGEST) < 0 ? timeout : LONGEST);
        var connecting = client.newWebSocketBuilder().connectTimeout(webSocket.timeout).buildAsync(uri,
                webSocket.new Listener(capacity));
        try {
            webSocket.socket = get(connecting, webSocket.timeout, "not connected to " + uri);
            return webSocket;
        } finally {
            if (webSocket.socket == null) {
                connecting.thenAccept(WebSocket::abort);
            }
        }
    }

    /**
     * The next message; empty if the peer has closed the connection or {@link #close} was called.
     *
     * @throws IOException the connection failed, or a message was too long; so does each further call
     */
    public Optional<Message> receive() throws IOException, InterruptedException {
        return received(incoming.take());
    }

    /** @throws TimeoutException nothing came within {@code longest}; the connection is unchanged */
    public Optional<Message> receive(Duration longest) throws IOException, InterruptedException, TimeoutException {
        Object next = incoming.poll(Math.min(TimeUnit.NANOSECONDS.convert(longest), Long.MAX_VALUE / 2),
                TimeUnit.NANOSECONDS);
        if (next == null) {
            throw new TimeoutException("no message within " + longest);
        }
        return received(next);
    }

    private Optional<Message> received(Object next) throws IOException {
        if (next instanceof Message message) {
            socket.request(1); // one is taken, one may come
            return Optional.of(message);
        }
        incoming.add(next);
        Throwable failure = ((End) next).failure;
        if (failure != null && !closing) {
            throw new IOException("the connection failed: " + failure.getMessage(), failure);
        }
        return Optional.empty();
    }

    /**
     * Returns when the message has been written to the connection. A failure, timeout or interrupt in between ends the
     * connection.
     */
    public void send(String text) throws IOException, InterruptedException {
        Objects.requireNonNull(text, "text");
        sendAndWait(() -> socket.sendText(text, true));
    }

    public void send(byte[] bytes) throws IOException, InterruptedException {
        Objects.requireNonNull(bytes, "bytes");
        sendAndWait(() -> socket.sendBinary(ByteBuffer.wrap(bytes), true));
    }

    /** Waits for the pong: the peer is alive. It does not come while {@code capacity} messages wait to be received. */
    public void ping() throws IOException, InterruptedException {
        // pings at once share a pong
        var answer = pong.updateAndGet(last -> last.isDone() ? new CompletableFuture<>() : last);
        sendAndWait(() -> socket.sendPing(ByteBuffer.allocate(0)));
        get(answer, timeout, "no pong");
    }

    private void sendAndWait(Supplier<CompletableFuture<WebSocket>> send) throws IOException, InterruptedException {
        sending.lockInterruptibly(); // a second send while one is pending is an IllegalStateException
        boolean sent = false;
        try {
            get(send.get(), timeout, "the peer does not read");
            sent = true;
        } finally {
            sending.unlock();
            if (!sent) {
                socket.abort(); // part of the message may be on its way
                end(new IOException("a send was broken off"));
            }
        }
    }

    /**
     * Sends a close message and waits for the peer's; if none comes in time, or the caller is interrupted, cuts the
     * connection.
     */
    @Override
    public void close() {
        closing = true;
        try {
            socket.request(Long.MAX_VALUE); // what still comes is dropped
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(timeout.toNanos(), TimeUnit.NANOSECONDS);
            ended.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            // cut below
        } finally {
            socket.abort();
            end(null);
        }
    }

    private void end(Throwable failure) {
        if (ended.complete(null)) {
            incoming.add(new End(failure));
        }
    }

    private static <T> T get(CompletableFuture<T> future, Duration timeout, String late) throws IOException,
            InterruptedException {
        try {
            return future.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new IOException(late + " within " + timeout, e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
        }
    }

    /** Calls come one after another. Each uses up one of the requested; who adds no message asks for another call. */
    private final class Listener implements WebSocket.Listener {
        private final int capacity;
        private final StringBuilder text = new StringBuilder();
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        private Listener(int capacity) {
            this.capacity = capacity;
        }

        @Override
        public void onOpen(WebSocket opened) {
            opened.request(capacity);
        }

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
            text.append(part);
            if (fits(from, text.length())) {
                add(from, last ? new Text(text.toString()) : null);
            }
            if (last) {
                text.setLength(0);
            }
            return null;
        }

        @Override
        public CompletionStage<?> onBinary(WebSocket from, ByteBuffer part, boolean last) {
            byte[] copy = new byte[part.remaining()];
            part.get(copy);
            bytes.writeBytes(copy);
            if (fits(from, bytes.size())) {
                add(from, last ? new Binary(bytes.toByteArray()) : null);
            }
            if (last) {
                bytes.reset();
            }
            return null;
        }

        private boolean fits(WebSocket from, int size) {
            if (size > maxMessage) {
                from.abort();
                end(new IOException("a message of more than " + maxMessage));
            }
            return size <= maxMessage;
        }

        private void add(WebSocket from, Message message) {
            if (message == null || closing) {
                from.request(1);
            } else {
                incoming.add(message);
            }
        }

        @Override
        public CompletionStage<?> onPong(WebSocket from, ByteBuffer message) {
            pong.get().complete(null);
            from.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket from, int status, String reason) {
            end(status == WebSocket.NORMAL_CLOSURE || status == 1005 ? null
                    : new IOException("closed by the peer: " + status + " " + reason));
            return null; // the answer is sent by the WebSocket itself
        }

        @Override
        public void onError(WebSocket from, Throwable failure) {
            end(failure);
        }
    }
    // @end region="client"

    public static void main(String[] args) throws Exception {
        try (var server = new EchoServer(); var client = HttpClient.newHttpClient()) {
            // @start region="use"
            try (var socket = WebSocketClient.connect(client, server.uri(), 10, 1_000_000, Duration.ofSeconds(10))) {
                socket.send("hello");
                switch (socket.receive().orElseThrow()) {
                    case Text(String text) -> System.out.println("text: " + text);
                    case Binary(byte[] bytes) -> System.out.println(bytes.length + " bytes");
                }
                // @end region="use"
                socket.ping();
                System.out.println("the peer is alive");
                for (int i = 0; i < 100; i++) {
                    socket.send("message " + i); // the echo of the eleventh waits until one is received
                }
                for (int i = 0; i < 100; i++) {
                    check(socket.receive().orElseThrow().equals(new Text("message " + i)), "in order");
                }
                socket.send(new byte[100_000]);
                check(socket.receive().orElseThrow() instanceof Binary(byte[] bytes) && bytes.length == 100_000,
                        "all bytes");
                socket.send("bye");
                check(socket.receive().equals(Optional.of(new Text("bye"))) && socket.receive().isEmpty(),
                        "the peer has closed");
                System.out.println("closed by the peer");
            }
        }
    }

    /** RFC 6455, as little as a test needs: answers each message with itself, in two fragments; closes after "bye". */
    static final class EchoServer implements AutoCloseable {
        private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

        EchoServer() throws IOException {
            Thread.startVirtualThread(() -> {
                while (!listener.isClosed()) {
                    try {
                        Socket connection = listener.accept();
                        Thread.startVirtualThread(() -> serve(connection));
                    } catch (IOException e) {
                        return;
                    }
                }
            });
        }

        URI uri() {
            return URI.create("ws://127.0.0.1:" + listener.getLocalPort() + "/");
        }

        private void serve(Socket connection) {
            try (connection) {
                var in = new DataInputStream(new BufferedInputStream(connection.getInputStream()));
                var out = connection.getOutputStream();
                handshake(in, out);
                while (true) {
                    Frame frame = read(in);
                    if (frame.opcode == 9) {
                        write(out, true, 10, frame.payload);
                    } else if (frame.opcode == 8) {
                        write(out, true, 8, frame.payload);
                        return;
                    } else {
                        int half = frame.payload.length / 2;
                        write(out, false, frame.opcode, Arrays.copyOf(frame.payload, half));
                        write(out, true, 0, Arrays.copyOfRange(frame.payload, half, frame.payload.length));
                        if (new String(frame.payload, StandardCharsets.UTF_8).equals("bye")) {
                            write(out, true, 8, new byte[] {3, (byte) 0xE8}); // 1000
                        }
                    }
                }
            } catch (Exception e) {
                // the client has left
            }
        }

        static void handshake(DataInputStream in, OutputStream out) throws Exception {
            String key = null;
            for (String line = line(in); !line.isEmpty(); line = line(in)) {
                if (line.toLowerCase(Locale.ROOT).startsWith("sec-websocket-key:")) {
                    key = line.substring(line.indexOf(':') + 1).strip();
                }
            }
            byte[] hash = MessageDigest.getInstance("SHA-1")
                    .digest((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").getBytes());
            out.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Accept: " + Base64.getEncoder().encodeToString(hash) + "\r\n\r\n").getBytes());
        }

        private static String line(DataInputStream in) throws IOException {
            var line = new StringBuilder();
            for (int b = in.readUnsignedByte(); b != '\n'; b = in.readUnsignedByte()) {
                line.append((char) b);
            }
            return line.toString().strip();
        }

        record Frame(int opcode, byte[] payload) { }

        static Frame read(DataInputStream in) throws IOException {
            int opcode = in.readUnsignedByte() & 0x0F;
            int length = in.readUnsignedByte() & 0x7F;
            length = length == 126 ? in.readUnsignedShort() : length == 127 ? Math.toIntExact(in.readLong()) : length;
            byte[] mask = in.readNBytes(4);
            byte[] payload = in.readNBytes(length);
            if (payload.length < length) {
                throw new EOFException();
            }
            for (int i = 0; i < length; i++) {
                payload[i] ^= mask[i % 4];
            }
            return new Frame(opcode, payload);
        }

        static void write(OutputStream out, boolean last, int opcode, byte[] payload) throws IOException {
            var frame = ByteBuffer.allocate(payload.length + 10).put((byte) (opcode | (last ? 0x80 : 0)));
            if (payload.length < 126) {
                frame.put((byte) payload.length);
            } else if (payload.length < 65_536) {
                frame.put((byte) 126).putShort((short) payload.length);
            } else {
                frame.put((byte) 127).putLong(payload.length);
            }
            frame.put(payload);
            out.write(frame.array(), 0, frame.position());
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
