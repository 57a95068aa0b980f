import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
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
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * asyncio: {@code start_server(handler)}, {@code StreamReader}, {@code StreamWriter}, {@code wait_closed}. Final API,
 * JDK 21 and later.
 *
 * <p>Use for your own protocol over TCP: a virtual thread for each connection, plain blocking reads and writes, at most
 * {@code limit} connections at a time (more wait in the backlog). Do not use for HTTP ({@code jdk.httpserver}).
 *
 * <p>Thread-safe. A read that gets nothing for {@code idle} throws; a <em>write</em> has no time limit in Java, so a
 * peer that does not read keeps its connection until {@link #close}. There is no {@code drain()}: a write waits by
 * itself. Flush what you buffer.
 *
 * <p>Run: {@code java examples/queues/TcpServer.java}
 */
public final class TcpServer implements AutoCloseable {

    // More than 150 lines: the server, and the two reads with a limit that the JDK lacks.

    /** Serves one connection, in its own virtual thread. When it returns or throws, the connection is closed. */
    @FunctionalInterface
    public interface Handler {
        void serve(Socket connection) throws Exception;
    }

    private final ServerSocket listener;
    private final Semaphore permits;
    private final int idleMillis;
    private final long graceNanos;
    private final Handler handler;
    private final Consumer<? super Throwable> onFailure;
    private final Thread acceptor = Thread.ofVirtual().name("acceptor").unstarted(this::acceptAll);
    private final Set<Thread> serving = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean interrupted = new AtomicBoolean();

    private TcpServer(ServerSocket listener, int limit, Duration idle, Duration grace, Handler handler,
                      Consumer<? super Throwable> onFailure) {
        this.listener = listener;
        this.permits = new Semaphore(limit);
        this.idleMillis = Math.clamp(TimeUnit.MILLISECONDS.convert(idle), 1, Integer.MAX_VALUE); // 0 would be for ever
        this.graceNanos = Math.clamp(TimeUnit.NANOSECONDS.convert(grace), 0, Long.MAX_VALUE / 2);
        this.handler = handler;
        this.onFailure = onFailure;
    }

    /**
     * Listens at once. {@code onFailure} gets what handlers and {@code accept} throw, in their threads; what it throws
     * itself is dropped.
     *
     * @param limit connections at a time, 1 or more
     * @param idle  longest wait of one read, at least a millisecond
     * @param grace how long {@link #close} lets connections end by themselves
     */
    public static TcpServer start(InetSocketAddress address, int limit, Duration idle, Duration grace, Handler handler,
                                  Consumer<? super Throwable> onFailure) throws IOException {
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(idle, "idle");
        Objects.requireNonNull(grace, "grace");
        Objects.requireNonNull(handler, "handler");
        Objects.requireNonNull(onFailure, "onFailure");
        if (limit < 1) {
            throw new IllegalArgumentException("limit is " + limit + ", must be 1 or more");
        }
        var listener = new ServerSocket(address.getPort(), 0, address.getAddress());
        var server = new TcpServer(listener, limit, idle, grace, handler, onFailure);
        server.acceptor.start();
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
                } catch (Throwable e) {
                    permits.release();
                    if (listener.isClosed()) {
                        return;
                    }
                    tell(e);
                    Thread.interrupted(); // left behind by onFailure; close() closes the listener first
                    if (listener.isClosed()) {
                        return;
                    }
                    Thread.sleep(100); // "too many open files" would come back at once, for ever
                }
            }
        } catch (InterruptedException e) {
            // closed while it waited for a permit
        }
    }

    private void serveInThread(Socket connection) throws IOException {
        try {
            Thread thread = Thread.ofVirtual().name("connection").unstarted(() -> serve(connection));
            serving.add(thread);
            try {
                thread.start();
            } catch (Throwable e) { // no memory for it
                serving.remove(thread);
                throw e;
            }
        } catch (Throwable e) {
            connection.close();
            throw e;
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            connection.setSoTimeout(idleMillis);
            connection.setTcpNoDelay(true);
            handler.serve(connection);
        } catch (Throwable failure) {
            boolean cancelled = failure instanceof InterruptedException || failure instanceof SocketException
                    || failure instanceof ClosedByInterruptException;
            if (!(interrupted.get() && cancelled)) {
                Thread.interrupted(); // left behind by the handler
                tell(failure);
            }
        } finally {
            serving.remove(Thread.currentThread());
            permits.release();
        }
    }

    private void tell(Throwable failure) {
        try {
            onFailure.accept(failure);
        } catch (Throwable e) {
            // it costs no connection and no permit
        }
    }

    /**
     * Accepts no more, gives the connections {@code grace} to end, then interrupts their threads, once, which closes
     * sockets they are blocked in. Returns when every handler has returned. An interrupt of the caller ends the grace;
     * its flag stays set. A second call waits, too, as does one from another thread.
     *
     * @throws IllegalStateException if called by a handler, which would wait for itself: let another thread close
     */
    @Override
    public void close() {
        if (serving.contains(Thread.currentThread()) || Thread.currentThread() == acceptor) {
            throw new IllegalStateException("close() called by a handler would wait for itself");
        }
        try {
            listener.close();
        } catch (IOException e) {
            tell(e);
        }
        acceptor.interrupt(); // it waits for a permit, or its accept has ended
        boolean restore = join(acceptor);
        long end = System.nanoTime() + graceNanos;
        try {
            for (Thread thread : serving) {
                if (restore || !thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())))) {
                    break;
                }
            }
        } catch (InterruptedException e) {
            restore = true;
        }
        if (interrupted.compareAndSet(false, true)) {
            serving.forEach(Thread::interrupt);
        }
        for (Thread thread : serving) {
            restore |= join(thread);
        }
        if (restore) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns true if this thread was interrupted meanwhile. */
    private static boolean join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        return interrupted;
    }

    /**
     * asyncio: {@code readuntil(separator)} with its limit. After an exception close the connection: what was read of
     * the message is lost, and the next read would begin in the middle of it.
     *
     * @param in    buffered
     * @param limit of the bytes before the separator
     * @return the bytes and the separator, or null where the stream ends
     * @throws IOException if there are more than {@code limit} bytes; {@link EOFException} if the stream ends before
     *                     the separator
     */
    public static byte[] readUntil(InputStream in, byte[] separator, int limit) throws IOException {
        if (separator.length == 0 || limit < 0) {
            throw new IllegalArgumentException("separator of " + separator.length + " bytes, limit " + limit);
        }
        byte[] read = new byte[Math.min(limit, 100) + separator.length];
        int size = 0;
        while (size < separator.length || !Arrays.equals(read, size - separator.length, size, separator, 0,
                separator.length)) {
            if (size - (long) separator.length >= limit) {
                throw new IOException("more than " + limit + " bytes before the separator");
            }
            int b = in.read();
            if (b < 0 && size == 0) {
                return null;
            }
            if (b < 0) {
                throw new EOFException("the stream ended after " + size + " bytes, before the separator");
            }
            if (size == read.length) {
                read = Arrays.copyOf(read, (int) Math.min(2L * size, limit + (long) separator.length));
            }
            read[size++] = (byte) b;
        }
        return Arrays.copyOf(read, size);
    }

    /**
     * asyncio: {@code readline()} with its limit, which {@code BufferedReader.readLine} does not have: {@link
     * #readUntil} for a line in UTF-8. (asyncio drops a line that is too long and goes on; here the rest would be the
     * next line.)
     *
     * @param in    buffered
     * @param limit of its bytes without the line feed
     * @return the line without its end, or null where the stream ends
     * @throws IOException as {@link #readUntil}
     */
    public static String readLine(InputStream in, int limit) throws IOException {
        byte[] line = readUntil(in, new byte[] {'\n'}, limit);
        if (line == null) {
            return null;
        }
        int end = line.length - 1;
        return new String(line, 0, end > 0 && line[end - 1] == '\r' ? end - 1 : end, StandardCharsets.UTF_8);
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
