package service;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CountDownLatch;

/** Reads on while a handler runs: so it is seen if the client goes. What it reads begins the next request. */
final class ClientWatch implements Runnable {
    private final HttpReader reader;
    private final Exchange exchange;
    private final CountDownLatch done = new CountDownLatch(1);

    ClientWatch(HttpReader reader, Exchange exchange) {
        this.reader = reader;
        this.exchange = exchange;
    }

    void start() {
        boolean started = false;
        try {
            Thread.ofVirtual().name("watch").start(this);
            started = true;
        } finally {
            if (!started) {
                done.countDown();
            }
        }
    }

    @Override
    public void run() {
        boolean gone = true;
        try {
            gone = !reader.await();
        } catch (SocketTimeoutException e) {
            gone = false; // a probe in the lane that takes its time
        } catch (IOException e) {
            // gone
        } finally {
            done.countDown();
        }
        if (gone) {
            exchange.clientGone();
        }
    }

    /** Until it does not read any more; an interrupt does not end this. */
    void await() {
        boolean interrupted = false;
        while (done.getCount() > 0) {
            try {
                done.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
