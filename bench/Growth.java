import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How time and memory of a task grow with the number of tasks that are there at once: {@code java bench/Bench.java
 * growth}. Either n callers all wait for one thing, until all have parked, or n things are kept. A process measures
 * one kind at all sizes, the smallest until it is steady; from then on each size is run several times as long as that
 * takes less than a second, and the median counts.
 */
final class Growth {

    /** n things that are kept, and how to let them go. */
    interface Kept {
        void end() throws Exception;
    }

    @FunctionalInterface
    private interface Kind {
        /** Returns when all n are there. */
        Kept fill(int n) throws Exception;
    }

    interface Waiting {
        void await() throws Exception;
    }

    private record Titled(String title, Kind kind) { }

    private static final Map<String, Titled> KINDS = new LinkedHashMap<>();
    private static final String BETWEEN = "^(\\|[^|]*\\|[^|]*\\|)(?:[^|]*\\|)*((?:[^|]*\\|){3})$"; // title, first; the last three
    private static final Pattern WAITERS = Pattern.compile("takers|: waiters for|`Bulkhead`"); // elsewhere on the page
    private static final Set<Thread.State> WAITING = EnumSet.of(Thread.State.WAITING, Thread.State.TIMED_WAITING,
            Thread.State.BLOCKED);
    private static final Duration LONG = Duration.ofHours(1);
    private static final long REPEAT = 1_000_000_000;

    static {
        kind("group", "`TaskGroup`: tasks that wait", n -> {
            var go = new CountDownLatch(1);
            var group = TaskGroup.<Object>failFast();
            var arrived = new CountDownLatch(n);
            for (int i = 0; i < n; i++) {
                group.fork(() -> {
                    arrived.countDown();
                    go.await();
                    return null;
                });
            }
            arrived.await();
            return () -> {
                go.countDown();
                group.join();
                group.close();
            };
        });
        kind("gather", "`Gather`: tasks that wait", n -> {
            var go = new CountDownLatch(1);
            var arrived = new CountDownLatch(n);
            Thread caller = Thread.startVirtualThread(() -> quietly(() -> Gather.all(Collections.nCopies(n, () -> {
                arrived.countDown();
                go.await();
                return null;
            }))));
            arrived.await();
            return () -> {
                go.countDown();
                caller.join();
            };
        });
        kind("bounded", "`BoundedGather`: items, 1,000 at a time", n -> {
            BoundedGather.forEach(Collections.nCopies(n, 1), 1_000, one -> { });
            return () -> { };
        });
        kind("timeout", "`Timeout`: calls under way", n -> {
            var go = new CountDownLatch(1);
            return callers(n, () -> Timeout.call(() -> {
                go.await();
                return null;
            }, LONG), go::countDown);
        });
        kind("event", "`Event`: waiters", n -> {
            var event = new Event();
            return callers(n, event::await, event::set);
        });
        kind("takers", "`WorkQueue`: takers", n -> {
            var queue = new WorkQueue<Integer>(1);
            return callers(n, queue::take, queue::close);
        });
        kind("queue", "`WorkQueue`: items queued", n -> {
            var queue = new WorkQueue<Integer>(n);
            for (int i = 0; i < n; i++) {
                queue.put(i);
            }
            return () -> queue.closeNow();
        });
        kind("bulkhead", "`Bulkhead`: waiters", n -> {
            var bulkhead = new Bulkhead(1, Integer.MAX_VALUE / 2, LONG);
            var first = bulkhead.tryEnter().orElseThrow();
            return callers(n, () -> bulkhead.call(() -> null), first::close);
        });
        kind("flight", "`SingleFlight`: waiters for one key", n -> {
            var go = new CountDownLatch(1);
            var flight = new SingleFlight<String, String>(key -> {
                go.await();
                return key;
            }, false);
            return callers(n, () -> flight.get("key"), go::countDown);
        });
        kind("cache", "`LoadingCache`: values kept", n -> {
            var cache = new LoadingCache<Integer, Integer>(n, LONG, key -> key);
            for (int i = 0; i < n; i++) {
                cache.put(i, i);
            }
            return () -> cache.invalidate(0);
        });
        kind("batch", "`BatchLoader`: keys waited for, 100 a batch", n -> {
            var go = new CountDownLatch(1);
            var loader = new BatchLoader<Integer, Integer>(100, LONG, keys -> {
                go.await();
                var all = new LinkedHashMap<Integer, BatchLoader.Outcome<Integer>>();
                keys.forEach(key -> all.put(key, new BatchLoader.Outcome.Success<>(key)));
                return all;
            });
            int whole = n / 100 * 100; // no batch waits for more
            var next = new AtomicInteger();
            return callers(whole, () -> loader.load(next.getAndIncrement()), go::countDown);
        });
        kind("limiter", "`RateLimiter`: a bucket each", n -> {
            var limiters = new ArrayList<RateLimiter>(n);
            for (int i = 0; i < n; i++) {
                limiters.add(new RateLimiter(10, Duration.ofSeconds(1), 10));
                limiters.getLast().acquire();
            }
            return limiters::clear;
        });
    }

