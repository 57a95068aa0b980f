import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class GeneratorTest {

    private static Generator<Integer> count(int items, AtomicInteger open) {
        return new Generator<>(out -> {
            open.incrementAndGet();
            try {
                for (int i = 0; i < items; i++) {
                    out.yield(i);
                }
            } finally {
                open.decrementAndGet();
            }
        });
    }

    @Test
    void yieldsAllInOrderThenEnds() {
        var open = new AtomicInteger();
        try (var numbers = count(1_000, open)) {
            for (int i = 0; i < 1_000; i++) {
                assertTrue(numbers.hasNext());
                assertEquals(i, numbers.next());
            }
            assertFalse(numbers.hasNext());
            assertThrows(NoSuchElementException.class, numbers::next);
            assertEquals(0, open.get());
        }
    }

    @Test
    void bodyDoesNotRunUnlessAsked() {
        var open = new AtomicInteger();
        var numbers = count(3, open);
        numbers.close();
        numbers.close();
        assertThrows(IllegalStateException.class, numbers::hasNext);
        assertEquals(0, open.get());
    }

    @Test
    void producerIsOneItemAheadAtMost() {
        var computed = new AtomicInteger();
        try (var numbers = new Generator<Integer>(out -> {
            while (true) {
                out.yield(computed.incrementAndGet());
            }
        })) {
            for (int i = 1; i <= 100; i++) {
                assertEquals(i, numbers.next());
                assertTrue(computed.get() <= i + 1);
            }
        }
    }

    @Test
    void closeWaitsForTheBodysFinally() {
        var finished = new AtomicInteger();
        var numbers = new Generator<Integer>(out -> {
            try {
                out.yield(1);
                out.yield(2);
            } finally {
                Thread.interrupted();
                Thread.sleep(50);
                finished.incrementAndGet();
            }
        });
        numbers.next();
        Thread.currentThread().interrupt();
        numbers.close();
        assertTrue(Thread.interrupted(), "the interrupt is kept");
        assertEquals(1, finished.get());
        assertThrows(IllegalStateException.class, numbers::next);
    }

    @Test
    void bodyThatSwallowsTheInterruptIsToldAgain() {
        var told = new AtomicInteger();
        var numbers = new Generator<Integer>(out -> {
            while (told.get() < 3) {
                try {
                    out.yield(1);
                } catch (InterruptedException e) {
                    told.incrementAndGet();
                }
            }
        });
        numbers.next();
        numbers.close();
        assertEquals(3, told.get());
    }

    @Test
    void failureReachesTheConsumerAfterTheItems() {
        var failure = new IOException("page 2");
        var numbers = new Generator<Integer>(out -> {
            out.yield(1);
            throw failure;
        });
        assertEquals(1, numbers.next());
        assertSame(failure, assertThrows(CompletionException.class, numbers::hasNext).getCause());
        assertSame(failure, assertThrows(CompletionException.class, numbers::next).getCause());
        numbers.close(); // seen: not thrown again
    }

    @Test
    void failureNobodyHasSeenIsThrownByClose() {
        var failure = new IllegalStateException("cleanup");
        var numbers = new Generator<Integer>(out -> {
            try {
                out.yield(1);
                out.yield(2);
            } finally {
                throwIt(failure);
            }
        });
        numbers.next();
        assertSame(failure, assertThrows(CompletionException.class, numbers::close).getCause());
        numbers.close();
    }

    private static void throwIt(RuntimeException failure) {
        throw failure;
    }

    @Test
    void anInterruptOfTheBodyThatIsNotCloseIsAFailure() {
        try (var numbers = new Generator<Integer>(out -> {
            Thread.currentThread().interrupt();
            out.yield(1);
        })) {
            assertTrue(assertThrows(CompletionException.class,
                    numbers::hasNext).getCause() instanceof InterruptedException);
        }
    }

    @Test
    void interruptedConsumerKeepsItsFlagAndMayGoOn() {
        var go = new CountDownLatch(1);
        try (var numbers = new Generator<Integer>(out -> {
            go.await();
            out.yield(7);
        })) {
            Thread.currentThread().interrupt();
            assertThrows(CancellationException.class, numbers::hasNext);
            assertTrue(Thread.interrupted());
            go.countDown();
            assertEquals(7, numbers.next());
        }
    }

    @Test
    void closeFromAnotherThreadReleasesTheConsumer() throws Exception {
        var numbers = new Generator<Integer>(out -> new CountDownLatch(1).await());
        Thread consumer = Thread.currentThread();
        Thread closer = Thread.startVirtualThread(() -> {
            while (consumer.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            numbers.close();
        });
        assertThrows(IllegalStateException.class, numbers::hasNext);
        closer.join();
    }

    @Test
    void misuseIsRefused() {
        var outs = new ArrayList<Generator.Output<Integer>>();
        var self = new ArrayList<Generator<Integer>>();
        var numbers = new Generator<Integer>(out -> {
            outs.add(out);
            assertThrows(IllegalStateException.class, self.getFirst()::close);
            assertThrows(NullPointerException.class, () -> out.yield(null));
            out.yield(1);
        });
        self.add(numbers);
        assertTrue(numbers.hasNext());
        assertThrows(IllegalStateException.class, () -> outs.getFirst().yield(2));
        assertEquals(1, numbers.next());
        assertFalse(numbers.hasNext());
        numbers.close();
    }

    @Test
    void asStream() {
        var open = new AtomicInteger();
        try (Stream<Integer> numbers = count(Integer.MAX_VALUE, open).stream()) {
            assertEquals(List.of(0, 2, 4), numbers.filter(n -> n % 2 == 0).limit(3).toList());
            assertEquals(1, open.get(), "a terminal operation does not close");
        }
        assertEquals(0, open.get());
        assertEquals(List.of(0, 1, 0, 1, 0, 1), // flatMap closes what it opens
                Stream.of(1, 2, 3).flatMap(i -> count(10, open).stream().limit(2)).toList());
        assertEquals(0, open.get());
    }

    /**
     * Generators left early, failing, or read to the end under interrupts: a gapless prefix arrives, and no producer is
     * left open.
     */
    @Test
    void aSecondCloseDoesNotInterruptAgain() throws Exception {
        var begun = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var hits = new AtomicInteger();
        var generator = new Generator<String>(out -> {
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
        });
        Thread consumer = Thread.startVirtualThread(() -> assertThrows(IllegalStateException.class,
                generator::hasNext));
        begun.await();
        Thread one = Thread.startVirtualThread(generator::close);
        cleaning.await();
        Thread two = Thread.startVirtualThread(generator::close);
        for (Thread thread : List.of(one, two)) {
            while (thread.getState() != Thread.State.WAITING) {
                Thread.sleep(1);
            }
        }
        one.interrupt();
        finish.countDown();
        one.join();
        two.join();
        consumer.join();
        assertEquals(0, hits.get());
    }

    @Test
    void closeTakesTheAnswersToItsInterruptForNoFailure() throws Exception {
        var waiting = new Semaphore(0);
        List<Generator.Body<String>> bodies = List.of(out -> { // over another generator
            try (var inner = new Generator<String>(o -> {
                o.yield("row");
                waiting.release();
                new CountDownLatch(1).await();
            })) {
                while (inner.hasNext()) {
                    out.yield(inner.next());
                }
            }
        }, out -> {
            out.yield("row");
            try (var server = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
                 var socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                waiting.release();
                socket.getInputStream().read();
            }
        }, out -> {
            out.yield("row");
            try (var channel = DatagramChannel.open(StandardProtocolFamily.INET)) {
                channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                waiting.release();
                channel.receive(ByteBuffer.allocate(9));
            }
        });
        for (var body : bodies) {
            var generator = new Generator<>(body);
            assertEquals("row", generator.next());
            waiting.acquire();
            generator.close(); // throws nothing
        }
        var failing = new Generator<String>(out -> {
            try {
                out.yield("row");
                out.yield("row");
            } finally {
                throwIt(new CancellationException("the body's own, without a flag"));
            }
        });
        failing.next();
        assertThrows(CompletionException.class, failing::close);
    }

    @Test
    void stress() throws Exception {
        int consumers = 4;
        int rounds = 500;
        var open = new AtomicInteger();
        var items = new AtomicInteger();
        var tasks = new ArrayList<Chaos.Task>();
        for (int c = 0; c < consumers; c++) {
            var random = new Random(c);
            tasks.add(() -> {
                for (int round = 0; round < rounds; round++) {
                    int end = random.nextInt(120);
                    boolean fail = random.nextInt(4) == 0;
                    int leaveAt = random.nextInt(3) == 0 ? random.nextInt(120) : Integer.MAX_VALUE;
                    int expected = 0;
                    boolean failed = false;
                    try (var numbers = new Generator<Integer>(out -> {
                        open.incrementAndGet();
                        try {
                            for (int i = 0; i < end; i++) {
                                out.yield(i);
                            }
                            if (fail) {
                                throw new IllegalStateException();
                            }
                        } finally {
                            open.decrementAndGet();
                        }
                    })) {
                        while (expected < leaveAt) {
                            try {
                                if (!numbers.hasNext()) {
                                    break;
                                }
                                assertEquals(expected, numbers.next());
                                expected++;
                            } catch (CancellationException e) {
                                assertTrue(Thread.interrupted());
                            }
                        }
                    } catch (CompletionException e) {
                        failed = true; // by hasNext, or by close if left just before
                    }
                    assertTrue(failed ? fail && expected == end : expected == Math.min(end, leaveAt) && (!fail
                            || leaveAt <= end));
                    items.addAndGet(expected);
                }
            });
        }
        long interrupts = Chaos.run(tasks);
        assertEquals(0, open.get(), "producers left open");
        assertTrue(items.get() >= 75_000);
        System.out.println("Generator: " + items + " items from " + consumers * rounds + " generators, "
                + interrupts + " interrupts");
    }
}
