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
        Machine.main("libraries", () -> run(args));
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
        about.put("libraries", versions());
        var costs = new LinkedHashMap<Cell, List<Double>>();
        var percentiles = new LinkedHashMap<Cell, List<Double>>();
        var lines = new ArrayList<String>();
        long begun = System.nanoTime();
        long lasted = 0;
        for (int round = 0; round == 0 || System.nanoTime() - begun + lasted < minutes * 60e9; round++) {
            long start = System.nanoTime();
            for (String job : jobs) {
                for (int threads : Calls.JOBS.get(job).threads()) {
                    for (String by : all(job).keySet()) {
                        var answer = Machine.measure(List.of(Machine.tool(jdk, "java"), "-cp", System.getProperty(
                                "java.class.path"), "-Dbench.jdks=", "Libraries", "probe", job, by, "" + threads,
                                LIMIT_SECONDS), Map.of(), true);
                        var cell = new Cell(job, threads, by);
                        var steady = costs.computeIfAbsent(cell, key -> new ArrayList<>());
                        if (answer.number(3) > 0 && answer.others() <= Machine.NOISE) {
                            steady.add(answer.number(3));
                            percentiles.computeIfAbsent(cell, key -> new ArrayList<>()).add(answer.number(0));
                        }
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
        Path out = Files.createDirectories(Path.of(options.get("--out")));
        lines.addFirst("# job, threads, by; nanoseconds: a call in steady state (0: not), 99th percentile, first call;"
                + " share of the machine that others used");
        lines.addFirst("# " + about);
        Files.write(out.resolve("libraries-" + about.get("date").substring(0, 10) + ".tsv"), lines);
        String table = table(jobs, costs, percentiles, false) + "\n" + about.get("date") + "; " + about.get("machine")
                + "; JDK " + about.get("JDK") + "; load average before: " + about.get("load average before") + ".\n";
        Files.writeString(out.resolve("libraries.md"), "# The examples and the libraries of the same job\n\n"
                + "Written by `java bench/Bench.java libraries`; do not edit. Millions of calls a second, by 1 thread and by 8 "
                + "that\nshare one object; in brackets microseconds at the 99th percentile by the most threads. Bold: "
                + "the fastest, and what is\nwithin a tenth of it.\n\n" + table + "\nLibraries: " + about.get("libraries")
                + ".\n");
        System.out.println("\n" + table);
        if (out.equals(Path.of("bench/results"))) {
            Machine.publish(Path.of("references/performance.md"), "libraries", table(jobs, costs, percentiles, true)
                    + "\nBold: the fastest, and what is within a tenth of it. " + about.get("date").substring(0, 10) + ", JDK "
                    + about.get("JDK") + ".\n");
        }
        return table.contains(Machine.NOT_STEADY_TEXT) ? Machine.NOT_STEADY : 0;
    }

    /** @param page only the fastest of the others, which is the one to compare with, and no percentiles */
    private static String table(List<String> jobs, Map<Cell, List<Double>> costs,
            Map<Cell, List<Double>> percentiles, boolean page) {
        var text = new StringBuilder(page ? "| | ours | fastest other |\n|---|---|---|\n"
                : "| millions of calls a second, 1 thread / 8 [p99 µs] | ours | others |\n|---|---|---|\n");
        for (String job : jobs) {
            var threads = Calls.JOBS.get(job).threads();
            var best = new LinkedHashMap<Integer, Double>();
            for (int number : threads) {
                best.put(number, all(job).keySet().stream().map(by -> costs.get(new Cell(job, number, by)))
                        .filter(list -> !list.isEmpty()).mapToDouble(Steady::median).min().orElse(0));
            }
            var cells = new LinkedHashMap<String, String>();
            for (String by : all(job).keySet()) {
                var rates = new ArrayList<String>();
                String percentile = "";
                for (int number : threads) {
                    var cell = new Cell(job, number, by);
                    if (costs.get(cell).isEmpty()) {
                        rates.add(Machine.NOT_STEADY_TEXT);
                        continue;
                    }
                    double cost = Steady.median(costs.get(cell));
                    String rate = rate(1_000 / cost);
                    rates.add(cost <= 1.1 * best.get(number) ? "**" + rate + "**" : rate);
                    percentile = page ? "" : " [" + rate(Steady.median(percentiles.get(cell)) / 1_000) + "]";
                }
                cells.put(by, by + " " + String.join(" / ", rates) + percentile);
            }
            var ours = Calls.OURS.get(job).keySet();
            text.append("| ").append(Calls.JOBS.get(job).title()).append(threads.length > 1 ? ""
                    : threads[0] == 1 ? ", 1 thread" : ", 8 threads").append(" | ").append(ours.stream().map(cells::get)
                    .collect(Collectors.joining(", "))).append(" | ").append(THEIRS.get(job).keySet().stream()
                    .sorted(Comparator.comparingDouble(by -> costs.get(new Cell(job, threads[0], by)).stream()
                            .mapToDouble(Double::doubleValue).min().orElse(Double.MAX_VALUE)))
                    .limit(page ? 1 : 9).map(cells::get).collect(Collectors.joining(", "))).append(" |\n");
        }
        return text.toString();
    }

    private static String rate(double value) {
        return Machine.format(value < 0.095 ? "%.3f" : value < 0.95 ? "%.2f" : value < 9.5 ? "%.1f" : "%,.0f", value);
    }

    /** As their jars are named. */
    private static String versions() {
        return List.of(System.getProperty("java.class.path").split(java.io.File.pathSeparator)).stream()
                .map(jar -> Path.of(jar).getFileName().toString())
                .filter(jar -> jar.matches("(resilience4j-core|failsafe|guava|bucket4j_jdk17-core|caffeine|channels|"
                        + "java-dataloader|jackson-databind)-\\d.*"))
                .map(jar -> jar.replace(".jar", "")).collect(Collectors.joining(", "));
    }
}
