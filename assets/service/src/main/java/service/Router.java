package service;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * Decides which handler answers a request. Answers by itself: 404, 405 and OPTIONS with {@code Allow}; HEAD as GET
 * without the body (not after {@link #onlyDeclaredMethods}). Thread-safe: routes may be added while requests come.
 */
public final class Router {
    private final List<Route> routes = new CopyOnWriteArrayList<>();
    private final List<Handler> before = new CopyOnWriteArrayList<>();
    private final List<Handler> beforeBody = new CopyOnWriteArrayList<>();
    private volatile String refusal;
    private volatile boolean declaredOnly;
    private volatile ErrorForm form = (status, why, request) ->
            Response.error(status, why, request == null ? null : request.id());

    /** The form of answers that no handler gives. */
    @FunctionalInterface
    public interface ErrorForm {
        /**
         * Must not block or stream. {@code Allow} and {@code Retry-After} are added where they belong.
         *
         * @param status  400 to 599
         * @param why     may be shown to the client
         * @param request null: it could not be understood
         */
        Response of(int status, String why, Request request);
    }

    /**
     * Answers a request, or throws: {@link HttpError} gives its status, {@code RejectedExecutionException} 503,
     * anything else 500. Runs in its own thread, which is interrupted, once, when it takes too long (504), when its
     * client has gone (one that only ends its own sending counts as gone), or at the end of a stop.
     */
    @FunctionalInterface
    public interface Handler {
        Response handle(Request request) throws Exception;
    }

    /** @param pattern such as {@code /users/{id}/orders}; if several match, the first is taken */
    public Route route(String method, String pattern, Handler handler) {
        var route = new Route(method, pattern, handler);
        routes.add(route);
        return route;
    }

    /**
     * Runs before the handlers of all routes that are not {@link Route#always}, in this order. What it returns is the
     * answer; null continues.
     */
    public void before(Handler hook) {
        before.add(Objects.requireNonNull(hook, "hook"));
    }

    /**
     * Runs as soon as the head of a request has arrived, in this order: refuse by path, header or client before the
     * body is read (401, 429), or answer every OPTIONS. Runs even if no route matches, but not for probes. What it
     * returns is the answer; null continues. Must not block: it counts against no limit, and nothing interrupts it.
     */
    public void beforeBody(Handler hook) {
        beforeBody.add(Objects.requireNonNull(hook, "hook"));
    }

    /** Replaces {@link Response#error} for 404, 405, {@link HttpError}, refusals and all other failures. */
    public void errors(ErrorForm form) {
        this.form = Objects.requireNonNull(form, "form");
    }

    /** HEAD and OPTIONS get 405 unless they have a route, like other methods: for an interface that must not change. */
    public void onlyDeclaredMethods() {
        declaredOnly = true;
    }

    /**
     * From now on all routes that are not {@link Route#always} answer 503 with this reason; null: they answer again.
     */
    public void refuse(String why) {
        refusal = why;
    }

    String refusal() {
        return refusal;
    }

    /** A hook's answer, or null. */
    Response early(Request request) throws Exception {
        try {
            for (var hook : beforeBody) {
                Response answer = hook.handle(request);
                if (answer != null) {
                    return answer;
                }
            }
            return null;
        } finally {
            Thread.interrupted(); // left behind by a hook: the body would not be read
        }
    }

    /** @param failed told if the form is none; then it is the usual one */
    Response error(int status, String why, Request request, Consumer<Throwable> failed) {
        try {
            var answer = form.of(status, why, request);
            if (answer.stream == null) {
                return answer;
            }
            throw new IllegalStateException("a stream");
        } catch (Throwable e) {
            failed.accept(e);
        } finally {
            Thread.interrupted(); // left behind by the form: the answer would not be written
        }
        return Response.error(status, why, request == null ? null : request.id());
    }

    /** A hook's answer, or the handler's. */
    Response handle(Route route, Request request) throws Exception {
        if (!route.always) {
            for (var hook : before) {
                Response answer = hook.handle(request);
                if (answer != null) {
                    return answer;
                }
            }
        }
        return Objects.requireNonNull(route.handler.handle(request), "the handler returned null");
    }

    /** A route, or null and the methods that others have there; none: no such path. */
    record Match(Route route, String allowed) {
    }

    Match match(String method, String path) {
        String[] segments = path.split("/", -1);
        var allowed = new TreeSet<String>();
        Route get = null;
        for (var route : routes) {
            if (route.matches(segments)) {
                if (route.method.equals(method)) {
                    return new Match(route, null);
                }
                allowed.add(route.method);
                get = get == null && route.method.equals("GET") ? route : get;
            }
        }
        if (declaredOnly) {
            return new Match(null, allowed.isEmpty() ? null : String.join(", ", allowed));
        }
        if (get != null) {
            allowed.add("HEAD");
            if (method.equals("HEAD")) {
                return new Match(get, null);
            }
        }
        if (allowed.isEmpty() && !(method.equals("OPTIONS") && path.equals("*"))) {
            return new Match(null, null);
        }
        allowed.add("OPTIONS");
        return new Match(null, String.join(", ", allowed));
    }

    /** What a route allows; without these calls, what the service allows. */
    public static final class Route {
        final String method;
        final String pattern;
        final Handler handler;
        private final String[] segments;
        volatile Duration timeout;
        volatile int maxBody = -1;
        volatile boolean streaming;
        volatile boolean always;

        private Route(String method, String pattern, Handler handler) {
            if (!pattern.startsWith("/")) {
                throw new IllegalArgumentException("pattern must begin with /: " + pattern);
            }
            this.method = Objects.requireNonNull(method, "method");
            this.pattern = pattern;
            this.handler = Objects.requireNonNull(handler, "handler");
            this.segments = pattern.split("/", -1);
        }

        /** For the handler; for a stream, the longest time without a byte written. */
        public Route timeout(Duration timeout) {
            if (timeout.isNegative() || timeout.isZero()) {
                throw new IllegalArgumentException("timeout must be positive: " + timeout);
            }
            this.timeout = timeout;
            return this;
        }

        /** @param bytes 413 if the body is larger */
        public Route maxBody(int bytes) {
            if (bytes < 0) {
                throw new IllegalArgumentException("bytes must not be negative: " + bytes);
            }
            this.maxBody = bytes;
            return this;
        }

        /**
         * The body is not read before the handler runs: it reads {@link Request#stream} itself, and no part may take
         * too long.
         */
        public Route streaming() {
            this.streaming = true;
            return this;
        }

        /**
         * For probes: answered even while starting, under overload, and when computing handlers have taken all
         * processors. Must answer quickly.
         */
        public Route always() {
            this.always = true;
            return this;
        }

        private boolean matches(String[] path) {
            if (path.length != segments.length) {
                return false;
            }
            for (int i = 0; i < path.length; i++) {
                if (segments[i].startsWith("{") ? path[i].isEmpty() : !segments[i].equals(path[i])) {
                    return false;
                }
            }
            return true;
        }

        /** The position of {@code {name}}. */
        int position(String name) {
            for (int i = 0; i < segments.length; i++) {
                if (segments[i].equals("{" + name + "}")) {
                    return i;
                }
            }
            throw new IllegalArgumentException(pattern + " has no {" + name + "}");
        }
    }
}
