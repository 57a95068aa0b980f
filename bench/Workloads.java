import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One measurement in one process: {@code java Workloads PATTERN VARIANT N SECONDS [PORT]}, steady within so many
 * seconds. VARIANT is {@code examples}, the project's files as they are, or {@code naive}, a virtual-thread-per-task
 * executor and futures. Prints {@link Steady.Figures#line}; of more than 100,000 tasks one run, after
 * 10,000 have become steady. {@code workloads.py} is the same in asyncio; {@code Compare} runs both.
 */
public final class Workloads {

    @FunctionalInterface
    private interface Workload {
        /** Runs once over n tasks and returns a number that only a complete run yields. */
        long run(int n) throws Exception;
    }

    private static final Duration SLEEP = Duration.ofMillis(10);
    private static final Duration CALL = Duration.ofMillis(1);
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int BOUND = 1_000;
    private static final int CONNECTIONS = 50;
    private static final int MOST = 100_000;

    private Workloads() {
    }

    public static void main(String[] args) throws Exception {
        String pattern = args[0];
        boolean naive = args[1].equals("naive");
        int n = Integer.parseInt(args[2]);
        double limit = Double.parseDouble(args[3]);
        if (pattern.equals("http-server")) {
            server(n, limit);
            return;
        }
        Workload workload = switch (pattern) {
            case "spawn" -> naive ? Workloads::naiveSpawn : Workloads::spawn;
            case "gather" -> naive ? Workloads::naiveGather : Workloads::gather;
            case "parked" -> naive ? Workloads::naiveParked : Workloads::parked;
            case "bounded" -> naive ? Workloads::naiveBounded : Workloads::bounded;
            case "queue" -> naive ? Workloads::naiveQueue : Workloads::queue;
            case "lock" -> naive ? Workloads::naiveLock : Workloads::lock;
            case "timeout" -> naive ? Workloads::naiveTimeout : Workloads::timeout;
            case "http-client" -> client(Integer.parseInt(args[4]), naive);
            default -> throw new IllegalArgumentException(pattern);
        };
        var figures = Steady.measure(() -> timed(workload, n > MOST ? 10_000 : n), limit);
        if (n > MOST) {
            figures = new Steady.Figures(0, 0, timed(workload, n), figures.after(), 0);
        }
        System.out.println(figures.line());
        System.exit(0); // the client's threads
    }

    private static double timed(Workload workload, int n) throws Exception {
        long start = System.nanoTime();
        long result = workload.run(n);
        if (result != n) {
            throw new AssertionError(result + " instead of " + n);
        }
        return System.nanoTime() - start;
    }

    // spawn: n tasks that do nothing

    private static long spawn(int n) throws Exception {
        try (var group = TaskGroup.<Integer>failFast()) {
            var tasks = new ArrayList<TaskGroup.Task<Integer>>(n);
            for (int i = 0; i < n; i++) {
                tasks.add(group.fork(() -> 1));
            }
            group.join();
            return tasks.stream().mapToInt(TaskGroup.Task::get).sum();
        }
    }

    private static long naiveSpawn(int n) throws Exception {
        return naive(Collections.nCopies(n, () -> 1));
    }

    private static long naive(List<Callable<Integer>> tasks) throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var futures = new ArrayList<Future<Integer>>(tasks.size());
            for (var task : tasks) {
                futures.add(executor.submit(task));
            }
            long sum = 0;
            for (var future : futures) {
                sum += future.get();
            }
            return sum;
        }
    }

    // gather: n tasks that sleep 10 ms

    private static int sleeping() throws InterruptedException {
        Thread.sleep(SLEEP);
        return 1;
    }

    private static long gather(int n) throws Exception {
        return Gather.<Integer>all(Collections.nCopies(n, Workloads::sleeping)).stream().mapToInt(i -> i).sum();
    }

    private static long naiveGather(int n) throws Exception {
        return naive(Collections.nCopies(n, Workloads::sleeping));
    }

    // parked: n tasks alive at once; the last one lets them all go

    private static long parked(int n) throws Exception {
        var arrived = new CountDownLatch(n);
        var go = new Event();
        Thread.startVirtualThread(() -> {
            try {
                arrived.await();
                go.set();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        return Gather.<Integer>all(Collections.nCopies(n, () -> {
            arrived.countDown();
            go.await();
            return 1;
        })).stream().mapToInt(i -> i).sum();
    }

    private static long naiveParked(int n) throws Exception {
        var arrived = new CountDownLatch(n);
        return naive(Collections.nCopies(n, () -> {
            arrived.countDown();
            arrived.await();
            return 1;
        }));
    }

    // bounded: n tasks that sleep 1 ms, 1,000 at once

    private static int calling() throws InterruptedException {
        Thread.sleep(CALL);
        return 1;
    }

    private static long bounded(int n) throws Exception {
        return BoundedGather.map(Collections.nCopies(n, 1), BOUND, one -> calling()).stream().mapToInt(i -> i).sum();
    }

    private static long naiveBounded(int n) throws Exception {
        var permits = new Semaphore(BOUND);
        return naive(Collections.nCopies(n, () -> {
            permits.acquire();
            try {
                return calling();
            } finally {
                permits.release();
            }
        }));
    }

    // queue: n items, one producer, four consumers, room for 100

    private static long queue(int n) throws Exception {
        var handled = new LongAdder();
        var queue = new WorkQueue<Integer>(100);
        Thread.startVirtualThread(() -> {
            try (queue) {
                for (int i = 0; i < n; i++) {
                    queue.put(1);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        queue.consume(4, handled::add);
        return handled.sum();
    }

    private static long naiveQueue(int n) throws Exception {
        var handled = new LongAdder();
        var queue = new ArrayBlockingQueue<Integer>(100);
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int c = 0; c < 4; c++) {
                executor.submit(() -> {
                    for (int item = queue.take(); item > 0; item = queue.take()) {
                        handled.add(item);
                    }
                    return null;
                });
            }
            executor.submit(() -> {
                for (int i = 0; i < n; i++) {
                    queue.put(1);
                }
                for (int c = 0; c < 4; c++) {
                    queue.put(0); // the end, once for each consumer
                }
                return null;
            });
        }
        return handled.sum();
    }

    // lock: n updates of two fields under one lock, by 100 tasks

    private static final class Account {
        long total;
        long count;

        void add() {
            total++;
            count++;
        }
    }

    private static long lock(int n) throws Exception {
        var account = new SharedState<>(new Account());
        Gather.<Integer>all(Collections.nCopies(100, () -> {
            for (int i = 0; i < n / 100; i++) {
                account.locked(state -> {
                    state.add();
                    return null;
                });
            }
            return null;
        }));
        return account.locked(state -> state.count);
    }

    private static long naiveLock(int n) throws Exception {
        var account = new Account();
        var lock = new ReentrantLock();
        naive(Collections.nCopies(100, () -> {
            for (int i = 0; i < n / 100; i++) {
                lock.lock();
                try {
                    account.add();
                } finally {
                    lock.unlock();
                }
            }
            return 0;
        }));
        return account.count;
    }

    // timeout: n calls with a timeout that none of them reaches, by 100 tasks

    private static int yielding() {
        Thread.yield();
        return 1;
    }

    private static long timeout(int n) throws Exception {
        return Gather.<Integer>all(Collections.nCopies(100, () -> {
            int done = 0;
            for (int i = 0; i < n / 100; i++) {
                done += Timeout.call(Workloads::yielding, LIMIT);
            }
            return done;
        })).stream().mapToInt(i -> i).sum();
    }

    private static long naiveTimeout(int n) throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            return naive(Collections.nCopies(100, () -> {
                int done = 0;
                for (int i = 0; i < n / 100; i++) {
                    done += executor.submit(Workloads::yielding).get(LIMIT.toNanos(), TimeUnit.NANOSECONDS);
                }
                return done;
            }));
        }
    }

    // http-client: n GETs over 50 connections, to a server in another process

    private static Workload client(int port, boolean naive) {
        var client = HttpClient.newHttpClient();
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/"))
                .version(HttpClient.Version.HTTP_1_1).build();
        BoundedGather.Operation<Object, Integer> get = any -> {
            int length = client.send(request, HttpResponse.BodyHandlers.ofString()).body().length();
            return length == HttpLoad.BODY.length() ? 1 : 0;
        };
        if (naive) {
            var permits = new Semaphore(CONNECTIONS);
            return n -> naive(Collections.nCopies(n, () -> {
                permits.acquire();
                try {
                    return get.apply(null);
                } finally {
                    permits.release();
                }
            }));
        }
        return n -> BoundedGather.map(Collections.nCopies(n, 1), CONNECTIONS, get).stream().mapToInt(i -> i).sum();
    }

    // http-server: n GETs over 50 kept connections, sent by another process

    private static void server(int n, double limit) throws Exception {
        System.setProperty("sun.net.httpserver.nodelay", "true");
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        byte[] body = HttpLoad.BODY.getBytes(StandardCharsets.US_ASCII);
        server.createContext("/", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            }
        });
        server.start();
        var load = new ProcessBuilder(System.getenv("BENCH_LOAD").split("\t"));
        load.command().addAll(List.of("get", "" + server.getAddress().getPort(), "" + CONNECTIONS, "" + n,
                "" + limit));
        Process process = load.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (var reader = process.inputReader()) {
            String[] figures = reader.readLine().split("\t");
            process.waitFor(); // else the time it took is not counted as ours
            System.out.println("0\t0\t" + figures[2] + "\t" + figures[3] + "\t0\t" + Machine.peakKilobytes());
        } finally {
            server.stop(0);
        }
    }
}
