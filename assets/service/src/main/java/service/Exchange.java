package service;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One request of a {@link Connection} and its answer. Whatever the handler does becomes exactly one answer, or the end
 * of the connection. The thread of the connection answers; if the handler does not heed its interrupt, another thread
 * does so in its place.
 */
final class Exchange {
    private static final int GONE = 499; // for the log alone
    private static final int STOPPING = 503;
    private static final long IGNORED = Duration.ofSeconds(1).toNanos();
    private static final int SMALL = 64 << 10;
    private static final int UNCOUNTED = 4 << 10; // bytes of an answer: part of what a request is reckoned at
    private static final ClientWatch NO_WATCH = new ClientWatch(null, null);
    private final Connection connection;
    private final HttpService server;
    private final Request request;
    private final RequestBody body;
    private final Admission admission;
    private final AtomicBoolean answered = new AtomicBoolean();
    private final AtomicBoolean givenUp = new AtomicBoolean();
    private final AtomicReference<ClientWatch> watch = new AtomicReference<>();
    private Interruption work;
    private int status = GONE; // sent
    private volatile long deadline;
    private volatile boolean events;

    Exchange(Connection connection, Request request) {
        this.connection = connection;
        this.server = connection.server;
        this.request = request;
        var route = request.match.route();
        int most = route == null || route.maxBody < 0 ? server.options.maxBody : route.maxBody;
        this.body = new RequestBody(connection, request, most);
        request.stream = body;
        this.admission = new Admission(connection, request, body);
    }

    /** @return whether another request may follow on this connection */
    boolean run() throws IOException {
        boolean mine = false;
        boolean keep = false;
        boolean complete = false;
        try {
            server.observer.begins(request);
            Response response = answer();
            if (response == null || response.stream == null) {
                endWork();
            }
            mine = claim();
            if (mine && response != null) {
                status = response.status;
                keep = send(response);
                complete = true;
            }
            response = null; // not to be held while the connection lingers
        } catch (IOException e) {
            request.gone = true;
        } finally {
            endWork();
            request.release();
            try {
                if (mine) {
                    server.observer.answered(request, status, System.nanoTime() - request.begun, complete);
                }
                server.observer.ends(request);
            } finally {
                admission.leave(); // last: who waits for it may end the JVM
            }
        }
        return complete && leave(keep);
    }

    /** Whoever comes first answers. */
    private boolean claim() {
        return answered.compareAndSet(false, true);
    }

    /** Null: the client has gone. */
    private Response answer() {
        try {
            Response early = admission.beforeBody();
            if (early != null) {
                return early;
            }
            var route = request.match.route();
            if (!route.streaming && request.length() != 0) {
                request.readBody();
            }
            admission.enter();
            allow();
            work = new Interruption();
            body.limitSilence(); // before, the whole request had a limit
            connection.begin(this);
            return server.router.handle(route, request);
        } catch (Throwable e) {
            return failed(e);
        }
    }

    private Response failed(Throwable failure) {
        int why = why();
        if (connection.isLate()) {
            return error(408, "the request took too long");
        } else if (request.gone || connection.isOver()) {
            return null;
        } else if (failure instanceof HttpError e) {
            return error(e.status, e.getMessage());
        } else if (failure instanceof Memory.FullException e && e.never) {
            return error(413, "too large");
        } else if (failure instanceof RejectedExecutionException) {
            server.rejected.increment();
            return error(503, "overloaded");
        } else if (why != 0) {
            return error(why, why == STOPPING ? "stopping" : "took too long");
        }
        server.failed(request, "request failed", failure);
        return failure instanceof OutOfMemoryError ? error(503, "overloaded") : error(500, "internal error");
    }

    /** Of the interrupt; 0: none, or no handler has run. */
    private int why() {
        return work == null ? 0 : work.why();
    }

    private Response error(int status, String why) {
        return admission.error(status, why);
    }

    /** No interrupt comes after this, and nobody else begins to read. A second call does nothing. */
    private void endWork() {
        if (work != null && !work.ended()) {
            work.end();
            var watching = watch.getAndSet(NO_WATCH);
            connection.end(watching == NO_WATCH ? null : watching);
        }
    }

    /** The handler may take its time from now on; a stream, from each part on. */
    private void allow() {
        var route = request.match.route();
        deadline = System.nanoTime() + Sweeper.nanos(route == null || route.timeout == null
                ? server.options.handlerTimeout : route.timeout);
    }

