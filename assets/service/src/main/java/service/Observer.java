package service;

import java.net.InetAddress;

/** Told what happens in an {@link HttpService}, in the thread where it does; must not block, nor throw. */
public interface Observer {
    default void begins(Request request) {
    }

    /** After {@link #begins}, in the same thread. */
    default void ends(Request request) {
    }

    /**
     * The place of the request is free when this has returned. {@link Request#attributes} holds what its handler noted.
     *
     * @param status sent; 499: none, the client has gone
     * @param complete false: cut off
     */
    default void answered(Request request, int status, long nanos, boolean complete) {
    }

    /** Something that is no request. */
    default void refused(int status, InetAddress client) {
    }

    /** @param request null: none in particular */
    default void failed(Request request, String what, Throwable cause) {
        System.err.println(what + (cause == null ? "" : ": " + cause.getClass().getSimpleName()));
    }
}
