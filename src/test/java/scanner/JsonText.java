package scanner;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A strict JSON parser: maps, lists, strings, doubles, booleans and null. */
final class JsonText {

    private final String text;
    private int at;

    private JsonText(String text) {
        this.text = text;
    }

    static Object parse(String text) {
        var json = new JsonText(text);
        Object value = json.value();
        json.blanks();
        if (json.at < text.length()) {
            throw json.wrong("the end");
        }
        return value;
    }

    /** {@code at(document, "runs", 0, "results")} */
    static Object at(Object value, Object... path) {
        for (Object key : path) {
            value = key instanceof Integer index ? ((List<?>) value).get(index) : ((Map<?, ?>) value).get(key);
        }
        return value;
    }

    private Object value() {
        blanks();
        char c = peek();
        if (c == '{') {
            return object();
        }
        if (c == '[') {
            return array();
        }
        if (c == '"') {
            return string();
        }
        for (var literal : List.of("true", "false", "null")) {
            if (text.startsWith(literal, at)) {
                at += literal.length();
                return literal.equals("null") ? null : (Object) literal.equals("true");
            }
        }
        var number = java.util.regex.Pattern.compile("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?").matcher(text)
                .region(at, text.length());
        if (!number.lookingAt()) {
            throw wrong("a value");
        }
        at = number.end();
        return Double.valueOf(number.group());
    }

    private Map<String, Object> object() {
        var object = new LinkedHashMap<String, Object>();
        take('{');
        blanks();
        while (peek() != '}') {
            blanks();
            String key = string();
            blanks();
            take(':');
            if (object.put(key, value()) != null) {
                throw wrong("another key than " + key);
            }
            blanks();
            if (peek() != '}') {
                take(',');
                blanks();
                if (peek() == '}') {
                    throw wrong("a key");
                }
            }
        }
        take('}');
        return object;
    }

    private List<Object> array() {
        var array = new ArrayList<Object>();
        take('[');
        blanks();
        while (peek() != ']') {
            array.add(value());
            blanks();
            if (peek() != ']') {
                take(',');
                blanks();
                if (peek() == ']') {
                    throw wrong("a value");
                }
            }
        }
        take(']');
        return array;
    }

    private String string() {
        var string = new StringBuilder();
        take('"');
        while (peek() != '"') {
            char c = text.charAt(at++);
            if (c < ' ') {
                throw wrong("no control character");
            }
            if (c == '\\') {
                char escape = text.charAt(at++);
                int plain = "\"\\/bfnrt".indexOf(escape);
                if (plain >= 0) {
                    c = "\"\\/\b\f\n\r\t".charAt(plain);
                } else if (escape == 'u') {
                    c = (char) Integer.parseInt(text.substring(at, at + 4), 16);
                    at += 4;
                } else {
                    throw wrong("an escape");
                }
            }
            string.append(c);
        }
        take('"');
        return string.toString();
    }

    private void blanks() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw wrong("more");
        }
        return text.charAt(at);
    }

    private void take(char c) {
        if (peek() != c) {
            throw wrong("'" + c + "'");
        }
        at++;
    }

    private IllegalArgumentException wrong(String wanted) {
        return new IllegalArgumentException("at " + at + ": " + wanted + " expected, not " + text.substring(at,
                Math.min(at + 30, text.length())));
    }
}
