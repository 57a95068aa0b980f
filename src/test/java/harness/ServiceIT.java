package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The service as a process of its own, on each JDK found: signals, start-up, slow and greedy clients, handlers that
 * misbehave. What can be tried within one JVM is in {@code src/test/java/service}. SIGTERM under load takes a round
 * of each of three kinds a JDK; more: {@code -Dservice.rounds=20}, as every week; on one JDK alone:
 * {@code -Dservice.jdk=21}; one scenario: {@code -Dservice.scenario=rollout}.
 */
@Execution(ExecutionMode.CONCURRENT)
class ServiceIT {

    private static final Duration LIMIT = Duration.ofMinutes(20);
    private static final int ROUNDS = Integer.getInteger("service.rounds", 3);
    private static final int CLIENTS = 128;
    private static final String LONG = "10m";
    private static final ReentrantLock MANY_SOCKETS = new ReentrantLock();

    @FunctionalInterface
    private interface Scenario {
        void run(Jdk jdk, Path classes) throws Exception;
    }

    @TestFactory
    List<DynamicTest> service() throws Exception {
        var scenarios = new LinkedHashMap<String, Scenario>();
        scenarios.put("SIGTERM under load", ServiceIT::sigtermUnderLoad);
        scenarios.put("rollout behind a balancer", ServiceIT::rollout);
        scenarios.put("signals and exit codes", ServiceIT::exitCodes);
        scenarios.put("configuration", ServiceIT::configuration);
        scenarios.put("slow clients", ServiceIT::slowClients);
        scenarios.put("handlers that misbehave", ServiceIT::misbehaviour);
        scenarios.put("limits", ServiceIT::limits);
        scenarios.put("clients that go", ServiceIT::clientsThatGo);
        scenarios.put("probes while handlers compute", ServiceIT::probes);
        scenarios.put("downstream that stalls", ServiceIT::downstream);
        scenarios.put("pinned events", ServiceIT::pinnedEvents);
        scenarios.put("10,000 connections", ServiceIT::manyConnections);
        var tests = new ArrayList<DynamicTest>();
        for (Jdk jdk : Jdk.tested()) {
            if (jdk.feature() != Integer.getInteger("service.jdk", jdk.feature())) {
                continue;
            }
            Path classes = Files.createDirectories(Path.of("target/service-on-jdk-" + jdk.feature()));
            var command = jdk.javac("--release", "21", "-Xlint:all", "-Werror", "-proc:none",
                    "-d", classes.toString(), "src/test/java/ServiceUnderTest.java");
            Examples.javaFiles(Path.of("assets/service/src/main/java/service"))
                    .forEach(file -> command.add(file.toString()));
            Child.succeed(LIMIT, command);
            scenarios.keySet().removeIf(name -> !name.contains(System.getProperty("service.scenario", "")));
            assertFalse(scenarios.isEmpty(), "no scenario has -Dservice.scenario in its name");
            scenarios.forEach((name, scenario) -> tests.add(dynamicTest(name + " on JDK " + jdk.feature(),
                    Coverage.recorded("service: " + name, jdk.feature(), () -> {
                        Assumptions.assumeTrue(ProcessHandle.current().supportsNormalTermination(),
                                "this system has no SIGTERM");
                        scenario.run(jdk, classes);
                    }))));
        }
        for (int feature : Jdk.PROMISED) {
            if (Jdk.of(feature).isEmpty()) {
                tests.add(dynamicTest("service on JDK " + feature, Coverage.recorded("service", feature,
                        () -> Assumptions.abort("JDK " + feature + " was not found"))));
            }
        }
        return tests;
    }

    // ---- signals

