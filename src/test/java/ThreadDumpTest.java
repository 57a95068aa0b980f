import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(600)
class ThreadDumpTest {

    private static final int JDK = Runtime.version().feature();
    @TempDir
    private Path folder;

    private ThreadDump read(String json) throws IOException {
        return ThreadDump.read(Files.writeString(folder.resolve("dump.json"), json));
    }

    /** In the format of JDK 25: numbers as strings. */
    private static String dump(String... threads) {
        return """
                {"threadDump": {"processId": "7", "time": "t", "runtimeVersion": "25.0.3", "threadContainers": [
                {"container": "<root>", "parent": null, "owner": null, "threads": [%s], "threadCount": "%d"}]}}
                """.formatted(String.join(",\n", threads), threads.length);
    }

    private static String thread(int tid, String fields) {
        return "{\"tid\": \"" + tid + "\", \"name\": \"t" + tid + "\", " + fields
                + ", \"stack\": [\"shop.Till.pay(Till.java:1)\"]}";
    }

    /** Blocked on one monitor, holding another. */
    private static String blocked(int tid, String on, String owned) {
        return thread(tid, """
                "virtual": true, "state": "BLOCKED", "blockedOn": "%s", "monitorsOwned": [{"depth": 0, "locks": [null, "%s"]}]"""
                .formatted(on, owned));
    }

    private static List<Long> numbers(List<ThreadDump.Task> tasks) {
        return tasks.stream().map(ThreadDump.Task::tid).sorted().toList();
    }

    @Test
    void findsACycleOfMonitors() throws IOException {
        var dump = read(dump(blocked(4, "A@1", "D@1"), blocked(1, "A@1", "C@1"), blocked(2, "B@1", "A@1"),
                blocked(3, "C@1", "B@1"),
                thread(5, "\"state\": \"RUNNABLE\"")));
        assertEquals(1, dump.deadlocks().size(), dump::report);
        assertEquals(List.of(1L, 2L, 3L), numbers(dump.deadlocks().getFirst()),
                "4 waits for the cycle, but is not in it");
        assertEquals(List.of(), dump.possibleDeadlock());
        assertTrue(dump.report().contains("DEADLOCK: each waits"), dump::report);
        assertTrue(dump.report().contains("      2  A@1, held by #2 \"t2\" in shop.Till.pay(Till.java:1)"),
                dump::report);
    }

    @Test
    void twoCyclesAreTwo() throws IOException {
        var dump = read(dump(blocked(1, "A@1", "B@1"), blocked(2, "B@1", "A@1"), blocked(3, "C@1", "D@1"),
                blocked(4, "D@1", "C@1")));
        assertEquals(List.of(List.of(1L, 2L), List.of(3L, 4L)), dump.deadlocks().stream().map(ThreadDumpTest::numbers)
                .toList());
    }

    @Test
    void aMonitorGivenBackByWaitIsNotHeld() throws IOException {
        String waits = """
                "virtual": true, "state": "WAITING", "waitingOn": "A@1", "monitorsOwned": [{"depth": 1, "locks": ["A@1"]}]""";
        var dump = read(dump(thread(1, waits), blocked(2, "A@1", "A@1")));
        assertEquals(List.of(), dump.deadlocks(), dump::report);
        assertTrue(dump.report().contains("A@1, held by ?"), dump::report);
    }

    @Test
    void aThreadThatWaitsAndHasACarrierIsPinned() throws IOException {
        var dump = read(dump(thread(1, "\"virtual\": true, \"state\": \"WAITING\", \"carrier\": \"9\""),
                thread(2, "\"virtual\": true, \"state\": \"RUNNABLE\", \"carrier\": \"8\""),
                thread(3, "\"virtual\": true, \"state\": \"RUNNABLE\""),
                        thread(4, "\"virtual\": true, \"state\": \"WAITING\"")));
        assertEquals(List.of(true, false, false, false), dump.tasks().stream().map(task -> task.stack().pinned())
                .toList());
        assertTrue(dump.report().contains("wait for a carrier: 1\n"), dump::report);
    }

