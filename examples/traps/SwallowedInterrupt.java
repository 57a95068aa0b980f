import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * Trap: {@code catch (Exception e)} around a wait swallows the cancellation. {@code InterruptedException} is an
 * ordinary checked exception, not a {@code BaseException} as {@code CancelledError} is, and throwing it clears the
 * flag: the loop goes on forever.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27).
 * Cure: catch {@code InterruptedException} first and leave, below; {@code examples/time/Cancellation.java} adds the
 * cleanup.
 *
 * <p>Run: {@code java examples/traps/SwallowedInterrupt.java}
 */
public final class SwallowedInterrupt {

    private SwallowedInterrupt() {
    }

    // @start region="wrong"
    static void drainUnstoppably(BlockingQueue<String> inbox) {
        while (!Thread.currentThread().isInterrupted()) { // take() has cleared the flag when it threw
            try {
                handle(inbox.take());
            } catch (Exception e) {
                log(e); // the order to stop ends as a line in the log
            }
        }
    }
    // @end region="wrong"

    // @start region="right"
    static void drain(BlockingQueue<String> inbox) {
        while (true) {
            try {
                handle(inbox.take());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // a Runnable cannot throw it: leave the flag for whoever runs us
                return;
            } catch (Exception e) {
                log(e);
            }
        }
    }
    // @end region="right"

    private static final AtomicInteger HANDLED = new AtomicInteger();
    private static final AtomicInteger LOGGED = new AtomicInteger();

    private static void handle(String message) {
        HANDLED.incrementAndGet();
    }

    private static void log(Exception e) {
        LOGGED.incrementAndGet();
    }

    public static void main(String[] args) throws Exception {
        BlockingQueue<String> inbox = new LinkedBlockingQueue<>();
        Thread deaf = Thread.startVirtualThread(() -> drainUnstoppably(inbox));
        for (int i = 1; i <= 3; i++) {
            int interrupts = i;
            await(() -> deaf.getState() == Thread.State.WAITING);
            deaf.interrupt();
            await(() -> LOGGED.get() == interrupts);
        }
        inbox.put("a message");
        await(() -> HANDLED.get() == 1);
        System.out.println("wrong: after 3 interrupts alive=" + deaf.isAlive() + ", and it handled 1 more message");
        check(deaf.isAlive(), "the loop survives every interrupt");

        Thread stoppable = Thread.startVirtualThread(() -> drain(new LinkedBlockingQueue<>()));
        stoppable.interrupt();
        stoppable.join();
        System.out.println("right: after 1 interrupt alive=" + stoppable.isAlive());
        check(LOGGED.get() == 3, "an interrupt is not logged as a failure");
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(1);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
