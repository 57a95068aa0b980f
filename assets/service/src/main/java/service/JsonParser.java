package service;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/** What {@link Json} reads with: one text. Not thread-safe. */
final class JsonParser {
    private static final int DEEPEST = 64;
    private static final int MOST_DIGITS = 1_000;
    private static final int STEP = 64 << 10;
    private final byte[] text;
    private final LongConsumer memory;
    private int at;
    private long untold;

    JsonParser(byte[] text, LongConsumer memory) {
        this.text = text;
        this.memory = memory;
    }

    /** The value, and nothing but white space around it. */
    Object all() {
        Object value = value(0);
        skip();
        if (at < text.length) {
            throw bad("the end");
        }
        tellAll();
        return value;
    }

    private Object value(int depth) {
        if (depth > DEEPEST) {
            throw bad("less depth");
        }
        return switch (next()) {
            case '{' -> object(depth);
            case '[' -> array(depth);
            case '"' -> string();
            case 't' -> word("true", Boolean.TRUE);
            case 'f' -> word("false", Boolean.FALSE);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, Object> object(int depth) {
        tell(64);
        var map = new LinkedHashMap<String, Object>();
        boolean first = true;
        for (at++; more('}', first); first = false) {
            if (next() != '"') {
                throw bad("a name");
            }
            tell(80); // the entry, and its place in the table
            String name = string();
            expect(':');
            map.put(name, value(depth + 1));
        }
        return map;
    }

    private List<Object> array(int depth) {
        tell(40);
        var list = new ArrayList<Object>();
        for (at++; more(']', list.isEmpty()); ) {
            tell(list.isEmpty() ? 80 : 20); // an array that grows is there twice
            list.add(value(depth + 1));
        }
        return list;
    }

    /** Goes over the comma, or over the closing bracket, then false. */
    private boolean more(char close, boolean first) {
        if (next() == close) {
            at++;
            return false;
        }
        if (!first) {
            expect(',');
        }
        return true;
    }

    private Object word(String word, Object value) {
        for (int i = 0; i < word.length(); i++) {
            if (at + i >= text.length || text[at + i] != word.charAt(i)) {
                throw bad("a value");
            }
        }
        at += word.length();
        return value;
    }

    private Object number() {
        int start = at;
        at += peek() == '-' ? 1 : 0;
        int whole = at;
        digits();
        if (at == whole || text[whole] == '0' && at > whole + 1) {
            at = start;
            throw bad("a value");
        }
        boolean integer = true;
        if (peek() == '.') {
            integer = false;
            int fraction = ++at;
            digits();
            if (at == fraction) {
                throw bad("a digit");
            }
        }
        int mantissa = at;
        if (peek() == 'e' || peek() == 'E') {
            integer = false;
            at++;
            at += peek() == '+' || peek() == '-' ? 1 : 0;
            int exponent = at;
            digits();
            if (at == exponent || at - exponent > 3) {
                throw bad("an exponent of at most three digits");
            }
        }
        if (mantissa - start > MOST_DIGITS) {
            throw bad("a number of at most " + MOST_DIGITS + " digits");
        }
        tell(integer && at - start <= 19 ? 24 : 80 + (at - start) / 2);
        String number = new String(text, start, at - start, StandardCharsets.ISO_8859_1);
        if (!integer) {
            return new BigDecimal(number);
        }
        if (number.length() > 18) {
            var large = new BigInteger(number);
            if (large.bitLength() > 63) {
                return large;
            }
        }
        return Long.parseLong(number);
    }

    private void digits() {
        while (at < text.length && text[at] >= '0' && text[at] <= '9') {
            at++;
        }
    }

    private String string() {
        int start = ++at;
        boolean ascii = true;
        boolean escapes = false;
        for (; at < text.length && text[at] != '"'; at++) {
            if (text[at] == '\\') {
                escapes = true;
                at++;
            } else if (text[at] >= 0 && text[at] < ' ') {
                throw bad("no control character");
            } else {
                ascii &= text[at] >= 0;
            }
        }
        if (at >= text.length) {
            throw bad("the end of a string");
        }
        int length = at - start;
        tell(56 + length * (ascii && !escapes ? 1L : 4L));
        String raw;
        try {
            raw = ascii ? new String(text, start, length, StandardCharsets.ISO_8859_1)
                    : StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text, start, length)).toString();
        } catch (CharacterCodingException e) {
            at = start;
            throw bad("UTF-8");
        }
        if (escapes) {
            raw = unescape(raw, start);
        }
        at++;
        return raw;
    }

    private String unescape(String raw, int start) {
        var result = new StringBuilder(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c != '\\') {
                result.append(c);
                continue;
            }
            int simple = "\"\\/bfnrt".indexOf(raw.charAt(++i));
            if (simple >= 0) {
                result.append("\"\\/\b\f\n\r\t".charAt(simple));
                continue;
            }
            int code = raw.charAt(i) == 'u' && i + 4 < raw.length() ? 0 : -1;
            for (int j = 1; j <= 4 && code >= 0; j++) {
                char digit = raw.charAt(i + j);
                code = HexFormat.isHexDigit(digit) ? code << 4 | HexFormat.fromHexDigit(digit) : -1;
            }
            if (code < 0) {
                at = start + i;
                throw bad("an escape");
            }
            result.append((char) code);
            i += 4;
        }
        return result.toString();
    }

    private void expect(char c) {
        if (next() != c) {
            throw bad("'" + c + "'");
        }
        at++;
    }

    private void skip() {
        while (at < text.length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) {
            at++;
        }
    }

    private int next() {
        skip();
        return peek();
    }

    /** The byte here, or -1 at the end. */
    private int peek() {
        return at < text.length ? text[at] & 0xFF : -1;
    }

    private void tell(long bytes) {
        untold += bytes;
        if (untold >= STEP) {
            tellAll();
        }
    }

    private IllegalArgumentException bad(String expected) {
        return new IllegalArgumentException("expected " + expected + " at " + at);
    }

    private void tellAll() {
        memory.accept(untold);
        untold = 0;
    }
}
