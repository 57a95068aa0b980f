import java.util.NoSuchElementException;

/**
 * Generator: the items in order, or its end, never null, though another thread closes it; the body's finally is over
 * when close() returns, and it is interrupted at most once.
 */
public final class GeneratorScenario {
    private static final int LAST = 2;

    public static void main(String[] args) throws InterruptedException {
        var body = new Object() {
            volatile boolean began;
            volatile boolean ended;
            volatile int interrupts;
        };
        var generator = new Generator<Integer>(out -> {
            body.began = true;
            try {
                for (int i = 1; i <= LAST; i++) {
                    out.yield(i);
                }
            } catch (InterruptedException e) {
                body.interrupts++;
                Thread.sleep(1); // interrupted again it would not sleep
                throw e;
            } finally {
                body.ended = true;
            }
        });
        Thread closer = Thread.ofVirtual().start(() -> {
            generator.close();
            check(!body.began || body.ended, "the body has ended");
        });
        try {
            for (int i = 1; i <= LAST; i++) {
                check(generator.hasNext(), "another one");
                Integer item = generator.next();
                check(item != null && item == i, "item " + i + ": " + item);
            }
            check(!generator.hasNext(), "no more");
            check(body.ended, "the end is the body's end");
        } catch (IllegalStateException e) {
            check(e.getMessage().contains("closed"), "closed");
        } catch (NoSuchElementException e) {
            throw new AssertionError("an item was promised", e);
        }
        generator.close();
        check(!body.began || body.ended, "ended");
        closer.join();
        check(body.interrupts <= 1, "one interrupt");
        try {
            generator.hasNext();
            check(false, "it is closed");
        } catch (IllegalStateException e) {
            check(!Thread.currentThread().isInterrupted(), "not interrupted");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
