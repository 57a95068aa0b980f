package scanner.blocking;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import scanner.findings.DataFile;
import scanner.types.Api;
import scanner.types.Type;
import scanner.types.World;

/**
 * The blocking calls ({@code blocking.txt}) and the contexts where they hurt ({@code contexts.txt}), with the user's
 * additions.
 */
public final class Catalogue {

    record Blocking(Kind kind, Api api) {
    }

    /** How code gets into a context: as an argument of a call, by overriding, by an annotation, by what it returns. */
    enum How { CALL, OVERRIDE, ANNOTATED, RETURNS }

    /**
     * @param what     the context as a person would name it
     * @param chained  only if the chain of calls holds one of these
     * @param unless   not if the chain holds one of these
     * @param from     only if the receiver was made by one of these
     * @param weak     a lead, not a finding
     */
    record Context(String rule, How how, Api api, String what, Set<String> chained, Set<String> unless, List<Api> from,
            boolean weak) {
        Context asLead() {
            return new Context(rule, how, api, what, chained, unless, from, true);
        }
    }

    private final Map<String, List<Blocking>> blocking = new HashMap<>();
    private final Map<String, List<Api>> never = new HashMap<>();
    private final Map<String, List<Context>> calls = new HashMap<>();
    private final Map<String, List<Context>> overrides = new HashMap<>();
    private final List<Context> annotated = new ArrayList<>();
    private final List<Context> returns = new ArrayList<>();
    private final Map<String, List<Api>> inline = new HashMap<>();
    private final Map<String, EnumSet<Kind>> kinds = new HashMap<>();
    private final Map<String, EnumSet<Kind>> leads = new HashMap<>();

    /** @throws IllegalArgumentException with a line for the user, if a line cannot be read. */
    public Catalogue(List<DataFile.Line> lines) {
        for (DataFile.Line line : lines) {
            try {
                add(line.text());
            } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
                throw new IllegalArgumentException(line.file() + ":" + line.number()
                        + ": not a line of the catalogue: " + line.text());
            }
        }
    }

    private void add(String text) {
        if (text.indexOf('|') >= 0) {
            context(text.split("\\|"));
            return;
        }
        String[] words = text.split("\\s+", 2);
        String apis = words[1].strip();
        switch (words[0]) {
            case "never" -> (apis.indexOf('#') < 0 ? List.of(new Api(apis, "*", -1)) : Api.list(apis))
                    .forEach(api -> never.computeIfAbsent(api.method(), n -> new ArrayList<>()).add(api));
            case "inline" -> Api.list(apis).forEach(api -> inline.computeIfAbsent(api.method(), n -> new ArrayList<>())
                    .add(api));
            default -> Api.list(apis).forEach(api -> blocking.computeIfAbsent(api.method(), n -> new ArrayList<>())
                    .add(new Blocking(Kind.of(words[0]), api)));
        }
    }

    private void context(String[] fields) {
        String rule = fields[0].strip();
        String how = fields[1].strip();
        if (how.equals("kinds") || how.equals("leads")) {
            EnumSet<Kind> set = EnumSet.noneOf(Kind.class);
            for (String kind : fields[2].strip().split("\\s+")) {
                set.add(Kind.of(kind));
            }
            (how.equals("kinds") ? kinds : leads).put(rule, set);
            return;
        }
        Set<String> chained = Set.of();
        Set<String> unless = Set.of();
        List<Api> from = List.of();
        boolean weak = false;
        for (int i = 4; i < fields.length; i++) {
            String[] words = fields[i].strip().split("\\s+", 2);
            switch (words[0]) {
                case "chained" -> chained = Set.of(words[1].split(","));
                case "unless" -> unless = Set.of(words[1].split(","));
                case "from" -> from = Api.list(words[1]);
                case "weak" -> weak = true;
                default -> throw new IllegalArgumentException(words[0]);
            }
        }
        String apis = fields[2].strip();
        for (Api api : apis.indexOf('#') < 0 ? List.of(new Api(apis, "*", -1)) : Api.list(apis)) {
            var context = new Context(rule, How.valueOf(how.toUpperCase(java.util.Locale.ROOT)), api, fields[3]
                    .strip(), chained, unless, from, weak);
            switch (context.how) {
                case CALL -> calls.computeIfAbsent(api.method(), n -> new ArrayList<>()).add(context);
                case OVERRIDE -> overrides.computeIfAbsent(api.method(), n -> new ArrayList<>()).add(context);
                case ANNOTATED -> annotated.add(context);
                case RETURNS -> returns.add(context);
            }
        }
    }

    /** What blocking hurts in the contexts of a rule. */
    EnumSet<Kind> kinds(String rule) {
        return kinds.getOrDefault(rule, EnumSet.allOf(Kind.class));
    }

    /** What else may hurt there, as a lead. */
    EnumSet<Kind> leads(String rule) {
        return leads.getOrDefault(rule, LEADS);
    }

    private static final EnumSet<Kind> LEADS = EnumSet.of(Kind.STREAM, Kind.FILE, Kind.DNS);

    boolean mayBlock(String method) {
        return blocking.containsKey(method);
    }

    /**
     * @param receiver null if unknown. @param arguments -1 for a method reference. @return null if it does not block.
     */
    Blocking blocking(World world, Type receiver, String method, int arguments) {
        Blocking nearest = null;
        for (Blocking each : blocking.getOrDefault(method, List.of())) {
            if (each.api.fits(method, arguments) && matches(world, receiver, each.api.type()) && !isNever(world,
                    receiver, method)
                    && (receiver == null || !receiver.derived() || isTelling(method))
                    && (nearest == null || world.isA(Type.of(each.api.type()), nearest.api.type()))) {
                nearest = each;
            }
        }
        return nearest;
    }

    /** Names that say enough for the result of an unknown call: {@code get} says nothing. */
    private static boolean isTelling(String method) {
        return method.startsWith("block") || method.startsWith("sync") || method.endsWith("Uninterruptibly")
                || method.equals("indefinitely");
    }

    private boolean isNever(World world, Type receiver, String method) {
        for (String key : List.of(method, "*")) {
            for (Api api : never.getOrDefault(key, List.of())) {
                if (world.isA(receiver, api.type())) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * Whether a type is, or for results of unknown calls may be, {@code name}; {@code ?} is any type that is not known.
     */
    static boolean matches(World world, Type type, String name) {
        if (type == null || type.name().startsWith("?")) {
            return name.equals("?") || type != null && name.endsWith(type.name().substring(1));
        }
        return type.derived() ? sameLibrary(type.name(), name) : world.isA(type, name);
    }

    private static boolean sameLibrary(String a, String b) {
        int dot = a.indexOf('.', a.indexOf('.') + 1);
        return dot > 0 && b.startsWith(a.substring(0, dot + 1));
    }

    /** Whether a method runs the functions it is given before it returns. */
    boolean isInline(World world, Type receiver, String method) {
        for (String key : List.of(method, "*")) {
            for (Api api : inline.getOrDefault(key, List.of())) {
                if (world.isA(receiver, api.type())) {
                    return true;
                }
            }
        }
        return false;
    }

    boolean mayRun(String method) {
        return calls.containsKey(method);
    }

    /** Contexts a function gets into by being passed to a method of that name. */
    List<Context> calls(String method) {
        return calls.getOrDefault(method, List.of());
    }

    List<Context> anyCalls() {
        return calls.getOrDefault("*", List.of());
    }

    List<Context> overrides(String method) {
        return overrides.getOrDefault(method, List.of());
    }

    List<Context> annotated() {
        return annotated;
    }

    List<Context> returns() {
        return returns;
    }
}
