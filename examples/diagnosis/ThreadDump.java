import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * asyncio: {@code all_tasks()} and {@code task.print_stack()}, of a JVM that hangs or is slow. Final API, JDK 21 and
 * later.
 *
 * <p>Turns {@code jcmd PID Thread.dump_to_file -format=json FILE}, which has every virtual thread, into a page:
 * deadlocks, which thread waits for which lock, pinned threads, threads by executor and by stack, most frequent first.
 * Reads the formats of JDK 21 to 27 on any JDK. Who holds a lock is in the dump from 25 on for {@code synchronized},
 * from 26 on (and in 25.0.5) for {@code java.util.concurrent.locks}; otherwise a deadlock is only reported as possible;
 * {@code LockOwners} can tell from a heap dump.
 *
 * <p>Use when something hangs or piles up. Do not use for CPU time or rates (JFR). The file is read as a stream: a
 * million threads, 1.1 GB, fit with {@code -Xmx512m}. Not thread-safe.
 *
 * <p>Exit code: 0 no deadlock found, 1 deadlock, 2 no dump could be made or read (one line on standard error).
 *
 * <p>Long because it reads the text and the JSON form of every JDK, with its own JSON parser.
 *
 * <p>Run: {@code java examples/diagnosis/ThreadDump.java PID}, or {@code FILE}, or without either to see it find a
 * planted deadlock.
 */
public final class ThreadDump {

    /**
     * What threads that do the same thing have in common.
     *
     * @param state  a {@code Thread.State}; empty in a dump of 21
     * @param pinned keeps its carrier while it waits; on 21 not known of one that waits to enter {@code synchronized}
     * @param call   the method of the JDK that the frames below have called, or empty
     * @param frames those of the application, innermost first
     */
    public record Stack(boolean virtual, String state, boolean pinned, String call, List<String> frames) {

        private String brief() {
            return (call.isEmpty() ? "" : call + " < ") + frames.stream().limit(3).collect(Collectors.joining(" < "));
        }

        @Override
        public String toString() {
            String kind = (virtual ? "virtual " : "platform ") + state;
            return kind.strip() + (pinned ? ", PINNED" : "")
                    + (!call.isEmpty() ? " in " + call : frames.isEmpty() ? ", no stack" : "");
        }
    }

    /**
     * @param lock the monitor or exclusive lock it waits for, or null. @param mounted has a carrier (never known on
     * 21)
     */
    public record Task(long tid, String name, Stack stack, String lock, boolean mounted) {
        @Override
        public String toString() {
            return "#" + tid + (name.isEmpty() ? "" : " \"" + name.replaceAll("\\p{Cntrl}", "?") + "\"");
        }
    }

    private static final int SHOWN = 20;
    private static final String CUT = "it ends too early; is the dump complete?";
    private static final String UNNAMED = "a lock that this dump does not name";
    private static final Pattern LOCK = Pattern.compile("java\\.util\\.concurrent\\.locks\\.Reentrant\\w*Lock\\$.*");
    private static final Pattern LOCKING = Pattern.compile("Reentrant.*\\.(lock|lockInterruptibly|tryLock)");
    private static final Pattern JDK_FRAME = Pattern.compile("(?:java|jdk)\\.[\\w.]+/(.*)\\(.*");
    private static final Pattern RUNNER = Pattern.compile("[\\w$]+\\.(run|runWith|runWorker|call)");

    private final List<Task> tasks = new ArrayList<>();
    private final Map<String, Long> owners = new HashMap<>();
    private final Map<String, Integer> containers = new LinkedHashMap<>();
    private final Map<Object, Object> shared = new HashMap<>(); // a million threads have a few dozen stacks
    private final Map<String, String> frames = new HashMap<>();
    private Map<?, ?> header = Map.of();
    private int carriers;
    private int busy;

    private ThreadDump() {
    }

