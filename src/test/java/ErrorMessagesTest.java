import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Reproduces each message of the table in {@code references/debugging.md}; one more or less here or there fails. */
@Timeout(600)
class ErrorMessagesTest {

    private static final String PAGE = read(Path.of("references/debugging.md"));
    private static final int JDK = Runtime.version().feature();

    private interface Body {
        void run() throws Throwable;
    }

    /**
     * Checks that {@code body} throws what starts with {@code text}, type without its package, and that the page has
     * this text.
     */
    private static Throwable shows(String text, Body body) {
        Throwable thrown = null;
        try {
            body.run();
        } catch (Throwable e) {
            thrown = e;
        }
        assertNotNull(thrown, () -> "nothing was thrown, not " + text);
        String is = thrown.getClass().getSimpleName() + (thrown.getMessage() == null ? "" : ": " + thrown.getMessage());
        boolean same = text.endsWith("...") ? is.startsWith(text.substring(0, text.length() - 3)) : is.equals(text);
        assertTrue(same, () -> is + ", not " + text);
        documented(text);
        return thrown;
    }

    private static void documented(String text) {
        assertTrue(PAGE.contains("`" + text + "`"), () -> "references/debugging.md has no `" + text + "`");
    }

    @Test
    void eachMessageOfThePageIsReproducedHere() {
        String here = read(Path.of("src/test/java/ErrorMessagesTest.java"));
        var rows = PAGE.substring(PAGE.indexOf("| message |")).lines().takeWhile(line -> line.startsWith("|")).skip(2)
                .toList();
        assertTrue(rows.size() > 20, rows::toString);
        for (String row : rows) {
            String message = row.split("`")[1].replace("\"", "\\\"");
            assertTrue(here.contains('"' + message + '"'), () -> "nothing reproduces " + message);
        }
    }

