import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class IteratorToPublisherTest {

    private static final Duration LONG = Duration.ofDays(1);

    /** Numbers from 0; counts what is asked of it. */
    private static class Numbers implements IteratorToPublisher.Source<Integer> {
        final AtomicInteger asked = new AtomicInteger();
        final CountDownLatch closed = new CountDownLatch(1);
        final int count;

        Numbers(int count) {
            this.count = count;
        }

        @Override
        public Integer next() throws Exception {
            int n = asked.getAndIncrement();
            return n < count ? n : null;
        }

        @Override
        public void close() throws IOException {
            closed.countDown();
        }
    }

    private static class Probe implements Flow.Subscriber<Integer> {
        final List<Integer> items = new CopyOnWriteArrayList<>();
        final AtomicReference<Throwable> failure = new AtomicReference<>();
        final AtomicInteger ends = new AtomicInteger();
        final CountDownLatch ended = new CountDownLatch(1);
        final Semaphore came = new Semaphore(0);
        Flow.Subscription subscription;

        @Override
        public void onSubscribe(Flow.Subscription s) {
            subscription = s;
        }

        @Override
        public void onNext(Integer item) {
            items.add(item);
            came.release();
        }

        @Override
        public void onError(Throwable cause) {
            failure.set(cause);
            end();
        }

        @Override
        public void onComplete() {
            end();
        }

        private void end() {
            ends.incrementAndGet();
            ended.countDown();
        }
    }

    private static Probe subscribe(IteratorToPublisher.Source<Integer> source) {
        var probe = new Probe();
        new IteratorToPublisher<>(() -> source).subscribe(probe);
        return probe;
    }

    @Test
    void givesWhatIsRequestedAndNothingAhead() throws Exception {
        var source = new Numbers(5);
        var probe = subscribe(source);
        probe.subscription.request(2);
        probe.came.acquire(2);
        assertEquals(2, source.asked.get());
        probe.subscription.request(1);
        probe.came.acquire();
        assertEquals(3, source.asked.get());
        assertEquals(0, probe.ends.get());
        probe.subscription.request(Long.MAX_VALUE);
        probe.subscription.request(Long.MAX_VALUE);
        probe.ended.await();
        assertEquals(List.of(0, 1, 2, 3, 4), probe.items);
        assertEquals(null, probe.failure.get());
        assertEquals(0, source.closed.getCount(), "closed before the end is told");
    }

    @Test
    void openedAtTheFirstRequestOnceForEachSubscriber() throws Exception {
        var opened = new AtomicInteger();
        var publisher = new IteratorToPublisher<>(() -> {
            opened.incrementAndGet();
            return new Numbers(3);
        });
        var first = new Probe();
        var second = new Probe();
        var never = new Probe();
        publisher.subscribe(first);
        publisher.subscribe(second);
        publisher.subscribe(never);
        never.subscription.cancel();
        assertEquals(0, opened.get());
        first.subscription.request(10);
        second.subscription.request(10);
        first.ended.await();
        second.ended.await();
        assertEquals(2, opened.get());
        assertEquals(first.items, second.items);
        assertThrows(NullPointerException.class, () -> publisher.subscribe(null));
    }

    @Test
    void failuresOfOpenNextAndClose() throws Exception {
        var boom = new IOException("boom");
        var unopened = new Probe();
        new IteratorToPublisher<Integer>(() -> {
            throw boom;
        }).subscribe(unopened);
        unopened.subscription.request(1);
        unopened.ended.await();
        assertSame(boom, unopened.failure.get());
        var reading = subscribe(new Numbers(0) {
            @Override
            public Integer next() throws IOException {
                throw boom;
            }
        });
        reading.subscription.request(1);
        reading.ended.await();
        assertSame(boom, reading.failure.get());
        var closing = subscribe(new Numbers(0) {
            @Override
            public void close() throws IOException {
                throw boom;
            }
        });
        closing.subscription.request(1);
        closing.ended.await();
        assertSame(boom, closing.failure.get());
    }

    @Test
    void aRequestOfNothingIsAnError() throws Exception {
        var source = new Numbers(5);
        var probe = subscribe(source);
        probe.subscription.request(1);
        probe.came.acquire();
        probe.subscription.request(0);
        probe.ended.await();
        assertInstanceOf(IllegalArgumentException.class, probe.failure.get());
        assertEquals(0, source.closed.getCount());
    }

    @Test
    void aCancelInterruptsTheWaitingSourceButNeverTheSubscriber() throws Exception {
        var waiting = new CountDownLatch(1);
        var interrupted = new AtomicBoolean();
        var flagInClose = new AtomicBoolean();
        var source = new Numbers(5) {
            @Override
            public Integer next() throws Exception {
                waiting.countDown();
                try {
                    Thread.sleep(LONG);
                } catch (InterruptedException e) {
                    interrupted.set(true);
                    throw e;
                }
                return 1;
            }

            @Override
            public void close() throws IOException {
                flagInClose.set(Thread.currentThread().isInterrupted());
                super.close();
            }
        };
        var probe = subscribe(source);
        probe.subscription.request(1);
        waiting.await();
        probe.subscription.cancel();
        source.closed.await();
        assertTrue(interrupted.get());
        assertTrue(!flagInClose.get());
        assertEquals(0, probe.ends.get());

        var inSubscriber = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var disturbed = new AtomicBoolean();
        var slow = new Probe() {
            @Override
            public void onNext(Integer item) {
                inSubscriber.countDown();
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    disturbed.set(true);
                }
                super.onNext(item);
            }
        };
        var numbers = new Numbers(5);
        new IteratorToPublisher<>(() -> numbers).subscribe(slow);
        slow.subscription.request(5);
        inSubscriber.await();
        slow.subscription.cancel();
        goOn.countDown();
        numbers.closed.await();
        assertTrue(!disturbed.get());
        assertEquals(List.of(0), slow.items);
        assertEquals(1, numbers.asked.get());
    }

    @Test
    void anInterruptThatTheSourceDoesNotHearReachesNobodyElse() throws Exception {
        var waiting = new CountDownLatch(1);
        var flagInClose = new AtomicBoolean();
        var source = new Numbers(5) {
            @Override
            public Integer next() {
                waiting.countDown();
                while (!Thread.currentThread().isInterrupted()) {
                    Thread.onSpinWait();
                }
                return 1;
            }

            @Override
            public void close() throws IOException {
                flagInClose.set(Thread.currentThread().isInterrupted());
                super.close();
            }
        };
        var probe = subscribe(source);
        probe.subscription.request(1);
        waiting.await();
        probe.subscription.cancel();
        source.closed.await();
        assertTrue(!flagInClose.get());
        assertEquals(List.of(), probe.items);
    }

    @Test
    void anInterruptWhileTheSourceIsOpenedDoesNotReachItsClose() throws Exception {
        var opening = new CountDownLatch(1);
        var flagInClose = new AtomicBoolean();
        var source = new Numbers(5) {
            @Override
            public void close() throws IOException {
                flagInClose.set(Thread.currentThread().isInterrupted());
                super.close();
            }
        };
        var probe = new Probe();
        new IteratorToPublisher<>(() -> {
            opening.countDown();
            while (!Thread.currentThread().isInterrupted()) {
                Thread.onSpinWait();
            }
            return source;
        }).subscribe(probe);
        probe.subscription.request(1);
        opening.await();
        probe.subscription.cancel();
        source.closed.await();
        assertTrue(!flagInClose.get());
        assertEquals(0, source.asked.get());
    }

    @Test
    void requestsAddUpWithoutOverflow() throws Exception {
        var go = new CountDownLatch(1);
        var probe = new Probe();
        new IteratorToPublisher<Integer>(() -> {
            go.await();
            return new Numbers(3);
        }).subscribe(probe);
        probe.subscription.request(Long.MAX_VALUE);
        probe.subscription.request(Long.MAX_VALUE);
        probe.subscription.request(2); // the three of them are 0 to a long
        go.countDown();
        probe.ended.await();
        assertEquals(List.of(0, 1, 2), probe.items);
    }

    @Test
    void aSubscriberThatThrowsHasCancelled() throws Exception {
        var source = new Numbers(5);
        var told = new CountDownLatch(1);
        var before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> told.countDown());
        try {
            var probe = new Probe() {
                @Override
                public void onNext(Integer item) {
                    throw new IllegalStateException("subscriber");
                }
            };
            new IteratorToPublisher<>(() -> source).subscribe(probe);
            probe.subscription.request(5);
            source.closed.await();
            told.await();
            assertEquals(0, probe.ends.get());
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    /**
     * Requests of any size, cancels at any moment: items in order, at most one end, none after a cancel by the
     * subscriber, all closed.
     */
    @Test
    void stress() throws Exception {
        int streams = 2_000;
        int length = 60;
        var given = new AtomicInteger();
        var cancelled = new AtomicInteger();
        var wrong = new AtomicReference<String>();
        for (int round = 0; round < 20; round++) {
            var sources = new ArrayList<Numbers>();
            var probes = new ArrayList<Probe>();
            for (int s = 0; s < streams / 20; s++) {
                var source = new Numbers(length);
                sources.add(source);
                boolean leaves = s % 3 == 0;
                var probe = new Probe() {
                    private boolean left;

                    @Override
                    public void onNext(Integer item) {
                        if (left || item != items.size()) {
                            wrong.set("item " + item + " after " + items.size() + ", left: " + left);
                        }
                        super.onNext(item);
                        given.incrementAndGet();
                        if (leaves && item == 20) {
                            left = true;
                            subscription.cancel();
                        } else {
                            subscription.request(1 + ThreadLocalRandom.current().nextInt(3));
                        }
                    }
                };
                probes.add(probe);
                new IteratorToPublisher<>(() -> source).subscribe(probe);
                probe.subscription.request(1);
                if (s % 3 == 1) {
                    Thread.startVirtualThread(() -> {
                        for (int n = ThreadLocalRandom.current().nextInt(20); n > 0; n--) {
                            Thread.yield();
                        }
                        probe.subscription.cancel();
                        cancelled.incrementAndGet();
                    });
                }
            }
            for (int s = 0; s < sources.size(); s++) {
                if (s % 3 == 2) {
                    probes.get(s).ended.await();
                    assertEquals(IntStream.range(0, length).boxed().toList(), probes.get(s).items);
                }
                if (sources.get(s).asked.get() > 0) {
                    sources.get(s).closed.await();
                }
                assertTrue(probes.get(s).ends.get() <= 1);
                assertEquals(null, probes.get(s).failure.get());
            }
        }
        System.out.println("IteratorToPublisher: " + streams + " streams, " + given + " items, " + cancelled
                + " cancelled from outside");
        assertEquals(null, wrong.get());
        assertTrue(given.get() > 50_000);
    }

    /** In a wait until its interrupt, then in a cleanup; counts the interrupts of the cleanup. */
    private static final class Waits extends Numbers {
        final CountDownLatch waiting = new CountDownLatch(1);
        final CountDownLatch cleaning = new CountDownLatch(1);
        final CountDownLatch cleaned = new CountDownLatch(1);
        final AtomicInteger again = new AtomicInteger();

        Waits() {
            super(0);
        }

        @Override
        public Integer next() throws IOException {
            try {
                waiting.countDown();
                Thread.sleep(LONG);
            } catch (InterruptedException e) {
                cleaning.countDown();
                try {
                    cleaned.await();
                } catch (InterruptedException second) {
                    again.incrementAndGet();
                }
            }
            throw new IOException("closed by interrupt");
        }
    }

    @Test
    void afterACancelNothingInterruptsTheSourceAndItsAnswerIsNoFailure() throws Exception {
        for (Consumer<Flow.Subscription> second : List.<Consumer<Flow.Subscription>>of(Flow.Subscription::cancel, s ->
                s.request(0),
                s -> s.request(1))) {
            var source = new Waits();
            var probe = new Probe();
            var reader = new AtomicReference<Thread>();
            var uncaught = new AtomicReference<Throwable>();
            new IteratorToPublisher<Integer>(() -> {
                reader.set(Thread.currentThread());
                Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> uncaught.set(e));
                return source;
            }).subscribe(probe);
            probe.subscription.request(1);
            source.waiting.await();
            probe.subscription.cancel();
            source.cleaning.await();
            second.accept(probe.subscription);
            source.cleaned.countDown();
            source.closed.await();
            reader.get().join();
            assertEquals(0, source.again.get());
            assertEquals(null, uncaught.get());
            assertEquals(null, probe.failure.get());
        }
    }
}
