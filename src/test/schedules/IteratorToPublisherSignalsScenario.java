import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;

/** IteratorToPublisher: items as requested, one end; a cancel tells a waiting source once; misuse, and who throws. */
public final class IteratorToPublisherSignalsScenario {
    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        through();
        cancelled();
        misused();
        throwing();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "told, not out of time");
    }

    /** Three items, of which two are requested at first. */
    private static void through() throws InterruptedException {
        var source = new Source(() -> 1, 3);
        var seen = source.subscribe();
        Thread requester = Thread.ofVirtual().start(() -> seen.request(2));
        seen.awaitItems(2);
        requester.join();
        check(seen.items.get() == 2 && source.asked.get() == 2, "no more than was requested");
        seen.request(2);
        seen.over.await();
        check(seen.items.get() == 3 && seen.ends.get() == 1 && source.closes.get() == 1, "all, and one end");
        seen.subscription.cancel();
    }

    private static void cancelled() throws InterruptedException {
        var begun = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var source = new Source(() -> {
            begun.countDown();
            for (int i = 0; i < 2; i++) {
                try {
                    Thread.sleep(i == 0 ? Duration.ofDays(9) : Duration.ofMillis(10));
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                }
            }
            throw new InterruptedException();
        }, 1);
        var seen = source.subscribe();
        seen.request(1);
        begun.await();
        Thread other = Thread.ofVirtual().start(() -> seen.subscription.cancel());
        seen.subscription.cancel();
        source.closed.await();
        other.join();
        check(interrupts.get() == 1 && seen.items.get() + seen.ends.get() == 0, "told once, and nothing is seen");
        seen.request(1);

        var unopened = new Source(() -> 1, 1);
        var nothing = unopened.subscribe();
        nothing.subscription.cancel();
        check(unopened.opened.get() == 0, "nothing was requested");
    }

    private static void misused() throws InterruptedException {
        var source = new Source(() -> 1, 9);
        var seen = source.subscribe();
        seen.request(0);
        seen.over.await();
        check(seen.failure instanceof IllegalArgumentException && seen.items.get() == 0, "rule 3.9");
        check(source.opened.get() == 0, "nothing was requested");
        var broken = new Source(() -> {
            throw new IllegalStateException("boom");
        }, 1).subscribe();
        broken.request(1);
        broken.over.await();
        check(broken.failure.getMessage().equals("boom") && broken.ends.get() == 1, "its failure");
    }

    private static void throwing() throws InterruptedException {
        var others = Thread.getDefaultUncaughtExceptionHandler();
        var heard = new CountDownLatch(1);
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> {
            if ("subscriber".equals(e.getMessage())) {
                heard.countDown();
            } else {
                others.uncaughtException(thread, e);
            }
        });
        var source = new Source(() -> 1, 9);
        var seen = new Seen() {
            @Override
            public void onNext(Integer item) {
                items.incrementAndGet();
                throw new IllegalStateException("subscriber");
            }
        };
        source.subscribe(seen);
        seen.request(2);
        heard.await();
        check(seen.items.get() == 1 && seen.ends.get() == 0 && source.closes.get() == 1, "as if cancelled");
        Thread.setDefaultUncaughtExceptionHandler(others);
    }

    private static final class Source implements IteratorToPublisher.Source<Integer> {
        final Callable<Integer> next;
        final int size;
        final AtomicInteger opened = new AtomicInteger();
        final AtomicInteger asked = new AtomicInteger();
        final AtomicInteger closes = new AtomicInteger();
        final CountDownLatch closed = new CountDownLatch(1);

        Source(Callable<Integer> next, int size) {
            this.next = next;
            this.size = size;
        }

        Seen subscribe() {
            var seen = new Seen();
            subscribe(seen);
            return seen;
        }

        void subscribe(Seen seen) {
            new IteratorToPublisher<Integer>(() -> {
                opened.incrementAndGet();
                return this;
            }).subscribe(seen);
        }

        @Override
        public Integer next() throws Exception {
            return asked.incrementAndGet() > size ? null : next.call();
        }

        @Override
        public void close() {
            closes.incrementAndGet();
            closed.countDown();
        }
    }

    private static class Seen implements Flow.Subscriber<Integer> {
        final AtomicInteger requested = new AtomicInteger();
        final AtomicInteger items = new AtomicInteger();
        final AtomicInteger ends = new AtomicInteger();
        final CountDownLatch over = new CountDownLatch(1);
        Flow.Subscription subscription;
        Throwable failure;

        void request(int number) {
            requested.addAndGet(number);
            subscription.request(number);
        }

        void awaitItems(int number) {
            while (items.get() < number) {
                Thread.onSpinWait();
            }
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
        }

        @Override
        public void onNext(Integer item) {
            check(items.incrementAndGet() <= requested.get(), "as requested");
        }

        @Override
        public void onError(Throwable thrown) {
            check(thrown != null, "a failure");
            failure = thrown;
            onComplete();
        }

        @Override
        public void onComplete() {
            check(ends.incrementAndGet() == 1, "one end");
            over.countDown();
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
