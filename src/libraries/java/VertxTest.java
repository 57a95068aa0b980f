import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vertx.core.AbstractVerticle;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The bridges beside Vert.x 5. */
@Timeout(60)
class VertxTest {

    private final Vertx vertx = Vertx.vertx();
    private final Offload offload = new Offload(100, 10_000);
    private final Work work = new Work();

    @AfterEach
    void stop() throws Exception {
        FutureBridge.await(vertx.close().toCompletionStage());
        offload.close();
    }

    private String answer(String path) throws InterruptedException {
        return path.equals("/slow") ? work.forever() : Work.find(Integer.parseInt(path.substring(1)));
    }

    // @start region="handler"
    private void handle(HttpServerRequest request) { // in the event loop
        var call = offload.call(() -> answer(request.path()));
        request.response().closeHandler(gone -> call.cancel(true)); // a Vert.x Future cannot be cancelled, this can
        Future.fromCompletionStage(call, vertx.getOrCreateContext()) // back in the event loop
                .onSuccess(answer -> request.response().end(answer))
                .onFailure(failure -> request.response().setStatusCode(500).end());
    }
    // @end region="handler"

    @Test
    void blockingWorkBehindTheEventLoopInterruptedWhenTheClientLeaves() throws Exception {
        var server = FutureBridge.await(vertx.createHttpServer().requestHandler(this::handle).listen(0, "127.0.0.1")
                .toCompletionStage());
        try (var slow = new Socket(InetAddress.getLoopbackAddress(), server.actualPort())) {
            slow.getOutputStream().write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            work.begun.await();
            for (int i = 0; i < 50; i++) {
                try (InputStream in = URI.create("http://127.0.0.1:" + server.actualPort() + "/" + i).toURL()
                        .openStream()) {
                    assertEquals("user " + i + " from a virtual thread",
                            new String(in.readAllBytes(), StandardCharsets.US_ASCII));
                }
            }
        }
        work.interrupted.await();
    }

    @Test
    void executeBlockingRunsOneAfterTheOtherUnlessToldOtherwise() throws Exception {
        for (boolean ordered : new boolean[] {true, false}) {
            var peak = new AtomicInteger();
            var running = new AtomicInteger();
            var done = new CountDownLatch(10);
            var two = new CountDownLatch(2);
            vertx.runOnContext(v -> {
                for (int i = 0; i < 10; i++) {
                    vertx.executeBlocking(() -> {
                        peak.accumulateAndGet(running.incrementAndGet(), Math::max);
                        if (ordered) {
                            Thread.sleep(30);
                        } else {
                            two.countDown();
                            two.await(); // so that two are there at once, however slow the machine is
                        }
                        return running.decrementAndGet();
                    }, ordered).onComplete(result -> done.countDown());
                }
            });
            done.await();
            System.out.println("Vert.x: executeBlocking of 10 calls, ordered " + ordered + ": at once " + peak);
            assertTrue(ordered ? peak.get() == 1 : peak.get() > 1);
        }
    }

    /**
     * A verticle on virtual threads: await() frees the verticle for others, so its state may change at each await, as
     * in asyncio.
     */
    @Test
    void aVerticleOnVirtualThreadsAwaits() throws Exception {
        var log = new ArrayList<String>(); // of the verticle: one thread at a time
        var done = new CountDownLatch(1);
        // @start region="verticle"
        var verticle = new AbstractVerticle() {
            private final Promise<String> approval = Promise.promise();

            @Override
            public void start() {
                vertx.eventBus().<String>consumer("order", message -> {
                    log.add("order");
                    log.add(approval.future().await()); // looks blocking; other handlers of the verticle run meanwhile
                    done.countDown();
                });
                vertx.eventBus().<String>consumer("approve", message -> approval.complete("approved"));
            }
        };
        FutureBridge.await(vertx.deployVerticle(verticle, new DeploymentOptions()
                .setThreadingModel(ThreadingModel.VIRTUAL_THREAD))
                .toCompletionStage());
        // @end region="verticle"
        vertx.eventBus().send("order", "a");
        vertx.eventBus().send("approve", "a");
        done.await();
        assertEquals(List.of("order", "approved"), log);
    }

    @Test
    void cancellingTheStageDoesNotReachAVertxFuture() throws Exception {
        Promise<String> promise = Promise.promise();
        var stage = promise.future().toCompletionStage().toCompletableFuture();
        stage.cancel(true);
        assertTrue(!promise.future().isComplete());
        assertTrue(promise.tryComplete("late"), "the operation went on");
        assertEquals("v", FutureBridge.await(vertx.timer(1).map("v").toCompletionStage(), Duration.ofSeconds(10)));
    }
}
