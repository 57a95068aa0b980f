package scanner.source;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.RandomAccess;
import java.util.Set;
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
    /** The files that its code has asked for a declaration. */
    public final Set<SourceUnit> uses = new HashSet<>(4);
    /** Reads the members of the types; null once they are there. */
    private Runnable members;

    private static final Pattern TEST =
            Pattern.compile("(?!(.*/)?src/main/)(.*/)?(tests?|test[A-Z]\\w*|\\w+Tests?|it|jmh)/.*");

    SourceUnit(Source source) {
        this.source = source;
        this.isTest = TEST.matcher(source.name()).matches();
    }

    void later(Runnable reading) {
        members = reading;
    }

    /** Members of a type: there when they are looked at. */
    <T> List<T> members() {
        return new Members<>();
    }

    private final class Members<T> extends AbstractList<T> implements RandomAccess {

        private final List<T> all = new ArrayList<>();

        private List<T> all() {
            if (members != null) {
                Runnable reading = members;
                members = null;
                reading.run();
            }
            return all;
        }

        @Override
        public T get(int index) {
            return all().get(index);
        }

        @Override
        public int size() {
            return all().size();
        }

        @Override
        public void add(int index, T member) {
            all.add(index, member);
        }
    }

    /** The folder that its package is in, the same in all modules of a project: {@code src/main/java/}. */
    public String rootInModule() {
        String file = source.name();
        String folder = file.substring(0, file.lastIndexOf('/') + 1);
        String path = packageName.replace('.', '/') + "/";
        String root = folder.endsWith(path) ? folder.substring(0, folder.length() - path.length()) : folder;
        return root.substring(root.lastIndexOf("/src/") + 1);
    }
}
