package service;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * The body of a request as its handler sees it: 100 (Continue) is sent when it is first read, and silence has a limit.
 */
final class RequestBody extends InputStream {
    private final Connection connection;
    private final Request request;
    private final HttpBody in;
    private final int most;
    private boolean expected;
    private boolean limited;

    RequestBody(Connection connection, Request request, int most) {
        this.connection = connection;
        this.request = request;
        this.most = most;
        this.in = new HttpBody(connection.reader, request.length(), most);
        this.expected = request.http11() && request.header("expect") != null; // of HTTP/1.0: to be ignored
    }

    int most() {
        return most;
    }

    /** The client waits for a sign before it sends the body. */
    boolean isExpected() {
        return expected;
    }

    boolean ended() {
        return in.ended();
    }

    /** From now on no read may wait for longer than a request may take. */
    void limitSilence() {
        limited = true;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
        try {
            if (expected && !in.ended()) {
                connection.writer.raw("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            }
            expected = false;
            if (limited) {
                connection.waits();
            }
            return in.read(to, offset, length);
        } catch (HttpError e) {
            throw e;
        } catch (IOException e) {
            request.gone = true;
            throw e;
        } finally {
            connection.waitsNoMore();
        }
    }

    /** What is left of it can be read over, within {@code most} bytes. */
    boolean isNearlyRead(int most) {
        return in.ended() || request.length() > 0 && request.length() <= Math.min(most, this.most) && !expected;
    }

    /** Reads over the rest. */
    void skip() throws IOException {
        byte[] unread = new byte[1024];
        for (int n = 0; n >= 0; ) {
            n = in.read(unread, 0, unread.length);
        }
    }
}
