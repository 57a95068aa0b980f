package scanner.blocking;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import scanner.findings.Rule;
import scanner.findings.Rules;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.TypeDecl;
import scanner.types.Typing;

/** Finds the code that runs under a monitor, under a lock, or while its class is initialised. */
final class Held {

    private static final Rule MONITOR = Rules.named("blocking-under-monitor").orElseThrow();
    private static final Rule INITIALIZER = Rules.named("blocking-in-class-initializer").orElseThrow();
    private static final Rule LOCK = Rules.named("blocking-under-lock").orElseThrow();
    /** Farther away it waits for something else. */
    private static final int DEPTH_UNDER_LOCK = 2;

    private final Typing typing;
    private final Catalogue catalogue;

    Held(Typing typing, Catalogue catalogue) {
        this.typing = typing;
        this.catalogue = catalogue;
    }

    void find(MethodDecl method, Consumer<Region> regions) {
        if (method.isSynchronized) {
            regions.accept(monitor(method.pos, "synchronized " + method.name + "()", method, method.body,
                    Scope.of(method)));
        }
        if (method.name.equals("<clinit>")) {
            regions.accept(new Region(INITIALIZER, method.pos, "the static initialiser of " + method.owner.simpleName(),
                    method, method.body, Scope.of(method), catalogue.kinds(INITIALIZER), catalogue.leads(INITIALIZER),
                            false,
                    0, Set.of(), Region.Holds.NOTHING));
        }
    }

    void find(Node node, Scope scope, MethodDecl method, Consumer<Region> regions) {
        if (node instanceof Node.Block block) {
            locked(block, scope, method, regions);
        } else if (node instanceof Node.Sync sync) {
            regions.accept(monitor(sync.pos(), "a synchronized block", method, sync.body(), scope));
        }
    }

    private Region monitor(int pos, String what, MethodDecl method, Node body, Scope scope) {
        return new Region(MONITOR, pos, what, method, body, scope, catalogue.kinds(MONITOR), catalogue.leads(MONITOR),
                false,
                0, Set.of(), Region.Holds.MONITOR);
    }

    /**
     * What stands between {@code lock()} and {@code unlock()}: a finding where a task of the same class takes that lock
     * too.
     */
    private void locked(Node.Block block, Scope scope, MethodDecl method, Consumer<Region> regions) {
        for (int i = 0; i < block.statements().size(); i++) {
            if (block.statements().get(i) instanceof Node.Drop drop && drop.value() instanceof Node.Call taken
                    && isLock(taken, scope)) {
                List<Node> under = new ArrayList<>();
                for (Node next : block.statements().subList(i + 1, block.statements().size())) {
                    if (next instanceof Node.Drop last && last.value() instanceof Node.Call call && call.name()
                            .equals("unlock")) {
                        break;
                    }
                    under.add(next instanceof Node.Try attempt && Code.calls(attempt.last(), "unlock") ? attempt.body()
                            : next);
                    if (under.getLast() != next) {
                        break;
                    }
                }
                var body = new Node.Block(taken.pos(), List.copyOf(under));
                String what = "the code under " + Code.text(taken.on());
                if (isTakenByTask(method.owner, taken.on())) {
                    regions.accept(new Region(LOCK, taken.pos(), what + ", which a task of this class takes too",
                            method,
                            body, scope, EnumSet.of(Kind.AWAIT), catalogue.leads(LOCK), false, DEPTH_UNDER_LOCK,
                                    Set.of(),
                            Region.Holds.LOCK));
                }
                regions.accept(new Region(LOCK, taken.pos(), what, method, body, scope, catalogue.kinds(LOCK),
                        catalogue.leads(LOCK), true, 0, Set.of(), Region.Holds.NOTHING));
            }
        }
    }

    private boolean isLock(Node.Call call, Scope scope) {
        return call.on() != null && (call.name().equals("lock") || call.name().equals("lockInterruptibly"))
                && typing.world.isA(typing.type(call.on(), scope), "java.util.concurrent.locks.Lock");
    }

    /** Whether a function or an object made in the same file takes the lock when it is called. */
    private static boolean isTakenByTask(TypeDecl owner, Node lock) {
        for (TypeDecl type : owner.unit.types) {
            for (MethodDecl method : type.methods) {
                boolean isOfTask = Contexts.FUNCTIONS.contains(method.name) && type.within != null;
                if (isOfTask && takes(method.body, lock, type, 1) || Code.any(method.body, node -> switch (node) {
                    case Node.Lambda lambda -> takes(lambda.body(), lock, type, 1);
                    case Node.Ref ref when Code.isThis(ref.on()) -> takes(ref.name(), lock, type, 1);
                    default -> false;
                })) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean takes(Node body, Node lock, TypeDecl type, int depth) {
        return Code.any(body, node -> node instanceof Node.Call call && (call.name().startsWith("lock")
                && isSameLock(call.on(), lock)
                || depth > 0 && call.on() == null && takes(call.name(), lock, type, depth - 1)));
    }

    private static boolean takes(String method, Node lock, TypeDecl type, int depth) {
        return type.methods.stream().anyMatch(each -> each.name.equals(method) && takes(each.body, lock, type, depth));
    }

    /** {@code lock.writeLock()} and {@code lock.readLock()} are the same here. */
    private static boolean isSameLock(Node a, Node b) {
        return Code.same(a, b) || a instanceof Node.Call x && b instanceof Node.Call y && Code.same(x.on(), y.on());
    }
}
