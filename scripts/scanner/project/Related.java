package scanner.project;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which files of a tree have to be parsed for the findings of a few: those that name the types of these files, and what
 * all of them name in turn, with what extends or implements it. Told from the words of the text, without parsing; a
 * type is taken for the file of its name.
 */
public final class Related {

    /** So few are parsed as soon as told apart. */
    private static final int FEW = 100;
    private static final int CALLERS = 150;
    private static final int ALL = 600;

    /** What a word consists of; a table, because nothing is compiled yet when it is asked. */
    private static final boolean[] PART = new boolean[128];

    static {
        for (char c = 0; c < PART.length; c++) {
            PART[c] = Character.isJavaIdentifierPart(c);
        }
    }

    private final List<Source> sources;
    private final Map<String, List<Integer>> byName = new HashMap<>();
    /** For each file the files it names. */
    private final List<Set<Integer>> names = new ArrayList<>();
    /** For each file those of them that stand behind {@code extends} or {@code implements}. */
    private final List<Set<Integer>> supertypes = new ArrayList<>();

    private Related(List<Source> sources) {
        this.sources = sources;
        for (int i = 0; i < sources.size(); i++) {
            String file = sources.get(i).file().getFileName().toString();
            byName.computeIfAbsent(file.substring(0, Math.max(0, file.lastIndexOf('.'))), n -> new ArrayList<>(1))
                    .add(i);
        }
        for (Source source : sources) {
            read(source.file());
        }
    }

    /** In the order of {@code sources}. */
    public static List<Source> of(List<Source> sources, Set<Path> only) {
        if (only.isEmpty() || sources.size() <= FEW) {
            return sources;
        }
        return new Related(sources).around(only);
    }

    private List<Source> around(Set<Path> only) {
        var chosen = new LinkedHashSet<Integer>();
        for (int i = 0; i < sources.size(); i++) {
            if (only.contains(sources.get(i).file())) {
                chosen.add(i);
            }
        }
        addCallers(chosen);
        addCallers(chosen);
        for (int round = 0; round < 3 && chosen.size() < ALL; round++) {
            var named = new LinkedHashSet<Integer>();
            chosen.forEach(i -> named.addAll(names.get(i)));
            for (int i = 0; i < sources.size(); i++) {
                if (supertypes.get(i).stream().anyMatch(chosen::contains)) {
                    named.add(i);
                }
            }
            named.removeAll(chosen);
            named.stream().limit(ALL - chosen.size()).forEach(chosen::add);
        }
        return chosen.stream().sorted().map(sources::get).toList();
    }

    /** None, if there are too many to be told apart by name. */
    private void addCallers(Set<Integer> chosen) {
        var callers = new LinkedHashSet<Integer>();
        for (int i = 0; i < sources.size(); i++) {
            if (!chosen.contains(i) && names.get(i).stream().anyMatch(chosen::contains)) {
                callers.add(i);
            }
        }
        if (chosen.size() + callers.size() <= CALLERS) {
            chosen.addAll(callers);
        }
    }

    private void read(Path file) {
        var found = new LinkedHashSet<Integer>();
        var above = new LinkedHashSet<Integer>();
        names.add(found);
        supertypes.add(above);
        byte[] text;
        try {
            text = Files.readAllBytes(file);
        } catch (IOException e) {
            return; // named when it is parsed
        }
        boolean header = false;
        for (int i = 0; i < text.length; i++) {
            if (!PART[text[i] & 0x7f]) {
                header &= text[i] != '{' && text[i] != '(';
                continue;
            }
            int start = i;
            while (i + 1 < text.length && PART[text[i + 1] & 0x7f]) {
                i++;
            }
            if (text[start] >= 'A' && text[start] <= 'Z') {
                List<Integer> files = byName.get(word(text, start, i + 1));
                if (files != null && files.size() <= 3) {
                    found.addAll(files);
                    if (header) {
                        above.addAll(files);
                    }
                }
            } else if (text[start] == 'e' || text[start] == 'i') {
                String word = word(text, start, i + 1);
                header |= word.equals("extends") || word.equals("implements");
            }
        }
    }

    private static String word(byte[] text, int start, int end) {
        return new String(text, start, end - start, StandardCharsets.ISO_8859_1);
    }
}
