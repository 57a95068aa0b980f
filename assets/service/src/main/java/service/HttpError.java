package service;

import java.io.IOException;
import java.util.Objects;

/**
 * An answer other than the usual one, thrown by a handler. The client is told the message: nothing internal belongs
 * there.
 */
public final class HttpError extends IOException {
    private static final long serialVersionUID = 1;
    public final int status;

    /** @param status 400 to 599 @param message null: "error" */
    public HttpError(int status, String message) {
        super(Objects.requireNonNullElse(message, "error"));
        if (status < 400 || status > 599) {
            throw new IllegalArgumentException("status must be from 400 to 599: " + status);
        }
        this.status = status;
    }
}
