import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.LongAdder;

/** Requests a second, where wrk is missing: {@code java ServiceLoad.java URL SECONDS CONNECTIONS [BODY]}. */
public final class ServiceLoad {

    private ServiceLoad() {
    }

    public static void main(String[] args) throws Exception {
        URI uri = URI.create(args[0]);
        int seconds = Integer.parseInt(args[1]);
        String body = args.length > 3 ? args[3] : "";
        byte[] request = ((body.isEmpty() ? "GET " : "POST ") + uri.getPath() + " HTTP/1.1\r\nHost: "
                + uri.getAuthority() + "\r\n"
                + (body.isEmpty() ? "" : "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n")
                + "\r\n" + body).getBytes(StandardCharsets.US_ASCII);
        var answers = new LongAdder();
        var wrong = new LongAdder();
        Queue<long[]> latencies = new ConcurrentLinkedQueue<>();
        long start = System.nanoTime();
        long end = start + seconds * 1_000_000_000L;
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < Integer.parseInt(args[2]); i++) {
                threads.submit(() -> {
                    try (var socket = new Socket(uri.getHost(), uri.getPort())) {
                        socket.setTcpNoDelay(true);
                        InputStream in = new BufferedInputStream(socket.getInputStream());
                        long[] took = new long[1024];
                        int n = 0;
                        for (long begin; (begin = System.nanoTime()) < end; ) {
                            socket.getOutputStream().write(request);
                            (answer(in) / 100 == 2 ? answers : wrong).increment();
                            took = n == took.length ? Arrays.copyOf(took, 2 * n) : took;
                            took[n++] = System.nanoTime() - begin;
                        }
                        latencies.add(Arrays.copyOf(took, n));
                    }
                    return null;
                });
            }
        }
        System.out.printf("Requests/sec: %10.2f%n", answers.sum() * 1e9 / (System.nanoTime() - start));
        long[] all = latencies.stream().flatMapToLong(Arrays::stream).sorted().toArray();
        System.out.printf("99%% %10.2fms%n", all.length == 0 ? 0 : all[all.length * 99 / 100] / 1e6);
        if (wrong.sum() > 0) {
            System.out.println("Non-2xx or 3xx responses: " + wrong.sum());
        }
    }

    private static int answer(InputStream in) throws IOException {
        int status = Integer.parseInt(line(in).substring(9, 12));
        int length = 0;
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            if (line.regionMatches(true, 0, "Content-Length:", 0, 15)) {
                length = Integer.parseInt(line.substring(15).strip());
            }
        }
        in.skipNBytes(length);
        return status;
    }

    private static String line(InputStream in) throws IOException {
        var line = new StringBuilder();
        for (int b; (b = in.read()) != '\n'; ) {
            if (b < 0) {
                throw new IOException("closed");
            }
            if (b != '\r') {
                line.append((char) b);
            }
        }
        return line.toString();
    }
}
