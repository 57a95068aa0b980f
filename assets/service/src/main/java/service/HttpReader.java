package service;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Reads HTTP/1.1 requests strictly (RFC 9112): what could be understood in two ways is refused. Of a head at most 16
 * KiB and 100 fields are kept. It sets no time limits: {@link Connection} does. One thread at a time. Needs {@link
 * HttpError} and {@link Memory}.
 */
final class HttpReader {
    static final int SMALL = 1024; // what a connection holds that waits
    private static final int LARGEST_HEAD = 16 << 10;
    private static final int MOST_FIELDS = 100;
    private static final int FEW_FIELDS = 10;
    private static final long FIELD = 200; // bytes that a field holds, however short
    private static final Set<String> ONCE = Set.of("host", "content-length", "transfer-encoding", "expect",
            "content-type", "authorization");
    private final InputStream in;
    private final Memory.Lease memory;
    private byte[] buffer = new byte[SMALL];
    private int start;
    private int end;
    private long held; // for the last head

    /** @param memory for heads of more than 1 KiB or 10 fields */
    HttpReader(InputStream in, Memory.Lease memory) {
        this.in = in;
        this.memory = memory;
    }

    /** @param fields names in lower case @param length of the body, or -1: in chunks */
    record Head(String method, String path, String query, boolean http11, Map<String, List<String>> fields,
            long length) {
        String field(String name) {
            var values = fields.get(name);
            return values == null ? null : values.get(0);
        }
    }

    /** Something has been read that nobody has used. */
    boolean buffered() {
        return start < end;
    }

    /** Waits until there is something. @return false at the end of the connection */
    boolean await() throws IOException {
        return start < end || fill();
    }

    private boolean fill() throws IOException {
        if (start == end) {
            start = 0;
            end = 0;
            if (buffer.length > SMALL) {
                memory.give(buffer.length - SMALL);
                buffer = new byte[SMALL];
            }
        } else if (end == buffer.length && start > 0) {
            System.arraycopy(buffer, start, buffer, 0, end - start);
            end -= start;
            start = 0;
        } else if (end == buffer.length) {
            memory.take(buffer.length);
            buffer = Arrays.copyOf(buffer, 2 * buffer.length);
        }
        int n = in.read(buffer, end, buffer.length - end);
        end += Math.max(0, n);
        return n >= 0;
    }

    /** One byte of a body. */
    byte read() throws IOException {
        if (start == end && !fill()) {
            throw new EOFException("ended in the middle of a request");
        }
        return buffer[start++];
    }

    /** At least one byte of a body, past the buffer if it is empty and much is wanted. */
    int read(byte[] to, int offset, int length) throws IOException {
        if (start == end && length >= SMALL) {
            int n = in.read(to, offset, length);
            if (n < 0) {
                throw new EOFException("ended in the middle of a body");
            }
            return n;
        }
        if (!await()) {
            throw new EOFException("ended in the middle of a body");
        }
        int n = Math.min(length, end - start);
        System.arraycopy(buffer, start, to, offset, n);
        start += n;
        return n;
    }

    /** The last head is not used any more. */
    void release() {
        memory.give(held);
        held = 0;
    }

    /** @throws HttpError 400 and others; then nothing after it can be understood */
    Head head() throws IOException {
        for (int blank = 0; await() && (buffer[start] == '\r'
                || buffer[start] == '\n'); blank++) { // from a client that counts badly
            if (blank > 4) {
                throw new HttpError(400, "no request line");
            }
            start++;
        }
        int scanned = 0;
        int length = -1;
        while ((length = headLength(scanned)) < 0) {
            scanned = Math.max(0, end - start - 3);
            if (end - start >= LARGEST_HEAD) {
                throw new HttpError(431, "the head of the request is larger than " + LARGEST_HEAD + " bytes");
            }
            if (!fill()) {
                throw new EOFException("ended in the middle of a request");
            }
        }
        int from = start;
        start += length + 4;
        return parse(from, from + length);
    }

    private int headLength(int scanned) {
        for (int i = start + scanned; i + 3 < end; i++) {
            if (buffer[i] == '\r' && buffer[i + 1] == '\n' && buffer[i + 2] == '\r' && buffer[i + 3] == '\n') {
                return i - start;
            }
        }
        return -1;
    }

