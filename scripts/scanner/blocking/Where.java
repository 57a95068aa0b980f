package scanner.blocking;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import scanner.source.Code;
import scanner.source.Node;

/**
 * Where a body knows that it does not run on the event loop, because it has asked: {@code if (!loop.inEventLoop())}.
 */
final class Where {

    private final Catalogue catalogue;
    private final Set<String> answers = new HashSet<>();
    private final boolean isAsked;

    Where(Node body, Catalogue catalogue) {
        this.catalogue = catalogue;
        this.isAsked = Code.any(body, node -> node instanceof Node.Call call && catalogue.isAsked(call.name()));
        if (isAsked) {
            Code.any(body, node -> node instanceof Node.Local local && side(local.init()) > 0
                    && answers.add(local.name())
                    && false);
        }
    }

    boolean isElsewhere(List<Node> path, Node node) {
        if (isAsked && node instanceof Node.Call call && call.name().equals("invokeAndWait")) {
            return true; // what is done about the answer: on the thread itself it throws
        }
        for (int i = 0; isAsked && i < path.size(); i++) {
            Node inner = i + 1 < path.size() ? path.get(i + 1) : node;
            boolean elsewhere = switch (path.get(i)) {
                case Node.If choice -> isElsewhere(choice.test(), inner == choice.yes(), inner == choice.no());
                case Node.Choice choice -> isElsewhere(choice.test(), inner == choice.yes(), inner == choice.no());
                case Node.Block block -> isLeftBefore(block, inner);
                default -> false;
            };
            if (elsewhere) {
                return true;
            }
        }
        return false;
    }

    private boolean isElsewhere(Node test, boolean yes, boolean no) {
        int side = side(test);
        return yes && side < 0 || no && side > 0 && !(test instanceof Node.Other);
    }

    /** {@code if (loop.inEventLoop()) { ...; return; }}: what follows runs elsewhere. */
    private boolean isLeftBefore(Node.Block block, Node inner) {
        for (Node statement : block.statements()) {
            if (statement == inner) {
                return false;
            }
            if (statement instanceof Node.If choice && side(choice.test()) > 0 && !(choice.test() instanceof Node.Other)
                    && (choice.yes() instanceof Node.Block then && !then.statements().isEmpty() ? then.statements()
                    .getLast()
                            : choice.yes()) instanceof Node.Return) {
                return true;
            }
        }
        return false;
    }

    /**
     * Positive where a test is true on the loop only, negative where it is true elsewhere only, 0 if it does not say.
     */
    private int side(Node test) {
        return switch (test) {
            case Node.Call call -> catalogue.isAsked(call.name()) ? 1 : 0;
            case Node.Name name -> answers.contains(name.name()) ? 1 : 0;
            case Node.Not not -> -side(not.value());
            case Node.Other other -> other.parts().stream().mapToInt(this::side).filter(side -> side != 0).findFirst()
                    .orElse(0);
            case null, default -> 0;
        };
    }
}
