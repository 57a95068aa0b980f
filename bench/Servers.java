import com.sun.management.UnixOperatingSystemMXBean;
import java.io.Closeable;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code assets/service} beside what people take instead: {@code java bench/Bench.java service}. All servers run, and
 * take turns of two seconds, until the medians of three turns and of the next three agree. The load is {@code wrk}, or
 * {@code ServiceLoad}, which takes more of the machine. Then memory, each server anew: what it holds with so many
 * connections, less what it held with 100. Of a JVM after a full collection, with a heap as small as what lives in it.
 */
final class Servers {

    /** @param command for a port */
    private record Server(IntFunction<List<String>> command, Map<String, String> environment) { }

    /** A server that runs. */
    private record Running(Process process, int port) implements Closeable {
        @Override
        public void close() {
            process.destroyForcibly();
            try {
                process.waitFor();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** A window. @param p99 milliseconds */
    private record Window(double rate, double p99, double others) { }

    private static final String SERVICE = "service";
    private static final Map<String, String> REQUESTS = new LinkedHashMap<>(Map.of("GET", "/hello/you"));
    private static final Map<String, String> TITLES = Map.of(SERVICE, "`assets/service`", "silent",
            "... without its access log", "template", "the template before it", "plain", "plain `HttpServer`",
            "javalin", "Javalin", "helidon", "Helidon SE", "aiohttp", "aiohttp on uvloop");
    private static final List<String> NAMES = List.of(SERVICE, "silent", "template", "plain", "javalin", "helidon",
            "aiohttp");
    private static final List<String> ON_PAGE = List.of(SERVICE, "plain", "javalin", "helidon", "aiohttp");
    private static final List<String> STATES = List.of("idle", "slow", "streaming");
    private static final String ORDER = "{\"item\":\"tea\",\"count\":3}";
    private static final int CONNECTIONS = 64;
    private static final List<Integer> BY_CONNECTIONS = List.of(1, 10, 100, 1_000, 5_000);
    private static final List<Integer> HELD = List.of(5_000, 10_000, 20_000);
    private static final int FEW = 100;
    private static final List<String> LEAN = List.of("-Xms2m", "-XX:G1HeapRegionSize=1m", "-XX:MinHeapFreeRatio=1",
            "-XX:MaxHeapFreeRatio=5"); // the heap is as large as what lives in it
    private static final int RESERVED = 500; // file descriptors, for what is no connection
    private static final String WINDOW_SECONDS = "2";
    private static final int GROUP = 3; // windows, whose median counts
    private static final int COLD = 1; // windows that do not count
    private static final Path WORK = Path.of("target/bench/servers");
    private static final Pattern RATE = Pattern.compile("Requests/sec: +([\\d.]+)");
    private static final Pattern LATE = Pattern.compile("99% +([\\d.]+)(us|ms|s)");
    private static final Map<String, Double> MILLIS = Map.of("us", 0.001, "ms", 1.0, "s", 1_000.0);

    static {
        REQUESTS.put("POST", "/orders");
    }

    private final Map<String, Server> servers = new LinkedHashMap<>();
    private final Map<String, String> about = new LinkedHashMap<>();
    private final List<String> lines = new ArrayList<>();
    private final String java;
    private final String jcmd;
    private final boolean wrk;
    private final long end;

    private Servers(Path jdk, String python, double minutes) throws Exception {
        java = Machine.tool(jdk, "java");
        jcmd = Machine.tool(jdk, "jcmd");
        end = System.nanoTime() + (long) (minutes * 60e9);
        wrk = Stream.of(System.getenv().getOrDefault("PATH", "").split(":")).anyMatch(folder ->
                Files.isExecutable(Path.of(folder, "wrk")));
        about.putAll(Machine.about());
        about.put("JDK", Machine.version(jdk));
        about.put("load", wrk ? "wrk, one thread" : "ServiceLoad");
        about.put("libraries", Machine.jars("javalin|jetty-server|helidon-webserver"));
        String path = System.getProperty("java.class.path");
        var large = Map.of("REQUEST_TIMEOUT", "300s", "HANDLER_TIMEOUT", "300s", "MAX_CONNECTIONS", "30000",
                "MAX_IN_FLIGHT", "30000"); // for memory; 64 connections meet none of them
        servers.put(SERVICE, new Server(port -> List.of(java, "-cp", path, "service.Main"), large));
        var silent = new LinkedHashMap<>(large);
        silent.put("ACCESS_LOG", "0");
        servers.put("silent", new Server(servers.get(SERVICE).command, silent));
        Path template = template(jdk);
        if (template != null) {
            servers.put("template", new Server(port -> List.of(java, "-cp", "" + template,
                    "AsyncServiceTemplate"), large));
        }
        servers.put("plain", new Server(port -> List.of(java, "-cp", path, "PlainServer",
                "" + port), Map.of()));
        for (String name : List.of("javalin", "helidon")) {
            servers.put(name, new Server(port -> List.of(java, "-cp",
                    path, "LibraryServers", name, "" + port), Map.of()));
        }
        String versions = version(python);
        if (!versions.isEmpty()) {
            about.put("Python", versions);
            servers.put("aiohttp", new Server(port -> List.of(python, "bench/aiohttp_server.py",
                    "" + port), Map.of()));
        }
    }

    public static void main(String[] args) throws Exception {
        Machine.main("service", args, () -> {
            var options = new LinkedHashMap<>(Map.of("--out", "bench/results", "--minutes", "8", "--jdk", "",
                    "--servers", "", "--connections", "" + HELD.getLast(), "--python",
                    Files.isExecutable(Path.of("/usr/bin/python3")) ? "/usr/bin/python3" : "python3"));
            Machine.none(Machine.options(args, options));
            double minutes = Machine.positive(options, "--minutes");
            int most = Machine.numbers(options, "--connections").getFirst();
            if (most <= 2 * FEW) {
                throw new Machine.Refusal("--connections " + most + ": must be more than " + 2 * FEW);
            }
            if (!Files.exists(Path.of("/proc/self/status"))) {
                throw new Machine.Refusal("memory and load are read from /proc, which is not here");
            }
            var chosen = options.get("--servers").isEmpty() ? NAMES : List.of(options.get("--servers").split(","));
            for (String name : chosen) {
                if (!NAMES.contains(name)) {
                    throw new Machine.Refusal("--servers " + name + ": only " + String.join(", ", NAMES));
                }
            }
            var all = new Servers(Machine.jdk(options.get("--jdk")), options.get("--python"), minutes);
            all.servers.keySet().retainAll(chosen);
            return all.run(Path.of(options.get("--out")), most);
        }, Servers::pages);
    }

    private int run(Path out, int most) throws Exception {
        var windows = new LinkedHashMap<String, List<Window>>(); // by server and request
        var byConnections = new LinkedHashMap<Integer, List<Window>>();
        var running = new LinkedHashMap<String, Running>();
        try {
            for (var server : servers.entrySet()) {
                running.put(server.getKey(), start(server.getValue(), List.of()));
            }
            long part = System.nanoTime() + (end - System.nanoTime()) / 2;
            do {
                for (String name : servers.keySet()) {
                    for (String request : REQUESTS.keySet()) {
                        window(windows.computeIfAbsent(name + "\t" + request, key -> new ArrayList<>()), running,
                                name, request, CONNECTIONS);
                    }
                }
            } while (System.nanoTime() < part && windows.values().stream().anyMatch(list -> steady(list) == null));
            for (int connections : servers.containsKey(SERVICE) ? BY_CONNECTIONS : List.<Integer>of()) {
                var list = byConnections.computeIfAbsent(connections, key -> new ArrayList<>());
                while (list.size() < COLD + 3 * GROUP && steady(list) == null && System.nanoTime() < end) {
                    window(list, running, SERVICE, "GET", connections);
                }
            }
        } finally {
            running.values().forEach(Running::close);
        }
        for (String name : servers.keySet()) {
            for (String state : STATES) {
                hold(name, state, HELD.stream().map(n -> Math.min(n, most)).distinct()
                        .limit(name.equals(SERVICE) ? 9 : 1).toList());
            }
        }
        Machine.write(out, "service", about, "throughput: server, request, connections, requests a second (0: wrong "
                + "answers), p99 ms, share of the machine that others used; memory: server, state, connections, "
                + "bytes of all, connections kept", lines);
        return pages(out);
    }

    // throughput

    private void window(List<Window> windows, Map<String, Running> running, String name, String request,
            int connections) throws Exception {
        String url = "http://127.0.0.1:" + running.get(name).port + REQUESTS.get(request);
        var line = new ArrayList<String>();
        if (wrk) {
            line.addAll(List.of("wrk", "--latency", "-t1", "-c" + connections, "-d" + WINDOW_SECONDS + "s"));
            if (request.equals("POST")) {
                line.addAll(List.of("-s", "" + Files.writeString(Files.createDirectories(WORK).resolve("post.lua"),
                        "wrk.method = 'POST'\nwrk.body = '" + ORDER + "'\n"
                        + "wrk.headers['Content-Type'] = 'application/json'\n")));
            }
            line.add(url);
        } else {
            line.addAll(List.of(java, "-cp", System.getProperty("java.class.path"), "ServiceLoad", url, WINDOW_SECONDS,
                    "" + connections));
            if (request.equals("POST")) {
                line.add(ORDER);
            }
        }
        var load = new Machine.Load(running.values().stream().map(server -> server.process.toHandle())
                .toArray(ProcessHandle[]::new));
        String output = Machine.output(line, Map.of());
        var rate = match(RATE, output);
        var late = match(LATE, output);
        boolean wrong = Pattern.compile("Non-2xx|Socket errors").matcher(output).find();
        var window = new Window(rate == null || wrong ? 0 : Double.parseDouble(rate.group(1)),
                late == null ? 0 : Double.parseDouble(late.group(1)) * MILLIS.get(late.group(2)), load.others());
        windows.add(window);
        lines.add(Machine.format("%s\t%s\t%d\t%.0f\t%.2f\t%.3f", name, request, connections, window.rate, window.p99,
                window.others));
        System.err.println(lines.getLast()
                + (wrong ? "\t" + output.replaceAll("(?s).*?((Non-2xx|Socket)[^\n]*).*", "$1") : ""));
    }

    private static MatchResult match(Pattern pattern, String text) {
        var matcher = pattern.matcher(text);
        return matcher.find() ? matcher.toMatchResult() : null;
    }

    /** The last six windows that count, once the medians of three and three agree; null: not, or wrong answers. */
    private static Window steady(List<Window> windows) {
        var quiet = windows.stream().skip(COLD).filter(window -> window.others <= Machine.NOISE).toList();
        if (quiet.size() < 2 * GROUP) {
            return null;
        }
        var last = quiet.subList(quiet.size() - 2 * GROUP, quiet.size());
        double before = Steady.median(rates(last.subList(0, GROUP)));
        double now = Steady.median(rates(last.subList(GROUP, 2 * GROUP)));
        boolean right = last.stream().allMatch(window -> window.rate > 0);
        return right && Math.max(before, now) <= Steady.AGREE * Math.min(before, now) ? new Window(Steady.median(rates(
                last)), Steady.median(last.stream().map(Window::p99).toList()), 0) : null;
    }

    private static List<Double> rates(List<Window> windows) {
        return windows.stream().map(Window::rate).toList();
    }

    // memory

    /** Bytes by number of connections, and how many of them the server keeps. */
    private void hold(String name, String state, List<Integer> sizes) throws Exception {
        try (var running = start(servers.get(name), LEAN)) {
            var sockets = new ArrayList<Socket>();
            for (int i = 0; i < 10; i++) { // for its code; not more at a time, for what is freed is kept
                open(sockets, running.port, state, FEW);
                close(sockets);
            }
            try {
                open(sockets, running.port, state, FEW);
                long before = resident(running.process.pid());
                for (int size : sizes) {
                    if (size > sizes.getFirst() && System.nanoTime() > end) {
                        break;
                    }
                    open(sockets, running.port, state, room(size));
                    long bytes = resident(running.process.pid()) - before;
                    lines.add(name + "\t" + state + "\t" + sockets.size() + "\t" + bytes + "\t"
                            + established(running.port));
                    System.err.println(lines.getLast());
                }
            } finally {
                close(sockets);
            }
        } catch (IOException e) {
            System.err.println("service: " + name + ", " + state + ": " + e);
        }
    }

    /** Idle: one request, then nothing. Slow: half a head. Streaming: an event a second. */
    private static void open(List<Socket> sockets, int port, String state, int size) throws IOException {
        String path = state.equals("streaming") ? "/ticks" : "/hello/you";
        String head = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
        byte[] request = (head + (state.equals("slow") ? "X-Slow: " : "\r\n")).getBytes(StandardCharsets.US_ASCII);
        while (sockets.size() < size) {
            var socket = new Socket(InetAddress.getLoopbackAddress(), port);
            sockets.add(socket);
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request);
            if (!state.equals("slow") && socket.getInputStream().read() < 0) {
                throw new IOException("closed, with " + sockets.size() + " connections");
            }
        }
    }

    private static void close(List<Socket> sockets) throws IOException {
        for (var socket : sockets) {
            socket.close();
        }
        sockets.clear();
    }

    /** What the file descriptors of a process are enough for. */
    private static int room(int size) {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system
                ? (int) Math.min(size, system.getMaxFileDescriptorCount() - RESERVED) : size;
    }

    /** Once it changes no more; of a JVM after a full collection. */
    private long resident(long pid) throws Exception {
        boolean jvm = Files.readString(Path.of("/proc/" + pid + "/cmdline")).startsWith(java);
        long last = 0;
        for (int i = 0; i < 8; i++) {
            Thread.sleep(500);
            if (jvm) {
                Machine.output(List.of(jcmd, "" + pid, "GC.run"), Map.of());
            }
            long now;
            try (var status = Files.lines(Path.of("/proc/" + pid + "/status"))) {
                now = status.filter(line -> line.startsWith("VmRSS:")).mapToLong(line ->
                        Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElse(0) * 1_024;
            }
            if (Math.abs(now - last) < now / 100) {
                return now;
            }
            last = now;
        }
        return last;
    }

    private static long established(int port) throws IOException {
        String local = Machine.format(":%04X", port);
        long count = 0;
        for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
            try (Stream<String> all = Files.exists(Path.of(table)) ? Files.lines(Path.of(table)) : Stream.empty()) {
                count += all.map(line -> line.strip().split("\\s+")).filter(fields -> fields[1].endsWith(local)
                        && fields[3].equals("01")).count();
            }
        }
        return count;
    }

    // the servers

    private static Running start(Server server, List<String> options) throws Exception {
        int port;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        var line = new ArrayList<>(server.command.apply(port));
        line.addAll(1, line.get(0).endsWith("java") ? options : List.of());
        var errors = Files.createDirectories(WORK).resolve("errors-" + port).toFile();
        var builder = new ProcessBuilder(line).redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(errors);
        builder.environment().putAll(server.environment);
        builder.environment().put("PORT", "" + port);
        var running = new Running(builder.start(), port);
        long limit = System.nanoTime() + 60_000_000_000L;
        while (System.nanoTime() < limit && running.process.isAlive()) {
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout(10_000);
                socket.getOutputStream().write(("GET /hello/you HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").getBytes());
                if (new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII).endsWith("200")) {
                    return running;
                }
            } catch (ConnectException e) {
                Thread.sleep(50);
            }
        }
        running.close();
        throw new IOException(String.join(" ", line) + " did not start: " + errors);
    }

