import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The other end of the HTTP measurements, the same for Java and Python, on plain sockets. {@code java HttpLoad serve}
 * answers every request and prints its port; it ends with its standard input. {@code java HttpLoad get PORT
 * CONNECTIONS N SECONDS} sends N requests over kept connections, again and again until that is steady, and prints
 * {@link Steady.Figures#line}; what is cold at first are the client and the server, so only the steady figure counts.
 */
public final class HttpLoad {

    static final String BODY = "x".repeat(100);
    private static final byte[] RESPONSE = ascii("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: "
            + BODY.length() + "\r\n\r\n" + BODY);
    private static final byte[] REQUEST = ascii("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");

    private HttpLoad() {
    }

    public static void main(String[] args) throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            if (args[0].equals("serve")) {
                serve(executor);
            } else {
                int port = Integer.parseInt(args[1]);
                int connections = Integer.parseInt(args[2]);
                int n = Integer.parseInt(args[3]);
                var sockets = new ArrayList<Socket>();
                for (int i = 0; i < connections; i++) {
                    var socket = new Socket(InetAddress.getLoopbackAddress(), port);
                    socket.setTcpNoDelay(true);
                    sockets.add(socket);
                }
                System.out.println(Steady.measure(() -> {
                    long start = System.nanoTime();
                    get(executor, sockets, n / connections);
                    return System.nanoTime() - start;
                }, Double.parseDouble(args[4])).line());
                System.exit(0);
            }
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Over each socket so many requests. */
    private static void get(ExecutorService executor, Iterable<Socket> sockets, int each) throws Exception {
        var futures = new ArrayList<Future<?>>();
        for (Socket socket : sockets) {
            futures.add(executor.submit(() -> {
                var in = new BufferedInputStream(socket.getInputStream());
                for (int i = 0; i < each; i++) {
                    socket.getOutputStream().write(REQUEST);
                    response(in);
                }
                return null;
            }));
        }
        for (var future : futures) {
            future.get();
        }
    }

    private static void response(InputStream in) throws IOException {
        String head = head(in).toLowerCase();
        int at = head.indexOf("content-length:") + 15;
        int length = Integer.parseInt(head.substring(at, head.indexOf('\r', at)).strip());
        if (!head.startsWith("http/1.1 200") || in.readNBytes(length).length != length) {
            throw new IOException(head);
        }
    }

    private static void serve(ExecutorService executor) throws IOException {
        var listener = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
        System.out.println(listener.getLocalPort());
        executor.execute(() -> {
            try {
                while (true) {
                    Socket socket = listener.accept();
                    socket.setTcpNoDelay(true);
                    executor.execute(() -> answer(socket));
                }
            } catch (IOException e) {
                System.exit(1);
            }
        });
        while (System.in.read() >= 0) { // until whoever started it has gone
            continue;
        }
        System.exit(0);
    }

    private static void answer(Socket socket) {
        try (socket) {
            var in = new BufferedInputStream(socket.getInputStream());
            while (!head(in).isEmpty()) {
                socket.getOutputStream().write(RESPONSE);
            }
        } catch (IOException e) {
            // the client has left
        }
    }

    /** Up to and including the empty line; empty at the end of the stream. */
    private static String head(InputStream in) throws IOException {
        var head = new StringBuilder();
        for (int b = in.read(); b >= 0; b = in.read()) {
            head.append((char) b);
            int end = head.length();
            if (b == '\n' && end > 3 && head.charAt(end - 3) == '\n') {
                return head.toString();
            }
        }
        return "";
    }
}
