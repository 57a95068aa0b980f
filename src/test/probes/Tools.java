import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.HotSpotDiagnosticMXBean.ThreadDumpFormat;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import jdk.jfr.Configuration;
import jdk.jfr.EventType;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import jdk.jfr.ValueDescriptor;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/** What thread dumps, JFR, jcmd, beans and flags show. */
public final class Tools {

    private static final List<String> EVENTS = List.of("VirtualThreadPinned", "ThreadPark", "JavaMonitorEnter",
            "JavaMonitorWait", "ThreadSleep",
            "SocketRead", "FileRead");

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            probe(args);
            Probe.end();
        }
        var probes = new ArrayList<Probe.Action>();
        for (String group : List.of("dump", "monitorsOwned", "jfrSettings", "jcmd", "recorded", "carrying")) {
            probes.add(() -> System.out.println(Probe.jvm(List.of(), "Tools", group)));
        }
        for (String kind : List.of("locks", "monitors", "mixed")) {
            add(probes, "tools.deadlock-found-" + kind, List.of(), "deadlock", kind);
        }
        add(probes, "tools.dump-has-thread-start", List.of(), "tracked", "start");
        add(probes, "tools.dump-has-thread-start-untracked", List.of("-Djdk.trackAllThreads=false"), "tracked",
                "start");
        add(probes, "tools.dump-has-executor-untracked", List.of("-Djdk.trackAllThreads=false"), "tracked", "executor");
        add(probes, "tools.tracePinnedThreads", List.of("-Djdk.tracePinnedThreads=short"), "tracePinned");
        add(probes, "tools.poller-threads", List.of(), "pollers");
        for (String mode : List.of("1", "2", "3")) {
            add(probes, "tools.poller-threads-mode-" + mode, List.of("-Djdk.pollerMode=" + mode), "pollers");
        }
        for (String flag : List.of("UseCompactObjectHeaders", "UseObjectMonitorTable", "AOTCacheOutput",
                "AutoCreateSharedArchive",
                "InitialRAMPercentage", "MaxRAMPercentage")) {
            add(probes, "tools.flag-" + flag, List.of("-XX:+UnlockDiagnosticVMOptions",
                    "-XX:+UnlockExperimentalVMOptions"), "flag", flag);
        }
        probes.add(() -> Probe.print("tools.collector-on-one-processor", collector()));
        probes.add(() -> Probe.print("tools.flag-LockingMode", lockingMode()));
        probes.add(() -> Probe.print("tools.launch-mechanism-vfork", vfork()));
        add(probes, "tools.heap-after-start", List.of(), "initialHeap");
        Probe.all(probes);
        Probe.end();
    }

    private static void add(List<Probe.Action> probes, String id, List<String> options, String... args) {
        var command = new ArrayList<>(List.of("Tools"));
        command.addAll(List.of(args));
        probes.add(() -> Probe.print(id, Probe.jvm(options, command.toArray(String[]::new))));
    }

    private static void probe(String[] args) throws Exception {
        switch (args[0]) {
            case "dump" -> dumpFields();
            case "monitorsOwned" -> monitorsOwned();
            case "jfrSettings" -> jfrSettings();
            case "jcmd" -> jcmd();
            case "recorded" -> recorded();
            case "carrying" -> carrying();
            case "deadlock" -> System.out.println(deadlock(args[1]));
            case "tracked" -> System.out.println(tracked(args[1].equals("start")));
            case "tracePinned" -> System.out.println(tracePinned());
            case "pollers" -> System.out.println(pollers());
            case "flag" -> System.out.println(flag(args[1]));
            case "start" -> new ProcessBuilder("true").start().waitFor();
            case "initialHeap" -> System.out.println(Long.parseLong(flag("InitialHeapSize")) <= 8 << 20 ? "8 MB"
                    : "a part of the machine's");
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static String dump(ThreadDumpFormat format) throws IOException {
        Path file = Files.createTempDirectory("dump").resolve("dump");
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).dumpThreads(file.toString(), format);
        try {
            return Files.readString(file);
        } finally {
            Files.delete(file);
        }
    }

    /** A holder of a lock and of a monitor; one waits for each of them, one in {@code Object.wait}. */
    private static void dumpFields() throws Exception {
        var lock = new ReentrantLock();
        var monitor = new Object();
        var holding = new CountDownLatch(1);
        Thread.ofVirtual().name("v-holder").start(() -> {
            lock.lock();
            synchronized (monitor) {
                holding.countDown();
                LockSupport.park();
            }
        });
        holding.await();
        Thread.ofVirtual().name("v-lock").start(lock::lock);
        Probe.until(lock::hasQueuedThreads);
        Probe.settle(0); // queued, it has yet to say what it parks for
        String json = dump(ThreadDumpFormat.JSON);
        String waiter = thread(json, "v-lock");
        Probe.print("tools.dump-state", waiter.contains("\"state\"") ? "yes" : "no");
        Probe.print("tools.dump-lock-waited-for", waiter.contains("\"parkBlocker\"") ? "yes" : "no");
        Probe.print("tools.dump-lock-owner", waiter.matches("(?s).*\"parkBlocker\"[^}]*\"owner\".*") ? "yes" : "no");
        Probe.print("tools.dump-monitor-owner", thread(json, "v-holder").contains("\"monitorsOwned\"") ? "yes" : "no");
        var version = Pattern.compile("\"formatVersion\": *\"?(\\d+)").matcher(json);
        Probe.print("tools.dump-format-version", version.find() ? version.group(1) : "-");
        Probe.print("tools.dump-numbers", Pattern.compile("\"tid\": *\\d").matcher(json).find() ? "numbers"
                : "strings");
    }

    private static void monitorsOwned() throws Exception {
        var monitor = new Object();
        Thread waiting = Thread.ofVirtual().name("v-wait").start(() -> {
            synchronized (monitor) {
                try {
                    monitor.wait();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        });
        Probe.until(() -> waiting.getState() == Thread.State.WAITING);
        Probe.settle(0);
        Probe.print("tools.dump-lists-monitor-given-back-by-wait", thread(dump(ThreadDumpFormat.JSON), "v-wait")
                .contains("\"monitorsOwned\"") ? "yes" : "no");
    }

    /** The part of a dump from a thread's name to the next one's. */
    private static String thread(String json, String name) {
        int start = json.indexOf("\"" + name + "\"");
        int end = json.indexOf("\"name\":", start);
        return json.substring(start, end < 0 ? json.length() : end);
    }

    private static void jfrSettings() throws Exception {
        for (String name : List.of("default", "profile")) {
            var settings = Configuration.getConfiguration(name).getSettings();
            for (String event : List.of("SocketRead", "FileRead", "ThreadPark", "JavaMonitorWait",
                    "VirtualThreadPinned")) {
                String throttle = settings.get("jdk." + event + "#throttle");
                Probe.print("tools.jfr-" + name + "-" + event, settings.get("jdk." + event + "#threshold")
                        + (throttle == null || throttle.equals("off") ? "" : ", at most " + throttle));
            }
            Probe.print("tools.jfr-" + name + "-VirtualThreadStart", settings.get("jdk.VirtualThreadStart#enabled")
                    .equals("true") ? "on" : "off");
        }
        var types = FlightRecorder.getFlightRecorder().getEventTypes();
        for (String event : List.of("CPUTimeSample", "MethodTiming", "MethodTrace", "JavaMonitorNotify",
                "JavaMonitorStatistics", "JavaMonitorDeflate",
                "VirtualThreadSubmitFailed")) {
            Probe.print("tools.jfr-has-" + event, types.stream().anyMatch(type -> type.getName()
                    .equals("jdk." + event)) ? "yes" : "-");
        }
        EventType pinned = types.stream().filter(type -> type.getName().equals("jdk.VirtualThreadPinned")).findFirst()
                .orElseThrow();
        var own = pinned.getFields().stream().map(ValueDescriptor::getName)
                .filter(name -> !Set.of("startTime", "duration", "eventThread", "stackTrace").contains(name)).sorted()
                        .toList();
        Probe.print("tools.jfr-pinned-fields", own.isEmpty() ? "-" : String.join(", ", own));
    }

    private static void jcmd() throws Exception {
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Process process = new ProcessBuilder(jcmd, "" + ProcessHandle.current().pid(), "help").start();
        Set<String> commands = new String(process.getInputStream().readAllBytes()).lines().collect(Collectors.toSet());
        for (String command : List.of("Thread.vthread_scheduler", "Thread.vthread_pollers", "AOT.end_recording",
                "VM.security_properties",
                "VM.class_print_layout")) {
            Probe.print("tools.jcmd-" + command, commands.contains(command) ? "yes" : "-");
        }
        Process views = new ProcessBuilder(jcmd.replaceFirst("jcmd$", "jfr"), "help", "view").redirectErrorStream(true)
                .start();
        String text = new String(views.getInputStream().readAllBytes());
        for (String view : List.of("hot-methods", "cpu-time-hot-methods", "pinned-threads", "contention-by-site",
                "latencies-by-type")) {
            Probe.print("tools.jfr-view-" + view, text.contains(view) ? "yes" : "-");
        }
    }

    private static void recorded() throws Exception {
        Set<String> seen = events(Initialised.First::touch);
        // A busy machine adds events of its own, of class loading for one; hardly the same ones three times.
        seen.retainAll(events(Initialised.Second::touch));
        seen.retainAll(events(Initialised.Third::touch));
        for (String wait : List.of("v-lock", "v-queue", "v-monitor", "v-wait", "v-sleep", "v-pinned-park",
                "v-initialiser", "v-socket", "v-file")) {
            String events = seen.stream().filter(event -> event.startsWith(wait + " "))
                    .map(event -> event.substring(wait.length() + 1))
                    .collect(Collectors.joining(", "));
            Probe.print("tools.recorded-of-" + wait.substring(2), events.isEmpty() ? "none" : events);
        }
    }

    private static Set<String> events(Probe.Action initialiser) throws Exception {
        Path file = Files.createTempFile("recorded", ".jfr");
        var seen = new TreeSet<String>();
        try (var recording = new Recording()) {
            EVENTS.forEach(event -> recording.enable("jdk." + event).withThreshold(Duration.ofMillis(20))
                    .withoutStackTrace());
            recording.start();
            waits(initialiser);
            recording.stop();
            recording.dump(file);
        }
        for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
            var thread = event.getThread();
            if (thread != null && thread.getJavaName() != null && thread.getJavaName().startsWith("v-")) {
                seen.add(thread.getJavaName() + " " + event.getEventType().getName().substring(4));
            }
        }
        Files.delete(file);
        return seen;
    }

    private static void waits(Probe.Action initialiser) throws Exception {
        var lock = new ReentrantLock();
        var monitor = new Object();
        lock.lock();
        Thread waiter = Thread.ofVirtual().name("v-lock").start(lock::lock);
        Probe.until(lock::hasQueuedThreads);
        Thread.sleep(100);
        lock.unlock();
        waiter.join();
        virtual("v-queue", () -> new LinkedBlockingQueue<>().poll(100, TimeUnit.MILLISECONDS));
        Thread entering;
        synchronized (monitor) {
            entering = Thread.ofVirtual().name("v-monitor").start(() -> {
                synchronized (monitor) {
                    monitor.notifyAll();
                }
            });
            while (entering.getState() != Thread.State.BLOCKED) {
                Thread.onSpinWait();
            }
            Thread.sleep(100);
        }
        entering.join();
        virtual("v-wait", () -> {
            synchronized (monitor) {
                monitor.wait(100);
            }
        });
        virtual("v-sleep", () -> Thread.sleep(100));
        virtual("v-pinned-park", () -> {
            synchronized (monitor) {
                LockSupport.parkNanos(100_000_000);
            }
        });
        virtual("v-initialiser", initialiser);
        try (var server = new ServerSocket(0); var socket = new Socket("127.0.0.1",
                server.getLocalPort()); var peer = server.accept()) {
            Thread reader = reading("v-socket", () -> socket.getInputStream().read());
            Thread.sleep(150);
            peer.getOutputStream().write(1);
            reader.join();
        }
        Path fifo = Files.createTempDirectory("recorded").resolve("fifo");
        new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor();
        try (var both = new RandomAccessFile(fifo.toFile(), "rw"); var in = new FileInputStream(fifo.toFile())) {
            Thread reader = reading("v-file", in::read);
            Thread.sleep(150);
            both.write(1);
            reader.join();
        }
    }

    private static void virtual(String name, Probe.Action action) throws InterruptedException {
        Thread.ofVirtual().name(name).start(() -> {
            try {
                action.run();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }).join();
    }

    /** Returns once the thread reads. */
    private static Thread reading(String name, Callable<Integer> read) throws InterruptedException {
        var reading = new CountDownLatch(1);
        Thread reader = Thread.ofVirtual().name(name).start(() -> {
            reading.countDown();
            Probe.outcome(read);
        });
        reading.await();
        Probe.settle(0);
        return reader;
    }

    /** A class is initialised once only, so one for each recording. */
    private static final class Initialised {

        static final class First {
            static {
                LockSupport.parkNanos(100_000_000);
            }

            static void touch() {
                // being called is all
            }
        }

        static final class Second {
            static {
                LockSupport.parkNanos(100_000_000);
            }

            static void touch() {
                // being called is all
            }
        }

        static final class Third {
            static {
                LockSupport.parkNanos(100_000_000);
            }

            static void touch() {
                // being called is all
            }
        }
    }

    /** What Thread.print has of a virtual thread that computes, and of one that waits. */
    private static void carrying() throws Exception {
        Thread.ofVirtual().name("v-waits").start(LockSupport::park);
        var running = new CountDownLatch(1);
        Thread.ofVirtual().name("v-computes").start(() -> compute(running));
        running.await();
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Process process = new ProcessBuilder(jcmd, "" + ProcessHandle.current().pid(), "Thread.print").start();
        String text = new String(process.getInputStream().readAllBytes());
        Probe.print("tools.thread-print-of-running", text.contains("Tools.compute") ? "stack"
                : text.contains("Carrying virtual thread #") ? "number" : "nothing");
        Probe.print("tools.thread-print-of-waiting", text.contains("v-waits") ? "stack" : "nothing");
    }

    private static void compute(CountDownLatch running) {
        running.countDown();
        while (true) {
            Thread.onSpinWait();
        }
    }

    private static String deadlock(String kind) throws Exception {
        var first = new ReentrantLock();
        var second = new ReentrantLock();
        var inside = new CyclicBarrier(2);
        Runnable one = kind.equals("monitors") ? () -> enter(first, second, inside) : () -> lock(first, second, inside);
        Runnable two = kind.equals("monitors") ? () -> enter(second, first, inside) : () -> lock(second, first, inside);
        Thread a = Thread.startVirtualThread(one);
        Thread b = kind.equals("mixed") ? Thread.ofPlatform().daemon().start(two) : Thread.startVirtualThread(two);
        var state = kind.equals("monitors") ? Thread.State.BLOCKED : Thread.State.WAITING;
        Probe.until(() -> a.getState() == state && b.getState() == state && inside.getNumberWaiting() == 0);
        Thread.sleep(100);
        return ManagementFactory.getThreadMXBean().findDeadlockedThreads() == null ? "no" : "yes";
    }

    private static void enter(Object first, Object second, CyclicBarrier inside) {
        synchronized (first) {
            Probe.outcome(inside::await);
            synchronized (second) {
                throw new IllegalStateException();
            }
        }
    }

    private static void lock(ReentrantLock first, ReentrantLock second, CyclicBarrier inside) {
        first.lock();
        Probe.outcome(inside::await);
        second.lock();
    }

    private static String tracked(boolean start) throws Exception {
        Thread thread;
        var executor = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("v-sought").factory());
        if (start) {
            thread = Thread.ofVirtual().name("v-sought").start(LockSupport::park);
        } else {
            var started = new CountDownLatch(1);
            executor.execute(() -> {
                started.countDown();
                LockSupport.park();
            });
            started.await();
            thread = null;
        }
        if (thread != null) {
            Probe.until(() -> thread.getState() == Thread.State.WAITING);
        }
        String found = dump(ThreadDumpFormat.TEXT_PLAIN).contains("v-sought") ? "yes" : "no";
        Reference.reachabilityFence(executor); // a collection takes one that nobody refers to, with its threads
        return found;
    }

    private static String tracePinned() throws Exception {
        var out = System.out;
        var text = new java.io.ByteArrayOutputStream();
        System.setOut(new java.io.PrintStream(text));
        Thread.startVirtualThread(() -> {
            synchronized (text) {
                LockSupport.parkNanos(1_000_000);
            }
        }).join();
        Thread.startVirtualThread(Initialised.First::touch).join();
        System.setOut(out);
        return text.size() > 0 ? "prints" : "ignored";
    }

    private static String pollers() throws Exception {
        try (var server = new ServerSocket(0)) {
            Thread.startVirtualThread(() -> Probe.outcome(() -> new Socket("127.0.0.1", server.getLocalPort())
                    .getInputStream().read()));
            server.accept();
            Set<String> names = new TreeSet<>();
            Probe.happens(() -> {
                Thread.getAllStackTraces().keySet().stream().map(Thread::getName)
                        .filter(name -> name.matches(".*(?i)poller.*"))
                        .map(name -> name.replaceAll("-?\\d+$", "")).forEach(names::add);
                return false;
            });
            return names.isEmpty() ? "none" : String.join(", ", names);
        }
    }

    private static String flag(String name) {
        try {
            String value = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).getVMOption(name)
                    .getValue();
            return value.isEmpty() ? "yes" : value;
        } catch (IllegalArgumentException e) {
            return "-";
        }
    }

    private static String collector() throws Exception {
        String java = ProcessHandle.current().info().command().orElseThrow();
        Process process = new ProcessBuilder(java, "-XX:ActiveProcessorCount=1", "-XX:+PrintFlagsFinal", "-version")
                .start();
        return new String(process.getInputStream().readAllBytes()).lines()
                .filter(line -> line.matches(".*\\bUse(G1|Serial|Parallel)GC\\b.*= true.*"))
                .map(line -> line.replaceFirst(".*Use(\\w+)GC.*", "$1")).collect(Collectors.joining());
    }

    private static String lockingMode() throws Exception {
        String java = ProcessHandle.current().info().command().orElseThrow();
        Process process = new ProcessBuilder(java, "-XX:+UnlockExperimentalVMOptions", "-XX:LockingMode=2", "-version")
                .redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes());
        return process.waitFor() != 0 ? "the JVM does not start" : text.contains("Ignoring option")
                ? "ignored, with a warning"
                : text.contains("deprecated") ? "works, with a warning" : "works";
    }

    private static String vfork() throws Exception {
        Process process = new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(),
                "-Djdk.lang.Process.launchMechanism=VFORK", "-cp",
                System.getProperty("java.class.path"), "Tools", "start").redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes());
        return text.contains("removed. Switching to FORK") ? "replaced by FORK, with a warning"
                : text.contains("deprecated") ? "with a warning" : "works";
    }
}