    // @start region="read"
    /** @throws IOException if the file cannot be read, or is not a complete dump in JSON; the message says where */
    public static ThreadDump read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + ": no such file");
        }
        try (var reader = new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8.newDecoder())) {
            var dump = new ThreadDump();
            var json = new Json(file, reader, dump::add);
            var top = json.document();
            if (!(top.get("threadDump") instanceof Map<?, ?> header
                    && header.get("threadContainers") instanceof List<?> all)) {
                throw new IOException(file + ": JSON, but no thread dump");
            }
            dump.header = header;
            for (Object one : all) {
                dump.containers.put(brief(field(one, "container")), (Integer) ((Map<?, ?>) one).get("threads"));
            }
            return dump;
        } catch (ClassCastException | NumberFormatException | NullPointerException e) {
            throw new IOException(file + ": JSON, but no thread dump of JDK 21 to 27", e);
        }
    }
    // @end region="read"

    /** Of a JVM of this user on this machine, this one too, by the {@code jcmd} of this JDK, whose end it waits for. */
    public static ThreadDump ofProcess(long pid) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("thread-dump").toAbsolutePath();
        Path file = folder.resolve("threads.json");
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        var process = new ProcessBuilder(jcmd, "" + pid, "Thread.dump_to_file", "-format=json", file.toString())
                .redirectErrorStream(true).start();
        try (var output = process.inputReader()) {
            String said = output.lines().reduce("", (a, b) -> b).strip();
            if (process.waitFor() != 0 || !Files.exists(file)) {
                throw new IOException("process " + pid + ": no dump by jcmd: " + said
                        + " (in a container? run jcmd there)");
            }
            return read(file);
        } finally {
            process.destroyForcibly();
            Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        }
    }

    public List<Task> tasks() {
        return List.copyOf(tasks);
    }

    /** Cycles: each thread waits for a lock that the next one holds, and the last one for a lock of the first. */
    public List<List<Task>> deadlocks() {
        var waiting = new LinkedHashMap<Long, Task>();
        tasks.stream().filter(task -> task.lock != null).forEach(task -> waiting.put(task.tid, task));
        var walks = new HashMap<Long, Long>(); // each thread, and where the walk began that came by it first
        var cycles = new ArrayList<List<Task>>();
        for (Task start : waiting.values()) {
            var path = new ArrayList<Task>();
            Task task = start;
            while (task != null && walks.putIfAbsent(task.tid, start.tid) == null) {
                path.add(task);
                task = waiting.get(owners.get(task.lock));
            }
            if (task != null && walks.get(task.tid) == start.tid) {
                cycles.add(List.copyOf(path.subList(path.indexOf(task), path.size())));
            }
        }
        return cycles;
    }

    /**
     * Threads that wait for a lock whose owner is not in the dump, if several are waited for; {@link #deadlocks} are
     * certain.
     */
    public List<Task> possibleDeadlock() {
        var waiting = tasks.stream().filter(task -> task.lock != null).toList();
        long locks = waiting.stream().map(Task::lock).filter(lock -> !lock.equals(UNNAMED)).distinct().count()
                + waiting.stream().filter(task -> task.lock.equals(UNNAMED)).count();
        return locks < 2 ? List.of() : waiting.stream().filter(task -> !owners.containsKey(task.lock)).toList();
    }

    /** About a page, for people. */
    public String report() {
        var out = new StringBuilder();
        line(out, "process %s, JDK %s, %s: %d threads, %d of them virtual", header.get("processId"),
                header.get("runtimeVersion"), header.get("time"), tasks.size(), count(task -> task.stack.virtual));
        line(out, "carriers: %d, %d of them busy", carriers, busy);
        line(out, "virtual threads that wait and keep their carrier (pinned): %d", count(task -> task.stack.pinned));
        if (tasks.stream().allMatch(task -> task.stack.state.isEmpty())) {
            line(out, "without a stack (virtual and not yet run, or of the JVM): %d",
                    count(task -> task.stack.brief().isEmpty()));
        } else {
            line(out, "virtual threads that wait for a carrier: %d", count(task ->
                    task.stack.virtual && task.stack.state.equals("RUNNABLE") && !task.mounted));
        }
        for (var cycle : deadlocks()) {
            blocked(out, "DEADLOCK: each waits for a lock that the next one holds", cycle);
        }
        blocked(out, "POSSIBLE DEADLOCK: the dump does not say who holds these locks. If a second dump is the same:\n"
                + "jcmd " + header.get("processId") + " GC.heap_dump FILE.hprof; java LockOwners.java FILE.hprof",
                possibleDeadlock());

        var waits = sizes(task -> task.lock);
        var ids = waits.keySet().stream().map(owners::get).collect(Collectors.toSet());
        var holders = tasks.stream().filter(task -> ids.contains(task.tid))
                .collect(Collectors.toMap(Task::tid, task -> task, (task, same) -> task));
        most(out, "locks, by threads that wait for them", waits, lock -> {
            Task holder = holders.get(owners.get(lock));
            return brief(lock) + ", held by " + (holder == null ? "?" : holder + " in " + holder.stack.brief());
        });
        most(out, "threads by executor", containers, name -> name);
        var own = sizes(task -> task.stack.frames.isEmpty() ? null : task.stack);
        var samples = new HashMap<Stack, List<String>>();
        tasks.forEach(task -> {
            var some = samples.computeIfAbsent(task.stack, stack -> new ArrayList<>());
            if (some.size() < 4) {
                some.add(some.size() < 3 ? task.toString() : "...");
            }
        });
        most(out, "threads by what they do", own, stack -> stack + ": " + String.join(", ", samples.get(stack))
                + stack.frames.stream().limit(6).map("\n           at "::concat).collect(Collectors.joining()));
        most(out, "threads in no code of the application",
                sizes(task -> task.stack.frames.isEmpty() ? task.stack : null), Stack::toString);
        return out.toString();
    }

    private static void blocked(StringBuilder out, String title, List<Task> tasks) {
        if (!tasks.isEmpty()) {
            line(out, "\n%s", title);
            tasks.stream().limit(SHOWN).forEach(task ->
                    line(out, "  %s waits for %s\n      in %s", task, brief(task.lock), task.stack.brief()));
        }
    }

    /** Threads by key; those with none are left out. */
    private <K> Map<K, Integer> sizes(Function<Task, K> keyOf) {
        var sizes = new LinkedHashMap<K, Integer>();
        for (Task task : tasks) {
            K key = keyOf.apply(task);
            if (key != null) {
                sizes.merge(key, 1, Integer::sum);
            }
        }
        return sizes;
    }

    private static <K> void most(StringBuilder out, String title, Map<K, Integer> sizes, Function<K, String> text) {
        if (!sizes.isEmpty()) {
            line(out, "\n%s", title);
        }
        sizes.entrySet().stream().filter(size -> size.getValue() > 0)
                .sorted(Map.Entry.<K, Integer>comparingByValue().reversed()).limit(SHOWN)
                .forEach(size -> line(out, "%7d  %s", size.getValue(), text.apply(size.getKey())));
        if (sizes.size() > SHOWN) {
            line(out, "         ... and %d more", sizes.size() - SHOWN);
        }
    }

    private static void line(StringBuilder out, String format, Object... values) {
        out.append(String.format(format, values)).append('\n');
    }

    private long count(Predicate<Task> which) {
        return tasks.stream().filter(which).count();
    }

    private static String brief(String name) {
        return name.replaceAll("\\b[a-z]+\\.([a-z]+\\.)+(?=[A-Z])", "");
    }

    private static String field(Object object, String name) {
        return (String) ((Map<?, ?>) object).get(name);
    }

    private <T> T share(Class<T> type, T value) {
        return type.cast(shared.computeIfAbsent(value, v -> v));
    }

    /** A thread as the dump has it. Fields that later JDKs may add are left alone. */
    private void add(Map<?, ?> thread) {
        // afterwards only frames of the application have a place "(File.java:1)"
        var stack = ((List<?>) thread.get("stack")).stream().map(line -> frames.computeIfAbsent((String) line, text -> {
            var matcher = JDK_FRAME.matcher(text);
            return matcher.matches() ? brief(matcher.group(1)) : text;
        })).toList();
        var own = stack.stream().filter(frame -> frame.endsWith(")")).toList();
        String call = "";
        for (String frame : stack) { // the last of the JDK above the application, or above what runs every thread
            if (frame.endsWith(")") || own.isEmpty() && !call.isEmpty() && RUNNER.matcher(frame).matches()) {
                break;
            }
            call = frame;
        }
        boolean virtual = "true".equals(field(thread, "virtual"))
                || !stack.isEmpty() && stack.getLast().equals("VirtualThread.run");
        boolean mounted = thread.get("carrier") != null;
        String name = field(thread, "name");
        String state = thread.get("state") == null ? "" : field(thread, "state");
        boolean pinned = stack.contains("VirtualThread.parkOnCarrierThread") || mounted && !state.equals("RUNNABLE")
                || virtual && state.isEmpty() && call.equals("Object.wait");
        if (name.startsWith("ForkJoinPool-1-worker-")) {
            carriers++;
            busy += stack.contains("Continuation.run") ? 1 : 0;
        }
        long tid = Long.parseLong(field(thread, "tid"));
        String blockedOn = field(thread, "blockedOn");
        String lock = blockedOn;
        if (thread.get("parkBlocker") instanceof Map<?, ?> park && lock == null) {
            String owner = field(park, "owner");
            lock = owner != null || LOCK.matcher(field(park, "object")).matches() ? field(park, "object") : null;
            if (owner != null) {
                owners.put(lock, Long.parseLong(owner));
            }
        } else if (state.isEmpty() && LOCKING.matcher(call).matches()) {
            lock = UNNAMED;
        }
        if (thread.get("monitorsOwned") instanceof List<?> owned) {
            owned.forEach(depth -> ((List<?>) ((Map<?, ?>) depth).get("locks")).forEach(monitor -> {
                // null: eliminated by the compiler; the one it waits for was given back by Object.wait()
                if (monitor != null && !monitor.equals(thread.get("waitingOn")) && !monitor.equals(blockedOn)) {
                    owners.put((String) monitor, tid);
                }
            }));
        }
        tasks.add(new Task(tid, name, share(Stack.class, new Stack(virtual, state, pinned, call, own)),
                lock == null ? null : share(String.class, lock), mounted));
    }

    /**
     * Strict JSON (RFC 8259): maps, lists, null, and strings for everything else. Passes on the elements of arrays
     * named "threads".
     */
    private static final class Json {
        private static final Pattern LITERAL =
                Pattern.compile("true|false|null|-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?");
        private final Path file;
        private final Reader in;
        private final Consumer<Map<?, ?>> threads;
        private final char[] buffer = new char[1 << 16];
        private final StringBuilder text = new StringBuilder();
        private int at;
        private int end;
        private long line = 1;
        private int depth;

        Json(Path file, Reader in, Consumer<Map<?, ?>> threads) {
            this.file = file;
            this.in = in;
            this.threads = threads;
        }

        Map<?, ?> document() throws IOException {
            if (token() != '{') {
                throw wrong("no JSON object; was the dump made with -format=json?");
            }
            var map = (Map<?, ?>) value("");
            if (blank() >= 0) {
                throw wrong("text after the end of the JSON");
            }
            return map;
        }

        private Object value(String key) throws IOException {
            int c = token();
            if (c == '"') {
                return string();
            }
            if (c != '{' && c != '[') {
                return literal();
            }
            if (++depth > 100) {
                throw wrong("nested too deeply");
            }
            read();
            var map = new HashMap<String, Object>();
            var list = new ArrayList<Object>();
            int elements = 0;
            char close = c == '{' ? '}' : ']';
            for (boolean first = true; token() != close; first = false) {
                if (!first) {
                    expect(',');
                }
                if (c == '{') {
                    token();
                    String name = string();
                    expect(':');
                    map.put(name, value(name));
                } else if (key.equals("threads")) {
                    threads.accept((Map<?, ?>) value(""));
                    elements++;
                } else {
                    list.add(value(""));
                }
            }
            read();
            depth--;
            return c == '{' ? map : key.equals("threads") ? (Object) elements : list;
        }

        private String string() throws IOException {
            expect('"');
            text.setLength(0);
            for (int c; (c = read()) != '"'; text.append((char) c)) {
                if (c < ' ') {
                    throw wrong(c < 0 ? CUT : "a control character in a string");
                } else if (c == '\\') {
                    int escape = read();
                    int index = "\"\\/bfnrt".indexOf(escape);
                    c = index < 0 ? 0 : "\"\\/\b\f\n\r\t".charAt(index);
                    for (int i = 0; i < 4 && index < 0; i++) {
                        int digit = escape == 'u' ? Character.digit(read(), 16) : -1;
                        if (digit < 0) {
                            throw wrong("a wrong escape in a string");
                        }
                        c = c * 16 + digit;
                    }
                }
            }
            return text.toString();
        }

        private String literal() throws IOException {
            text.setLength(0);
            for (int c; Character.isLetterOrDigit(c = peek()) || c == '-' || c == '+' || c == '.'; read()) {
                text.append((char) c);
            }
            if (!LITERAL.matcher(text).matches()) {
                throw wrong("a value is expected at '" + (text.isEmpty() ? (char) peek() : text) + "'");
            }
            return text.toString().equals("null") ? null : text.toString();
        }

        private void expect(char wanted) throws IOException {
            int c = token();
            if (c != wanted) {
                throw wrong("'" + wanted + "' is expected at '" + (char) c + "'");
            }
            read();
        }

        /** The next character that is no white space; it stays. */
        private int token() throws IOException {
            if (blank() < 0) {
                throw wrong(CUT);
            }
            return peek();
        }

        private int blank() throws IOException {
            while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') {
                line += read() == '\n' ? 1 : 0;
            }
            return peek();
        }

        private int read() throws IOException {
            int c = peek();
            at++;
            return c;
        }

        private int peek() throws IOException {
            if (at >= end) {
                at = 0;
                try {
                    end = in.read(buffer);
                } catch (CharacterCodingException e) {
                    throw wrong("not UTF-8");
                }
            }
            return end < 0 ? -1 : buffer[at];
        }

        private IOException wrong(String what) {
            return new IOException(file + ":" + line + ": " + what);
        }
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 0) {
            demo();
            return;
        }
        try {
            var dump = args[0].matches("\\d{1,18}") ? ofProcess(Long.parseLong(args[0])) : read(Path.of(args[0]));
            System.out.print(dump.report());
            System.exit(dump.deadlocks().isEmpty() ? 0 : 1);
        } catch (IOException e) {
            System.err.println("ThreadDump: " + e.getMessage());
            System.exit(2);
        }
    }

    private static void demo() throws Exception {
        var a = new ReentrantLock();
        var b = new ReentrantLock();
        var holding = new CountDownLatch(2);
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            executor.submit(() -> transfer(a, b, holding)); // blocking-ok: ends with the demo
            executor.submit(() -> transfer(b, a, holding));
            for (int i = 0; i < 1_000; i++) {
                executor.submit(() -> new CountDownLatch(1).await(1, TimeUnit.MINUTES));
            }
            while (!a.hasQueuedThreads() || !b.hasQueuedThreads()) {
                Thread.sleep(1);
            }
            var dump = ofProcess(ProcessHandle.current().pid());
            executor.shutdownNow();
            System.out.print(dump.report());
            boolean certain = Runtime.version().feature() >= 26 // the dump says who holds a lock; of 25 an update does
                    || !dump.deadlocks().isEmpty();
            check(dump.deadlocks().size() == (certain ? 1 : 0), "one deadlock, where it can be seen");
            check(dump.possibleDeadlock().size() == (certain ? 0 : 2), "elsewhere two threads that may be in one");
        }
    }

    private static Void transfer(ReentrantLock from, ReentrantLock to, CountDownLatch holding)
            throws InterruptedException {
        from.lockInterruptibly();
        try {
            holding.countDown();
            holding.await(); // blocking-ok: the deadlock to be found
            to.lockInterruptibly(); // the other one holds it
            to.unlock();
            return null;
        } finally {
            from.unlock();
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
