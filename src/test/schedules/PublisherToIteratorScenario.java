import java.util.concurrent.CompletionException;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * PublisherToIterator: close() beside the signals and a waiting reader: no null, no more than requested, one cancel.
 */
public final class PublisherToIteratorScenario {
    public static void main(String[] args) throws InterruptedException {
        var cancels = new AtomicInteger();
        var publisher = new Thread[1];
        var items = new PublisherToIterator<Integer>(subscriber -> {
            var requested = new AtomicInteger();
            subscriber.onSubscribe(new Flow.Subscription() {
                @Override
                public void request(long n) {
                    requested.addAndGet((int) n);
                }

                @Override
                public void cancel() {
                    cancels.incrementAndGet();
                }
            });
            publisher[0] = Thread.ofVirtual().start(() -> {
                subscriber.onNext(1);
                subscriber.onNext(2);
                subscriber.onComplete();
            });
        }, 2);
        var read = new AtomicInteger();
        Thread reader = Thread.ofVirtual().start(() -> {
            try {
                while (items.hasNext()) {
                    check(items.next() == read.incrementAndGet(), "in order");
                }
                check(read.get() == 2 && cancels.get() == 0, "all, and no cancel");
            } catch (IllegalStateException e) {
                check(e.getMessage().equals("closed"), "closed: " + e);
            } catch (CompletionException e) {
                throw new AssertionError(e);
            }
        });
        items.close();
        publisher[0].join();
        reader.join();
        check(cancels.get() <= 1, "cancelled once");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
