import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The figures of references/performance.md that are not comparisons with asyncio, on each JDK:
 * {@code java bench/Bench.java claims [21,25,27] [CLAIM...]}. Each is measured in a process of its own. A full run
 * writes bench/results/claims.md and, of some, the table between the markers {@code claims: start} and
 * {@code claims: end} of the page.
 */
public final class Claims {

    private interface Probe {
        void run() throws Exception;
    }

    /** @param flags a process for each; an entry is a label and JVM options, separated by spaces */
    private record Claim(String title, Probe probe, List<String> flags) {
    }

    private static final Map<String, Claim> CLAIMS = new LinkedHashMap<>();

    private static void claim(String name, String title, Probe probe, String... flags) {
        CLAIMS.put(name, new Claim(title, probe, flags.length == 0 ? List.of("") : List.of(flags)));
    }

    static {
        claim("carriers", "20 threads `sleep(50)` in `synchronized`, ms", Claims::pinned, "2_carriers",
                "`parallelism=20` -Djdk.virtualThreadScheduler.parallelism=20");
        claim("compensation", "20 threads `Object.wait(50)`, ms", Claims::waiting, "as_it_comes",
                "`maxPoolSize=2` -Djdk.virtualThreadScheduler.maxPoolSize=2");
        claim("memory", "resident KB of a waiting thread", Claims::memory, "virtual -Dn=200000",
                "virtual,_50_frames_deep -Dn=200000 -Ddepth=50", "virtual,_`-Xss8m` -Dn=200000 -Xss8m",
                "platform -Dn=2000 -Dplatform=true", "platform,_50_frames_deep -Dn=2000 -Ddepth=50 -Dplatform=true");
        claim("queues", "4 producers, 4 consumers, ns an item", Claims::queues);
        claim("semaphores", "`Semaphore(10)`, 100 threads, ns a turn", Claims::semaphores);
        claim("buffers", "read from a loopback socket, MB/s", Claims::buffers);
        claim("timers", "100,000 timers within 200 ms, CPU ms", Claims::timers);
        claim("cpu", "200 tasks computing 2 ms each, ms", Claims::computing);
        claim("gc", "100,000 sleeping threads over and over, CPU ms / peak MB", Claims::collector, "G1",
                "Serial -XX:+UseSerialGC", "Parallel -XX:+UseParallelGC", "ZGC -XX:+UseZGC", "G1,_`-Xmx256m` -Xmx256m");
        claim("start", "start, an `HttpClient`, a thread, end, ms", Claims::hello);
    }

    /** The page has its budget: the others are in bench/results/claims.md. */
    private static final List<String> ON_THE_PAGE = List.of("memory", "semaphores");

