import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;
import io.netty.handler.codec.string.StringEncoder;
import io.netty.util.concurrent.BlockingOperationException;
import io.netty.util.concurrent.Future;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Blocking work behind a Netty server with one event loop. */
@Timeout(60)
class NettyTest {

    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Offload offload = new Offload(100, 10_000);
    private final Work work = new Work();
    private final AtomicReference<Thread> answeredIn = new AtomicReference<>();

    @AfterEach
    void stop() throws InterruptedException {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
        offload.close();
    }

    private String answer(String line) throws InterruptedException {
        return line.equals("slow") ? work.forever() : Work.find(Integer.parseInt(line));
    }

    private final class Handler extends SimpleChannelInboundHandler<String> {
        // @start region="handler"
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, String line) { // in the event loop
            var call = offload.call(() -> answer(line));
            ctx.channel().closeFuture().addListener(closed -> call.cancel(true)); // the client has gone
            call.whenCompleteAsync((answer, failure) -> {
                if (failure == null) {
                    ctx.writeAndFlush(answer + "\n");
                } else {
                    ctx.close();
                }
            }, ctx.executor()); // back in the event loop
        }
        // @end region="handler"

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            answeredIn.set(Thread.currentThread());
        }
    }

    private InetSocketAddress serve() throws InterruptedException {
        return (InetSocketAddress) new ServerBootstrap().group(loops).channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new LineBasedFrameDecoder(100), new StringDecoder(),
                                new StringEncoder(), new Handler());
                    }
                }).bind(InetAddress.getLoopbackAddress(), 0).sync().channel().localAddress();
    }

    private static Socket connect(InetSocketAddress server, String line) throws IOException {
        var socket = new Socket(server.getAddress(), server.getPort());
        socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static String ask(InetSocketAddress server, String line) throws IOException {
        try (var socket = connect(server, line);
                var in = new BufferedReader(new InputStreamReader(socket.getInputStream(),
                        StandardCharsets.US_ASCII))) {
            return in.readLine();
        }
    }

    @Test
    void theLoopAnswersOthersWhileOneBlocksAndAClientThatLeavesInterrupts() throws Exception {
        var server = serve();
        try (var slow = connect(server, "slow")) {
            work.begun.await();
            for (int i = 0; i < 100; i++) {
                assertEquals("user " + i + " from a virtual thread", ask(server, String.valueOf(i)));
            }
            assertTrue(!answeredIn.get().isVirtual() && slow.isConnected());
        }
        work.interrupted.await();
    }

    /** Netty's future as the JDK's, its cancel carried over. */
    // @start region="future"
    static <T> CompletableFuture<T> toCompletable(Future<T> netty) {
        var future = new CompletableFuture<T>();
        netty.addListener(done -> {
            if (done.isSuccess()) {
                future.complete(netty.getNow());
            } else {
                future.completeExceptionally(done.cause());
            }
        });
        future.whenComplete((value, failure) -> netty.cancel(true)); // nothing if it is done
        return future;
    }
    // @end region="future"

    @Test
    void aNettyFutureFromBlockingCode() throws Exception {
        var loop = loops.next();
        assertEquals(1, FutureBridge.await(toCompletable(loop.submit(() -> 1))));
        var boom = new IOException();
        assertEquals(boom, assertThrows(ExecutionException.class, () ->
                FutureBridge.await(toCompletable(loop.submit(() -> {
            throw boom;
        })))).getCause());
        var never = loop.<Integer>newPromise();
        assertThrows(TimeoutException.class, () -> FutureBridge.await(toCompletable(never), Duration.ofMillis(1)));
        assertTrue(never.isCancelled());
    }

    @Test
    void waitingForTheOwnLoopIsRefusedOnlyByNettysOwnFutures() throws Exception {
        var loop = loops.next();
        var refused = assertThrows(ExecutionException.class, () -> loop.submit(() -> loop.newPromise().sync()).get());
        assertInstanceOf(BlockingOperationException.class, refused.getCause());
        var stuck = loop.submit(() -> toCompletable(loop.submit(() -> 1)).get(300, TimeUnit.MILLISECONDS));
        assertInstanceOf(TimeoutException.class, assertThrows(ExecutionException.class, stuck::get).getCause());
    }
}
