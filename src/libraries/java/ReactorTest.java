import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.adapter.JdkFlowAdapter;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

/** The bridges beside Reactor. */
@Timeout(60)
class ReactorTest {

    private static Mono<String> blocking(Offload offload, int id) {
        // @start region="blocking"
        return Mono.fromFuture(() -> offload.call(() -> Work.find(id))) // the supplier: a call for each subscriber
                .publishOn(Schedulers.parallel()); // back to Reactor's threads
        // @end region="blocking"
    }

    @Test
    void blockingWorkInAVirtualThreadAndBack() {
        try (var offload = new Offload(100, 10_000)) {
            String user = blocking(offload, 7).map(found -> found + ", back in " + Thread.currentThread().getName())
                    .block();
            assertTrue(user.startsWith("user 7 from a virtual thread, back in parallel-"), user);
            List<String> users = Flux.range(0, 1_000).flatMapSequential(id -> blocking(offload, id), 100).collectList()
                    .block();
            assertEquals(1_000, users.size());
            assertEquals("user 999 from a virtual thread", users.getLast());
            var failing = Mono.fromFuture(() -> offload.call(() -> {
                throw new IOException("boom");
            }));
            assertInstanceOf(IOException.class, assertThrows(RuntimeException.class, failing::block).getCause());
        }
    }

    @Test
    void disposeTimeoutAndLosingARaceInterruptTheWork() throws Exception {
        try (var offload = new Offload(100, 0)) {
            var disposed = new Work();
            var subscription = Mono.fromFuture(() -> offload.call(disposed::forever)).subscribe();
            disposed.begun.await();
            subscription.dispose();
            disposed.interrupted.await();
            Work.awaitInterrupted(late -> assertThrows(RuntimeException.class, () ->
                    Mono.fromFuture(() -> offload.call(late::forever)).timeout(Duration.ofMillis(100)).block()));
            Work.awaitInterrupted(loser -> assertEquals("fast", Mono.firstWithSignal(Mono.fromFuture(() ->
                    offload.call(loser::forever)),
                    Mono.delay(Duration.ofMillis(50)).thenReturn("fast")).block()));
        }
    }

    /** fromCallable on a scheduler: also interrupted when disposed. */
    @Test
    void boundedElasticInterruptsToo() throws Exception {
        var work = new Work();
        var subscription = Mono.fromCallable(work::forever).subscribeOn(Schedulers.boundedElastic())
                .subscribe(value -> { }, failure -> { });
        work.begun.await();
        subscription.dispose();
        work.interrupted.await();
    }