    /** From the history, with a route that streams; null where the history is not whole. */
    private static Path template(Path jdk) throws Exception {
        Path classes = Files.createDirectories(WORK.resolve("template"));
        Path source = classes.resolve("AsyncServiceTemplate.java");
        try {
            String commit = Machine.output(List.of("git", "log", "-1", "--diff-filter=D", "--format=%H", "--",
                    "assets/AsyncServiceTemplate.java"), Map.of(), ProcessBuilder.Redirect.DISCARD).strip();
            String text = Machine.output(List.of("git", "show", commit + "^:assets/AsyncServiceTemplate.java"),
                    Map.of(), ProcessBuilder.Redirect.DISCARD);
            Files.writeString(source, text.replaceFirst("service\\.readiness\\(", """
                    service.route("GET", "/ticks", request -> {
                        request.exchange().sendResponseHeaders(200, 0);
                        try (var out = request.exchange().getResponseBody()) {
                            while (true) {
                                out.write("data: tick\\\\n\\\\n".getBytes());
                                out.flush();
                                Thread.sleep(1_000);
                            }
                        }
                    });
                    service.readiness("""));
            Machine.output(List.of(Machine.tool(jdk, "javac"), "-nowarn", "-d", "" + classes, "" + source), Map.of());
            return classes;
        } catch (IOException e) {
            System.err.println("service: without the template, which git does not have here");
            return null;
        }
    }

