import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import service.Json;

/**
 * What a call of the examples costs: each is made over and over by some threads that share one object. {@code
 * Libraries} has the same jobs done by libraries, {@code Release} compares these with those of an earlier revision. One
 * measurement is a process: {@code java Calls JOB CLASS THREADS SECONDS} prints nanoseconds at the 99th percentile, and
 * {@link Steady.Figures#line} for a call: the time divided by the calls of all threads.
 */
final class Calls {

    @FunctionalInterface
    interface Call {
        /** @param i another number each time */
        Object call(long i) throws Exception;
    }

    @FunctionalInterface
    interface Maker {
        Call make() throws Exception;
    }

    /** @param virtual whether the callers are virtual threads: where a call waits or starts threads */
    record Job(String title, boolean virtual, int... threads) { }

    static final Map<String, Job> JOBS = new LinkedHashMap<>();
    static final Map<String, Map<String, Maker>> OURS = new LinkedHashMap<>();
    static final Callable<Object> NOTHING = () -> "";
    static final Duration LONG = Duration.ofHours(1);
    static final int KEYS = 1_024;
    static final int BATCH = 100;
    static final byte[] DOCUMENT = IntStream.range(0, 20).mapToObj(i -> "{\"id\":" + i + ",\"name\":\"item \\u00e4 " + i
            + "\",\"price\":" + i + ".99,\"tags\":[\"a\",\"b\"],\"stock\":null,\"active\":true}")
            .collect(Collectors.joining(",", "{\"items\":[", "]}")).getBytes();
    private static final long RUN = 20_000_000;

    static {
        job("breaker", "circuit breaker, closed", false, "CircuitBreaker", () -> {
            var breaker = new CircuitBreaker(5, Duration.ofSeconds(10));
            return i -> breaker.call(NOTHING);
        }, 1, 8);
        job("bulkhead", "bulkhead with room", false, "Bulkhead", () -> {
            var bulkhead = new Bulkhead(100, 100, LONG);
            return i -> bulkhead.call(NOTHING);
        }, 1, 8);
        job("bulkhead-full", "bulkhead of 2, calls that yield", true, "Bulkhead", () -> {
            var bulkhead = new Bulkhead(2, 100, LONG);
            return i -> bulkhead.call(Calls::yielding);
        }, 8);
        job("retry", "retry of a call that succeeds", false, "Retry", () -> {
            var retry = new Retry(new Retry.Policy(3, Duration.ofMillis(10), Duration.ofSeconds(1), LONG,
                    Retry.on(e -> true)));
            return i -> retry.call(left -> NOTHING.call());
        }, 1, 8);
        job("timeout", "timeout of a call that is in time", true, "Timeout", () ->
                i -> Timeout.call(NOTHING, LONG), 1, 8);
        job("limiter", "rate limiter with permits", false, "RateLimiter", () -> {
            var limiter = new RateLimiter(1_000_000_000, Duration.ofSeconds(1), 1_000_000_000);
            return i -> taken(limiter.tryAcquire(Duration.ZERO));
        }, 1, 8);
        job("cache", "cache hit, expiring, 1,024 keys", false, "LoadingCache", () -> {
            var cache = new LoadingCache<Long, Long>(10_000, LONG, key -> key);
            return i -> cache.get(i % KEYS);
        }, 1, 8);
        job("flight", "load that all who ask share", true, "SingleFlight", () -> {
            var flight = new SingleFlight<String, Object>(key -> yielding(), false);
            return i -> flight.get("key");
        }, 1, 8);
        job("queue", "queue of 1,000, put and take", false, "WorkQueue", () -> {
            var queue = new WorkQueue<Object>(1_000);
            return i -> {
                queue.put("");
                Object item = queue.take();
                queue.done();
                return item;
            };
        }, 1, 8);
        job("batch", "batch of 100 keys", true, "BatchLoader", () -> {
            var loader = new BatchLoader<Long, Long>(BATCH, LONG, keys -> keys.stream().collect(
                    Collectors.toMap(Function.identity(), BatchLoader.Outcome.Success::new)));
            return i -> {
                var answers = new ArrayList<CompletableFuture<Long>>(BATCH);
                for (int k = 0; k < BATCH; k++) {
                    answers.add(loader.loadAsync(i * BATCH + k));
                }
                return answers.stream().mapToLong(CompletableFuture::join).sum();
            };
        }, 1);
        job("gather", "100 tasks, await all", true, "Gather", () -> {
            var tasks = Collections.nCopies(BATCH, NOTHING);
            return i -> Gather.all(tasks);
        }, 1, 8);
        OURS.get("gather").put("BoundedGather", () -> {
            var tasks = Collections.nCopies(BATCH, NOTHING);
            return i -> BoundedGather.map(tasks, BATCH, Callable::call);
        });
        OURS.get("gather").put("TaskGroup", () -> i -> {
            try (var group = TaskGroup.<Object>failFast()) {
                for (int k = 0; k < BATCH; k++) {
                    group.fork(NOTHING);
                }
                group.join();
                return group;
            }
        });
        job("json", "JSON of 2 KB, parse and write", false, "Json", () ->
                i -> Json.write(Json.parse(DOCUMENT)), 1, 8);
    }

