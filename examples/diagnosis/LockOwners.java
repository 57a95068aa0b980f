import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Finds in a heap dump who holds the lock that a virtual thread waits for: no thread dump says this before JDK 26.
 * asyncio has no such tool. Final API, JDK 21 and later.
 *
 * <p>Use when {@code ThreadDump} reports a possible deadlock: {@code jcmd PID GC.heap_dump FILE.hprof}, which stops the
 * JVM while it is written. Knows {@code ReentrantLock}, {@code ReentrantReadWriteLock} held for writing and other
 * {@code AbstractOwnableSynchronizer}s; not {@code synchronized} (from 25 on {@code ThreadDump} knows it). Threads have
 * the numbers of the thread dump. Reads the file twice as a stream; memory grows with threads and locks only.
 *
 * <p>Exit code: 0 no deadlock found, 1 deadlock, 2 not readable (one line on standard error).
 *
 * <p>Run: {@code java examples/diagnosis/LockOwners.java FILE.hprof}, or without a file to see it find a planted
 * deadlock.
 */
public final class LockOwners {

    /** A thread that waits. @param lock its class and address. @param owner number of the thread that holds it */
    public record Wait(long thread, String lock, long owner) {
        @Override
        public String toString() {
            return "#" + thread + " waits for " + lock + ", held by #" + owner;
        }
    }

    private record Field(String name, int type) {
    }

    private record Type(long parent, List<Field> fields) {
    }

    private record Parked(long thread, long blocker) {
    }

    /** Bytes of a value by its type in the file; 2 is a reference. */
    private static final int[] SIZES = {0, 0, 8, 0, 1, 2, 4, 8, 1, 2, 4, 8};

    private final Map<Long, String> strings = new HashMap<>();
    private final Map<Long, Long> classNames = new HashMap<>();
    private final Map<Long, Type> types = new HashMap<>();
    private final Map<Long, Long> numbers = new HashMap<>(); // of threads, by address
    private final Map<Long, Long> holders = new HashMap<>(); // address of a lock to that of a thread
    private final Map<Long, Long> lockTypes = new HashMap<>();
    private final List<Parked> parked = new ArrayList<>();
    private final Map<Long, Boolean> wanted = new HashMap<>();

    private LockOwners() {
    }

    /** @throws IOException if it is no heap dump, or not complete; the message says so */
    public static List<Wait> read(Path heapDump) throws IOException {
        Objects.requireNonNull(heapDump, "heapDump");
        var dump = new LockOwners();
        try {
            dump.pass(heapDump, false); // classes
            dump.pass(heapDump, true);
        } catch (EOFException e) {
            throw new IOException(heapDump + ": it ends too early; is the heap dump complete?", e);
        } catch (RuntimeException | StackOverflowError e) {
            throw new IOException(heapDump + ": the heap dump is damaged", e);
        }
        var waits = new ArrayList<Wait>();
        for (Parked one : dump.parked) {
            Long owner = dump.numbers.get(dump.holders.get(one.blocker));
            if (owner != null) {
                String type = String.valueOf(dump.strings.get(dump.classNames.get(dump.lockTypes.get(one.blocker))));
                String lock = type.replaceFirst(".*/", "") + "@" + Long.toHexString(one.blocker);
                waits.add(new Wait(one.thread, lock, owner));
            }
        }
        return waits;
    }

    /** Cycles: each waits for a lock that the next one holds, the last one for a lock of the first. */
    public static List<List<Wait>> deadlocks(List<Wait> waits) {
        var byThread = new LinkedHashMap<Long, Wait>();
        waits.forEach(wait -> byThread.put(wait.thread, wait));
        var seen = new HashSet<Wait>();
        var cycles = new ArrayList<List<Wait>>();
        for (Wait start : waits) {
            var path = new ArrayList<Wait>();
            Wait wait = start;
            while (wait != null && seen.add(wait)) {
                path.add(wait);
                wait = byThread.get(wait.owner);
            }
            if (path.contains(wait)) {
                cycles.add(List.copyOf(path.subList(path.indexOf(wait), path.size())));
            }
        }
        return cycles;
    }

