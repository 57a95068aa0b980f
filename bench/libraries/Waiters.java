import com.github.benmanes.caffeine.cache.Caffeine;
import com.softwaremill.jox.Channel;
import dev.failsafe.Failsafe;
import io.github.bucket4j.Bucket;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Heap a waiting caller takes, its virtual thread included, by the examples and by the libraries: {@code java
 * bench/Bench.java waiters}. A process each: 50,000 callers wait, then 50,000 more, and so on, until two lots in a row
 * add the same.
 */
final class Waiters {

    /** What callers wait for, for ever. */
    @FunctionalInterface
    private interface Maker {
        Growth.Waiting make() throws Exception;
    }

    private static final Map<String, Map<String, Maker>> WAITS = new LinkedHashMap<>();
    private static final Map<String, String> TITLES = Map.of("nothing", "(the thread alone)", "bulkhead",
            "a place in a bulkhead", "limiter", "a permit at a rate", "flight", "a load that others share", "cache",
            "a value being loaded", "queue", "an item");
    private static final int N = 50_000;
    private static final int MOST = 8; // lots; the first one's frames are those of the interpreter, and larger
    private static final Duration YEARS = Duration.ofDays(36_500);
    private static final int LEAST_JDK = 24; // before, who waits for a lock of Caffeine's holds a carrier

    static {
        by("nothing", "a virtual thread that waits", () -> {
            BooleanSupplier over = () -> false;
            return () -> {
                while (!over.getAsBoolean()) {
                    LockSupport.park();
                }
            };
        });
        by("bulkhead", "Bulkhead", () -> {
            var bulkhead = new Bulkhead(1, Integer.MAX_VALUE / 2, YEARS);
            bulkhead.tryEnter().orElseThrow();
            return () -> bulkhead.call(() -> null);
        });
        by("bulkhead", "Resilience4j", () -> {
            var bulkhead = io.github.resilience4j.bulkhead.Bulkhead.of("", BulkheadConfig.custom()
                    .maxConcurrentCalls(1).maxWaitDuration(YEARS).build());
            bulkhead.acquirePermission();
            return () -> bulkhead.executeCallable(() -> null);
        });
        by("bulkhead", "Failsafe", () -> {
            var policy = dev.failsafe.Bulkhead.builder(1).withMaxWaitTime(YEARS).build();
            policy.acquirePermit();
            var bulkhead = Failsafe.with(policy);
            return () -> bulkhead.get(() -> null);
        });
        by("limiter", "RateLimiter", () -> {
            var limiter = new RateLimiter(1, Duration.ofHours(1), 1);
            limiter.acquire();
            return limiter::acquire;
        });
        by("limiter", "Guava", () -> {
            var limiter = com.google.common.util.concurrent.RateLimiter.create(1.0 / 3_600);
            limiter.acquire();
            return limiter::acquire;
        });
        by("limiter", "Resilience4j", () -> {
            var limiter = io.github.resilience4j.ratelimiter.RateLimiter.of("", RateLimiterConfig.custom()
                    .limitForPeriod(1).limitRefreshPeriod(Duration.ofHours(1)).timeoutDuration(YEARS).build());
            limiter.acquirePermission();
            return limiter::acquirePermission;
        });
        by("limiter", "Bucket4j", () -> {
            var bucket = Bucket.builder().addLimit(limit -> limit.capacity(1).refillGreedy(1, Duration.ofHours(1)))
                    .build();
            bucket.tryConsume(1);
            return () -> bucket.asBlocking().consume(1);
        });
        by("limiter", "Failsafe", () -> {
            var limiter = dev.failsafe.RateLimiter.smoothBuilder(1, Duration.ofHours(1)).build();
            limiter.acquirePermit();
            return limiter::acquirePermit;
        });
        by("flight", "SingleFlight", () -> {
            var flight = new SingleFlight<String, String>(Waiters::never, false);
            return () -> flight.get("key");
        });
        by("cache", "LoadingCache", () -> {
            var cache = new LoadingCache<String, String>(10, YEARS, Waiters::never);
            return () -> cache.get("key");
        });
        for (String job : List.of("flight", "cache")) {
            by(job, "Caffeine", () -> {
                var cache = Caffeine.newBuilder().maximumSize(10).build(Waiters::never);
                return () -> cache.get("key");
            });
            by(job, "Caffeine, async", () -> {
                var cache = Caffeine.newBuilder().maximumSize(10).buildAsync(Waiters::never);
                return () -> cache.get("key").join();
            });
        }
        by("queue", "WorkQueue", () -> new WorkQueue<String>(1)::take);
        by("queue", "ArrayBlockingQueue", () -> new ArrayBlockingQueue<String>(1)::take);
        by("queue", "LinkedBlockingQueue", () -> new LinkedBlockingQueue<String>(1)::take);
        by("queue", "jox Channel", () -> Channel.<String>newBufferedChannel(1)::receive);
    }

    private Waiters() {
    }

    private static void by(String job, String name, Maker maker) {
        WAITS.computeIfAbsent(job, key -> new LinkedHashMap<>()).put(name, maker);
    }

