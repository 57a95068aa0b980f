import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.softwaremill.jox.Channel;
import dev.failsafe.Failsafe;
import dev.failsafe.RetryPolicy;
import io.github.bucket4j.Bucket;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.retry.RetryConfig;
import io.github.resilience4j.timelimiter.TimeLimiter;
import io.github.resilience4j.timelimiter.TimeLimiterConfig;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;
import kotlin.coroutines.EmptyCoroutineContext;
import kotlinx.coroutines.AwaitKt;
import kotlinx.coroutines.BuildersKt;
import kotlinx.coroutines.CoroutineStart;
import kotlinx.coroutines.Deferred;
import kotlinx.coroutines.Dispatchers;
import org.dataloader.DataLoader;
import org.dataloader.DataLoaderFactory;
import org.dataloader.DataLoaderOptions;

/**
 * The jobs of {@code Calls} done by the examples and by the libraries that people use: {@code java bench/Bench.java
 * libraries}. A process each; the implementations of a job take turns.
 */
final class Libraries {

    private static final Map<String, Map<String, Calls.Maker>> THEIRS = new LinkedHashMap<>();
    private static final String LIMIT_SECONDS = "6";
    static final String JARS = "resilience4j-core|failsafe|guava|bucket4j_jdk17-core|caffeine|channels|java-dataloader|"
            + "jackson-databind|kotlinx-coroutines-core-jvm";
    private static final String SCOPE = "StructuredTaskScope";
    private static final Path PREVIEW = Path.of("target/bench/preview");
    private static final int FIRST_SCOPE = 25; // with the API of today
    private static final double NEAR = 1.1;
    private static final int COST = 3; // columns
    private static final int PERCENTILE = 4;
    private static final int OTHERS = 6;

