package service;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongConsumer;

/**
 * JSON as RFC 8259 defines it, no more and no less, in UTF-8. Objects become {@code LinkedHashMap} (of names that occur
 * twice, the last counts), arrays {@code ArrayList}, integers {@code Long} or {@code BigInteger}, all other numbers
 * {@code BigDecimal}: none is rounded.
 *
 * <p>Limits, which the RFC leaves open: 64 levels; numbers of 1,000 digits, exponents of three. Values take many times
 * the memory of their text: {@link #parse(byte[], LongConsumer)} says how much, before it is taken. Safe for any input.
 * Needs {@link
 * JsonParser} and {@link JsonString}.
 */
public final class Json {
    private static final int DEEPEST = 1_000;

    private Json() {
    }

    /** @throws IllegalArgumentException what was expected, and where (a byte, from 0) */
    public static Object parse(byte[] text) {
        return parse(text, bytes -> { });
    }

    /** @throws IllegalArgumentException also for half a surrogate pair that is not written as an escape */
    public static Object parse(String text) {
        Objects.requireNonNull(text, "text");
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            return parse(copy);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("expected Unicode text at 0");
        }
    }

    /** @param memory told, before they are taken, how many more bytes the values need, about; it may throw */
    public static Object parse(byte[] text, LongConsumer memory) {
        Objects.requireNonNull(memory, "memory");
        return new JsonParser(text, memory).all();
    }

    /**
     * ASCII alone: nothing ends a line.
     *
     * @param value Map, Iterable, Number, Boolean or null; anything else, even NaN, as a string. Not cyclic
     */
    public static String write(Object value) {
        return new String(bytes(value, bytes -> { }), StandardCharsets.US_ASCII);
    }

    /** As {@link #write}. @param memory told, before they are taken, how many more bytes are needed; it may throw */
    public static byte[] bytes(Object value, LongConsumer memory) {
        var writer = new Writer(Objects.requireNonNull(memory, "memory"));
        writer.write(value, 0);
        return writer.all();
    }

    /** In parts: a text that grows in one piece needs up to six times its length, and all of that side by side. */
    private static final class Writer {
        private static final int PART = 8 << 10;
        private final StringBuilder text = new StringBuilder();
        private final List<byte[]> parts = new ArrayList<>();
        private final LongConsumer memory;
        private int size; // of the parts

        private Writer(LongConsumer memory) {
            this.memory = memory;
        }

        private void write(Object value, int depth) {
            if (depth > DEEPEST) {
                throw new IllegalArgumentException("more than 1000 levels: does it contain itself?");
            }
            part();
            String separator = "";
            if (value instanceof Map<?, ?> map) {
                text.append('{');
                for (var entry : map.entrySet()) {
                    text.append(separator);
                    string(String.valueOf(entry.getKey()));
                    text.append(':');
                    write(entry.getValue(), depth + 1);
                    separator = ",";
                }
                text.append('}');
            } else if (value instanceof Iterable<?> elements) {
                text.append('[');
                for (Object element : elements) {
                    text.append(separator);
                    write(element, depth + 1);
                    separator = ",";
                }
                text.append(']');
            } else if (value == null || value instanceof Boolean || value instanceof Number && !isNoNumber(value)) {
                text.append(value);
            } else {
                string(value.toString());
            }
        }

        private void string(String string) {
            text.append('"');
            for (int i = 0; i < string.length(); i += PART) {
                JsonString.escape(text, string, i, Math.min(string.length(), i + PART));
                part();
            }
            text.append('"');
        }

        private void part() {
            if (text.length() >= PART) {
                memory.accept(2L * text.length()); // here, and in all()
                parts.add(text.toString().getBytes(StandardCharsets.US_ASCII));
                size = Math.addExact(size, text.length());
                text.setLength(0);
            }
        }

        private byte[] all() {
            byte[] last = text.toString().getBytes(StandardCharsets.US_ASCII);
            if (parts.isEmpty()) {
                return last;
            }
            var all = ByteBuffer.allocate(Math.addExact(size, last.length));
            parts.forEach(all::put);
            return all.put(last).array();
        }
    }

    private static boolean isNoNumber(Object value) {
        return value instanceof Double d && !Double.isFinite(d) || value instanceof Float f && !Float.isFinite(f);
    }

    /** Appends a JSON string. */
    public static void quote(StringBuilder text, String string) {
        JsonString.append(text, string);
    }
}
