package service;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A client's request. Valid until its handler, or the stream it returned, has ended. For one thread, except where
 * noted.
 */
public final class Request {
    private final HttpReader.Head head;
    private final String id;
    private final String client;
    final Memory.Lease memory;
    final long begun = System.nanoTime();
    final Router.Match match;
    volatile boolean gone;
    private final Map<String, Object> attributes = new ConcurrentHashMap<>(4);
    InputStream stream;
    private byte[] bytes = new byte[0];
    Object parsed; // of what reads the body whole

    Request(HttpReader.Head head, Router router, Memory.Lease memory, String client) throws HttpError {
        this.head = head;
        this.memory = memory;
        this.client = client;
        decode(head.path());
        if (head.query() != null) {
            decode(head.query());
        }
        String given = head.field("x-request-id");
        this.id = given != null && !given.isEmpty() && given.length() <= 64 && given.chars()
                .allMatch(Request::isPlain) ? given
                : Long.toHexString(ThreadLocalRandom.current().nextLong() | Long.MIN_VALUE);
        this.match = router.match(head.method(), head.path());
    }

    private static boolean isPlain(int c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || "-_.".indexOf(c) >= 0;
    }

    /** Bytes of the body, or -1 if it is chunked. */
    long length() {
        return head.length();
    }

    boolean http11() {
        return head.http11();
    }

    /** Whether the client wants to keep the connection. */
    boolean wantsToStay() {
        String wish = String.join(",", head.fields().getOrDefault("connection", List.of())).toLowerCase(Locale.ROOT);
        return http11() ? !wish.contains("close") : wish.contains("keep-alive");
    }

    public String method() {
        return head.method();
    }

    /** As sent, not decoded, without the query. */
    public String path() {
        return head.path();
    }

    /** The route's pattern, such as {@code /users/{id}}; "unmatched" if there is none. */
    public String pattern() {
        return match.route() == null ? "unmatched" : match.route().pattern;
    }

    /** Whether there is a handler for it. */
    boolean isRouted() {
        return match.route() != null;
    }

    /** Whether it is a probe, answered even under overload. */
    boolean always() {
        return match.route() != null && match.route().always;
    }

    /** Taken from {@code X-Request-Id} if that is harmless, else new. */
    public String id() {
        return id;
    }

    /** The address of the connection's other end: a load balancer's, if there is one. */
    public String client() {
        return client;
    }

    /** For other memory that this request holds until it is answered: take it before you allocate. Thread-safe. */
    public Memory.Lease memory() {
        return memory;
    }

    /**
     * Whether the connection has ended: nobody reads the answer. The handler is then interrupted. A client that ends
     * only its own side while a handler runs cannot be told from one that has gone. Thread-safe.
     */
    public boolean clientGone() {
        return gone;
    }

    /** The first value, or null. @param name in upper or lower case */
    public String header(String name) {
        return head.field(name.toLowerCase(Locale.ROOT));
    }

    public List<String> headers(String name) {
        return List.copyOf(head.fields().getOrDefault(name.toLowerCase(Locale.ROOT), List.of()));
    }

    /** The part of the path that matches {@code {name}} in the route, decoded. */
    public String path(String name) {
        return decoded(head.path().split("/", -1)[match.route().position(name)]);
    }

    /** The first value with that name in the query, or null. */
    public String query(String name) {
        var values = queries(name);
        return values.isEmpty() ? null : values.get(0);
    }

    /** All values with that name in the query. */
    public List<String> queries(String name) {
        var values = new ArrayList<String>();
        for (String pair : head.query() == null ? new String[0] : head.query().replace('+', ' ').split("&")) {
            int equals = pair.indexOf('=');
            if (decoded(equals < 0 ? pair : pair.substring(0, equals)).equals(name)) {
                values.add(equals < 0 ? "" : decoded(pair.substring(equals + 1)));
            }
        }
        return values;
    }

    private static String decoded(String text) {
        try {
            return decode(text);
        } catch (HttpError e) {
            throw new IllegalStateException(e); // looked at by the constructor
        }
    }

    private static String decode(String text) throws HttpError {
        if (text.indexOf('%') < 0) {
            return text;
        }
        byte[] bytes = new byte[text.length()];
        int size = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '%') {
                if (i + 2 >= text.length() || !HexFormat.isHexDigit(text.charAt(i + 1))
                        || !HexFormat.isHexDigit(text.charAt(i + 2))) {
                    throw new HttpError(400, "a % in the address without two digits");
                }
                c = (char) (HexFormat.fromHexDigit(text.charAt(i + 1)) << 4 | HexFormat.fromHexDigit(text.charAt(i
                        + 2)));
                i += 2;
            }
            bytes[size++] = (byte) c;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, 0, size)).toString();
        } catch (CharacterCodingException e) {
            throw new HttpError(400, "the address is not UTF-8");
        }
    }

    /** The body, not copied; empty on a {@link Router.Route#streaming} route. */
    public byte[] body() {
        if (bytes == null) {
            throw new IllegalStateException("the request has been answered: its body is gone");
        }
        return bytes;
    }

    /**
     * The body of a {@link Router.Route#streaming} route. Reads fail if the client is silent for too long, or sends
     * more than the route allows.
     */
    public InputStream stream() {
        return stream;
    }

    /** Takes memory for what has arrived, not for what was announced. */
    void readBody() throws IOException {
        int size = 0;
        byte[] read = new byte[0];
        long announced = head.length();
        int n = 0;
        while (n >= 0) {
            if (size == read.length) {
                if (size == announced) {
                    break;
                }
                long twice = Math.max(1024, Math.min(2L * size, Integer.MAX_VALUE - 8));
                int larger = (int) (announced < 0 ? twice : Math.min(twice, announced));
                if (larger == size) {
                    throw new HttpError(413, "the body is larger than an array");
                }
                memory.take(larger);
                read = Arrays.copyOf(read, larger);
                memory.give(size);
            }
            n = stream.read(read, size, read.length - size);
            size += Math.max(0, n);
        }
        bytes = size == read.length ? read : Arrays.copyOf(read, size);
    }

    /** It is answered. What is no longer counted is not held while the connection lingers. */
    void release() {
        bytes = null;
        parsed = null;
        memory.close();
    }

    /**
     * What hooks and the handler pass to {@link Observer#answered} or to each other, such as a user's name. {@code
     * Main} writes them into the access log. Thread-safe; no nulls.
     */
    public Map<String, Object> attributes() {
        return attributes;
    }
}
