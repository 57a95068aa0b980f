package service;

import java.io.IOException;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A server with a few routes, and what it has told of its requests. */
abstract class ServerFixture {

    final Router router = new Router();
    final HttpService.Options options = new HttpService.Options();
    final Queue<String> log = new ConcurrentLinkedQueue<>();

    ServerFixture() { // no limit that is not the test's own ends what a busy machine holds up
        options.requestTimeout = Duration.ofHours(1);
        options.handlerTimeout = Duration.ofHours(1);
        options.idleTimeout = Duration.ofHours(1);
    }

    HttpService start() throws IOException {
        options.observer = new Observer() {
            @Override
            public void answered(Request request, int status, long nanos, boolean complete) {
                log.add(request.path() + " " + status + (complete ? "" : " cut"));
            }

            @Override
            public void failed(Request request, String what, Throwable cause) {
                log.add(what);
            }
        };
        router.route("GET", "/hello", request -> Response.text(200, "hello"));
        router.route("POST", "/length", request -> Response.text(200, String.valueOf(request.body().length)));
        router.route("GET", "/probe", request -> Response.text(200, "fine")).always();
        return HttpService.start(options, router);
    }

    void await(String line) throws InterruptedException {
        while (!log.contains(line)) {
            Thread.sleep(2);
        }
    }
}
