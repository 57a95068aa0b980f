package service;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Writes HTTP/1.1 answers, in parts, so that a client that has stopped reading is told from one that is slow. One
 * thread at a time.
 */
final class HttpWriter {
    private static final int PART = 16 << 10;
    private static final long PART_OF_MANY = Duration.ofMillis(250).toNanos(); // 64 KiB a second
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'",
            Locale.ROOT)
            .withZone(ZoneOffset.UTC);
    private static final Map<Integer, String> REASONS = Map.ofEntries(Map.entry(200, "OK"), Map.entry(201, "Created"),
            Map.entry(202, "Accepted"), Map.entry(204, "No Content"), Map.entry(301, "Moved Permanently"),
                    Map.entry(302, "Found"),
            Map.entry(303, "See Other"), Map.entry(304, "Not Modified"), Map.entry(400, "Bad Request"),
                    Map.entry(401, "Unauthorized"),
            Map.entry(403, "Forbidden"), Map.entry(404, "Not Found"), Map.entry(405, "Method Not Allowed"),
                    Map.entry(408, "Request Timeout"),
            Map.entry(409, "Conflict"), Map.entry(413, "Content Too Large"), Map.entry(415, "Unsupported Media Type"),
            Map.entry(429, "Too Many Requests"), Map.entry(500, "Internal Server Error"), Map.entry(502, "Bad Gateway"),
            Map.entry(503, "Service Unavailable"), Map.entry(504, "Gateway Timeout"));
    private static volatile Map.Entry<Long, String> date = Map.entry(0L, "");
    private final OutputStream out;
    private final long patience;
    private final LongConsumer waits;

    /** @param patience for one part @param waits told until when the next write may take, then 0: it has ended */
    HttpWriter(OutputStream out, Duration patience, LongConsumer waits) {
        this.out = out;
        this.patience = Sweeper.nanos(patience);
        this.waits = waits;
    }

    /** @param request null if it could not be understood @param close whether the connection ends with this answer */
    void write(Response response, Request request, boolean close) throws IOException {
        boolean bodiless = response.status == 204 || response.status == 304;
        byte[] head = head(response, request, close, bodiless ? "" : "Content-Length: " + response.body.length
                + "\r\n");
        byte[] body = bodiless || request != null && request.method().equals("HEAD") ? new byte[0] : response.body;
        int first = Math.min(body.length, PART);
        byte[] part = Arrays.copyOf(head, head.length + first);
        System.arraycopy(body, 0, part, head.length, first);
        long end = System.nanoTime() + patience
                + (body.length / PART) * PART_OF_MANY; // a client must not hold it for ever
        raw(part, 0, part.length, end);
        for (int i = first; i < body.length; i += PART) {
            raw(body, i, Math.min(PART, body.length - i), end);
        }
    }

    void raw(byte[] bytes) throws IOException {
        raw(bytes, 0, bytes.length, Long.MAX_VALUE + System.nanoTime());
    }

    private void raw(byte[] bytes, int from, int length, long end) throws IOException {
        long now = System.nanoTime();
        waits.accept(now + Math.min(patience, end - now) | 1);
        try {
            out.write(bytes, from, length);
        } finally {
            waits.accept(0);
        }
    }

    /** The head of an answer whose body follows. @param wrote called at each part of it */
    Body stream(Response response, Request request, boolean close, Runnable wrote) throws IOException {
        boolean chunked = request.http11();
        raw(head(response, request, close || !chunked, chunked ? "Transfer-Encoding: chunked\r\n" : ""));
        return new Body(chunked, wrote);
    }

    private static byte[] head(Response response, Request request, boolean close, String framing) {
        var head = new StringBuilder(256);
        head.append("HTTP/1.1 ").append(response.status).append(' ')
                .append(REASONS.getOrDefault(response.status, "Status"))
                .append("\r\nDate: ").append(date()).append("\r\n").append(framing);
        for (var header : response.headers) {
            if (!header.getKey().equalsIgnoreCase("Connection")) {
                head.append(header.getKey()).append(": ").append(header.getValue()).append("\r\n");
            }
        }
        if ((response.status == 503 || response.status == 429 || response.status == 408 || response.status == 504)
                && !response.has("Retry-After", null)) {
            head.append("Retry-After: 1\r\n"); // every refusal says when to come back
        }
        if (request != null) {
            head.append("X-Request-Id: ").append(request.id()).append("\r\n");
        }
        if (close) {
            head.append("Connection: close\r\n");
        } else if (!request.http11()) {
            head.append("Connection: keep-alive\r\n");
        }
        return head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String date() {
        long second = System.currentTimeMillis() / 1_000;
        var last = date;
        if (last.getKey() != second) {
            last = Map.entry(second, DATE.format(Instant.ofEpochSecond(second)));
            date = last;
        }
        return last.getValue();
    }

    /** A body of unknown length, in chunks; to a client of HTTP/1.0, up to the end of the connection. */
    final class Body extends OutputStream {
        private static final int ROOM = 6; // for the length of a chunk: 4 digits, CR, LF
        private final byte[] buffer = new byte[ROOM + 8192 + 2];
        private final boolean chunked;
        private final Runnable wrote;
        private int size;
        private boolean failed;

        private Body(boolean chunked, Runnable wrote) {
            this.chunked = chunked;
            this.wrote = wrote;
        }

        /** A part could not be written, or all have been. */
        boolean failed() {
            return failed;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            for (int done = 0; done < length; ) {
                int n = Math.min(length - done, 8192 - size);
                System.arraycopy(bytes, from + done, buffer, ROOM + size, n);
                size += n;
                done += n;
                if (size == 8192) {
                    flush();
                }
            }
        }

        @Override
        public void flush() throws IOException {
            if (failed) {
                throw new IOException("no more can be written");
            }
            if (size == 0) {
                return;
            }
            int from = ROOM;
            int to = ROOM + size;
            if (chunked) {
                byte[] length = (Integer.toHexString(size) + "\r\n").getBytes(StandardCharsets.US_ASCII);
                from = ROOM - length.length;
                System.arraycopy(length, 0, buffer, from, length.length);
                buffer[to++] = '\r';
                buffer[to++] = '\n';
            }
            failed = true;
            wrote.run();
            raw(buffer, from, to - from, Long.MAX_VALUE + System.nanoTime());
            failed = false;
            wrote.run();
            size = 0;
        }

        /** Flushes; the end is written by {@link #finish}. */
        @Override
        public void close() throws IOException {
            flush();
        }

        void finish() throws IOException {
            flush();
            failed = true;
            if (chunked) {
                raw("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            }
        }
    }
}