    private static String version(String python) throws InterruptedException {
        try {
            var process = new ProcessBuilder(python, "-c", "import sys, aiohttp, uvloop; "
                    + "print(sys.version.split()[0] + ', aiohttp ' + aiohttp.__version__ "
                    + "+ ', uvloop ' + uvloop.__version__)")
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String answer = new String(process.getInputStream().readAllBytes()).strip();
            if (process.waitFor(1, TimeUnit.MINUTES) && process.exitValue() == 0) {
                return answer;
            }
        } catch (IOException e) {
            // said below
        }
        System.err.println("service: without aiohttp: " + python + " is not there, or lacks aiohttp or uvloop");
        return "";
    }

    // writing

    private static int pages(Path out) throws IOException {
        var days = Machine.days(out, "service");
        String text = table(days, NAMES, REQUESTS.keySet(), STATES);
        String growth = Machine.wrapped(growth(days));
        Files.writeString(out.resolve("service.md"), "# The service and other servers\n\n"
                + "Written by `java bench/Bench.java service`; do not edit. " + CONNECTIONS
                + " kept connections, client and server on one machine;\nbytes: resident memory by connection, "
                + "with 5,000 of them (fewer: \"keeps\"), of a JVM after a full collection, without\n"
                + "what the kernel holds. Javalin and Helidon on virtual threads. Only the service logs each request; "
                + "the template, too.\n\n" + text + "\n" + growth + "\n\n"
                + Machine.conditions(days, "libraries", "Python", "load"));
        System.out.println("\n" + text + "\n" + growth);
        if (out.equals(Machine.RESULTS)) {
            Machine.publish(Path.of("references/performance.md"), "service", table(days, ON_PAGE, List.of("GET"),
                    List.of("idle", "streaming")) + "\n" + Machine.wrapped(byConnections(days, List.of(1, 100, 5_000))
                    + " " + Machine.briefly(days)) + "\n");
        }
        var last = List.of(days.getLast());
        return (table(last, NAMES, REQUESTS.keySet(), STATES) + growth(last)).contains(Machine.NOT_STEADY_TEXT)
                ? Machine.NOT_STEADY : 0;
    }

