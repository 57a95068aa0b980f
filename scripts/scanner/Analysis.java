package scanner;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import scanner.blocking.BlockingScan;
import scanner.blocking.CallGraph;
import scanner.blocking.Catalogue;
import scanner.blocking.Contexts;
import scanner.checks.TaskScan;
import scanner.findings.DataFile;
import scanner.findings.Finding;
import scanner.project.Related;
import scanner.project.Source;
import scanner.source.DeepStack;
import scanner.source.MethodDecl;
import scanner.source.Parsing;
import scanner.source.SourceUnit;
import scanner.source.TypeDecl;
import scanner.types.Library;
import scanner.types.Origins;
import scanner.types.Typing;
import scanner.types.World;

/** Parses and analyses source files. The one door between the command line and the analysis. */
final class Analysis {

    private Analysis() {
    }

    /**
     * @param sources      the source files with the root each is reported relative to
     * @param release      the JDK the scanned code runs on
     * @param deep         also follow calls through overriders, and report weaker leads
     * @param only         report only findings whose chain touches one of these files; empty for all
     * @param catalogues   data files of the user's that extend the built-in catalogue
     * @param progress     told what is being done, in a few words; never null
     */
    record Request(List<Source> sources, int release, boolean deep, Set<Path> only, List<Path> catalogues,
            Consumer<String> progress) {
    }

    /**
     * @param findings most harmful first, the same from run to run
     * @param problems one line for each file or class that could not be analysed
     * @param unknown  libraries that nothing is known of, each with how many calls went into it
     */
    record Result(List<Finding> findings, List<String> problems, Map<String, Integer> unknown) {
    }

    /** @throws IllegalArgumentException with a line for the user, if one of the catalogues cannot be read. */
    static Result run(Request request) {
        var result = new FutureTask<Result>(() -> analyse(request));
        if (!DeepStack.start(result)) {
            result.run(); // without, only deeply nested files are lost
        }
        return DeepStack.await(result);
    }

    private static Result analyse(Request request) {
        var problems = new ArrayList<String>();
        Catalogue catalogue = catalogue(request.catalogues());
        var library = new Library(DataFile.lines("types/library.txt"));
        library.nameAlso(catalogue.types());
        var world = new World(Parsing.parse(Related.of(request.sources(), request.only()), problems,
                request.progress()),
                library);
        var typing = new Typing(world, library);
        var origins = new Origins(typing);
        var calls = new CallGraph(typing, origins, catalogue, request.deep());
        var contexts = new Contexts(typing, catalogue, origins);
        var tasks = new TaskScan(typing, origins, request.deep());
        var blocking = new BlockingScan(calls, catalogue, request.deep());
        for (SourceUnit unit : world.units) {
            int release = unit.source.release() > 0 ? unit.source.release() : request.release();
            for (TypeDecl type : unit.types) {
                try {
                    for (MethodDecl method : type.methods) {
                        tasks.look(method, release);
                        contexts.find(method, region -> {
                            if (region.rule().holdsOn(release)) {
                                blocking.look(region);
                            }
                        });
                    }
                } catch (RuntimeException | StackOverflowError e) {
                    problems.add(unit.source.name() + ": " + type.name + " left out (" + e.getClass().getSimpleName()
                            + ")");
                }
            }
        }
        var findings = new ArrayList<>(blocking.findings());
        findings.addAll(tasks.findings());
        if (!request.only().isEmpty()) {
            Set<String> names = request.sources().stream().filter(s -> request.only().contains(s.file()))
                    .map(Source::name)
                    .collect(Collectors.toSet());
            findings.removeIf(finding -> !touches(finding, names));
        }
        findings.sort(Comparator.comparing(Finding::level).reversed().thenComparing(f -> f.place().file())
                .thenComparingInt(f -> f.place().line()).thenComparingInt(f -> f.place().column())
                .thenComparing(Finding::rule));
        return new Result(List.copyOf(findings), List.copyOf(problems), calls.unknown());
    }

    private static boolean touches(Finding finding, Set<String> names) {
        return names.contains(finding.place().file()) || finding.alsoAt().stream()
                .anyMatch(step -> names.contains(step.place().file()))
                || finding.chain().stream().anyMatch(step -> names.contains(step.place().file()));
    }

    private static Catalogue catalogue(List<Path> more) {
        var lines = new ArrayList<DataFile.Line>(DataFile.lines("blocking/blocking.txt"));
        lines.addAll(DataFile.lines("blocking/contexts.txt"));
        for (Path file : more) {
            try {
                lines.addAll(DataFile.lines(file));
            } catch (IOException e) {
                throw new IllegalArgumentException(file + ": cannot be read as a catalogue");
            }
        }
        return new Catalogue(lines);
    }
}
