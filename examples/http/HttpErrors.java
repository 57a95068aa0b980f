import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;

/**
 * aiohttp: {@code ClientConnectorError}, {@code ServerDisconnectedError}, {@code ServerTimeoutError},
 * {@code ClientPayloadError}, {@code raise_for_status()}. Final API, JDK 21 and later.
 *
 * <p>Use to handle a failed call by its kind: {@code HttpClient} throws {@link IOException} for nearly all, in forms
 * that differ by JDK. {@link Failure#repeatable} is the rule for {@code Retry}. Do not use for a status the caller
 * understands: look at {@code response.statusCode()}.
 *
 * <p>Immutable and thread-safe. A GET that meets a dropped connection is sent again by {@code HttpClient} itself (2
 * attempts on 21 and 25, 5 from 26 on; never a POST), so you see the failure of the last attempt.
 *
 * <p>Run: {@code java examples/http/HttpErrors.java}
 */
public final class HttpErrors {

    private HttpErrors() {
    }

    // @start region="failure"
    /** What went wrong. */
    public sealed interface Failure {

        /** The exception it was made from. */
        Exception cause();

        /**
         * True if the call may be repeated: it has not reached the server, or doing it twice does no harm and may help.
         */
        default boolean repeatable(HttpRequest request) {
            return switch (this) {
                case Refused f -> true;
                case ConnectTimedOut f -> true;
                case TimedOut f -> idempotent(request);
                case Dropped f -> idempotent(request);
                case BadStatus f -> f.status() == 429 || Set.of(408, 502, 503, 504).contains(f.status())
                        && idempotent(request);
                case UnknownHost f -> false;
                case Untrusted f -> false;
                case Malformed f -> false;
                case Other f -> false;
            };
        }
    }

    /** Nobody listens there. */
    public record Refused(Exception cause) implements Failure { }

    /** The name has no address at the moment. */
    public record UnknownHost(Exception cause) implements Failure { }

    /** No answer to the attempt to connect: overloaded, or a firewall. */
    public record ConnectTimedOut(Exception cause) implements Failure { }

    /**
     * Connected, but not answered in time, or the body did not end in time. The server may have acted on the request.
     */
    public record TimedOut(Exception cause) implements Failure { }

    /** The connection was closed or reset before the answer was complete. The server may have acted on the request. */
    public record Dropped(Exception cause) implements Failure { }

    /** The TLS handshake failed: certificate, host name, protocol. Trying again does not help. */
    public record Untrusted(Exception cause) implements Failure { }

    /** What came is not HTTP, or breaks its rules or limits. */
    public record Malformed(Exception cause) implements Failure { }

    /** @param retryAfter the header as it came: {@code Retry.parseRetryAfter} */
    public record BadStatus(int status, Optional<String> retryAfter, Exception cause) implements Failure { }

    /** Anything else: a closed client, a full disk. */
    public record Other(Exception cause) implements Failure { }

    /** Never null. An exception that wraps {@code HttpClient}'s, to any depth, is classified like the wrapped one. */
    public static Failure of(Exception failure) {
        Objects.requireNonNull(failure, "failure");
        var causes = Stream.<Throwable>iterate(failure, cause -> cause != null, Throwable::getCause).limit(20).toList();
        if (has(causes, StatusException.class)) {
            var status = (StatusException) causes.stream().filter(StatusException.class::isInstance)
                    .findFirst().orElseThrow();
            return new BadStatus(status.status, status.retryAfter, failure);
        }
        if (has(causes, HttpConnectTimeoutException.class)) {
            return new ConnectTimedOut(failure);
        }
        // from 26 on also as the cause of "closed" or "bytes received: 5"
        if (has(causes, HttpTimeoutException.class)) {
            return new TimedOut(failure);
        }
        if (has(causes, UnresolvedAddressException.class)) { // inside a ConnectException
            return new UnknownHost(failure);
        }
        if (has(causes, ConnectException.class)) {
            return new Refused(failure);
        }
        if (has(causes, SSLException.class)) {
            return new Untrusted(failure);
        }
        // bad Content-Length on 21 to 26
        if (has(causes, ProtocolException.class) || has(causes, IllegalArgumentException.class)) {
            return new Malformed(failure);
        }
        if (has(causes, SocketException.class) || has(causes, EOFException.class)) {
            return new Dropped(failure);
        }
        return new Other(failure);
    }
    // @end region="failure"