    /**
     * What the service has begun to read is answered, and so is what came on a connection that it had answered on
     * before. In one round of three the clients heed readiness, as a load balancer does: then nothing at all is lost.
     * In the others they go on until they are refused, and what waits in the system's queue when the listener closes is
     * reset unread.
     */
    private static void sigtermUnderLoad(Jdk jdk, Path classes) throws Exception {
        int answered = 0;
        int refused = 0;
        int unread = 0;
        int quiet = 0;
        for (int round = 0; round < ROUNDS; round++) {
            var random = new Random(round);
            boolean balanced = round % 3 == 1;
            // few clients that wait between requests: at most moments nothing is in flight
            boolean calm = round % 3 == 2;
            var ready = new AtomicBoolean(true);
            try (var service = Service.start(jdk, classes, Map.of("DRAIN_DELAY", balanced ? "" : "0s"));
                    var clients = Executors.newVirtualThreadPerTaskExecutor()) {
                var ids = new AtomicInteger();
                var lost = ConcurrentHashMap.<String>newKeySet();
                var reused = ConcurrentHashMap.<String>newKeySet();
                var results = new ArrayList<Future<int[]>>();
                for (int i = 0; i < (calm ? 8 : CLIENTS); i++) {
                    boolean keepAlive = calm || i % 4 != 0;
                    results.add(clients.submit(() -> load(service.port, keepAlive, calm, ready, ids, lost, reused)));
                }
                while (ids.get() < (calm ? 100 : 3 * CLIENTS)) {
                    Thread.sleep(5);
                }
                Thread.sleep(random.nextInt(60));
                service.process.toHandle().destroy();
                long signal = System.nanoTime();
                while (balanced && ready.get()) {
                    try (var probe = new Client(service.port)) {
                        ready.set(probe.get("/readyz", "").status == 200);
                    }
                }
                for (var result : results) {
                    answered += result.get()[0];
                    refused += result.get()[1];
                }
                // else the machine was too slow for the delay
                if (balanced && System.nanoTime() - signal < 1_500_000_000) {
                    quiet++;
                    assertEquals(Set.of(), lost, "behind a load balancer");
                }
                assertEquals(143, service.exit(), service::output);
                unread += lost.size();
                assertTrue(service.output().contains("\"clean\":true"), service::output);
                var begun = new HashSet<String>();
                Matcher id = Pattern.compile("\"event\":\"begun\".*?\"id\":\"(\\d+)\"").matcher(service.output());
                while (id.find()) {
                    begun.add(id.group(1));
                }
                begun.retainAll(lost);
                assertEquals(Set.of(), begun, "begun, but not answered");
                assertEquals(Set.of(), reused, "on a connection the service had answered on, but not answered");
            }
        }
        System.out.printf("JDK %d: %d rounds of SIGTERM, in two of three with %d requests in flight: %d answered, "
                + "%d connections refused, %d requests on new connections that were never read; %d rounds behind "
                + "a load balancer, where nothing may be lost%n",
                jdk.feature(), ROUNDS, CLIENTS, answered, refused, unread, quiet);
    }

    private static int[] load(int port, boolean keepAlive, boolean calm, AtomicBoolean ready, AtomicInteger ids,
            Set<String> lost, Set<String> lostOnReused) throws InterruptedException {
        int answered = 0;
        while (ready.get()) {
            try (var client = new Client(port)) {
                for (boolean first = true; first || ready.get(); first = false) {
                    String id = String.valueOf(ids.incrementAndGet());
                    Answer answer = null;
                    long idle = System.nanoTime();
                    long sent = idle;
                    try {
                        Thread.sleep(calm ? 10 : 0);
                        try {
                            client.send("/work?id=" + id + "&ms=" + (calm ? 0 : 5 + ids.get() % 40),
                                    keepAlive ? "" : "Connection: close\r\n");
                        } finally {
                            sent = System.nanoTime();
                        }
                        answer = client.read();
                    } catch (IOException e) {
                        // not answered
                    }
                    if (answer == null || answer.status != 200 || !answer.body.equals(id)) {
                        // so busy a machine that the connection was idle for long
                        boolean late = sent - idle > 100_000_000;
                        (first || late ? lost : lostOnReused).add(id + (answer == null ? "" : ": " + answer));
                        lost.add(id);
                        break;
                    }
                    answered++;
                    if (answer.head.toLowerCase().contains("connection: close") || !keepAlive) {
                        break;
                    }
                }
            } catch (IOException e) {
                return new int[] {answered, 1}; // refused: the listener is closed
            }
        }
        return new int[] {answered, 0};
    }

