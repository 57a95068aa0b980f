package scanner.types;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import scanner.findings.DataFile;

/**
 * What {@code library.txt} says of third-party types: {@code A extends B, C}, {@code A#method,method : Result}, {@code
 * packed A}, {@code holds A, B}.
 */
public final class Library {

    private final Map<String, List<String>> supers = new HashMap<>();
    private final Map<String, String> results = new HashMap<>();
    private final List<String> packed = new ArrayList<>();
    private final Set<String> holders = new HashSet<>();
    private final Set<String> names = new HashSet<>();

    public Library(List<DataFile.Line> lines) {
        for (DataFile.Line line : lines) {
            add(line);
        }
    }

    private void add(DataFile.Line line) {
        String text = line.text();
        int extend = text.indexOf(" extends ");
        int colon = text.lastIndexOf(" : ");
        if (text.startsWith("packed ")) {
            packed.add("." + text.substring(7).strip() + ".");
        } else if (text.startsWith("holds ")) {
            for (String type : text.substring(6).split(",")) {
                holders.add(type.strip());
                names.add(type.strip());
            }
        } else if (extend > 0) {
            names.add(text.substring(0, extend).strip());
            for (String parent : text.substring(extend + 9).split(",")) {
                supers.computeIfAbsent(text.substring(0, extend).strip(), n -> new ArrayList<>()).add(parent.strip());
            }
        } else if (colon > 0 && text.indexOf('#') > 0) {
            String type = text.substring(0, text.indexOf('#'));
            names.add(type);
            for (String method : text.substring(type.length() + 1, colon).split(",")) {
                results.put(type + "#" + method.strip(), text.substring(colon + 3).strip());
            }
        }
    }

    /** Types that other data names. */
    public void nameAlso(Collection<String> types) {
        names.addAll(types);
    }

    /** Whether there is such a type: an {@code import x.*} may be of it. */
    boolean knows(String type) {
        return names.contains(type);
    }

    /**
     * The name a type had before it was packed into another library: {@code org.acme.shaded.io.netty.Channel} is
     * Netty's.
     */
    String original(String type) {
        for (String head : packed) {
            int at = type.indexOf(head);
            if (at > 0) {
                return type.substring(at + 1);
            }
        }
        return type;
    }

    /** Whether functions passed to its methods are given what it holds, its first type argument. */
    boolean isHolder(String type) {
        return holders.contains(type);
    }

    List<String> supers(String type) {
        return supers.getOrDefault(type, List.of());
    }

    /** @return null if nothing is said. */
    String result(String type, String method) {
        String result = results.get(type + "#" + method);
        return result == null ? results.get(type + "#*") : result;
    }
}