    @Test
    void aMonoFromBlockingCodeCancelledByInterruptAndTimeout() throws Exception {
        // @start region="await"
        String answer = FutureBridge.await(Mono.just("answer").delayElement(Duration.ofMillis(1)).toFuture(),
                Duration.ofSeconds(10));
        // @end region="await"
        assertEquals("answer", answer);
        var cancelled = new CountDownLatch(2);
        Mono<String> never = Mono.<String>never().doOnCancel(cancelled::countDown);
        assertThrows(TimeoutException.class, () -> FutureBridge.await(never.toFuture(), Duration.ofMillis(1)));
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> FutureBridge.await(never.toFuture()));
        cancelled.await();
        var boom = new IOException();
        assertEquals(boom, assertThrows(ExecutionException.class, () -> FutureBridge.await(Mono.error(boom)
                .toFuture())).getCause());
    }

    @Test
    void aFluxReadByALoopAndCancelledByLeavingIt() throws Exception {
        var cancelled = new CountDownLatch(1);
        var requested = new AtomicInteger();
        var read = new ArrayList<Integer>();
        Flux<Integer> flux = Flux.range(0, 1_000_000).doOnRequest(n -> requested.addAndGet((int) n))
                .doOnCancel(cancelled::countDown);
        // @start region="iterate"
        try (var items = new PublisherToIterator<>(JdkFlowAdapter.publisherToFlowPublisher(flux), 16)) {
            while (items.hasNext() && read.size() < 100) {
                read.add(items.next());
            }
        }
        // @end region="iterate"
        cancelled.await();
        assertEquals(IntStream.range(0, 100).boxed().toList(), read);
        assertTrue(requested.get() <= 116, () -> "requested " + requested);
    }

    @Test
    void aBlockingSourceAsAFlux() throws Exception {
        var closed = new CountDownLatch(1);
        var given = new AtomicInteger();
        // @start region="source"
        Flux<Integer> rows = JdkFlowAdapter.flowPublisherToFlux(new IteratorToPublisher<>(() ->
                new Rows(given, closed)));
        // @end region="source"
        assertEquals(IntStream.range(0, 50).boxed().toList(), rows.limitRate(10).take(50).collectList().block());
        closed.await();
        assertTrue(given.get() <= 60, () -> "read ahead " + given);
    }

    private record Rows(AtomicInteger given, CountDownLatch closed) implements IteratorToPublisher.Source<Integer> {
        @Override
        public Integer next() {
            return given.getAndIncrement();
        }

        @Override
        public void close() {
            closed.countDown();
        }
    }

    @Test
    void blockIsRefusedInReactorsThreadsAndStarvesWhereItIsNot() throws Exception {
        var refused = assertThrows(IllegalStateException.class,
                () -> Mono.just(1).publishOn(Schedulers.parallel())
                        .map(x -> Mono.just(2).delayElement(Duration.ofMillis(1)).block()).block());
        System.out.println("Reactor: " + refused.getMessage());
        int threads = Schedulers.DEFAULT_POOL_SIZE;
        var end = new CountDownLatch(1);
        var begun = new CountDownLatch(threads);
        var others = new AtomicBoolean();
        for (int i = 0; i < threads; i++) {
            Mono.fromRunnable(() -> {
                begun.countDown();
                try {
                    end.await(); // not noticed: only Reactor's own blocking methods are refused
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }).subscribeOn(Schedulers.parallel()).subscribe();
        }
        begun.await();
        var other = Mono.fromRunnable(() -> others.set(true)).subscribeOn(Schedulers.parallel()).toFuture();
        Thread.sleep(300);
        System.out.println("Reactor: " + threads + " parallel threads blocked, another operator ran within 300 ms: "
                + others);
        assertTrue(!others.get());
        end.countDown();
        other.join();
    }

    /**
     * From many blocking threads into a Flux: a sink refuses what comes at the same time, a queue behind a publisher
     * does not.
     */
    @Test
    void manyThreadsIntoOneFlux() throws Exception {
        int threads = 4;
        int each = 25_000;
        var refused = new AtomicInteger();
        Sinks.Many<Integer> sink = Sinks.many().unicast().onBackpressureBuffer();
        fromThreads(threads, each, item ->
                refused.addAndGet(sink.tryEmitNext(item) == Sinks.EmitResult.FAIL_NON_SERIALIZED ? 1 : 0));
        sink.tryEmitComplete();
        int through = sink.asFlux().collectList().block().size();
        System.out.println("Reactor: 100,000 items from 4 threads, tryEmitNext: " + through + " arrived, " + refused
                + " refused");
        assertEquals(threads * each, through + refused.get());

        // @start region="queue"
        var queue = new ArrayBlockingQueue<Integer>(100);
        Flux<Integer> items = JdkFlowAdapter.flowPublisherToFlux(new IteratorToPublisher<>(() ->
                new QueueSource(queue)));
        // @end region="queue"
        var received = items.take(threads * each).collectList().toFuture();
        fromThreads(threads, each, queue::put);
        assertEquals(threads * each, received.get().size());
    }

    private record QueueSource(BlockingQueue<Integer> queue) implements IteratorToPublisher.Source<Integer> {
        @Override
        public Integer next() throws InterruptedException {
            return queue.take();
        }

        @Override
        public void close() {
        }
    }

    private interface Put {
        void put(int item) throws InterruptedException;
    }

    private static void fromThreads(int threads, int each, Put put) throws InterruptedException {
        var all = new ArrayList<Thread>();
        for (int t = 0; t < threads; t++) {
            all.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < each; i++) {
                    try {
                        put.put(i);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }
            }));
        }
        for (Thread thread : all) {
            thread.join();
        }
    }

    /**
     * Work against dispose at every moment: each is either delivered or interrupted or never begun; nothing is left
     * running.
     */
    @Test
    void stress() throws Exception {
        int rounds = 20_000;
        var running = new AtomicInteger();
        var delivered = new AtomicInteger();
        try (var offload = new Offload(50, 100_000)) {
            for (int i = 0; i < rounds; i++) {
                int kind = i % 3;
                var subscription = Mono.fromFuture(() -> offload.call(() -> {
                    running.incrementAndGet();
                    try {
                        if (kind == 0) {
                            Thread.sleep(Duration.ofHours(1));
                        }
                        return kind;
                    } finally {
                        running.decrementAndGet();
                    }
                })).subscribe(value -> delivered.incrementAndGet(), failure -> { });
                if (kind == 0 || kind == 1 && i % 2 == 0) {
                    subscription.dispose();
                }
            }
        }
        System.out.println("Reactor: " + rounds + " calls, delivered " + delivered);
        assertEquals(0, running.get());
        assertTrue(delivered.get() >= rounds / 3);
    }
}