    private Head parse(int from, int to) throws HttpError {
        for (int i = from; i < to; i++) {
            byte c = buffer[i];
            boolean lineEnd = c == '\r' && i + 1 < to && buffer[i + 1] == '\n' || c == '\n' && i > from
                    && buffer[i - 1] == '\r';
            if (c >= 0 && c < ' ' && c != '\t' && !lineEnd || c == 0x7f) {
                throw new HttpError(400, "a control character in the head of the request");
            }
        }
        String head = new String(buffer, from, to - from, StandardCharsets.ISO_8859_1);
        int line = head.indexOf("\r\n");
        String first = line < 0 ? head : head.substring(0, line);
        var fields = new TreeMap<String, List<String>>();
        int count = 0;
        while (line >= 0) {
            int begin = line + 2;
            line = head.indexOf("\r\n", begin);
            field(head, begin, line < 0 ? head.length() : line, fields);
            if (++count > MOST_FIELDS) {
                throw new HttpError(431, "more than " + MOST_FIELDS + " fields in the head of the request");
            }
        }
        long more = 3L * Math.max(0, to - from - SMALL) + FIELD * Math.max(0, count - FEW_FIELDS);
        memory.take(more);
        held += more;
        return request(first, fields);
    }

    private static void field(String head, int from, int to, Map<String, List<String>> fields) throws HttpError {
        int colon = from;
        while (colon < to && isToken(head.charAt(colon))) {
            colon++;
        }
        if (colon == from || colon == to || head.charAt(colon) != ':') { // also a line that begins with a blank: folded
            throw new HttpError(400, "a field that is none in the head of the request");
        }
        String name = head.substring(from, colon).toLowerCase(Locale.ROOT);
        var values = fields.computeIfAbsent(name, n -> new ArrayList<>(1));
        values.add(head.substring(colon + 1, to).strip());
        if (values.size() > 1 && ONCE.contains(name)) {
            throw new HttpError(400, name + " is there twice");
        }
    }

    private static Head request(String line, Map<String, List<String>> fields) throws HttpError {
        String[] parts = line.split(" ", -1);
        if (parts.length != 3 || parts[0].isEmpty() || parts[0].length() > 32 || !parts[0].chars()
                .allMatch(HttpReader::isToken)) {
            throw new HttpError(400, "no request line");
        }
        boolean http11 = parts[2].equals("HTTP/1.1");
        if (!http11 && !parts[2].equals("HTTP/1.0")) {
            throw parts[2].matches("HTTP/\\d\\.\\d") ? new HttpError(505, "HTTP/1.1 only")
                    : new HttpError(400, "no request line");
        }
        String target = parts[1];
        if (target.regionMatches(true, 0, "http://", 0, 7) || target.regionMatches(true, 0, "https://", 0,
                8)) { // as sent to a proxy
            int host = target.indexOf("//") + 2;
            int end = host;
            while (end < target.length() && "/?#".indexOf(target.charAt(end)) < 0) {
                end++;
            }
            if (end == host) {
                throw new HttpError(400, "an address that is none");
            }
            target = (target.startsWith("/", end) ? "" : "/") + target.substring(end);
        }
        boolean asterisk = target.equals("*") && parts[0].equals("OPTIONS");
        if (!target.startsWith("/") && !asterisk || target.indexOf('#') >= 0 || !target.chars()
                .allMatch(c -> c > ' ' && c < 0x7f)) {
            throw new HttpError(400, "an address that is none");
        }
        int question = target.indexOf('?');
        String path = question < 0 ? target : target.substring(0, question);
        String query = question < 0 ? null : target.substring(question + 1);
        String host = fields.containsKey("host") ? fields.get("host").get(0) : null;
        if (host == null && http11 || host != null && !host.chars()
                .allMatch(c -> c > ' ' && c < 0x7f && "/\\@,?#\"<>".indexOf(c) < 0)) {
            throw new HttpError(400, "no Host, or one that is none");
        }
        return new Head(parts[0], path, query, http11, fields, bodyLength(http11, fields));
    }

    private static long bodyLength(boolean http11, Map<String, List<String>> fields) throws HttpError {
        var coding = fields.get("transfer-encoding");
        var length = fields.get("content-length");
        if (coding != null) {
            if (length != null || !http11) {
                throw new HttpError(400, "the length of the body is ambiguous");
            }
            if (!coding.get(0).equalsIgnoreCase("chunked")) {
                throw new HttpError(501, "a transfer encoding other than chunked");
            }
            return -1;
        }
        if (length == null) {
            return 0;
        }
        String digits = length.get(0);
        if (digits.isEmpty() || digits.length() > 18 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new HttpError(400, "a length of the body that is no number");
        }
        return Long.parseLong(digits);
    }

    private static boolean isToken(int c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c < 0x7f
                && "!#$%&'*+-.^_`|~".indexOf(c) >= 0;
    }
}
