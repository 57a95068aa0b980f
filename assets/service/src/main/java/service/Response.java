package service;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** An answer: bytes, or a stream that writes as it goes. Immutable; the bytes are not copied. */
public final class Response {
    private static final Set<String> OURS = Set.of("content-length", "transfer-encoding", "date", "x-request-id");
    final int status;
    final List<Map.Entry<String, String>> headers;
    final byte[] body;
    final Stream stream;
    final boolean events;

    /**
     * Writes a body of any length. A {@code write} waits while the client does not read, and fails if the client takes
     * too long or has gone. An exception cuts the connection, so the client sees that the answer is incomplete.
     * Interrupted at a stop, if the client goes, and if nothing has been written for the handler's timeout.
     */
    @FunctionalInterface
    public interface Stream {
        /** @param out sends parts of 8 KiB, or when flushed; the caller closes it */
        void write(OutputStream out) throws Exception;
    }

    /**
     * Server-sent events. Interrupted when the service stops. Then, or when it returns, the answer is complete and the
     * client connects again.
     */
    @FunctionalInterface
    public interface Events {
        void run(Sink sink) throws Exception;
    }

    private Response(int status, List<Map.Entry<String, String>> headers, byte[] body, Stream stream, boolean events) {
        if (status < 200 || status > 599) {
            throw new IllegalArgumentException("status must be from 200 to 599: " + status);
        }
        if (stream != null && (status == 204 || status == 304)) {
            throw new IllegalArgumentException("an answer with status " + status + " has no body");
        }
        this.status = status;
        this.headers = headers;
        this.body = body;
        this.stream = stream;
        this.events = events;
    }

    public static Response bytes(int status, String contentType, byte[] body) {
        return new Response(status, List.of(), Objects.requireNonNull(body, "body"), null, false)
                .with("Content-Type", Objects.requireNonNull(contentType, "contentType"));
    }

    public static Response text(int status, String text) {
        return bytes(status, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
    }

    /** The usual form of an error: {@code {"error": why, "request_id": id}}. @param requestId null: none */
    public static Response error(int status, String why, String requestId) {
        var text = new StringBuilder("{\"error\":");
        JsonString.append(text, Objects.requireNonNull(why, "why"));
        if (requestId != null) {
            JsonString.append(text.append(",\"request_id\":"), requestId);
        }
        return bytes(status, "application/json", text.append('}').toString().getBytes(StandardCharsets.US_ASCII));
    }

    public static Response empty(int status) {
        return new Response(status, List.of(), new byte[0], null, false);
    }

    /**
     * @param stream not run for HEAD, or if the head cannot be written: release what the handler took for it in {@link
     *               Observer#ends}, from {@link Request#attributes}
     */
    public static Response stream(int status, String contentType, Stream stream) {
        return new Response(status, List.of(), null, Objects.requireNonNull(stream, "stream"), false)
                .with("Content-Type", Objects.requireNonNull(contentType, "contentType"));
    }

    public static Response events(Events events) {
        Objects.requireNonNull(events, "events");
        return new Response(200, List.of(), null, out -> events.run(new Sink(out)), true)
                .with("Content-Type", "text/event-stream").with("Cache-Control", "no-store");
    }

    /** With one more header; a name may occur more than once. {@code Connection: close} closes the connection. */
    public Response with(String name, String value) {
        if (name.isEmpty() || !name.chars().allMatch(c -> c > ' ' && c < 0x7f
                && "\"(),/:;<=>?@[\\]{}".indexOf(c) < 0)) {
            throw new IllegalArgumentException("the name of a header is none");
        }
        if (!value.chars().allMatch(c -> c == '\t' || c >= ' ' && c < 0x7f || c > 0x9f && c <= 0xff)) {
            throw new IllegalArgumentException("the value of the header " + name
                    + " contains a character that must not be there");
        }
        if (OURS.contains(name.toLowerCase(Locale.ROOT))) {
            throw new IllegalArgumentException(name + " is set by the server");
        }
        var all = new ArrayList<>(headers);
        all.add(Map.entry(name, value));
        return new Response(status, List.copyOf(all), body, stream, events);
    }

    boolean has(String name, String value) {
        return headers.stream().anyMatch(h -> h.getKey().equalsIgnoreCase(name) && (value == null || h.getValue()
                .equalsIgnoreCase(value)));
    }

    /** Sends events. Not thread-safe: for one thread. */
    public static final class Sink {
        private final OutputStream out;

        private Sink(OutputStream out) {
            this.out = out;
        }

        /**
         * @param id null for none; the client returns it as {@code Last-Event-ID}
         * @param event null for {@code message}
         * @param data one line or several
         */
        public void send(String id, String event, String data) throws IOException {
            var text = new StringBuilder();
            if (id != null) {
                text.append("id: ").append(line(id)).append('\n');
            }
            if (event != null) {
                text.append("event: ").append(line(event)).append('\n');
            }
            for (String line : data.split("\r\n|\r|\n", -1)) {
                text.append("data: ").append(line).append('\n');
            }
            flush(text.append('\n'));
        }

        /** A comment that shows that the connection is alive. Send one every few seconds of silence. */
        public void ping() throws IOException {
            flush(new StringBuilder(":\n\n"));
        }

        private static String line(String text) {
            if (text.chars().anyMatch(c -> c == '\n' || c == '\r' || c == 0)) {
                throw new IllegalArgumentException("an id or a name of an event is one line");
            }
            return text;
        }

        private void flush(StringBuilder text) throws IOException {
            out.write(text.toString().getBytes(StandardCharsets.UTF_8));
            out.flush();
        }
    }
}