    private Calls() {
    }

    private static void job(String name, String title, boolean virtual, String ours, Maker maker, int... threads) {
        JOBS.put(name, new Job(title, virtual, threads));
        OURS.put(name, new LinkedHashMap<>(Map.of(ours, maker)));
    }

    static Object yielding() {
        Thread.yield();
        return "";
    }

    static Object taken(boolean taken) {
        if (!taken) {
            throw new AssertionError("no permit");
        }
        return "";
    }

    public static void main(String[] args) throws Exception {
        probe(OURS.get(args[0]).get(args[1]), args);
    }

    static void probe(Maker maker, String[] args) throws Exception {
        int threads = Integer.parseInt(args[2]);
        boolean virtual = JOBS.get(args[0]).virtual;
        var call = maker.make();
        var calls = new int[] {1};
        var figures = Steady.measure(() -> {
            long nanos = run(call, threads, virtual, calls[0], null);
            double each = nanos / (double) threads / calls[0];
            calls[0] = nanos < RUN / 2 ? calls[0] * 2 : calls[0];
            return each;
        }, Double.parseDouble(args[3]));
        var times = new long[threads][Math.min(calls[0], 20_000)];
        run(call, threads, virtual, times[0].length, times);
        long[] sorted = Arrays.stream(times).flatMapToLong(Arrays::stream).sorted().toArray();
        System.out.println(sorted[sorted.length * 99 / 100] + "\t" + figures.line());
        System.exit(0); // the threads of a library
    }

    /** Each thread so many calls. Returns nanoseconds until all have ended. */
    private static long run(Call call, int threads, boolean virtual, int calls, long[][] times) throws Exception {
        var failure = new AtomicReference<Throwable>();
        var running = new ArrayList<Thread>();
        long start = System.nanoTime();
        for (int t = 0; t < threads; t++) {
            int number = t;
            running.add((virtual ? Thread.ofVirtual() : Thread.ofPlatform()).start(() -> {
                try {
                    if (times == null) {
                        loop(call, calls, (long) number << 40);
                    } else {
                        timed(call, calls, (long) number << 40, times[number]);
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
            }));
        }
        for (Thread thread : running) {
            thread.join();
        }
        if (failure.get() != null) {
            throw new Exception("a call failed", failure.get());
        }
        return System.nanoTime() - start;
    }

    private static void loop(Call call, int calls, long from) throws Exception {
        Object last = null;
        for (int i = 0; i < calls; i++) {
            last = call.call(from + i);
            if (last == null) {
                throw new AssertionError("no result");
            }
        }
    }

    private static void timed(Call call, int calls, long from, long[] times) throws Exception {
        for (int i = 0; i < calls; i++) {
            long start = System.nanoTime();
            call.call(from + i);
            times[i] = System.nanoTime() - start;
        }
    }

    static List<String> jobs(String option) throws Machine.Refusal {
        var jobs = option.isEmpty() ? List.copyOf(JOBS.keySet()) : List.of(option.split(","));
        for (String job : jobs) {
            if (!JOBS.containsKey(job)) {
                throw new Machine.Refusal("--jobs " + job + ": only " + String.join(", ", JOBS.keySet()));
            }
        }
        return jobs;
    }
}
