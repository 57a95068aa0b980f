import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Interleaving: the points come in their order; one that does not come, or is not in it, fails for all who wait. */
public final class InterleavingScenario {
    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        var come = new CopyOnWriteArrayList<String>();
        var order = new Interleaving(Duration.ofDays(9), "a", "b", "c", "d");
        Thread other = Thread.ofVirtual().start(() -> {
            pass(order, come, "b");
            pass(order, come, "d");
        });
        pass(order, come, "a");
        pass(order, come, "c");
        other.join();
        check(come.size() == 4, "all have passed");
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "woken, not out of patience");

        var wrong = new Interleaving(Duration.ofDays(9), "a", "b");
        Thread waits = Thread.ofVirtual().start(() -> fails(wrong, "b", "\"x\" is not in the order"));
        fails(wrong, "x", "\"x\" is not in the order");
        waits.join();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "told, not out of patience");

        var late = new Interleaving(Duration.ofDays(1), "a", "b");
        Thread alone = Thread.ofVirtual().start(() -> fails(late, "b", "\"a\" did not come"));
        alone.join();
        fails(late, "a", "\"a\" did not come");
    }

    private static void pass(Interleaving order, List<String> come, String point) {
        try {
            come.add(point);
            order.at(point);
            for (char before = 'a'; before < point.charAt(0); before++) {
                check(come.contains(String.valueOf(before)), before + " before " + point);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void fails(Interleaving order, String point, String why) {
        try {
            order.at(point);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        } catch (AssertionError e) {
            check(e.getMessage().startsWith(why), e.getMessage());
            return;
        }
        throw new IllegalStateException("it failed");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
