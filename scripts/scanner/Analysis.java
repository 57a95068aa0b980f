package scanner;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Parses and analyses source files. The one door between the command line and the analysis. */
final class Analysis {

    private Analysis() {
    }

    /**
     * @param roots        the source files with the root each is reported relative to
     * @param release      the JDK the scanned code runs on
     * @param deep         also follow calls through overriders, and report weaker leads
     * @param only         report only findings whose chain touches one of these files; empty for all
     * @param catalogues   data files of the user's that extend the built-in catalogue
     * @param progress     told what is being done, in a few words; never null
     */
    record Request(List<Source> sources, int release, boolean deep, Set<Path> only, List<Path> catalogues, Consumer<String> progress) {
    }

    /** A source file. @param release the JDK its own module targets, or 0 for the request's. */
    record Source(Path file, String name, int release) {
    }

    /** @param findings most harmful first, the same from run to run. @param problems one line for each file or class that could not be analysed. */
    record Result(List<Finding> findings, List<String> problems) {
    }

    static Result run(Request request) {
        java.util.List<String> p = new java.util.ArrayList<>(); try { long t=System.nanoTime(); var u = new Parsing(p, request.progress()).parse(request.sources()); System.err.println(u.size()+" units "+(System.nanoTime()-t)/1000000+" ms"); System.gc(); System.err.println((Runtime.getRuntime().totalMemory()-Runtime.getRuntime().freeMemory())/1000000+" MB live"); } catch (java.io.IOException e) { } return new Result(List.of(), p);
    }
}
