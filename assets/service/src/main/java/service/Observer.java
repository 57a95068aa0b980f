package service;

import java.net.InetAddress;

/** Hears what happens in an {@link HttpService}, in the thread where it happens. Must not block or throw. */
public interface Observer {
    default void begins(Request request) {
    }

    /** After {@link #begins}, in the same thread. */
    default void ends(Request request) {
    }

    /**
     * The request's slot is free when this has returned. {@link Request#attributes} holds what its handler noted.
     *
     * @param status as sent; 499 if the client has gone
     * @param complete false if the answer was cut off
     */
    default void answered(Request request, int status, long nanos, boolean complete) {
    }

    /** Something arrived that is not a request. */
    default void refused(int status, InetAddress client) {
    }

    /** @param request null if it concerns no particular request */
    default void failed(Request request, String what, Throwable cause) {
        System.err.println(what + (cause == null ? "" : ": " + cause.getClass().getSimpleName()));
    }
}
