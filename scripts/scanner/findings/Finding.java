package scanner.findings;

import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One cause, with every place it shows.
 *
 * @param rule       the rule's name in kebab-case
 * @param level      how sure and how harmful
 * @param place      where to look first, and where a suppression counts
 * @param message    one line: what blocks or is lost, and where it hurts
 * @param chain      from the context (why blocking hurts here) to the blocking call; never empty
 * @param alsoAt     further places of the same cause, in source order, each with what it is; {@code place} is not
 *                   among them
 * @param enclosing  the type and method around {@code place}, such as {@code org.acme.Client.send}: with {@code rule}
 * and the last step's
 *                   text it names the finding across edits that only move lines
 * @param others     of a habit, the same thing done in several places without a cause that they share: the finding of
 *                   each further place; empty of all else
 */
public record Finding(String rule, Level level, Place place, String message, List<Step> chain, List<Step> alsoAt,
        String enclosing, List<Finding> others) {

    public Finding(String rule, Level level, Place place, String message, List<Step> chain, List<Step> alsoAt,
            String enclosing) {
        this(rule, level, place, message, chain, alsoAt, enclosing, List.of());
    }

    /** What is left of it, of a habit, without some of its places; null if nothing is. */
    public Finding without(Predicate<Finding> out) {
        List<Finding> left = Stream.concat(Stream.of(this), others.stream()).filter(out.negate()).toList();
        if (left.isEmpty() || others.isEmpty()) {
            return left.isEmpty() ? null : this;
        }
        Finding first = left.get(0);
        Set<Place> places = left.stream().skip(1).map(Finding::place).collect(Collectors.toSet());
        return first.at(alsoAt.stream().filter(other -> places.contains(other.place())).toList(),
                left.subList(1, left.size()));
    }

    /** The same with these further places. */
    public Finding at(List<Step> alsoAt, List<Finding> others) {
        return new Finding(rule, level, place, message, chain, alsoAt, enclosing, others);
    }

    public enum Level { NOTE, WARNING, ERROR }

    /**
     * A position in a source file. @param file relative to the scanned root, with forward slashes. @param line from 1.
     * @param column from 1.
     */
    public record Place(String file, int line, int column) {

        public static final Comparator<Place> ORDER = Comparator.comparing(Place::file).thenComparingInt(Place::line)
                .thenComparingInt(Place::column);
    }

    /** One step of the chain. @param what the context, call or blocking operation, as a person would name it. */
    public record Step(Place place, String what) {
    }
}
