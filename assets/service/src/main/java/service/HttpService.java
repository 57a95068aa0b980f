package service;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * asyncio: the server of an {@code aiohttp} application. HTTP/1.1 over plain TCP, a virtual thread for each connection.
 * Final API, JDK 21 and later. Embeddable, several in one JVM. No TLS, HTTP/2, compression, multipart or static files:
 * use a proxy in front, or a framework.
 *
 * <p>Not {@code com.sun.net.httpserver}: on 21 to 23 it needs a platform thread for each slow client, on no JDK does it
 * notice that a client leaves while a handler runs, and its time limits follow the wall clock. The limits here are in
 * {@link Options}.
 *
 * <p><b>Handlers</b> run in their connection's thread. <b>Probes</b> ({@link Router.Route#always}) on new connections
 * are answered even if handlers have taken all processors: platform threads, 64 at most, step in. <b>Slow</b> clients
 * are cut off or get 408; if an answer breaks off, the connection is cut. <b>Refused</b> requests get 503 and {@code
 * Retry-After}.
 */
public final class HttpService implements AutoCloseable {

    /** Set before {@link HttpService#start}. Limits scale with the heap, 48 KB a request; lower ones refuse bursts. */
    public static final class Options {
        public String host = "127.0.0.1"; // this machine only; 0.0.0.0 in a container
        public int port; // 0: any free one
        public Duration requestTimeout = Duration.ofSeconds(10); // from its first byte to its last; silence in a stream
        public Duration handlerTimeout = Duration.ofSeconds(30); // then it is interrupted: 504
        public Duration idleTimeout = Duration.ofSeconds(75); // between requests: longer than the load balancer's
        public int maxBody = 1 << 20; // bytes: 413
        public int maxInFlight = Math.clamp(Runtime.getRuntime().maxMemory() / 49_152, 100, 10_000); // or 503
        public int maxConnections = Math.clamp(Runtime.getRuntime().maxMemory() / 16_384, 200, 10_000); // and ulimit -n
        public Memory memory = new Memory(Runtime.getRuntime().maxMemory() / 4); // bodies, JSON, answers: 503
        public Observer observer = new Observer() { };
    }

    private static final Duration AFTER_INTERRUPT = Duration.ofSeconds(2);
    private static final long QUIET = Duration.ofMillis(300).toNanos();
    private static final int CROWD = 64;
    final Options options;
    final Router router;
    final Memory memory;
    final Observer observer;
    final Semaphore places;
    final LongAdder rejected = new LongAdder();
    private final ServerSocket listener = new ServerSocket();
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final Thread acceptor = Thread.ofPlatform().daemon().name("accept").unstarted(this::accept);
    final Sweeper sweeper = new Sweeper(connections, this::calm);
    private volatile boolean draining; // ends the acceptor when nobody waits
    private volatile boolean closed; // ends it anyway
    private volatile boolean closing; // the listener is closed: clients are to leave. Before, they would only come back

    private HttpService(Options options, Router router) throws IOException {
        this.options = options;
        this.router = Objects.requireNonNull(router, "router");
        this.memory = Objects.requireNonNull(options.memory, "memory");
        this.observer = Objects.requireNonNull(options.observer, "observer");
        positive(options.requestTimeout, "requestTimeout");
        positive(options.handlerTimeout, "handlerTimeout");
        positive(options.idleTimeout, "idleTimeout");
        if (options.maxBody < 0 || options.maxInFlight < 1 || options.maxConnections < 1) {
            throw new IllegalArgumentException("a negative maxBody, or no maxInFlight or maxConnections");
        }
        this.places = new Semaphore(options.maxInFlight);
    }

    private static void positive(Duration duration, String name) {
        if (!duration.isPositive()) {
            throw new IllegalArgumentException(name + " must be positive: " + duration);
        }
    }

    /**
     * Listens; returns at once. Close what you start. All its threads are daemons: main must wait for the end.
     *
     * @throws BindException if the address is not available; the message names it
     */
    public static HttpService start(Options options, Router router) throws IOException {
        var service = new HttpService(options, router);
        var address = new InetSocketAddress(options.host, options.port);
        try {
            service.listener.setReuseAddress(true);
            if (address.isUnresolved()) {
                throw new BindException("unknown host");
            }
            service.listener.bind(address, 1024);
            service.acceptor.start();
            service.sweeper.start();
            return service;
        } catch (BindException e) {
            close(service.listener);
            throw new BindException(options.host + ":" + options.port + ": " + e.getMessage());
        } catch (Throwable e) {
            close(service.listener);
            throw e;
        }
    }

    public int port() {
        return listener.getLocalPort();
    }

    public int inFlight() {
        return options.maxInFlight - places.availablePermits();
    }

    public int connections() {
        return connections.size();
    }

    /** Requests refused with 503 since the start. */
    public long rejected() {
        return rejected.sum();
    }

