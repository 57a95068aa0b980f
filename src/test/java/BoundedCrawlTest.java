import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class BoundedCrawlTest {

    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);
    private static final BoundedCrawl.Reader<byte[]> BYTES = BoundedCrawl.bytes(100_000);
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofMinutes(5)).build();
    private final List<HostileServer> servers = new ArrayList<>();

    @AfterEach
    void stop() throws IOException {
        client.shutdownNow();
        for (HostileServer server : servers) {
            server.close();
        }
    }

    private HostileServer server(HostileServer.Fault fault) throws IOException {
        servers.add(new HostileServer(fault));
        return servers.getLast();
    }

    private static List<URI> pages(HostileServer server, int count) {
        return IntStream.range(0, count).mapToObj(i -> server.uri().resolve("/" + i)).toList();
    }

    @Test
    void outcomesComeInTheOrderOfThePagesAndLimitsHold() throws Exception {
        var one = server(HostileServer.Fault.HEALTHY);
        var two = server(HostileServer.Fault.HEALTHY);
        var pages = new ArrayList<>(pages(one, 60));
        pages.addAll(pages(two, 60));
        Collections.shuffle(pages, new Random(1));
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        var ofHost = new AtomicInteger();
        var mostOfHost = new AtomicInteger();
        var together = new CountDownLatch(5); // the limit is reached, too
        BoundedCrawl.Reader<String> reader = response -> {
            boolean first = response.uri().getPort() == one.uri().getPort();
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            if (first) {
                mostOfHost.accumulateAndGet(ofHost.incrementAndGet(), Math::max);
            }
            try {
                together.countDown();
                together.await();
                Thread.sleep(5); // time for one too many
                return response.uri().toString();
            } finally {
                ofHost.addAndGet(first ? -1 : 0);
                running.decrementAndGet();
            }
        };
        var outcomes = BoundedCrawl.all(client, pages, new BoundedCrawl.Limits(5, 3, LONG), reader);
        assertEquals(pages, outcomes.stream().map(BoundedCrawl.Outcome::page).toList());
        for (var outcome : outcomes) {
            assertEquals(outcome.page().toString(), assertInstanceOf(BoundedCrawl.Fetched.class, outcome).result());
        }
        assertEquals(5, most.get());
        assertTrue(mostOfHost.get() <= 3, () -> mostOfHost + " of one host");
    }

    @Test
    void aHostThatHangsDoesNotHoldUpTheOthers() throws Exception {
        var hanging = server(HostileServer.Fault.SILENT);
        var healthy = server(HostileServer.Fault.HEALTHY);
        var pages = new ArrayList<>(pages(hanging, 50));
        pages.addAll(pages(healthy, 50));
        var done = new CountDownLatch(50);
        var caller = Thread.ofVirtual().start(() -> {
            try {
                BoundedCrawl.all(client, pages, new BoundedCrawl.Limits(6, 5, LONG), response -> {
                    done.countDown();
                    return null;
                });
            } catch (InterruptedException e) {
                // the test is over
            }
        });
        done.await(); // through the one permit that the hanging host cannot take
        assertTrue(caller.isAlive());
        caller.interrupt();
        caller.join();
        hanging.awaitAllClosed();
    }

    /** The name in any case, with a user, with the scheme's port: one host. */
    @Test
    void aHostUnderSeveralNamesIsOneHost() throws Exception {
        int port = server(HostileServer.Fault.HEALTHY).uri().getPort();
        var pages = Stream.of("http://127.0.0.1:%d/1", "http://user@127.0.0.1:%d/2", "HTTP://127.0.0.1:%d/3")
                .map(text -> URI.create(text.formatted(port))).toList();
        var inside = new AtomicInteger();
        var most = new AtomicInteger();
        var outcomes = BoundedCrawl.all(client, pages, new BoundedCrawl.Limits(9, 1, LONG), response -> {
            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
            Thread.sleep(20);
            return inside.decrementAndGet();
        });
        assertEquals(1, most.get());
        assertEquals(3, outcomes.size());
    }

    @Test
    void theCallersInterruptsReachEachReaderOnce() throws Exception {
        var server = server(HostileServer.Fault.HEALTHY);
        var reading = new CountDownLatch(4);
        var cleaning = new CountDownLatch(4);
        var go = new CountDownLatch(1);
        var cleaned = new AtomicInteger();
        var seen = new CompletableFuture<String>();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                BoundedCrawl.all(client, pages(server, 4), new BoundedCrawl.Limits(4, 4, LONG), response -> {
                    try {
                        reading.countDown();
                        new CountDownLatch(1).await();
                    } finally {
                        cleaning.countDown();
                        go.await();
                        cleaned.incrementAndGet();
                    }
                    return null;
                });
            } catch (InterruptedException e) {
                seen.complete(cleaned + " cleaned, flag " + Thread.currentThread().isInterrupted());
            }
        });
        reading.await();
        caller.interrupt();
        cleaning.await();
        caller.interrupt();
        while (caller.isInterrupted()) {
            Thread.onSpinWait();
        }
        go.countDown();
        assertEquals("4 cleaned, flag true", seen.get());
    }

    @Test
    void aPageThatCannotBeAskedForIsAnOutcome() throws Exception {
        var pages = List.of(URI.create("mailto:a@example.org"), URI.create("http:///nowhere"), URI.create("ftp://h/"));
        for (var outcome : BoundedCrawl.all(client, pages, new BoundedCrawl.Limits(1, 1, LONG), BYTES)) {
            assertInstanceOf(IllegalArgumentException.class,
                    assertInstanceOf(BoundedCrawl.Failed.class, outcome).failure());
        }
    }

    @Test
    void refusesWhatCannotWork() {
        var limits = new BoundedCrawl.Limits(1, 1, LONG);
        assertThrows(NullPointerException.class, () -> new BoundedCrawl.Limits(1, 1, null));
        assertThrows(IllegalArgumentException.class, () -> new BoundedCrawl.Limits(0, 1, LONG));
        assertThrows(IllegalArgumentException.class, () -> new BoundedCrawl.Limits(1, 0, LONG));
        assertThrows(IllegalArgumentException.class, () -> BoundedCrawl.bytes(-1));
        assertThrows(NullPointerException.class, () -> BoundedCrawl.all(null, List.of(), limits, BYTES));
        assertThrows(NullPointerException.class, () -> BoundedCrawl.all(client, null, limits, BYTES));
        assertThrows(NullPointerException.class, () -> BoundedCrawl.all(client, List.of(), null, BYTES));
        assertThrows(NullPointerException.class, () -> BoundedCrawl.all(client, List.of(), limits, null));
    }

    @Test
    void eachFaultIsAnOutcomeOfItsPage() throws Exception {
        var pages = List.of(server(HostileServer.Fault.HEALTHY).uri(), server(HostileServer.Fault.BUSY).uri(),
                server(HostileServer.Fault.ENDLESS_BODY).uri(), server(HostileServer.Fault.REFUSES).uri(),
                        URI.create("/no/host"),
                server(HostileServer.Fault.HEALTHY).uri());
        var outcomes = BoundedCrawl.all(client, pages, new BoundedCrawl.Limits(10, 10, LONG), BYTES);
        assertArrayEquals("ok".getBytes(),
                assertInstanceOf(byte[].class, ((BoundedCrawl.Fetched<byte[]>) outcomes.getFirst()).result()));
        assertTrue(failure(outcomes.get(1)).getMessage().endsWith("answered 503"));
        assertTrue(failure(outcomes.get(2)).getMessage().endsWith("answered with more than 100000 bytes"));
        assertInstanceOf(IOException.class, failure(outcomes.get(3)));
        assertInstanceOf(IllegalArgumentException.class, failure(outcomes.get(4)));
        assertInstanceOf(BoundedCrawl.Fetched.class, outcomes.get(5));
        servers.get(2).awaitAllClosed();
    }

    @Test
    void aPageThatTakesTooLongIsGivenUp() throws Exception {
        var trickling = server(HostileServer.Fault.TRICKLES);
        var outcomes = BoundedCrawl.all(client, List.of(trickling.uri()),
                new BoundedCrawl.Limits(1, 1, Duration.ofMillis(500)), BYTES);
        assertInstanceOf(HttpTimeoutException.class, failure(outcomes.getFirst()));
        trickling.awaitAllClosed();
    }

    @Test
    void anErrorOfTheReaderStopsNothing() throws Exception {
        var pages = pages(server(HostileServer.Fault.HEALTHY), 20);
        var outcomes = BoundedCrawl.all(client, pages, new BoundedCrawl.Limits(2, 2, LONG), response -> {
            if (response.uri().getPath().equals("/3")) {
                throw new StackOverflowError("made up");
            }
            return 1;
        });
        assertInstanceOf(StackOverflowError.class, failure(outcomes.get(3)));
        assertEquals(19, outcomes.stream().filter(BoundedCrawl.Fetched.class::isInstance).count());
    }

    @Test
    void badLimitsAreRefusedAndNoPagesAreNoWork() throws Exception {
        assertThrows(IllegalArgumentException.class, () -> new BoundedCrawl.Limits(0, 1, LONG));
        assertThrows(IllegalArgumentException.class, () -> new BoundedCrawl.Limits(1, 0, LONG));
        assertEquals(List.of(), BoundedCrawl.all(client, List.of(), new BoundedCrawl.Limits(1, 1, LONG), BYTES));
    }

    /**
     * Crawls over servers that misbehave, half of them interrupted: no reader runs and no connection is in use
     * afterwards.
     */
    @Test
    void stress() throws Exception {
        var faulty = List.of(server(HostileServer.Fault.TRICKLES), server(HostileServer.Fault.STALLS_IN_BODY),
                server(HostileServer.Fault.SILENT),
                server(HostileServer.Fault.SHORT_BODY), server(HostileServer.Fault.CLOSES_AT_ONCE),
                        server(HostileServer.Fault.ENDLESS_BODY));
        var healthy = server(HostileServer.Fault.HEALTHY);
        var pages = new ArrayList<URI>();
        faulty.forEach(server -> pages.addAll(pages(server, 5)));
        pages.addAll(pages(healthy, 170));
        Collections.shuffle(pages, new Random(2));
        var random = new Random(3);
        int rounds = 24;
        int cancelled = 0;
        long done = 0;
        var reading = new AtomicInteger();
        for (int round = 0; round < rounds; round++) {
            var outcomes = new ArrayList<BoundedCrawl.Outcome<byte[]>>();
            var thread = Thread.ofVirtual().start(() -> {
                try {
                    outcomes.addAll(BoundedCrawl.all(client, pages,
                            new BoundedCrawl.Limits(40, 10, Duration.ofMillis(100)), response -> {
                        reading.incrementAndGet();
                        try {
                            return BYTES.read(response);
                        } finally {
                            reading.decrementAndGet();
                        }
                    }));
                } catch (InterruptedException e) {
                    // outcomes stays empty
                }
            });
            if (round % 2 == 0) {
                Thread.sleep(random.nextInt(60));
                thread.interrupt();
            }
            thread.join();
            assertEquals(0, reading.get(), "no reader runs after the crawl");
            if (outcomes.isEmpty()) {
                cancelled++;
            } else {
                assertEquals(pages, outcomes.stream().map(BoundedCrawl.Outcome::page).toList());
                done += outcomes.size();
            }
        }
        for (var server : faulty) {
            server.awaitAllClosed();
        }
        System.out.println("BoundedCrawl stress: " + rounds + " crawls of " + pages.size() + " pages, " + cancelled
                + " cancelled, " + done
                + " outcomes; no connection to the misbehaving servers left");
    }

    private static Throwable failure(BoundedCrawl.Outcome<?> outcome) {
        return assertInstanceOf(BoundedCrawl.Failed.class, outcome).failure();
    }
}
