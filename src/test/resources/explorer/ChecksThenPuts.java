import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Each call of the map is atomic, two of them are not. */
public final class ChecksThenPuts implements Callable<Void> {
    @Override
    public Void call() throws InterruptedException {
        var map = new ConcurrentHashMap<String, Integer>();
        var made = new AtomicInteger();
        Runnable task = () -> {
            if (!map.containsKey("key")) {
                map.put("key", made.incrementAndGet());
            }
        };
        Thread one = Thread.startVirtualThread(task);
        Thread two = Thread.startVirtualThread(task);
        one.join();
        two.join();
        if (made.get() != 1) {
            throw new AssertionError("made " + made);
        }
        return null;
    }
}
