import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: interrupting a virtual thread in a socket read closes the <em>socket</em>
 * ({@code SocketException: Closed by interrupt}): cancelling one read ends the connection for everyone. A platform
 * thread in the same read does not hear the interrupt at all.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27).
 * Cure: {@code setSoTimeout} where the connection must live on, below. Where it need not, the interrupt is a fine
 * cancellation.
 *
 * <p>Run: {@code java examples/traps/InterruptClosesSocket.java}
 */
public final class InterruptClosesSocket {

    private InterruptClosesSocket() {
    }

    // @start region="wrong"
    /** Empty if nothing came in time; the caller means to try again. */
    static OptionalInt poll(ExecutorService executor, Socket socket, Duration timeout)
            throws InterruptedException, ExecutionException {
        Future<Integer> read = executor.submit(() -> socket.getInputStream().read());
        try {
            return OptionalInt.of(read.get(timeout.toMillis(), TimeUnit.MILLISECONDS));
        } catch (TimeoutException e) {
            read.cancel(true); // closes the socket
            return OptionalInt.empty();
        }
    }
    // @end region="wrong"

    // @start region="right"
    static OptionalInt poll(Socket socket, Duration timeout) throws IOException {
        socket.setSoTimeout(Math.toIntExact(Math.max(1, timeout.toMillis()))); // 0 would be for ever
        try {
            return OptionalInt.of(socket.getInputStream().read());
        } catch (SocketTimeoutException e) {
            return OptionalInt.empty();
        }
    }
    // @end region="right"

    public static void main(String[] args) throws Exception {
        var timeout = Duration.ofMillis(500); // the read has begun by then, also on a busy machine
        try (var server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
             var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            try (var client = new Socket(server.getInetAddress(), server.getLocalPort()); var peer = server.accept()) {
                OptionalInt nothing = poll(executor, client, timeout);
                int end = peer.getInputStream().read(); // the peer sees the end of the stream
                System.out.println("wrong: read given up " + nothing.isEmpty() + ", socket closed " + client.isClosed()
                        + ", peer read " + end);
                check(nothing.isEmpty() && client.isClosed() && end == -1, "a cancelled read ends the connection");
            }
            try (var client = new Socket(server.getInetAddress(), server.getLocalPort()); var peer = server.accept()) {
                OptionalInt nothing = poll(client, timeout);
                peer.getOutputStream().write(42);
                OptionalInt answer = poll(client, Duration.ofSeconds(30));
                System.out.println("right: read given up " + nothing.isEmpty() + ", socket closed " + client.isClosed()
                        + ", next read " + answer.getAsInt());
                check(nothing.isEmpty() && answer.getAsInt() == 42, "the connection lives on");
            }
            try (var client = new Socket(server.getInetAddress(), server.getLocalPort()); var peer = server.accept()) {
                var got = new AtomicInteger(-2);
                Thread reader = Thread.ofPlatform().start(() -> {
                    try {
                        got.set(client.getInputStream().read());
                    } catch (IOException e) {
                        got.set(-3);
                    }
                });
                Thread.sleep(50);
                reader.interrupt();
                reader.join(Duration.ofMillis(100));
                boolean deaf = reader.isAlive();
                peer.getOutputStream().write(42);
                reader.join();
                System.out.println("       platform thread: reading after interrupt " + deaf + ", then read " + got);
                check(deaf && got.get() == 42, "a platform thread does not hear the interrupt");
            }
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
