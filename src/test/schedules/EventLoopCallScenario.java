import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** EventLoop: call() in the loop runs at once; who is interrupted leaves before it begins, or has its outcome. */
public final class EventLoopCallScenario {
    public static void main(String[] args) throws InterruptedException, ExecutionException {
        var loop = new EventLoop("loop", 1);
        check(loop.call(() -> loop.call(() -> loop.inLoop() ? 1 : 2)) == 1, "at once");
        try {
            loop.call(() -> {
                loop.close();
                return check(false, "it would wait for itself");
            });
            check(false, "refused");
        } catch (ExecutionException e) {
            check(e.getCause() instanceof IllegalStateException, "refused: " + e.getCause());
        }

        var begun = new CountDownLatch(1);
        var hold = new CountDownLatch(1);
        loop.post(() -> {
            begun.countDown();
            await(hold);
        });
        begun.await();
        Thread leaver = Thread.ofVirtual().start(() -> {
            try {
                loop.call(() -> check(false, "not begun"));
                check(false, "interrupted");
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted(), "told once");
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        leaver.interrupt();
        leaver.join();
        hold.countDown();

        var inside = new CountDownLatch(1);
        var told = new CountDownLatch(1);
        Thread stays = Thread.ofVirtual().start(() -> {
            try {
                check(loop.call(() -> {
                    inside.countDown();
                    await(told);
                    return 7;
                }) == 7, "its outcome counts");
                check(Thread.interrupted(), "the flag is set again");
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        inside.await();
        stays.interrupt();
        var ended = new AtomicInteger();
        loop.post(ended::incrementAndGet);
        told.countDown();
        Thread.currentThread().interrupt();
        loop.close();
        check(Thread.interrupted(), "the flag is kept");
        check(ended.get() == 1, "what was accepted has run");
        stays.join();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError("nobody interrupts the loop", e);
        }
    }

    private static int check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
        return 1;
    }
}
