package scanner.report;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes maps, lists, strings, numbers and booleans as JSON: on one line what fits there, indented what does not. */
public final class Json {

    private static final int WIDTH = 160;

    private Json() {
    }

    /** An object of keys and values in turn; a null value leaves its key out. */
    static Map<String, Object> object(Object... keysAndValues) {
        var object = new LinkedHashMap<String, Object>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            if (keysAndValues[i + 1] != null) {
                object.put((String) keysAndValues[i], keysAndValues[i + 1]);
            }
        }
        return object;
    }

    public static String text(Object value) {
        return text(value, 0) + "\n";
    }

    private static String text(Object value, int depth) {
        String flat = flat(value);
        if (depth * 2 + flat.length() <= WIDTH || !(value instanceof Map) && !(value instanceof List)) {
            return flat;
        }
        var text = new StringBuilder();
        String separator = (value instanceof Map ? "{" : "[") + "\n";
        if (value instanceof Map<?, ?> object) {
            for (Map.Entry<?, ?> entry : object.entrySet()) {
                text.append(separator).append("  ".repeat(depth + 1)).append(quoted((String) entry.getKey()))
                        .append(": ")
                        .append(text(entry.getValue(), depth + 1));
                separator = ",\n";
            }
        } else {
            for (Object element : (List<?>) value) {
                text.append(separator).append("  ".repeat(depth + 1)).append(text(element, depth + 1));
                separator = ",\n";
            }
        }
        return text.append('\n').append("  ".repeat(depth)).append(value instanceof Map ? '}' : ']').toString();
    }

    private static String flat(Object value) {
        var text = new StringBuilder();
        String separator = "";
        if (value instanceof Map<?, ?> object) {
            for (Map.Entry<?, ?> entry : object.entrySet()) {
                text.append(separator).append(quoted((String) entry.getKey())).append(": ")
                        .append(flat(entry.getValue()));
                separator = ", ";
            }
            return "{" + text + "}";
        }
        if (value instanceof List<?> list) {
            for (Object element : list) {
                text.append(separator).append(flat(element));
                separator = ", ";
            }
            return "[" + text + "]";
        }
        return value instanceof String string ? quoted(string) : value.toString();
    }

    private static String quoted(String text) {
        var quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                default -> {
                    boolean pair = Character.isHighSurrogate(c) && i + 1 < text.length()
                            && Character.isLowSurrogate(text.charAt(i + 1));
                    if (pair) {
                        quoted.append(c).append(text.charAt(++i));
                    } else if (c < ' ' || c == 0x7f || c == 0x2028 || c == 0x2029 || Character.isSurrogate(c)) {
                        quoted.append(String.format("\\u%04x", (int) c));
                    } else {
                        quoted.append(c);
                    }
                }
            }
        }
        return quoted.append('"').toString();
    }
}
