package service;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One connection of {@link HttpService}: its requests, one after the other, in one thread, whose reads and writes wait
 * without a limit of their own: by {@link #sweep} the sweeper closes the socket, and what waits there fails.
 */
final class Connection implements Runnable {
    enum Phase { IDLE, LEAVING, READING, WORKING, LINGERING, LATE, CLOSED }

    /** Replaced as a whole: if the sweeper and the connection's thread want to at the same time, one of them wins. */
    private record State(Phase phase, long since, long nanos) { }

    private static final long NONE = Long.MAX_VALUE;
    private static final long LINGER = Duration.ofSeconds(2).toNanos();
    private static final long SOON = Duration.ofMillis(100).toNanos();
    final HttpService server;
    final Socket socket;
    final HttpReader reader;
    final HttpWriter writer;
    final boolean crowded;
    private final InputStream in;
    private final Memory.Lease headMemory;
    private final AtomicBoolean begun = new AtomicBoolean();
    private final AtomicReference<State> state = new AtomicReference<>(new State(Phase.IDLE, System.nanoTime(), NONE));
    private volatile Thread runner; // null: it has not begun
    private volatile Exchange exchange; // whose handler runs
    private volatile boolean leaving; // nothing more is read
    private volatile long silence; // until when the read or write that waits may wait; 0: none does
    private ClientWatch watch; // which may still be reading

    /** @param crowded there are too many already: only probes are answered */
    Connection(HttpService server, Socket socket, boolean crowded) throws IOException {
        this.server = server;
        this.socket = socket;
        this.crowded = crowded;
        this.in = socket.getInputStream();
        this.headMemory = server.memory.lease();
        this.reader = new HttpReader(in, headMemory);
        this.writer = new HttpWriter(socket.getOutputStream(), server.options.requestTimeout, until -> silence = until);
    }

    @Override
    public void run() {
        if (begun.compareAndSet(false, true)) {
            serve(null);
        }
    }

    /** Requests until the end. In a thread of the lane only probes; whatever else comes goes on in a virtual thread. */
    private void serve(Request first) {
        boolean handedOver = false;
        try {
            runner = Thread.currentThread();
            boolean lane = !runner.isVirtual();
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(lane ? 1_000 : 0);
            boolean more = true;
            for (Request next = first; more; next = null) {
                try {
                    next = next == null ? read() : next;
                } catch (SocketTimeoutException e) { // of the lane
                    handedOver = handOver(null);
                    return;
                }
                if (next != null && lane && !next.always()) {
                    handedOver = handOver(next);
                    return;
                }
                more = next != null && new Exchange(this, next).run();
            }
        } catch (IOException e) {
            // the client has gone, or was too slow
        } catch (Throwable e) {
            server.failed(null, "connection failed", e);
        } finally {
            if (!handedOver) {
                close();
            }
        }
    }

    private boolean handOver(Request next) {
        Thread.ofVirtual().name("connection").start(() -> serve(next));
        return true;
    }

    /** Null at the end. */
    private Request read() throws IOException {
        enter(Phase.IDLE, Sweeper.nanos(server.options.idleTimeout));
        awaitWatch();
        reader.release();
        if (!reader.await()) {
            return null;
        }
        enter(Phase.READING, Sweeper.nanos(server.options.requestTimeout));
        var memory = server.memory.lease();
        boolean fine = false;
        try {
            var request = new Request(reader.head(), server.router, memory, socket.getInetAddress().getHostAddress());
            fine = true;
            return request;
        } catch (HttpError e) {
            refuse(e.status, e.getMessage());
        } catch (Memory.FullException e) {
            refuse(503, "overloaded");
        } catch (EOFException e) {
            if (isLate()) {
                refuse(408, "the request took too long");
            }
        } finally {
            if (!fine) {
                memory.close();
            }
        }
        return null;
    }

    /** What cannot be understood. */
    private void refuse(int status, String why) throws IOException {
        server.observer.refused(status, socket.getInetAddress());
        writer.write(server.router.error(status, why, null, e -> server.failed(null, "error form", e)), null, true);
        linger();
    }

    /** Lets the client read the answer: to close while it still sends would destroy it. */
    void linger() throws IOException {
        socket.shutdownOutput();
        if (!isLate()) {
            enter(Phase.LINGERING, LINGER);
        }
        awaitWatch();
        byte[] unread = new byte[1024];
        socket.setSoTimeout(0); // in the lane too: what comes now is no request
        for (int n = 0; n >= 0; ) {
            n = in.read(unread);
        }
    }

    private void awaitWatch() {
        if (watch != null) {
            watch.await();
            watch = null;
        }
    }

    /** A handler runs from now on. */
    void begin(Exchange exchange) throws IOException {
        enter(Phase.WORKING, NONE);
        this.exchange = exchange;
    }

    /** It does no more. @param watch null, or who reads on */
    void end(ClientWatch watch) {
        this.exchange = null;
        this.watch = watch == null ? this.watch : watch;
    }

    /** Of a read outside {@link #read}: until {@link #waitsNoMore}. */
    void waits() {
        silence = System.nanoTime() + Sweeper.nanos(server.options.requestTimeout) | 1;
    }

    void waitsNoMore() {
        silence = 0;
    }

    boolean isLate() {
        return state.get().phase == Phase.LATE;
    }

    boolean isOver() {
        return state.get().phase == Phase.CLOSED;
    }

    /** Nothing more can be read. */
    boolean isLeaving() {
        return leaving;
    }

    void enter(Phase phase, long nanos) throws IOException {
        var now = state.get();
        if (now.phase == Phase.LATE || now.phase == Phase.CLOSED
                || !state.compareAndSet(now, new State(phase, System.nanoTime(), nanos))) {
            throw new EOFException("too late");
        }
    }

    /** By the sweeper, again and again; never waits. */
    void sweep(long now) {
        long until = silence;
        if (until != 0 && now - until >= 0) {
            closeSocket();
            return;
        }
        var current = state.get();
        long in = now - current.since;
        if (in >= current.nanos) {
            switch (current.phase) {
                case IDLE -> leave(current);
                case READING -> shutdownInput(current, Phase.LATE); // its thread reads the end: 408
                default -> {
                    if (state.compareAndSet(current, new State(Phase.CLOSED, now, NONE))) {
                        closeSocket();
                    }
                }
            }
        }
        var working = exchange;
        if (working != null) {
            working.sweep(now, in >= SOON);
        }
    }

    /** Ends one that nobody uses, but not a request that has arrived: that its thread still reads and answers. */
    private boolean leave(State current) {
        try {
            return in.available() == 0 && !reader.buffered() && shutdownInput(current, Phase.LEAVING);
        } catch (IOException e) {
            return false; // closed already
        }
    }

    private boolean shutdownInput(State current, Phase next) {
        boolean first = state.compareAndSet(current, new State(next, System.nanoTime(), LINGER));
        if (first) {
            try {
                leaving = true;
                socket.shutdownInput();
            } catch (IOException e) {
                closeSocket();
            }
        }
        return first;
    }

    /** Has it not begun for a while? Then the carriers of the virtual threads are taken. */
    boolean isStarving(long now) {
        return !begun.get() && now - state.get().since >= SOON;
    }

    /** Closes it if it has been idle for that long. @return whether it has been closed */
    boolean closeIfIdle(long nanos) {
        var current = state.get();
        return idleFor(current) >= nanos && leave(current);
    }

    /** Nanoseconds, or -1: it is in use. */
    long idle() {
        return idleFor(state.get());
    }

    private static long idleFor(State current) {
        return current.phase == Phase.IDLE ? System.nanoTime() - current.since : -1;
    }

    /** Nanoseconds since its last step if it is there for a probe alone, or -1. */
    long crowdedFor() {
        var current = state.get();
        return crowded && current.phase != Phase.WORKING ? System.nanoTime() - current.since : -1;
    }

    /** At a stop. @param onlyEvents those that end with it */
    void interrupt(boolean onlyEvents) {
        var working = exchange;
        if (working != null) {
            working.interrupt(onlyEvents);
        }
    }

    boolean isRunBy(Thread thread) {
        return runner == thread;
    }

    void close() {
        try {
            state.set(new State(Phase.CLOSED, System.nanoTime(), NONE));
            closeSocket();
        } finally {
            headMemory.close();
            server.ended(this);
        }
    }

    void closeSocket() {
        try {
            socket.close();
        } catch (IOException e) {
            // of no use any more
        }
    }
}
