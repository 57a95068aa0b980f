import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(600)
class SubprocessTest {
    private static final Duration LONG = Duration.ofDays(1);
    private static final byte[] NOTHING = {};

    @TempDir
    private Path folder;
    private final Set<Long> before = new HashSet<>();
    private long over; // in nanoTime: the limit of the last timeout() had not passed before

    @BeforeEach
    void needsAUnixShell() {
        assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "no /bin/sh: these scripts are not run on this system");
        ProcessHandle.current().descendants().forEach(process -> before.add(process.pid()));
    }

    @AfterEach
    void nothingIsLeftRunning() {
        assertEquals(Set.of(), left());
    }

    private Set<Long> left() {
        return ProcessHandle.current().descendants().map(ProcessHandle::pid).filter(pid -> !before.contains(pid))
                .filter(SubprocessTest::runs).collect(Collectors.toSet()); // it may have ended and not be reaped yet
    }

    private static ProcessBuilder sh(String script) {
        return new ProcessBuilder("/bin/sh", "-c", script);
    }

    private static Subprocess.Result run(String script, Duration timeout) throws Exception {
        return Subprocess.run(sh(script), NOTHING, UTF_8, 10_000_000, timeout);
    }

    /** Runs a script that the timeout ends; again with more time, until it gets as far as to make {@code ready}. */
    private TimeoutException timeout(String script) {
        Path ready = folder.resolve("ready");
        for (int millis = 500; ; millis *= 2) {
            var limit = Duration.ofMillis(millis);
            over = System.nanoTime() + limit.toNanos();
            var e = assertThrows(TimeoutException.class, () -> run(script.replace("READY", "touch " + ready), limit));
            if (Files.exists(ready)) {
                return e;
            }
        }
    }

    private static boolean runs(long pid) {
        return ProcessHandle.of(pid).filter(p -> p.isAlive() && p.info().command().isPresent()).isPresent();
    }

    @Test
    void exitCodeAndBothStreams() throws Exception {
        assertEquals(new Subprocess.Result(3, "out", "err \u00e9", false),
                run("printf out; printf 'err \\303\\251' >&2; exit 3", LONG));
        assertEquals("\u00e9", Subprocess.run(sh("printf '\\351'"), NOTHING, ISO_8859_1, 10, LONG).stdout());
        assertEquals(new Subprocess.Result(0, "", "", false), run("true", Duration.ofSeconds(Long.MAX_VALUE)));
        assertEquals(137, run("kill -9 $$", LONG).exitCode());
    }

    @Test
    void fullPipesDoNotBlockAndTheLimitKeepsTheBeginning() throws Exception {
        String both = "head -c 3000000 /dev/zero >&2; head -c 2000001 /dev/zero; printf end";
        var all = run(both, LONG);
        assertEquals(3_000_000, all.stderr().length());
        assertEquals(2_000_004, all.stdout().length());
        assertTrue(all.stdout().endsWith("end"));
        assertFalse(all.truncated());
        var some = Subprocess.run(sh("printf start;" + both), NOTHING, UTF_8, 1_000, LONG);
        assertEquals(1_000, some.stderr().length());
        assertEquals(1_000, some.stdout().length());
        assertTrue(some.stdout().startsWith("start"));
        assertTrue(some.truncated());
        assertFalse(Subprocess.run(sh("printf 1234"), NOTHING, UTF_8, 4, LONG).truncated());
        assertTrue(Subprocess.run(sh("printf 12345"), NOTHING, UTF_8, 4, LONG).truncated());
    }

    @Test
    void standardInput() throws Exception {
        var builder = sh("cat");
        byte[] input = ("x".repeat(1_000_000) + ProcessHandle.current().pid()).getBytes(UTF_8); // no other JVM's
        assertEquals(input.length, Subprocess.run(builder, input, UTF_8, 2_000_000, LONG).stdout().length());
        assertEquals("", Subprocess.run(builder, NOTHING, UTF_8, 100, LONG).stdout(), "end of file at once");
        assertEquals(0, Subprocess.run(sh("exit 0"), input, UTF_8, 100, LONG).exitCode(), "input nobody reads");
        Path own = Files.writeString(folder.resolve("own"), "mine");
        builder.redirectInput(own.toFile());
        assertEquals("given", Subprocess.run(builder, "given".getBytes(UTF_8), UTF_8, 100, LONG).stdout());
        assertEquals("mine", Subprocess.run(builder, NOTHING, UTF_8, 100, LONG).stdout());
        assertThrows(IOException.class,
                () -> Subprocess.run(new ProcessBuilder("/no/such/command"), input, UTF_8, 100, LONG));
        assertFalse(isInAFile(input), "the input's file is deleted");
    }

    private static boolean isInAFile(byte[] input) throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(file -> file.getFileName().toString().startsWith("stdin")).anyMatch(file -> {
                try {
                    return Arrays.equals(input, Files.readAllBytes(file));
                } catch (IOException e) {
                    return false; // another JVM's, deleted meanwhile
                }
            });
        }
    }

    @Test
    void aTimeoutStopsTheChildrenToo() throws Exception {
        var pids = folder.resolve("pids");
        // were the child stopped first, the shell would go on to "after"
        var e = timeout("echo waiting >&2; sleep 300 & echo $! > " + pids + "; READY; sleep 301; touch "
                + folder.resolve("after"));
        assertTrue(e.getMessage().matches("(?s).* still running after PT[0-9.]+S: waiting.*"), e::getMessage);
        assertFalse(runs(Long.parseLong(Files.readString(pids).strip())));
        assertFalse(Files.exists(folder.resolve("after")));
    }

    @Test
    void whoIgnoresTheRequestIsForced() throws Exception {
        timeout("trap '' TERM; READY; while :; do sleep 0.05; done");
        assertTrue(System.nanoTime() - over >= 2_000_000_000L, "had its grace"); // it may be ready after the limit
    }

    @Test
    void whatItWritesWhileItEndsDoesNotBlockIt() throws Exception {
        var ended = folder.resolve("ended");
        for (int i = 0; i < 10 && !Files.exists(ended); i++) { // held up, anyone may need more than the grace
            Files.deleteIfExists(folder.resolve("ready"));
            timeout("trap 'head -c 100000 /dev/zero; touch " + ended + "; exit' TERM; READY; "
                    + "while :; do sleep 0.05; done");
        }
        assertTrue(Files.exists(ended));
    }

    @Test
    void aSurvivingChildThatKeepsThePipeHoldsNobody() throws Exception {
        var result = run("sleep 300 & echo $!", LONG);
        long pid = Long.parseLong(result.stdout().strip());
        assertTrue(runs(pid), "it survives, and is not waited for");
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }

    @Test
    void endlessOutputIsEndedByTheTimeout() {
        assertThrows(TimeoutException.class, () -> run("exec yes", Duration.ofMillis(300)));
    }

    @Test
    void anInterruptKillsAndAwaits() throws Exception {
        var pids = folder.resolve("pids");
        var interrupted = new AtomicBoolean();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                run("echo $$ > " + pids + "; exec sleep 300", LONG);
            } catch (InterruptedException e) {
                interrupted.set(true);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        while (!Files.exists(pids) || Files.size(pids) == 0) {
            Thread.sleep(5);
        }
        caller.interrupt();
        caller.join();
        assertTrue(interrupted.get());
        assertFalse(runs(Long.parseLong(Files.readString(pids).strip())));

        var out = new AtomicBoolean();
        var talking = Thread.ofVirtual().start(() -> out.set(assertThrows(InterruptedException.class,
                () -> run("exec yes", Duration.ofMinutes(5))) != null));
        while (left().isEmpty()) {
            Thread.sleep(5);
        }
        talking.interrupt();
        talking.join();
        assertTrue(out.get(), "noticed although the output never pauses");

        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> run("touch " + folder.resolve("started"), LONG));
        assertFalse(Files.exists(folder.resolve("started")), "an interrupted caller starts nothing");
    }

    @Test
    void anInterruptDuringTheKillIsKept() throws Exception {
        var ready = folder.resolve("ready");
        var heard = folder.resolve("heard");
        var inTime = folder.resolve("in-time");
        var kept = new AtomicBoolean();
        while (!Files.exists(inTime)) { // else it was forced before the interrupt: this thread was held up
            Files.deleteIfExists(ready);
            Files.deleteIfExists(heard);
            var caller = Thread.ofVirtual().start(() -> {
                timeout("trap 'READY; until [ -e " + heard + " ]; do sleep 0.05; done; touch " + inTime + "; exit' TERM"
                        + "; while :; do sleep 0.05; done");
                kept.set(Thread.interrupted() && left().isEmpty());
            });
            while (!Files.exists(ready)) {
                Thread.sleep(5);
            }
            caller.interrupt();
            Files.createFile(heard);
            caller.join();
        }
        assertTrue(kept.get());
    }

    @Test
    void refusesNonsenseBeforeItStarts() {
        var command = sh("touch " + folder.resolve("started"));
        assertThrows(NullPointerException.class, () -> Subprocess.run(null, NOTHING, UTF_8, 9, LONG));
        assertThrows(NullPointerException.class, () -> Subprocess.run(command, null, UTF_8, 9, LONG));
        assertThrows(NullPointerException.class, () -> Subprocess.run(command, NOTHING, null, 9, LONG));
        assertThrows(IllegalArgumentException.class, () -> Subprocess.run(command, NOTHING, UTF_8, -1, LONG));
        assertThrows(NullPointerException.class, () -> Subprocess.run(command, NOTHING, UTF_8, 9, null));
        assertFalse(Files.exists(folder.resolve("started")));
        assertThrows(TimeoutException.class, () -> run("sleep 50", Duration.ofSeconds(Long.MIN_VALUE)));
    }

    /** The limit is hunted for around the moment of the exit: a result is whole, or marked. */
    @Test
    void noOutputIsLostSilentlyAtTheLimit() throws Exception {
        int size = 65_000;
        long low = 500_000;
        long high = 30_000_000;
        int results = 0;
        long stop = System.nanoTime() + 5_000_000_000L;
        while (System.nanoTime() < stop || results == 0) {
            long nanos = Math.max(1, (low + high) / 2);
            try {
                var result = Subprocess.run(new ProcessBuilder("head", "-c", "" + size, "/dev/zero"), NOTHING, UTF_8,
                        1 << 20, Duration.ofNanos(nanos));
                results++;
                assertTrue(result.truncated() || result.stdout().length() == size, result.stdout().length() + " bytes");
                high = Math.max(low, high - 200_000);
            } catch (TimeoutException e) {
                low += 200_000;
                high = Math.max(low, high);
            }
            if (high - low < 300_000) {
                low -= 300_000;
                high += 300_000;
            }
        }
    }

    @Test
    void aDialogueInLines() throws Exception {
        try (var cat = new Subprocess.Dialogue(sh("while read line; do echo \"<$line>\"; done; printf last"), UTF_8,
                20)) {
            for (int i = 0; i < 20; i++) {
                cat.send("line \u00e9 " + i);
                assertEquals("<line \u00e9 " + i + ">", cat.readLine(LONG));
            }
            assertThrows(TimeoutException.class, () -> cat.readLine(Duration.ofMillis(5)));
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> cat.readLine(LONG));
            cat.send("x".repeat(30));
            assertThrows(IOException.class, () -> cat.readLine(LONG));
        }
        try (var cat = new Subprocess.Dialogue(sh("cat; printf last"), UTF_8, 20)) {
            cat.process().getOutputStream().close();
            assertEquals("last", cat.readLine(LONG), "without an end of line");
            assertNull(cat.readLine(LONG));
        }
    }

    @Test
    void closeEndsADialogueWhoseOtherSideDoesNotListen() throws Exception {
        var deaf = new Subprocess.Dialogue(sh("trap '' TERM; sleep 50"), UTF_8, 20);
        var failed = new CountDownLatch(1);
        Thread.ofPlatform().daemon().start(() -> {
            assertThrows(IOException.class, () -> {
                while (true) {
                    deaf.send("x".repeat(1_000));
                }
            });
            failed.countDown();
        });
        Thread.sleep(50); // it is, or will be, in a full pipe
        deaf.close();
        failed.await();
        assertFalse(runs(deaf.process().pid()));
    }

    @Test
    void signals() throws Exception {
        var command = sh("trap 'echo told' USR1; echo ready; while true; do sleep 0.01; done");
        try (var process = new Subprocess.Dialogue(command, UTF_8, 20)) {
            assertEquals("ready", process.readLine(LONG));
            // not HUP: below nohup it is ignored, and stays so
            Subprocess.signal("USR1", process.process().pid());
            assertEquals("told", process.readLine(LONG));
            assertThrows(IOException.class, () -> Subprocess.signal("NONSENSE", process.process().pid()));
            assertThrows(NullPointerException.class, () -> Subprocess.signal(null, 1));
        }
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/setsid")), "no setsid here");
        try (var leader = new Subprocess.Dialogue(new ProcessBuilder("setsid", "/bin/sh", "-c",
                "sleep 300 & sleep 300 & echo ready; wait"), UTF_8, 20)) {
            assertEquals("ready", leader.readLine(LONG));
            var children = leader.process().descendants().toList();
            assertEquals(2, children.size());
            Subprocess.signal("TERM", -leader.process().pid());
            leader.process().waitFor();
            for (var child : children) {
                while (runs(child.pid())) {
                    Thread.sleep(1);
                }
            }
        }
    }

    @Test
    void stress() throws Exception {
        int rounds = 240;
        int callers = 8;
        var results = new AtomicInteger();
        var timeouts = new AtomicInteger();
        var interrupts = new AtomicInteger();
        var wrong = new AtomicInteger();
        int descriptors = descriptors();
        var threads = new ArrayList<Thread>();
        for (int c = 0; c < callers; c++) {
            threads.add(Thread.ofVirtual().start(() -> {
                var random = ThreadLocalRandom.current();
                for (int i = 0; i < rounds / callers; i++) {
                    int number = random.nextInt(100_000);
                    String script = switch (random.nextInt(5)) {
                        case 0 -> "sleep 20 & sleep 20";
                        case 1 -> "head -c " + number + " /dev/zero; exit 1";
                        case 2 -> "exec sleep 0.0" + random.nextInt(10);
                        default -> "head -c " + number + " /dev/zero >&2; exit 1";
                    };
                    try {
                        int patience = script.startsWith("sleep") ? random.nextInt(100) : 40_000;
                        var result = run(script, Duration.ofMillis(patience));
                        results.incrementAndGet();
                        int length = result.stdout().length() + result.stderr().length();
                        if (result.truncated() || length != (result.exitCode() == 1 ? number : 0)) {
                            wrong.incrementAndGet();
                        }
                    } catch (TimeoutException e) {
                        timeouts.incrementAndGet();
                    } catch (InterruptedException e) {
                        interrupts.incrementAndGet();
                    } catch (Exception e) {
                        wrong.incrementAndGet();
                    }
                }
            }));
        }
        var random = ThreadLocalRandom.current();
        for (var thread : threads) {
            while (!thread.join(Duration.ofMillis(20))) {
                threads.get(random.nextInt(callers)).interrupt();
            }
        }
        System.out.printf("Subprocess: %,d processes: %,d results, %,d timeouts, %,d interrupts%n",
                rounds, results.get(), timeouts.get(), interrupts.get());
        assertEquals(0, wrong.get());
        assertEquals(rounds, results.get() + timeouts.get() + interrupts.get());
        assertEquals(Set.of(), left());
        assertTrue(descriptors() <= descriptors + 10, "no pipe left open");
    }

    private static int descriptors() throws IOException {
        Path open = Path.of("/proc/self/fd");
        if (!Files.isDirectory(open)) {
            return 0;
        }
        try (Stream<Path> files = Files.list(open)) {
            return (int) files.count();
        }
    }

    @Test
    void aLineThatIsTooLongStaysSo() throws Exception {
        try (var process = new Subprocess.Dialogue(sh("echo 123; echo 123456; echo 7"), UTF_8, 3)) {
            assertEquals("123", process.readLine(LONG));
            for (int i = 0; i < 10; i++) {
                assertThrows(IOException.class, () -> process.readLine(LONG), "no beginning that looks like a line");
            }
        }
        assertThrows(IllegalArgumentException.class, () -> new Subprocess.Dialogue(sh("exit 0"), UTF_8, -1));
    }

    @Test
    void aFloodWithoutALineEndEndsNeitherLimitNorInterrupt() throws Exception {
        try (var process = new Subprocess.Dialogue(sh("exec cat /dev/zero"), UTF_8, Integer.MAX_VALUE)) {
            assertThrows(TimeoutException.class, () -> process.readLine(Duration.ofMillis(50)));
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> process.readLine(LONG));
        }
    }
}
