import java.time.Duration;

/** Event: set() releases all who wait though clear() follows at once; what was written before is seen. */
public final class EventScenario {
    private static int written;

    public static void main(String[] args) throws InterruptedException {
        written = 0;
        var event = new Event();
        var going = new Event();
        Thread one = waiter(event, going);
        going.await();
        Thread two = waiter(event, new Event());
        while (one.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        written = 1;
        event.set();
        event.clear();
        one.join();
        check(!event.isSet() && !event.await(Duration.ZERO), "cleared");
        event.set();
        two.join();
        check(event.isSet() && event.await(Duration.ofDays(9)), "set");
    }

    private static Thread waiter(Event event, Event going) {
        return Thread.ofVirtual().start(() -> {
            try {
                going.set();
                event.await();
                check(written == 1, "written before set()");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
