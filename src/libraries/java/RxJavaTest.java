import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.reactivex.rxjava3.core.Flowable;
import io.reactivex.rxjava3.core.Single;
import io.reactivex.rxjava3.schedulers.Schedulers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.reactivestreams.FlowAdapters;

/** The bridges beside RxJava 3. */
@Timeout(60)
class RxJavaTest {

    // @start region="blocking"
    static <T> Single<T> blocking(Offload offload, Callable<T> work) {
        return Single.create(emitter -> {
            CompletableFuture<T> call = offload.call(work);
            emitter.setCancellable(() -> call.cancel(true)); // Single.fromCompletionStage does not cancel
            call.whenComplete((value, failure) -> {
                if (failure == null) {
                    emitter.onSuccess(value);
                } else {
                    emitter.tryOnError(failure); // after dispose() nobody is there to hear of it
                }
            });
        });
    }
    // @end region="blocking"

    @Test
    void blockingWorkInAVirtualThreadAndBack() {
        try (var offload = new Offload(100, 10_000)) {
            String user = blocking(offload, () -> Work.find(7)).observeOn(Schedulers.computation())
                    .map(found -> found + ", back in " + Thread.currentThread().getName()).blockingGet();
            assertTrue(user.startsWith("user 7 from a virtual thread, back in RxComputation"), user);
            var users = Flowable.range(0, 1_000).concatMapEager(id -> blocking(offload, () -> Work.find(id))
                    .toFlowable(), 100, 1).toList().blockingGet();
            assertEquals(1_000, users.size());
        }
    }

    @Test
    void disposeAndTimeoutInterruptTheWork() throws Exception {
        try (var offload = new Offload(100, 0)) {
            var disposed = new Work();
            var subscription = blocking(offload, disposed::forever).subscribe(value -> { }, failure -> { });
            disposed.begun.await();
            subscription.dispose();
            disposed.interrupted.await();
            Work.awaitInterrupted(late -> assertThrows(RuntimeException.class, () ->
                    blocking(offload, late::forever).timeout(50, TimeUnit.MILLISECONDS).blockingGet()));
        }
    }

    @Test
    void fromCompletionStageDoesNotCancel() {
        var stage = new CompletableFuture<String>();
        Single.fromCompletionStage(stage).subscribe(value -> { }, failure -> { }).dispose();
        assertFalse(stage.isCancelled());
    }

    @Test
    void aSingleFromBlockingCodeCancelledByInterruptAndTimeout() throws Exception {
        // @start region="await"
        String answer = FutureBridge.await(Single.just("answer").toCompletionStage(), Duration.ofSeconds(10));
        // @end region="await"
        assertEquals("answer", answer);
        var disposed = new CountDownLatch(2);
        Single<String> never = Single.<String>never().doOnDispose(disposed::countDown);
        assertThrows(TimeoutException.class, () -> FutureBridge.await(never.toCompletionStage(), Duration.ofMillis(1)));
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> FutureBridge.await(never.toCompletionStage()));
        disposed.await();
    }

    @Test
    void aFlowableReadByALoop() throws Exception {
        var cancelled = new CountDownLatch(1);
        var read = new ArrayList<Integer>();
        Flowable<Integer> flowable = Flowable.range(0, 1_000_000).doOnCancel(cancelled::countDown);
        // @start region="iterate"
        try (var items = new PublisherToIterator<>(FlowAdapters.toFlowPublisher(flowable), 16)) {
            while (items.hasNext() && read.size() < 100) {
                read.add(items.next());
            }
        }
        // @end region="iterate"
        cancelled.await();
        assertEquals(IntStream.range(0, 100).boxed().toList(), read);
    }
}
