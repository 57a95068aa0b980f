import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class WorkQueueTest {

    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE); // toNanos() overflows


    @Test
    void givesOutInOrderAndRefusesWhenFull() throws Exception {
        var queue = new WorkQueue<Integer>(2);
        queue.put(1);
        assertTrue(queue.offer(2, LONG));
        assertFalse(queue.offer(3, Duration.ZERO));
        assertFalse(queue.offer(3, Duration.ofMillis(5)));
        assertEquals(1, queue.take());
        assertTrue(queue.offer(3, Duration.ZERO));
        assertEquals(2, queue.take());
        assertEquals(3, queue.take());
    }

    @Test
    void refusesNonsense() {
        assertThrows(IllegalArgumentException.class, () -> new WorkQueue<String>(0));
        var queue = new WorkQueue<String>(1);
        assertThrows(NullPointerException.class, () -> queue.put(null));
        assertThrows(IllegalStateException.class, queue::done);
        assertThrows(IllegalArgumentException.class, () -> queue.consume(0, item -> { }));
        assertThrows(NullPointerException.class, () -> queue.consume(1, null));
        assertThrows(NullPointerException.class, () -> queue.offer(null));
        assertThrows(NullPointerException.class, () -> queue.offer("a", null));
        assertThrows(NullPointerException.class, () -> queue.poll(1, null));
        assertEquals(0, queue.size());
    }

    @Test
    void doesNotWaitIfToldNotTo() throws Exception {
        var queue = new WorkQueue<Integer>(2);
        Thread.currentThread().interrupt(); // it does not matter to those who never wait
        assertNull(queue.poll());
        assertTrue(queue.offer(1));
        assertTrue(queue.offer(2));
        assertFalse(queue.offer(3));
        assertEquals(2, queue.size());
        assertEquals(1, queue.poll());
        assertTrue(Thread.interrupted());
        assertEquals(1, queue.size());
        assertEquals(2, queue.poll(0, TimeUnit.SECONDS));
        assertNull(queue.poll(0, TimeUnit.SECONDS));
        assertNull(queue.poll(Long.MIN_VALUE, TimeUnit.SECONDS));
        assertNull(queue.poll(5, TimeUnit.MILLISECONDS));
        queue.done();
        queue.done();
        queue.join();
        queue.offer(4);
        queue.close();
        assertThrows(WorkQueue.ClosedException.class, () -> queue.offer(5));
        assertEquals(4, queue.poll(1, TimeUnit.DAYS));
        assertThrows(WorkQueue.ClosedException.class, queue::poll);
        assertThrows(WorkQueue.ClosedException.class, () -> queue.poll(1, TimeUnit.DAYS));
    }

    @Test
    void anInterruptThatNobodyOwnsEndsNoConsumer() throws Exception {
        var queue = new WorkQueue<Integer>(10);
        var consumers = ConcurrentHashMap.<Thread>newKeySet();
        var both = new CyclicBarrier(2);
        var handled = new AtomicInteger();
        Thread owner = Thread.startVirtualThread(() -> assertDoesNotThrow(() -> queue.consume(2, item -> {
            consumers.add(Thread.currentThread());
            if (item < 2) {
                both.await();
            }
            handled.incrementAndGet();
        })));
        queue.put(0);
        queue.put(1);
        queue.join();
        awaitWaiting(List.copyOf(consumers));
        consumers.forEach(Thread::interrupt);
        for (int i = 2; i < 1_000; i++) {
            queue.put(i);
            if (i % 100 == 0) {
                consumers.forEach(Thread::interrupt); // some in the handler: seen there or ignored
            }
        }
        queue.close();
        owner.join();
        assertEquals(1_000, handled.get());
    }

    @Test
    void theCallersSecondInterruptIsNotPassedOn() throws Exception {
        var queue = new WorkQueue<Integer>(1);
        var begun = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var hits = new AtomicInteger();
        Thread owner = Thread.startVirtualThread(() -> {
            assertThrows(InterruptedException.class, () -> queue.consume(1, item -> {
                begun.countDown();
                try {
                    new CountDownLatch(1).await();
                } finally {
                    cleaning.countDown();
                    try {
                        finish.await();
                    } catch (InterruptedException e) {
                        hits.incrementAndGet();
                    }
                }
            }));
            hits.addAndGet(Thread.currentThread().isInterrupted() ? 0 : 100);
        });
        queue.put(1);
        begun.await();
        owner.interrupt();
        cleaning.await();
        owner.interrupt();
        while (owner.isInterrupted()) {
            Thread.yield();
        }
        finish.countDown();
        owner.join();
        assertEquals(0, hits.get(), "its cleanup was hit, or the flag of its owner lost");
        assertEquals(List.of(1), queue.closeNow());
    }

    @Test
    void closedQueueGivesOutTheRestAndTakesNothing() throws Exception {
        var queue = new WorkQueue<Integer>(2);
        queue.put(1);
        queue.close();
        assertThrows(WorkQueue.ClosedException.class, () -> queue.put(2));
        assertThrows(WorkQueue.ClosedException.class, () -> queue.offer(2, Duration.ZERO));
        assertEquals(1, queue.take());
        assertThrows(WorkQueue.ClosedException.class, queue::take);
        queue.done();
        queue.join();
    }

    @Test
    void closeReleasesEveryoneWhoWaits() throws Exception {
        for (boolean now : new boolean[] {false, true}) {
            var full = new WorkQueue<Integer>(1);
            full.put(0);
            var empty = new WorkQueue<Integer>(1);
            List<Callable<Object>> waits = List.of(empty::take, empty::take, () -> {
                full.put(1);
                return null;
            }, () -> full.offer(1, LONG));
            var threads = new ArrayList<Thread>();
            var released = new AtomicInteger();
            for (var wait : waits) {
                threads.add(Thread.startVirtualThread(
                        () -> {
                            assertThrows(WorkQueue.ClosedException.class, wait::call);
                            released.incrementAndGet();
                        }));
            }
            awaitWaiting(threads);
            if (now) {
                assertEquals(List.of(), empty.closeNow());
                assertEquals(List.of(0), full.closeNow());
            } else {
                empty.close();
                full.close();
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(waits.size(), released.get());
        }
    }

    @Test
    void joinWaitsForDoneNotForEmpty() throws Exception {
        var queue = new WorkQueue<Integer>(2);
        queue.put(1);
        queue.take();
        var joined = new CountDownLatch(1);
        Thread joiner = Thread.startVirtualThread(() -> {
            assertThrows(InterruptedException.class, queue::join);
            joined.countDown();
        });
        awaitWaiting(List.of(joiner));
        joiner.interrupt();
        joined.await();
        queue.done();
        queue.join();
    }

    @Test
    void theLastDoneReleasesJoinAndNoneBefore() throws Exception {
        var queue = new WorkQueue<Integer>(2);
        queue.put(1);
        queue.put(2);
        Thread joiner = Thread.startVirtualThread(() -> assertDoesNotThrow(queue::join));
        queue.take();
        awaitWaiting(List.of(joiner));
        queue.done(); // the other is still queued
        awaitWaiting(List.of(joiner));
        assertTrue(joiner.isAlive(), "join returned with an item in the queue");
        queue.take();
        queue.done();
        joiner.join();
    }

    @Test
    void closeNowEndsJoinAndHandsOverWhatIsQueued() throws Exception {
        var queue = new WorkQueue<Integer>(3);
        queue.put(1);
        queue.put(2);
        queue.take();
        assertEquals(List.of(2), queue.closeNow());
        assertThrows(WorkQueue.ClosedException.class, queue::join);
        assertThrows(WorkQueue.ClosedException.class, queue::take);
    }

    @Test
    void anotherConsumerTakesOverEvenIfTheQueueIsClosedAndEmptyMeanwhile() throws Exception {
        var queue = new WorkQueue<String>(1);
        var held = new CountDownLatch(1);
        var fail = new CountDownLatch(1);
        queue.put("only");
        var attempts = new AtomicInteger();
        var consumed = new ArrayList<Throwable>();
        Thread owner = Thread.startVirtualThread(() -> {
            try {
                consumed.addAll(queue.consume(2, item -> {
                    if (attempts.incrementAndGet() == 1) {
                        held.countDown();
                        fail.await();
                        throw new IllegalStateException("first");
                    }
                }));
            } catch (Exception e) {
                consumed.add(e);
            }
        });
        held.await();
        queue.close();
        fail.countDown();
        owner.join();
        assertEquals(2, attempts.get());
        assertEquals("first", consumed.getFirst().getMessage());
        queue.join();
    }

    @Test
    void allConsumersFailedReleasesProducersAndLosesNothing() throws Exception {
        var queue = new WorkQueue<Integer>(2);
        Thread producer = Thread.startVirtualThread(() -> {
            try {
                for (int i = 0; ; i++) {
                    queue.put(i);
                }
            } catch (WorkQueue.ClosedException | InterruptedException e) {
                // released
            }
        });
        var error = new StackOverflowError();
        var bothHaveOne = new CyclicBarrier(2); // else both may fail with the first, before there is a second
        var e = assertThrows(ExecutionException.class, () -> queue.consume(2, item -> {
            bothHaveOne.await();
            if (item == 0) {
                throw error;
            }
            throw new IllegalStateException();
        }));
        producer.join();
        assertSame(error, e.getCause() == error ? error : e.getSuppressed()[0]);
        assertEquals(1, e.getSuppressed().length);
        var left = queue.closeNow();
        assertTrue(left.containsAll(List.of(0, 1)), "handed back: " + left);
        assertEquals(List.of(), queue.closeNow());
    }

    @Test
    void itemOfFailedConsumerGoesBackToTheFront() throws Exception {
        var queue = new WorkQueue<Integer>(3);
        queue.put(1);
        queue.put(2);
        queue.put(3);
        assertThrows(ExecutionException.class, () -> queue.consume(1, item -> {
            throw new IllegalStateException();
        }));
        assertEquals(List.of(1, 2, 3), queue.closeNow());
    }

    @Test
    void interruptEndsConsumersAndKeepsWhatTheyHold() throws Exception {
        var queue = new WorkQueue<Integer>(5);
        queue.put(1);
        queue.put(2);
        queue.put(3);
        var busy = new CountDownLatch(2);
        var ended = new AtomicInteger();
        Thread owner = Thread.currentThread();
        Thread.startVirtualThread(() -> {
            try {
                busy.await();
            } catch (InterruptedException e) {
                return;
            }
            owner.interrupt();
        });
        var e = assertThrows(InterruptedException.class, () -> queue.consume(2, item -> {
            busy.countDown();
            try {
                new CountDownLatch(1).await();
            } finally {
                ended.incrementAndGet();
                if (item == 2) {
                    throw new IllegalStateException("cleanup");
                }
            }
        }));
        assertEquals(2, ended.get());
        assertEquals(1, e.getSuppressed().length);
        assertInstanceOf(IllegalStateException.class, e.getSuppressed()[0]);
        assertEquals(List.of(1, 2, 3), queue.closeNow().stream().sorted().toList());
    }

    @Test
    void leftoverInterruptFlagOfAHandlerDoesNotEndItsConsumer() throws Exception {
        var queue = new WorkQueue<Integer>(5);
        var handled = new AtomicInteger();
        for (int i = 0; i < 5; i++) {
            queue.put(i);
        }
        queue.close();
        assertEquals(List.of(), queue.consume(1, item -> {
            handled.incrementAndGet();
            Thread.currentThread().interrupt();
        }));
        assertEquals(5, handled.get());
    }

    /**
     * Producers with timeouts, consumers with take and done, all interrupted at random: each item is handled once, then
     * join returns.
     */
    @Test
    void stressTakeAndDone() throws Exception {
        int producers = 4;
        int each = 25_000;
        var queue = new WorkQueue<Integer>(16);
        var handled = new AtomicIntegerArray(producers * each);
        var left = new AtomicInteger(producers);
        var tasks = new ArrayList<Chaos.Task>();
        for (int p = 0; p < producers; p++) {
            int first = p * each;
            tasks.add(() -> {
                var random = new Random(first);
                for (int i = first; i < first + each; i++) {
                    int item = i;
                    Chaos.insist(() -> {
                        if (random.nextBoolean()) {
                            queue.put(item);
                        } else {
                            while (!queue.offer(item, Duration.ofNanos(random.nextInt(50_000)))) {
                                Thread.yield();
                            }
                        }
                    });
                }
                if (left.decrementAndGet() == 0) {
                    queue.close();
                }
            });
        }
        for (int c = 0; c < 4; c++) {
            tasks.add(() -> {
                while (true) {
                    try {
                        Integer item = ThreadLocalRandom.current().nextBoolean() ? queue.take()
                                : queue.poll(ThreadLocalRandom.current().nextInt(50_000), TimeUnit.NANOSECONDS);
                        if (item != null) {
                            handled.incrementAndGet(item);
                            queue.done();
                        }
                    } catch (InterruptedException e) {
                        // nothing was taken
                    } catch (WorkQueue.ClosedException e) {
                        return;
                    }
                }
            });
        }
        tasks.add(() -> Chaos.insist(() -> {
            while (left.get() > 0) {
                Thread.sleep(1);
            }
            queue.join();
            for (int i = 0; i < handled.length(); i++) {
                assertEquals(1, handled.get(i), "item " + i);
            }
        }));
        long interrupts = Chaos.run(tasks);
        System.out.println("WorkQueue: " + handled.length() + " items through take and done, " + interrupts
                + " interrupts");
    }

    /**
     * Rounds with failing consumers, some interrupted: what is put is handled once, or handed over by closeNow; no
     * consumer lives on.
     */
    @Test
    void stressConsume() throws Exception {
        int rounds = 500;
        int each = 250;
        var random = new Random(7);
        int failedRounds = 0;
        int interruptedRounds = 0;
        int takenOver = 0;
        for (int round = 0; round < rounds; round++) {
            var queue = new WorkQueue<Integer>(1 + random.nextInt(8));
            var handled = new AtomicIntegerArray(each);
            var threads = ConcurrentHashMap.<Thread>newKeySet();
            var start = new CyclicBarrier(2);
            var put = new AtomicInteger();
            Thread producer = Thread.startVirtualThread(() -> {
                try (queue) {
                    start.await();
                    for (int i = 0; i < each; i++) {
                        queue.put(i);
                        put.incrementAndGet();
                    }
                } catch (WorkQueue.ClosedException e) {
                    // consumers are gone
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            int oddsOfFailure = random.nextBoolean() ? 50 : 1_000;
            int interruptAt = random.nextInt(3) == 0 ? random.nextInt(each) : -1;
            int seed = round;
            Thread owner = Thread.currentThread();
            start.await();
            try {
                takenOver += queue.consume(3, item -> {
                    threads.add(Thread.currentThread());
                    if (item == interruptAt) {
                        owner.interrupt();
                        Thread.sleep(Duration.ofDays(1));
                    }
                    if (new Random(seed * 31L + item + System.nanoTime()).nextInt(oddsOfFailure) == 0) {
                        throw new IllegalStateException();
                    }
                    handled.incrementAndGet(item);
                }).size();
            } catch (ExecutionException e) {
                assertEquals(2, e.getSuppressed().length);
                failedRounds++;
            } catch (InterruptedException e) {
                interruptedRounds++;
            }
            for (Thread thread : threads) {
                // the executor counts it out just before it ends
                assertTrue(thread.join(Duration.ofSeconds(500)), "a consumer lives on");
            }
            producer.join();
            queue.closeNow().forEach(handled::incrementAndGet);
            for (int i = 0; i < each; i++) {
                assertEquals(i < put.get() ? 1 : 0, handled.get(i), "round " + round + " item " + i);
            }
        }
        assertTrue(failedRounds > 0 && interruptedRounds > 0 && takenOver > 0);
        System.out.println("WorkQueue: " + rounds + " rounds of " + each + " items, " + failedRounds + " failed, "
                + interruptedRounds
                + " interrupted, " + takenOver + " consumers taken over");
    }

    private static void awaitWaiting(List<Thread> threads) throws InterruptedException {
        for (Thread thread : threads) {
            while (thread.getState() != Thread.State.WAITING && thread.getState() != Thread.State.TIMED_WAITING) {
                Thread.sleep(1);
            }
        }
    }
}
