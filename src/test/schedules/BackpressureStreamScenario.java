import java.util.Optional;
import java.util.concurrent.ExecutionException;

/**
 * BackpressureStream: a source that waits for a full buffer beside its reader, the end, and a subscriber that leaves.
 */
public final class BackpressureStreamScenario {

    public static void main(String[] args) throws InterruptedException, ExecutionException {
        var stream = new BackpressureStream<Integer>();
        var reader = stream.subscribe(1, BackpressureStream.WhenFull.BLOCK);
        var leaving = stream.subscribe(1, BackpressureStream.WhenFull.BLOCK);
        var published = new int[1];
        Thread source = Thread.ofVirtual().start(() -> {
            try {
                for (int i = 1; i <= 2; i++) {
                    stream.publish(i);
                    published[0] = i;
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } catch (IllegalStateException e) {
                // the stream has ended
            }
        });
        Thread gone = Thread.ofVirtual().start(leaving::close);
        Optional<Integer> first = reader.take();
        if (first.orElseThrow() != 1) {
            throw new AssertionError("first " + first);
        }
        stream.close();
        Optional<Integer> second = reader.take();
        source.join();
        gone.join();
        if (published[0] == 2 ? second.orElse(0) != 2 : second.isPresent() && second.get() != 2) {
            throw new AssertionError("published " + published[0] + ", then read " + second);
        }
        if (stream.subscribe(1, BackpressureStream.WhenFull.FAIL).take().isPresent()) {
            throw new AssertionError("only the end");
        }
    }
}
