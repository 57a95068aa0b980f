package service;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** In the place of the service's own: keeps the lines of a scenario in memory instead of writing them. */
public final class Log {
    /** What was logged: the event, with the cause if there is one. To be cleared by each scenario. */
    static final List<String> LINES = new CopyOnWriteArrayList<>();
    private static final ThreadLocal<String> REQUEST = new ThreadLocal<>();

    private Log() {
    }

    public static void info(String event, Object... namesAndValues) {
        LINES.add(event);
    }

    public static void error(String event, Throwable cause, Object... namesAndValues) {
        LINES.add(event + ": " + cause.getMessage());
    }

    static void request(String id) {
        REQUEST.set(id);
    }

    static String request() {
        return REQUEST.get();
    }

    public static boolean flush(Duration limit) {
        return true;
    }
}
