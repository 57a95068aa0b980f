import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class PublisherToIteratorTest {

    /** A publisher played by hand. */
    private static final class Manual implements Flow.Publisher<Integer>, Flow.Subscription {
        final AtomicLong requested = new AtomicLong();
        final AtomicInteger cancels = new AtomicInteger();
        Flow.Subscriber<? super Integer> subscriber;

        @Override
        public void subscribe(Flow.Subscriber<? super Integer> s) {
            subscriber = s;
        }

        Manual begin() {
            subscriber.onSubscribe(this);
            return this;
        }

        @Override
        public void request(long n) {
            assertTrue(n > 0);
            requested.addAndGet(n);
        }

        @Override
        public void cancel() {
            cancels.incrementAndGet();
        }
    }

    @Test
    void requestsNoMoreThanTheCapacityAheadOfTheReader() {
        for (int capacity : new int[] {1, 2, 3, 16}) {
            var publisher = new Manual();
            try (var items = new PublisherToIterator<>(publisher, capacity)) {
                publisher.begin();
                int given = 0;
                for (int taken = 0; taken < 100; taken++) {
                    assertTrue(publisher.requested.get() - taken <= capacity, "requested ahead");
                    assertTrue(publisher.requested.get() > taken, "starved");
                    while (given < publisher.requested.get()) {
                        publisher.subscriber.onNext(given++);
                    }
                    assertEquals(taken, items.next());
                }
            }
            assertEquals(1, publisher.cancels.get());
        }
    }

    @Test
    void endAndFailureComeAfterTheItems() {
        var publisher = new Manual();
        try (var items = new PublisherToIterator<>(publisher, 4)) {
            publisher.begin();
            publisher.subscriber.onNext(1);
            publisher.subscriber.onComplete();
            assertEquals(1, items.next());
            assertFalse(items.hasNext());
            assertThrows(NoSuchElementException.class, items::next);
        }
        assertEquals(0, publisher.cancels.get(), "nothing to cancel after the end");
        var failing = new Manual();
        var boom = new IOException();
        try (var items = new PublisherToIterator<>(failing, 4)) {
            failing.begin();
            failing.subscriber.onNext(1);
            failing.subscriber.onError(boom);
            assertEquals(1, items.next());
            assertSame(boom, assertThrows(CompletionException.class, items::hasNext).getCause());
            assertSame(boom, assertThrows(CompletionException.class, items::next).getCause());
        }
    }

    @Test
    void aPublisherThatBreaksTheRulesIsTold() {
        var flooding = new Manual();
        try (var items = new PublisherToIterator<>(flooding, 2)) {
            flooding.begin();
            for (int i = 0; i < 1_000; i++) {
                flooding.subscriber.onNext(i);
            }
            assertEquals(0, items.next());
            assertEquals(1, items.next());
            assertInstanceOf(IllegalStateException.class, assertThrows(CompletionException.class, items::hasNext)
                    .getCause());
            assertEquals(1, flooding.cancels.get());
        }
        var twice = new Manual();
        try (var items = new PublisherToIterator<>(twice, 2)) {
            twice.begin();
            var second = new Manual();
            twice.subscriber.onSubscribe(second);
            assertEquals(1, second.cancels.get());
            assertEquals(0, second.requested.get());
            assertEquals(0, twice.cancels.get());
            assertThrows(NullPointerException.class, () -> twice.subscriber.onNext(null));
            assertThrows(NullPointerException.class, () -> twice.subscriber.onError(null));
            assertThrows(NullPointerException.class, () -> twice.subscriber.onSubscribe(null));
            twice.subscriber.onNext(1);
            assertEquals(1, items.next());
        }
        assertThrows(IllegalArgumentException.class, () -> new PublisherToIterator<>(new Manual(), 0));
    }

    @Test
    void closedBeforeTheSubscriptionCame() {
        var late = new Manual();
        new PublisherToIterator<>(late, 2).close();
        late.begin();
        assertEquals(1, late.cancels.get());
        assertEquals(0, late.requested.get());
    }

    @Test
    void anInterruptLosesNothingAndCloseWakesTheReader() throws Exception {
        var publisher = new Manual();
        var items = new PublisherToIterator<>(publisher, 2);
        publisher.begin();
        Thread.currentThread().interrupt();
        assertThrows(CancellationException.class, items::next);
        assertTrue(Thread.interrupted());
        publisher.subscriber.onNext(5);
        assertEquals(5, items.next());
        var waiting = new CountDownLatch(1);
        var reader = Thread.startVirtualThread(() -> {
            waiting.countDown();
            assertThrows(IllegalStateException.class, items::hasNext);
        });
        waiting.await();
        items.close();
        items.close();
        reader.join();
        assertEquals(1, publisher.cancels.get());
        publisher.subscriber.onNext(6); // too late, and harmless
        assertThrows(IllegalStateException.class, items::hasNext);
    }

    /** In any order, also between the look for an item and the taking of it. */
    @Test
    void nextIsAnItemOrThrowsWhileAnotherThreadCloses() throws Exception {
        for (int round = 0; round < 500; round++) {
            var publisher = new Manual();
            var items = new PublisherToIterator<>(publisher, 64);
            publisher.begin();
            for (int i = 0; i < 64; i++) {
                publisher.subscriber.onNext(i);
            }
            var begun = new AtomicBoolean();
            Thread closer = Thread.ofPlatform().start(() -> {
                begun.set(true);
                for (int n = ThreadLocalRandom.current().nextInt(200); n > 0; n--) {
                    Thread.onSpinWait();
                }
                items.close();
            });
            while (!begun.get()) {
                Thread.yield();
            }
            assertThrows(IllegalStateException.class, () -> {
                for (int i = 0; i < 64; i++) {
                    assertEquals(i, items.next());
                }
                items.next();
            });
            closer.join();
        }
    }

    @Test
    void asAStream() {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var publisher = new SubmissionPublisher<Integer>(executor, 8);
            try (var items = new PublisherToIterator<>(publisher, 3).stream()) {
                executor.execute(() -> {
                    IntStream.range(0, 1_000).forEach(publisher::submit);
                    publisher.close();
                });
                assertEquals(IntStream.range(0, 1_000).boxed().toList(), items.toList());
            }
        }
    }

    /**
     * 100,000 items through readers that are interrupted: every item once, in order; those who leave early leave no
     * subscriber.
     */
    @Test
    void stress() throws Exception {
        int readers = 10;
        int count = 10_000;
        var read = new AtomicInteger();
        var tasks = new ArrayList<Chaos.Task>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var publishers = new ArrayList<SubmissionPublisher<Integer>>();
            for (int r = 0; r < readers; r++) {
                var publisher = new SubmissionPublisher<Integer>(executor, 16);
                publishers.add(publisher);
                var items = new PublisherToIterator<>(publisher, 1 + r);
                executor.execute(() -> {
                    for (int i = 0; i < count; i++) {
                        publisher.submit(i);
                    }
                    publisher.close();
                });
                tasks.add(() -> {
                    for (int expected = 0; expected <= count; expected++) {
                        while (true) {
                            try {
                                assertEquals(expected < count, items.hasNext());
                                break;
                            } catch (CancellationException e) {
                                assertTrue(Thread.interrupted());
                            }
                        }
                        if (expected < count) {
                            while (true) {
                                try {
                                    assertEquals(expected, items.next());
                                    break;
                                } catch (CancellationException e) {
                                    assertTrue(Thread.interrupted());
                                }
                            }
                            read.incrementAndGet();
                        }
                        if (ThreadLocalRandom.current().nextInt(64) == 0) {
                            Thread.yield();
                        }
                    }
                });
            }
            long interrupts = Chaos.run(tasks);
            System.out.println("PublisherToIterator: " + read + " items, " + interrupts + " interrupts");
            for (var publisher : publishers) {
                while (publisher.hasSubscribers()) { // it hears of a cancel in its own thread; the class has a timeout
                    Thread.sleep(1);
                }
            }
        }
        assertEquals(readers * count, read.get());
    }
}
