package service;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** A client that sends what it is told, byte for byte, and reads answers strictly. */
final class Wire implements AutoCloseable {

    final Socket socket;
    private final InputStream in;

    Wire(HttpService service) throws IOException {
        this(service.port());
    }

    Wire(int port) throws IOException {
        this(new Socket(InetAddress.getLoopbackAddress(), port));
    }

    private Wire(Socket socket) throws IOException {
        this.socket = socket;
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(300_000);
        this.in = new BufferedInputStream(socket.getInputStream());
    }

    record Answer(int status, String head, String body) {
        String field(String name) {
            return head.lines().filter(line -> line.toLowerCase(Locale.ROOT).startsWith(name.toLowerCase(Locale.ROOT)
                    + ": "))
                    .map(line -> line.substring(name.length() + 2)).findFirst().orElse(null);
        }
    }

    Wire send(String bytes) throws IOException {
        socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    Wire get(String path) throws IOException {
        return send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    }

    Wire post(String path, String type, String body) throws IOException {
        return send("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: " + type + "\r\nContent-Length: "
                + body.length()
                + "\r\n\r\n" + body);
    }

    String head() throws IOException {
        var head = new ByteArrayOutputStream();
        while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
            int b = in.read();
            if (b < 0) {
                throw new IOException("ended after: " + head.toString(StandardCharsets.ISO_8859_1));
            }
            head.write(b);
        }
        return head.toString(StandardCharsets.ISO_8859_1);
    }

    /** @throws IOException the answer is not complete */
    Answer answer() throws IOException {
        return answer(true);
    }

    Answer answer(boolean withBody) throws IOException {
        String head = head();
        var answer = new Answer(Integer.parseInt(head.substring(9, 12)), head, "");
        String body = "";
        if (!withBody) {
            return answer;
        } else if (answer.field("Content-Length") != null) {
            body = exactly(Integer.parseInt(answer.field("Content-Length")));
        } else if ("chunked".equals(answer.field("Transfer-Encoding"))) {
            var all = new StringBuilder();
            for (int size = size(); size > 0; size = size()) {
                all.append(exactly(size));
                exactly(2);
            }
            exactly(2);
            body = all.toString();
        } else if (answer.status != 204 && answer.status != 304) {
            body = rest();
        }
        return new Answer(answer.status, head, body);
    }

    private int size() throws IOException {
        var line = new StringBuilder();
        for (int b = in.read(); b != '\r'; b = in.read()) {
            if (b < 0) {
                throw new IOException("ended in the middle of a body");
            }
            line.append((char) b);
        }
        in.read();
        return Integer.parseInt(line.toString(), 16);
    }

    String exactly(int count) throws IOException {
        byte[] bytes = in.readNBytes(count);
        if (bytes.length < count) {
            throw new IOException("ended in the middle of a body");
        }
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** Up to the end of the connection. */
    String rest() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
