import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The bridges beside Mutiny. */
@Timeout(60)
class MutinyTest {

    private static Uni<String> blocking(Offload offload, int id) {
        // @start region="blocking"
        return Uni.createFrom().completionStage(() -> offload.call(() -> Work.find(id)))
                .emitOn(Infrastructure.getDefaultWorkerPool()); // or the event loop's executor
        // @end region="blocking"
    }

    @Test
    void blockingWorkInAVirtualThreadAndBack() {
        try (var offload = new Offload(100, 10_000)) {
            String user = blocking(offload, 7).map(found -> found + ", back in " + Thread.currentThread().isVirtual())
                    .await().indefinitely();
            assertEquals("user 7 from a virtual thread, back in false", user);
            var users = Multi.createFrom().range(0, 1_000).onItem().transformToUni(id -> blocking(offload, id))
                    .merge(100).collect().asList()
                    .await().indefinitely();
            assertEquals(1_000, users.size());
        }
    }

    @Test
    void cancelAndTimeoutInterruptTheWork() throws Exception {
        try (var offload = new Offload(100, 0)) {
            var cancelled = new Work();
            var subscription = Uni.createFrom().completionStage(() -> offload.call(cancelled::forever)).subscribe()
                    .with(value -> { });
            cancelled.begun.await();
            subscription.cancel();
            cancelled.interrupted.await();
            Work.awaitInterrupted(late -> assertThrows(RuntimeException.class, () -> Uni.createFrom()
                    .completionStage(() -> offload.call(late::forever)).ifNoItem().after(Duration.ofMillis(50)).fail()
                            .await().indefinitely()));
        }
    }

    @Test
    void aUniFromBlockingCodeCancelledByInterruptAndTimeout() throws Exception {
        // @start region="await"
        String answer = FutureBridge.await(Uni.createFrom().item("answer").subscribeAsCompletionStage(),
                Duration.ofSeconds(10));
        // @end region="await"
        assertEquals("answer", answer);
        var cancelled = new CountDownLatch(2);
        Uni<String> never = Uni.createFrom().<String>nothing().onCancellation().invoke(cancelled::countDown);
        assertThrows(TimeoutException.class, () -> FutureBridge.await(never.subscribeAsCompletionStage(),
                Duration.ofMillis(1)));
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> FutureBridge.await(never.subscribeAsCompletionStage()));
        cancelled.await();
    }

    @Test
    void aMultiIsAFlowPublisherBothWays() throws Exception {
        var cancelled = new CountDownLatch(1);
        var read = new ArrayList<Integer>();
        Multi<Integer> multi = Multi.createFrom().range(0, 1_000_000).onCancellation().invoke(cancelled::countDown);
        // @start region="iterate"
        try (var items = new PublisherToIterator<>(multi, 16)) { // a Multi is a Flow.Publisher
            while (items.hasNext() && read.size() < 100) {
                read.add(items.next());
            }
        }
        // @end region="iterate"
        cancelled.await();
        assertEquals(IntStream.range(0, 100).boxed().toList(), read);
        var next = new AtomicInteger();
        var closed = new CountDownLatch(1);
        Multi<Integer> rows = Multi.createFrom().publisher(new IteratorToPublisher<>(() ->
                new IteratorToPublisher.Source<Integer>() {
            @Override
            public Integer next() {
                return next.getAndIncrement();
            }

            @Override
            public void close() {
                closed.countDown();
            }
        }));
        assertEquals(10, rows.select().first(10).collect().asList().await().indefinitely().size());
        closed.await();
        assertTrue(next.get() < 1_000_000);
    }
}