    // @start region="status"
    /** A status that the caller did not want. */
    public static final class StatusException extends IOException {
        private static final long serialVersionUID = 1;
        private final int status;
        private final transient Optional<String> retryAfter;

        private StatusException(HttpResponse<?> response) {
            super(response.request().method() + " " + response.uri() + " answered " + response.statusCode());
            status = response.statusCode();
            retryAfter = response.headers().firstValue("Retry-After");
        }
    }

    /**
     * aiohttp: {@code raise_for_status()}. Returns the response, if its status is 200 to 299. After five redirects
     * {@code HttpClient} returns the sixth as the response: a 302 here is a failure too.
     */
    public static <T> HttpResponse<T> requireSuccess(HttpResponse<T> response) throws IOException {
        if (response.statusCode() / 100 != 2) {
            throw new StatusException(response);
        }
        return response;
    }
    // @end region="status"

    private static boolean has(List<Throwable> causes, Class<? extends Throwable> type) {
        return causes.stream().anyMatch(type::isInstance);
    }

    private static boolean idempotent(HttpRequest request) {
        return Set.of("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE").contains(request.method());
    }

    public static void main(String[] args) throws Exception {
        try (var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build()) {
            var seen = new ArrayList<Failure>();
            for (String answer
                    : List.of("HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n",
                            "220 not HTTP\r\n\r\n", "wait",
                    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly the beginning", "")) {
                try (var server = server(answer)) {
                    var uri = URI.create("http://127.0.0.1:" + server.getLocalPort());
                    var request = HttpRequest.newBuilder(uri)
                            .timeout(Duration.ofMillis(answer.equals("wait") ? 1_000 : 20_000)).build();
                    try {
                        var response = requireSuccess(client.send(request, BodyHandlers.ofString()));
                        check(false, "a failure, not " + response);
                    // @start region="use"
                    } catch (IOException | IllegalArgumentException e) {
                        Failure failure = HttpErrors.of(e);
                        System.out.println(switch (failure) {
                            case BadStatus bad -> "status " + bad.status() + ", come back in "
                                    + bad.retryAfter().orElse("a while") + " s";
                            case TimedOut late -> "no answer in time";
                            default -> failure.getClass().getSimpleName() + ": " + e.getMessage();
                        } + "; worth another try: " + failure.repeatable(request));
                        // @end region="use"
                        seen.add(failure);
                    }
                }
            }
            var kinds = seen.stream().<Class<?>>map(Failure::getClass).toList();
            check(kinds
                    .equals(List.of(BadStatus.class, Malformed.class, TimedOut.class, Dropped.class, Dropped.class)),
                            "told apart");
            try (var bound = new Socket()) { // and does not listen: nobody else gets the port meanwhile
                bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                var uri = URI.create("http://127.0.0.1:" + bound.getLocalPort());
                client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.discarding());
                check(false, "nobody listens");
            } catch (IOException e) {
                System.out.println(HttpErrors.of(e));
                check(HttpErrors.of(e) instanceof Refused, "refused");
            }
        }
    }

    /** Gives each connection this answer and ends it. */
    private static ServerSocket server(String answer) throws IOException {
        var listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.startVirtualThread(() -> {
            while (!listener.isClosed()) {
                try (var connection = listener.accept()) {
                    connection.getInputStream().read(new byte[8192]);
                    if (answer.equals("wait")) {
                        connection.getInputStream().read();
                    }
                    connection.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
                } catch (IOException e) {
                    // the client has left, or the server was closed
                }
            }
        });
        return listener;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