    @Test
    void anExecutorThatIsClosed() {
        shows("RejectedExecutionException", () -> {
            var executor = Executors.newVirtualThreadPerTaskExecutor();
            executor.close();
            executor.submit(() -> 1);
        });
        var pool = shows("RejectedExecutionException: Task ...", () -> {
            var executor = Executors.newFixedThreadPool(1);
            executor.close();
            executor.submit(() -> 1);
        });
        assertTrue(pool.getMessage().contains("[Terminated, pool size = 0"), pool::getMessage);
        documented("[Terminated");
        var full = shows("RejectedExecutionException: Task ...", () -> {
            var begun = new CountDownLatch(1);
            var go = new CountDownLatch(1);
            try (var executor = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(1))) {
                try {
                    executor.execute(() -> {
                        begun.countDown();
                        awaitQuietly(go);
                    });
                    begun.await(); // a thread that has only started may not count as active
                    for (int i = 0; i < 2; i++) {
                        executor.execute(() -> awaitQuietly(go));
                    }
                } finally {
                    go.countDown();
                }
            }
        });
        assertTrue(full.getMessage().contains("[Running, pool size = 1, active threads = 1, queued tasks = 1"),
                full::getMessage);
        documented("[Running");
    }

    @Test
    void whatAFutureThrows() throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var failed = shows("ExecutionException: java.io.IOException: down", () ->
                    executor.submit((Callable<Integer>) () -> {
                throw new IOException("down");
            }).get());
            assertEquals(IOException.class, failed.getCause().getClass());
            var never = new CountDownLatch(1);
            var future = executor.submit(() -> never.await(1, TimeUnit.HOURS));
            shows("TimeoutException", () -> future.get(1, TimeUnit.MILLISECONDS));
            shows("IllegalStateException: Task has not completed", future::resultNow);
            future.cancel(true);
            shows("CancellationException", future::get);
        }
    }

    @Test
    void aStageWrapsWhatItsSourceThrew() {
        shows("CompletionException: java.lang.IllegalArgumentException: bad", () ->
                CompletableFuture.supplyAsync(() -> {
            throw new IllegalArgumentException("bad");
        }).join());
        var source = new CompletableFuture<Integer>();
        var direct = new CompletableFuture<Throwable>();
        var dependent = new CompletableFuture<Throwable>();
        source.whenComplete((value, e) -> direct.complete(e));
        source.thenApply(value -> value).whenComplete((value, e) -> dependent.complete(e));
        source.completeExceptionally(new IOException("down"));
        assertEquals(IOException.class, direct.join().getClass(), "on the source itself: bare");
        assertEquals(CompletionException.class, dependent.join().getClass(), "one stage later: wrapped");
    }

    @Test
    void locksAndBarriers() throws Exception {
        shows("IllegalMonitorStateException", () -> new ReentrantLock().unlock());
        shows("IllegalMonitorStateException", () -> new ReentrantLock().newCondition().await());
        shows("IllegalMonitorStateException: current thread is not owner", () -> new Object().notify());
        var barrier = new CyclicBarrier(2);
        var one = new FutureTask<>(barrier::await);
        Thread thread = Thread.startVirtualThread(one);
        while (barrier.getNumberWaiting() == 0) {
            Thread.sleep(1);
        }
        thread.interrupt();
        thread.join();
        shows("BrokenBarrierException", barrier::await);
    }

    @Test
    void collectionsThatSeveralThreadsOrACallbackChange() {
        shows("ConcurrentModificationException", () -> {
            var list = new ArrayList<>(List.of(1, 2, 3));
            for (Integer element : list) {
                list.remove(element);
            }
        });
        shows("ConcurrentModificationException", () -> {
            var map = new HashMap<Integer, Integer>();
            map.computeIfAbsent(1, key -> map.put(2, 2));
        });
        shows("IllegalStateException: Recursive update", () -> {
            var map = new ConcurrentHashMap<String, Integer>();
            map.computeIfAbsent("a", key -> map.computeIfAbsent("a", same -> 1));
        });
        shows("IllegalStateException: Queue full", () -> {
            var queue = new ArrayBlockingQueue<Integer>(1);
            queue.add(1);
            queue.add(2);
        });
        shows("NullPointerException", () -> new LinkedBlockingQueue<Integer>().add(null));
    }

    @Test
    void threads() {
        shows("IllegalArgumentException: 'false' not legal for virtual threads",
                () -> Thread.ofVirtual().unstarted(() -> { }).setDaemon(false));
        shows("IllegalThreadStateException: Already started", () -> {
            Thread thread = Thread.startVirtualThread(() -> { });
            thread.start();
        });
        shows("InterruptedException: sleep interrupted", () -> {
            Thread.currentThread().interrupt();
            Thread.sleep(1_000);
        });
    }

    @Test
    void aVirtualThreadWithoutANameFails() throws Exception {
        var output = child("Uncaught", "");
        String text = "Exception in thread \"\" java.lang.IllegalStateException: boom";
        assertTrue(output.contains(text), output);
        documented("Exception in thread \"\" ...");
    }

    static final class Uncaught {
        public static void main(String[] args) throws InterruptedException {
            Thread.startVirtualThread(() -> {
                throw new IllegalStateException("boom");
            }).join();
        }
    }

    @Test
    void sockets() throws Exception {
        try (var server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            var failure = new CompletableFuture<Throwable>();
            Thread reader = Thread.startVirtualThread(() -> {
                try (var socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                    socket.getInputStream().read();
                } catch (IOException e) {
                    failure.complete(e);
                }
            });
            Socket accepted = server.accept(); // kept: a socket that is garbage is closed
            while (reader.getState() != Thread.State.WAITING) {
                Thread.sleep(1);
            }
            reader.interrupt();
            shows("SocketException: Closed by interrupt", () -> {
                throw failure.get();
            });
            accepted.close();
            server.setSoTimeout(1);
            shows("SocketTimeoutException: Accept timed out", server::accept);
        }
    }

    private static HttpRequest.Builder to(int port) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/"));
    }

    @Test
    void httpClient() throws Exception {
        try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            var text = HttpResponse.BodyHandlers.ofString();
            var client = HttpClient.newHttpClient();
            var running = client.sendAsync(to(silent.getLocalPort()).build(), text);
            Socket accepted = silent.accept(); // kept: a socket that is garbage is closed
            shows("HttpTimeoutException: request timed out", () -> {
                while (true) {
                    try {
                        client.send(to(silent.getLocalPort()).timeout(Duration.ofSeconds(5)).build(), text);
                        return;
                    } catch (HttpConnectTimeoutException e) {
                        continue; // too busy even to connect
                    }
                }
            });
            client.shutdownNow();
            var stopped = shows("ExecutionException: java.io.IOException: shutdownNow", running::get);
            assertEquals(IOException.class, stopped.getCause().getClass());
            shows("IOException: closed", () -> client.send(to(silent.getLocalPort()).build(), text));
            accepted.close();
        }
        try (var deaf = new Socket(); var client = HttpClient.newHttpClient()) { // has the port and does not listen
            deaf.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            var refused = shows(JDK < 26 ? "ConnectException" : "ConnectException: Connection refused...", () ->
                    client.send(to(deaf.getLocalPort()).build(), HttpResponse.BodyHandlers.ofString()));
            if (JDK < 26) {
                assertNull(refused.getMessage(), "21 and 25 do not say why");
            }
        }
    }

    @Test
    void httpServerWhoseHandlerThrows() throws Exception {
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        try (var executor = Executors.newVirtualThreadPerTaskExecutor(); var client = HttpClient.newHttpClient()) {
            var twice = new CompletableFuture<Throwable>();
            server.setExecutor(executor);
            server.createContext("/", exchange -> {
                throw new IllegalStateException("a bug in the handler");
            });
            server.createContext("/twice", exchange -> {
                try (exchange) {
                    exchange.sendResponseHeaders(204, -1);
                    exchange.sendResponseHeaders(204, -1);
                } catch (IOException e) {
                    twice.complete(e);
                }
            });
            server.start();
            int port = server.getAddress().getPort();
            shows("IOException: HTTP/1.1 header parser received no bytes", () -> client.send(
                    to(port).POST(HttpRequest.BodyPublishers.noBody()).build(), HttpResponse.BodyHandlers.ofString()));
            client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/twice")).build(),
                    HttpResponse.BodyHandlers.discarding());
            shows("IOException: headers already sent", () -> {
                throw twice.get();
            });
        } finally {
            server.stop(0);
        }
    }

    /** By reflection: the API is a preview that differs on each JDK, but at run time nothing is checked. */
    private static final class Scope {
        private final Class<?> type;
        private final Object scope;

        Scope() throws Exception {
            type = Class.forName("java.util.concurrent.StructuredTaskScope");
            scope = JDK < 25 ? type.getConstructor().newInstance() : type.getMethod("open").invoke(null);
        }

        Object call(Class<?> on, Object target, String name, Object... arguments) throws Throwable {
            var types = new ArrayList<Class<?>>();
            for (int i = 0; i < arguments.length; i++) {
                types.add(Callable.class);
            }
            try {
                return on.getMethod(name, types.toArray(Class<?>[]::new)).invoke(target, arguments);
            } catch (java.lang.reflect.InvocationTargetException e) {
                throw e.getCause();
            }
        }

        Object fork() throws Throwable {
            return call(type, scope, "fork", (Callable<Integer>) () -> 1);
        }

        void join() throws Throwable {
            call(type, scope, "join");
        }

        void close() throws Throwable {
            call(type, scope, "close");
        }
    }

    @Test
    void structuredTaskScope() throws Exception {
        shows(JDK < 25 ? "IllegalStateException: Owner did not join after forking subtasks"
                : "IllegalStateException: Owner did not join after forking", () -> {
            var scope = new Scope();
            scope.fork();
            scope.close();
        });
        shows(JDK < 25 ? "IllegalStateException: Owner did not join after forking subtasks"
                : JDK < 26 ? "IllegalStateException: join not called" : "IllegalStateException", () -> {
            var scope = new Scope();
            try {
                Object subtask = scope.fork();
                scope.call(Class.forName("java.util.concurrent.StructuredTaskScope$Subtask"), subtask, "get");
            } finally {
                scope.join();
                scope.close();
            }
        });
        shows("StructureViolationException...", () -> {
            var outer = new Scope();
            new Scope();
            outer.close();
        });
        shows("WrongThreadException...", () -> {
            var scope = new Scope();
            var result = new FutureTask<>(() -> {
                try {
                    scope.fork();
                    return null;
                } catch (Throwable e) {
                    return e;
                }
            });
            Thread.ofPlatform().start(result);
            Throwable thrown = result.get();
            scope.join();
            scope.close();
            throw thrown;
        });
    }

    @Test
    void limitsOfTheOperatingSystem() throws Exception {
        Assumptions.assumeTrue(System.getProperty("os.name").equals("Linux"), "needs ulimit");
        String threads = child("Threads", "ulimit -v 8000000; ");
        assertTrue(threads.contains("OutOfMemoryError: unable to create native thread: possibly out of memory or process/resource limits"),
                threads);
        documented("OutOfMemoryError: unable to create native thread: ...");
        String files = child("Sockets", "ulimit -Sn 60; ulimit -Hn 60; ");
        assertTrue(files.contains("SocketException: Too many open files"), files);
        documented("SocketException: Too many open files");
    }

    static final class Threads {
        public static void main(String[] args) {
            for (int i = 0; i < 1_000; i++) {
                Thread thread = new Thread(null, () -> awaitQuietly(new CountDownLatch(1)), "t", 1 << 30);
                thread.setDaemon(true);
                thread.start();
            }
        }
    }

    static final class Sockets {
        public static void main(String[] args) throws IOException {
            var open = new ArrayList<ServerSocket>();
            while (open.size() < 1_000) {
                open.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
            }
        }
    }

    /** Output of a main class of this file, in a JVM of its own. */
    private static String child(String name, String before) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var command = List.of(java, "-Xmx64m", "-XX:ReservedCodeCacheSize=32m", "-XX:CompressedClassSpaceSize=32m",
                "-cp",
                System.getProperty("java.class.path"), "ErrorMessagesTest$" + name);
        var shell = List.of("sh", "-c", before + "exec '" + String.join("' '", command) + "'");
        var process = new ProcessBuilder(before.isEmpty() ? command : shell)
                .redirectErrorStream(true).start();
        try (var output = process.getInputStream()) {
            return new String(output.readAllBytes(), StandardCharsets.UTF_8);
        } finally {
            process.destroyForcibly();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
