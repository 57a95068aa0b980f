package scanner.blocking;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import scanner.findings.Finding;
import scanner.findings.Rule;
import scanner.source.Code;
import scanner.source.MethodDecl;
import scanner.source.Pos;
import scanner.source.SourceUnit;

/** Looks in every context for what blocks, and makes one finding of all that have the same cause. */
public final class BlockingScan {

    private static final int DEPTH = 8;
    private static final int DEPTH_DEEP = 10;
    /** An error is no further away: with each call between, a condition that no rule sees is likelier. */
    private static final int ERROR_CALLS = 4;
    /** So many blocking calls behind one are listed. */
    private static final int LEAVES = 40;

    private final CallGraph calls;
    private final Catalogue catalogue;
    private final boolean deep;
    private final Map<Reach.What, Reach> reaches = new HashMap<>();
    private final Map<Cause, List<Hit>> groups = new LinkedHashMap<>();

    /** A context and a call that leads to blocking. @param direct whether the call stands in the context itself. */
    private record Hit(Region region, Reach.Path path, boolean direct) {
        boolean isSure() {
            return path.sure() && !region.weak();
        }

        boolean isBetterThan(Hit other) {
            return direct && (!other.direct || isSure() && !other.isSure()
                    || isSure() == other.isSure() && path.isBetterThan(other.path));
        }
    }

    public BlockingScan(CallGraph calls, Catalogue catalogue, boolean deep) {
        this.catalogue = catalogue;
        this.calls = calls;
        this.deep = deep;
    }

    public void look(Region region) {
        if (region.weak() && !deep) {
            return;
        }
        Reach reach = reaches.computeIfAbsent(new Reach.What(region.kinds(), deep ? region.leads() : Set.of(),
                catalogue.asked(region.rule()), region.holds() == Region.Holds.NOTHING), what -> new Reach(calls,
                        what));
        var hits = new ArrayList<Hit>();
        int depth = region.depth() > 0 && (!deep || region.weak()) ? region.depth() : deep ? DEPTH_DEEP : DEPTH;
        for (CallGraph.Site site : calls.sites(region.body(), region.scope())) {
            String future = Contexts.future(site.on());
            if (future != null && region.done().contains(future) && site.blocking() != null
                    || region.holds() == Region.Holds.LOCK && leavesLock(site, region)) {
                continue;
            }
            Reach.Path path = reach.from(site, region.method().owner, depth - 1, region.done());
            if (path != null && (path.sure() || deep)) {
                hits.add(new Hit(region, path, true));
                within(region, site, reach, depth - 1, hits, new HashSet<>());
            }
        }
        if (hits.isEmpty()) {
            return;
        }
        groups.computeIfAbsent(cause(best(hits)), k -> new ArrayList<>()).addAll(hits);
    }

    /**
     * A method that gives the lock back before it waits, or one of another class: what that waits for is another
     * matter.
     */
    private static boolean leavesLock(CallGraph.Site site, Region region) {
        return site.targets().stream().anyMatch(target -> target.owner.outermost() != region.method().owner.outermost()
                || Code.calls(target.body, "unlock"));
    }

    /** The blocking calls behind one of the context: each of them has to be looked at. */
    private void within(Region region, CallGraph.Site site, Reach reach, int depth, List<Hit> hits,
            Set<MethodDecl> seen) {
        for (MethodDecl target : site.targets()) {
            boolean isOwn = target.owner == region.method().owner;
            if (depth > 0 && (isOwn || hits.size() < LEAVES) && seen.add(target)) {
                for (CallGraph.Site inner : calls.sites(target)) {
                    Reach.Path path = reach.from(inner, target.owner, depth - 1);
                    if (path != null && (path.sure() || deep)) {
                        if (isOwn || path.length() == 1 && path.kind() != Kind.METADATA) {
                            hits.add(new Hit(region, path, false));
                        }
                        within(region, inner, reach, depth - 1, hits, seen);
                    }
                }
            }
        }
    }

    /** What the contexts of one finding have in common: a place, or a habit, whose {@code place} is a folder. */
    private record Cause(Rule rule, String place, int pos, Kind habit) {
    }

