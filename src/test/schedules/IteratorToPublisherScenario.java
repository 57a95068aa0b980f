import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * IteratorToPublisher: a cancel beside the source: interrupted once at most, closed once without a flag, then
 * silence.
 */
public final class IteratorToPublisherScenario {
    public static void main(String[] args) throws InterruptedException {
        var closed = new CountDownLatch(1);
        var closes = new AtomicInteger();
        var interrupts = new AtomicInteger();
        var opened = new AtomicInteger();
        var signals = new AtomicInteger();
        var subscription = new Flow.Subscription[1];
        new IteratorToPublisher<Integer>(() -> {
            opened.incrementAndGet();
            return new IteratorToPublisher.Source<Integer>() {
                @Override
                public Integer next() throws InterruptedException {
                    try {
                        Thread.sleep(10);
                    } catch (InterruptedException e) {
                        interrupts.incrementAndGet();
                        throw e;
                    }
                    return 1;
                }

                @Override
                public void close() {
                    check(!Thread.currentThread().isInterrupted(), "close() meets no flag");
                    closes.incrementAndGet();
                    closed.countDown();
                }
            };
        }).subscribe(new Flow.Subscriber<>() {
            @Override
            public void onSubscribe(Flow.Subscription s) {
                subscription[0] = s;
            }

            @Override
            public void onNext(Integer item) {
                check(!Thread.currentThread().isInterrupted(), "the subscriber meets no flag");
                signals.incrementAndGet();
            }

            @Override
            public void onError(Throwable failure) {
                signals.addAndGet(100);
            }

            @Override
            public void onComplete() {
                signals.addAndGet(100);
            }
        });
        subscription[0].request(1);
        Thread canceller = Thread.ofVirtual().start(() -> {
            subscription[0].cancel();
            subscription[0].cancel();
            subscription[0].request(0);
        });
        canceller.join();
        if (opened.get() > 0) {
            closed.await();
        }
        check(closes.get() <= 1 && interrupts.get() <= 1 && signals.get() <= 1, closes + " " + interrupts + " "
                + signals);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
