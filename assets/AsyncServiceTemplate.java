import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Formatter;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import jdk.jfr.consumer.RecordingStream;

/**
 * asyncio: an {@code aiohttp} application. Final API, JDK 21 and later. A production-ready HTTP service in one file, without a library.
 *
 * <p>Copy it, rename it, fill in {@link #application}. Do not use where a framework is in place, or for TLS: terminate that in front.
 *
 * <p><b>Requests</b> run in a virtual thread each; before JDK 24 in platform threads, at most 64 more than twice {@code MAX_IN_FLIGHT}: there
 * {@code HttpServer} reads within {@code synchronized}, and two slow clients would pin the carriers of two processors. A request has
 * {@code REQUEST_TIMEOUT} to arrive, or its connection is closed. Then its handler has {@code HANDLER_TIMEOUT}; it is interrupted, and the
 * client gets 504 even if it does not heed that. More than {@code MAX_IN_FLIGHT}: 503. Every exception or {@code Error} becomes an answer.
 *
 * <p><b>Probes</b>: {@code /livez}, {@code /readyz}, {@code /startupz}; {@code /metrics} in Prometheus' text format. Not for the public.
 * <b>Log</b>: one JSON object a line on stdout, with the request's id (a valid {@code X-Request-Id} is taken over). It never makes a
 * request wait: what a blocked stdout cannot take is dropped and counted.
 *
 * <p><b>Stop</b> on SIGTERM or SIGINT, also while starting: readiness off, {@code DRAIN_DELAY}, listener closed; requests on connections
 * that it accepted are answered, with {@code Connection: close}, up to {@code STOP_GRACE}; then handlers are interrupted; then background
 * and periodic tasks, the client, and what was handed to {@link #closeAtStop}, newest first. SIGKILL must not come before
 * {@code DRAIN_DELAY + STOP_GRACE + 10 s}. What the system has accepted but not yet handed over is reset when the listener closes; behind
 * a load balancer that heeds readiness, {@code DRAIN_DELAY} leaves nothing there. A shutdown hook interrupts {@code main}, where all this
 * takes place, and waits, with a limit. (A handler of {@code sun.misc.Signal} would keep all other hooks from running.)
 *
 * <p><b>Exit codes</b>: after a signal 128 + its number (SIGTERM 143), or 0 with {@code EXIT_CODE=0} (it halts: other hooks may be cut
 * off); 1 could not start, or something still ran at the end; 2 wrong configuration, a line for each problem on stderr.
 *
 * <p>Run: {@code java assets/AsyncServiceTemplate.java}, then {@code curl localhost:8080/hello/you}
 */
public final class AsyncServiceTemplate implements AutoCloseable {

    // ------------------------------------------------------------------------------------------- Your service: fill in

    public static void main(String[] args) {
        run(System.getenv(), AsyncServiceTemplate::application);
    }

    // @start region="application"
    /** Reads settings of its own (every problem is reported at once) and returns what registers routes, checks and tasks. */
    private static Application application(Settings settings) {
        URI prices = settings.uri("PRICES_URL", "http://localhost:8081"); // without a second argument: must be set
        return service -> {
            service.route("GET", "/hello/{name}", request -> Response.json(200, Map.of("hello", request.path("name"))));
            service.route("POST", "/orders", request -> {
                String item = request.field("item", String.class); // 400 if it is not there
                return Response.json(201, Map.of("item", item, "count", request.field("count", Long.class)));
            });
            service.route("POST", "/reports", request -> {
                service.background("report", () -> Log.info("report written")); // 503 if too many are on their way
                return Response.json(202, Map.of("state", "accepted"));
            });
            service.route("GET", "/prices", request -> {
                var price = service.call(HttpRequest.newBuilder(prices));
                return new Response(price.statusCode(), "application/json", price.body());
            });
            service.readiness("disk", Duration.ofMillis(500), () -> { }); // throws if this instance cannot work
            service.every("sweeper", Duration.ofMinutes(1), () -> Log.info("swept"));
        };
    }
    // @end region="application"

    /** Opens what the service needs, registers routes. Meanwhile probes are answered, all else gets 503. SIGTERM interrupts it. */
    @FunctionalInterface
    public interface Application {
        void start(AsyncServiceTemplate service) throws Exception;
    }

    /** Answers a request, or throws: {@link HttpError} for a status of its own. Interrupted at the timeout. */
    @FunctionalInterface
    public interface Handler {
        /** @return null if it answered by itself, through {@link Request#exchange} */
        Response handle(Request request) throws Exception;
    }

    @FunctionalInterface
    public interface Task {
        void run() throws Exception;
    }

    /** @param status of the answer @param getMessage what the client is told */
    public static final class HttpError extends Exception {
        private static final long serialVersionUID = 1;
        public final int status;

        public HttpError(int status, String message) {
            super(message);
            this.status = status;
        }
    }

    // --------------------------------------------------------------------------------------------------- Configuration

    /** All from the environment; names, defaults and ranges: {@link #read}. */
    public record Config(String host, int port, Duration requestTimeout, Duration handlerTimeout, int maxBody, int maxInFlight,
            int maxConnections, int outgoingLimit, Duration outgoingWait, Duration outgoingTimeout, int outgoingMaxBody,
            int backgroundLimit, Duration drainDelay, Duration stopGrace, int exitCode, boolean accessLog,
            boolean pinnedEvents) {

        public static Config read(Settings s) {
            return new Config(s.text("HOST", "127.0.0.1"), // 0.0.0.0 in a container
                    s.number("PORT", 8080, 0, 65_535), // 0: any free one, see the log
                    s.duration("REQUEST_TIMEOUT", "10s", 1_000, 300_000),
                    s.duration("HANDLER_TIMEOUT", "30s", 10, 3_600_000),
                    s.number("MAX_BODY", 1 << 20, 0, 1 << 30),
                    s.number("MAX_IN_FLIGHT", 1_000, 1, 100_000),
                    s.number("MAX_CONNECTIONS", 10_000, 1, 1_000_000), // and ulimit -n
                    s.number("OUTGOING_LIMIT", 100, 1, 100_000),
                    s.duration("OUTGOING_WAIT", "1s", 0, 60_000),
                    s.duration("OUTGOING_TIMEOUT", "5s", 1, 3_600_000), // the whole exchange; connecting: a third
                    s.number("OUTGOING_MAX_BODY", 10 << 20, 0, 1 << 30),
                    s.number("BACKGROUND_LIMIT", 1_000, 1, 1_000_000),
                    s.duration("DRAIN_DELAY", "0s", 0, 600_000), // until it is noticed: 5s on Kubernetes
                    s.duration("STOP_GRACE", "15s", 0, 3_600_000),
                    s.oneOf("EXIT_CODE", 143, 0),
                    s.oneOf("ACCESS_LOG", 1, 0) == 1,
                    s.oneOf("PINNED_EVENTS", 1, 0) == 1); // JFR: about half a second of CPU at the start
        }
    }

