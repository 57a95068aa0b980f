package service;

import java.util.HexFormat;

/** Text as JSON writes it, in ASCII alone: nothing ends a line. Needs no other file. */
final class JsonString {
    private JsonString() {
    }

    static void append(StringBuilder text, String string) {
        text.append('"');
        escape(text, string, 0, string.length());
        text.append('"');
    }

    /** Without quotation marks. */
    static void escape(StringBuilder text, String string, int from, int to) {
        for (int i = from; i < to; i++) {
            char c = string.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c == '\n') {
                text.append("\\n");
            } else if (c < ' ' || c > '~') {
                text.append("\\u").append(HexFormat.of().toHexDigits(c));
            } else {
                text.append(c);
            }
        }
    }
}
