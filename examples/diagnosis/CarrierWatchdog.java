import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
 * of the virtual threads that have them. Use in every service on virtual threads. Do not use for a single task that
 * hangs: {@code TaskIntrospection}.
 *
 * <p>One starvation is one {@link Starved} and, once the virtual thread has run, one {@link Recovered}; heartbeats do
 * not pile up. The listener runs on the watchdog's own platform thread; what it throws goes to that thread's
 * uncaught-exception handler and ends nothing. Writes a thread dump to a temporary file for each starvation. {@link
 * #close} interrupts the watchdog and waits for it.
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

    /** @param starved how long the heartbeat took to run, of a starvation that was reported */
    public record Recovered(Duration starved) implements Report {
    }

    private static final int SHOWN = 20;
    private static final Pattern UNMOUNTED =
            Pattern.compile("\\s*(at )?java.base/java.lang.VirtualThread.(park|parkNanos|tryYield|yieldContinuation)\\(.*");
    private final Thread thread;

    private CarrierWatchdog(Thread thread) {
        this.thread = thread;
    }

    // @start region="watchdog"
    /** @param limit how late a virtual thread may run; under load tens of milliseconds are normal, a second is not */
    public static CarrierWatchdog start(Duration interval, Duration limit, Consumer<? super Report> listener) {
        return new CarrierWatchdog(Thread.ofPlatform().name("carrier-watchdog").daemon().start(() -> {
            try {
                while (true) {
                    long start = System.nanoTime();
                    var ran = new CountDownLatch(1);
                    Thread.ofVirtual().name("carrier-watchdog heartbeat").start(ran::countDown);
                    if (!ran.await(Math.min(TimeUnit.NANOSECONDS.convert(limit), Long.MAX_VALUE / 2), TimeUnit.NANOSECONDS)) {
                        tell(listener, new Starved(since(start), scheduler(), holding()));
                        ran.await();
                        tell(listener, new Recovered(since(start)));
                    }
                    Thread.sleep(interval);
                }
            } catch (InterruptedException e) {
                // close()
            }
        }));
    }
    // @end region="watchdog"

    private static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    private static void tell(Consumer<? super Report> listener, Report report) {
        try {
            listener.accept(report);
        } catch (RuntimeException | Error e) {
            Thread self = Thread.currentThread();
            self.getUncaughtExceptionHandler().uncaughtException(self, e);
        }
    }

    // @start region="scheduler"
    /** By name, so that it compiles on 21, which has no such bean. */
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
        try {
            folder = Files.createTempDirectory("carrier-watchdog").toAbsolutePath();
            Path file = folder.resolve("threads.txt");
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
            Files.delete(file);
            return found;
        } catch (IOException | RuntimeException e) {
            return List.of("no thread dump: " + e);
        } finally {
            if (folder != null && !folder.toFile().delete()) {
                folder.toFile().deleteOnExit(); // the dump has failed and left its file
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

    @Override
    public void close() {
        thread.interrupt();
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
