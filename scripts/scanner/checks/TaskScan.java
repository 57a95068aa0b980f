package scanner.checks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import scanner.findings.Finding;
import scanner.findings.Rules;
import scanner.source.MethodDecl;
import scanner.source.Node;
import scanner.source.Pos;
import scanner.source.Scope;
import scanner.source.TypeDecl;
import scanner.source.Walk;
import scanner.types.Origins;
import scanner.types.Typing;

/** Runs every {@link Check} over every body. */
public final class TaskScan implements Check.Scan {

    /** All checks; a new one is added here. */
    private final List<Check> checks = List.of(new VirtualThreadsPooled(), new StructuredScopeGeneration(),
            new SubtaskGetBeforeJoin(),
            new PoolWaitsForItself(), new ExecutorNeverClosed(), new HttpClientPerCall(), new LostFailure(),
                    new PeriodicTaskUnguarded(),
            new SwallowedInterrupt(), new InterruptNotRestored(), new CancelDoesNotStop(), new LockInsideTry(),
                    new PermitNotReleased(),
            new LockOrderInCompute(), new ComputeChangesItsMap(), new WaitWithoutTimeout());

    private final Typing typing;
    private final Origins origins;
    private final Map<Cause, List<Finding>> causes = new LinkedHashMap<>();
    private final boolean deep;
    private int release;
    /** Those of the checks that hold for that release. */
    private List<Check> asked = List.of();

    /** The same thing done in the same class, or in the main sources of a project, or its tests. */
    private record Cause(String rule, Object group, String message) {
    }

    public TaskScan(Typing typing, Origins origins, boolean deep) {
        this.deep = deep;
        this.typing = typing;
        this.origins = origins;
    }

    public void look(MethodDecl method, int target) {
        if (release != target) {
            release = target;
            asked = checks.stream().filter(check -> Rules.named(check.rule()).orElseThrow().holdsOn(target)).toList();
        }
        new Walk() {
            @Override
            protected boolean visit(Node node, Scope scope) {
                for (Check check : asked) {
                    check.visit(node, scope, path, TaskScan.this);
                }
                return true;
            }
        }.walkMethod(method);
    }

    @Override
    public Typing typing() {
        return typing;
    }

    @Override
    public Origins origins() {
        return origins;
    }

    @Override
    public int release() {
        return release;
    }

    @Override
    public boolean deep() {
        return deep;
    }

    @Override
    public void add(String rule, MethodDecl method, int pos, String message, Finding.Step... before) {
        add(Rules.named(rule).orElseThrow().level(), rule, method, pos, message, before);
    }

    @Override
    public void warn(String rule, MethodDecl method, int pos, String message, Finding.Step... before) {
        add(Finding.Level.WARNING, rule, method, pos, message, before);
    }

    @Override
    public void lead(String rule, MethodDecl method, int pos, String message, Finding.Step... before) {
        if (deep) {
            add(Finding.Level.NOTE, rule, method, pos, message, before);
        }
    }

    private void add(Finding.Level level, String rule, MethodDecl method, int pos, String message,
            Finding.Step... before) {
        var place = new Finding.Place(method.owner.unit.source.name(), Pos.line(pos), Pos.column(pos));
        var steps = new ArrayList<>(List.of(before));
        steps.add(new Finding.Step(place, message));
        var finding = new Finding(rule, level, place, message, List.copyOf(steps), List.of(), method.toString());
        causes.computeIfAbsent(new Cause(rule, group(rule, method.owner), message), c -> new ArrayList<>())
                .add(finding);
    }

    private Object group(String rule, TypeDecl type) {
        return switch (checks.stream().filter(check -> check.rule().equals(rule)).findFirst().orElseThrow().group()) {
            case TYPE -> type;
            case PROJECT -> type.unit.rootInModule();
        };
    }

    public List<Finding> findings() {
        var findings = new ArrayList<Finding>();
        for (List<Finding> same : causes.values()) {
            List<Finding> others = List.copyOf(same.subList(1, same.size()));
            findings.add(same.get(0).at(others.stream()
                    .map(each -> new Finding.Step(each.place(), "in " + each.enclosing())).toList(), others));
        }
        return findings;
    }
}
