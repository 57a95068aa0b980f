import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** One pen, two customers: one of them gets it. */
public final class StockScenario {
    public static void main(String[] args) throws InterruptedException {
        var stock = new Stock(Map.of("pen", 1));
        var sold = new AtomicInteger();
        Runnable customer = () -> {
            if (stock.reserve("pen")) {
                sold.incrementAndGet();
            }
        };
        Thread ann = Thread.ofVirtual().name("ann").start(customer);
        Thread bob = Thread.ofVirtual().name("bob").start(customer);
        ann.join();
        bob.join();
        if (sold.get() != 1) {
            throw new AssertionError("sold " + sold + " of one pen");
        }
    }
}
