package service;

import java.io.IOException;
import java.io.InputStream;

/** The body of the request whose head was read last. Read it to its end before the next head. */
final class HttpBody extends InputStream {
    private final HttpReader reader;
    private final boolean chunked;
    private final long most;
    private long left; // of the body, or of this chunk
    private long total;
    private boolean firstChunk = true;
    private volatile boolean ended;

    /** @param most bytes; more: 413 */
    HttpBody(HttpReader reader, long length, long most) {
        this.reader = reader;
        this.chunked = length < 0;
        this.left = Math.max(0, length);
        this.most = most;
        this.ended = length == 0;
    }

    boolean ended() {
        return ended;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
        if (length == 0 || ended) {
            return length == 0 ? 0 : -1;
        }
        if (left == 0) {
            nextChunk();
            if (ended) {
                return -1;
            }
        }
        int n = reader.read(to, offset, (int) Math.min(length, left));
        left -= n;
        total += n;
        if (total > most) {
            throw new HttpError(413, "the body is larger than " + most + " bytes");
        }
        ended = !chunked && left == 0;
        return n;
    }

    private void nextChunk() throws IOException {
        if (!firstChunk && !line(0).isEmpty()) {
            throw new HttpError(400, "a chunk that is none");
        }
        firstChunk = false;
        String size = line(256);
        int extension = size.indexOf(';');
        size = extension < 0 ? size : size.substring(0, extension).stripTrailing();
        if (!size.matches("[0-9a-fA-F]{1,8}")) {
            throw new HttpError(400, "a chunk that is none");
        }
        left = Long.parseLong(size, 16);
        if (left > most - total) {
            throw new HttpError(413, "the body is larger than " + most + " bytes");
        }
        if (left == 0) {
            for (int trailers = 0; !line(1024).isEmpty(); trailers++) {
                if (trailers == 20) {
                    throw new HttpError(400, "too many fields after the body");
                }
            }
            ended = true;
        }
    }

    private String line(int most) throws IOException {
        var line = new StringBuilder();
        for (byte c; (c = reader.read()) != '\r'; line.append((char) c)) {
            if (line.length() >= most || c == '\n' || c < ' ' && c != '\t') {
                throw new HttpError(400, "a chunk that is none");
            }
        }
        if (reader.read() != '\n') {
            throw new HttpError(400, "a chunk that is none");
        }
        return line.toString();
    }
}
