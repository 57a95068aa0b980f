import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * asyncio: {@code loop.slow_callback_duration} in debug mode, and the monitors that find a blocked event loop. Final
 * API, JDK 21 and later.
 *
 * <p>Starts an empty virtual thread at intervals, from a platform thread. If it does not run within a limit, every
 * carrier is taken (by code that computes, is pinned, or reads files on 25 and later), and the listener gets the stacks
 * of the virtual threads that hold them. Use in every service that runs on virtual threads. Do not use for a single
 * task that hangs: {@code TaskIntrospection}.
 *
 * <p>Each starvation gives one {@link Starved} and, once the virtual thread has run, one {@link Recovered}; heartbeats
 * do not pile up. The listener runs on the watchdog's own platform thread; what it throws goes to that thread's
 * uncaught-exception handler and ends nothing, nor does an Error of the watchdog itself. Writes a thread dump to a
 * temporary file for each starvation.
 *
 * <p>Run: {@code java examples/diagnosis/CarrierWatchdog.java}
 */
public final class CarrierWatchdog implements AutoCloseable {

    /** What the listener gets. */
    public sealed interface Report permits Starved, Recovered {
    }

    /**
     * @param waited    since the heartbeat was started
     * @param scheduler from 25 on, of {@code VirtualThreadSchedulerMXBean}, such as {@code Parallelism=2}; else empty
     * @param holding   number, name and stack of at most 20 virtual threads that keep a carrier, as in a thread dump
     */
    public record Starved(Duration waited, String scheduler, List<String> holding) implements Report {
    }

    /** @param starved how long the heartbeat of the reported starvation took to run */
    public record Recovered(Duration starved) implements Report {
    }

    private static final int SHOWN = 20;
    private static final Pattern UNMOUNTED = Pattern.compile(
            "\\s*(at )?java.base/java.lang.VirtualThread.(park|parkNanos|tryYield|yieldContinuation)\\(.*");
    private final AtomicBoolean closed;
    private final Thread thread;

    private CarrierWatchdog(Thread thread, AtomicBoolean closed) {
        this.thread = thread;
        this.closed = closed;
    }

    // @start region="watchdog"
    /**
     * @param interval between two heartbeats, positive
     * @param limit    how late a virtual thread may run, positive; under load tens of milliseconds are normal, a second
     *                 is not
     */
    public static CarrierWatchdog start(Duration interval, Duration limit, Consumer<? super Report> listener) {
        if (!interval.isPositive() || !limit.isPositive()) {
            throw new IllegalArgumentException("must be positive: interval " + interval + ", limit " + limit);
        }
        Objects.requireNonNull(listener, "listener");
        var closed = new AtomicBoolean();
        Consumer<Report> teller = report -> {
            tell(listener, report);
            clearFlag(closed);
        };
        return new CarrierWatchdog(Thread.ofPlatform().name("carrier-watchdog").daemon().start(() -> {
            try {
                while (true) {
                    try {
                        beat(limit, teller);
                    } catch (Error e) { // no memory for a thread: the next beat may find some
                        uncaught(e);
                        clearFlag(closed);
                    }
                    Thread.sleep(interval);
                }
            } catch (InterruptedException e) {
                // close()
            }
        }), closed);
    }

    private static void beat(Duration limit, Consumer<Report> teller) throws InterruptedException {
        long start = System.nanoTime();
        var ran = new CountDownLatch(1);
        Thread.ofVirtual().name("carrier-watchdog heartbeat").start(ran::countDown);
        if (!ran.await(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS)) {
            teller.accept(new Starved(since(start), scheduler(), holding()));
            ran.await();
            teller.accept(new Recovered(since(start)));
        }
    }
    // @end region="watchdog"

