package service;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Locale;
import java.util.Map;

/** JSON in requests and answers. Needs {@link Json} and {@link HttpService}. */
public final class JsonBody {
    private JsonBody() {
    }

    /** The body as {@link Json#parse} reads it; once, then kept. @throws HttpError 415, 400 */
    public static Object of(Request request) throws HttpError {
        if (request.parsed == null) {
            String type = request.header("content-type");
            if (type == null || !isJson(type)) {
                throw new HttpError(415, "Content-Type must be application/json");
            }
            try {
                request.parsed = Json.parse(request.body(), request.memory()::take);
            } catch (IllegalArgumentException e) {
                throw new HttpError(400, "the body is not JSON: " + e.getMessage());
            }
        }
        return request.parsed;
    }

    private static boolean isJson(String type) {
        String name = type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        return name.startsWith("application/") && (name.endsWith("/json") || name.endsWith("+json"));
    }

    /**
     * A field of the JSON object in the body.
     *
     * @param type String, Long, Double, BigDecimal, Boolean, Map or List
     * @throws HttpError 400 if missing or of another type; a Double if it is too large for one
     */
    public static <T> T field(Request request, String name, Class<T> type) throws HttpError {
        Object value = of(request) instanceof Map<?, ?> map ? map.get(name) : null;
        if (value instanceof Number && !(type.isInstance(value))) {
            var exact = value instanceof BigDecimal d ? d : value instanceof BigInteger i ? new BigDecimal(i)
                    : BigDecimal.valueOf((Long) value);
            if (type == BigDecimal.class) {
                value = exact;
            } else if (type == Double.class && Double.isFinite(exact.doubleValue())) {
                value = exact.doubleValue();
            }
        }
        if (!type.isInstance(value)) {
            throw new HttpError(400, name + " must be a " + type.getSimpleName());
        }
        return type.cast(value);
    }

    /**
     * For a value of any size: its text is counted in {@link Request#memory} as it grows, and kept there.
     *
     * @param value see {@link Json#write}
     */
    public static Response response(Request request, int status, Object value) {
        var memory = request.memory();
        long[] taken = {0};
        byte[] body = Json.bytes(value, bytes -> {
            memory.take(bytes);
            taken[0] += bytes;
        });
        memory.give(taken[0] / 2); // it was there twice
        return Response.bytes(status, "application/json", body);
    }

    /** For a small value: its text is not counted. @param value see {@link Json#write} */
    public static Response response(int status, Object value) {
        return Response.bytes(status, "application/json", Json.bytes(value, bytes -> { }));
    }
}
