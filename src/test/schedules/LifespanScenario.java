import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** Lifespan: what is opened beside close() is released exactly once, by close() or by open() itself. */
public final class LifespanScenario {

    public static void main(String[] args) throws Exception {
        var opened = new AtomicInteger();
        var released = new AtomicInteger();
        var lifespan = new Lifespan();
        lifespan.open(opened::incrementAndGet, number -> released.incrementAndGet());
        Thread other = Thread.ofVirtual().start(() -> {
            try {
                lifespan.open(opened::incrementAndGet, number -> released.incrementAndGet());
            } catch (IllegalStateException e) {
                // closed before or meanwhile
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        Thread closer = Thread.ofVirtual().start(() -> {
            try {
                lifespan.close();
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        lifespan.close();
        closer.join();
        other.join();
        if (opened.get() != released.get()) {
            throw new AssertionError(opened + " opened, " + released + " released");
        }
    }
}