    /** One that the listener has left behind would end the next wait; that of close() it may have swallowed. */
    private static void clearFlag(AtomicBoolean closed) {
        Thread.interrupted();
        if (closed.get()) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    private static void tell(Consumer<? super Report> listener, Report report) {
        try {
            listener.accept(report);
        } catch (Throwable e) {
            uncaught(e);
        }
    }

    private static void uncaught(Throwable failure) {
        Thread self = Thread.currentThread();
        try {
            self.getUncaughtExceptionHandler().uncaughtException(self, failure);
        } catch (Throwable ignored) {
            return; // as the JDK does
        }
    }

    // @start region="scheduler"
    /** By name, to compile on 21, which has no such bean. */
    static String scheduler() {
        var values = new ArrayList<String>();
        for (String name : List.of("Parallelism", "PoolSize", "MountedVirtualThreadCount",
                "QueuedVirtualThreadCount")) {
            try {
                values.add(name + "=" + ManagementFactory.getPlatformMBeanServer()
                        .getAttribute(new ObjectName("jdk.management:type=VirtualThreadScheduler"), name));
            } catch (JMException e) {
                return "";
            }
        }
        return String.join(", ", values);
    }
    // @end region="scheduler"

    /** Virtual threads that run, or wait and keep their carrier. */
    private static List<String> holding() {
        Path folder = null;
        Path file = null;
        try {
            folder = Files.createTempDirectory("carrier-watchdog").toAbsolutePath();
            file = folder.resolve("threads.txt");
            ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                    .dumpThreads(file.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
            var found = new ArrayList<String>();
            var one = new ArrayList<String>();
            try (Stream<String> lines = Files.lines(file)) {
                Stream.concat(lines, Stream.of("")).forEach(line -> {
                    if (!line.isEmpty()) {
                        one.add(line);
                        return;
                    }
                    if (found.size() < SHOWN && holds(one)) {
                        found.add(String.join("\n", one));
                    }
                    one.clear();
                });
            }
            return found;
        } catch (IOException | RuntimeException e) {
            return List.of("no thread dump: " + e);
        } finally {
            for (Path made : file == null ? List.<Path>of() : List.of(file, folder)) {
                made.toFile().delete(); // File.delete heeds no interrupt
            }
        }
    }

    /** The head is {@code #21 "name" virtual}, from 25 on followed by the state. */
    private static boolean holds(List<String> lines) {
        if (lines.size() < 2 || !lines.getFirst().matches("#\\d+ \".*\" virtual.*")) {
            return false;
        }
        boolean waits = lines.getFirst().matches(".*\" virtual (TIMED_)?(WAITING|BLOCKED).*");
        return waits ? lines.stream().anyMatch(line -> line.contains("VirtualThread.parkOnCarrierThread"))
                : !UNMOUNTED.matcher(lines.get(1)).matches();
    }

    /**
     * Interrupts the watchdog, once, and waits for it; an interrupt during the wait is kept in the flag.
     *
     * @throws IllegalStateException if called by the listener
     */
    @Override
    public void close() {
        if (Thread.currentThread() == thread) {
            throw new IllegalStateException("close() in the listener would wait for itself");
        }
        if (closed.compareAndSet(false, true)) {
            thread.interrupt();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    public static void main(String[] args) throws Exception {
        var recovered = new CountDownLatch(1);
        var starved = new CompletableFuture<Starved>();
        var stop = new AtomicBoolean();
        int carriers = Runtime.getRuntime().availableProcessors();
        var taken = new CountDownLatch(carriers);
        for (int i = 0; i < carriers; i++) {
            Thread.ofVirtual().name("report " + i).start(() -> compute(taken, stop));
        }
        taken.await(); // before it watches: a busy machine is late without them, too
        // @start region="use"
        var watchdog = CarrierWatchdog.start(Duration.ofMillis(100), Duration.ofMillis(300), report -> {
            switch (report) {
                case Starved late -> {
                    System.out.println("starved for " + late.waited().toMillis() + " ms. " + late.scheduler());
                    late.holding().forEach(System.out::println);
                    starved.complete(late);
                }
                case Recovered over -> {
                    System.out.println("over after " + over.starved().toMillis() + " ms");
                    recovered.countDown();
                }
            }
        });
        // @end region="use"
        try (watchdog) {
            var found = starved.get();
            stop.set(true);
            recovered.await();
            check(found.holding().toString().contains("CarrierWatchdog.compute"), "names the culprit");
        }
    }

    private static void compute(CountDownLatch taken, AtomicBoolean stop) {
        taken.countDown();
        while (!stop.get()) {
            Thread.onSpinWait(); // never blocks, and virtual threads are not time-sliced
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