    private void pass(Path file, boolean instances) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + ": no such file");
        }
        try (var in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 16))) {
            String magic = new String(in.readNBytes(19), StandardCharsets.US_ASCII);
            if (!magic.equals("JAVA PROFILE 1.0.2\0") || in.readInt() != 8) {
                throw new IOException(file + ": no heap dump of a 64-bit JVM");
            }
            in.readLong();
            for (int tag; (tag = in.read()) >= 0; ) {
                in.readInt();
                long length = Integer.toUnsignedLong(in.readInt());
                switch (tag) {
                    case 0x01 -> {
                        long id = in.readLong();
                        byte[] text = in.readNBytes((int) length - 8);
                        strings.put(id, new String(text, StandardCharsets.UTF_8));
                    }
                    case 0x02 -> {
                        in.readInt();
                        long type = in.readLong();
                        in.readInt();
                        classNames.put(type, in.readLong());
                    }
                    case 0x0C, 0x1C -> segment(in, length, instances);
                    default -> in.skipNBytes(length);
                }
            }
        }
    }

    /** Records of the heap; each case reads a record and leaves the rest of the segment. */
    private void segment(DataInputStream in, long length, boolean instances) throws IOException {
        while (length > 0) {
            int tag = in.readUnsignedByte();
            long size = switch (tag) {
                case 0xFF, 0x05, 0x07 -> skip(in, 8); // roots
                case 0x01, 0x02, 0x03, 0x08 -> skip(in, 16);
                case 0x04, 0x06 -> skip(in, 12);
                case 0x20 -> type(in);
                case 0x21 -> instance(in, instances);
                case 0x22 -> {
                    in.skipNBytes(12);
                    long elements = 8L * in.readInt();
                    in.skipNBytes(8 + elements);
                    yield 24 + elements;
                }
                case 0x23 -> {
                    in.skipNBytes(12);
                    long elements = in.readInt();
                    elements *= SIZES[in.readUnsignedByte()];
                    in.skipNBytes(elements);
                    yield 17 + elements;
                }
                default -> throw new IOException("unknown record " + tag + " in the heap dump");
            };
            length -= 1 + size;
        }
    }

    private static long skip(DataInputStream in, long bytes) throws IOException {
        in.skipNBytes(bytes);
        return bytes;
    }

    private long type(DataInputStream in) throws IOException {
        long id = in.readLong();
        in.readInt();
        long parent = in.readLong();
        in.skipNBytes(5 * 8 + 4);
        long size = 8 + 4 + 8 + 5 * 8 + 4 + 3 * 2;
        for (int constants = in.readUnsignedShort(); constants > 0; constants--) {
            in.readShort();
            size += 3 + skip(in, SIZES[in.readUnsignedByte()]);
        }
        for (int statics = in.readUnsignedShort(); statics > 0; statics--) {
            in.readLong();
            size += 9 + skip(in, SIZES[in.readUnsignedByte()]);
        }
        var fields = new ArrayList<Field>();
        for (int count = in.readUnsignedShort(); count > 0; count--) {
            fields.add(new Field(strings.get(in.readLong()), in.readUnsignedByte()));
            size += 9;
        }
        types.put(id, new Type(parent, fields));
        return size;
    }

    private long instance(DataInputStream in, boolean instances) throws IOException {
        long id = in.readLong();
        in.readInt();
        long type = in.readLong();
        int length = in.readInt();
        if (!instances || !wanted.computeIfAbsent(type, this::isThreadOrLock)) {
            return 24 + skip(in, length);
        }
        Long number = null;
        Long blocker = null;
        Long holder = null;
        for (Type part = types.get(type); part != null; part = types.get(part.parent)) { // own fields, then inherited
            for (Field field : part.fields) {
                long value = switch (SIZES[field.type]) {
                    case 1 -> in.readByte();
                    case 2 -> in.readShort();
                    case 4 -> in.readInt();
                    default -> in.readLong();
                };
                switch (field.name) {
                    case "tid" -> number = value;
                    case "parkBlocker" -> blocker = value;
                    case "exclusiveOwnerThread" -> holder = value;
                    default -> {
                    }
                }
            }
        }
        if (holder != null) {
            holders.put(id, holder);
            lockTypes.put(id, type);
        } else if (number != null && blocker != null) {
            numbers.put(id, number);
            parked.add(new Parked(number, blocker));
        }
        return 24 + length;
    }

    private boolean isThreadOrLock(long type) {
        String name = strings.get(classNames.get(type));
        return "java/lang/Thread".equals(name) || "java/util/concurrent/locks/AbstractOwnableSynchronizer".equals(name)
                || types.containsKey(type) && isThreadOrLock(types.get(type).parent);
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 0) {
            demo();
            return;
        }
        try {
            var waits = read(Path.of(args[0]));
            print(waits);
            System.exit(deadlocks(waits).isEmpty() ? 0 : 1);
        } catch (IOException e) {
            System.err.println("LockOwners: " + e.getMessage());
            System.exit(2);
        }
    }

    private static void print(List<Wait> waits) {
        for (var cycle : deadlocks(waits)) {
            System.out.println("DEADLOCK: each waits for a lock that the next one holds");
            cycle.forEach(wait -> System.out.println("  " + wait));
        }
        System.out.println(waits.size() + " threads wait for a lock that somebody holds");
        waits.stream().limit(20).forEach(wait -> System.out.println("  " + wait));
    }

    private static void demo() throws Exception {
        var a = new ReentrantLock();
        var b = new ReentrantLock();
        var holding = new CountDownLatch(2);
        Path folder = Files.createTempDirectory("lock-owners").toAbsolutePath();
        Path file = folder.resolve("heap.hprof");
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var threads = new ConcurrentLinkedQueue<Thread>();
            executor.submit(() -> transfer(a, b, holding, threads)); // blocking-ok: ends with the demo
            executor.submit(() -> transfer(b, a, holding, threads));
            while (!a.hasQueuedThreads() || !b.hasQueuedThreads() // a moment before the field that the dump shows
                    || !threads.stream().allMatch(thread -> LockSupport.getBlocker(thread) != null)) {
                Thread.sleep(1);
            }
            ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).dumpHeap(file.toString(), true);
            executor.shutdownNow();
        }
        var waits = read(file);
        Files.delete(file);
        Files.delete(folder);
        print(waits);
        check(deadlocks(waits).size() == 1 && deadlocks(waits).getFirst().size() == 2, "one deadlock of two threads");
    }

    private static Void transfer(ReentrantLock from, ReentrantLock to, CountDownLatch holding, Queue<Thread> threads)
            throws InterruptedException {
        threads.add(Thread.currentThread());
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
