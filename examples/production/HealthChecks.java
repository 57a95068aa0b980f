import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code gather} of health checks, each in {@code wait_for}. Final API, JDK 21 and later.
 *
 * <p>Use for the probes of an orchestrator or load balancer. <b>Liveness</b> down means: restart me. Check nothing
 * outside the process, or one slow database restarts every instance at once. <b>Readiness</b> down: send me no
 * requests. <b>Startup</b>: the other two wait; once passed, it stays passed. Do not use to decide about a call ({@code
 * CircuitBreaker}) or for work at intervals ({@code PeriodicTask}).
 *
 * <p>Thread-safe. A check has at most one thread, however often it is probed: a probe joins the current run. A check
 * that hangs is reported down at once and is not run again.
 *
 * <p>Run: {@code java examples/production/HealthChecks.java}
 */
public final class HealthChecks implements AutoCloseable {

    // @start region="health"
    public enum Probe { STARTUP, READINESS, LIVENESS }

    /** Returns if all is well, else throws the reason. Runs in its own virtual thread, interrupted when it is late. */
    @FunctionalInterface
    public interface Check {
        void run() throws Exception;
    }

    /** @param failures by name, in the order the checks were added, with the reason */
    public record Report(boolean up, Map<String, String> failures) {
    }

    private static final class Run {
        private final long start = System.nanoTime();
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile Throwable failure;
        private Thread thread;
        private boolean late; // guarded by lock
    }

    private static final class Registered {
        private final String name;
        private final Probe probe;
        private final Duration limit;
        private final Check check;
        private Run latest; // guarded by lock

        private Registered(String name, Probe probe, Duration limit, Check check) {
            this.name = Objects.requireNonNull(name, "name");
            this.probe = Objects.requireNonNull(probe, "probe");
            this.limit = Objects.requireNonNull(limit, "limit");
            this.check = Objects.requireNonNull(check, "check");
        }
    }

    private final ReentrantLock lock = new ReentrantLock(); // guards what follows
    private final List<Registered> checks = new ArrayList<>();
    private boolean started;
    private boolean stopping;

