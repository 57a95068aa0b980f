import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** What comes over a socket comes when it comes. */
public final class ReadsASocket {
    public static void main(String[] args) throws Exception {
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var client = new Socket(server.getInetAddress(), server.getLocalPort());
                var accepted = server.accept()) {
            Thread reader = Thread.startVirtualThread(() -> {
                try {
                    accepted.getInputStream().read();
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            reader.join();
            client.getOutputStream().write(1);
        }
    }
}
