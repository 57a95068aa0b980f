package service;

import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * The service on one page: its settings, its parts, how it starts and how it stops. What it answers is in {@link
 * Routes}.
 *
 * <p>Exit codes: 143 after SIGTERM (130 after SIGINT), or 0 with {@code EXIT_CODE=0}; 1 it could not start, or
 * something still ran at the end; 2 wrong settings, a line for each on stderr. SIGKILL must not come before {@code
 * DRAIN_DELAY + STOP_GRACE + 10 s}.
 */
public final class Main implements AutoCloseable {

    /** Opens what the service needs and registers routes, checks and tasks. An interrupt is a signal to stop. */
    @FunctionalInterface
    public interface Application {
        void start(Main service) throws Exception;
    }

    public final Router router = new Router();
    public final Health health = new Health();
    public final Metrics metrics = new Metrics();
    public final Tasks tasks;
    public final Outgoing outgoing;
    private final Stop stop = new Stop();
    private final Deque<AutoCloseable> closeables = new ArrayDeque<>(); // guarded by itself
    private final HttpService.Options options;
    private final Duration drainDelay;
    private final Duration stopGrace;
    private final int exitCode;
    private final boolean pinnedEvents;
    private HttpService server;

    public static void main(String[] args) {
        run(System.getenv(), Routes::new);
    }

    /** Until a signal comes; ends the JVM. @param application reads its settings, then starts */
    public static void run(Map<String, String> environment, Function<Settings, Application> application) {
        var settings = new Settings(environment);
        var service = new Main(settings);
        var start = application.apply(settings);
        if (!settings.problems().isEmpty()) {
            settings.problems().forEach(problem -> System.err.println("configuration: " + problem));
            System.exit(2);
        }
        var limit = service.drainDelay.plus(service.stopGrace).plusSeconds(9);
        service.stop.exitOnSignal(service.exitCode, limit, () -> service.start(start));
    }

    /** Within another program, or a test: {@code try (var service = Main.start(settings, application))}. */
    public static Main start(Settings settings, Application application) throws Exception {
        var service = new Main(settings);
        if (!settings.problems().isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", settings.problems()));
        }
        try {
            service.start(application);
            return service;
        } catch (Throwable e) {
            service.close();
            throw e;
        }
    }

    private Main(Settings s) {
        options = new HttpService.Options();
        options.host = s.text("HOST", "127.0.0.1"); // 0.0.0.0 in a container
        options.port = s.number("PORT", 8080, 0, 65_535); // 0: any free one, see the log
        options.requestTimeout = s.duration("REQUEST_TIMEOUT", "10s", 100);
        options.handlerTimeout = s.duration("HANDLER_TIMEOUT", "30s", 10);
        options.maxBody = s.number("MAX_BODY", 1 << 20, 0);
        options.maxInFlight = s.number("MAX_IN_FLIGHT", options.maxInFlight, 1);
        options.maxConnections = s.number("MAX_CONNECTIONS", options.maxConnections, 1); // and ulimit -n
        outgoing = new Outgoing(s.number("OUTGOING_LIMIT", 100, 1),
                s.duration("OUTGOING_WAIT", "1s", 0),
                s.duration("OUTGOING_TIMEOUT", "5s", 1), s.number("OUTGOING_MAX_BODY", 10 << 20, 0));
        tasks = new Tasks(s.number("BACKGROUND_LIMIT", 1_000, 1));
        drainDelay = s.duration("DRAIN_DELAY", "2s", 0); // until the load balancer has noticed: 5s on Kubernetes
        stopGrace = s.duration("STOP_GRACE", "15s", 0);
        exitCode = s.oneOf("EXIT_CODE", 143, 0);
        pinnedEvents = s.oneOf("PINNED_EVENTS", 0, 1) == 1;
        options.observer = new Counting(s.oneOf("ACCESS_LOG", 1, 0) == 1);
        router.refuse("starting");
        probes();
        stop.step("not ready any more", () -> {
            health.stopping();
            return true;
        });
        stop.step("the load balancer notices", () -> {
            Thread.sleep(server == null || health.isStarting() ? Duration.ZERO : drainDelay);
            return true;
        });
        var graceEnds = new AtomicLong();
        stop.step("the listener closes, requests are answered", () -> {
            graceEnds.set(System.nanoTime() + Sweeper.nanos(stopGrace));
            return server == null || server.drain(stopGrace);
        });
        stop.step("tasks end", () -> tasks.stop(Duration.ofNanos(graceEnds.get() - System.nanoTime())));
        stop.step("calls to others end", () -> {
            outgoing.close();
            return true;
        });
        stop.step("resources close", this::closeAll);
    }

