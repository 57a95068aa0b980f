import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * Trap: the tools that found every deadlock of platform threads find none of virtual ones:
 * {@code findDeadlockedThreads()} returns {@code null} and {@code jstack} ({@code jcmd Thread.print}) does not list
 * threads that wait unmounted.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27). Cure: {@code jcmd PID Thread.dump_to_file -format=json FILE}
 * lists them all (from 25.0.5 with the owner of each lock), or the same from inside, below; and one order for all
 * locks. {@code references/debugging.md}.
 *
 * <p>Run: {@code java examples/traps/HiddenDeadlock.java}
 */
public final class HiddenDeadlock {

    private HiddenDeadlock() {
    }

    private record Account(int id, ReentrantLock lock) {
        Account(int id) {
            this(id, new ReentrantLock());
        }
    }

    // @start region="wrong"
    static void transfer(Account from, Account to) throws InterruptedException {
        from.lock().lockInterruptibly();
        try {
            debit(from);
            to.lock().lockInterruptibly(); // another transfer in the other direction holds it, and waits for us
            try {
                credit(to);
            } finally {
                to.lock().unlock();
            }
        } finally {
            from.lock().unlock();
        }
    }
    // @end region="wrong"

    // @start region="right"
    static void transferOrdered(Account from, Account to) throws InterruptedException {
        Account first = from.id() < to.id() ? from : to;
        Account second = first == from ? to : from;
        first.lock().lockInterruptibly();
        try {
            second.lock().lockInterruptibly();
            try {
                debit(from);
                credit(to);
            } finally {
                second.lock().unlock();
            }
        } finally {
            first.lock().unlock();
        }
    }
    // @end region="right"

    // @start region="dump"
    /** Every thread with its stack, virtual ones too: what {@code jcmd PID Thread.dump_to_file} writes. */
    static void dumpAllThreads(Path newFile) throws IOException {
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .dumpThreads(newFile.toAbsolutePath().toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
    }
    // @end region="dump"

    private static volatile CountDownLatch debited;

    private static void debit(Account account) throws InterruptedException {
        debited.countDown();
        debited.await(); // both transfers are between their two locks
    }

    private static void credit(Account account) {
    }

    private interface Transfer {
        void between(Account from, Account to) throws InterruptedException;
    }

    public static void main(String[] args) throws Exception {
        report("platform threads", Thread.ofPlatform().daemon(), 2, 2);
        report("virtual threads ", Thread.ofVirtual(), 0, 0);

        debited = new CountDownLatch(0);
        Thread[] transfers = start(Thread.ofVirtual(), HiddenDeadlock::transferOrdered, new Account(1), new Account(2));
        for (Thread transfer : transfers) {
            transfer.join();
        }
        System.out.println("right: one order for all locks, transfers done: 2 of 2");
    }

    private static void report(String kind, Thread.Builder builder, int deadlocked, int printed) throws Exception {
        debited = new CountDownLatch(2);
        var a = new Account(1);
        var b = new Account(2);
        Thread[] transfers = start(builder, HiddenDeadlock::transfer, a, b);
        while (!a.lock().hasQueuedThread(transfers[1]) || !b.lock().hasQueuedThread(transfers[0])
                || transfers[0].getState() != Thread.State.WAITING || transfers[1].getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
        long[] found = ManagementFactory.getThreadMXBean().findDeadlockedThreads();
        int jstack = count(threadPrint().split("Found one Java-level deadlock")[0]); // which repeats the stacks
        Path folder = Files.createTempDirectory("hidden-deadlock");
        Path file = folder.resolve("threads.txt");
        dumpAllThreads(file);
        int dump = count(Files.readString(file));
        Files.delete(file);
        Files.delete(folder);
        int detected = found == null ? 0 : found.length;
        System.out.println("wrong: 2 " + kind + " deadlocked: findDeadlockedThreads finds " + detected
                + ", jstack shows " + jstack + ", dump_to_file shows " + dump);
        check(detected == deadlocked && jstack == printed && dump == 2, kind);
        for (Thread transfer : transfers) {
            transfer.interrupt();
            transfer.join();
        }
    }

    private static Thread[] start(Thread.Builder builder, Transfer transfer, Account a, Account b) {
        Thread there = builder.start(() -> quietly(transfer, a, b));
        return new Thread[] {there, builder.start(() -> quietly(transfer, b, a))};
    }

    private static void quietly(Transfer transfer, Account from, Account to) {
        try {
            transfer.between(from, to);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What {@code jstack} and {@code jcmd PID Thread.print} print. */
    private static String threadPrint() throws JMException {
        return (String) ManagementFactory.getPlatformMBeanServer().invoke(
                new ObjectName("com.sun.management:type=DiagnosticCommand"), "threadPrint",
                new Object[] {new String[0]}, new String[] {String[].class.getName()});
    }

    private static int count(String dump) {
        return (int) dump.lines().filter(line -> line.contains("HiddenDeadlock.transfer(")).count();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