    /** Reads settings and collects what is wrong with them. A setting that is empty counts as missing. Not thread-safe. */
    public static final class Settings {
        private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m)");
        private final Map<String, String> environment;
        private final List<String> problems = new ArrayList<>();

        public Settings(Map<String, String> environment) {
            this.environment = Map.copyOf(environment);
        }

        public List<String> problems() {
            return List.copyOf(problems);
        }

        public String text(String name, String fallback) {
            String value = environment.getOrDefault(name, "").strip();
            return value.isEmpty() ? fallback : value;
        }

        /** Without a default. */
        public String text(String name) {
            String value = text(name, null);
            return value == null ? problem(name + " is not set", "") : value;
        }

        public int number(String name, int fallback, int least, int most) {
            String value = text(name, String.valueOf(fallback));
            long number = value.matches("-?\\d{1,10}") ? Long.parseLong(value) : Long.MAX_VALUE;
            return number >= least && number <= most ? (int) number
                    : problem(bad(name, value, "a number from " + least + " to " + most), fallback);
        }

        public Duration duration(String name, String fallback, long leastMillis, long mostMillis) {
            String value = text(name, fallback);
            var match = DURATION.matcher(value);
            if (match.matches()) {
                long millis = Long.parseLong(match.group(1)) * switch (match.group(2)) {
                    case "ms" -> 1;
                    case "s" -> 1_000;
                    default -> 60_000;
                };
                if (millis >= leastMillis && millis <= mostMillis) {
                    return Duration.ofMillis(millis);
                }
            }
            return problem(bad(name, value, "a duration such as 500ms, 10s or 5m, from " + leastMillis + "ms to " + mostMillis
                    + "ms"), Duration.ofMillis(leastMillis));
        }

        public URI uri(String name, String... fallback) {
            String value = fallback.length == 0 ? text(name) : text(name, fallback[0]);
            try {
                URI uri = URI.create(value);
                if (uri.getHost() != null && Set.of("http", "https").contains(uri.getScheme())) {
                    return uri;
                }
            } catch (IllegalArgumentException e) {
                // reported below
            }
            return value.isEmpty() ? URI.create("") : problem(bad(name, value, "an http or https URL"), URI.create(""));
        }

        int oneOf(String name, int fallback, int other) {
            String value = text(name, String.valueOf(fallback));
            boolean fine = value.equals(String.valueOf(fallback)) || value.equals(String.valueOf(other));
            return fine ? Integer.parseInt(value) : problem(bad(name, value, fallback + " or " + other), fallback);
        }

        private static String bad(String name, String value, String expected) {
            return name + "=" + value.replaceAll("\\p{Cntrl}", "?") + " is not " + expected;
        }

