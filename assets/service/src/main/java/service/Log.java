package service;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * One JSON object a line on stdout, with the id of the request that the thread works for. It never makes a request
 * wait, and never throws: what a blocked stdout cannot take is dropped and counted; values are cut, so that a line has
 * at most 16 KiB. Never log a secret: the stack trace and message of an exception go here, and nowhere else.
 * Thread-safe. Needs {@link LineLog} and {@link JsonString}.
 */
public final class Log {
    private static final int LONGEST_VALUE = 400;
    private static final int LONGEST_STACK = 6_000;
    private static final ThreadLocal<String> REQUEST = new ThreadLocal<>();
    private static volatile LineLog lines = lines(LineLog.standardOutput()); // past System.out, and its lock

    private Log() {
    }

    private static LineLog lines(LineLog.Target target) {
        return new LineLog(target, 4 << 20, 16 << 10, (counts, failure) -> System.err.println("log: " + counts));
    }

    /** For tests: from now on to this target. */
    public static void to(LineLog.Target target) {
        var before = lines;
        lines = lines(target);
        before.close();
    }

    public static void info(String event, Object... namesAndValues) {
        put("INFO", event, null, namesAndValues);
    }

    /** With the cause's stack trace in one field. */
    public static void error(String event, Throwable cause, Object... namesAndValues) {
        put("ERROR", event, cause, namesAndValues);
    }

    /** The id that this thread's lines carry; null: none. */
    static void request(String id) {
        if (id == null) {
            REQUEST.remove();
        } else {
            REQUEST.set(id);
        }
    }

    static String request() {
        return REQUEST.get();
    }

    public static long dropped() {
        return lines.counts().dropped();
    }

    /** Waits at most {@code limit} until what was logged before has been written. @return false if it has not */
    public static boolean flush(Duration limit) {
        Objects.requireNonNull(limit, "limit");
        long target = lines.counts().accepted();
        boolean interrupted = false;
        long end = System.nanoTime() + Math.clamp(TimeUnit.NANOSECONDS.convert(limit), 0, Long.MAX_VALUE / 2);
        while (lines.counts().written() < target && System.nanoTime() - end < 0) {
            try {
                Thread.sleep(2);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return lines.counts().written() >= target;
    }

    private static void put(String level, String event, Throwable cause, Object... namesAndValues) {
        try {
            var line = new StringBuilder(256).append("{\"ts\":\"").append(Instant.now()).append("\",\"level\":\"")
                    .append(level).append('"');
            string(line.append(",\"event\":"), event);
            if (REQUEST.get() != null) {
                string(line.append(",\"request_id\":"), REQUEST.get());
            }
            for (int i = 0; i + 1 < namesAndValues.length && line.length() < 6_000; i += 2) {
                string(line.append(','), String.valueOf(namesAndValues[i]));
                Object value = namesAndValues[i + 1];
                if (value instanceof Boolean || value instanceof Number && !isNoNumber(value)) {
                    line.append(':').append(value);
                } else {
                    string(line.append(':'), String.valueOf(value));
                }
            }
            if (cause != null) {
                string(line.append(",\"error\":"), cut(String.valueOf(cause)));
                var stack = new StringBuilder(",\"stack\":");
                JsonString.append(stack, stack(cause));
                line.append(line.length() + stack.length() < 16_000 ? stack : "");
            }
            lines.offer(line.append('}').toString());
        } catch (Throwable e) { // a toString that throws, no memory
            lines.offer("{\"ts\":\"" + Instant.now()
                    + "\",\"level\":\"ERROR\",\"event\":\"a line that cannot be written\"}");
        }
    }

    private static boolean isNoNumber(Object value) {
        return value instanceof Double d && !Double.isFinite(d) || value instanceof Float f && !Float.isFinite(f);
    }

    private static void string(StringBuilder line, String text) {
        JsonString.append(line, cut(text));
    }

    private static String cut(String text) {
        return text.length() <= LONGEST_VALUE ? text : text.substring(0, LONGEST_VALUE) + "...";
    }

    private static String stack(Throwable cause) {
        var text = new StringBuilder();
        int depth = 0;
        for (Throwable e = cause; e != null && depth++ < 5 && text.length() < LONGEST_STACK; e = e.getCause()) {
            text.append(e == cause ? "" : "caused by ").append(cut(String.valueOf(e))).append('\n');
            var frames = e.getStackTrace();
            for (int i = 0; i < Math.min(frames.length, 25) && text.length() < LONGEST_STACK; i++) {
                text.append("  ").append(cut(frames[i].toString())).append('\n');
            }
        }
        return text.toString();
    }
}