    private static String table(List<Machine.Day> days, List<String> names, Collection<String> requests,
            List<String> states) {
        var text = new StringBuilder("| |");
        requests.forEach(request -> text.append(' ').append(request).append("/s [p99 ms] |"));
        text.append(" bytes a connection: ").append(String.join(" | ", states)).append(" |\n|---|")
                .append("---|".repeat(requests.size() + states.size())).append('\n');
        for (String name : names) {
            if (Machine.rows(days, name).isEmpty()) {
                continue;
            }
            text.append("| ").append(TITLES.get(name)).append(" |");
            requests.forEach(request -> text.append(' ').append(figure(days, name, request, CONNECTIONS)).append(" |"));
            states.forEach(state -> text.append(' ').append(bytes(days, name, state, HELD.getFirst())).append(" |"));
            text.append('\n');
        }
        return text.toString();
    }

    private static String growth(List<Machine.Day> days) {
        var bytes = HELD.stream().skip(1).filter(size -> !rows(days, SERVICE, "idle", size).isEmpty())
                .map(size -> Machine.range(rows(days, SERVICE, "idle", size).stream().map(row -> Double.valueOf(row[2]))
                        .toList()) + ": " + STATES.stream().map(state -> bytes(days, SERVICE, state, size))
                        .collect(Collectors.joining(" / "))).toList();
        return byConnections(days, BY_CONNECTIONS) + " Its bytes a connection by connections, idle / slow / streaming: "
                + String.join(", ", bytes) + ".";
    }

