package service;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What a request has to pass before its handler: refusals, hooks, and then a place, of which {@link HttpService} has so
 * many.
 */
final class Admission {
    private final Connection connection;
    private final HttpService server;
    private final Request request;
    private final RequestBody body;
    private final AtomicInteger users = new AtomicInteger(1); // of the place: the last one releases it
    private boolean place;

    Admission(Connection connection, Request request, RequestBody body) {
        this.connection = connection;
        this.server = connection.server;
        this.request = request;
        this.body = body;
    }

    /** What needs neither body nor handler; null: go on. */
    Response beforeBody() throws Exception {
        if (request.isRouted()) {
            refuse();
        }
        Response early = request.always() ? null : server.router.early(request);
        if (early != null || !request.isRouted()) {
            return early != null ? early : unmatched();
        } else if (request.length() > body.most()) {
            throw new HttpError(413, "the body is larger than " + body.most() + " bytes");
        } else if (body.isExpected() && !request.header("expect").equalsIgnoreCase("100-continue")) {
            throw new HttpError(417, "an expectation other than 100-continue");
        }
        return null;
    }

    private Response unmatched() {
        String allowed = request.match.allowed();
        if (allowed == null) {
            return error(404, "no such resource");
        }
        return (request.method().equals("OPTIONS") && allowed.contains("OPTIONS") ? Response.empty(204)
                : error(405, "this method is not allowed here")).with("Allow", allowed);
    }

    Response error(int status, String why) {
        return server.router.error(status, why, request, e -> server.failed(request, "error form failed", e));
    }

    private void refuse() throws HttpError {
        String refusal = request.always() ? null : connection.crowded ? "too many connections"
                : server.router.refusal();
        if (refusal != null) {
            server.rejected.increment();
            throw new HttpError(503, refusal);
        }
    }

    /** Takes a place. From then on {@link HttpService#awaitIdle} waits for this request, so it looks again. */
    void enter() throws HttpError {
        place = !request.always() && server.places.tryAcquire();
        if (!place && !request.always()) {
            throw new RejectedExecutionException();
        }
        refuse();
    }

    /** Another thread answers, too, and leaves as well. @return false if the request has ended */
    boolean join() {
        return users.getAndUpdate(n -> n == 0 ? 0 : n + 1) != 0;
    }

    void leave() {
        if (users.decrementAndGet() == 0 && place) {
            server.places.release();
        }
    }
}
