import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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

@Timeout(60)
class SubprocessTest {
    private static final Duration LONG = Duration.ofSeconds(50);
    private static final byte[] NOTHING = {};

    @TempDir
    private Path folder;
    private final Set<Long> before = new HashSet<>();

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
                .collect(Collectors.toSet());
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
        long ready = Files.getLastModifiedTime(folder.resolve("ready")).toMillis();
        assertTrue(System.currentTimeMillis() - ready >= 2_000, "had its grace");
    }

    @Test
    void whatItWritesWhileItEndsDoesNotBlockIt() {
        var ended = folder.resolve("ended");
        timeout("trap 'head -c 100000 /dev/zero; touch " + ended + "; exit' TERM; READY; while :; do sleep 0.05; done");
        assertTrue(Files.exists(ended));
    }

    @Test
    void aSurvivingChildThatKeepsThePipeHoldsNobody() throws Exception {
        var result = run("sleep 40 & echo $!", LONG);
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
                () -> run("exec yes", Duration.ofSeconds(20))) != null));
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
        var kept = new AtomicBoolean();
        var caller = Thread.ofVirtual().start(() -> {
            timeout("trap 'READY; until [ -e " + heard + " ]; do sleep 0.05; done; exit' TERM; "
                    + "while :; do sleep 0.05; done");
            kept.set(Thread.interrupted() && left().isEmpty());
        });
        while (!Files.exists(ready)) {
            Thread.sleep(5);
        }
        caller.interrupt();
        Files.createFile(heard);
        caller.join();
        assertTrue(kept.get());
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
}
