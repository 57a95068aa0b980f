package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(600)
class JsonTest {

    @Test
    void reads() {
        assertEquals(Map.of("a", List.of(1L, new BigDecimal("-2.5E3"), true), "b", Map.of(), "c",
                "x\n\u00e9\"/\ud83d\ude00", "", "\u0000"),
                Json.parse(" {\"a\" : [1, -2.5E3,true ] ,\"b\":{}, "
                        + "\"c\":\"x\\n\\u00E9\\\"\\/\\ud83d\\ude00\",\"\":\"\\u0000\"}\r\n\t"));
        assertEquals("\u00e9\u20ac\ud83d\ude00\u007f", Json.parse("\"\u00e9\u20ac\ud83d\ude00\u007f\""));
        assertEquals(Arrays.asList(null, 0L, false), Json.parse("[null,-0,false]"));
        assertEquals(Map.of("a", 2L), Json.parse("{\"a\":1,\"a\":2}"), "RFC 8259 allows it: the last counts");
        assertEquals("\ud800", Json.parse("\"\\ud800\""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "{", "}", "[1,]", "[,1]", "[1,,2]", "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\":}",
            "{a:1}", "{1:1}",
        "{\"a\":1 \"b\":2}", "[1 2]", "01", "-01", "1.", ".5", "-.5", "+1", "-", "1e", "1e+", "1.e1", "0x1", "NaN",
                "Infinity", "-Infinity",
        "1e1000", "tru", "True", "nul", "truefalse", "true1", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
                "\"\\u00\"11\"", "\"a\nb\"", "\"\t\"", "'a'",
        "[1] 2", "1 1", "//", "/**/1", "[1]\0", "\0", "[1]\f", "\u00a01", "\ufeff1", "\ud800", "[\"a\ud800\"]",
                "1_000", "1L", "1f",
        "\u0661", "\uff11"})
    void refusesAndSaysWhere(String wrong) {
        var e = assertThrows(IllegalArgumentException.class, () -> Json.parse(wrong), wrong);
        assertTrue(e.getMessage().matches("expected .* at \\d+"), e.getMessage());
    }

    @Test
    void refusesWhatIsNotUtf8() {
        for (byte[] bytes : new byte[][] {{'"', (byte) 0xff, '"'}, {'"', (byte) 0xc0, (byte) 0x80, '"'}, {'"',
                (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'},
            {'"', (byte) 0xc3, '"'}, {(byte) 0xef, (byte) 0xbb, (byte) 0xbf, '1'}, {0, '1'}}) {
            assertThrows(IllegalArgumentException.class, () -> Json.parse(bytes), Arrays.toString(bytes));
        }
    }

    @Test
    void numbersAreExact() {
        for (String integer : List.of("0", "1234567890123456789", "-100000000000000001", "9223372036854775807",
                "-9223372036854775808")) {
            assertEquals(Long.valueOf(integer), Json.parse(integer));
        }
        for (String large : List.of("9223372036854775808", "-9223372036854775809", "9".repeat(1_000))) {
            assertEquals(new BigInteger(large), Json.parse(large));
        }
        for (String decimal : List.of("0.1", "1e5", "-1E-5", "123456789.123456789123456789", "1e999", "0.0")) {
            assertEquals(new BigDecimal(decimal), Json.parse(decimal));
            assertEquals(new BigDecimal(decimal), Json.parse(Json.write(new BigDecimal(decimal))));
        }
        assertThrows(IllegalArgumentException.class, () -> Json.parse("9".repeat(1_000_000)));
        assertThrows(IllegalArgumentException.class, () -> Json.parse("0." + "9".repeat(1_000_000)));
    }

    @Test
    void depthIsBounded() {
        Json.parse("[".repeat(64) + "]".repeat(64));
        for (String deep : List.of("[".repeat(66) + "]".repeat(66), "[".repeat(100_000), "{\"a\":".repeat(100_000))) {
            assertThrows(IllegalArgumentException.class, () -> Json.parse(deep));
        }
        var cyclic = new ArrayList<Object>();
        cyclic.add(cyclic);
        assertThrows(IllegalArgumentException.class, () -> Json.write(cyclic));
    }

    @Test
    void whatIsWrittenIsReadBack() {
        var every = new StringBuilder();
        for (char c = 0; c < 0xFFFF; c++) {
            every.append(c);
        }
        String text = Json.write(List.of(every, "", Map.of("k\"", -1L), true, new BigDecimal("0.5")));
        assertTrue(text.chars().noneMatch(c -> c < ' ' || c > '~'), "nothing that ends a line");
        assertEquals(List.of(every.toString(), "", Map.of("k\"", -1L), true, new BigDecimal("0.5")), Json.parse(text));
        assertEquals("[\"NaN\",null,\"-Infinity\",1.5]", Json.write(Arrays.asList(Double.NaN, null,
                Float.NEGATIVE_INFINITY, 1.5f)));
    }

    /** Never anything but a value or an IllegalArgumentException. */
    @Test
    void survivesAnyInput() {
        var random = new Random(7);
        byte[] valid = "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9\u00e9\"],\"b\":{\"c\":\"\\n\"}}"
                .getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 200_000; i++) {
            byte[] bytes = Arrays.copyOf(valid, random.nextInt(valid.length + 1));
            for (int j = random.nextInt(3); j >= 0 && bytes.length > 0; j--) {
                bytes[random.nextInt(bytes.length)] = (byte) (random.nextBoolean() ? random.nextInt(256)
                        : "[]{},:\"\\0eu".charAt(random.nextInt(11)));
            }
            try {
                Json.parse(bytes);
            } catch (IllegalArgumentException e) {
                // fine
            }
        }
    }

    /** What is told is about what the heap will hold: not far below. */
    @Test
    void tellsTheMemoryItNeeds() {
        for (String text : List.of("[" + "[],".repeat(300_000) + "[]]", "[" + "{},".repeat(200_000) + "1]", "["
                + "1,".repeat(300_000) + "1]",
                "[" + "{\"a\":1},".repeat(100_000) + "1]", "[" + "\"\",".repeat(300_000) + "1]", "["
                        + "1.5,".repeat(200_000) + "1]",
                "\"" + "\\u20ac".repeat(300_000) + "\"")) {
            var told = new AtomicLong();
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            long before = heap();
            Object value = Json.parse(bytes, told::addAndGet);
            long held = heap() - before;
            assertTrue(told.get() > held * 0.7, () -> text.substring(0, 10) + ": told " + told + ", held " + held);
            assertTrue(value != null);
        }
        assertThrows(ArithmeticException.class, () -> Json.parse(("[" + "[],".repeat(100_000) + "[]]")
                .getBytes(StandardCharsets.UTF_8), bytes -> {
            throw new ArithmeticException("full");
        }));
    }

    private static long heap() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 4; i++) {
            System.gc();
            least = Math.min(least, Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
        }
        return least;
    }
}
