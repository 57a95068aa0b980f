import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class PriorityWorkQueueTest {

    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);

    @Test
    void takesByPriorityThenByArrival() throws Exception {
        var queue = new PriorityWorkQueue<Integer>(3_000);
        var random = new Random(1);
        var expected = new ArrayList<List<Integer>>();
        for (int priority = 0; priority < 3; priority++) {
            expected.add(new ArrayList<>());
        }
        for (int i = 0; i < 3_000; i++) {
            int priority = random.nextInt(3);
            queue.put(priority, i);
            expected.get(priority).add(i);
        }
        queue.close();
        for (var equals : expected) {
            for (int item : equals) {
                assertEquals(item, queue.take());
            }
        }
        assertThrows(PriorityWorkQueue.ClosedException.class, queue::take);
    }

    @Test
    void extremesOfPriorityDoNotOverflow() throws Exception {
        var queue = new PriorityWorkQueue<String>(3);
        queue.put(Long.MAX_VALUE, "last");
        queue.put(0, "middle");
        queue.put(Long.MIN_VALUE, "first");
        assertEquals(List.of("first", "middle", "last"), queue.closeNow());
    }

    @Test
    void isBounded() throws Exception {
        var queue = new PriorityWorkQueue<String>(1);
        assertTrue(queue.offer(9, "a", LONG));
        assertFalse(queue.offer(1, "b", Duration.ZERO));
        assertFalse(queue.offer(1, "b", Duration.ofMillis(5)));
        assertThrows(NullPointerException.class, () -> queue.put(1, null), "before it waits for room");
        assertThrows(NullPointerException.class, () -> queue.offer(1, null, Duration.ZERO));
        assertEquals("a", queue.take());
        assertTrue(queue.offer(1, "b", Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> new PriorityWorkQueue<String>(0));
        assertThrows(NullPointerException.class, () -> new PriorityWorkQueue<String>(1).put(1, null));
    }

    @Test
    void takeLetsAWaitingProducerInAndPutWakesAConsumer() throws Exception {
        var queue = new PriorityWorkQueue<Integer>(1);
        Thread consumer = Thread.startVirtualThread(() -> assertDoesNotThrow(queue::take));
        awaitWaiting(consumer);
        queue.put(1, 1);
        consumer.join();
        queue.put(1, 2);
        Thread producer = Thread.startVirtualThread(() -> assertDoesNotThrow(() -> queue.put(1, 3)));
        awaitWaiting(producer);
        assertEquals(2, queue.take());
        producer.join();
        assertEquals(3, queue.take());
    }

    @Test
    void doesNotWaitIfToldNotTo() throws Exception {
        var queue = new PriorityWorkQueue<String>(2);
        Thread.currentThread().interrupt(); // it does not matter to those who never wait
        assertNull(queue.poll());
        assertTrue(queue.offer(2, "b"));
        assertTrue(queue.offer(1, "a"));
        assertFalse(queue.offer(0, "c"));
        assertEquals(2, queue.size());
        assertEquals("a", queue.poll());
        assertTrue(Thread.interrupted());
        assertEquals("b", queue.poll(Long.MAX_VALUE, TimeUnit.SECONDS));
        assertNull(queue.poll(Long.MIN_VALUE, TimeUnit.SECONDS));
        assertNull(queue.poll(5, TimeUnit.MILLISECONDS));
        queue.close();
        assertThrows(PriorityWorkQueue.ClosedException.class, queue::poll);
        assertThrows(PriorityWorkQueue.ClosedException.class, () -> queue.poll(0, TimeUnit.SECONDS));
        assertThrows(PriorityWorkQueue.ClosedException.class, () -> queue.offer(1, "d"));
    }

    @Test
    void joinWaitsForDoneAndEndsWithCloseNow() throws Exception {
        var queue = new PriorityWorkQueue<String>(2);
        assertThrows(IllegalStateException.class, queue::done);
        queue.join(); // nothing to wait for
        queue.put(2, "b");
        queue.put(1, "a");
        queue.take();
        Thread joiner = Thread.startVirtualThread(() -> assertDoesNotThrow(queue::join));
        awaitWaiting(joiner);
        queue.done(); // the other is still queued
        queue.take();
        awaitWaiting(joiner);
        assertTrue(joiner.isAlive());
        queue.done();
        joiner.join();
        queue.put(3, "c");
        Thread refused = Thread.startVirtualThread(
                () -> assertThrows(PriorityWorkQueue.ClosedException.class, queue::join));
        awaitWaiting(refused);
        assertEquals(List.of("c"), queue.closeNow());
        refused.join();
    }

    private static void awaitWaiting(Thread thread) throws InterruptedException {
        while (thread.getState() != Thread.State.WAITING && thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.sleep(1);
        }
    }

    @Test
    void closeReleasesEveryoneWhoWaits() throws Exception {
        for (boolean now : new boolean[] {false, true}) {
            var full = new PriorityWorkQueue<Integer>(1);
            full.put(0, 0);
            var empty = new PriorityWorkQueue<Integer>(1);
            List<Callable<Object>> waits = List.of(empty::take, empty::take, () -> full.offer(1, 1, LONG), () -> {
                full.put(1, 1);
                return null;
            });
            var threads = new ArrayList<Thread>();
            var released = new AtomicInteger();
            for (var wait : waits) {
                threads.add(Thread.startVirtualThread(() -> {
                    assertThrows(PriorityWorkQueue.ClosedException.class, wait::call);
                    released.incrementAndGet();
                }));
            }
            for (Thread thread : threads) {
                awaitWaiting(thread);
            }
            if (now) {
                assertEquals(List.of(), empty.closeNow());
                assertEquals(List.of(0), full.closeNow());
            } else {
                empty.close();
                full.close();
                assertEquals(0, full.take());
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(waits.size(), released.get());
        }
    }

    /**
     * 100,000 items, producers and consumers interrupted and timing out at random: each item is taken once, equals of a
     * producer in order.
     */
    @Test
    void stress() throws Exception {
        int producers = 4;
        int each = 25_000;
        var queue = new PriorityWorkQueue<Integer>(16);
        var taken = new AtomicIntegerArray(producers * each);
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
                            queue.put(item % 3, item);
                        } else {
                            while (!queue.offer(item % 3, item, Duration.ofNanos(random.nextInt(50_000)))) {
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
                var last = new int[producers][3];
                while (true) {
                    try {
                        int item = queue.take();
                        queue.done();
                        taken.incrementAndGet(item);
                        int before = last[item / each][item % 3];
                        assertTrue(before <= item, item + " after " + before + " of the same producer and priority");
                        last[item / each][item % 3] = item;
                    } catch (InterruptedException e) {
                        // nothing was taken
                    } catch (PriorityWorkQueue.ClosedException e) {
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
        }));
        long interrupts = Chaos.run(tasks);
        for (int i = 0; i < taken.length(); i++) {
            assertEquals(1, taken.get(i), "item " + i);
        }
        System.out.println("PriorityWorkQueue: " + taken.length() + " items, " + interrupts + " interrupts");
    }
}
