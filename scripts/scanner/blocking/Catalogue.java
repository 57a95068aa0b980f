package scanner.blocking;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import scanner.findings.DataFile;
import scanner.findings.Rule;
import scanner.findings.Rules;
import scanner.types.Api;
import scanner.types.Type;
import scanner.types.World;

/**
 * The blocking calls ({@code blocking.txt}) and the contexts where they hurt ({@code contexts.txt}), with the user's
 * additions.
 */
public final class Catalogue {

    /** @param number the first ones go before the others. */
    record Blocking(Kind kind, Api api, int number) {
        Blocking(Kind kind, Api api) {
            this(kind, api, 0);
        }
    }

    private final Map<String, List<Blocking>> blocking = new HashMap<>();
    /** The same by method and type: a method such as {@code get} is of many. */
    private final Map<String, Map<String, List<Blocking>>> byType = new HashMap<>();
    private final Map<String, List<Api>> never = new HashMap<>();
    private final Map<String, List<Context>> calls = new HashMap<>();
    private final Map<String, List<Context>> overrides = new HashMap<>();
    /** By the simple name of the annotation. */
    private final Map<String, List<Context>> annotated = new HashMap<>();
    /** By the simple name of the type that is returned. */
    private final Map<String, List<Context>> returns = new HashMap<>();
    private final Map<String, List<Api>> inline = new HashMap<>();
    private int number;
    private final Map<String, Blocking> anyMethod = new HashMap<>();
    private final List<Blocking> anyMethodOfSome = new ArrayList<>();
    private final Map<Rule, EnumSet<Kind>> kinds = new HashMap<>();
    private final Map<Rule, EnumSet<Kind>> leads = new HashMap<>();
    private final Map<Rule, Set<String>> asked = new HashMap<>();
    private final Set<String> functions = new HashSet<>();

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
            default -> {
                for (Api api : Api.list(apis)) {
                    var call = new Blocking(Kind.of(words[0]), api, number++);
                    if (!api.method().equals("*")) {
                        blocking.computeIfAbsent(api.method(), n -> new ArrayList<>()).add(call);
                        byType.computeIfAbsent(api.method(), n -> new HashMap<>())
                                .computeIfAbsent(api.type(), n -> new ArrayList<>()).add(call);
                    } else if (api.type().startsWith("@") || api.type().startsWith("*")) {
                        anyMethodOfSome.add(call);
                    } else {
                        anyMethod.put(api.type(), call);
                    }
                }
            }
        }
    }

    private void context(String[] fields) {
        Rule rule = Rules.named(fields[0].strip()).orElseThrow(() -> new IllegalArgumentException(fields[0]));
        String third = fields[2].strip();
        switch (fields[1].strip()) {
            case "kinds" -> kinds.put(rule, kinds(third));
            case "leads" -> leads.put(rule, kinds(third));
            case "asked" -> asked.put(rule, Set.of(third.split(",")));
            default -> {
                for (Api api : third.indexOf('#') < 0 ? List.of(new Api(third, "*", -1)) : Api.list(third)) {
                    add(context(rule, fields, api));
                }
            }
        }
    }

    private static Context context(Rule rule, String[] fields, Api api) {
        var how = Context.How.valueOf(fields[1].strip().toUpperCase(Locale.ROOT));
        Set<String> chained = Set.of();
        Set<String> unless = Set.of();
        Set<String> takes = Set.of();
        List<Api> from = List.of();
        List<Api> with = List.of();
        EnumSet<Kind> sure = null;
        var traits = EnumSet.noneOf(Context.Trait.class);
        for (int i = 4; i < fields.length; i++) {
            String[] words = fields[i].strip().split("\\s+", 2);
            switch (words[0]) {
                case "chained" -> chained = Set.of(words[1].split(","));
                case "unless" -> unless = Set.of(words[1].split(","));
                case "takes" -> takes = Set.of(words[1].split(","));
                case "from" -> from = Api.list(words[1]);
                case "with" -> with = Api.list(words[1]);
                case "sure" -> sure = kinds(words[1]);
                default -> traits.add(Context.Trait.valueOf(words[0].toUpperCase(Locale.ROOT)));
            }
        }
        return new Context(rule, how, api, fields[3].strip(), chained, unless, from, with, takes, sure, traits);
    }

    private void add(Context context) {
        String method = context.api().method();
        switch (context.how()) {
            case CALL -> calls.computeIfAbsent(method, n -> new ArrayList<>()).add(context);
            case OVERRIDE -> {
                overrides.computeIfAbsent(method, n -> new ArrayList<>()).add(context);
                functions.add(context.api().type());
            }
            case ANNOTATED -> annotated.computeIfAbsent(context.simpleType(), n -> new ArrayList<>()).add(context);
            case RETURNS -> returns.computeIfAbsent(context.simpleType(), n -> new ArrayList<>()).add(context);
        }
    }

    private static EnumSet<Kind> kinds(String words) {
        EnumSet<Kind> set = EnumSet.noneOf(Kind.class);
        for (String kind : words.strip().split("\\s+")) {
            set.add(Kind.of(kind));
        }
        return set;
    }

    /** The types it names. */
    public Set<String> types() {
        var types = new HashSet<String>();
        for (Map<String, List<Context>> contexts : List.of(calls, overrides, returns)) {
            contexts.values().forEach(list -> list.forEach(context -> types.add(context.api().type())));
        }
        blocking.values().forEach(list -> list.forEach(call -> types.add(call.api().type())));
        anyMethodOfSome.forEach(call -> types.add(call.api().type()));
        types.addAll(anyMethod.keySet());
        return types;
    }

    /** What blocking hurts in the contexts of a rule. */
    EnumSet<Kind> kinds(Rule rule) {
        return kinds.getOrDefault(rule, EnumSet.allOf(Kind.class));
    }

    /** What else may hurt there, as a lead. */
    EnumSet<Kind> leads(Rule rule) {
        return leads.getOrDefault(rule, LEADS);
    }

    /** Calls by which code asks whether it runs in the contexts of a rule. */
    Set<String> asked(Rule rule) {
        return asked.getOrDefault(rule, Set.of());
    }

    boolean isAsked(String method) {
        return asked.values().stream().anyMatch(names -> names.contains(method));
    }

    private static final EnumSet<Kind> LEADS = EnumSet.of(Kind.STREAM, Kind.FILE, Kind.SYNC, Kind.DNS, Kind.CURSOR,
            Kind.DESKTOP, Kind.METADATA, Kind.NAMED);

    boolean mayBlock(String method) {
        return blocking.containsKey(method);
    }

    /** {@code *BlockingStub}: the end of a generated type's name. */
    private static boolean isNamed(Type type, String pattern) {
        return !type.derived() && type.name().endsWith(pattern.substring(1));
    }

    /** Of a type all of whose methods block; null if there is none. */
    Blocking blocking(World world, Type receiver, String method) {
        Blocking found = receiver == null ? null : anyMethod(world, receiver);
        return found == null || isNever(world, receiver, method, -1) ? null : found;
    }

    private Blocking anyMethod(World world, Type receiver) {
        for (String each : receiver.derived() ? Set.<String>of() : world.supers(receiver.name())) {
            if (anyMethod.containsKey(each)) {
                return anyMethod.get(each);
            }
        }
        for (Blocking each : anyMethodOfSome) {
            if (each.api.type().startsWith("@") ? world.isAnnotated(receiver, each.api.type().substring(1))
                    : isNamed(receiver, each.api.type())) {
                return each;
            }
        }
        return null;
    }

    /**
     * @param receiver null if unknown. @param arguments -1 for a method reference. @return null if it does not block.
     */
    Blocking blocking(World world, Type receiver, String method, int arguments) {
        Blocking nearest = null;
        for (Blocking each : candidates(world, receiver, method)) {
            if (each.api.fits(method, arguments) && !isNever(world, receiver, method, arguments)
                    && (receiver == null || !receiver.derived() || isTelling(method))
                    && (nearest == null || world.isA(Type.of(each.api.type()), nearest.api.type()))) {
                nearest = each;
            }
        }
        return nearest;
    }

    private List<Blocking> candidates(World world, Type receiver, String method) {
        if (receiver == null || receiver.derived() || receiver.name().startsWith("?")) {
            return blocking.getOrDefault(method, List.of()).stream()
                    .filter(each -> matches(world, receiver, each.api.type())).toList();
        }
        Map<String, List<Blocking>> ofTypes = byType.getOrDefault(method, Map.of());
        return ofTypes.isEmpty() ? List.of() : world.supers(receiver.name()).stream()
                .flatMap(each -> ofTypes.getOrDefault(each, List.of()).stream())
                .sorted(Comparator.comparingInt(Blocking::number)).toList();
    }

    /** Names that say enough for the result of an unknown call: {@code get} says nothing. */
    private static boolean isTelling(String method) {
        return method.startsWith("block") || method.startsWith("sync") || method.endsWith("Now")
                || method.endsWith("Uninterruptibly") || method.equals("indefinitely");
    }

    private boolean isNever(World world, Type receiver, String method, int arguments) {
        for (String key : List.of(method, "*")) {
            for (Api api : never.getOrDefault(key, List.of())) {
                if (api.fits(method, arguments) && (api.type().startsWith("*")
                        ? receiver != null && isNamed(receiver, api.type()) : world.isA(receiver, api.type()))) {
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
        return type.derived() ? name.equals("?") || sameLibrary(type.name(), name) : world.isA(type, name);
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

    /** The contexts that a type's functions get into, whichever of its methods that is. */
    List<Context> overridesOf(Set<String> types) {
        return types.stream().noneMatch(functions::contains) ? List.of() : overrides.values().stream()
                .flatMap(List::stream)
                .filter(context -> types.contains(context.api().type())).toList();
    }

    List<Context> annotated(String simpleName) {
        return annotated.getOrDefault(simpleName, List.of());
    }

    List<Context> returns(String simpleName) {
        return returns.getOrDefault(simpleName, List.of());
    }
}