    static {
        by("breaker", "Resilience4j", () -> {
            var breaker = io.github.resilience4j.circuitbreaker.CircuitBreaker.ofDefaults("");
            return i -> breaker.executeCallable(Calls.NOTHING);
        });
        by("breaker", "Failsafe", () -> {
            var breaker = Failsafe.with(dev.failsafe.CircuitBreaker.ofDefaults());
            return i -> breaker.get(Calls.NOTHING::call);
        });
        for (var job : Map.of("bulkhead", 100, "bulkhead-full", 2).entrySet()) {
            by(job.getKey(), "Resilience4j", () -> {
                var bulkhead = io.github.resilience4j.bulkhead.Bulkhead.of("", BulkheadConfig.custom()
                        .maxConcurrentCalls(job.getValue()).maxWaitDuration(Calls.LONG).build());
                return i -> bulkhead.executeCallable(job.getValue() == 2 ? Calls::yielding : Calls.NOTHING);
            });
            by(job.getKey(), "Failsafe", () -> {
                var bulkhead = Failsafe.with(dev.failsafe.Bulkhead.builder(job.getValue())
                        .withMaxWaitTime(Calls.LONG).build());
                return i -> bulkhead.get(() -> job.getValue() == 2 ? Calls.yielding() : Calls.NOTHING.call());
            });
        }
        by("retry", "Resilience4j", () -> {
            var retry = io.github.resilience4j.retry.Retry.of("", RetryConfig.custom().maxAttempts(3)
                    .waitDuration(Duration.ofMillis(10)).build());
            return i -> retry.executeCallable(Calls.NOTHING);
        });
        by("retry", "Failsafe", () -> {
            var retry = Failsafe.with(RetryPolicy.builder().withMaxAttempts(3).withDelay(Duration.ofMillis(10))
                    .withMaxDuration(Calls.LONG).build());
            return i -> retry.get(Calls.NOTHING::call);
        });
        by("timeout", "Resilience4j", () -> {
            var limiter = TimeLimiter.of(TimeLimiterConfig.custom().timeoutDuration(Calls.LONG).build());
            var executor = Executors.newVirtualThreadPerTaskExecutor();
            return i -> limiter.executeFutureSupplier(() -> executor.submit(Calls.NOTHING));
        });
        by("timeout", "Failsafe", () -> {
            var timeout = Failsafe.with(dev.failsafe.Timeout.builder(Calls.LONG).withInterrupt().build());
            return i -> timeout.get(Calls.NOTHING::call);
        });
        by("limiter", "Guava", () -> {
            var limiter = com.google.common.util.concurrent.RateLimiter.create(1e9);
            Thread.sleep(1_000); // its store is empty at first
            return i -> Calls.taken(limiter.tryAcquire());
        });
        by("limiter", "Resilience4j", () -> {
            var limiter = io.github.resilience4j.ratelimiter.RateLimiter.of("", RateLimiterConfig.custom()
                    .limitForPeriod(1_000_000_000).limitRefreshPeriod(Duration.ofSeconds(1))
                    .timeoutDuration(Duration.ZERO).build());
            return i -> Calls.taken(limiter.acquirePermission());
        });
        by("limiter", "Bucket4j", () -> {
            var bucket = Bucket.builder().addLimit(limit -> limit.capacity(1_000_000_000)
                    .refillGreedy(1_000_000_000, Duration.ofSeconds(1))).build();
            return i -> Calls.taken(bucket.tryConsume(1));
        });
        by("limiter", "Failsafe", () -> {
            var limiter = dev.failsafe.RateLimiter.burstyBuilder(1_000_000_000, Duration.ofSeconds(1)).build();
            return i -> Calls.taken(limiter.tryAcquirePermit());
        });
        by("cache", "Caffeine", () -> {
            var cache = Caffeine.newBuilder().maximumSize(10_000).expireAfterWrite(Calls.LONG)
                    .<Long, Long>build(key -> key);
            return i -> cache.get(i % Calls.KEYS);
        });
        by("flight", "Caffeine", () -> {
            var cache = Caffeine.newBuilder().build();
            return i -> {
                Object value = cache.get("key", key -> Calls.yielding());
                cache.invalidate("key");
                return value;
            };
        });
        for (var queue : List.<BlockingQueue<Object>>of(new ArrayBlockingQueue<>(1_000),
                new LinkedBlockingQueue<>(1_000))) {
            by("queue", queue.getClass().getSimpleName(), () -> i -> {
                queue.put("");
                return queue.take();
            });
        }
        by("queue", "jox Channel", () -> {
            var channel = Channel.<Object>newBufferedChannel(1_000);
            return i -> {
                channel.send("");
                return channel.receive();
            };
        });
        by("batch", "java-dataloader", () -> i -> {
            DataLoader<Long, Long> loader = DataLoaderFactory.newDataLoader(keys ->
                    CompletableFuture.completedFuture(keys), DataLoaderOptions.newOptions()
                    .setMaxBatchSize(Calls.BATCH).build());
            var answers = new ArrayList<CompletableFuture<Long>>(Calls.BATCH);
            for (int k = 0; k < Calls.BATCH; k++) {
                answers.add(loader.load(i * Calls.BATCH + k));
            }
            loader.dispatch();
            return answers.stream().mapToLong(CompletableFuture::join).sum();
        });
        by("gather", "invokeAll", () -> {
            var tasks = Collections.nCopies(Calls.BATCH, Calls.NOTHING);
            return i -> {
                try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
                    return executor.invokeAll(tasks);
                }
            };
        });
        by("gather", SCOPE, () -> (Calls.Call) Class.forName("Scope").getConstructor().newInstance());
        by("gather", "Kotlin coroutines", () -> i -> BuildersKt.runBlocking(EmptyCoroutineContext.INSTANCE,
                (scope, done) -> {
                    var tasks = new ArrayList<Deferred<Object>>(Calls.BATCH);
                    for (int k = 0; k < Calls.BATCH; k++) {
                        tasks.add(BuildersKt.async(scope, Dispatchers.getDefault(), CoroutineStart.DEFAULT,
                                (its, result) -> nothing()));
                    }
                    return AwaitKt.awaitAll(tasks, done);
                }));
        by("json", "Jackson, BigDecimal", () -> {
            var mapper = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
            return i -> mapper.writeValueAsString(mapper.readValue(Calls.DOCUMENT, Object.class));
        });
    }

    private Libraries() {
    }

    private static void by(String job, String library, Calls.Maker maker) {
        THEIRS.computeIfAbsent(job, name -> new LinkedHashMap<>()).put(library, maker);
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 5 && args[0].equals("probe")) {
            String[] probe = List.of(args).subList(1, 5).toArray(String[]::new);
            Calls.probe(all(args[1]).get(args[2]), probe);
        }
        Machine.main("libraries", args, () -> run(args), Libraries::pages);
    }

    /** What a coroutine does; it cannot throw what is checked. */
    private static Object nothing() {
        return "";
    }

    private static Map<String, Calls.Maker> all(String job) {
        var all = new LinkedHashMap<>(Calls.OURS.get(job));
        all.putAll(THEIRS.get(job));
        return all;
    }

    /** @param threads and what they do */
    private record Cell(String job, int threads, String by) { }

    private static int run(String[] args) throws Exception {
        var options = new LinkedHashMap<>(Map.of("--out", "bench/results", "--minutes", "5.5", "--jdk", "",
                "--jobs", ""));
        Machine.none(Machine.options(args, options));
        double minutes = Machine.positive(options, "--minutes");
        var jobs = Calls.jobs(options.get("--jobs"));
        Path jdk = Machine.jdk(options.get("--jdk"));
        var about = Machine.about();
        about.put("JDK", Machine.version(jdk));
        about.put("libraries", Machine.jars(JARS));
        int feature = Machine.feature(jdk);
        if (feature < FIRST_SCOPE) {
            THEIRS.get("gather").remove(SCOPE);
        } else if (jobs.contains("gather")) {
            Machine.output(List.of(Machine.tool(jdk, "javac"), "--enable-preview", "--release", "" + feature,
                    "-proc:none", "-cp", System.getProperty("java.class.path"),
                    "-d", "" + Files.createDirectories(PREVIEW), "bench/preview/Scope.java"), Map.of());
        }
        Path out = Files.createDirectories(Path.of(options.get("--out")));
        var lines = new ArrayList<>(Machine.kept(Machine.file(out, "libraries", about), jobs, about.get("machine"),
                "JDK\t" + about.get("JDK")));
        long begun = System.nanoTime();
        long lasted = 0;
        for (int round = 0; round == 0 || System.nanoTime() - begun + lasted < minutes * 60e9; round++) {
            long start = System.nanoTime();
            for (String job : jobs) {
                for (int threads : Calls.JOBS.get(job).threads()) {
                    for (String by : all(job).keySet()) {
                        String path = System.getProperty("java.class.path");
                        var line = new ArrayList<>(List.of(Machine.tool(jdk, "java"), "-cp",
                                path + File.pathSeparator + PREVIEW, "-Dbench.jdks=", "Libraries", "probe", job, by,
                                "" + threads, LIMIT_SECONDS));
                        if (by.equals(SCOPE)) {
                            line.add(1, "--enable-preview");
                        }
                        var answer = Machine.measure(line, Map.of());
                        lines.add(Machine.format("%s\t%d\t%s\t%s\t%s\t%s\t%.3f", job, threads, by, answer.fields()[3],
                                answer.fields()[0], answer.fields()[1], answer.others()));
                        System.err.print(Machine.format("%-14s %d %-20s %10.1f ns, p99 %9.0f, after %s s, "
                                + "others %3.0f %%%n", job, threads, by, answer.number(3), answer.number(0),
                                answer.fields()[4], answer.others() * 100));
                    }
                }
            }
            lasted = System.nanoTime() - start;
        }
        Machine.write(out, "libraries", about, "job, threads, by; nanoseconds: a call in steady state (0: not), "
                + "99th percentile, first call; share of the machine that others used", lines);
        return pages(out);
    }

    private static int pages(Path out) throws IOException {
        var days = Machine.days(out, "libraries");
        String table = table(days, false);
        Files.writeString(out.resolve("libraries.md"), "# The examples and the libraries of the same job\n\n"
                + "Written by `java bench/Bench.java libraries`; do not edit. Millions of calls a second, "
                + "by 1 thread and by 8 that\nshare one object; in brackets microseconds at the 99th percentile "
                + "by the most threads. Bold: on each day the fastest, or\nwithin a tenth of it.\n\n" + table + "\n"
                + Machine.conditions(days, "libraries"));
        System.out.println("\n" + table);
        if (out.equals(Machine.RESULTS)) {
            Machine.publish(Path.of("references/performance.md"), "libraries", table(days, true)
                    + "\nBold: on each day the fastest, or within a tenth of it. " + Machine.briefly(days) + "\n");
        }
        return table(List.of(days.getLast()), false).contains(Machine.NOT_STEADY_TEXT) ? Machine.NOT_STEADY : 0;
    }

    /** The median of a column on one day, of what was steady; 0: there is none. */
    private static double median(Machine.Day day, Cell cell, int column) {
        var values = Machine.rows(List.of(day), cell.job, "" + cell.threads, cell.by).stream()
                .filter(row -> Double.parseDouble(row[COST]) > 0 && Double.parseDouble(row[OTHERS]) <= Machine.NOISE)
                .map(row -> Double.parseDouble(row[column])).toList();
        return values.isEmpty() ? 0 : Steady.median(values);
    }

    private static List<Double> medians(List<Machine.Day> days, Cell cell, int column) {
        return days.stream().map(day -> median(day, cell, column)).filter(value -> value > 0).toList();
    }

    /** On each day on which it was steady. */
    private static boolean isFastest(List<Machine.Day> days, Cell cell) {
        return days.stream().filter(day -> median(day, cell, COST) > 0).allMatch(day -> all(cell.job).keySet().stream()
                .map(by -> median(day, new Cell(cell.job, cell.threads, by), COST))
                .allMatch(cost -> cost == 0 || median(day, cell, COST) <= NEAR * cost));
    }

    /** @param page only the fastest of the others, which is the one to compare with, and no percentiles */
    private static String table(List<Machine.Day> days, boolean page) {
        var text = new StringBuilder(page ? "| | ours | fastest other |\n|---|---|---|\n"
                : "| millions of calls a second, 1 thread / 8 [p99 µs] | ours | others |\n|---|---|---|\n");
        for (String job : Calls.JOBS.keySet()) {
            if (Machine.rows(days, job).isEmpty()) {
                continue;
            }
            var threads = Calls.JOBS.get(job).threads();
            var cells = new LinkedHashMap<String, String>();
            for (String by : all(job).keySet()) {
                var rates = new ArrayList<String>();
                for (int number : threads) {
                    var cell = new Cell(job, number, by);
                    var costs = medians(days, cell, COST);
                    String rate = Machine.range(costs.stream().map(cost -> 1_000 / cost).toList(), Libraries::rate);
                    rates.add(!costs.isEmpty() && isFastest(days, cell) ? "**" + rate + "**" : rate);
                }
                var late = medians(days, new Cell(job, threads[threads.length - 1], by), PERCENTILE);
                cells.put(by, by + " " + String.join(" / ", rates) + (page || late.isEmpty() ? "" : " ["
                        + Machine.range(late.stream().map(nanos -> nanos / 1_000).toList(), Libraries::rate) + "]"));
            }
            text.append("| ").append(Calls.JOBS.get(job).title()).append(threads.length > 1 ? ""
                    : threads[0] == 1 ? ", 1 thread" : ", 8 threads").append(" | ").append(Calls.OURS.get(job).keySet()
                    .stream().map(cells::get).collect(Collectors.joining(", "))).append(" | ")
                    .append(THEIRS.get(job).keySet().stream().sorted(Comparator.comparingDouble(by -> medians(days,
                            new Cell(job, threads[0], by), COST).stream().min(Double::compare)
                            .orElse(Double.MAX_VALUE)))
                    .limit(page ? 1 : 9).map(cells::get).collect(Collectors.joining(", "))).append(" |\n");
        }
        return text.toString();
    }

    private static String rate(double value) {
        return Machine.format(value < 0.095 ? "%.3f" : value < 0.95 ? "%.2f" : value < 9.5 ? "%.1f" : "%,.0f", value);
    }
}
