package scanner.checks;

import java.util.List;
import scanner.findings.Finding;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.types.Origins;
import scanner.types.Typing;

/** A rule about the tasks, locks and threads of one body: one class a rule, looked up by the rule's name. */
interface Check {

    /** The rule's name, as in {@code rules.txt}. */
    String rule();

    /** How far apart the same message is still one cause: a habit of a project is fixed in one go. */
    enum Group { TYPE, PROJECT }

    default Group group() {
        return Group.TYPE;
    }

    /** Called at every node of every body. @param path the nodes around it, the outermost first. */
    void visit(Node node, Scope scope, List<Node> path, Scan scan);

    /** Where a check tells what it found, and asks what it needs to know. */
    interface Scan {

        Typing typing();

        Origins origins();

        /** The JDK the code at hand runs on. */
        int release();

        /** Whether leads are wanted too, not only findings. */
        boolean deep();

        void add(String rule, MethodDecl method, int pos, String message, Finding.Step... before);

        /** A warning, also where the rule's findings are errors. */
        void warn(String rule, MethodDecl method, int pos, String message, Finding.Step... before);

        /** A lead: a note of {@code --deep}. */
        void lead(String rule, MethodDecl method, int pos, String message, Finding.Step... before);

        default boolean isA(Node node, Scope scope, String type) {
            return node != null && typing().world.isA(typing().type(node, scope), type);
        }
    }
}