    private static String never(String key) throws InterruptedException {
        new CountDownLatch(1).await();
        return key;
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 3 && args[0].equals("probe")) {
            probe(WAITS.get(args[1]).get(args[2]).make());
        }
        Machine.main("waiters", args, () -> run(args), Waiters::pages);
    }

    /** Prints what each of the last two lots has added. */
    private static void probe(Growth.Waiting waiting) throws Exception {
        var lots = new ArrayList<Growth.Kept>();
        double last = 0;
        double before = 0;
        for (long heap = 0; lots.size() < 3 || lots.size() < MOST && !agree(before, last);) {
            lots.add(Growth.callers(N, waiting, () -> { }));
            long now = Growth.heap();
            before = last;
            last = (now - heap) / (double) N;
            heap = now;
        }
        System.out.println(before + "\t" + last + "\t" + lots.size()); // they are there until here
        System.exit(0);
    }

    private static boolean agree(double a, double b) {
        return Math.max(a, b) <= Steady.AGREE * Math.min(a, b);
    }

    private static int run(String[] args) throws Exception {
        var options = new LinkedHashMap<>(Map.of("--out", "bench/results", "--minutes", "1", "--jdk", "", "--jobs",
                String.join(",", WAITS.keySet())));
        Machine.none(Machine.options(args, options));
        double minutes = Machine.positive(options, "--minutes");
        var jobs = List.of(options.get("--jobs").split(","));
        for (String job : jobs) {
            if (!WAITS.containsKey(job)) {
                throw new Machine.Refusal("--jobs " + job + ": only " + String.join(", ", WAITS.keySet()));
            }
        }
        Path jdk = Machine.jdk(options.get("--jdk"));
        var about = Machine.about();
        about.put("JDK", Machine.version(jdk));
        if (Machine.feature(jdk) < LEAST_JDK) {
            throw new Machine.Refusal("needs a JDK of " + LEAST_JDK + " or later; --jdk names another");
        }
        var lines = new ArrayList<String>();
        long begun = System.nanoTime();
        for (String job : jobs) {
            for (String by : WAITS.get(job).keySet()) {
                if (System.nanoTime() - begun > minutes * 60e9) {
                    System.err.println("waiters: no time for " + job + ", " + by + "; --minutes gives it more");
                    continue;
                }
                var answer = Machine.measure(List.of(Machine.tool(jdk, "java"), "-cp", System.getProperty(
                        "java.class.path"), "-Dbench.jdks=", "Waiters", "probe", job, by), Map.of());
                lines.add(job + "\t" + by + "\t" + String.join("\t", answer.fields()));
                System.err.println(lines.getLast());
            }
        }
        about.put("libraries", Machine.jars(Libraries.JARS));
        Path out = Path.of(options.get("--out"));
        Machine.write(out, "waiters", about, "what is waited for; by; bytes of heap a waiter: of the last 50,000 but "
                + "one, of the last; how many times 50,000", lines);
        return pages(out);
    }

    private static int pages(Path out) throws IOException {
        var days = Machine.days(out, "waiters");
        String text = table(days);
        Files.writeString(out.resolve("waiters.md"), "# What a waiting caller takes\n\n"
                + "Written by `java bench/Bench.java waiters`; do not edit. "
                + "Its virtual thread is in it, alone in the first row.\n\n" + text + "\n"
                + Machine.conditions(days, "libraries"));
        System.out.println("\n" + text);
        if (out.equals(Machine.RESULTS)) {
            Machine.publish(Path.of("references/performance.md"), "waiters", Machine.wrapped(
                    "Bytes of heap per waiter, and in brackets with the leanest library: " + briefly(days) + "."));
        }
        return table(List.of(days.getLast())).contains(Machine.NOT_STEADY_TEXT) ? Machine.NOT_STEADY : 0;
    }

    /** On each day on which it was steady. */
    private static List<Double> figures(List<Machine.Day> days, String job, String by) {
        return Machine.rows(days, job, by).stream().map(row -> List.of(Double.valueOf(row[2]), Double.valueOf(row[3])))
                .filter(pair -> agree(pair.getFirst(), pair.getLast())).map(Steady::median).toList();
    }

    private static List<String> measured(List<Machine.Day> days, String job) {
        return WAITS.get(job).keySet().stream().filter(by -> !Machine.rows(days, job, by).isEmpty()).toList();
    }

    private static String table(List<Machine.Day> days) {
        var text = new StringBuilder("| bytes of heap a waiter | ours | others |\n|---|---|---|\n");
        for (String job : WAITS.keySet()) {
            var cells = measured(days, job).stream().map(by -> by + " " + Machine.range(figures(days, job, by)))
                    .toList();
            if (!cells.isEmpty()) {
                text.append("| ").append(TITLES.get(job)).append(" | ").append(cells.getFirst()).append(" | ")
                        .append(String.join(", ", cells.subList(1, cells.size()))).append(" |\n");
            }
        }
        return text.toString();
    }

    /** Ours, and the leanest other. */
    private static String briefly(List<Machine.Day> days) {
        var text = new ArrayList<String>();
        for (String job : WAITS.keySet()) {
            var all = measured(days, job);
            String leanest = all.stream().skip(1).filter(by -> !figures(days, job, by).isEmpty())
                    .min(Comparator.comparingDouble(by -> Steady.median(figures(days, job, by)))).map(by -> " (" + by
                            + " " + Machine.range(figures(days, job, by)) + ")").orElse("");
            all.stream().findFirst().ifPresent(by -> text.add(by + " " + Machine.range(figures(days, job, by))
                    + leanest));
        }
        return String.join(", ", text);
    }
}
