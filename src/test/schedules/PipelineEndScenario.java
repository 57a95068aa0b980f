import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** Pipeline: through, with two threads in a step; a failure or a second interrupt, and all have ended, told once. */
public final class PipelineEndScenario {
    public static void main(String[] args) throws InterruptedException, ExecutionException {
        through();
        fails();
        twiceInterrupted();
        swallows();
    }

    private static void through() throws InterruptedException, ExecutionException {
        var sum = new AtomicInteger();
        var first = Pipeline.from(List.of(1, 2, 3).iterator(), 1);
        first.<Integer>stage("twice", 2, (item, next) -> {
            next.send(item);
            next.send(10 * item);
            Thread.currentThread().interrupt(); // left behind: no matter of the next item
        }).run(sum::addAndGet);
        check(sum.get() == 66, "all of them: " + sum);
        try {
            first.run(item -> check(false, "not again"));
            check(false, "it has a next step already");
        } catch (IllegalStateException e) {
            check(sum.get() == 66, "nothing more");
        }
    }

    private static void fails() throws InterruptedException {
        var running = new AtomicInteger();
        try {
            Pipeline.from(List.of(1, 2).iterator(), 1).<Integer>stage("fails", 1, (item, next) -> {
                throw new IllegalStateException("boom");
            }).run(item -> running.incrementAndGet());
            check(false, "it failed");
        } catch (ExecutionException e) {
            check(e.getCause().getMessage().equals("boom") && e.getSuppressed().length == 0, "its failure, alone");
        }
    }

    /** A source and a step that swallow their interrupt and send on, when nobody takes any more. */
    private static void swallows() throws InterruptedException {
        var begun = new CountDownLatch(2);
        var asked = new AtomicInteger();
        var source = new Iterator<Integer>() {
            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public Integer next() {
                if (asked.incrementAndGet() == 3) {
                    swallow(begun);
                }
                return 1;
            }
        };
        Thread owner = Thread.ofVirtual().start(() -> {
            try {
                Pipeline.from(source, 1).<Integer>stage("step", 1, (item, next) -> {
                    swallow(begun);
                    next.send(item);
                    next.send(item);
                    next.send(item);
                }).run(item -> check(false, "told to stop"));
                check(false, "interrupted");
            } catch (InterruptedException e) {
                check(e.getSuppressed().length == 0 && asked.get() == 3, "all have ended");
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        begun.await();
        owner.interrupt();
        owner.join();
    }

    private static void swallow(CountDownLatch begun) {
        begun.countDown();
        try {
            Thread.sleep(Duration.ofDays(9));
        } catch (InterruptedException e) {
            return;
        }
    }

    private static void twiceInterrupted() throws InterruptedException {
        var begun = new CountDownLatch(1);
        var told = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var ended = new AtomicInteger();
        Thread owner = Thread.ofVirtual().start(() -> {
            try {
                Pipeline.from(List.of(1).iterator(), 1).run(item -> {
                    begun.countDown();
                    try {
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        interrupts.incrementAndGet();
                        told.countDown();
                    }
                    try {
                        Thread.sleep(2_000);
                    } catch (InterruptedException e) {
                        interrupts.incrementAndGet();
                    }
                    ended.incrementAndGet();
                });
                check(false, "interrupted");
            } catch (InterruptedException e) {
                check(Thread.interrupted() && ended.get() == 1, "ended; the second one is kept in the flag");
                check(interrupts.get() == 1, "told once: " + interrupts);
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        begun.await();
        owner.interrupt();
        told.await();
        owner.interrupt();
        owner.join();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
