import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/** PublisherToIterator: asks for more as it reads; items before the failure, the end, or who gave too many. */
public final class PublisherToIteratorDemandScenario {
    public static void main(String[] args) throws InterruptedException {
        ends(null);
        ends(new IllegalStateException("boom"));
        tooMany();
        interrupted();
    }

    private static void ends(Throwable failure) throws InterruptedException {
        var publisher = new Publisher(3, failure);
        var items = new PublisherToIterator<Integer>(publisher, 2);
        check(items.next() == 1 && items.next() == 2 && items.next() == 3, "in order");
        try {
            check(!items.hasNext() && failure == null, "the end");
        } catch (CompletionException e) {
            check(e.getCause() == failure && failure != null, "the failure");
        }
        publisher.thread.join();
        items.close();
        check(publisher.cancels.get() == 0 && publisher.requested.get() <= 5, "it had ended: no cancel");
        try {
            items.hasNext();
            check(false, "closed");
        } catch (IllegalStateException e) {
            check(e.getMessage().equals("closed"), "closed: " + e);
        }
    }

    private static void tooMany() throws InterruptedException {
        var publisher = new Publisher(3, null);
        publisher.demand.release(9); // it pays no heed to what was requested
        var items = new PublisherToIterator<Integer>(publisher, 1);
        publisher.thread.join();
        check(items.next() == 1, "what was requested");
        try {
            items.hasNext();
            check(false, "too many");
        } catch (CompletionException e) {
            check(e.getCause() instanceof IllegalStateException && publisher.cancels.get() == 1, "told, and cancelled");
        }
    }

    private static void interrupted() throws InterruptedException {
        var publisher = new Publisher(0, null) {
            @Override
            void end() {
                // never
            }
        };
        var items = new PublisherToIterator<Integer>(publisher, 1);
        var told = new CountDownLatch(1);
        Thread reader = Thread.ofVirtual().start(() -> {
            try {
                items.hasNext();
                check(false, "interrupted");
            } catch (CancellationException e) {
                check(Thread.interrupted() && e.getCause() instanceof InterruptedException, "the flag is set again");
                told.countDown();
            }
            try {
                items.hasNext();
                check(false, "closed");
            } catch (IllegalStateException e) {
                check(e.getMessage().equals("closed"), "woken: " + e);
            }
        });
        reader.interrupt();
        publisher.thread.join();
        told.await();
        Thread closer = Thread.ofVirtual().start(items::close);
        items.close();
        reader.join();
        closer.join();
        check(publisher.cancels.get() == 1, "cancelled once");
    }

    private static class Publisher implements Flow.Publisher<Integer> {
        final Semaphore demand = new Semaphore(0);
        final AtomicInteger requested = new AtomicInteger();
        final AtomicInteger cancels = new AtomicInteger();
        final int size;
        final Throwable failure;
        Flow.Subscriber<? super Integer> subscriber;
        Thread thread;

        Publisher(int size, Throwable failure) {
            this.size = size;
            this.failure = failure;
        }

        void end() {
            if (failure == null) {
                subscriber.onComplete();
            } else {
                subscriber.onError(failure);
            }
        }

        @Override
        public void subscribe(Flow.Subscriber<? super Integer> to) {
            subscriber = to;
            to.onSubscribe(new Flow.Subscription() {
                @Override
                public void request(long n) {
                    requested.addAndGet((int) n);
                    demand.release((int) n);
                }

                @Override
                public void cancel() {
                    cancels.incrementAndGet();
                }
            });
            thread = Thread.ofVirtual().start(() -> {
                for (int i = 1; i <= size; i++) {
                    demand.acquireUninterruptibly();
                    to.onNext(i);
                }
                end();
            });
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