    /** The call that blocks in the end; a monitor's own waits and its statements are habits of a project. */
    private static Cause cause(Hit hit) {
        Reach.Path last = hit.path.last();
        return last == hit.path && HABITS.contains(last.kind()) && hit.region.holds() == Region.Holds.MONITOR
                ? new Cause(hit.region.rule(), last.unit().rootInModule(), 0, last.kind())
                : new Cause(hit.region.rule(), last.unit().source.name(), last.pos(), null);
    }

    private static final Set<Kind> HABITS = Set.of(Kind.WAIT, Kind.JDBC);

    /** The files that what is found in a region, or not, depends on. */
    public Set<SourceUnit> followed(Region region) {
        return calls.followed(region, deep ? DEPTH_DEEP : DEPTH);
    }

    public List<Finding> findings() {
        var findings = new ArrayList<Finding>();
        groups.forEach((cause, hits) -> findings.add(cause.habit != null ? habit(hits) : finding(hits)));
        return findings;
    }

    private static Finding habit(List<Hit> hits) {
        var places = new TreeMap<Finding.Place, List<Hit>>(Finding.Place.ORDER);
        hits.forEach(hit -> places.computeIfAbsent(place(hit.path.unit(), hit.path.pos()), at -> new ArrayList<>())
                .add(hit));
        Finding all = finding(hits);
        places.remove(all.place());
        return all.at(all.alsoAt(), places.values().stream().map(BlockingScan::finding).toList());
    }

    private static Hit best(List<Hit> hits) {
        Hit best = hits.get(0);
        for (Hit hit : hits) {
            if (hit.isBetterThan(best)) {
                best = hit;
            }
        }
        return best;
    }

    private static Finding finding(List<Hit> hits) {
        Hit best = best(hits);
        Finding.Place place = place(best.path.unit(), best.path.pos());
        var steps = new ArrayList<Finding.Step>();
        steps.add(new Finding.Step(place(best.region.method().owner.unit, best.region.pos()), best.region.what()));
        for (Reach.Path step = best.path; step != null; step = step.next()) {
            steps.add(new Finding.Step(place(step.unit(), step.pos()), step.what()));
        }
        Map<Finding.Place, Finding.Step> others = new TreeMap<>(Finding.Place.ORDER);
        for (Hit hit : hits) {
            Finding.Place at = place(hit.path.unit(), hit.path.pos());
            others.putIfAbsent(at, new Finding.Step(at, hit.path.last().what() + " in " + hit.region.what()));
        }
        others.remove(place);
        Rule rule = best.region.rule();
        Finding.Level level = !best.isSure() ? Finding.Level.NOTE
                : rule.level() == Finding.Level.ERROR && !isCertain(best.path) ? Finding.Level.WARNING : rule.level();
        return new Finding(rule.name(), level, place,
                        message(best), List.copyOf(steps),
                List.copyOf(others.values()), best.region.method().toString());
    }

    /** Near enough, and not for an answer that may be there by then, or a program that starts at once. */
    private static boolean isCertain(Reach.Path path) {
        Reach.Path last = path.last();
        boolean mayBeDone = last.kind() == Kind.REACTIVE || last.kind() == Kind.AWAIT && ANSWER.matcher(last.what())
                .matches();
        return path.length() <= ERROR_CALLS && last.kind() != Kind.DESKTOP && (path == last || !mayBeDone);
    }

    private static final Pattern ANSWER = Pattern.compile(".*Future\\.(get|join)\\(\\)");

    private static String message(Hit hit) {
        String blocks = hit.path.last().what();
        String verb = hit.path.last().kind() == Kind.NAMED ? " blocks, by its name," : " blocks";
        String through = hit.path.length() == 1 ? blocks + verb : hit.path.what() + verb + " (" + blocks + ")";
        return through + " in " + hit.region.what();
    }

    private static Finding.Place place(SourceUnit unit, int pos) {
        return new Finding.Place(unit.source.name(), Pos.line(pos), Pos.column(pos));
    }
}