    /** How long no virtual thread has got a processor, because handlers compute or pin. Below 100 ms counts as zero. */
    public Duration starvedFor() {
        return Duration.ofNanos(sweeper.starvedFor());
    }

    // ---- its threads

    private void accept() {
        boolean more = true;
        while (more) {
            Socket socket = null;
            try {
                more = !closed;
                listener.setSoTimeout(draining ? 2 : 100); // so that it looks up now and then
                socket = listener.accept();
                begin(socket);
            } catch (SocketTimeoutException e) {
                more = !draining; // nobody waits in the system's queue, who would be reset
            } catch (Throwable e) { // no file descriptor or no memory; perhaps in a moment
                close(socket);
                calm("cannot accept", e);
            }
        }
        close(listener);
        closing = true;
    }

    private void begin(Socket socket) throws IOException {
        int count = connections.size();
        boolean crowded = count >= options.maxConnections && !sweeper.dropIdle();
        if (count - CROWD >= options.maxConnections
                && (count - 2 * CROWD >= options.maxConnections || !sweeper.dropCrowded())) {
            socket.close();
            return;
        }
        var connection = new Connection(this, socket, crowded);
        connections.add(connection);
        try {
            if (!sweeper.isStarving() || !sweeper.inLane(connection)) {
                Thread.ofVirtual().name("connection").start(connection);
            }
        } catch (Throwable e) {
            connections.remove(connection);
            throw e;
        }
    }

    void ended(Connection connection) {
        connections.remove(connection);
    }

    private void calm(String what, Throwable cause) {
        try {
            failed(null, what, cause);
            Thread.sleep(50);
        } catch (Throwable e) {
            // no memory to say so; the thread goes on
        }
    }

    void failed(Request request, String what, Throwable cause) {
        try {
            observer.failed(request, what, cause);
        } catch (Throwable e) {
            // its own matter
        }
    }

    private static void close(AutoCloseable socket) {
        try {
            if (socket != null) {
                socket.close();
            }
        } catch (Throwable e) {
            // of no use any more; the acceptor goes on
        }
    }

    // ---- stop

    /**
     * Waits at most {@code limit} until all accepted requests except probes are answered and {@link Observer#answered}
     * has returned. Call {@link Router#refuse} first: then none comes in, not even one whose body is still arriving.
     *
     * @return whether all are answered
     */
    public boolean awaitIdle(Duration limit) throws InterruptedException {
        long end = deadline(limit);
        while (inFlight() > 0) {
            if (System.nanoTime() - end >= 0) {
                return false;
            }
            Thread.sleep(5);
        }
        return true;
    }

    private static long deadline(Duration limit) {
        return System.nanoTime() + Sweeper.nanos(Objects.requireNonNull(limit, "limit"));
    }

    boolean closing() {
        return closing;
    }

    /** {@link #drain} with ten seconds. */
    @Override
    public void close() {
        drain(Duration.ofSeconds(10));
    }

    /**
     * Stops and refuses no client that has arrived: accepts those in the system's queue and closes the listener;
     * answers what open connections ask, with {@code Connection: close}; ends server-sent events; closes unused
     * connections; at the limit interrupts handlers (503), and two seconds later cuts what is left. Call {@link
     * Router#refuse} and {@link #awaitIdle} first only to answer 503 meanwhile. Bounded, so an interrupt does not end
     * it: the flag stays.
     *
     * @return false if a handler still runs
     * @throws IllegalStateException if called by a handler, hook or observer in a connection of this service
     */
    public boolean drain(Duration limit) {
        refuseOwnThread();
        long end = deadline(limit);
        boolean interrupted = Thread.interrupted();
        draining = true;
        long acceptAtMost = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
        while (acceptor.isAlive() && System.nanoTime() - acceptAtMost < 0) {
            interrupted |= pause();
        }
        closed = true;
        while (!connections.isEmpty() && System.nanoTime() - end < 0) {
            connections.forEach(connection -> connection.interrupt(true));
            connections.forEach(connection -> connection.closeIfIdle(QUIET));
            interrupted |= pause();
        }
        end = System.nanoTime() + AFTER_INTERRUPT.toNanos();
        do { // again and again: a request may just be on its way to its handler
            connections.forEach(connection -> connection.interrupt(false));
            interrupted |= pause();
        } while (inFlight() > 0 && System.nanoTime() - end < 0);
        boolean clean = inFlight() == 0;
        connections.forEach(Connection::closeSocket);
        sweeper.end();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return clean;
    }

    void refuseOwnThread() {
        if (connections.stream().anyMatch(connection -> connection.isRunBy(Thread.currentThread()))) {
            throw new IllegalStateException("a handler that closes its own service would wait for itself");
        }
    }

    private static boolean pause() {
        try {
            Thread.sleep(5);
            return false;
        } catch (InterruptedException e) {
            return true;
        }
    }
}