    @Test
    void theOwnerOfALockComesFromTheParkBlocker() throws IOException {
        String form = "\"state\": \"WAITING\", \"parkBlocker\": {\"object\": \"java.util.concurrent.locks.ReentrantLock$NonfairSync@%d\"%s}";
        var known = read(dump(thread(1, form.formatted(1, ", \"owner\": \"2\"")),
                thread(2, form.formatted(2, ", \"owner\": \"1\""))));
        assertEquals(List.of(1L, 2L), numbers(known.deadlocks().getFirst()));
        var unknown = read(dump(thread(1, form.formatted(1, "")), thread(2, form.formatted(2, ""))));
        assertEquals(List.of(), unknown.deadlocks());
        assertEquals(List.of(1L, 2L), numbers(unknown.possibleDeadlock()));
        var oneLock = read(dump(thread(1, form.formatted(1, "")), thread(2, form.formatted(1, ""))));
        assertEquals(List.of(), oneLock.possibleDeadlock(), "two wait for the same lock: its holder waits for none");
        var semaphore = read(dump(thread(1, form.formatted(1, "").replace("locks.ReentrantLock", "Semaphore")),
                thread(2, form.formatted(2, "").replace("locks.ReentrantLock", "Semaphore"))));
        assertEquals(List.of(), semaphore.possibleDeadlock(), "a semaphore has no owner");
    }

    @Test
    void readsTheFormatOf27() throws IOException {
        var dump = read("""
                {"threadDump": {"formatVersion": 2, "processId": 7, "time": "t", "runtimeVersion": "27", "later": [{"a": [1.5e3, true]}],
                "threadContainers": [{"container": "<root>", "parent": null, "owner": null, "threads": [
                  {"tid": 3, "name": "a \\"b\\" \\u00e9\\n", "virtual": true, "state": "WAITING", "carrier": 9, "stack": [
                     "java.base\\/java.lang.VirtualThread.parkOnCarrierThread(VirtualThread.java:1)",
                     "java.base\\/java.lang.Thread.sleep(Thread.java:1)", "shop.Till.<clinit>(Till.java:3)"]}], "threadCount": 1}]}}""");
        var task = dump.tasks().getFirst();
        assertEquals("a \"b\" é\n", task.name());
        assertEquals(new ThreadDump.Stack(true, "WAITING", true, "Thread.sleep",
                List.of("shop.Till.<clinit>(Till.java:3)")), task.stack());
        assertTrue(dump.report().contains("virtual WAITING, PINNED in Thread.sleep: #3 \"a \"b\" é?\""), dump::report);
    }

    @Test
    void badInputIsOneLineThatSaysWhere() throws IOException {
        String good = dump(thread(1, "\"state\": \"RUNNABLE\""));
        for (String[] bad : new String[][] {
                {"", ":1: it ends too early"},
                {"1: main", ":1: no JSON object; was the dump made with -format=json?"},
                {"{}", ": JSON, but no thread dump"},
                {"{\"threadDump\": {}}", ": JSON, but no thread dump"},
                {"{\"threadDump\": {\"threadContainers\": [1]}}", ": JSON, but no thread dump of JDK 21 to 27"},
                {good.replace("\"1\"", "\"one\""), ": JSON, but no thread dump of JDK 21 to 27"},
                {good.substring(0, good.length() / 2), ": it ends too early"},
                {good + "x", ":3: text after the end of the JSON"},
                {good.replace("\"state\"", "state"), ":2: '\"' is expected at 's'"},
                {good.replace("RUNNABLE", "\\q"), ":2: a wrong escape in a string"},
                {good.replace("RUNNABLE", "\u0001"), ":2: a control character in a string"},
                {good.replace("\"RUNNABLE\"", "RUNNABLE"), ":2: a value is expected at 'RUNNABLE'"},
                {good.replace("\"RUNNABLE\"", "01"), ":2: a value is expected at '01'"},
                {good.replace("\"RUNNABLE\"", "[".repeat(200)), ":2: nested too deeply"},
        }) {
            var e = assertThrows(IOException.class, () -> read(bad[0]), bad[0]);
            assertTrue(e.getMessage().startsWith(folder.resolve("dump.json").toString()) && e.getMessage()
                    .contains(bad[1])
                    && e.getMessage().lines().count() == 1, () -> e.getMessage() + ", not " + bad[1]);
        }
        Path latin = Files.write(folder.resolve("latin.json"), good.replace("t1", "é")
                .getBytes(StandardCharsets.ISO_8859_1));
        assertTrue(assertThrows(IOException.class, () -> ThreadDump.read(latin)).getMessage().contains("not UTF-8"));
        assertTrue(assertThrows(IOException.class, () -> ThreadDump.read(folder)).getMessage()
                .endsWith("no such file"));
    }

    @Test
    void everyPrefixOfADumpIsRefused() throws IOException {
        String good = dump(blocked(1, "A@1", "B@1")).strip();
        for (int length = 0; length < good.length(); length++) {
            String prefix = good.substring(0, length);
            assertThrows(IOException.class, () -> read(prefix), prefix);
        }
        assertEquals(1, read(good).tasks().size());
    }

