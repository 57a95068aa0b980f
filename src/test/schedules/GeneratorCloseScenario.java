import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Generator: closed by another thread while it is read and while it yields: the finally runs once, before close
 * returns.
 */
public final class GeneratorCloseScenario {

    public static void main(String[] args) throws InterruptedException {
        var opened = new AtomicInteger();
        var closed = new AtomicInteger();
        var interrupts = new AtomicInteger();
        var generator = new Generator<Integer>(out -> {
            opened.incrementAndGet();
            try {
                out.yield(1);
                out.yield(2);
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
            } finally {
                try {
                    Thread.sleep(1);
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                }
                closed.incrementAndGet();
            }
        });
        Thread consumer = Thread.ofVirtual().start(() -> {
            try {
                for (int i = 1; i <= 2; i++) {
                    check(generator.next() == i, "item " + i);
                }
                check(!generator.hasNext(), "the end");
            } catch (IllegalStateException e) {
                check(!(e instanceof CancellationException), "interrupted");
            }
        });
        Thread closer = Thread.ofVirtual().start(generator::close);
        generator.close();
        check(opened.get() == closed.get(), "opened " + opened + ", closed " + closed);
        consumer.join();
        closer.join();
        check(interrupts.get() <= 1, "interrupted twice");
        check(opened.get() == closed.get() && opened.get() <= 1, "opened " + opened + ", closed " + closed);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError(what);
        }
    }
}