    private Growth() {
    }

    private static void kind(String name, String title, Kind kind) {
        KINDS.put(name, new Titled(title, kind));
    }

    private static void quietly(Waiting waiting) {
        try {
            waiting.await();
        } catch (WorkQueue.ClosedException e) {
            // how its takers are let go
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** n virtual threads that have all parked in the same call. */
    static Kept callers(int n, Waiting waiting, Runnable release) throws Exception {
        var failure = new AtomicReference<Throwable>();
        var threads = new Thread[n];
        for (int i = 0; i < n; i++) {
            threads[i] = Thread.ofVirtual().uncaughtExceptionHandler((thread, e) -> failure.set(e))
                    .start(() -> quietly(waiting));
        }
        for (Thread thread : threads) {
            while (!WAITING.contains(thread.getState())) {
                if (failure.get() != null || thread.getState() == Thread.State.TERMINATED) {
                    throw new Exception("a caller failed, or did not wait", failure.get());
                }
                Thread.sleep(1);
            }
        }
        return () -> {
            release.run();
            for (Thread thread : threads) {
                thread.join();
            }
            if (failure.get() != null) {
                throw new Exception("a caller failed", failure.get());
            }
        };
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 3 && args[0].equals("probe")) {
            probe(KINDS.get(args[1]).kind, args[2]);
        }
        Machine.main("growth", args, () -> run(args), Growth::pages);
    }

    /** Prints nanoseconds a task of each size, then bytes a task. */
    private static void probe(Kind kind, String sizes) throws Exception {
        var line = new ArrayList<String>();
        var bytes = new ArrayList<String>();
        for (String size : sizes.split(",")) {
            int n = Integer.parseInt(size);
            if (line.isEmpty()) {
                Steady.measure(() -> once(kind, n), 5);
            }
            var times = new ArrayList<Double>();
            long begun = System.nanoTime();
            do {
                times.add(once(kind, n));
            } while (System.nanoTime() - begun < REPEAT);
            line.add(Machine.format("%.1f", Steady.median(times) / n));
            long before = heap();
            var kept = kind.fill(n);
            bytes.add(Machine.format("%.0f", Math.max(0, heap() - before) / (double) n));
            kept.end();
        }
        line.addAll(bytes);
        System.out.println(String.join("\t", line));
        System.exit(0);
    }

    private static double once(Kind kind, int n) throws Exception {
        long start = System.nanoTime();
        kind.fill(n).end();
        return System.nanoTime() - start;
    }

    static long heap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static int run(String[] args) throws Exception {
        var options = new LinkedHashMap<>(Map.of("--out", "bench/results", "--minutes", "3", "--jdk", "",
                "--sizes", "1000,10000,100000,1000000", "--kinds", String.join(",", KINDS.keySet())));
        Machine.none(Machine.options(args, options));
        double minutes = Machine.positive(options, "--minutes");
        var sizes = Machine.numbers(options, "--sizes");
        Path jdk = Machine.jdk(options.get("--jdk"));
        for (String name : options.get("--kinds").split(",")) {
            if (!KINDS.containsKey(name)) {
                throw new Machine.Refusal("--kinds " + name + ": only " + String.join(", ", KINDS.keySet()));
            }
        }
        var about = Machine.about();
        about.put("JDK", Machine.version(jdk));
        about.put("sizes", options.get("--sizes"));
        var lines = new ArrayList<String>();
        long begun = System.nanoTime();
        for (String name : options.get("--kinds").split(",")) {
            if (System.nanoTime() - begun > minutes * 60e9) {
                System.err.println("growth: no time for " + name + "; --minutes gives it more");
                continue;
            }
            var answer = Machine.measure(List.of(Machine.tool(jdk, "java"), "-Xmx" + Machine.heap(), "-cp",
                    System.getProperty("java.class.path"), "Growth", "probe", name, options.get("--sizes")), Map.of());
            lines.add(name + "\t" + String.join("\t", answer.fields()) + "\t" + Machine.format("%.3f",
                    answer.others()));
            System.err.println(lines.getLast());
        }
        Path out = Path.of(options.get("--out"));
        Machine.write(out, "growth", about, "kind; nanoseconds a task of each size; bytes a task of each size; share "
                + "of the machine that others used", lines);
        return pages(out);
    }

    /** Of the days on which the sizes were the same as on the last. */
    private static int pages(Path out) throws IOException {
        var all = Machine.days(out, "growth");
        String asked = all.getLast().about().get("sizes");
        var days = all.stream().filter(day -> asked.equals(day.about().get("sizes"))).toList();
        var sizes = Stream.of(asked.split(",")).map(Integer::valueOf).toList();
        String text = table(days, sizes) + "\nSlope 1: twice the tasks, twice the time; bytes of heap at the largest "
                + "size, all alive. " + Machine.conditions(days);
        Files.writeString(out.resolve("growth.md"), "# Growth\n\nWritten by `java bench/Bench.java growth`; do not edit."
                + "\n\n" + text);
        System.out.println("\n" + text);
        if (out.equals(Machine.RESULTS)) {
            // of the sizes between the page needs none, nor how it was measured
            Machine.publish(Path.of("references/performance.md"), "growth", text.lines()
                    .filter(line -> line.startsWith("|") && !WAITERS.matcher(line).find())
                    .map(line -> line.replaceAll(BETWEEN, "$1$2"))
                    .collect(Collectors.joining("\n")) + "\n\nSlope 1: twice the tasks, twice the time. "
                    + Machine.briefly(days));
        }
        return table(List.of(days.getLast()), sizes).contains(Machine.NOT_STEADY_TEXT) ? Machine.NOT_STEADY : 0;
    }

    private static String table(List<Machine.Day> days, List<Integer> sizes) {
        var text = new StringBuilder("| ns a task, of");
        sizes.forEach(n -> text.append(Machine.format(" | %,d", n)));
        text.append(" | slope | bytes a task |\n|---|").append("---|".repeat(sizes.size() + 2)).append('\n');
        for (String name : KINDS.keySet()) {
            var rows = Machine.rows(days, name);
            if (rows.isEmpty()) {
                continue;
            }
            var quiet = rows.stream().filter(row -> Double.parseDouble(row[row.length - 1]) <= Machine.NOISE).toList();
            text.append("| ").append(KINDS.get(name).title).append(" |");
            for (int i = 1; i <= sizes.size(); i++) {
                text.append(' ').append(Machine.range(column(quiet, i))).append(" |");
            }
            var slopes = quiet.stream().map(row -> 1 + Math.log(Double.parseDouble(row[sizes.size()])
                    / Double.parseDouble(row[1])) / Math.log(sizes.getLast() / (double) sizes.getFirst())).toList();
            text.append(sizes.size() > 1 ? " " + Machine.range(slopes, slope -> Machine.format("%.2f", slope)) : "")
                    .append(" | ").append(Machine.range(column(rows, 2 * sizes.size()),
                            bytes -> Machine.format("%,.0f", bytes))).append(" |\n");
        }
        return text.toString();
    }

    private static List<Double> column(List<String[]> rows, int column) {
        return rows.stream().map(row -> Double.valueOf(row[column])).toList();
    }
}
