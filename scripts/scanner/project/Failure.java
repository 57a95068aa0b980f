package scanner.project;

/** The job cannot be done. Its message is the one line the user gets: what, where, how to fix it. Exit code 2. */
public final class Failure extends Exception {

    private static final long serialVersionUID = 1L;

    public Failure(String message) {
        super(message, null, false, false);
    }
}
