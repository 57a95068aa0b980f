import io.helidon.webserver.WebServer;
import io.javalin.Javalin;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import service.Json;

/**
 * The routes of {@code assets/service} on frameworks, each as its own guide writes them, with virtual threads: {@code
 * java LibraryServers javalin|helidon PORT}. JSON by {@code Json} in both, so that the servers are what is compared.
 */
public final class LibraryServers {

    private LibraryServers() {
    }

    public static void main(String[] args) {
        int port = Integer.parseInt(args[1]);
        if (args[0].equals("javalin")) {
            javalin(port);
        } else {
            helidon(port);
        }
    }

    private static void javalin(int port) {
        Javalin.create(config -> {
            config.useVirtualThreads = true;
            config.showJavalinBanner = false;
        }).get("/hello/{name}", request -> request.contentType("application/json").result(
                Json.write(Map.of("hello", request.pathParam("name"))))).post("/orders", request ->
                request.status(201).contentType("application/json").result(order(request.bodyAsBytes())))
                .get("/ticks", request -> ticks(request.res().getOutputStream())).start("127.0.0.1", port);
    }

    private static void helidon(int port) {
        WebServer.builder().host("127.0.0.1").port(port).routing(routing -> routing
                .get("/hello/{name}", (request, response) -> response.header("Content-Type", "application/json")
                        .send(Json.write(Map.of("hello", request.path().pathParameters().get("name")))))
                .post("/orders", (request, response) -> response.status(201).header("Content-Type", "application/json")
                        .send(order(request.content().as(byte[].class))))
                .get("/ticks", (request, response) -> ticks(response.outputStream()))).build().start();
    }

    private static String order(byte[] body) {
        var order = (Map<?, ?>) Json.parse(body);
        return Json.write(Map.of("item", order.get("item"), "count", order.get("count")));
    }

    private static void ticks(OutputStream out) throws IOException, InterruptedException {
        while (true) {
            out.write("data: tick\n\n".getBytes(StandardCharsets.US_ASCII));
            out.flush();
            Thread.sleep(1_000);
        }
    }
}
