package scanner;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** A source file without its text. */
final class SourceUnit {

    final Analysis.Source source;
    final boolean isTest;
    String packageName = "";
    /** Simple name to qualified name. */
    final Map<String, String> imports = new HashMap<>();
    /** Packages and types of {@code import x.*}. */
    final List<String> starImports = new ArrayList<>();
    /** Member name to the type it comes from. */
    final Map<String, String> staticImports = new HashMap<>();
    final List<String> staticStarImports = new ArrayList<>();
    /** Every type of the file in the order of its text, nested, local and anonymous ones too. */
    final List<TypeDecl> types = new ArrayList<>();

    private static final Pattern TEST = Pattern.compile("(?!(.*/)?src/main/)(.*/)?(tests?|test[A-Z]\\w*|\\w+Tests?|it|jmh)/.*");

    SourceUnit(Analysis.Source source) {
        this.source = source;
        this.isTest = TEST.matcher(source.name()).matches();
    }
}
