import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;

/** An HTTP server on a raw socket that misbehaves in one way; counts the connections it got and those still open. */
final class HostileServer implements AutoCloseable {

    enum Fault {
        HEALTHY, SLOW_ACCEPT, REFUSES, NEVER_ACCEPTS, SILENT, STALLS_IN_HEADERS, STALLS_IN_BODY, TRICKLES,
                ENDLESS_BODY, CLOSES_AT_ONCE, RESETS_AT_ONCE,
        RESETS_IN_BODY, SHORT_BODY, SHORT_CHUNK, LONG_BODY, GARBAGE, BAD_LENGTH, HUGE_HEADERS, CLOSES_IDLE, BUSY,
                REDIRECTS_FOR_EVER, NEVER_READS
    }

    final AtomicInteger requests = new AtomicInteger();
    final AtomicInteger connections = new AtomicInteger();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final List<Socket> fillers = new ArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final ServerSocket listener;
    private final Fault fault;
    private final int port;

    HostileServer(Fault fault) throws IOException {
        this.fault = fault;
        listener = new ServerSocket(0, fault == Fault.NEVER_ACCEPTS ? 1 : 200, InetAddress.getLoopbackAddress());
        if (fault == Fault.REFUSES) {
            listener.close();
            var bound = new Socket(); // and does not listen: nobody else gets the port meanwhile
            bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            port = bound.getLocalPort();
            fillers.add(bound);
            return;
        }
        port = listener.getLocalPort();
        if (fault == Fault.NEVER_ACCEPTS) {
            for (int i = 0; i < 2; i++) { // the kernel takes one more than the backlog and then drops what comes
                fillers.add(new Socket(listener.getInetAddress(), port));
            }
        } else {
            Thread.ofVirtual().start(this::accept);
        }
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + port + "/" + fault);
    }

    int open() {
        return open.size();
    }

    /** Waits until no connection is open. */
    void awaitAllClosed() throws InterruptedException {
        while (!open.isEmpty()) {
            Thread.sleep(2);
        }
    }

    private void accept() {
        try {
            while (true) {
                if (fault == Fault.SLOW_ACCEPT) {
                    Thread.sleep(100);
                }
                Socket socket = listener.accept();
                connections.incrementAndGet();
                open.add(socket);
                Thread.ofVirtual().start(() -> serve(socket));
            }
        } catch (IOException | InterruptedException e) {
            // closed
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            var in = new BufferedInputStream(socket.getInputStream());
            while (fault == Fault.NEVER_READS || readRequest(in)) {
                requests.incrementAndGet();
                if (!answer(socket, in, socket.getOutputStream())) {
                    return;
                }
            }
        } catch (IOException | InterruptedException e) {
            // the client has left
        } finally {
            open.remove(socket);
        }
    }

    /** Returns false if the connection is to be closed. */
    private boolean answer(Socket socket, InputStream in, OutputStream out) throws IOException, InterruptedException {
        switch (fault) {
            case HEALTHY, SLOW_ACCEPT -> write(out, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            case CLOSES_IDLE -> {
                write(out, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                return false; // and never said "Connection: close"
            }
            case BUSY -> write(out,
                    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nbusy");
            case REDIRECTS_FOR_EVER -> write(out,
                    "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
            case SILENT -> in.read();
            case NEVER_READS -> closed.await();
            case STALLS_IN_HEADERS -> {
                write(out, "HTTP/1.1 200 OK\r\nContent-Le");
                in.read();
            }
            case STALLS_IN_BODY -> {
                write(out, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello");
                in.read();
            }
            case TRICKLES -> {
                write(out, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
                for (int i = 0; i < 1000; i++) {
                    write(out, "x");
                    Thread.sleep(100);
                }
            }
            case ENDLESS_BODY -> {
                write(out, "HTTP/1.1 200 OK\r\n\r\n");
                while (true) {
                    out.write(new byte[16_384]);
                }
            }
            case CLOSES_AT_ONCE -> {
                return false;
            }
            case RESETS_AT_ONCE -> socket.setSoLinger(true, 0);
            case RESETS_IN_BODY -> {
                write(out, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello");
                Thread.sleep(50); // a reset overtakes what was not yet read
                socket.setSoLinger(true, 0);
            }
            case SHORT_BODY -> write(out, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello");
            case SHORT_CHUNK -> write(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
            case LONG_BODY -> write(out,
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more that was not announced");
            case GARBAGE -> write(out, "220 smtp.example.org ESMTP\r\n\r\n");
            case BAD_LENGTH -> write(out, "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nok");
            case HUGE_HEADERS -> {
                write(out, "HTTP/1.1 200 OK\r\n");
                for (int i = 0; i < 1000; i++) {
                    write(out, "X-" + i + ": " + "x".repeat(1000) + "\r\n");
                }
                write(out, "Content-Length: 2\r\n\r\nok");
            }
            default -> throw new IllegalStateException(fault.name());
        }
        return Set.of(Fault.HEALTHY, Fault.SLOW_ACCEPT, Fault.BUSY, Fault.REDIRECTS_FOR_EVER,
                Fault.LONG_BODY).contains(fault);
    }

    private static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    /** False at the end of the stream. */
    private static boolean readRequest(InputStream in) throws IOException {
        var head = new StringBuilder();
        while (head.length() < 4 || !head.substring(head.length() - 4).equals("\r\n\r\n")) {
            int b = in.read();
            if (b < 0) {
                return false;
            }
            head.append((char) b);
        }
        var length = Pattern.compile("(?i)content-length: (\\d+)").matcher(head);
        if (length.find()) {
            in.readNBytes(Integer.parseInt(length.group(1)));
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        closed.countDown();
        listener.close();
        for (Socket socket : fillers) {
            socket.close();
        }
        for (Socket socket : open) {
            socket.close();
        }
    }
}
