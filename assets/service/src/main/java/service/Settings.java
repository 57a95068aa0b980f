package service;

import java.net.URI;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * Reads settings and collects what is wrong with them: read all, then look at {@link #problems}. One that is empty
 * counts as missing. A problem shows the value only where it cannot be a secret. Not thread-safe. Needs no other file.
 *
 * <p>A number has a lower bound where less cannot work. It has no upper bound but what the code can bear (an {@code
 * int}, a port): what is absurd for one operator is what another needs, and to switch a limit off one sets it high. A
 * guess of yours would only stop his service from starting.
 */
public final class Settings {
    private static final Pattern DURATION = Pattern.compile("(\\d{1,15})(ms|s|m)");
    private static final Pattern HARMLESS = Pattern.compile("[-+]?\\d[\\d.,]{0,20}\\s*[a-zA-Z]{0,3}\\s*|[a-zA-Z]{1,3}");
    private final Map<String, String> environment;
    private final List<String> problems = new ArrayList<>();

    public Settings(Map<String, String> environment) {
        this.environment = Map.copyOf(Objects.requireNonNull(environment, "environment"));
    }

    /** A line each. */
    public List<String> problems() {
        return List.copyOf(problems);
    }

    /** A problem found by the caller. @param text without the value, if that may be a secret */
    public void problem(String text) {
        problems.add(Objects.requireNonNull(text, "text"));
    }

    public String text(String name, String fallback) {
        String value = environment.getOrDefault(Objects.requireNonNull(name, "name"), "").strip();
        return value.isEmpty() ? fallback : value;
    }

    /** Must be set. */
    public String text(String name) {
        String value = text(name, null);
        return value == null ? problem(name + " is not set", "") : value;
    }

    /** @param least less cannot work; at most what an int holds */
    public int number(String name, int fallback, int least) {
        return number(name, fallback, least, Integer.MAX_VALUE);
    }

    /** @param most more cannot work, such as 65,535 for a port */
    public int number(String name, int fallback, int least, int most) {
        String value = text(name, String.valueOf(fallback));
        long number = value.matches("-?\\d{1,10}") ? Long.parseLong(value) : Long.MAX_VALUE;
        return number >= least && number <= most ? (int) number
                : problem(bad(name, value, "a number from " + least + " to " + most), fallback);
    }

    /** Such as {@code 500ms}, {@code 10s}, {@code 5m}; of any length. */
    public Duration duration(String name, String fallback, long leastMillis) {
        return duration(name, fallback, leastMillis, Long.MAX_VALUE);
    }

    /** @param mostMillis more cannot work */
    public Duration duration(String name, String fallback, long leastMillis, long mostMillis) {
        String value = text(name, Objects.requireNonNull(fallback, "fallback"));
        var match = DURATION.matcher(value);
        if (match.matches()) {
            var duration = Duration.of(Long.parseLong(match.group(1)), switch (match.group(2)) {
                case "ms" -> ChronoUnit.MILLIS;
                case "s" -> ChronoUnit.SECONDS;
                default -> ChronoUnit.MINUTES;
            });
            long millis = TimeUnit.MILLISECONDS.convert(duration);
            if (millis >= leastMillis && millis <= mostMillis) {
                return duration;
            }
        }
        return problem(bad(name, value, "a duration such as 500ms, 10s or 5m, from " + leastMillis + "ms"
                + (mostMillis == Long.MAX_VALUE ? "" : " to " + mostMillis + "ms")),
                Duration.ofMillis(leastMillis));
    }

    /** An address with host. @param fallback none: must be set */
    public URI uri(String name, String... fallback) {
        String value = fallback.length == 0 ? text(name) : text(name, fallback[0]);
        try {
            URI uri = URI.create(value);
            if (uri.getHost() != null && Set.of("http", "https").contains(uri.getScheme())) {
                return uri;
            }
        } catch (IllegalArgumentException e) { // its message contains the value
            // reported below
        }
        return value.isEmpty() ? URI.create("") : problem(name + " is not an http or https URL", URI.create(""));
    }

    /** One of two. */
    public int oneOf(String name, int fallback, int other) {
        String value = text(name, String.valueOf(fallback));
        boolean fine = value.equals(String.valueOf(fallback)) || value.equals(String.valueOf(other));
        return fine ? Integer.parseInt(value) : problem(bad(name, value, fallback + " or " + other), fallback);
    }

    private static String bad(String name, String value, String expected) {
        return name + (HARMLESS.matcher(value).matches() ? "=" + value.replaceAll("\\p{Cntrl}", "?") : "")
                + " is not " + expected;
    }

    private <T> T problem(String text, T result) {
        problems.add(text);
        return result;
    }
}