    /** @param ready what the balancer's probe has seen last */
    private record Instance(Service service, AtomicBoolean ready) {
    }

    /**
     * A deployment: one instance after the other is replaced, with default settings, behind a balancer that asks for
     * readiness ten times a second and keeps connections. Nothing is repeated, and nothing is lost.
     */
    private static void rollout(Jdk jdk, Path classes) throws Exception {
        var instances = new CopyOnWriteArrayList<Instance>();
        var lost = ConcurrentHashMap.<String>newKeySet();
        var answered = new AtomicInteger();
        var over = new AtomicBoolean();
        boolean slow = false; // the machine, not the service
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                for (int i = 0; i < 2; i++) {
                    instances.add(instance(jdk, classes, threads, over));
                }
                for (int i = 0; i < 24; i++) {
                    int seed = i;
                    threads.submit(() -> balanced(instances, new Random(seed), answered, lost, over));
                }
                for (int round = 0; round < ROUNDS; round++) {
                    instances.add(instance(jdk, classes, threads, over));
                    int before = answered.get();
                    while (answered.get() < before + 200 && lost.isEmpty()) {
                        Thread.sleep(5);
                    }
                    var old = instances.get(0);
                    long signal = System.nanoTime();
                    old.service.process.toHandle().destroy();
                    while (old.ready.get()) {
                        Thread.sleep(5);
                    }
                    slow |= System.nanoTime() - signal > 1_000_000_000;
                    instances.remove(old);
                    assertEquals(143, old.service.exit(), old.service::output);
                    assertTrue(old.service.output().contains("\"clean\":true"), old.service::output);
                    old.service.close();
                }
            } finally {
                over.set(true);
                for (var instance : instances) {
                    instance.service.close();
                }
            }
        }
        System.out.printf("JDK %d: %d instances replaced under load: %d requests answered, %d lost%s%n", jdk.feature(),
                ROUNDS, answered.get(), lost.size(), slow ? "; the balancer was late" : "");
        assertTrue(slow || lost.isEmpty(), lost::toString);
    }

    private static Instance instance(Jdk jdk, Path classes, ExecutorService threads, AtomicBoolean over)
            throws Exception {
        var instance = new Instance(Service.start(jdk, classes, Map.of("DRAIN_DELAY", "", "REQUEST_TIMEOUT", "",
                "HANDLER_TIMEOUT", "", "STOP_GRACE", "", "OUTGOING_TIMEOUT", "")), new AtomicBoolean(true));
        threads.submit(() -> {
            while (!over.get() && instance.ready.get()) {
                try (var probe = new Client(instance.service.port)) {
                    instance.ready.set(probe.get("/readyz", "").status == 200);
                } catch (IOException e) {
                    instance.ready.set(false);
                }
                Thread.sleep(100);
            }
            return null;
        });
        return instance;
    }

    private static Void balanced(List<Instance> instances, Random random, AtomicInteger answered, Set<String> lost,
            AtomicBoolean over) throws InterruptedException {
        var kept = new HashMap<Instance, Client>();
        while (!over.get()) {
            var ready = instances.stream().filter(instance -> instance.ready.get()).toList();
            var instance = ready.get(random.nextInt(ready.size()));
            long chosen = System.nanoTime();
            long sent = chosen;
            String id = String.valueOf(random.nextInt(1_000_000));
            try {
                var client = kept.containsKey(instance) ? kept.remove(instance) : new Client(instance.service.port);
                client.send("/work?id=" + id + "&ms=" + random.nextInt(20), "");
                sent = System.nanoTime();
                var answer = client.read();
                if (answer.status != 200 || !answer.body.equals(id)) {
                    lost.add(answer.toString());
                }
                answered.incrementAndGet();
                if (answer.head.contains("Connection: close")) {
                    client.close();
                } else {
                    kept.put(instance, client);
                }
            } catch (IOException e) {
                if (!over.get() && sent - chosen < 500_000_000) { // else we were late ourselves
                    lost.add(id + ": " + e);
                }
            }
            kept.keySet().removeIf(each -> !each.ready.get());
        }
        return null;
    }

    private static void exitCodes(Jdk jdk, Path classes) throws Exception {
        try (var service = Service.start(jdk, classes, Map.of("EXIT_CODE", "0"))) {
            assertEquals(0, service.terminate(), service::output);
            assertTrue(service.output().contains("resource closed"), service::output);
        }
        try (var service = Service.launch(jdk, classes, Map.of("START_DELAY", LONG))) { // killed while it starts
            service.await("\"listening\"");
            try (var client = new Client(service.port)) {
                assertEquals(503, client.get("/readyz", "").status);
                assertEquals(503, client.get("/startupz", "").status);
                assertEquals(200, client.get("/livez", "").status);
                assertEquals(503, client.get("/work?id=1&ms=1", "").status);
            }
            assertEquals(143, service.terminate(), service::output);
            assertTrue(service.output().contains("resource closed"), service::output);
            assertFalse(service.output().contains("\"ready\""), service::output);
        }
        var swallows = Map.of("START_DELAY", LONG, "SWALLOW", "1");
        try (var service = Service.launch(jdk, classes, swallows)) { // the start goes on as if nothing were
            service.await("\"listening\"");
            assertEquals(143, service.terminate(), service::output);
            assertTrue(service.output().contains("resource closed"), service::output);
        }
        try (var service = Service.launch(jdk, classes, Map.of())) { // killed at some moment before that
            Thread.sleep(100);
            // 143, or 1 from a JVM that has not got as far as main
            assertTrue(service.terminate() > 0, service::output);
            assertFalse(service.output().contains("\tat "), service::output);
        }
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var service = Service.launch(jdk, classes, Map.of("PORT", String.valueOf(taken.getLocalPort())))) {
            assertEquals(1, service.exit(), service::output);
            assertTrue(service.output().contains("cannot start: "), service::output);
            assertTrue(service.output().contains("127.0.0.1:" + taken.getLocalPort() + ": Address already in use"),
                    service::output);
            assertEquals(1, service.output().lines().filter(line -> !line.startsWith("{")).count(), service::output);
        }
        // heeds it
        try (var service = Service.start(jdk, classes, Map.of("STOP_GRACE",
                "300ms")); var client = new Client(service.port)) {
            client.send("/hang", "");
            service.await(client, "http_requests_in_flight 1");
            service.process.toHandle().destroy();
            assertEquals(503, client.read().status);
            assertEquals(143, service.exit(), service::output);
        }
        // does not
        try (var service = Service.start(jdk, classes, Map.of("STOP_GRACE",
                "100ms")); var client = new Client(service.port)) {
            client.send("/hang?ignore=yes", "");
            service.await(client, "http_requests_in_flight 1");
            assertEquals(1, service.terminate(), service::output);
            assertTrue(service.output().contains("\"clean\":false"), service::output);
        }
        try (var service = Service.start(jdk, classes, Map.of("DRAIN_DELAY",
                LONG)); var client = new Client(service.port)) {
            service.process.toHandle().destroy();
            service.await("\"stopping\"");
            assertEquals(503, client.get("/readyz", "").status);
            try (var other = new Client(service.port)) { // still listens
                assertEquals(200, other.get("/work?id=1&ms=1", "").status);
            }
        }
    }

    private static void configuration(Jdk jdk, Path classes) throws Exception {
        var wrong = Map.of("PORT", "65536", "HANDLER_TIMEOUT", "10", "MAX_BODY", "-1", "EXIT_CODE", "7", "HOST", "",
                "DOWNSTREAM", "",
                "START_DELAY", "99m\n");
        try (var service = Service.launch(jdk, classes, wrong)) {
            assertEquals(2, service.exit(), service::output);
            assertEquals(List.of("configuration: PORT=65536 is not a number from 0 to 65535",
                    "configuration: HANDLER_TIMEOUT=10 is not a duration such as 500ms, 10s or 5m, from 10ms",
                    "configuration: MAX_BODY=-1 is not a number from 0 to 2147483647",
                    "configuration: EXIT_CODE=7 is not 143 or 0",
                    "configuration: DOWNSTREAM is not set",
                    "configuration: START_DELAY=99m is not a duration such as 500ms, 10s or 5m, from 0ms to 600000ms"),
                    service.output().lines().toList());
        }
    }

    // ---- clients

    private static void slowClients(Jdk jdk, Path classes) throws Exception {
        try (var service = Service.start(jdk, classes, Map.of("REQUEST_TIMEOUT", "5s"))) {
            var slow = new ArrayList<Client>();
            for (int i = 0; i < 40; i++) {
                var client = new Client(service.port);
                client.raw(i % 2 == 0 ? "GET /work HTTP/1.1\r\nHost: x\r\nX-Slow: "
                        : "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf");
                slow.add(client);
            }
            int served = 0;
            for (int i = 0; i < 500; i++) {
                try (var client = new Client(service.port)) {
                    served += client.get("/work?ms=0&id=" + i, "").body.equals(String.valueOf(i)) ? 1 : 0;
                }
            }
            assertEquals(500, served);
            for (var client : slow) {
                try (client) {
                    assertEquals(408, client.read().status, "after REQUEST_TIMEOUT");
                    assertEquals(-1, client.in.read());
                }
            }
            try (var client = new Client(service.port)) {
                service.await(client, "body_bytes_buffered 0");
            }
            assertEquals(143, service.terminate(), service::output);
        }
    }

    private static void manyConnections(Jdk jdk, Path classes) throws Exception {
        Assumptions.assumeTrue(ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system
                && system.getMaxFileDescriptorCount() >= 11_000, "10,000 connections need ulimit -n 11000");
        MANY_SOCKETS.lock();
        var connections = new ArrayList<Client>();
        try (var service = Service.start(jdk, classes, Map.of("MAX_CONNECTIONS", "10100"))) {
            for (int i = 0; i < 10_000; i++) {
                var client = new Client(service.port);
                connections.add(client);
                client.socket.setSoLinger(true, 0);
            }
            for (int round = 0; round < 2; round++) { // all are kept
                for (int start = 0; start < connections.size(); start += 500) {
                    var some = connections.subList(start, start + 500);
                    for (var client : some) {
                        client.send("/inherit/a%20b", "");
                    }
                    for (var client : some) {
                        assertEquals("{\"name\":\"a b\"}", client.read().body);
                    }
                }
            }
            assertEquals(143, service.terminate(), service::output);
        } finally {
            for (var client : connections) {
                client.close();
            }
            MANY_SOCKETS.unlock();
        }
    }

    private static void limits(Jdk jdk, Path classes) throws Exception {
        try (var service = Service.start(jdk, classes, Map.of("MAX_BODY", "1000", "MAX_IN_FLIGHT", "2",
                "MAX_CONNECTIONS", "20"))) {
            try (var client = new Client(service.port)) {
                client.raw("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + "x".repeat(1000));
                assertEquals("1000", client.read().body);
                client.raw("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" + "x".repeat(1001));
                assertEquals(413, client.read().status);
            }
            try (var client = new Client(service.port)) {
                client.raw("POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + ("64\r\n" + "x".repeat(100) + "\r\n").repeat(11) + "0\r\n\r\n");
                assertEquals(413, client.read().status);
            }
            try (var client = new Client(service.port)) {
                client.raw("GET /livez HTTP/1.1\r\nHost: x\r\nX-Large: " + "x".repeat(20_000) + "\r\n\r\n");
                assertEquals(431, client.read().status);
            }
            try (var client = new Client(service.port)) { // announced, and not sent
                client.raw("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
                        + "Expect: 100-continue\r\n\r\n");
                assertEquals(413, client.read().status);
            }
            try (var client = new Client(service.port)) { // a streaming route allows more
                client.raw("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n"
                        + "Expect: 100-continue\r\n\r\n");
                assertTrue(Client.head(client.in).startsWith("HTTP/1.1 100 "));
                client.raw("x".repeat(200_000));
                assertEquals("200000", client.read().body);
            }
            try (var a = new Client(service.port); var b = new Client(service.port); var c = new Client(service.port)) {
                service.await(c, "http_requests_in_flight 0"); // who has its answer still has its place for a moment
                a.send("/work?id=1&ms=600000", "");
                b.send("/work?id=2&ms=600000", "");
                service.await(c, "http_requests_in_flight 2");
                var overloaded = c.get("/work?id=3&ms=1", "");
                assertEquals(503, overloaded.status);
                assertTrue(overloaded.head.toLowerCase().contains("retry-after: 1"), overloaded::toString);
                assertEquals(200, c.get("/livez", "").status);
            }
        }
    }

    private static void misbehaviour(Jdk jdk, Path classes) throws Exception {
        try (var service = Service.start(jdk, classes, Map.of("HANDLER_TIMEOUT",
                "5s")); var client = new Client(service.port)) {
            for (String what : List.of("exception", "error")) {
                var failed = client.get("/throw?what=" + what, "X-Request-Id: abc-" + what + "\r\n");
                assertEquals(500, failed.status);
                assertFalse(failed.body.contains("purpose"), failed::body);
                assertTrue(failed.body.contains("abc-" + what), failed::body);
                assertTrue(service.await("abc-" + what).contains("on purpose\\nsecond line"), service::output);
            }
            assertEquals(504, client.get("/hang", "").status);
            try (var half = new Client(service.port)) {
                half.send("/half", "");
                String all = new String(half.in.readAllBytes(), StandardCharsets.US_ASCII);
                assertTrue(all.contains("half of the answer") && !all.contains("\r\n0\r\n"), all);
                service.await("answer cut off");
            }
            assertEquals(500, client.get("/never", "").status);
            assertEquals(100_000, client.get("/flag", "").body.length());
            assertEquals(200, client.get("/work?id=1&ms=1", "").status); // the same connection all along
            try (var stuck = new Client(service.port)) {
                assertEquals(504, stuck.get("/hang?ignore=yes", "").status);
            }
            var injection = client.get("/inherit/%0A%7B%22level%22:%22FAKE%22%7D", "X-Request-Id: a\"b\r\n");
            assertEquals(200, injection.status);
            assertTrue(service.output().lines().allMatch(line -> line.startsWith("{\"ts\":\"") && line.endsWith("}")),
                    service::output);
        }
    }

    private static void clientsThatGo(Jdk jdk, Path classes) throws Exception {
        try (var service = Service.start(jdk, classes, Map.of("REQUEST_TIMEOUT",
                "2s")); var probe = new Client(service.port)) {
            try (var client = new Client(service.port)) {
                client.send("/hang", "");
                service.await(probe, "http_requests_in_flight 1");
            }
            service.await("\"event\":\"interrupted\"");
            assertTrue(service.output().contains("\"gone\":true"), service::output);
            service.await(probe, "http_requests_in_flight 0");
            try (var client = new Client(service.port)) { // reads nothing of 100 MB
                client.send("/large?kb=100000", "");
                service.await(probe, "http_requests_in_flight 1");
                service.await(probe, "http_requests_in_flight 0");
            }
            try (var client = new Client(service.port)) {
                client.send("/events", "");
                String head = Client.head(client.in);
                assertTrue(head.contains("Content-Type: text/event-stream"), head);
                assertEquals(143, service.terminate(), service::output);
                String events = new String(client.in.readAllBytes(), StandardCharsets.US_ASCII);
                assertTrue(events.endsWith("0\r\n\r\n"), "ended, not cut off: " + events);
            }
        }
    }

    /** Handlers that compute hold all carriers: as many as there are processors. */
    private static void probes(Jdk jdk, Path classes) throws Exception {
        try (var service = Service.start(jdk, classes, Map.of())) {
            int spinning = 2 * Runtime.getRuntime().availableProcessors();
            var spinners = new ArrayList<Client>();
            for (int i = 0; i < spinning; i++) {
                spinners.add(new Client(service.port));
                spinners.get(i).send("/spin?ms=4000", "");
            }
            for (int i = 0; i < 20; i++) {
                try (var probe = new Client(service.port)) {
                    assertEquals(200, probe.get("/livez", "").status);
                }
                Thread.sleep(100);
            }
            for (var spinner : spinners) {
                try (spinner) {
                    assertEquals("spun", spinner.read().body);
                }
            }
        }
    }

    private static void downstream(Jdk jdk, Path classes) throws Exception {
        try (var server = new ServerSocket(0, 50,
                InetAddress.getLoopbackAddress()); var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var closedByUs = threads.submit(() -> {
                try (var connection = server.accept()) {
                    var in = connection.getInputStream();
                    Client.head(in);
                    connection.getOutputStream()
                            .write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
                                    .getBytes(StandardCharsets.US_ASCII));
                    return in.read() == -1; // until the service gives up
                }
            });
            var env = Map.of("OUTGOING_TIMEOUT", "6s", "OUTGOING_LIMIT", "1", "OUTGOING_WAIT", "50ms",
                    "DOWNSTREAM", "http://127.0.0.1:" + server.getLocalPort() + "/");
            try (var service = Service.start(jdk, classes,
                    env); var a = new Client(service.port); var b = new Client(service.port)) {
                a.send("/call", "");
                service.await(b, "outgoing_calls_in_use 1");
                assertEquals(503, b.get("/call", "").status, "no place within OUTGOING_WAIT");
                assertEquals(504, a.read().status);
                assertTrue(closedByUs.get(LIMIT.toSeconds(), TimeUnit.SECONDS));
                service.await(b, "outgoing_calls_in_use 0");
            }
            // nobody listens there
            try (var service = Service.start(jdk, classes, Map.of()); var a = new Client(service.port)) {
                assertEquals(502, a.get("/call", "").status);
            }
        }
    }

    private static void pinnedEvents(Jdk jdk, Path classes) throws Exception {
        try (var service = Service.start(jdk, classes, Map.of("PINNED_EVENTS",
                "1")); var client = new Client(service.port)) {
            service.await(client, "virtual_threads_recorded 1");
            assertEquals(200, client.get("/pin", "").status);
            service.await(client, "virtual_threads_pinned_total [1-9]\\d*"); // a slow machine may pin elsewhere, too
            assertEquals(143, service.terminate(), service::output);
        }
    }

    // ---- a service and a client

    private static final class Service implements AutoCloseable {
        private final Process process;
        private final Path log;
        private int port;

        private Service(Process process, Path log) {
            this.process = process;
            this.log = log;
        }

        private static Service launch(Jdk jdk, Path classes, Map<String, String> environment) throws Exception {
            Path log = Files.createTempFile("service", ".log");
            var builder = new ProcessBuilder(jdk.tool("java"), "-XX:TieredStopAtLevel=1", "-cp", classes.toString(),
                    "ServiceUnderTest")
                    .redirectErrorStream(true).redirectOutput(log.toFile());
            builder.environment().keySet().removeAll(Set.of("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"));
            builder.environment().putAll(Map.of("PORT", "0", "PINNED_EVENTS", "0", "ACCESS_LOG", "0", "DRAIN_DELAY",
                    "0s", "DOWNSTREAM", "http://127.0.0.1:1/", "REQUEST_TIMEOUT", LONG, "HANDLER_TIMEOUT", LONG,
                    "STOP_GRACE", LONG, "OUTGOING_TIMEOUT", LONG)); // limits that are not what a scenario is about
            builder.environment().putAll(environment);
            var process = builder.start();
            process.getOutputStream().close();
            return new Service(process, log);
        }

        private static Service start(Jdk jdk, Path classes, Map<String, String> environment) throws Exception {
            var service = launch(jdk, classes, environment);
            service.await("\"ready\"");
            return service;
        }

        private String output() {
            try {
                return Files.readString(log);
            } catch (IOException e) {
                return e.toString();
            }
        }

        private String await(String text) throws InterruptedException {
            long end = System.nanoTime() + LIMIT.toNanos();
            while (!output().contains(text) && process.isAlive() && System.nanoTime() < end) {
                Thread.sleep(10);
            }
            String output = output();
            assertTrue(output.contains(text), () -> text + " is not in:\n" + output);
            Matcher port = Pattern.compile("\"port\":(\\d+)").matcher(output);
            this.port = port.find() ? Integer.parseInt(port.group(1)) : 0;
            return output;
        }

        private void await(Client any, String metric) throws Exception {
            var line = Pattern.compile("(?m)^" + metric + "$");
            for (long end = System.nanoTime() + LIMIT.toNanos(); System.nanoTime() < end; Thread.sleep(10)) {
                try (var client = new Client(port)) {
                    if (line.matcher(client.get("/metrics", "").body).find()) {
                        return;
                    }
                }
            }
            assertNotNull(null, metric);
        }

        /** SIGTERM. */
        private int terminate() throws Exception {
            process.toHandle().destroy();
            return exit();
        }

        private int exit() throws Exception {
            assertTrue(process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS), () -> "still running\n" + output());
            return process.exitValue();
        }

        @Override
        public void close() throws IOException {
            process.destroyForcibly().onExit().join();
            Files.deleteIfExists(log);
        }
    }

    private record Answer(int status, String head, String body) {
    }

    /** One connection, no retries, unlike {@code HttpClient}. */
    private static final class Client implements AutoCloseable {
        private final Socket socket = new Socket();
        private final InputStream in;

        private Client(int port) throws IOException {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 300_000);
            socket.setSoTimeout(300_000);
            socket.setTcpNoDelay(true);
            in = new BufferedInputStream(socket.getInputStream());
        }

        private void raw(String text) throws IOException {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        }

        private void send(String path, String headers) throws IOException {
            raw("GET " + path + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
        }

        private Answer get(String path, String headers) throws IOException {
            send(path, headers);
            return read();
        }

        private static String head(InputStream in) throws IOException {
            var head = new ByteArrayOutputStream();
            while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
                int b = in.read();
                if (b < 0) {
                    throw new IOException("ended after " + head.toString(StandardCharsets.ISO_8859_1));
                }
                head.write(b);
            }
            return head.toString(StandardCharsets.ISO_8859_1);
        }

        private Answer read() throws IOException {
            String head = head(in);
            Matcher length = Pattern.compile("(?i)content-length: (\\d+)").matcher(head);
            if (!length.find()) {
                throw new IOException(head);
            }
            int expected = Integer.parseInt(length.group(1));
            byte[] body = in.readNBytes(expected);
            if (body.length < expected) {
                throw new IOException("half a body");
            }
            return new Answer(Integer.parseInt(head.substring(9, 12)), head, new String(body, StandardCharsets.UTF_8));
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