    @Test
    void manyThreads() throws IOException {
        int many = 50_000;
        String waits = "\"virtual\": true, \"state\": \"WAITING\"";
        String[] threads = IntStream.range(0, many).mapToObj(i -> thread(i, waits)).toArray(String[]::new);
        var dump = read(dump(threads));
        assertEquals(many, dump.tasks().size());
        var first = dump.tasks().getFirst().stack();
        assertTrue(dump.tasks().stream().allMatch(task -> task.stack() == first), "equal stacks are one object");
        assertTrue(dump.report().contains("  50000  virtual WAITING"), dump::report);
        assertTrue(dump.report().lines().count() < 20, dump::report);
    }

    @Test
    void aLiveDumpOfThisJdk() throws Exception {
        var a = new ReentrantLock();
        var b = new ReentrantLock();
        var c = new Object();
        var d = new Object();
        var holding = new CyclicBarrier(2);
        var holdingMonitors = new CyclicBarrier(2); // its own, or one of each pair could pass together
        var latch = new CountDownLatch(1);
        var threads = new ArrayList<Thread>();
        var waiters = ConcurrentHashMap.<Thread>newKeySet();
        threads.add(Thread.ofVirtual().name("ab").start(() -> lock(a, b, holding)));
        threads.add(Thread.ofVirtual().name("ba").start(() -> lock(b, a, holding)));
        try (var executor = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("w", 0).factory())) {
            for (int i = 0; i < 500; i++) {
                executor.execute(() -> {
                    waiters.add(Thread.currentThread());
                    waitFor(latch);
                });
            }
            if (JDK >= 25) { // on 21 virtual threads that wait for a monitor keep the carriers of all others
                threads.add(Thread.ofVirtual().name("cd").start(() -> enter(c, d, holdingMonitors)));
                threads.add(Thread.ofVirtual().name("dc").start(() -> enter(d, c, holdingMonitors)));
            }
            while (waiters.size() < 500 || !a.hasQueuedThreads() || !b.hasQueuedThreads()) {
                Thread.sleep(1);
            }
            // who is queued waits for the lock, and no more for the barrier
            waiters.addAll(threads);
            while (waiters.stream().anyMatch(thread -> thread.getState()
                    != (thread.getName().matches("cd|dc") ? Thread.State.BLOCKED : Thread.State.WAITING))) {
                Thread.sleep(1);
            }
            var dump = ThreadDump.ofProcess(ProcessHandle.current().pid());
            latch.countDown();
            threads.forEach(Thread::interrupt); // ends those of the locks
            var names = dump.deadlocks().stream().map(cycle -> cycle.stream().map(ThreadDump.Task::name).sorted()
                    .toList()).toList();
            assertEquals(JDK >= 25, names.contains(List.of("cd", "dc")), dump::report);
            boolean owners = names.contains(List.of("ab", "ba")); // update releases of 25 differ
            assertTrue(owners ? JDK >= 25 : JDK < 26, dump::report);
            var possible = dump.possibleDeadlock().stream().map(ThreadDump.Task::name)
                    .filter(List.of("ab", "ba")::contains).sorted().toList();
            assertEquals(owners ? List.of() : List.of("ab", "ba"), possible, dump::report);
            var waiting = dump.tasks().stream().filter(task -> task.name().matches("w\\d+")).toList();
            assertEquals(500, waiting.size());
            assertTrue(waiting.stream().map(ThreadDump.Task::stack)
                    .allMatch(stack -> stack.virtual() && stack.call().equals("CountDownLatch.await")), dump::report);
        }
    }

    @Test
    void noSuchProcess() {
        var e = assertThrows(IOException.class, () -> ThreadDump.ofProcess(999_999_999));
        assertTrue(e.getMessage().startsWith("process 999999999: no dump by jcmd"), e::getMessage);
    }

    private static void waitFor(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void lock(ReentrantLock first, ReentrantLock second, CyclicBarrier holding) {
        first.lock();
        try {
            holding.await();
            second.lockInterruptibly();
            second.unlock();
        } catch (Exception e) {
            Thread.currentThread().interrupt();
        } finally {
            first.unlock();
        }
    }

    private static void enter(Object first, Object second, CyclicBarrier holding) {
        synchronized (first) {
            try {
                holding.await();
            } catch (Exception e) {
                Thread.currentThread().interrupt();
            }
            synchronized (second) {
                Thread.onSpinWait();
            }
        }
    }
}
