package explorer;

/** What was asked for cannot be done: one sentence, exit code 2. */
final class Misuse extends Exception {

    private static final long serialVersionUID = 1;

    Misuse(String sentence) {
        super(sentence);
    }
}
