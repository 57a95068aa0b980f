package scanner.blocking;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import scanner.findings.Rule;
import scanner.types.Api;

/**
 * Code where blocking hurts, and how it gets there: a line of {@code contexts.txt}.
 *
 * @param what    the context as a person would name it
 * @param chained only if the chain of calls holds one of these
 * @param unless  not if the chain holds one of these
 * @param from    only if the receiver was made by one of these
 * @param with    only if an argument was made by one of these
 * @param takes   only if the first parameter is one of these types, by simple name; any if empty
 * @param sure    what blocks there for certain; all else of the rule is a lead. Null if all is
 */
record Context(Rule rule, How how, Api api, String what, Set<String> chained, Set<String> unless, List<Api> from,
        List<Api> with, Set<String> takes, EnumSet<Kind> sure, EnumSet<Trait> traits) {

    /** As an argument of a call, by overriding, by an annotation, by what it returns. */
    enum How { CALL, OVERRIDE, ANNOTATED, RETURNS }

    enum Trait {
        /** A lead, not a finding. */
        WEAK,
        /** The function is given a future that is done. */
        DONE,
        /** A callback of a chain of futures: those before it in the chain are done. */
        FUTURES,
        /** A lead where the thread has nothing else to do: nobody is late. */
        SHARED,
        /** Only what blocks within a few calls is a finding. */
        NEAR
    }

    /** The simple name of the type that it is about. */
    String simpleType() {
        return api.type().substring(api.type().lastIndexOf('.') + 1);
    }

    boolean is(Trait trait) {
        return traits.contains(trait);
    }
}
