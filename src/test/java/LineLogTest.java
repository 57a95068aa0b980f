import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(600)
class LineLogTest {

    private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);
    private static final LineLog.Problems SILENT = (counts, failure) -> { };

    /** What was written, guarded by itself. */
    private static final class Memory implements LineLog.Target {
        private final StringBuilder text = new StringBuilder();

        @Override
        public synchronized void write(ByteBuffer lines) throws IOException {
            take(lines, lines.remaining());
        }

        final synchronized void take(ByteBuffer lines, int bytes) {
            byte[] taken = new byte[bytes];
            lines.get(taken);
            text.append(new String(taken, StandardCharsets.ISO_8859_1));
        }

        synchronized List<String> lines() {
            assertTrue(text.isEmpty() || text.charAt(text.length() - 1) == '\n', "ends with a line's end");
            return text.isEmpty() ? List.of() : Arrays.asList(text.toString().split("\n"));
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        while (true) {
            try {
                latch.await();
                return;
            } catch (InterruptedException e) {
                continue;
            }
        }
    }

    @Test
    void writesLinesInOrder() {
        var memory = new Memory();
        var log = new LineLog(memory, 100_000, 100, SILENT);
        var expected = new ArrayList<String>();
        for (int i = 0; i < 5_000; i++) {
            expected.add("line " + i);
            assertTrue(log.offer("line " + i));
        }
        assertEquals(0, log.close(FOR_EVER));
        assertEquals(expected, memory.lines());
        assertEquals(new LineLog.Counts(5_000, 5_000, 0), log.counts());
    }

    @Test
    void aLineIsCutBetweenCharactersAndHasNoLineBreaks() {
        var memory = new Memory();
        try (var log = new LineLog(memory, 10_000, 16, SILENT)) {
            for (String line : List.of("123456789012345", "1234567890123456", "12345678901é", "12345678901éé",
                    "1234567890€€€€", "12345678\uD83D\uDE00\uD83D\uDE00\uD83D\uDE00", "a\nb\rc\r\nd", "",
                            "x".repeat(1_000_000))) {
                assertTrue(log.offer(line));
            }
            assertEquals(0, log.close(FOR_EVER));
        }
        var utf8 = memory.lines().stream()
                .map(line -> new String(line.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8));
        assertEquals(List.of("123456789012345", "123456789012...", "12345678901é", "12345678901éé", "1234567890...",
                "12345678\uD83D\uDE00...", "a b c  d", "", "xxxxxxxxxxxx..."), utf8.toList());
    }

    @Test
    void nobodyWaitsForATargetThatHangsAndWhatDoesNotFitIsDroppedCountedAndTold() throws Exception {
        var hanging = new CountDownLatch(1);
        var back = new CountDownLatch(1);
        var memory = new Memory();
        var told = new LinkedBlockingQueue<LineLog.Counts>();
        var log = new LineLog(lines -> {
            hanging.countDown();
            awaitUninterruptibly(back);
            memory.write(lines);
        }, 100, 50, (counts, failure) -> told.add(counts));
        assertTrue(log.offer("x".repeat(49)));
        hanging.await();
        assertTrue(log.offer("y".repeat(39)));
        assertTrue(log.offer("z".repeat(9)));
        assertFalse(log.offer(""), "100 bytes wait, the one that is being written among them");
        assertEquals(new LineLog.Counts(3, 0, 1), log.counts());
        assertEquals(new LineLog.Counts(3, 0, 1), told.take());
        assertEquals(3, log.close(Duration.ofMillis(10)), "not written in time");
        back.countDown();
        while (log.counts().written() == 0) {
            Thread.sleep(1);
        }
        assertEquals(List.of("x".repeat(49)), memory.lines(), "given up: the writer ends after this write");
    }

    @Test
    void survivesWhateverTheTargetThrowsAndWritesNothingTwice() throws Exception {
        var memory = new Memory();
        var calls = new AtomicInteger();
        var told = new AtomicReference<Throwable>();
        var log = new LineLog(lines -> {
            switch (calls.getAndIncrement()) {
                case 0 -> throw new IOException("no space left");
                case 1 -> {
                    while (told.get() == null) { // before there is another failure
                        Thread.yield();
                    }
                    memory.take(lines, 1);
                    throw new StackOverflowError();
                }
                case 2 -> { } // takes nothing
                case 3 -> memory.take(lines, 1); // leaves something over
                case 4 -> {
                    Thread.currentThread().interrupt(); // left behind
                    memory.take(lines, 1);
                    throw new OutOfMemoryError();
                }
                case 5 -> {
                    assertFalse(Thread.currentThread().isInterrupted());
                    throw new AssertionError("of any kind");
                }
                default -> memory.write(lines);
            }
        }, 1_000, 100, (counts, failure) -> told.compareAndSet(null, failure));
        log.offer("one");
        log.offer("two");
        assertEquals(0, log.close(FOR_EVER));
        assertEquals(List.of("one", "two"), memory.lines());
        assertEquals("no space left", told.get().getMessage());
    }

    @Test
    void aHandlerThatThrowsOrBlocksCostsNothing() throws Exception {
        for (boolean blocks : new boolean[] {false, true}) {
            var memory = new Memory();
            var called = new CountDownLatch(1);
            var refused = new CountDownLatch(1);
            var calls = new AtomicInteger();
            var log = new LineLog(lines -> {
                if (calls.getAndIncrement() < 3 || refused.getCount() > 0) { // until there was no room for the second
                    throw new IOException();
                }
                memory.write(lines);
            }, 16, 16, (counts, failure) -> {
                Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> { });
                called.countDown();
                if (blocks) {
                    awaitUninterruptibly(new CountDownLatch(1));
                }
                throw new AssertionError("handler");
            });
            assertTrue(log.offer("123456789012345"));
            called.await();
            assertFalse(log.offer("x"));
            refused.countDown();
            assertEquals(0, log.close(FOR_EVER));
            assertEquals(List.of("123456789012345"), memory.lines());
        }
    }

    @Test
    void tellsAgainWhatIsLostAfterwards() throws Exception {
        var told = new LinkedBlockingQueue<LineLog.Counts>();
        var log = new LineLog(lines -> lines.position(lines.limit()), 1_000, 100,
                (counts, failure) -> told.add(counts));
        log.close();
        assertFalse(log.offer("late"));
        assertEquals(1, told.take().dropped());
        assertFalse(log.offer("later"));
        assertEquals(2, told.take().dropped());
    }

    @Test
    void closeWaitsAlthoughInterruptedAndKeepsTheFlag() throws Exception {
        var hanging = new CountDownLatch(1);
        var back = new CountDownLatch(1);
        var memory = new Memory();
        var log = new LineLog(lines -> {
            hanging.countDown();
            awaitUninterruptibly(back);
            memory.write(lines);
        }, 1_000, 100, SILENT);
        log.offer("last words");
        hanging.await();
        var ended = new CompletableFuture<String>();
        var closer = Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            ended.complete(log.close(FOR_EVER) + " lost, interrupted " + Thread.currentThread().isInterrupted());
        });
        while (log.offer("closed?")) {
            Thread.onSpinWait();
        }
        closer.interrupt();
        assertFalse(ended.isDone());
        back.countDown();
        assertEquals("0 lost, interrupted true", ended.get());
        assertTrue(memory.lines().contains("last words"));
        for (var limit : List.of(Duration.ZERO, Duration.ofSeconds(Long.MIN_VALUE), FOR_EVER)) {
            assertEquals(0, log.close(limit), "all is written: returns at once");
        }
    }

    @Test
    void closeByTheTargetIsRefused() throws Exception {
        var self = new CompletableFuture<LineLog>();
        var refused = new CompletableFuture<Throwable>();
        var log = new LineLog(lines -> {
            if (!refused.isDone()) {
                refused.complete(assertThrows(IllegalStateException.class, () -> self.get().close(FOR_EVER)));
            }
            lines.position(lines.limit());
        }, 1_000, 100, SILENT);
        self.complete(log);
        log.offer("line");
        refused.get();
        assertTrue(log.offer("still open"));
        assertEquals(0, log.close(FOR_EVER));
    }

    @Test
    void aFileMayBeMovedAway(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("audit.log");
        Path moved = folder.resolve("audit.log.1");
        try (var log = new LineLog(LineLog.file(file), 1_000, 100, SILENT)) {
            log.offer("one");
            while (log.counts().written() < 1) {
                Thread.sleep(1);
            }
            Files.move(file, moved);
            log.offer("two");
            assertEquals(0, log.close(FOR_EVER));
        }
        assertEquals(List.of("one"), Files.readAllLines(moved));
        assertEquals(List.of("two"), Files.readAllLines(file));
    }

    @Test
    void aFolderThatIsNotThereYetIsWaitedFor(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("later").resolve("audit.log");
        var told = new LinkedBlockingQueue<Throwable>();
        try (var log = new LineLog(LineLog.file(file), 1_000, 100, (counts, failure) -> told.add(failure))) {
            log.offer("one");
            assertTrue(told.take() instanceof IOException);
            Files.createDirectory(file.getParent());
            assertEquals(0, log.close(FOR_EVER));
        }
        assertEquals(List.of("one"), Files.readAllLines(file));
    }

    @Test
    void refusesWhatCannotWork() {
        LineLog.Target target = lines -> { };
        assertEquals("target",
                assertThrows(NullPointerException.class, () -> new LineLog(null, 100, 100, SILENT)).getMessage());
        assertEquals("problems",
                assertThrows(NullPointerException.class, () -> new LineLog(target, 100, 100, null)).getMessage());
        assertEquals("file", assertThrows(NullPointerException.class, () -> LineLog.file(null)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> new LineLog(target, 100, 15, SILENT));
        assertThrows(IllegalArgumentException.class, () -> new LineLog(target, 99, 100, SILENT));
        try (var log = new LineLog(target, 100, 100, SILENT)) {
            assertEquals("line", assertThrows(NullPointerException.class, () -> log.offer(null)).getMessage());
            assertEquals("limit", assertThrows(NullPointerException.class, () -> log.close(null)).getMessage());
        }
    }

    /** Many threads, a target that takes any number of bytes and throws: each accepted line is there once, whole. */
    @Test
    void stress() throws Exception {
        var random = new Random(1);
        var memory = new Memory();
        var log = new LineLog(lines -> {
            memory.take(lines, 1 + random.nextInt(lines.remaining()));
            switch (random.nextInt(300)) {
                case 0 -> throw new IOException();
                case 1 -> throw new NoClassDefFoundError();
                case 2 -> Thread.currentThread().interrupt();
                default -> { }
            }
        }, 60_000, 20_000, SILENT);
        var accepted = new ConcurrentLinkedQueue<String>();
        var refused = new AtomicInteger();
        var threads = new ArrayList<Thread>();
        for (int t = 0; t < 20; t++) {
            int number = t;
            threads.add(Thread.ofVirtual().start(() -> {
                var own = new Random(number);
                for (int i = 0; i < 1_500; i++) {
                    String line = number + " " + i + " " + "x".repeat(own.nextInt(1 + (i % 100 == 0 ? 19_000 : 300)));
                    while (!log.offer(line)) {
                        refused.incrementAndGet();
                        LineLogTest.pause();
                    }
                    accepted.add(line);
                }
            }));
        }
        for (var thread : threads) {
            thread.join();
        }
        assertEquals(0, log.close(FOR_EVER));
        var lines = memory.lines();
        System.out.println("LineLog: " + log.counts());
        assertEquals(new LineLog.Counts(accepted.size(), accepted.size(), refused.get()), log.counts());
        assertEquals(accepted.stream().sorted().toList(), lines.stream().sorted().toList());
        var latest = new HashMap<String, Integer>();
        for (String line : lines) {
            String[] words = line.split(" ");
            int number = Integer.parseInt(words[1]);
            assertTrue(latest.getOrDefault(words[0], -1) < number, "in the order of each thread");
            latest.put(words[0], number);
        }
    }

    private static void pause() {
        try {
            Thread.sleep(1);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
