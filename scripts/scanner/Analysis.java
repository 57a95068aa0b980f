package scanner;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
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
import scanner.project.Source;
import scanner.project.SourceTree;
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
        String cache = System.getProperty("scanner.cache");
        return run(request, cache == null ? null : Path.of(cache));
    }

    /** @param cache where what is worth keeping between scans of some files is kept; null for nowhere */
    static Result run(Request request, Path cache) {
        var result = new FutureTask<Result>(() -> analyse(request, cache));
        if (!DeepStack.start(result)) {
            result.run(); // without, only deeply nested files are lost
        }
        return DeepStack.await(result);
    }

    private static Result analyse(Request request, Path cache) {
        Data data = Data.of(request.catalogues());
        if (request.only().isEmpty() || cache == null) {
            return analyse(request, data, null);
        }
        Source first = request.sources().get(0);
        String root = SourceTree.slashed(first.file());
        root = root.substring(0, Math.max(0, root.length() - first.name().length()));
        String key = Runtime.version() + " " + request.deep() + " " + data.hashCode() + " " + root;
        try (var index = new Index(cache, key)) {
            try {
                return analyse(request, data, index);
            } catch (Index.Damaged e) {
                index.forget();
                return analyse(request, data, null);
            }
        }
    }

    /** @param index null to parse and look at everything. */
    private static Result analyse(Request request, Data data, Index index) {
        Set<Path> only = request.only();
        var problems = new ArrayList<String>();
        var catalogue = new Catalogue(data.catalogue);
        var library = new Library(data.library);
        library.nameAlso(catalogue.types());
        List<SourceUnit> units = index == null ? Parsing.parse(request.sources(), problems, request.progress())
                : index.units(request.sources(), problems, request.progress());
        var world = new World(units, library);
        var typing = new Typing(world, library);
        var origins = new Origins(typing);
        var calls = new CallGraph(typing, origins, catalogue, request.deep());
        var contexts = new Contexts(typing, catalogue, origins);
        var tasks = new TaskScan(typing, origins, request.deep());
        var blocking = new BlockingScan(calls, catalogue, request.deep());
        if (index != null) {
            index.compare(world, only);
        }
        for (SourceUnit unit : units) {
            if (index != null && !index.isAffected(unit)) {
                continue;
            }
            int release = unit.source.release() > 0 ? unit.source.release() : request.release();
            int count = 0;
            for (TypeDecl type : unit.types) {
                try {
                    for (MethodDecl method : type.methods) {
                        int number = count++;
                        if (index != null && !index.isAffected(unit, number)) {
                            continue;
                        }
                        var followed = new HashSet<>(Set.of(unit));
                        contexts.find(method, region -> {
                            if (region.rule().holdsOn(release)) {
                                blocking.look(region);
                            }
                            if (index != null) {
                                followed.addAll(blocking.followed(region));
                                index.add(unit, number, followed);
                            }
                        });
                        if (index == null || followed.stream().anyMatch(each -> only.contains(each.source.file()))) {
                            tasks.look(method, release);
                        }
                    }
                } catch (Index.Damaged e) {
                    throw e;
                } catch (RuntimeException | StackOverflowError e) {
                    problems.add(unit.source.name() + ": " + type.name + " left out (" + e.getClass().getSimpleName()
                            + ")");
                }
            }
        }
        if (index != null) {
            index.keep();
        }
        var findings = new ArrayList<>(blocking.findings());
        findings.addAll(tasks.findings());
        if (!only.isEmpty()) {
            Set<String> names = request.sources().stream().filter(s -> only.contains(s.file()))
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

    private record Data(List<DataFile.Line> catalogue, List<DataFile.Line> library) {

        static Data of(List<Path> more) {
            var lines = new ArrayList<DataFile.Line>(DataFile.lines("blocking/blocking.txt"));
            lines.addAll(DataFile.lines("blocking/contexts.txt"));
            for (Path file : more) {
                try {
                    lines.addAll(DataFile.lines(file));
                } catch (IOException e) {
                    throw new IllegalArgumentException(file + ": cannot be read as a catalogue");
                }
            }
            return new Data(lines, DataFile.lines("types/library.txt"));
        }
    }
}
