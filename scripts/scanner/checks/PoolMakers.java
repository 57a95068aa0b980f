package scanner.checks;

import java.util.Set;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Scope;
import scanner.source.Walk;
import scanner.types.Origins;

/** The expressions that make a pool: of the JDK's, of libraries', or by a helper of the class. */
final class PoolMakers {

    /** Those whose threads stay for good. */
    private static final Set<String> MAKERS = Set.of("newFixedThreadPool", "newScheduledThreadPool",
            "newWorkStealingPool", "newSingleThreadScheduledExecutor");
    private static final Set<String> POOLS = Set.of("ThreadPoolExecutor", "ScheduledThreadPoolExecutor",
            "NioEventLoopGroup", "EpollEventLoopGroup", "KQueueEventLoopGroup", "IOUringEventLoopGroup",
            "MultiThreadIoEventLoopGroup", "MultithreadEventLoopGroup", "DefaultEventLoopGroup",
            "DefaultEventExecutorGroup", "DefaultEventExecutor", "HashedWheelTimer");
    /** Theirs stay for a minute, or until the collector comes by: a fault only of an object that has an end. */
    private static final Set<String> SHORT_LIVED = Set.of("newSingleThreadExecutor", "newCachedThreadPool");

    private PoolMakers() {
    }

    /** Made by {@code Executors} or a constructor, here or in a helper of the class. */
    static boolean isPool(Node node, Scope scope, Check.Scan scan) {
        return isMaker(node, scope, scan) || node instanceof Node.Choice choice && (isNull(choice.no()) && isPool(
                choice.yes(), scope, scan) || isNull(choice.yes()) && isPool(choice.no(), scope, scan))
                || helper(node, scope) instanceof MethodDecl helper
                && returned(helper, PoolMakers::isMaker, scan) != null;
    }

    /** Those too whose threads go by themselves. */
    static boolean isAny(Node node, Scope scope, Check.Scan scan) {
        return isPool(node, scope, scan) || isShortLivedMaker(node, scope, scan)
                || madeByHelper(node, scope, scan) != null;
    }

    /** Where the helper that is called makes the pool; null if none is. */
    static Origins.Made madeByHelper(Node node, Scope scope, Check.Scan scan) {
        return helper(node, scope) instanceof MethodDecl helper ? returned(helper, (made, at, asked) ->
                isMaker(made, at, asked) || isShortLivedMaker(made, at, asked), scan) : null;
    }

    /** A method of the class itself that nobody can override; null if it is not called. */
    private static MethodDecl helper(Node node, Scope scope) {
        MethodDecl own = node instanceof Node.Call call ? Tasks.own(call, scope.type()) : null;
        return own != null && own.owner == scope.type() && (own.isStatic || own.isPrivate || own.isFinal) ? own : null;
    }

    /** A question of an expression. */
    interface Maker {
        boolean makes(Node node, Scope scope, Check.Scan scan);
    }

    private static boolean isNull(Node node) {
        return node instanceof Node.Literal literal && literal.type() == null;
    }

    /** Its threads go by themselves, sooner or later. */
    static boolean isExecutorThatEnds(Node node, Scope scope, Check.Scan scan) {
        return isShortLived(node, scope, scan)
                || isDecorated(node) && isExecutorThatEnds(((Node.Call) node).args().get(0), scope, scan);
    }

    /** {@code MoreExecutors.listeningDecorator(pool)}: the same pool. */
    private static boolean isDecorated(Node node) {
        return node instanceof Node.Call call && DECORATORS.contains(call.name()) && call.args().size() == 1;
    }

    private static final Set<String> DECORATORS = Set.of("listeningDecorator", "unconfigurableExecutorService",
            "unconfigurableScheduledExecutorService");

    static boolean isMaker(Node node, Scope scope, Check.Scan scan) {
        return node instanceof Node.Call call && MAKERS.contains(call.name()) && isOfExecutors(call, scope, scan)
                || node instanceof Node.New made && made.body() == null && made.type() != null
                        && POOLS.contains(made.type().simple())
                || isDecorated(node) && isMaker(((Node.Call) node).args().get(0), scope, scan);
    }

    /** Where the pool that a method makes and returns was made; null if it returns none, or one that it keeps. */
    static Origins.Made returned(MethodDecl helper, Maker maker, Check.Scan scan) {
        var found = new Origins.Made[1];
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope at) {
                if (node instanceof Node.Return value && Code.ofThis(value.value(), at) == null) {
                    Origins.Made made = scan.origins().of(value.value(), at);
                    found[0] = made != null && maker.makes(made.node(), made.scope(), scan) ? made : found[0];
                }
                return !(node instanceof Node.Lambda);
            }
        }.walkMethod(helper);
        return found[0];
    }

    private static boolean isShortLivedMaker(Node node, Scope scope, Check.Scan scan) {
        return isShortLived(node, scope, scan)
                || node instanceof Node.New made && made.body() == null && made.type() != null
                        && made.type().simple().equals("Timer") && scan.isA(made, scope, "java.util.Timer");
    }

    private static boolean isShortLived(Node node, Scope scope, Check.Scan scan) {
        return node instanceof Node.Call call && SHORT_LIVED.contains(call.name()) && isOfExecutors(call, scope, scan);
    }

    /** Also by a static import. */
    private static boolean isOfExecutors(Node.Call call, Scope scope, Check.Scan scan) {
        return scan.typing().world.isA(scan.typing().receiver(call, scope), "java.util.concurrent.Executors");
    }
}
