import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Trap: "forever" written as {@code Long.MAX_VALUE}: a virtual thread that sleeps or waits that long and is woken can
 * leave every other virtual thread of the JVM that sleeps, or waits with a time limit, asleep forever.
 *
 * <p>Holds for: JDK 21 (measured on two processors: seen within three seconds, up to 59 of 60 sleeps never end). Not
 * seen on 25, 26, 27. On 21 one timer queue wakes all virtual threads, and its order overflows beside a time so far
 * away. Cure: a wait without a time limit, or one of at most {@code Long.MAX_VALUE / 2} nanoseconds, below.
 *
 * <p>Run: {@code java examples/traps/EndlessWaitStopsTimers.java 3000} (looks that many milliseconds in a JVM of its
 * own, 500 by default)
 */
public final class EndlessWaitStopsTimers {

    private EndlessWaitStopsTimers() {
    }

    // @start region="wrong"
    static void untilInterrupted() throws InterruptedException {
        Thread.sleep(Duration.ofSeconds(Long.MAX_VALUE)); // so does tryAcquire(Long.MAX_VALUE, NANOSECONDS)
    }
    // @end region="wrong"

    // @start region="right"
    static void untilInterruptedOrAYear() throws InterruptedException {
        Thread.sleep(Duration.ofDays(365)); // or a wait that has no time limit: new CountDownLatch(1).await()
    }
    // @end region="right"

    private interface Wait {
        void run() throws InterruptedException;
    }

    /**
     * How many of 60 sleeps of some microseconds have not ended after {@code patience}, in the first round where there
     * is one.
     */
    private static long asleep(Wait wait, Duration howLong, Duration patience) throws InterruptedException {
        var random = new Random();
        long end = System.nanoTime() + howLong.toNanos();
        while (System.nanoTime() < end) {
            var awake = new CountDownLatch(60);
            for (int i = 0; i < 60; i++) {
                Thread waiting = Thread.startVirtualThread(() -> interruptibly(wait));
                if (random.nextBoolean()) {
                    Thread.yield();
                }
                waiting.interrupt();
                int nanos = 1_000 + random.nextInt(10_000);
                Thread.startVirtualThread(() -> {
                    interruptibly(() -> Thread.sleep(0, nanos));
                    awake.countDown();
                });
            }
            if (!awake.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                return awake.getCount();
            }
        }
        return 0;
    }

    private static void interruptibly(Wait wait) {
        try {
            wait.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public static void main(String[] args) throws Exception {
        if (args.length < 2) { // how long to look, in milliseconds
            measure("wrong", args);
            measure("right", args);
            return;
        }
        boolean wrong = args[0].equals("wrong");
        long asleep = asleep(wrong ? EndlessWaitStopsTimers::untilInterrupted
                : EndlessWaitStopsTimers::untilInterruptedOrAYear,
                // a busy machine may need longer
                Duration.ofMillis(Long.parseLong(args[1])), Duration.ofMillis(wrong ? 1_400 : 60_000));
        System.out.printf("%s: JDK %d, %s interrupted beside 60 short sleeps; sleeping for ever: %d%n", args[0],
                Runtime.version().feature(), wrong ? "waits of Long.MAX_VALUE" : "waits of a year", asleep);
        if (wrong && asleep == 0) {
            System.out.println("       (JDK 25 and later: the trap is gone; on 21: luck, not seen this time)");
        }
        System.exit(wrong || asleep == 0 ? 0 : 1);
    }

    private static void measure(String which, String... args) throws Exception {
        Path here = Path.of(EndlessWaitStopsTimers.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(here.toString().endsWith(".java") ? List.of(here.toString())
                : List.of("-cp", here.toString(), EndlessWaitStopsTimers.class.getName()));
        command.addAll(List.of(which, args.length == 0 ? "500" : args[0]));
        if (new ProcessBuilder(command).inheritIO().start().waitFor() != 0) {
            throw new AssertionError("expected: all awake where nobody waits for Long.MAX_VALUE");
        }
    }
}
