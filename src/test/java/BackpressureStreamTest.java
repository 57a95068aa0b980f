import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class BackpressureStreamTest {

    private static List<Integer> drain(BackpressureStream<Integer>.Subscription subscription) throws Exception {
        var items = new ArrayList<Integer>();
        for (var item = subscription.take(); item.isPresent(); item = subscription.take()) {
            items.add(item.get());
        }
        return items;
    }

    private static Thread publishing(BackpressureStream<Integer> stream, int item, Outcome outcome) throws Exception {
        Thread thread = Thread.startVirtualThread(() -> {
            try {
                stream.publish(item);
                outcome.value = "published";
            } catch (InterruptedException | IllegalStateException e) {
                outcome.value = e.getClass().getSimpleName();
            }
        });
        while (thread.getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
        return thread;
    }

    private static final class Outcome {
        private volatile String value;
    }

    @Test
    void aSlowSubscriberHurtsOnlyItself() throws Exception {
        var stream = new BackpressureStream<Integer>();
        var roomy = stream.subscribe(100, BackpressureStream.WhenFull.BLOCK);
        var oldest = stream.subscribe(3, BackpressureStream.WhenFull.DROP_OLDEST);
        var newest = stream.subscribe(3, BackpressureStream.WhenFull.DROP_NEWEST);
        var latest = stream.subscribe(1, BackpressureStream.WhenFull.DROP_OLDEST);
        var cutOff = stream.subscribe(3, BackpressureStream.WhenFull.FAIL);
        for (int i = 0; i < 100; i++) {
            stream.publish(i); // nobody reads, and this does not wait
        }
        stream.close();
        assertEquals(100, drain(roomy).size());
        assertEquals(List.of(97, 98, 99), drain(oldest));
        assertEquals(List.of(0, 1, 2), drain(newest));
        assertEquals(List.of(99), drain(latest));
        assertEquals(List.of(0L, 97L, 97L, 99L),
                List.of(roomy.dropped(), oldest.dropped(), newest.dropped(), latest.dropped()));
        for (int i = 0; i < 3; i++) {
            assertEquals(i, cutOff.take().orElseThrow());
        }
        assertInstanceOf(BackpressureStream.SlowSubscriberException.class,
                assertThrows(ExecutionException.class, cutOff::take).getCause());
    }

    @Test
    void blockMakesTheSourceWaitUntilRead() throws Exception {
        try (var stream = new BackpressureStream<Integer>()) {
            var slow = stream.subscribe(1, BackpressureStream.WhenFull.BLOCK);
            var other = stream.subscribe(5, BackpressureStream.WhenFull.DROP_NEWEST);
            stream.publish(1);
            var outcome = new Outcome();
            Thread source = publishing(stream, 2, outcome);
            assertEquals(1, other.take().orElseThrow());
            assertEquals(2, other.take().orElseThrow(), "who does not block has it already");
            assertEquals(1, slow.take().orElseThrow());
            source.join();
            assertEquals("published", outcome.value);
            assertEquals(2, slow.take().orElseThrow());
        }
    }

    @Test
    void aSourceThatWaitsIsReleasedByInterruptByTheEndAndBySubscribersLeaving() throws Exception {
        for (String how : List.of("InterruptedException", "IllegalStateException", "published")) {
            var stream = new BackpressureStream<Integer>();
            var full = stream.subscribe(1, BackpressureStream.WhenFull.BLOCK);
            stream.publish(1);
            var roomy = stream.subscribe(5, BackpressureStream.WhenFull.BLOCK);
            var outcome = new Outcome();
            Thread source = publishing(stream, 2, outcome);
            switch (how) {
                case "InterruptedException" -> source.interrupt();
                case "IllegalStateException" -> stream.close();
                default -> full.close();
            }
            source.join();
            assertEquals(how, outcome.value);
            stream.close();
            if (how.equals("published")) {
                assertTrue(full.take().isEmpty());
            } else {
                assertEquals(List.of(1), drain(full));
                assertEquals(1, full.dropped());
            }
            assertEquals(how.equals("IllegalStateException") ? List.of() : List.of(2), drain(roomy));
            assertEquals(how.equals("IllegalStateException") ? 1 : 0, roomy.dropped());
        }
    }

    @Test
    void aSourceBehindAnotherThatWaitsCanBeInterrupted() throws Exception {
        var stream = new BackpressureStream<Integer>();
        var full = stream.subscribe(1, BackpressureStream.WhenFull.BLOCK);
        stream.publish(1);
        var first = new Outcome();
        var second = new Outcome();
        Thread ahead = publishing(stream, 2, first);
        Thread behind = publishing(stream, 3, second);
        behind.interrupt();
        behind.join();
        assertEquals("InterruptedException", second.value);
        full.close();
        ahead.join();
        assertEquals("published", first.value);
    }

    @Test
    void failureReachesSubscribersAfterTheItems() throws Exception {
        var stream = new BackpressureStream<Integer>();
        var subscription = stream.subscribe(2, BackpressureStream.WhenFull.BLOCK);
        stream.publish(1);
        var failure = new IllegalStateException("source");
        stream.fail(failure);
        stream.close(); // the first end counts
        assertThrows(IllegalStateException.class, () -> stream.publish(2));
        assertEquals(1, subscription.take().orElseThrow());
        assertSame(failure, assertThrows(ExecutionException.class, subscription::take).getCause());
        var late = stream.subscribe(1, BackpressureStream.WhenFull.FAIL);
        assertSame(failure, assertThrows(ExecutionException.class, late::take).getCause());
    }

    @Test
    void aReaderThatWaitsIsReleasedByTheEndAndByItsOwnClose() throws Exception {
        for (boolean end : new boolean[] {true, false}) {
            var stream = new BackpressureStream<Integer>();
            var subscription = stream.subscribe(2, BackpressureStream.WhenFull.DROP_OLDEST);
            var released = new AtomicBoolean();
            Thread reader = Thread.startVirtualThread(() -> {
                try {
                    released.set(subscription.take().isEmpty());
                } catch (InterruptedException | ExecutionException e) {
                    throw new AssertionError(e);
                }
            });
            while (reader.getState() != Thread.State.WAITING) {
                Thread.sleep(1);
            }
            if (end) {
                stream.close();
            } else {
                subscription.close();
            }
            reader.join();
            assertTrue(released.get());
        }
    }

    @Test
    void anEndedStreamKeepsNobody() throws Exception {
        var stream = new BackpressureStream<String>();
        var kept = new ArrayList<WeakReference<Object>>();
        stream.close();
        for (int i = 0; i < 100; i++) {
            var late = stream.subscribe(1, BackpressureStream.WhenFull.BLOCK);
            assertTrue(late.take().isEmpty());
            kept.add(new WeakReference<>(late));
        }
        while (kept.stream().filter(subscription -> subscription.get() != null).count() > 1) { // a local variable's
            System.gc();
            Thread.sleep(1);
        }
        Reference.reachabilityFence(stream);
    }

    @Test
    void refusesNonsense() {
        var stream = new BackpressureStream<String>();
        assertThrows(IllegalArgumentException.class, () -> stream.subscribe(0, BackpressureStream.WhenFull.BLOCK));
        assertThrows(NullPointerException.class, () -> stream.subscribe(1, null));
        assertThrows(NullPointerException.class, () -> stream.publish(null));
        assertThrows(NullPointerException.class, () -> stream.fail(null));
    }

    /**
     * Two sources, five readers, with and without interrupts: each reader's reads and misses add up, in the order of
     * each source.
     */
    @Test
    void stress() throws Exception {
        int quiet = pump(false);
        int chaotic = pump(true);
        System.out.println("BackpressureStream: " + quiet + " items read without, " + chaotic
                + " with interrupts, by 5 readers");
    }

    private static int pump(boolean chaos) throws Exception {
        int sources = 2;
        int each = 10_000;
        var stream = new BackpressureStream<Integer>();
        var policies = List.of(BackpressureStream.WhenFull.BLOCK, BackpressureStream.WhenFull.DROP_OLDEST,
                BackpressureStream.WhenFull.DROP_NEWEST, BackpressureStream.WhenFull.BLOCK,
                        BackpressureStream.WhenFull.FAIL);
        var accounted = new AtomicIntegerArray(policies.size());
        var published = new AtomicInteger();
        var read = new AtomicInteger();
        var sequences = policies.stream().map(policy -> new ArrayList<Integer>()).toList();
        var left = new AtomicInteger(sources);
        var tasks = new ArrayList<Chaos.Task>();
        for (int r = 0; r < policies.size(); r++) {
            int reader = r;
            var subscription = stream.subscribe(8, policies.get(r));
            tasks.add(() -> {
                var random = new Random(reader);
                var last = new int[] {-1, -1};
                int count = 0;
                while (true) {
                    try {
                        var item = subscription.take();
                        if (item.isEmpty()) {
                            break;
                        }
                        count++;
                        sequences.get(reader).add(item.get());
                        int source = item.get() / each;
                        assertTrue(last[source] < item.get(), "order, and nothing twice");
                        last[source] = item.get();
                        if (random.nextInt(500) == 0) {
                            Thread.yield();
                        }
                    } catch (InterruptedException e) {
                        // nothing was taken
                    } catch (ExecutionException e) {
                        assertEquals(BackpressureStream.WhenFull.FAIL, policies.get(reader));
                        return;
                    }
                }
                read.addAndGet(count);
                accounted.set(reader, count + (int) subscription.dropped());
                assertTrue(chaos || reader % 3 != 0 || subscription.dropped() == 0, "BLOCK loses nothing");
            });
        }
        for (int s = 0; s < sources; s++) {
            int first = s * each;
            tasks.add(() -> {
                for (int i = first; i < first + each; i++) {
                    try {
                        stream.publish(i);
                        published.incrementAndGet();
                    } catch (InterruptedException e) {
                        // reached nobody, or those with room
                    }
                }
                if (left.decrementAndGet() == 0) {
                    stream.close();
                }
            });
        }
        Chaos.run(tasks, chaos ? Duration.ofNanos(20_000) : null);
        if (!chaos) {
            assertEquals(sequences.get(0), sequences.get(3), "both that lose nothing see the same order");
        }
        for (int reader = 1; reader < 4; reader++) {
            assertEquals(accounted.get(0), accounted.get(reader), "reads and misses of reader " + reader);
        }
        assertTrue(chaos ? accounted.get(0) >= published.get() : accounted.get(0) == sources * each);
        return read.get();
    }
}
