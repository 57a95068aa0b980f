import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Server behaviour by client: what the caller sees, and after how long. The table is printed;
 * references/http-patterns.md quotes it.
 */
@Timeout(600)
class HttpFaultsTest {

    private static final int JDK = Runtime.version().feature();
    private static final Duration LIMIT = Duration.ofMillis(500);
    // for what ends by itself: a slow machine must not turn it into a timeout
    private static final Duration LONG = Duration.ofDays(1);
    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofMillis(1500);
    private static final Set<HostileServer.Fault> TIMES_OUT = Set.of(HostileServer.Fault.SILENT,
            HostileServer.Fault.STALLS_IN_HEADERS,
            HostileServer.Fault.NEVER_READS, HostileServer.Fault.STALLS_IN_BODY, HostileServer.Fault.TRICKLES,
                    HostileServer.Fault.ENDLESS_BODY);
    private static final Set<HostileServer.Fault> KEEPS_OPEN = Set.of(HostileServer.Fault.HEALTHY,
            HostileServer.Fault.SLOW_ACCEPT,
            HostileServer.Fault.BUSY, HostileServer.Fault.REDIRECTS_FOR_EVER, HostileServer.Fault.LONG_BODY,
                    HostileServer.Fault.NEVER_READS);

    /** @param plain      by HttpClient.send with a timeout and BodyHandlers.ofString, told apart by HttpErrors; "still
     * open" after PATIENCE
     *  @param gets       connections that the server saw for one GET; posts: for one POST
     *  @param exchange   by SharedHttpClient with the same time as total */
    private record Row(String plain, int gets, int posts, String exchange) {
        /** Whether a time was over that this fault does not use up: the machine was busy. */
        boolean late(List<String> expected) {
            return exchange.contains("TimedOut") && !exchange.startsWith(expected.get(0))
                    || plain.contains("TimedOut") && !plain.startsWith(expected.get(1));
        }
    }

    private interface Call {
        Object run() throws Exception;
    }

    @Test
    void everyFaultEndsInTimeAndIsToldApart() throws Exception {
        var client = HttpClient.newBuilder().connectTimeout(CONNECT).followRedirects(HttpClient.Redirect.NORMAL)
                .build();
        var http = new SharedHttpClient(1000, CONNECT);
        var table = new LinkedHashMap<HostileServer.Fault, Row>();
        try (client; http; var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            try (var server = new HostileServer(HostileServer.Fault.HEALTHY)) {
                seen(HostileServer.Fault.HEALTHY, // warm, or late: only the rows below are tried again
                        () -> client.send(HttpRequest.newBuilder(server.uri()).build(), BodyHandlers.ofString()));
            }
            var rows = new LinkedHashMap<HostileServer.Fault, Future<Row>>();
            for (var fault : HostileServer.Fault.values()) {
                rows.put(fault, executor.submit(() -> {
                    Row row = row(client, http, fault);
                    for (int again = 0; again < 5 && row.late(expected(fault)); again++) {
                        row = row(client, http, fault);
                    }
                    return row;
                }));
            }
            for (var row : rows.entrySet()) {
                table.put(row.getKey(), row.getValue().get());
            }
            client.shutdownNow(); // the plain calls that are still open
        }
        table.forEach((fault, row) -> System.out.printf("FAULT JDK %d | %s | %s | %d/%d | %s%n",
                JDK, fault, row.plain, row.gets, row.posts, row.exchange));
        check(table);
    }

    private static Row row(HttpClient client, SharedHttpClient http, HostileServer.Fault fault) throws Exception {
        Duration limit = TIMES_OUT.contains(fault) ? LIMIT : LONG;
        String plain;
        int gets;
        try (var server = new HostileServer(fault)) {
            plain = seen(fault, () -> client.send(HttpRequest.newBuilder(server.uri()).timeout(limit).build(),
                    BodyHandlers.discarding()).statusCode());
            gets = server.connections.get();
        }
        int posts;
        try (var server = new HostileServer(fault)) {
            if (fault != HostileServer.Fault.ENDLESS_BODY) {
                seen(fault,
                        () -> client
                                .send(HttpRequest.newBuilder(server.uri()).timeout(limit)
                                        .POST(BodyPublishers.ofString("x")).build(),
                        BodyHandlers.ofString()));
            }
            posts = server.connections.get();
        }
        try (var server = new HostileServer(fault)) {
            Duration total = fault == HostileServer.Fault.ENDLESS_BODY ? LONG : limit; // ended by its size
            String exchange = seen(fault, () -> http.exchange(HttpRequest.newBuilder(server.uri()).build(), total,
                    response -> response.statusCode() + " " + SharedHttpClient.text(100_000).read(response)));
            if (!KEEPS_OPEN.contains(fault)) {
                server.awaitAllClosed(); // no connection is left behind
            }
            return new Row(plain, gets, posts, exchange);
        }
    }

