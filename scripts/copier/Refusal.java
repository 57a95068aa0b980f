package copier;

/** What the user can put right: one line, and the exit code. */
final class Refusal extends Exception {

    private static final long serialVersionUID = 1;
    final int code;

    Refusal(int code, String message) {
        super(message);
        this.code = code;
    }
}
