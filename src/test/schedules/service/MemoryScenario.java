package service;

import java.util.concurrent.atomic.AtomicInteger;

/** Memory: never more than there is; a close() beside a take() loses nothing; what does not fit has taken nothing. */
public final class MemoryScenario {
    public static void main(String[] args) throws InterruptedException {
        var memory = new Memory(10);
        var shared = memory.lease();
        var refused = new AtomicInteger();
        Thread other = Thread.ofVirtual().start(() -> {
            try (var lease = memory.lease()) {
                lease.take(6);
                lease.give(2);
                lease.give(9); // no more than is held
                check(memory.used() <= 10, "bounded");
            } catch (Memory.FullException e) {
                check(!e.never, "it would fit alone");
                refused.incrementAndGet();
            }
        });
        Thread taker = Thread.ofVirtual().start(() -> {
            try {
                shared.take(5);
                shared.atLeast(6);
                shared.atLeast(6);
                check(memory.used() <= 10, "bounded");
            } catch (Memory.FullException | IllegalStateException e) {
                check(memory.used() <= 10, "full, or closed");
            }
        });
        check(memory.used() <= 10, "bounded");
        shared.close();
        shared.close();
        other.join();
        taker.join();
        check(memory.used() == 0, "all is given back: " + memory.used());
        try {
            shared.take(1);
            check(false, "closed");
        } catch (IllegalStateException e) {
            check(memory.used() == 0, "nothing was taken");
        }
        shared.give(3);
        var lease = memory.lease();
        lease.take(4);
        try {
            lease.take(7);
            check(false, "4 and 7 are more than there is");
        } catch (Memory.FullException e) {
            check(e.never && memory.used() == 4, "never, and nothing was taken");
        }
        var second = memory.lease();
        try {
            second.take(7);
            check(false, "too much now");
        } catch (Memory.FullException e) {
            check(!e.never && memory.used() == 4, "later, and nothing was taken");
        }
        second.atLeast(6);
        second.atLeast(5);
        check(memory.used() == 10, "no more than is missing");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
