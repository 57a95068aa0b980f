import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: reading a file holds the carrier of a virtual thread, and since JDK 23 no carrier is added for it: as many
 * reads of a slow disk, network share or FIFO as there are processors, and no other virtual thread gets a turn. It is
 * not a "pin": no JFR event tells.
 *
 * <p>Holds for: JDK 25, 26, 27 (measured); from 23 by the date of JDK-8329593. On 21 the scheduler adds a carrier for
 * the time of the read, up to {@code jdk.virtualThreadScheduler.maxPoolSize} (measured). {@code Process} output and
 * {@code System.in} still get one.
 * Cure: a bounded pool of platform threads for files that may be slow, below;
 * {@code references/mixing-blocking-and-async.md}.
 *
 * <p>Run: {@code java examples/traps/BlockingFileRead.java} (needs {@code mkfifo}: says so and ends where there is
 * none)
 */
public final class BlockingFileRead {

    private BlockingFileRead() {
    }

    // @start region="wrong"
    static String read(Path slowFile) throws IOException {
        return Files.readString(slowFile); // on a virtual thread: the carrier waits for the disk
    }
    // @end region="wrong"

    // @start region="right"
    static String read(Path slowFile, ExecutorService diskThreads) throws InterruptedException, ExecutionException {
        return diskThreads.submit(() -> Files.readString(slowFile)).get(); // only a platform thread waits for the disk
    }
    // @end region="right"

    private interface Read {
        String from(Path file) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        int jdk = Runtime.version().feature();
        int carriers = Integer.getInteger("jdk.virtualThreadScheduler.parallelism",
                Runtime.getRuntime().availableProcessors());
        String setting = "JDK " + jdk + ", " + carriers + " reads wait; turns of another virtual thread in 300 ms: ";
        Path folder = Files.createTempDirectory("blocking-file-read");
        try {
            List<Path> fifos = makeFifos(folder, carriers);
            if (fifos.isEmpty()) {
                System.out.println("skipped: no mkfifo here, and a quick disk shows nothing");
                return;
            }
            int wrong = turnsOfOthers(fifos, BlockingFileRead::read, jdk < 23);
            System.out.println("wrong: on virtual threads, " + setting + wrong);
            if (jdk >= 25) {
                check(wrong == 0, "every carrier waits for a file");
            } else if (jdk == 21) {
                System.out.println("       (JDK 21 adds carriers for file reads: the trap is not there yet)");
            }
            try (var diskThreads = Executors.newFixedThreadPool(carriers)) {
                int right = turnsOfOthers(fifos, file -> read(file, diskThreads), true);
                System.out.println("right: on platform threads, " + setting + right);
                check(right > 0, "the carriers are free");
            }
        } finally {
            try (var files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    /** A FIFO is a file as slow as we like: its reader waits until someone writes. */
    private static List<Path> makeFifos(Path folder, int count) throws InterruptedException {
        var fifos = new ArrayList<Path>();
        var command = new ArrayList<>(List.of("mkfifo"));
        for (int i = 0; i < count; i++) {
            fifos.add(folder.resolve("fifo" + i));
            command.add(fifos.getLast().toString());
        }
        if (System.getProperty("os.name").startsWith("Windows")) {
            return List.of();
        }
        try {
            return new ProcessBuilder(command).inheritIO().start().waitFor() == 0 ? fifos : List.of();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static int turnsOfOthers(List<Path> fifos, Read read, boolean expectSome) throws Exception {
        var turns = new AtomicInteger();
        var reading = new AtomicInteger();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var contents = new ArrayList<Future<String>>();
            for (Path fifo : fifos) {
                contents.add(executor.submit(() -> {
                    reading.incrementAndGet();
                    return read.from(fifo);
                }));
            }
            while (reading.get() < fifos.size()) {
                Thread.sleep(1);
            }
            Future<?> other = executor.submit(() -> {
                while (true) {
                    turns.incrementAndGet();
                    Thread.sleep(10);
                }
            });
            do {
                Thread.sleep(300);
            } while (expectSome && turns.get() == 0); // a busy machine may need longer
            int seen = turns.get();
            for (Path fifo : fifos) {
                Files.writeString(fifo, "content", StandardOpenOption.WRITE);
            }
            for (Future<String> content : contents) {
                check(content.get().equals("content"), "the file is read");
            }
            other.cancel(true);
            return seen;
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
