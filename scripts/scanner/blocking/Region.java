package scanner.blocking;

import java.util.EnumSet;
import java.util.Set;
import scanner.findings.Rule;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;

/**
 * A piece of code in a context where blocking hurts.
 *
 * @param pos   of what makes the context: the word synchronized, the callback, the method's name
 * @param what  the context as a person would name it
 * @param body  a statement, an expression, a lambda or a method reference
 * @param kinds what counts as blocking there
 * @param leads what counts too, as a lead
 * @param weak  a lead, not a finding
 * @param depth how many calls are followed for a finding
 * @param done  variables whose futures are complete: the callback's parameters
 * @param holds what the code holds while it runs
 */
public record Region(Rule rule, int pos, String what, MethodDecl method, Node body, Scope scope, EnumSet<Kind> kinds,
        EnumSet<Kind> leads, boolean weak, int depth, Set<String> done, Holds holds) {

    enum Holds { NOTHING, MONITOR, LOCK }
}