    private void start(Application application) throws Exception {
        long begin = System.nanoTime();
        server = HttpService.start(options, router);
        values();
        Log.info("listening", "port", port(), "pid", ProcessHandle.current().pid(), "java", Runtime.version()
                .toString());
        application.start(this);
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        router.refuse(null);
        health.started();
        Log.info("ready", "ms", (System.nanoTime() - begin) / 1_000_000);
    }

    private void probes() {
        router.route("GET", "/livez", request -> server.starvedFor().compareTo(Duration.ofMinutes(1)) < 0
                ? Response.text(200, "alive\n") : Response.text(503, "no virtual thread has run for a minute\n"))
                        .always();
        router.route("GET", "/startupz", request -> health.isStarting()
                ? Response.text(503, "starting\n") : Response.text(200, "started\n")).always();
        router.route("GET", "/readyz", request -> {
            var failures = health.failures();
            return JsonBody.response(failures.isEmpty() ? 200 : 503, failures);
        }).always();
        router.route("GET", "/metrics", request ->
                Response.bytes(200, "text/plain; version=0.0.4", metrics.text().getBytes())).always();
    }

    private void values() {
        metrics.value("http_requests_in_flight", server::inFlight);
        metrics.value("http_connections", server::connections);
        metrics.value("requests_rejected_total", server::rejected);
        metrics.value("body_bytes_buffered", options.memory::used);
        metrics.value("outgoing_calls_in_use", outgoing::inUse);
        metrics.value("outgoing_calls_waiting", outgoing::waiting);
        metrics.value("background_tasks", tasks::running);
        metrics.value("log_lines_dropped_total", Log::dropped);
        metrics.value("virtual_threads_starved_milliseconds", () -> server.starvedFor().toMillis());
        if (pinnedEvents) {
            var events = closeAtStop(new PinnedEvents(e -> Log.error("pinned events are not counted", e)));
            metrics.value("virtual_threads_recorded", () -> events.isRecording() ? 1 : 0);
            metrics.value("virtual_threads_pinned_total", events::count);
            metrics.value("virtual_threads_pinned_milliseconds_total", events::millis);
        }
    }

    public int port() {
        return server.port();
    }

    /** Closed at the end, newest first, whatever the others throw. */
    public <T extends AutoCloseable> T closeAtStop(T resource) {
        synchronized (closeables) {
            closeables.push(resource);
        }
        return resource;
    }

    private boolean closeAll() {
        boolean clean = true;
        while (true) {
            AutoCloseable next;
            synchronized (closeables) {
                next = closeables.poll();
            }
            if (next == null) {
                return clean;
            }
            try {
                next.close();
            } catch (Throwable e) {
                clean = false;
                Log.error("close failed", e);
            }
        }
    }

    /**
     * As at a signal. A second call waits for the first.
     *
     * @return false if something still runs, or did not close
     * @throws IllegalStateException if called by what it waits for: a handler, a task, or what it closes
     */
    public boolean stop() {
        if (server != null) {
            server.refuseOwnThread();
        }
        tasks.refuseOwnThread();
        return stop.run();
    }

    @Override
    public void close() {
        stop();
    }

    /** The access log, and the counts. */
    private final class Counting implements Observer {
        private final boolean accessLog;

        private Counting(boolean accessLog) {
            this.accessLog = accessLog;
        }

        @Override
        public void begins(Request request) {
            Log.request(request.id());
        }

        @Override
        public void ends(Request request) {
            Log.request(null);
        }

        @Override
        public void answered(Request request, int status, long nanos, boolean complete) {
            metrics.answered(request.pattern(), request.isRouted() ? request.method() : "other", status, nanos);
            if (accessLog && !request.always()) {
                String forwarded = request.header("x-forwarded-for");
                var fields = new ArrayList<Object>(List.of("method", request.method(), "path", request.path(),
                        "status", status, "us", nanos / 1_000, "client", request.client(),
                        "forwarded_for", forwarded == null ? "" : forwarded, "complete", complete));
                request.attributes().forEach((name, value) -> fields.addAll(List.of(name, value)));
                about(request, () -> Log.info("request", fields.toArray()));
            }
        }

        @Override
        public void refused(int status, InetAddress client) {
            metrics.answered("none", "other", status, 0);
            if (accessLog) {
                Log.info("refused", "status", status, "client", client.getHostAddress());
            }
        }

        @Override
        public void failed(Request request, String what, Throwable cause) {
            about(request, () -> Log.error(what, cause));
        }

        private static void about(Request request, Runnable line) {
            String before = Log.request();
            Log.request(request == null ? before : request.id()); // not always in its thread
            line.run();
            Log.request(before);
        }
    }
}
