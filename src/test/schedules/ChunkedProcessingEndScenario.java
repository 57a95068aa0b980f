import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** ChunkedProcessing: all ended at the end, whatever ends it; what was told to stop is not done; the source's part. */
public final class ChunkedProcessingEndScenario {
    public static void main(String[] args) throws InterruptedException, ExecutionException {
        whole();
        failsOnce();
        sourceFails();
        twiceInterrupted();
    }

    private static void whole() throws InterruptedException, ExecutionException {
        var chunks = new ArrayList<List<Integer>>();
        var processing = new ChunkedProcessing(2, 1);
        processing.run(List.of(0, 1, 2, 3, 4).iterator(), (first, chunk) -> chunks.add(chunk));
        check(chunks.equals(List.of(List.of(0, 1), List.of(2, 3), List.of(4))) && processing.done() == 5, "" + chunks);
        try {
            processing.run(List.of(1).iterator(), (first, chunk) -> check(false, "not again"));
            check(false, "one run an object");
        } catch (IllegalStateException e) {
            check(processing.done() == 5, "as it was");
        }
    }

    private static void failsOnce() throws InterruptedException {
        var asked = new AtomicInteger();
        try {
            new ChunkedProcessing(1, 1).run(source(() -> asked.incrementAndGet() < 9), (first, chunk) -> {
                throw new IllegalStateException("boom");
            });
            check(false, "it failed");
        } catch (ExecutionException e) {
            check(asked.get() == 1, "a source that may wait is not asked after a failure: " + asked);
        }
        var begun = new CountDownLatch(1);
        var processing = new ChunkedProcessing(1, 2);
        try {
            processing.run(List.of(0, 1).iterator(), (first, chunk) -> {
                if (first == 1) {
                    begun.await();
                    throw new IllegalStateException("boom");
                }
                begun.countDown();
                try {
                    Thread.sleep(Duration.ofDays(9));
                } catch (InterruptedException e) {
                    return; // as if it were done
                }
            });
            check(false, "one failed");
        } catch (ExecutionException e) {
            check(processing.done() == 0, "told to stop, it is not done");
        }
    }

    private static void sourceFails() throws InterruptedException {
        var failing = new AtomicReference<Thread>();
        var asked = new AtomicInteger();
        try {
            new ChunkedProcessing(1, 2).run(source(() -> {
                if (asked.incrementAndGet() < 2) {
                    return true;
                }
                join(failing);
                throw new IllegalArgumentException("source");
            }), (first, chunk) -> {
                failing.set(Thread.currentThread());
                throw new IllegalStateException("action");
            });
            check(false, "the source failed");
        } catch (IllegalArgumentException e) {
            check(e.getSuppressed().length == 1 && e.getSuppressed()[0].getMessage().equals("action"), "and an action");
        } catch (ExecutionException e) {
            check(asked.get() == 1, "it failed before the source was asked");
        }
    }

    private static void twiceInterrupted() throws InterruptedException {
        var begun = new CountDownLatch(1);
        var told = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var ended = new AtomicInteger();
        Thread owner = Thread.ofVirtual().start(() -> {
            try {
                new ChunkedProcessing(1, 1).run(List.of(0, 1).iterator(), (first, chunk) -> {
                    begun.countDown();
                    try {
                        Thread.sleep(Duration.ofDays(9));
                    } catch (InterruptedException e) {
                        interrupts.incrementAndGet();
                        told.countDown();
                    }
                    sleep(2_000, interrupts);
                    ended.incrementAndGet();
                });
                check(false, "interrupted");
            } catch (InterruptedException e) {
                check(Thread.currentThread().isInterrupted(), "the second one is kept in the flag");
                check(ended.get() == 1 && interrupts.get() == 1, "ended, and told once");
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

    private static void sleep(long millis, AtomicInteger interrupts) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            interrupts.incrementAndGet();
        }
    }

    private static void join(AtomicReference<Thread> thread) {
        try {
            while (thread.get() == null) {
                Thread.onSpinWait();
            }
            thread.get().join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static Iterator<Integer> source(java.util.function.BooleanSupplier more) {
        return new Iterator<>() {
            private Boolean next;

            @Override
            public boolean hasNext() {
                if (next == null) {
                    next = more.getAsBoolean();
                }
                return next;
            }

            @Override
            public Integer next() {
                next = null;
                return 1;
            }
        };
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