        private <T> T problem(String text, T result) {
            problems.add(text);
            return result;
        }
    }

    // ---------------------------------------------------------------------------------------------- Request and answer

    /** An incoming request, its body read. */
    public static final class Request {
        private static final int RUNNING = 0;
        private static final int INTERRUPTING = 1;
        private static final int INTERRUPTED = 2;
        private static final int DONE = 3;
        private final HttpExchange exchange;
        private final String id;
        private final AtomicInteger state = new AtomicInteger();
        private final AtomicBoolean answered = new AtomicBoolean();
        private String[] segments;
        private Route route;
        private byte[] body;
        private Thread thread;
        private long deadline;
        private volatile int whyInterrupted;
        private volatile long interruptedAt;

        private Request(HttpExchange exchange) {
            this.exchange = exchange;
            String given = exchange.getRequestHeaders().getFirst("X-Request-Id");
            this.id = given != null && given.length() <= 64 && given.chars().allMatch(Request::isPlain) ? given
                    : Long.toHexString(ThreadLocalRandom.current().nextLong() | Long.MIN_VALUE);
        }

        private static boolean isPlain(int c) {
            return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || "-_.".indexOf(c) >= 0;
        }

        public String id() {
            return id;
        }

        /** For streaming and what is not covered here. Whoever answers through it returns null from the handler. */
        public HttpExchange exchange() {
            return exchange;
        }

        /** The part of the path that stands for {@code {name}} in the route, decoded. */
        public String path(String name) {
            for (int i = 0; i < route.segments.length; i++) {
                if (route.segments[i].equals("{" + name + "}")) {
                    return decode(segments[i]);
                }
            }
            throw new IllegalArgumentException(route.pattern + " has no {" + name + "}");
        }

        /** The first value of that name in the query, or null. */
        public String query(String name) {
            String query = exchange.getRequestURI().getRawQuery();
            for (String pair : query == null ? new String[0] : query.split("&")) {
                int equals = pair.indexOf('=');
                if (decode((equals < 0 ? pair : pair.substring(0, equals)).replace('+', ' ')).equals(name)) {
                    return equals < 0 ? "" : decode(pair.substring(equals + 1).replace('+', ' '));
                }
            }
            return null;
        }

        private static String decode(String text) {
            return text.indexOf('%') < 0 ? text : URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        }

        public byte[] body() {
            return body.clone();
        }

        /** The body: Map, List, String, Long, Double, Boolean or null. @throws HttpError 415, 400 */
        public Object json() throws HttpError {
            String type = exchange.getRequestHeaders().getFirst("Content-Type");
            if (type == null || !type.toLowerCase(Locale.ROOT).matches("application/([\\w.+-]+\\+)?json\\s*(;.*)?")) {
                throw new HttpError(415, "Content-Type must be application/json");
            }
            try {
                return Json.parse(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString());
            } catch (CharacterCodingException e) {
                throw new HttpError(400, "the body is not UTF-8");
            } catch (IllegalArgumentException e) {
                throw new HttpError(400, "the body is not JSON: " + e.getMessage());
            }
        }

        /** A field of the JSON object in the body. @throws HttpError 400 if missing or of another type */
        public <T> T field(String name, Class<T> type) throws HttpError {
            Object value = json() instanceof Map<?, ?> map ? map.get(name) : null;
            if (!type.isInstance(value)) {
                throw new HttpError(400, name + " must be a " + type.getSimpleName());
            }
            return type.cast(value);
        }

        /** Once; never after the handler has ended, when the thread serves another. */
        private void interrupt(int status) {
            if (state.compareAndSet(RUNNING, INTERRUPTING)) {
                interruptedAt = System.nanoTime();
                whyInterrupted = status;
                thread.interrupt();
                state.set(INTERRUPTED);
            }
        }

        private void handlerEnded() {
            while (!state.compareAndSet(RUNNING, DONE) && state.get() == INTERRUPTING) {
                Thread.onSpinWait();
            }
            Thread.interrupted(); // with the flag set, writing the answer would close the connection
        }
    }

    /** @param body not copied */
    public record Response(int status, Map<String, String> headers, byte[] body) {

        public Response(int status, String contentType, byte[] body) {
            this(status, Map.of("Content-Type", contentType), body);
        }

        /** @param value see {@link Json#write} */
        public static Response json(int status, Object value) {
            return new Response(status, "application/json", Json.write(value).getBytes(StandardCharsets.UTF_8));
        }

        public static Response text(int status, String text) {
            return new Response(status, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
        }

        public Response with(String header, String value) {
            var all = new HashMap<>(headers);
            all.put(header, value);
            return new Response(status, all, body);
        }
    }

    private static final class Route {
        private final String pattern;
        private final String[] segments;
        private final boolean internal; // answered also while starting and under overload
        private final Map<String, Handler> handlers = new ConcurrentHashMap<>();
        private final Map<String, LongAdder> answers = new ConcurrentHashMap<>(); // by method and status, as labels
        private final LongAdder[] buckets = new LongAdder[BUCKETS.length + 1];
        private final LongAdder nanos = new LongAdder();

        private Route(String pattern, boolean internal) {
            this.pattern = pattern;
            this.segments = pattern.split("/", -1);
            this.internal = internal;
            for (int i = 0; i < buckets.length; i++) {
                buckets[i] = new LongAdder();
            }
        }

        private boolean matches(String[] path) {
            if (path.length != segments.length) {
                return false;
            }
            for (int i = 0; i < path.length; i++) {
                if (segments[i].startsWith("{") ? path[i].isEmpty() : !segments[i].equals(path[i])) {
                    return false;
                }
            }
            return true;
        }

        private void count(String method, int status, long took) {
            String known = handlers.containsKey(method) ? method : "other"; // clients may send any
            String key = "method=\"" + known + "\",status=\"" + status + '"';
            var counter = answers.get(key);
            (counter == null ? answers.computeIfAbsent(key, k -> new LongAdder()) : counter).increment();
            int bucket = 0;
            while (bucket < BUCKETS.length && took > BUCKETS[bucket] * 1_000_000) {
                bucket++;
            }
            buckets[bucket].increment();
            nanos.add(took);
        }
    }

    // -------------------------------------------------------------------------------------------------- Start and stop

    private static final double[] BUCKETS = {1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000}; // ms
    private static final Duration AFTER_INTERRUPT = Duration.ofSeconds(2);
    private static final Duration QUIET = Duration.ofMillis(300);

    private final Config config;
    private final HttpServer server;
    private final ExecutorService requests;
    private final HttpClient client;
    private final Semaphore outgoing;
    private final Semaphore inFlight;
    private final List<Route> routes = new CopyOnWriteArrayList<>();
    private final Route unmatched = new Route("unmatched", true);
    private final Set<Request> handling = ConcurrentHashMap.newKeySet();
    private final AtomicInteger busy = new AtomicInteger(); // requests being read, handled or answered
    private final AtomicLong buffered = new AtomicLong(); // bytes of bodies
    private final long bodyMemory = Runtime.getRuntime().maxMemory() / 4;
    private final LongAdder rejected = new LongAdder();
    private final LongAdder pinned = new LongAdder();
    private final LongAdder pinnedNanos = new LongAdder();
    private final Map<String, Check> checks = new ConcurrentHashMap<>();
    private final Set<Thread> background = ConcurrentHashMap.newKeySet();
    private final Semaphore backgroundLimit;
    private final Deque<AutoCloseable> closeables = new ArrayDeque<>(); // guarded by itself
    private final String holdPath = "/" + Long.toHexString(ThreadLocalRandom.current().nextLong());
    private final CompletableFuture<HttpExchange> held = new CompletableFuture<>();
    private final CompletableFuture<Void> stopTasks = new CompletableFuture<>();
    private final Thread watchdog;
    private volatile RecordingStream recording;
    private volatile boolean started;
    private volatile boolean stopping;
    private volatile boolean closing; // the listener is closed: clients are to leave. Before, they would only come back
    private volatile long lastBusy = System.nanoTime();

    /** Runs the service until a signal comes; then, or if it cannot start, ends the JVM. The outermost call of {@code main}. */
    public static void run(Map<String, String> environment, Function<Settings, Application> fill) {
        var settings = new Settings(environment);
        var config = Config.read(settings);
        var application = fill.apply(settings);
        if (!settings.problems().isEmpty()) {
            settings.problems().forEach(problem -> System.err.println("configuration: " + problem));
            System.exit(2);
        }
        var main = Thread.currentThread();
        var ended = new CountDownLatch(1);
        var exitCode = new AtomicInteger(1);
        var limit = config.drainDelay.plus(config.stopGrace).plus(AFTER_INTERRUPT.multipliedBy(4));
        var hook = new Thread(() -> {
            main.interrupt();
            try {
                if (!ended.await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                    System.err.println("still stopping after " + limit + ": " + List.of(main.getStackTrace()));
                }
            } catch (InterruptedException e) { // blocking-ok: the JVM ends here
                // halt
            }
            if (exitCode.get() != 143) {
                Runtime.getRuntime().halt(exitCode.get()); // else 128 + signal. System.exit would hang here
            }
        }, "shutdown");
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException signalled) {
            pause(Duration.ofDays(1)); // already: the JVM halts
        }
        Throwable failure = null;
        try (var service = start(config, application)) {
            try {
                Thread.sleep(Duration.ofSeconds(Long.MAX_VALUE));
            } catch (InterruptedException e) {
                exitCode.set(service.stop() ? config.exitCode : 1);
            }
        } catch (Throwable e) {
            Log.error("not started", e);
            Log.flush();
            failure = e;
        }
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException signalled) {
            if (failure != null) {
                exitCode.set(config.exitCode); // killed while starting: what was opened has been closed
            }
            ended.countDown();
            pause(Duration.ofDays(1)); // the JVM halts when the hook returns
        }
        if (failure != null) {
            System.err.println("cannot start: " + failure);
        }
        System.exit(exitCode.get());
    }

    /**
     * Starts to listen, then starts the application; returns when it is ready. Whoever calls it closes it.
     *
     * @throws BindException        if the port is taken
     * @throws InterruptedException if interrupted; like whatever the application throws, after what was opened has been closed
     */
    public static AsyncServiceTemplate start(Config config, Application application) throws Exception {
        long start = System.nanoTime();
        var service = new AsyncServiceTemplate(config);
        try {
            service.server.start();
            Log.info("listening", "port", service.port(), "pid", ProcessHandle.current().pid(),
                    "java", Runtime.version().toString());
            application.start(service);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            service.started = true;
            Log.info("ready", "ms", (System.nanoTime() - start) / 1_000_000);
            return service;
        } catch (Throwable e) {
            service.close();
            throw e;
        }
    }

    private AsyncServiceTemplate(Config config) throws IOException {
        this.config = config;
        long arrive = Math.max(1, config.requestTimeout.toSeconds());
        long leave = config.handlerTimeout.toSeconds() + arrive + 5;
        Map.of("sun.net.httpserver.nodelay", true, // else kept connections stall for 40 ms on 21
                "sun.net.httpserver.maxReqTime", arrive, // seconds, from the first byte to the last of the body
                "sun.net.httpserver.maxRspTime", leave, // the handler and a slow reader
                "sun.net.httpserver.maxReqHeaders", 100,
                "sun.net.httpserver.maxReqHeaderSize", 16_384,
                "sun.net.httpserver.idleInterval", 75, // longer than the load balancer's
                "sun.net.httpserver.maxIdleConnections", config.maxConnections, // more are closed after each answer
                "jdk.httpserver.maxConnections", config.maxConnections)
                .forEach((name, value) -> System.setProperty(name, value.toString())); // read once, by its classes
        try {
            this.server = HttpServer.create(new InetSocketAddress(config.host, config.port), 1024);
        } catch (BindException e) {
            throw new BindException(config.host + ":" + config.port + ": " + e.getMessage());
        }
        this.requests = Runtime.version().feature() >= 24
                ? Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("request-", 0).factory())
                : new ThreadPoolExecutor(0, 2 * config.maxInFlight + 64, 30, TimeUnit.SECONDS, new SynchronousQueue<>(),
                        Thread.ofPlatform().daemon().name("request-", 0).factory());
        this.outgoing = new Semaphore(config.outgoingLimit);
        this.inFlight = new Semaphore(config.maxInFlight);
        this.backgroundLimit = new Semaphore(config.backgroundLimit);
        this.client = HttpClient.newBuilder().connectTimeout(config.outgoingTimeout.dividedBy(3)).build();
        server.setExecutor(this::execute);
        server.createContext("/", this::handle);
        internal("/livez", request -> Response.text(200, "alive\n"));
        internal("/startupz", request -> started ? Response.text(200, "started\n") : Response.text(503, "starting\n"));
        internal("/readyz", request -> ready());
        internal("/metrics", request -> Response.text(200, metrics()).with("Content-Type", "text/plain; version=0.0.4"));
        this.watchdog = Thread.ofPlatform().daemon().name("watchdog").start(this::watch);
        if (config.pinnedEvents) {
            Thread.ofPlatform().daemon().name("pinned-events").start(this::recordPinned); // takes a moment
        }
    }

    public int port() {
        return server.getAddress().getPort();
    }

    /** Before {@code ready}. @param pattern such as {@code /users/{id}/orders}; the first that fits is taken */
    public void route(String method, String pattern, Handler handler) {
        var route = routes.stream().filter(r -> r.pattern.equals(pattern)).findFirst().orElse(null);
        if (route == null) {
            routes.add(route = new Route(pattern, false));
        }
        route.handlers.put(method, handler);
    }

    private void internal(String pattern, Handler handler) {
        var route = new Route(pattern, true);
        route.handlers.put("GET", handler);
        routes.add(route);
    }

    /** Closed at the end, newest first, whatever the others throw. */
    public <T extends AutoCloseable> T closeAtStop(T resource) {
        synchronized (closeables) {
            closeables.push(resource);
        }
        return resource;
    }

    /** As {@link #stop}. */
    @Override
    public void close() {
        stop();
    }

    /** Stops as described above. A second call does nothing. @return false if something still runs, or did not close */
    public boolean stop() {
        if (stopping) {
            return true;
        }
        stopping = true;
        boolean interrupted = Thread.interrupted(); // the waits below are bounded
        long begin = System.nanoTime();
        Log.info("stopping", "in_flight", handling.size());
        if (started) {
            pause(config.drainDelay);
        }
        long deadline = System.nanoTime() + config.stopGrace.toNanos();
        boolean clean = stopServer(deadline);
        clean &= stopTasks(deadline);
        client.shutdownNow();
        synchronized (closeables) {
            while (!closeables.isEmpty()) {
                try {
                    closeables.pop().close();
                } catch (Throwable e) {
                    clean = false;
                    Log.error("close failed", e);
                }
            }
        }
        requests.shutdownNow();
        watchdog.interrupt();
        if (recording != null) {
            recording.close();
        }
        Log.info("stopped", "clean", clean, "ms", (System.nanoTime() - begin) / 1_000_000);
        Log.flush();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return clean;
    }

    /**
     * {@code HttpServer.stop} closes the listener first, and all connections as soon as no exchange is open, also those whose next
     * request has arrived unread. So one exchange of our own is held open until nothing has come for a moment.
     */
    private boolean stopServer(long deadline) {
        try (var self = new Socket()) {
            var address = server.getAddress();
            try {
                self.connect(address.getAddress().isAnyLocalAddress()
                        ? new InetSocketAddress(InetAddress.getLoopbackAddress(), address.getPort()) : address, 1_000);
                String request = "GET " + holdPath + " HTTP/1.1\r\nHost: self\r\n\r\n";
                self.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
                held.get(1, TimeUnit.SECONDS);
            } catch (IOException | InterruptedException | ExecutionException | TimeoutException e) {
                Log.error("stopping without holding the connections open", e);
            }
            closing = true;
            int seconds = (int) config.stopGrace.plus(AFTER_INTERRUPT).toSeconds() + 1;
            var stop = Thread.ofPlatform().daemon().start(() -> server.stop(seconds));
            awaitIdle(deadline, QUIET);
            boolean clean = busy.get() == 0;
            if (!clean) {
                Log.info("interrupting", "in_flight", handling.size());
                handling.forEach(request -> request.interrupt(503));
                awaitIdle(System.nanoTime() + AFTER_INTERRUPT.toNanos(), Duration.ZERO);
            }
            if (held.isDone()) {
                held.join().close();
            }
            join(stop, Duration.ofMillis(200));
            stop.interrupt(); // a client in mid-request would make it wait
            join(stop, AFTER_INTERRUPT);
            return handling.isEmpty();
        } catch (IOException e) {
            return handling.isEmpty(); // closing our own socket
        }
    }

    private void awaitIdle(long deadline, Duration quiet) {
        while (System.nanoTime() - deadline < 0 && (busy.get() > 0 || System.nanoTime() - lastBusy < quiet.toNanos())) {
            pause(Duration.ofMillis(5));
        }
    }

    private static void pause(Duration duration) {
        join(Thread.currentThread(), duration);
    }

    /** Waits for the thread to end; an interrupt ends nothing here: every wait is bounded. */
    private static boolean join(Thread thread, Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        while (thread.isAlive() && end - System.nanoTime() > 0) {
            try {
                if (thread == Thread.currentThread()) {
                    TimeUnit.NANOSECONDS.sleep(end - System.nanoTime());
                } else {
                    TimeUnit.NANOSECONDS.timedJoin(thread, Math.max(1, end - System.nanoTime()));
                }
            } catch (InterruptedException e) {
                continue; // a second signal
            }
        }
        return !thread.isAlive();
    }

    // -------------------------------------------------------------------------------------------------------- Requests

    private void execute(Runnable exchange) {
        busy.incrementAndGet();
        try {
            requests.execute(() -> {
                try {
                    exchange.run();
                } finally {
                    idle();
                }
            });
        } catch (RejectedExecutionException e) { // the server closes the connection
            rejected.increment();
            idle();
            throw e;
        }
    }

    private void idle() {
        lastBusy = System.nanoTime();
        busy.decrementAndGet();
    }

    private void handle(HttpExchange exchange) throws IOException {
        if (exchange.getRequestURI().getRawPath().equals(holdPath)) {
            held.complete(exchange);
            return;
        }
        long start = System.nanoTime();
        var request = new Request(exchange);
        request.route = unmatched;
        Log.REQUEST.set(request.id);
        int reserved = 0;
        try {
            var handler = match(request);
            request.body = readBody(exchange);
            reserved = request.body.length;
            answer(request, request.route.internal ? handler.handle(request) : admit(request, handler), start);
        } catch (HttpError e) {
            answer(request, error(request, e.status, e.getMessage()), start);
        } catch (IOException e) {
            if (request.body != null) {
                answer(request, failed(request, e), start);
            } else { // the client has gone, or was slower than REQUEST_TIMEOUT: nobody to answer
                Log.info("request cut off", "cause", e.toString());
            }
        } catch (Throwable e) {
            answer(request, failed(request, e), start);
        } finally {
            buffered.addAndGet(-reserved);
            if (request.answered.compareAndSet(false, true)) {
                exchange.close();
            }
            Log.REQUEST.remove();
        }
    }

    private Handler match(Request request) throws HttpError {
        request.segments = request.exchange.getRequestURI().getRawPath().split("/", -1);
        String method = request.exchange.getRequestMethod();
        for (var route : routes) {
            if (route.matches(request.segments)) {
                request.route = route;
                var handler = route.handlers.get(method);
                if (handler == null && method.equals("HEAD")) {
                    handler = route.handlers.get("GET");
                }
                if (handler == null) {
                    var allow = new TreeSet<>(route.handlers.keySet());
                    request.exchange.getResponseHeaders().set("Allow", String.join(", ", allow));
                    throw new HttpError(405, method + " is not allowed here");
                }
                return handler;
            }
        }
        throw new HttpError(404, "no such resource");
    }

    private Response admit(Request request, Handler handler) throws Exception {
        if (!started) {
            throw new HttpError(503, "starting");
        }
        if (!inFlight.tryAcquire()) {
            rejected.increment();
            request.exchange.getResponseHeaders().set("Retry-After", "1");
            throw new HttpError(503, "overloaded");
        }
        try {
            request.thread = Thread.currentThread();
            request.deadline = System.nanoTime() + config.handlerTimeout.toNanos();
            handling.add(request);
            return handler.handle(request);
        } finally {
            inFlight.release();
            handling.remove(request);
            request.handlerEnded();
        }
    }

    /** Memory is taken for what has come, not for what was announced. */
    private byte[] readBody(HttpExchange exchange) throws IOException, HttpError {
        var in = exchange.getRequestBody();
        int first = in.read();
        if (first < 0) {
            return new byte[0];
        }
        String length = exchange.getRequestHeaders().getFirst("Content-Length");
        if (length != null && Long.parseLong(length) > config.maxBody) { // checked by HttpServer to be a number
            throw new HttpError(413, "the body is larger than " + config.maxBody + " bytes");
        }
        var body = new ByteArrayOutputStream();
        boolean complete = false;
        try {
            byte[] part = new byte[8192];
            part[0] = (byte) first;
            for (int n = 1; n >= 0; n = in.read(part)) {
                buffered.addAndGet(n);
                body.write(part, 0, n);
                if (body.size() > config.maxBody) {
                    throw new HttpError(413, "the body is larger than " + config.maxBody + " bytes");
                }
                if (buffered.get() > bodyMemory) {
                    rejected.increment();
                    throw new HttpError(503, "overloaded");
                }
            }
            complete = true;
            return body.toByteArray();
        } finally {
            if (!complete) {
                buffered.addAndGet(-body.size());
            }
        }
    }

    private Response failed(Request request, Throwable failure) {
        if (failure instanceof RejectedExecutionException) {
            return error(request, 503, "overloaded");
        }
        if (request.whyInterrupted == 0) {
            Log.error("request failed", failure);
            return error(request, 500, "internal error");
        }
        return error(request, request.whyInterrupted, request.whyInterrupted == 504 ? "took too long" : "stopping");
    }

    private static Response error(Request request, int status, String message) {
        return Response.json(status, Map.of("error", message, "request_id", request.id));
    }

    /** Whoever comes first answers: the request's thread, or the watchdog for one that is stuck. */
    private void answer(Request request, Response response, long start) {
        var exchange = request.exchange;
        if (!request.answered.compareAndSet(false, true)) {
            return;
        }
        try {
            if (exchange.getResponseCode() != -1 && response != null) {
                Log.error("answered twice", new IllegalStateException(request.route.pattern));
            } else if (exchange.getResponseCode() == -1 && response == null) {
                throw new IllegalStateException(request.route.pattern + " returned null and has not answered");
            } else if (response != null) {
                send(exchange, request, response);
            }
        } catch (IOException e) {
            Log.info("client gone", "cause", e.toString());
        } catch (RuntimeException e) { // no body, a header that is none
            Log.error("not answered", e);
            exchange.getResponseHeaders().clear();
            send500(exchange, request);
        }
        long took = System.nanoTime() - start;
        request.route.count(exchange.getRequestMethod(), exchange.getResponseCode(), took);
        if (config.accessLog && !request.route.internal) {
            Log.info("request", "method", exchange.getRequestMethod(), "path", exchange.getRequestURI().getRawPath(),
                    "status", exchange.getResponseCode(), "us", took / 1_000);
        }
        exchange.close(); // nobody else does: it would cut off the answer
    }

    private void send500(HttpExchange exchange, Request request) {
        try {
            send(exchange, request, error(request, 500, "internal error"));
        } catch (IOException | RuntimeException e) {
            Log.info("client gone", "cause", e.toString());
        }
    }

    private void send(HttpExchange exchange, Request request, Response response) throws IOException {
        var headers = exchange.getResponseHeaders();
        response.headers.forEach(headers::set);
        headers.set("X-Request-Id", request.id);
        if (closing || response.status == 413) {
            headers.set("Connection", "close");
        }
        boolean head = exchange.getRequestMethod().equals("HEAD");
        if (head) {
            headers.set("Content-Length", String.valueOf(response.body.length));
        }
        boolean empty = head || response.body.length == 0 || response.status == 204 || response.status == 304;
        exchange.sendResponseHeaders(response.status, empty ? -1 : response.body.length);
        if (!empty) {
            exchange.getResponseBody().write(response.body);
        }
    }

    /** Interrupts handlers that take too long; for one that does not heed it, answers. A platform thread: nothing starves it. */
    private void watch() {
        try {
            while (true) {
                Thread.sleep(50);
                long now = System.nanoTime();
                for (var request : handling) {
                    if (now - request.deadline >= 0) {
                        request.interrupt(504);
                    }
                    if (request.whyInterrupted != 0 && now - request.interruptedAt >= AFTER_INTERRUPT.toNanos() / 2) {
                        answerFor(request);
                    }
                }
            }
        } catch (InterruptedException e) {
            // stopped
        }
    }

    private void answerFor(Request request) {
        if (!request.answered.get()) {
            Thread.ofPlatform().daemon().start(() -> { // may block
                Log.REQUEST.set(request.id);
                Log.error("handler does not heed its interrupt", stackOf(request.thread));
                answer(request, failed(request, null), request.deadline - config.handlerTimeout.toNanos());
            });
        }
    }

    private static Throwable stackOf(Thread thread) {
        var stack = new IllegalStateException(thread.getName());
        stack.setStackTrace(thread.getStackTrace());
        return stack;
    }

    // -------------------------------------------------------------------------------------------------- Outgoing calls

    /**
     * Sends a request to another service: with the id of ours, within {@code OUTGOING_TIMEOUT} for all of it, the body too. At most
     * {@code OUTGOING_LIMIT} at once, for a place it waits {@code OUTGOING_WAIT}. {@code timeout} of the builder limits the wait for
     * the headers. GET is repeated by {@code HttpClient} when a connection drops: 2 attempts on 21 and 25, 5 from 26 on.
     *
     * @throws HttpError 503 no place, 504 too slow, 502 failed: what our client gets if it is not caught
     */
    public HttpResponse<byte[]> call(HttpRequest.Builder request) throws HttpError, InterruptedException {
        if (!outgoing.tryAcquire(config.outgoingWait.toNanos(), TimeUnit.NANOSECONDS)) {
            rejected.increment();
            throw new HttpError(503, "too many calls to other services");
        }
        try {
            if (Log.REQUEST.get() != null) {
                request.setHeader("X-Request-Id", Log.REQUEST.get());
            }
            var answer = client.sendAsync(request.build(), info -> new Limited(config.outgoingMaxBody));
            try {
                return answer.get(config.outgoingTimeout.toNanos(), TimeUnit.NANOSECONDS);
            } finally {
                answer.cancel(true); // closes the connection; HttpRequest.timeout ends at the headers on 21 and 25
            }
        } catch (TimeoutException e) {
            throw new HttpError(504, "another service took too long");
        } catch (ExecutionException e) {
            Log.error("call failed", e.getCause());
            throw e.getCause() instanceof HttpTimeoutException ? new HttpError(504, "another service took too long")
                    : new HttpError(502, "another service failed");
        } finally {
            outgoing.release();
        }
    }

    /** {@code BodyHandlers.limiting} came with JDK 25. */
    private static final class Limited implements BodySubscriber<byte[]> {
        private final CompletableFuture<byte[]> result = new CompletableFuture<>();
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private final int most;
        private Flow.Subscription subscription;

        private Limited(int most) {
            this.most = most;
        }

        @Override
        public CompletionStage<byte[]> getBody() {
            return result;
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            this.subscription = subscription;
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(List<ByteBuffer> buffers) {
            for (var buffer : buffers) {
                byte[] part = new byte[buffer.remaining()];
                buffer.get(part);
                body.writeBytes(part);
            }
            if (body.size() > most) {
                subscription.cancel();
                result.completeExceptionally(new IOException("more than " + most + " bytes"));
            }
        }

        @Override
        public void onError(Throwable failure) {
            result.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            result.complete(body.toByteArray());
        }
    }

    // ----------------------------------------------------------------------------------- Background and periodic tasks

    /** Starts work that no request waits for; failures are logged. Not for what must not be lost. @throws RejectedExecutionException 503 */
    public void background(String name, Task task) {
        if (stopTasks.isDone() || !backgroundLimit.tryAcquire()) {
            rejected.increment();
            throw new RejectedExecutionException(name);
        }
        String id = Log.REQUEST.get();
        start(name, () -> {
            try {
                Log.REQUEST.set(id);
                guarded(name, task);
            } finally {
                backgroundLimit.release();
            }
        });
    }

    /**
     * Runs the task again and again until the service stops, the delay counting from the end of a run: no overlap, no burst. Survives
     * exceptions, {@code Error}s and a leftover interrupt flag.
     */
    public void every(String name, Duration delay, Task task) {
        long nanos = Math.max(1_000_000, Math.min(TimeUnit.NANOSECONDS.convert(delay), Long.MAX_VALUE / 2)); // else it starves others
        start(name, () -> {
            long wait = ThreadLocalRandom.current().nextLong(nanos); // instances do not run in time
            while (!stopTasks.isDone()) {
                try {
                    stopTasks.get(wait, TimeUnit.NANOSECONDS);
                } catch (TimeoutException e) {
                    guarded(name, task);
                    wait = nanos;
                } catch (InterruptedException | ExecutionException e) {
                    wait = nanos; // stopped, or a leftover
                }
            }
        });
    }

    private void start(String name, Runnable loop) {
        var thread = Thread.ofVirtual().name(name).unstarted(() -> {
            try {
                loop.run();
            } finally {
                background.remove(Thread.currentThread());
            }
        });
        background.add(thread);
        thread.start();
    }

    private void guarded(String name, Task task) {
        try {
            task.run();
        } catch (Throwable e) {
            if (!(e instanceof InterruptedException && stopTasks.isDone())) {
                Log.error(name + " failed", e);
            }
        } finally {
            if (!stopTasks.isDone()) {
                Thread.interrupted();
            }
        }
    }

    /** Lets what runs end until the deadline, then interrupts it. */
    private boolean stopTasks(long deadline) {
        stopTasks.complete(null);
        for (var thread : background) {
            join(thread, Duration.ofNanos(deadline - System.nanoTime()));
        }
        background.forEach(Thread::interrupt);
        long end = System.nanoTime() + AFTER_INTERRUPT.toNanos();
        boolean ended = true;
        for (var thread : background) {
            if (!join(thread, Duration.ofNanos(end - System.nanoTime()))) {
                ended = false;
                Log.error("still running", stackOf(thread));
            }
        }
        return ended;
    }

    // ---------------------------------------------------------------------------------------------- Probes and metrics

    /** A check for {@code /readyz}: of this instance, not of what all instances share, or all leave at once. Throws why not. */
    public void readiness(String name, Duration limit, Task check) {
        checks.put(name, new Check(limit, check));
    }

    /** All checks at once, each with its deadline. */
    private Response ready() throws InterruptedException {
        var report = new TreeMap<String, Object>();
        if (!started || stopping) {
            report.put("service", stopping ? "stopping" : "starting");
        } else {
            checks.values().forEach(Check::begin);
            for (var check : checks.entrySet()) {
                String failure = check.getValue().result();
                if (failure != null) {
                    report.put(check.getKey(), failure);
                }
            }
        }
        return Response.json(report.isEmpty() ? 200 : 503, report);
    }

    /** One thread at most: a run that hangs is down, and not started again. */
    private static final class Check {
        private final Duration limit;
        private final Task task;
        private final ReentrantLock lock = new ReentrantLock();
        private CompletableFuture<String> run = CompletableFuture.completedFuture(null);
        private long deadline;

        private Check(Duration limit, Task task) {
            this.limit = limit;
            this.task = task;
        }

        private void begin() {
            lock.lock();
            try {
                if (!run.isDone()) {
                    return;
                }
                var next = new CompletableFuture<String>();
                run = next;
                deadline = System.nanoTime() + limit.toNanos();
                Thread.ofVirtual().name("readiness").start(() -> {
                    try {
                        task.run();
                        next.complete(null);
                    } catch (Throwable e) {
                        next.complete(e.toString());
                    }
                });
            } finally {
                lock.unlock();
            }
        }

        private String result() throws InterruptedException {
            CompletableFuture<String> current;
            long end;
            lock.lock();
            try {
                current = run;
                end = deadline;
            } finally {
                lock.unlock();
            }
            try {
                return current.get(end - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (ExecutionException | TimeoutException e) {
                return "no answer within " + limit.toMillis() + " ms";
            }
        }
    }

    private void recordPinned() {
        try {
            var stream = new RecordingStream();
            stream.setMaxSize(10 << 20);
            stream.enable("jdk.VirtualThreadPinned").withThreshold(Duration.ofMillis(20)).withoutStackTrace();
            stream.onEvent("jdk.VirtualThreadPinned", event -> {
                pinned.increment();
                pinnedNanos.add(event.getDuration().toNanos());
            });
            stream.startAsync();
            recording = stream;
            if (stopping) {
                stream.close();
            }
        } catch (RuntimeException | LinkageError e) { // a file system to read only, a runtime image without jdk.jfr
            Log.error("pinned events are not counted", e);
        }
    }

    private String metrics() {
        var text = new Formatter(new StringBuilder(4096), Locale.ROOT);
        var all = new ArrayList<>(routes);
        all.add(unmatched);
        text.format("# TYPE http_requests_total counter\n");
        for (var route : all) {
            route.answers.forEach((labels, count) ->
                    text.format("http_requests_total{route=\"%s\",%s} %d\n", route.pattern, labels, count.sum()));
        }
        String name = "http_request_duration_seconds";
        text.format("# TYPE %s histogram\n", name);
        for (var route : all) {
            long sum = 0;
            for (int i = 0; i < route.buckets.length; i++) {
                sum += route.buckets[i].sum();
                String most = i < BUCKETS.length ? String.valueOf(BUCKETS[i] / 1_000) : "+Inf";
                text.format("%s_bucket{route=\"%s\",le=\"%s\"} %d\n", name, route.pattern, most, sum);
            }
            text.format("%s_sum{route=\"%s\"} %s\n", name, route.pattern, route.nanos.sum() / 1e9);
            text.format("%s_count{route=\"%s\"} %d\n", name, route.pattern, sum);
        }
        gauge(text, "http_requests_in_flight", "gauge", handling::size);
        gauge(text, "requests_rejected_total", "counter", rejected::sum);
        gauge(text, "body_bytes_buffered", "gauge", buffered::get);
        gauge(text, "outgoing_calls_in_use", "gauge", () -> config.outgoingLimit - outgoing.availablePermits());
        gauge(text, "outgoing_calls_waiting", "gauge", outgoing::getQueueLength);
        gauge(text, "background_tasks", "gauge", background::size);
        gauge(text, "log_lines_dropped_total", "counter", Log.DROPPED::sum);
        gauge(text, "virtual_threads_recorded", "gauge", () -> recording == null ? 0 : 1);
        gauge(text, "virtual_threads_pinned_total", "counter", pinned::sum); // for more than 20 ms
        gauge(text, "virtual_threads_pinned_milliseconds_total", "counter", () -> pinnedNanos.sum() / 1_000_000);
        return text.toString();
    }

    private static void gauge(Formatter text, String name, String type, LongSupplier value) {
        text.format("# TYPE %1$s %2$s\n%1$s %3$d\n", name, type, value.getAsLong());
    }

    // ------------------------------------------------------------------------------------------------------------- Log

    /** JSON lines on stdout, written by one thread; whoever logs never waits. */
    public static final class Log {
        private static final ThreadLocal<String> REQUEST = new ThreadLocal<>();
        private static final LongAdder DROPPED = new LongAdder();
        private static final ArrayBlockingQueue<Object> LINES = new ArrayBlockingQueue<>(10_000); // and latches of flush

        static {
            Thread.ofPlatform().daemon().name("log").start(Log::write);
        }

        private Log() {
        }

        public static void info(String event, Object... keysAndValues) {
            put("INFO", event, null, keysAndValues);
        }

        /** With the stack trace in one field. */
        public static void error(String event, Throwable cause) {
            put("ERROR", event, cause);
        }

        /** Waits until what was logged before has been written, at most a second. */
        public static void flush() {
            var written = new CountDownLatch(1);
            try {
                if (LINES.offer(written, 1, TimeUnit.SECONDS)) {
                    written.await(1, TimeUnit.SECONDS);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private static void put(String level, String event, Throwable cause, Object... keysAndValues) {
            var line = new StringBuilder(256);
            line.append("{\"ts\":\"").append(Instant.now()).append("\",\"level\":\"").append(level)
                    .append("\",\"event\":");
            Json.quote(line, event);
            if (REQUEST.get() != null) {
                line.append(",\"request_id\":\"").append(REQUEST.get()).append('"');
            }
            for (int i = 0; i < keysAndValues.length; i += 2) {
                Json.quote(line.append(','), keysAndValues[i].toString());
                Json.write(line.append(':'), keysAndValues[i + 1]);
            }
            if (cause != null) {
                var stack = new StringWriter();
                cause.printStackTrace(new PrintWriter(stack));
                Json.quote(line.append(",\"error\":"), stack.toString());
            }
            if (!LINES.offer(line.append("}\n").toString())) {
                DROPPED.increment();
            }
        }

        private static void write() {
            var batch = new ArrayList<Object>();
            var text = new StringBuilder();
            try {
                while (true) {
                    batch.add(LINES.take());
                    Thread.sleep(5); // a wake-up for each line costs more than the line
                    LINES.drainTo(batch);
                    batch.stream().filter(String.class::isInstance).forEach(text::append);
                    System.out.print(text);
                    if (System.out.checkError()) { // flushes; whoever read it may have gone
                        DROPPED.add(batch.size());
                    }
                    batch.stream().filter(CountDownLatch.class::isInstance).map(CountDownLatch.class::cast)
                            .forEach(CountDownLatch::countDown);
                    batch.clear();
                    text.setLength(0);
                }
            } catch (InterruptedException e) {
                // nobody does
            }
        }
    }

    // ------------------------------------------------------------------------------------------------------------ JSON

    /** Strict (RFC 8259), small, not fast: put your library in its place. */
    public static final class Json {
        private static final int DEEPEST = 64;
        private static final Pattern INTEGER = Pattern.compile("-?(0|[1-9]\\d*)");
        private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?");
        private final String text;
        private int at;

        private Json(String text) {
            this.text = text;
        }

        /** @throws IllegalArgumentException with the place */
        public static Object parse(String text) {
            var json = new Json(text);
            Object value = json.value(0);
            if (json.next() != 0) {
                throw json.bad("the end");
            }
            return value;
        }

        private Object value(int depth) {
            if (depth > DEEPEST) {
                throw bad("less depth");
            }
            return switch (next()) {
                case '{' -> {
                    var map = new LinkedHashMap<String, Object>();
                    while (element('}', map.isEmpty())) {
                        String name = next() == '"' ? string() : null;
                        if (name == null || map.containsKey(name)) {
                            throw bad("a new name");
                        }
                        expect(':');
                        map.put(name, value(depth + 1));
                    }
                    yield map;
                }
                case '[' -> {
                    var list = new ArrayList<Object>();
                    while (element(']', list.isEmpty())) {
                        list.add(value(depth + 1));
                    }
                    yield list;
                }
                case '"' -> string();
                default -> word();
            };
        }

        /** Goes over the opening bracket or a comma; or over the closing bracket, then false. */
        private boolean element(char close, boolean first) {
            if (first) {
                at++;
            }
            if (next() == close) {
                at++;
                return false;
            }
            if (!first) {
                expect(',');
            }
            return true;
        }

        private void expect(char c) {
            if (next() != c) {
                throw bad("'" + c + "'");
            }
            at++;
        }

        private Object word() {
            int start = at;
            while (at < text.length() && " \t\r\n,:[]{}\"".indexOf(text.charAt(at)) < 0) {
                at++;
            }
            String word = text.substring(start, at);
            if (Set.of("true", "false", "null").contains(word)) {
                return word.equals("null") ? null : (Object) word.equals("true");
            }
            if (word.length() < 19 && INTEGER.matcher(word).matches()) {
                return Long.parseLong(word);
            }
            if (NUMBER.matcher(word).matches() && Double.isFinite(Double.parseDouble(word))) {
                return Double.parseDouble(word);
            }
            at = start;
            throw bad("a value");
        }

        private String string() {
            var result = new StringBuilder();
            for (at++; at < text.length(); at++) {
                char c = text.charAt(at);
                if (c == '"') {
                    at++;
                    return result.toString();
                }
                if (c < ' ') {
                    break;
                }
                if (c != '\\') {
                    result.append(c);
                } else if (++at < text.length()) {
                    int simple = "\"\\/bfnrt".indexOf(text.charAt(at));
                    if (simple >= 0) {
                        result.append("\"\\/\b\f\n\r\t".charAt(simple));
                    } else if (text.substring(at, Math.min(at + 5, text.length())).matches("u[0-9a-fA-F]{4}")) {
                        result.append((char) Integer.parseInt(text, at + 1, at + 5, 16));
                        at += 4;
                    } else {
                        break;
                    }
                }
            }
            throw bad("a string");
        }

        /** The next character that is no white space, or 0. */
        private char next() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            return at < text.length() ? text.charAt(at) : 0;
        }

        private IllegalArgumentException bad(String expected) {
            return new IllegalArgumentException("expected " + expected + " at " + at);
        }

        /** @param value Map, Iterable, Number, Boolean or null; anything else as a string */
        public static String write(Object value) {
            var text = new StringBuilder();
            write(text, value);
            return text.toString();
        }

        private static void write(StringBuilder text, Object value) {
            if (value instanceof Map<?, ?> map) {
                text.append('{');
                map.forEach((name, element) -> {
                    quote(text.append(text.charAt(text.length() - 1) == '{' ? "" : ","), String.valueOf(name));
                    write(text.append(':'), element);
                });
                text.append('}');
            } else if (value instanceof Iterable<?> elements) {
                text.append('[');
                boolean first = true;
                for (Object element : elements) {
                    write(text.append(first ? "" : ","), element);
                    first = false;
                }
                text.append(']');
            } else if (value == null || value instanceof Boolean
                    || value instanceof Number number && Double.isFinite(number.doubleValue())) {
                text.append(value);
            } else {
                quote(text, value.toString());
            }
        }

        /** ASCII alone: nothing ends a line, and no encoding of stdout matters. */
        private static void quote(StringBuilder text, String string) {
            text.append('"');
            for (int i = 0; i < string.length(); i++) {
                char c = string.charAt(i);
                switch (c) {
                    case '"', '\\' -> text.append('\\').append(c);
                    case '\n' -> text.append("\\n");
                    case '\t' -> text.append("\\t");
                    default -> {
                        if (c < ' ' || c > '~') {
                            text.append("\\u").append(HexFormat.of().toHexDigits(c));
                        } else {
                            text.append(c);
                        }
                    }
                }
            }
            text.append('"');
        }
    }
}