    private Claims() {
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 2 && args[0].equals("probe")) {
            CLAIMS.get(args[1]).probe.run();
            System.exit(0);
        }
        var names = new ArrayList<>(List.of(args));
        var jdks = names.isEmpty() || !names.get(0).matches("[\\d,]+") ? "21,25,27" : names.remove(0);
        for (String name : names) {
            if (!CLAIMS.containsKey(name)) {
                System.err.println("Claims: " + name + ": only " + String.join(", ", CLAIMS.keySet()));
                System.exit(2);
            }
        }
        var table = new LinkedHashMap<String, Map<String, String>>();
        for (String jdk : jdks.split(",")) {
            Path home = home(jdk);
            if (home == null) {
                System.err.println("Claims: SKIPPED JDK " + jdk + ": not found");
                continue;
            }
            Path classes = Files.createTempDirectory("claims");
            output(List.of(home + "/bin/javac", "--release", "21", "-proc:none", "-d",
                    "" + classes, "bench/Claims.java"));
            for (String name : names.isEmpty() ? CLAIMS.keySet() : names) {
                Claim claim = CLAIMS.get(name);
                var rows = name.equals("start") ? starts(jdk, home, classes) : rows(claim, name, home, classes);
                for (var row : rows.entrySet()) {
                    String label = claim.title + ": " + row.getKey();
                    table.computeIfAbsent(label, key -> new TreeMap<>()).put(jdk, row.getValue());
                    System.err.println(jdk + " | " + claim.title + " | " + row.getKey() + " | " + row.getValue());
                }
            }
        }
        var text = new StringBuilder("# Figures measured on each JDK\n\nWritten by `java bench/Bench.java claims`; do not edit. "
                + Runtime.getRuntime().availableProcessors() + " cores, " + LocalDate.now() + ".\n\n| measured | "
                + "JDK " + jdks.replace(",", " | ") + " |\n|---|" + "---|".repeat(jdks.split(",").length) + "\n");
        String title = "";
        for (var row : table.entrySet()) {
            String label = row.getKey();
            boolean first = !label.substring(0, label.indexOf(": ")).equals(title);
            title = label.substring(0, label.indexOf(": "));
            text.append("| ").append(first ? label : "... " + label.substring(title.length() + 2)).append(" |");
            for (String jdk : jdks.split(",")) {
                text.append(' ').append(row.getValue().getOrDefault(jdk, "-")).append(" |");
            }
            text.append('\n');
        }
        System.out.println(text);
        if (names.isEmpty()) {
            Files.createDirectories(Path.of("bench/results"));
            Files.writeString(Path.of("bench/results/claims.md"), text);
            Path page = Path.of("references/performance.md");
            String start = "<!-- claims: start -->\n";
            String before = Files.exists(page) ? Files.readString(page) : "";
            int from = before.indexOf(start);
            if (from >= 0) {
                Files.writeString(page, before.substring(0, from + start.length()) + "\n"
                        + onThePage(text.substring(text.indexOf("| measured"))) + "\n"
                        + before.substring(before.indexOf("<!-- claims: end -->")));
            }
        }
    }

    private static String onThePage(String table) {
        var lines = new ArrayList<String>();
        boolean kept = true;
        for (String line : table.lines().toList()) {
            if (!line.startsWith("| ...")) {
                kept = line.startsWith("|---") || line.startsWith("| measured")
                        || ON_THE_PAGE.stream().anyMatch(name -> line.startsWith("| " + CLAIMS.get(name).title));
            }
            if (kept && !line.contains("`-Xss8m`")) {
                lines.add(line);
            }
        }
        return String.join("\n", lines) + "\n";
    }

    private static Map<String, String> rows(Claim claim, String name, Path home, Path classes) throws Exception {
        var rows = new LinkedHashMap<String, String>();
        for (String flags : claim.flags) {
            var words = new ArrayList<>(List.of(flags.split(" ")));
            String label = words.remove(0).replace('_', ' ');
            var command = new ArrayList<>(List.of(home + "/bin/java"));
            command.addAll(words);
            command.addAll(List.of("-cp", "" + classes, "Claims", "probe", name));
            for (String line : output(command).lines().toList()) {
                String[] fields = line.split("\t");
                rows.put(fields[0] + label, fields[1]);
            }
        }
        return rows;
    }

    /** Medians of five; the archives are made by one run before. */
    private static Map<String, String> starts(String jdk, Path home, Path classes) throws Exception {
        var modes = new LinkedHashMap<String, List<String>>();
        modes.put("`-Xshare:off`", List.of("-Xshare:off"));
        modes.put("as it comes", List.of());
        modes.put("`AutoCreateSharedArchive`",
                List.of("-XX:+AutoCreateSharedArchive", "-XX:SharedArchiveFile=" + classes.resolve("app.jsa")));
        if (Integer.parseInt(jdk) >= 25) {
            modes.put("`AOTCache`", List.of("-XX:AOTCache=" + classes.resolve("app.aot")));
        }
        Path jar = classes.resolve("app.jar"); // archives take classes from a jar only
        output(List.of(home + "/bin/jar", "-c", "-f", "" + jar, "-C", "" + classes, "."));
        var rows = new LinkedHashMap<String, String>();
        for (var mode : modes.entrySet()) {
            var command = new ArrayList<>(List.of(home + "/bin/java"));
            command.addAll(mode.getValue());
            command.addAll(List.of("-cp", "" + jar, "Claims", "probe", "start"));
            var training = new ArrayList<>(command);
            training.replaceAll(word -> word.replace("-XX:AOTCache=", "-XX:AOTCacheOutput="));
            output(training);
            var millis = new long[5];
            for (int i = 0; i < millis.length; i++) {
                long start = System.nanoTime();
                output(command);
                millis[i] = (System.nanoTime() - start) / 1_000_000;
            }
            Arrays.sort(millis);
            rows.put(mode.getKey(), "" + millis[2]);
        }
        return rows;
    }

    private static Path home(String jdk) throws IOException {
        for (Path folder : List.of(Path.of(System.getProperty("user.home"), ".cache/jdks"), Path.of("/usr/lib/jvm"))) {
            if (Files.isDirectory(folder)) {
                try (Stream<Path> homes = Files.list(folder)) {
                    for (Path home : homes.sorted().toList()) {
                        Path release = home.resolve("release");
                        if (Files.exists(release) && Files.readString(release).contains("JAVA_VERSION=\"" + jdk)) {
                            return home;
                        }
                    }
                }
            }
        }
        return null;
    }

    private static String output(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + "\n" + output);
        }
        return output;
    }

    // the probes

    private static void row(String label, double value) {
        System.out.println(label + "\t" + String.format(Locale.ROOT, value < 10 ? "%.1f" : "%,.0f", value));
    }

    private static double millis(Probe probe) throws Exception {
        long start = System.nanoTime();
        probe.run();
        return (System.nanoTime() - start) / 1e6;
    }

    /** Runs them at once, each in a thread, and waits. */
    private static void all(ExecutorService executor, int threads, Callable<?> task) throws Exception {
        try (executor) {
            var futures = IntStream.range(0, threads).mapToObj(i -> executor.submit(task)).toList();
            for (var future : futures) {
                future.get();
            }
        }
    }

    private static void pinned() throws Exception {
        row("", millis(() -> all(Executors.newVirtualThreadPerTaskExecutor(), 20, () -> {
            synchronized (new Object()) {
                Thread.sleep(50);
            }
            return null;
        })));
    }

    private static void waiting() throws Exception {
        row("", millis(() -> all(Executors.newVirtualThreadPerTaskExecutor(), 20, () -> {
            var lock = new Object();
            synchronized (lock) {
                lock.wait(50);
            }
            return null;
        })));
    }

    private static void memory() throws Exception {
        int n = Integer.getInteger("n");
        int depth = Integer.getInteger("depth", 0);
        var builder = Boolean.getBoolean("platform")
                ? Thread.ofPlatform() : Thread.ofVirtual();
        System.gc();
        double before = status("VmRSS");
        var arrived = new CountDownLatch(n);
        var go = new CountDownLatch(1);
        for (int i = 0; i < n; i++) {
            builder.start(() -> deep(depth, arrived, go));
        }
        arrived.await();
        System.gc();
        row("", (status("VmRSS") - before) / n);
        System.exit(0);
    }

    private static int deep(int depth, CountDownLatch arrived, CountDownLatch go) {
        if (depth > 0) {
            return deep(depth - 1, arrived, go) + 1;
        }
        arrived.countDown();
        try {
            go.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return 0;
    }

    private static double status(String field) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith(field))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", ""))).findFirst().orElse(0);
    }

    private static void queues() throws Exception {
        Map<String, BlockingQueue<Integer>> queues = new LinkedHashMap<>();
        queues.put("ArrayBlockingQueue(1000)", new ArrayBlockingQueue<>(1_000));
        queues.put("LinkedBlockingQueue(1000)", new LinkedBlockingQueue<>(1_000));
        queues.put("LinkedTransferQueue, unbounded", new LinkedTransferQueue<>());
        queues.put("SynchronousQueue", new SynchronousQueue<>());
        queues.put("ArrayBlockingQueue(1)", new ArrayBlockingQueue<>(1));
        int each = 50_000;
        for (var queue : queues.entrySet()) {
            var q = queue.getValue();
            double best = Double.MAX_VALUE;
            for (int round = 0; round < 5; round++) {
                var number = new LongAdder();
                best = Math.min(best, millis(() -> {
                    Callable<?> consumer = () -> {
                        for (int i = 0; i < each; i++) {
                            number.add(q.take());
                        }
                        return null;
                    };
                    Thread consumers = Thread.startVirtualThread(
                            () -> run(() -> all(Executors.newVirtualThreadPerTaskExecutor(), 4, consumer)));
                    all(Executors.newVirtualThreadPerTaskExecutor(), 4, () -> {
                        for (int i = 0; i < each; i++) {
                            q.put(1);
                        }
                        return null;
                    });
                    consumers.join();
                }));
            }
            row("`" + queue.getKey() + "`", best * 1e6 / (4 * each));
        }
    }

    private static void run(Probe probe) {
        try {
            probe.run();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void semaphores() throws Exception {
        for (boolean fair : new boolean[] {false, true}) {
            double best = Double.MAX_VALUE;
            for (int round = 0; round < 5; round++) {
                var permits = new Semaphore(10, fair);
                best = Math.min(best, millis(() -> all(Executors.newVirtualThreadPerTaskExecutor(), 100, () -> {
                    for (int i = 0; i < 1_000; i++) {
                        permits.acquire();
                        Thread.yield(); // so that others come while it is held
                        permits.release();
                    }
                    return null;
                })));
            }
            row(fair ? "fair" : "not fair", best * 1e6 / 100_000);
        }
    }

    private static void buffers() throws Exception {
        long total = 256_000_000;
        for (int size : new int[] {512, 8_192, 65_536, 1_048_576}) {
            double best = Double.MAX_VALUE;
            for (int round = 0; round < 3; round++) {
                try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                    long bytes = size < 1_000 ? total / 16 : total;
                    Thread writer = Thread.startVirtualThread(() -> run(() -> {
                        try (var socket = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
                            byte[] block = new byte[65_536];
                            for (long left = bytes; left > 0; left -= block.length) {
                                socket.getOutputStream().write(block);
                            }
                        }
                    }));
                    try (var socket = listener.accept()) {
                        byte[] buffer = new byte[size];
                        double millis = millis(() -> {
                            while (socket.getInputStream().read(buffer) >= 0) {
                                continue;
                            }
                        });
                        best = Math.min(best, millis * total / bytes);
                    }
                    writer.join();
                }
            }
            row(String.format(Locale.ROOT, "%,d bytes at a time", size), total / 1e3 / best);
        }
    }

    private static void timers() throws Exception {
        int n = 100_000;
        for (int round = 0; round < 2; round++) {
            var fired = new CountDownLatch(n);
            long cpu = cpu();
            try (var scheduler = new ScheduledThreadPoolExecutor(1)) {
                for (int i = 0; i < n; i++) {
                    scheduler.schedule(fired::countDown, i % 200, TimeUnit.MILLISECONDS);
                }
                fired.await();
            }
            if (round == 1) {
                row("`ScheduledThreadPoolExecutor(1)`", (cpu() - cpu) / 1e6);
            }
        }
        for (int round = 0; round < 2; round++) {
            long cpu = cpu();
            try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int i = 0; i < n; i++) {
                    var delay = Duration.ofMillis(i % 200);
                    executor.submit(() -> {
                        Thread.sleep(delay);
                        return null;
                    });
                }
            }
            if (round == 1) {
                row("sleeping virtual threads", (cpu() - cpu) / 1e6);
            }
        }
    }

    private static long cpu() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    private static long compute(int millis) {
        long result = 0;
        for (long i = 0; i < 1_000_000L * millis; i++) {
            result = result * 31 + i;
        }
        return result;
    }

    private static void computing(String label, ExecutorService executor) throws Exception {
        var latency = new LongAdder();
        double millis = millis(() -> {
            try (executor) {
                for (int i = 0; i < 200; i++) {
                    executor.submit(() -> compute(2));
                }
                Thread.startVirtualThread(() -> latency.add(System.nanoTime())); // somebody's small request
                latency.add(-System.nanoTime());
            }
        });
        row(label, millis);
        row(label + "; another virtual thread waits", Math.max(0, latency.sum()) / 1e6);
    }

    private static void computing() throws Exception {
        compute(200);
        row("parallel stream", millis(() -> IntStream.range(0, 200).parallel().forEach(i -> compute(2))));
        computing("platform pool of all cores",
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors()));
        computing("virtual threads", Executors.newVirtualThreadPerTaskExecutor());
    }

    private static void collector() throws Exception {
        long cpu = 0;
        int rounds = 12;
        for (int round = 0; round < rounds; round++) {
            if (round == rounds / 2) {
                cpu = cpu();
            }
            all(Executors.newVirtualThreadPerTaskExecutor(), 100_000, () -> {
                Thread.sleep(Duration.ofMillis(10));
                return null;
            });
        }
        System.out.printf(Locale.ROOT, "\t%.0f / %.0f%n", (cpu() - cpu) / 1e6 / (rounds - rounds / 2),
                status("VmHWM") / 1024);
    }

    private static void hello() throws Exception {
        try (var client = HttpClient.newHttpClient(); var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            executor.submit(client::version).get();
        }
    }
}
