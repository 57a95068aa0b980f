import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * asyncio: {@code start_server(handler)}, {@code StreamReader}, {@code StreamWriter}, {@code wait_closed}. Final API, JDK 21 and later.
 *
 * <p>Use for a protocol of your own over TCP: a virtual thread for each connection, plain blocking reads and writes, as many connections
 * at once as you say (the next ones wait in the backlog). Do not use for HTTP ({@code jdk.httpserver}).
 *
 * <p>Thread-safe. A read that gets nothing for {@code idle} throws; a <em>write</em> has no time limit in Java, so a peer that does not
 * read keeps its connection until {@link #close}. There is no {@code drain()}: a write waits by itself. What you buffer you must flush.
 *
 * <p>Run: {@code java examples/queues/TcpServer.java}
 */
public final class TcpServer implements AutoCloseable {

    /** Serves one connection, in a virtual thread of its own. When it returns or throws, the connection is closed. */
    @FunctionalInterface
    public interface Handler {
        void serve(Socket connection) throws Exception;
    }

    private final ServerSocket listener;
    private final Semaphore permits;
    private final Duration idle;
    private final Duration grace;
    private final Handler handler;
    private final Consumer<? super Throwable> onFailure;
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    private volatile boolean stopping;

    private TcpServer(ServerSocket listener, int limit, Duration idle, Duration grace, Handler handler,
                      Consumer<? super Throwable> onFailure) {
        this.listener = listener;
        this.permits = new Semaphore(limit);
        this.idle = idle;
        this.grace = grace;
        this.handler = handler;
        this.onFailure = onFailure;
    }

    /**
     * Listens at once. {@code onFailure} gets what handlers and {@code accept} throw, on their threads, and must not throw itself.
     *
     * @param limit connections at once
     * @param idle  longest wait of one read
     * @param grace how long {@link #close} lets connections end by themselves
     */
    public static TcpServer start(InetSocketAddress address, int limit, Duration idle, Duration grace, Handler handler,
                                  Consumer<? super Throwable> onFailure) throws IOException {
        var listener = new ServerSocket(address.getPort(), 0, address.getAddress());
        var server = new TcpServer(listener, limit, idle, grace, handler, onFailure);
        server.executor.execute(server::acceptAll);
        return server;
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) listener.getLocalSocketAddress();
    }

    private void acceptAll() {
        try {
            while (true) {
                permits.acquire(); // before accept: who gets no permit waits in the backlog, not in memory
                try {
                    serveInThread(listener.accept());
                } catch (IOException e) {
                    permits.release();
                    if (listener.isClosed()) {
                        return;
                    }
                    onFailure.accept(e);
                    Thread.sleep(100); // "too many open files" would come back at once, for ever
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void serveInThread(Socket connection) throws IOException {
        try {
            executor.execute(() -> serve(connection));
        } catch (RejectedExecutionException e) { // accepted while close() began
            connection.close();
            permits.release();
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            connection.setSoTimeout(Math.clamp(TimeUnit.MILLISECONDS.convert(idle), 1, Integer.MAX_VALUE)); // 0: for ever
            connection.setTcpNoDelay(true);
            handler.serve(connection);
        } catch (Throwable failure) {
            boolean cancelled = failure instanceof InterruptedException || failure instanceof SocketException;
            if (!(stopping && cancelled)) {
                onFailure.accept(failure);
            }
        } finally {
            permits.release();
        }
    }

    /**
     * Accepts no more, gives the connections {@code grace} to end, then interrupts their threads, which closes sockets they are
     * blocked in. Returns when every handler has returned. An interrupt of the caller ends the grace; its flag stays set.
     */
    @Override
    public void close() {
        try {
            listener.close();
            executor.shutdown();
            boolean ended = executor.awaitTermination(Math.min(TimeUnit.NANOSECONDS.convert(grace), Long.MAX_VALUE / 2), TimeUnit.NANOSECONDS);
            stopping = true;
            if (!ended) {
                executor.shutdownNow();
            }
        } catch (IOException e) {
            onFailure.accept(e);
        } catch (InterruptedException e) {
            stopping = true;
            Thread.currentThread().interrupt(); // close() below sees it and interrupts the handlers
        }
        executor.close();
    }

    /**
     * asyncio: {@code readline()} with its limit, which {@code BufferedReader.readLine} does not have.
     *
     * @param in buffered
     * @return the line without its end, or null where the stream ends
     * @throws IOException if the line is longer than {@code limit} bytes; {@link EOFException} if the stream ends within it
     */
    public static String readLine(InputStream in, int limit) throws IOException {
        var line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0 && line.size() == 0) {
                return null;
            }
            if (b < 0) {
                throw new EOFException("the stream ended within a line");
            }
            if (line.size() == limit) {
                throw new IOException("a line of more than " + limit + " bytes");
            }
            line.write(b);
        }
        String text = line.toString(StandardCharsets.UTF_8);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    public static void main(String[] args) throws Exception {
        var failures = new LinkedBlockingQueue<Throwable>();
        var loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (var server = start(loopback, 100, Duration.ofMinutes(1), Duration.ZERO, TcpServer::shout, failures::add)) {
            try (var client = connect(server); var in = new BufferedInputStream(client.getInputStream())) {
                client.getOutputStream().write("hello\nworld\n".getBytes(StandardCharsets.UTF_8));
                String answer = readLine(in, 100) + " " + readLine(in, 100);
                System.out.println("answer: " + answer);
                check(answer.equals("HELLO WORLD"), "each line is answered");
            }
            try (var flooding = connect(server)) {
                flooding.getOutputStream().write(new byte[2000]);
                Throwable failure = failures.take();
                System.out.println("flooding client: " + failure.getMessage());
                check(failure.getMessage().contains("1000 bytes"), "a line without end is cut");
            }
        }
        try (var strict = start(loopback, 100, Duration.ofMillis(300), Duration.ZERO, TcpServer::shout, failures::add);
             var silent = connect(strict)) {
            int end = silent.getInputStream().read();
            Throwable failure = failures.take();
            System.out.println("silent client: " + failure.getMessage() + ", its connection ended: " + (end == -1));
            check(failure instanceof SocketTimeoutException, "an idle connection is cut");
        }
        System.out.println("closed; every connection has ended");
    }

    private static void shout(Socket connection) throws IOException {
        var in = new BufferedInputStream(connection.getInputStream());
        OutputStream out = new BufferedOutputStream(connection.getOutputStream());
        for (String line = readLine(in, 1000); line != null; line = readLine(in, 1000)) {
            out.write((line.toUpperCase(Locale.ROOT) + "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
        }
    }

    private static Socket connect(TcpServer server) throws IOException {
        var socket = new Socket(); // new Socket(host, port) would wait as long as the system likes
        socket.connect(server.address(), 10_000);
        return socket;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