    private static String seen(HostileServer.Fault fault, Call call) throws Exception {
        long start = System.nanoTime();
        boolean open = JDK < 26
                && Set.of(HostileServer.Fault.STALLS_IN_BODY, HostileServer.Fault.TRICKLES,
                        HostileServer.Fault.ENDLESS_BODY)
                .contains(fault);
        Duration patience = open ? PATIENCE : LONG.plus(LONG);
        String what;
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var future = executor.submit(call::run);
            try {
                what = String.valueOf(future.get(patience.toMillis(), TimeUnit.MILLISECONDS));
            } catch (ExecutionException e) {
                what = HttpErrors.of((Exception) e.getCause()).getClass().getSimpleName();
            } catch (TimeoutException e) {
                what = "still open";
            } finally {
                executor.shutdownNow();
            }
        }
        return what + " " + (System.nanoTime() - start) / 1_000_000 + " ms";
    }

    /** By exchange and by plain send. */
    private static List<String> expected(HostileServer.Fault fault) {
        boolean body = JDK >= 26;
        return switch (fault) {
            case HEALTHY, SLOW_ACCEPT, CLOSES_IDLE, LONG_BODY -> List.of("200", "200");
            case REFUSES -> List.of("Refused", "Refused");
            case NEVER_ACCEPTS -> List.of("ConnectTimedOut", "ConnectTimedOut");
            case SILENT, STALLS_IN_HEADERS, NEVER_READS -> List.of("TimedOut", "TimedOut");
            case STALLS_IN_BODY, TRICKLES -> List.of("TimedOut", body ? "TimedOut" : "still open");
            case ENDLESS_BODY -> List.of("Other", body ? "TimedOut" : "still open");
            case CLOSES_AT_ONCE, RESETS_AT_ONCE, RESETS_IN_BODY, SHORT_BODY,
                    SHORT_CHUNK -> List.of("Dropped", "Dropped");
            case GARBAGE, BAD_LENGTH, HUGE_HEADERS -> List.of("Malformed", "Malformed");
            case BUSY -> List.of("503", "503");
            case REDIRECTS_FOR_EVER -> List.of("302", "302");
        };
    }

    private static void check(Map<HostileServer.Fault, Row> table) {
        var problems = new ArrayList<String>();
        table.forEach((fault, row) -> {
            var expected = expected(fault);
            if (!row.exchange.startsWith(expected.get(0)) || !row.plain.startsWith(expected.get(1))) {
                problems.add(fault + ": " + row + ", not " + expected);
            }
            int attempts = fault == HostileServer.Fault.CLOSES_AT_ONCE || fault == HostileServer.Fault.RESETS_AT_ONCE
                    ? JDK >= 26 ? 5 : 2 : row.gets;
            if (row.gets != attempts || row.posts > 1) {
                problems.add(fault + ": attempts " + row);
            }
        });
        assertTrue(problems.isEmpty(), () -> String.join("\n", problems));
    }

    @Test
    void aNameWithoutAddressIsToldApart() throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            String what = seen(HostileServer.Fault.HEALTHY,
                    () -> client.send(HttpRequest.newBuilder(URI.create("http://no-such-host.invalid/")).build(),
                    BodyHandlers.discarding()));
            // a slow resolver is not our failure
            assertTrue(what.startsWith("UnknownHost") || what.startsWith("still open"), what);
        }
    }

    @Test
    void aBadStatusIsRepeatableByMethod() throws Exception {
        try (var server = new HostileServer(HostileServer.Fault.BUSY); var client = HttpClient.newHttpClient()) {
            var get = HttpRequest.newBuilder(server.uri()).build();
            var post = HttpRequest.newBuilder(server.uri()).POST(BodyPublishers.noBody()).build();
            try {
                HttpErrors.requireSuccess(client.send(get, BodyHandlers.ofString()));
                throw new AssertionError("503 is no success");
            } catch (HttpErrors.StatusException e) {
                var failure = HttpErrors.of(new ExecutionException(e));
                assertEquals("BadStatus", failure.getClass().getSimpleName(), "also when wrapped");
                assertEquals("2", ((HttpErrors.BadStatus) failure).retryAfter().orElseThrow());
                assertTrue(failure.repeatable(get) && !failure.repeatable(post));
            }
        }
    }
}
