import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a connection costs a server in memory: {@code java ServiceMemory.java URL PID COUNT}. Idle: one request, then
 * nothing. Slow: half a head. Streaming: server-sent events that are read. Resident memory, from /proc.
 */
public final class ServiceMemory {

    private ServiceMemory() {
    }

    public static void main(String[] args) throws Exception {
        URI uri = URI.create(args[0]);
        long pid = Long.parseLong(args[1]);
        int count = Integer.parseInt(args[2]);
        String head = " HTTP/1.1\r\nHost: " + uri.getAuthority() + "\r\n";
        measure(uri, pid, count, "warm up", "GET /hello/you" + head + "\r\n");
        measure(uri, pid, count, "idle", "GET /hello/you" + head + "\r\n");
        measure(uri, pid, count, "slow", "GET /hello/you" + head + "X-Slow: ");
        measure(uri, pid, count, "streaming", "GET /ticks" + head + "\r\n");
    }

    private static void measure(URI uri, long pid, int count, String what, String request) throws Exception {
        long before = resident(pid);
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                var socket = new Socket(uri.getHost(), uri.getPort());
                sockets.add(socket);
                socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            }
            Thread.sleep(2_000);
            System.out.printf("%-10s %,8d bytes a connection%n", what, (resident(pid) - before) / count);
        } finally {
            for (var socket : sockets) {
                socket.close();
            }
        }
        Thread.sleep(2_000);
    }

    private static long resident(long pid) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        throw new IOException("no process " + pid);
    }
}
