package scanner.source;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import scanner.project.Source;

/** A source file without its text. */
public final class SourceUnit {

    public final Source source;
    public final boolean isTest;
    public String packageName = "";
    /** Simple name to qualified name. */
    public final Map<String, String> imports = new HashMap<>();
    /** Packages and types of {@code import x.*}. */
    public final List<String> starImports = new ArrayList<>();
    /** Member name to the type it comes from. */
    public final Map<String, String> staticImports = new HashMap<>();
    public final List<String> staticStarImports = new ArrayList<>();
    /** Every type of the file in the order of its text, nested, local and anonymous ones too. */
    public final List<TypeDecl> types = new ArrayList<>();

    private static final Pattern TEST =
            Pattern.compile("(?!(.*/)?src/main/)(.*/)?(tests?|test[A-Z]\\w*|\\w+Tests?|it|jmh)/.*");

    SourceUnit(Source source) {
        this.source = source;
        this.isTest = TEST.matcher(source.name()).matches();
    }
}
