import java.util.concurrent.CancellationException;

/**
 * Generator: an interrupted consumer loses nothing; a body that swallows the interrupt is told again; wrong threads are
 * refused.
 */
public final class GeneratorStubbornScenario {
    public static void main(String[] args) throws InterruptedException {
        var body = new Object() {
            volatile int told;
            volatile boolean refused;
        };
        var holder = new Object() {
            volatile Generator<Integer> generator;
        };
        var generator = holder.generator = new Generator<Integer>(out -> {
            try {
                holder.generator.close();
            } catch (IllegalStateException e) {
                body.refused = true;
            }
            var other = new Object() {
                volatile boolean refused;
            };
            Thread stranger = Thread.ofVirtual().start(() -> {
                try {
                    out.yield(7);
                } catch (IllegalStateException e) {
                    other.refused = true;
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            stranger.join();
            check(other.refused, "only the body's own thread yields");
            out.yield(1);
            for (int i = 0; i < 2; i++) {
                try {
                    out.yield(2);
                } catch (InterruptedException e) {
                    body.told++;
                }
            }
        });
        Thread consumer = Thread.currentThread();
        Thread interrupter = Thread.ofVirtual().start(consumer::interrupt);
        Integer first = null;
        while (first == null) {
            try {
                first = generator.next();
            } catch (CancellationException e) {
                check(Thread.interrupted(), "the flag is set again");
            }
        }
        check(first == 1 && body.refused, "not lost: " + first);
        try {
            interrupter.join();
        } catch (InterruptedException e) {
            interrupter.join(); // came after the item
        }
        Thread.interrupted();
        check(generator.hasNext(), "another one");
        generator.close();
        check(body.told == 2, "told for each item: " + body.told);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