    /**
     * @param name  unique among that probe's checks
     * @param limit from the start of a run; then the check is down and interrupted, but not waited for
     */
    public void add(String name, Probe probe, Duration limit, Check check) {
        var added = new Registered(name, probe, limit, check);
        lock.lock();
        try {
            if (checks.stream().anyMatch(other -> other.probe == probe && other.name.equals(name))) {
                throw new IllegalArgumentException("there is a check " + name + " already"); // one would hide the other
            }
            checks.add(added);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Runs the checks of that kind at the same time and returns when all have ended or are late. Readiness is down,
     * without running a check, until a startup probe has passed, and permanently after {@link #stopping}.
     *
     * @throws InterruptedException if the caller was interrupted; the checks go on, the next probe interrupts those
     *                              that are late
     */
    public Report probe(Probe probe) throws InterruptedException {
        Objects.requireNonNull(probe, "probe");
        var runs = new LinkedHashMap<Registered, Run>();
        lock.lock();
        try {
            if (probe == Probe.STARTUP && started) {
                return new Report(true, Map.of());
            }
            if (probe == Probe.READINESS && (stopping || !started)) {
                return new Report(false, Map.of("application", stopping ? "stopping" : "starting"));
            }
            for (var registered : checks) {
                if (registered.probe == probe) {
                    if (registered.latest == null || registered.latest.ended.getCount() == 0) {
                        registered.latest = start(registered);
                    }
                    runs.put(registered, registered.latest);
                }
            }
        } finally {
            lock.unlock();
        }
        var failures = new LinkedHashMap<String, String>();
        runs.keySet().forEach(registered -> failures.put(registered.name, null)); // for their order
        var byDeadline = new ArrayList<>(runs.entrySet());
        long now = System.nanoTime();
        byDeadline.sort(Comparator.comparing(entry -> remaining(entry.getKey(), entry.getValue(), now)));
        for (var entry : byDeadline) {
            failures.put(entry.getKey().name, await(entry.getKey(), entry.getValue()));
        }
        failures.values().removeIf(Objects::isNull);
        lock.lock();
        try {
            started |= probe == Probe.STARTUP && failures.isEmpty();
            return new Report(failures.isEmpty() && !(probe == Probe.READINESS && stopping), failures);
        } finally {
            lock.unlock();
        }
    }

    /** From now on readiness is down, so that no new requests come while accepted ones finish; liveness stays. */
    public void stopping() {
        lock.lock();
        try {
            stopping = true;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Stops as above, interrupts current runs, and does not wait for them.
     *
     * @throws IllegalStateException if called by a check
     */
    @Override
    public void close() {
        lock.lock();
        try {
            var runs = checks.stream().map(registered -> registered.latest).filter(Objects::nonNull).toList();
            if (runs.stream().anyMatch(run -> run.thread == Thread.currentThread())) {
                throw new IllegalStateException("close() within a check");
            }
            stopping = true;
            runs.forEach(HealthChecks::interrupt);
        } finally {
            lock.unlock();
        }
    }

    private static Run start(Registered registered) {
        var run = new Run();
        run.thread = Thread.ofVirtual().name("health-" + registered.name).start(() -> {
            try {
                registered.check.run();
            } catch (Throwable e) {
                run.failure = e;
            } finally {
                run.ended.countDown();
            }
        });
        return run;
    }

    private static long remaining(Registered registered, Run run, long now) {
        return Math.clamp(TimeUnit.NANOSECONDS.convert(registered.limit), 0, Long.MAX_VALUE / 2) - (now - run.start);
    }

    private String await(Registered registered, Run run) throws InterruptedException {
        if (run.ended.await(remaining(registered, run, System.nanoTime()), TimeUnit.NANOSECONDS)) {
            return run.failure == null ? null : describe(run.failure);
        }
        lock.lock();
        try {
            interrupt(run);
        } finally {
            lock.unlock();
        }
        return "no answer for " + Duration.ofNanos(System.nanoTime() - run.start).truncatedTo(ChronoUnit.MILLIS);
    }

    private static String describe(Throwable failure) {
        try {
            return String.valueOf(failure.toString());
        } catch (Throwable e) { // the others still get their report
            return failure.getClass().getName();
        }
    }

    private static void interrupt(Run run) {
        if (!run.late) { // once: a second interrupt would hit its cleanup
            run.late = true;
            run.thread.interrupt();
        }
    }
    // @end region="health"

    // @start region="endpoint"
    private static void endpoint(HttpServer server, String path, HealthChecks health, Probe probe) {
        server.createContext(path, exchange -> {
            try (exchange) {
                var report = health.probe(probe);
                byte[] body = report.failures().toString().getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(report.up() ? 200 : 503, body.length);
                exchange.getResponseBody().write(body);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // the server is being stopped
            }
        });
    }
    // @end region="endpoint"

    public static void main(String[] args) throws Exception {
        var database = new CountDownLatch(1);
        var threads = new AtomicInteger();
        // @start region="use"
        var health = new HealthChecks();
        health.add("migrations", Probe.STARTUP, Duration.ofSeconds(10), () -> Thread.sleep(5));
        health.add("database", Probe.READINESS, Duration.ofMillis(50), () -> query(database, threads));
        health.add("queue", Probe.READINESS, Duration.ofSeconds(10), () -> Thread.sleep(5));
        // @end region="use"
        System.out.println("before startup: " + health.probe(Probe.READINESS));
        check(health.probe(Probe.STARTUP).up(), "started");
        long start = System.nanoTime();
        for (int i = 0; i < 20; i++) {
            var report = health.probe(Probe.READINESS); // 503 if down, 200 if up
            check(!report.up() && report.failures().keySet().equals(Set.of("database")),
                    "the queue answers, the database hangs");
        }
        long millis = (System.nanoTime() - start) / 1_000_000;
        while (threads.get() == 0) {
            Thread.sleep(1); // on a busy machine its thread may begin after its deadline
        }
        System.out.println("20 probes of a database that hangs: " + millis + " ms, " + threads + " thread");
        check(threads.get() == 1, "no threads pile up");

        database.countDown();
        Report report;
        do {
            report = health.probe(Probe.READINESS);
        } while (!report.up());
        System.out.println("it answers again: " + report);
        health.stopping();
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        try (var executor = Executors.newCachedThreadPool(); var client = HttpClient.newHttpClient()) {
            server.setExecutor(executor);
            endpoint(server, "/readyz", health, Probe.READINESS);
            endpoint(server, "/livez", health, Probe.LIVENESS);
            server.start();
            var ready = client.send(request(server, "/readyz"), BodyHandlers.ofString());
            var alive = client.send(request(server, "/livez"), BodyHandlers.ofString());
            System.out.println("on the way down: " + ready.statusCode() + " " + ready.body() + ", but alive: "
                    + alive.statusCode());
            check(ready.statusCode() == 503 && alive.statusCode() == 200, "not ready, but alive");
        } finally {
            server.stop(0);
        }
    }

    private static HttpRequest request(HttpServer server, String path) {
        var address = server.getAddress();
        return HttpRequest
                .newBuilder(URI.create("http://" + address.getHostString() + ":" + address.getPort() + path)).build();
    }

    private static void query(CountDownLatch database, AtomicInteger threads) {
        threads.incrementAndGet();
        while (database.getCount() > 0) {
            LockSupport.parkNanos(1_000_000);
            Thread.interrupted(); // ignores it: left set, no park would wait, and the thread never leave its carrier
        }
        threads.decrementAndGet();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