    private static String byConnections(List<Machine.Day> days, List<Integer> numbers) {
        return "The service's GETs a second [p99 ms] by connections: " + numbers.stream().map(connections ->
                Machine.format("%,d: ", connections) + figure(days, SERVICE, "GET", connections))
                .collect(Collectors.joining(", ")) + ".";
    }

    private static String figure(List<Machine.Day> days, String name, String request, int connections) {
        var steady = days.stream().map(day -> steady(Machine.rows(List.of(day), name, request, "" + connections)
                .stream().map(row -> new Window(Double.parseDouble(row[3]), Double.parseDouble(row[4]),
                        Double.parseDouble(row[5]))).toList()))
                .filter(Objects::nonNull).toList();
        return Machine.range(rates(steady)) + (steady.isEmpty() ? "" : " [" + Machine.range(steady.stream()
                .map(Window::p99).toList()) + "]");
    }

    /** A connection, with so many, or as many as there was room for. */
    private static String bytes(List<Machine.Day> days, String name, String state, int size) {
        var rows = rows(days, name, state, size);
        var kept = rows.stream().filter(row -> Double.parseDouble(row[4]) < 0.99 * Double.parseDouble(row[2]))
                .map(row -> Double.valueOf(row[4])).toList();
        return rows.isEmpty() ? "not measured" : !kept.isEmpty() ? "keeps " + Machine.range(kept)
                : Machine.range(rows.stream().map(row -> Math.floor(Double.parseDouble(row[3])
                        / (Integer.parseInt(row[2]) - FEW))).toList());
    }

    private static List<String[]> rows(List<Machine.Day> days, String name, String state, int size) {
        int fewer = HELD.stream().filter(n -> n < size).max(Integer::compare).orElse(0);
        return Machine.rows(days, name, state).stream().filter(row -> Integer.parseInt(row[2]) > fewer
                && Integer.parseInt(row[2]) <= size).toList();
    }
}
