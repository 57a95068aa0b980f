import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(600)
class LockOwnersTest {

    @TempDir
    private Path folder;

    private Path heap() throws IOException {
        Path file = folder.resolve("heap.hprof").toAbsolutePath();
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).dumpHeap(file.toString(), true);
        return file;
    }

    @Test
    void namesTheOwnerOfEachLock() throws Exception {
        var a = new ReentrantLock();
        var b = new ReentrantReadWriteLock(true);
        var holding = new CyclicBarrier(2);
        Thread ab = Thread.ofVirtual().start(() -> lock(a, b.writeLock(), holding));
        // a deadlock of both kinds
        Thread ba = Thread.ofPlatform().daemon().start(() -> lock(b.writeLock(), a, holding));
        while (!(a.hasQueuedThread(ba) && parked(ba) && b.hasQueuedThread(ab) && parked(ab))) {
            Thread.sleep(1);
        }
        var latch = new CountDownLatch(1);
        Thread third = Thread.ofVirtual().start(() -> {
            try {
                a.lockInterruptibly();
                a.unlock();
                latch.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        while (!(a.hasQueuedThread(third) && parked(third))) {
            Thread.sleep(1);
        }
        var waits = LockOwners.read(heap());
        assertEquals(wait(waits, ab).owner(), ba.threadId());
        assertEquals(wait(waits, ba).owner(), ab.threadId());
        assertEquals(wait(waits, third).owner(), ab.threadId());
        var cycle = LockOwners.deadlocks(waits).stream().filter(one -> one.contains(wait(waits, ab))).findFirst();
        assertEquals(2, cycle.orElseThrow().size(), "the third one waits for the cycle, but is not in it");
        assertTrue(wait(waits, ab).lock().startsWith("ReentrantReadWriteLock$FairSync@"), waits::toString);
        ab.interrupt();
        ba.interrupt();
        third.interrupt();
        ab.join();
        ba.join();
        third.join();
        var after = LockOwners.read(heap2()).stream().map(LockOwners.Wait::thread).toList();
        assertTrue(!after.contains(ab.threadId()) && !after.contains(third.threadId()), after::toString);
    }

    @Test
    void whoWaitsForACycleIsNotInIt() {
        var first = new LockOwners.Wait(1, "a", 2);
        var second = new LockOwners.Wait(2, "b", 1);
        var late = new LockOwners.Wait(3, "a", 2);
        assertEquals(List.of(List.of(second, first)), LockOwners.deadlocks(List.of(late, first, second)));
        assertEquals(List.of(), LockOwners.deadlocks(List.of(late, new LockOwners.Wait(2, "c", 4))));
    }

    /** A thread is in the queue of a lock a moment before it says so in the field that the dump shows. */
    private static boolean parked(Thread thread) {
        return LockSupport.getBlocker(thread) != null;
    }

    private Path heap2() throws IOException {
        Files.delete(folder.resolve("heap.hprof"));
        return heap();
    }

    private static LockOwners.Wait wait(List<LockOwners.Wait> waits, Thread thread) {
        return waits.stream().filter(wait -> wait.thread() == thread.threadId()).findFirst().orElseThrow();
    }

    @Test
    void badInputIsOneLine() throws IOException {
        Path text = Files.writeString(folder.resolve("a.hprof"), "{ this is no heap dump, but long enough to be one }");
        assertTrue(assertThrows(IOException.class, () -> LockOwners.read(text)).getMessage()
                .endsWith("no heap dump of a 64-bit JVM"));
        byte[] all = Files.readAllBytes(heap());
        Path cut = Files.write(folder.resolve("cut.hprof"), Arrays.copyOf(all, all.length - 1_000));
        assertTrue(assertThrows(IOException.class, () -> LockOwners.read(cut)).getMessage().contains("ends too early"));
        var damaged = new ByteArrayOutputStream();
        damaged.writeBytes("JAVA PROFILE 1.0.2\0".getBytes(StandardCharsets.US_ASCII));
        damaged.writeBytes(new byte[] {0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0});
        damaged.writeBytes(new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0}); // shorter than its head
        Path short4 = Files.write(folder.resolve("short.hprof"), damaged.toByteArray());
        assertTrue(assertThrows(IOException.class, () -> LockOwners.read(short4)).getMessage().endsWith("is damaged"));
        assertTrue(assertThrows(IOException.class, () -> LockOwners.read(folder.resolve("none"))).getMessage()
                .endsWith("no such file"));
    }

    private static void lock(Lock first, Lock second, CyclicBarrier holding) {
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
}
