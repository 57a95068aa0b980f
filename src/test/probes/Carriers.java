import java.io.FileInputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.RandomAccessFile;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Selector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Does another virtual thread get a turn while one is in an operation? free: on the same carrier. +1: on one that the
 * pool adds. held: no.
 */
public final class Carriers {

    private static final List<String> OPERATIONS = List.of("sleep", "lock", "queue", "future", "socket", "process-wait",
            "synchronized-sleep", "synchronized-socket", "monitor-enter", "compute-if-absent", "object-wait",
                    "piped-stream", "select",
            "file-input-stream", "random-access-file", "file-channel", "read-string", "file-lock", "system-in",
                    "process-output",
            "class-initialiser", "class-of-another", "computing", "yield", "sleep-0");

    private static final List<String> COMPUTING = List.of("computing", "yield", "sleep-0");

    private static final CountDownLatch INITIALISING = new CountDownLatch(1);
    private static final List<AutoCloseable> OPEN = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            System.out.println(othersRun(args[0], Path.of(args[1])));
            for (AutoCloseable each : OPEN) {
                each.close();
            }
            Probe.end();
        }
        Path folder = Files.createTempDirectory("carriers");
        var probes = new ArrayList<Probe.Action>();
        for (String operation : OPERATIONS) {
            probes.add(() -> Probe.print("carriers." + operation,
                    !othersRun(operation, folder, 8) ? "held" : othersRun(operation, folder, 1) ? "free" : "+1"));
        }
        Path locked = Files.createFile(folder.resolve("locked"));
        try (var channel = FileChannel.open(locked, StandardOpenOption.WRITE)) {
            channel.lock(); // the children wait for it
            Probe.all(probes);
        }
        Probe.end();
    }

    private static boolean othersRun(String operation, Path folder, int carriers) throws Exception {
        return Boolean.parseBoolean(Probe.jvm(List.of("-Djdk.virtualThreadScheduler.parallelism=1",
                "-Djdk.virtualThreadScheduler.maxPoolSize=" + carriers), "Carriers", operation, folder.toString()));
    }

    private static boolean othersRun(String operation, Path folder) throws Exception {
        Probe.Action action = operation(operation, folder);
        Thread.startVirtualThread(() -> { }).join();
        var started = new CountDownLatch(1);
        Thread.startVirtualThread(() -> {
            started.countDown();
            try {
                action.run();
            } catch (Exception e) {
                e.printStackTrace();
            }
        });
        started.await();
        int computing = COMPUTING.contains(operation) ? 1 : 0;
        Probe.settle(computing); // until it is in the operation
        var ran = new CountDownLatch(1);
        Thread.startVirtualThread(ran::countDown);
        return Probe.happens(() -> ran.getCount() == 0, Probe.ROUNDS, computing);
    }

    private static Probe.Action operation(String name, Path folder) throws Exception {
        var monitor = new Object();
        switch (name) {
            case "sleep":
                return Carriers::sleep;
            case "lock": {
                var lock = new ReentrantLock();
                lock.lock();
                return lock::lock;
            }
            case "queue":
                return () -> new LinkedBlockingQueue<>().take();
            case "future":
                return () -> new CompletableFuture<>().get();
            case "socket":
                return Carriers::readSocket;
            case "process-wait": {
                Process process = silentProcess();
                return process::waitFor;
            }
            case "synchronized-sleep":
                return () -> {
                    synchronized (monitor) {
                        sleep();
                    }
                };
            case "synchronized-socket":
                return () -> {
                    synchronized (monitor) {
                        readSocket();
                    }
                };
            case "monitor-enter": {
                var inside = new CountDownLatch(1);
                Probe.daemon(() -> {
                    synchronized (monitor) {
                        inside.countDown();
                        sleep();
                    }
                });
                inside.await();
                return () -> {
                    synchronized (monitor) {
                        throw new IllegalStateException();
                    }
                };
            }
            case "compute-if-absent":
                return () -> new ConcurrentHashMap<String, String>().computeIfAbsent("key", key -> {
                    sleepUnchecked();
                    return key;
                });
            case "object-wait":
                return () -> {
                    synchronized (monitor) {
                        monitor.wait();
                    }
                };
            case "piped-stream": {
                var in = new PipedInputStream(new PipedOutputStream());
                return in::read;
            }
            case "select":
                return () -> Selector.open().select();
            case "file-input-stream": {
                var in = new FileInputStream(fifo(folder).toFile());
                return in::read;
            }
            case "random-access-file": {
                var file = new RandomAccessFile(fifo(folder).toFile(), "rw");
                return file::read;
            }
            case "file-channel": {
                var channel = FileChannel.open(fifo(folder), StandardOpenOption.READ, StandardOpenOption.WRITE);
                return () -> channel.read(ByteBuffer.allocate(1));
            }
            case "read-string": {
                Path fifo = fifo(folder);
                return () -> Files.readString(fifo);
            }
            case "file-lock": {
                var channel = FileChannel.open(folder.resolve("locked"), StandardOpenOption.WRITE);
                return channel::lock;
            }
            case "system-in":
                return System.in::read;
            case "process-output": {
                Process process = silentProcess();
                return process.getInputStream()::read;
            }
            case "class-initialiser":
                return Slow::touch;
            case "class-of-another":
                Probe.daemon(Slow::touch);
                INITIALISING.await();
                return Slow::touch;
            case "computing":
                return () -> {
                    while (true) {
                        Thread.onSpinWait();
                    }
                };
            case "yield":
                return () -> {
                    while (true) {
                        Thread.yield();
                    }
                };
            case "sleep-0":
                return () -> {
                    while (true) {
                        Thread.sleep(0);
                    }
                };
            default:
                throw new IllegalArgumentException(name);
        }
    }

    /** A pipe in the file system that this process holds open at both ends, and that stays empty. */
    private static Path fifo(Path folder) throws Exception {
        Path fifo = folder.resolve("fifo" + ProcessHandle.current().pid());
        new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor();
        OPEN.add(new RandomAccessFile(fifo.toFile(), "rw"));
        return fifo;
    }

    private static Process silentProcess() throws Exception {
        Process process = new ProcessBuilder("cat").start(); // ends with its input, which is never closed
        OPEN.add(process::destroy);
        return process;
    }

    private static void readSocket() throws Exception {
        try (var server = new ServerSocket(0); var socket = new Socket("127.0.0.1", server.getLocalPort())) {
            socket.getInputStream().read();
        }
    }

    private static void sleep() throws InterruptedException {
        Thread.sleep(600_000);
    }

    private static void sleepUnchecked() {
        try {
            sleep();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static final class Slow {
        static {
            INITIALISING.countDown();
            sleepUnchecked();
        }

        static void touch() {
            // being called is all
        }
    }
}