    // ---- the answer

    /** @return whether the connection may be kept */
    private boolean send(Response response) throws IOException {
        boolean keep = request.wantsToStay() && !server.closing() && !connection.crowded && !connection.isLeaving()
                && !response.has("Connection", "close") && body.isNearlyRead(SMALL);
        if (response.stream != null) {
            stream(response, !keep);
            return keep && request.http11();
        }
        try {
            request.memory.atLeast(response.body.length > UNCOUNTED ? response.body.length : 0); // till it is read
        } catch (Memory.FullException e) {
            var instead = failed(e.never ? new IllegalStateException("an answer larger than all memory", e) : e);
            status = instead.status;
            connection.writer.write(instead, request, !keep);
            return keep;
        }
        connection.writer.write(response, request, !keep);
        return keep;
    }

    private void stream(Response response, boolean close) throws IOException {
        if (request.method().equals("HEAD")) {
            connection.writer.stream(response, request, close, this::allow);
            return;
        }
        if (!request.http11()) { // until all is written: an orderly end, by whomever, would be the end of the body
            connection.socket.setSoLinger(true, 0);
        }
        var out = connection.writer.stream(response, request, close, this::allow);
        events = response.events;
        Throwable failure = null;
        try {
            response.stream.write(out);
        } catch (Throwable e) {
            failure = e;
        }
        endWork();
        boolean toldToEnd = events && why() == STOPPING
                && (failure instanceof InterruptedException || failure instanceof InterruptedIOException);
        if (!out.failed() && (failure == null || toldToEnd)) {
            out.finish();
            if (!request.http11()) {
                connection.socket.setSoLinger(false, 0);
            }
            return;
        }
        if (!out.failed() && why() != GONE) {
            server.failed(request, "answer cut off", failure);
        }
        throw new IOException("cut off");
    }

    /** After an answer. @return whether another request may follow */
    private boolean leave(boolean keep) throws IOException {
        if (keep && !body.ended()) {
            connection.enter(Connection.Phase.READING, Sweeper.nanos(server.options.requestTimeout));
            try {
                body.skip();
            } catch (HttpError e) {
                keep = false;
            }
        }
        if (!keep) {
            connection.linger();
        }
        return keep;
    }

    // ---- what others do while a handler runs

    /** By the sweeper; never waits. @param forSome it has run for a moment */
    void sweep(long now, boolean forSome) {
        if (now - deadline >= 0) {
            work.interrupt(504);
        }
        if (work.ignoredFor(IGNORED) && givenUp.compareAndSet(false, true) && !server.sweeper.inLane(this::giveUp)) {
            givenUp.set(false);
        }
        if (forSome && body.ended() && watch.get() == null && !connection.reader.buffered()) {
            var next = new ClientWatch(connection.reader, this);
            if (watch.compareAndSet(null, next)) {
                next.start();
            }
        }
    }

    /** By who reads on. */
    void clientGone() {
        request.gone = true;
        work.interrupt(GONE);
    }

    /** @param onlyEvents only what ends with the service */
    void interrupt(boolean onlyEvents) {
        if (!onlyEvents || events) {
            work.interrupt(STOPPING);
        }
    }

    /** Its handler does not heed its interrupt. Its client gets an answer; its thread keeps its place. */
    private void giveUp() {
        if (!admission.join()) {
            return; // it has ended after all
        }
        try {
            answerInItsPlace();
        } finally {
            admission.leave();
        }
    }

    private void answerInItsPlace() {
        StackTraceElement[] frames = work.stack();
        var stack = new IllegalStateException(frames.length == 0 ? "it ends just now" : "at " + frames[0]);
        stack.setStackTrace(frames);
        server.failed(request, "handler ignores its interrupt", stack);
        boolean mine = !request.gone && claim();
        try {
            if (mine) {
                var answer = error(work.why(), work.why() == STOPPING ? "stopping" : "took too long");
                connection.writer.write(answer, request, true);
                connection.socket.shutdownOutput();
                server.observer.answered(request, answer.status, System.nanoTime() - request.begun, true);
                connection.waits(); // then it is closed
                return;
            }
        } catch (IOException e) {
            server.observer.answered(request, GONE, System.nanoTime() - request.begun, false);
        }
        if (!work.ended()) {
            connection.closeSocket(); // in the middle of its answer
        }
    }
}
