package scanner;

import java.util.ArrayList;
import java.util.List;

/** Runs every {@link Check} over every body. */
final class TaskScan implements Check.Report {

    /** All checks; a new one is added here. */
    private static final List<Check> CHECKS = List.of(new VirtualThreadsPooled(), new StructuredScopeGeneration(), new SubtaskGetBeforeJoin(),
            new PoolWaitsForItself(), new ExecutorNeverClosed(), new HttpClientPerCall(), new LostFailure(), new PeriodicTaskUnguarded(),
            new SwallowedInterrupt(), new CancelDoesNotStop(), new LockInsideTry(), new PermitNotReleased());

    private final Typing typing;
    private final Origins origins;
    private final List<Finding> findings = new ArrayList<>();
    private int release;

    TaskScan(Typing typing, Origins origins) {
        this.typing = typing;
        this.origins = origins;
    }

    void look(MethodDecl method, int target) {
        release = target;
        List<Check> checks = CHECKS.stream().filter(check -> Rules.named(check.rule()).orElseThrow().holdsOn(target)).toList();
        new Walk() {
            @Override
            boolean visit(Node node, Scope scope) {
                for (Check check : checks) {
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
    public void add(String rule, MethodDecl method, int pos, String message, Finding.Step... before) {
        var place = new Finding.Place(method.owner.unit.source.name(), Pos.line(pos), Pos.column(pos));
        var steps = new ArrayList<>(List.of(before));
        steps.add(new Finding.Step(place, message));
        findings.add(new Finding(rule, Rules.named(rule).orElseThrow().level(), place, message, List.copyOf(steps), List.of(), method.toString()));
    }

    List<Finding> findings() {
        return findings;
    }
}
