import java.util.concurrent.atomic.AtomicInteger;

/** ManagedResource: released once, whichever thread comes first, without the flag, which is set again. */
public final class ManagedResourceScenario {
    public static void main(String[] args) throws Exception {
        var released = new AtomicInteger();
        var resource = ManagedResource.acquire(() -> 7, number -> {
            check(number == 7 && !Thread.currentThread().isInterrupted(), "without the flag");
            released.incrementAndGet();
            throw new IllegalStateException("boom");
        });
        var failed = new AtomicInteger();
        Runnable closer = () -> {
            Thread.currentThread().interrupt();
            try {
                resource.close();
            } catch (IllegalStateException e) {
                failed.incrementAndGet();
            }
            check(Thread.interrupted(), "the flag is set again");
        };
        Thread other = Thread.ofVirtual().start(closer);
        closer.run();
        other.join();
        check(released.get() == 1 && failed.get() == 1 && resource.get() == 7, "once");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
