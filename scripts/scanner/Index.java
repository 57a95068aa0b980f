package scanner;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import scanner.project.Source;
import scanner.source.MethodDecl;
import scanner.source.Packing;
import scanner.source.Parsing;
import scanner.source.SourceUnit;
import scanner.source.TypeDecl;
import scanner.source.Unpacking;
import scanner.types.World;

/**
 * What the last scan has read of each file of a tree, and which files mattered for what it found in which: with it a
 * scan of some files parses those that were edited since, and looks again at what these matter for. A file in the
 * user's cache, put in place whole, so that two scans at once do no harm; one that is damaged is made anew.
 */
final class Index implements AutoCloseable {

    /** So few are parsed sooner than the index is written. */
    private static final int FEW = 8;
    private static final int TREES = 20;
    private static final long MAX_BYTES = 500_000_000;
    private static final long TICK = 2_000;
    private static final int START = 8;
    private static final int[] NONE = {};

    /** The index cannot be read any more. */
    static final class Damaged extends RuntimeException {
        private static final long serialVersionUID = 1;

        Damaged(Exception cause) {
            super(cause);
        }
    }

    /**
     * @param follows by the number of each method with regions the files these run into
     * @param uses    the files its code asks for declarations
     */
    private record Entry(String name, State state, byte[] head, long at, int length, int checksum, int shape,
            Map<Integer, int[]> follows, int[] uses) {
    }

    /** What shows that a file is the one that was read. */
    private record State(long size, long time) {

        static final State UNKNOWN = new State(-1, -1);

        static State of(Path file) {
            try {
                var attributes = Files.readAttributes(file, BasicFileAttributes.class);
                return new State(attributes.size(), attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS));
            } catch (IOException e) {
                return UNKNOWN;
            }
        }

        /** A file that was changed just now may change once more and have the same time. */
        State settled() {
            return TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis() - TICK) > time ? this : UNKNOWN;
        }
    }

    private final Path file;
    private final String key;
    private final List<Entry> entries = new ArrayList<>();
    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<SourceUnit, Entry> known = new IdentityHashMap<>();
    /** What was looked at in this scan, by the number of the method. */
    private final Map<SourceUnit, Map<Integer, Set<SourceUnit>>> follows = new IdentityHashMap<>();
    private final Set<String> edited = new HashSet<>();
    private Set<String> bad = Set.of();
    private List<SourceUnit> units = List.of();
    private FileChannel in;

    /** @param key what the tree is scanned for, and where it is; another one has an index of its own. */
    Index(Path folder, String key) {
        this.key = key;
        file = folder.resolve("tree-" + Integer.toHexString(checksum(key.getBytes(StandardCharsets.UTF_8))) + ".index");
        try {
            in = FileChannel.open(file);
            read();
        } catch (IOException | RuntimeException e) { // there is none yet, or it is damaged
            entries.clear();
        }
    }

    private void read() throws IOException {
        ByteBuffer start = bytes(0, START);
        byte[] front = bytes(START, start.getInt()).array();
        var unpacking = new Unpacking(front);
        if (checksum(front) != start.getInt() || !unpacking.text().equals(key)) {
            return;
        }
        long at = START + front.length;
        for (int count = unpacking.number(); count > 0; count--) {
            var entry = new Entry(unpacking.text(), new State(unpacking.big(), unpacking.big()), unpacking.bytes(), at,
                    unpacking.number(), (int) unpacking.big(), (int) unpacking.big(), new TreeMap<>(),
                    numbers(unpacking));
            for (int methods = unpacking.number(); methods > 0; methods--) {
                entry.follows.put(unpacking.number(), numbers(unpacking));
            }
            entries.add(entry);
            at += entry.length;
        }
        for (int i = 0; i < entries.size(); i++) {
            ids.put(entries.get(i).name, i);
        }
    }

    private static int[] numbers(Unpacking unpacking) {
        var numbers = new int[unpacking.number()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = unpacking.number();
        }
        return numbers;
    }

    private ByteBuffer bytes(long at, int length) throws IOException {
        if (length < 0 || length > in.size() - at) {
            throw new IOException("cut short");
        }
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining()) {
            if (in.read(bytes, at + bytes.position()) < 0) {
                throw new IOException("cut short");
            }
        }
        return bytes.flip();
    }

    private byte[] members(Entry entry) {
        try {
            byte[] bytes = bytes(entry.at, entry.length).array();
            if (checksum(bytes) != entry.checksum) {
                throw new IOException("damaged");
            }
            return bytes;
        } catch (IOException e) {
            throw new Damaged(e);
        }
    }

    private static int checksum(byte[] bytes) {
        var checksum = new CRC32();
        checksum.update(bytes);
        return (int) checksum.getValue();
    }

    /** As {@link Parsing#parse}; what has not been edited is not parsed, and read when it is looked at. */
    List<SourceUnit> units(List<Source> sources, List<String> problems, Consumer<String> progress) {
        Map<String, SourceUnit> found = new HashMap<>();
        var toParse = new ArrayList<Source>();
        edited.addAll(ids.keySet());
        for (Source source : sources) {
            Integer id = ids.get(source.name());
            Entry entry = id == null ? null : entries.get(id);
            if (entry != null && entry.state.equals(State.of(source.file()))) {
                SourceUnit unit = new Unpacking(entry.head).head(source, () -> members(entry));
                found.put(source.name(), unit);
                known.put(unit, entry);
                edited.remove(source.name());
            } else {
                toParse.add(source);
            }
        }
        Parsing.parse(toParse, problems, progress).forEach(unit -> found.put(unit.source.name(), unit));
        units = sources.stream().map(source -> found.get(source.name())).filter(Objects::nonNull).toList();
        bad = problems.stream().map(problem -> problem.substring(0, Math.max(0, problem.indexOf(':'))))
                .collect(Collectors.toSet());
        return units;
    }

    /** Tells what may come to something in these files, and what may come to something else by what was edited. */
    void compare(World world, Set<Path> only) {
        var changed = new BitSet();
        edited.forEach(name -> changed.set(ids.get(name)));
        var declared = new BitSet();
        for (SourceUnit unit : units) {
            Integer id = ids.get(unit.source.name());
            if (id != null && only.contains(unit.source.file())) {
                changed.set(id);
            }
            if (!entries.isEmpty() && !known.containsKey(unit)
                    && (id == null || entries.get(id).shape != shape(unit))) {
                for (TypeDecl type : unit.types) {
                    world.supers(type.name).forEach(parent -> mark(world.decl(parent, null), declared));
                    world.subtypes(type.name).forEach(child -> mark(child, declared));
                }
            }
        }
        for (int i = 0; i < entries.size(); i++) {
            if (any(entries.get(i).uses, declared)) {
                changed.set(i);
            }
        }
        for (SourceUnit unit : units) {
            Entry entry = known.get(unit);
            var methods = new TreeMap<Integer, Set<SourceUnit>>();
            if (entry == null || only.contains(unit.source.file())) {
                for (int i = 0; i < methods(unit); i++) {
                    methods.put(i, new HashSet<>());
                }
            } else {
                entry.follows.forEach((method, files) -> {
                    if (any(files, changed)) {
                        methods.put(method, new HashSet<>());
                    }
                });
            }
            if (!methods.isEmpty()) {
                follows.put(unit, methods);
            }
        }
    }

    private static int methods(SourceUnit unit) {
        return unit.types.stream().mapToInt(type -> type.methods.size()).sum();
    }

    private void mark(TypeDecl type, BitSet declared) {
        Integer id = type == null ? null : ids.get(type.unit.source.name());
        if (id != null) {
            declared.set(id);
        }
    }

    private static boolean any(int[] numbers, BitSet among) {
        for (int number : numbers) {
            if (among.get(number)) {
                return true;
            }
        }
        return false;
    }

    /** What others see of the types of a file: how calls are dispatched depends on it. */
    private static int shape(SourceUnit unit) {
        int shape = 1;
        for (TypeDecl type : unit.types) {
            boolean isLocal = type.simpleName().startsWith("$");
            shape = 31 * shape + Objects.hash(isLocal ? "" : type.name, type.supers);
            for (MethodDecl method : type.methods) {
                shape = 31 * shape + Objects.hash(method.name, method.paramTypes, method.isStatic);
            }
        }
        return shape;
    }

    /** Whether to look at any method of a unit. */
    boolean isAffected(SourceUnit unit) {
        return follows.containsKey(unit);
    }

    boolean isAffected(SourceUnit unit, int method) {
        return follows.get(unit).containsKey(method);
    }

    /** A region of a method runs into these. */
    void add(SourceUnit unit, int method, Set<SourceUnit> followed) {
        follows.get(unit).get(method).addAll(followed);
    }

    /** For the next scan, if that is worth it. It goes on without where it cannot be written. */
    void keep() {
        if (units.size() - known.size() <= FEW && edited.size() <= FEW && !entries.isEmpty()) {
            return;
        }
        Path part = null;
        try {
            Files.createDirectories(file.getParent());
            part = Files.createTempFile(file.getParent(), "index", ".tmp");
            if (write(part)) {
                close();
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
                forgetOld();
            }
        } catch (IOException e) {
            // the next scan parses all again
        } finally {
            delete(part);
        }
    }

    private boolean write(Path part) throws IOException {
        var positions = new HashMap<String, Integer>();
        units.forEach(unit -> positions.put(unit.source.name(), positions.size()));
        var front = new Packing().text(key).number(units.size());
        var members = new ArrayList<byte[]>();
        long size = 0;
        for (SourceUnit unit : units) {
            Entry entry = known.get(unit);
            byte[] body = {};
            if (entry == null) {
                var packing = new Packing();
                packing.head(unit);
                byte[] head = packing.bytes();
                boolean isWhole = packing.members(unit) && !bad.contains(unit.source.name());
                State state = isWhole ? State.of(unit.source.file()).settled() : State.UNKNOWN;
                body = isWhole ? Arrays.copyOfRange(packing.bytes(), head.length, packing.bytes().length) : body;
                entry = new Entry(unit.source.name(), state, head, 0, body.length, checksum(body), shape(unit),
                        new TreeMap<>(), NONE);
            }
            members.add(body);
            size += entry.length;
            front.text(entry.name).big(entry.state.size).big(entry.state.time).bytes(entry.head).number(entry.length)
                    .big(entry.checksum).big(entry.shape);
            numbers(front, entry.uses, unit.uses, positions);
            Map<Integer, Set<SourceUnit>> looked = follows.getOrDefault(unit, Map.of());
            var methods = new TreeSet<>(entry.follows.keySet());
            methods.addAll(looked.keySet());
            methods.removeIf(method -> looked.containsKey(method) && looked.get(method).isEmpty());
            front.number(methods.size());
            for (int method : methods) {
                front.number(method);
                numbers(front, looked.containsKey(method) ? NONE : entry.follows.get(method),
                        looked.getOrDefault(method, Set.of()), positions);
            }
        }
        if (size > MAX_BYTES) {
            return false;
        }
        byte[] bytes = front.bytes();
        try (var out = new BufferedOutputStream(Files.newOutputStream(part), 1 << 16)) {
            out.write(ByteBuffer.allocate(START).putInt(bytes.length).putInt(checksum(bytes)).array());
            out.write(bytes);
            for (int i = 0; i < members.size(); i++) {
                Entry entry = known.get(units.get(i));
                out.write(entry == null ? members.get(i) : members(entry));
            }
        }
        return true;
    }

    private void numbers(Packing front, int[] before, Set<SourceUnit> now, Map<String, Integer> positions) {
        var numbers = new TreeSet<Integer>();
        for (int id : before) {
            numbers.add(positions.getOrDefault(entries.get(id).name, -1));
        }
        now.forEach(unit -> numbers.add(positions.get(unit.source.name())));
        numbers.remove(-1);
        front.number(numbers.size());
        numbers.forEach(front::number);
    }

    /** Trees that have not been scanned for the longest. */
    private void forgetOld() throws IOException {
        try (Stream<Path> files = Files.list(file.getParent())) {
            files.filter(each -> each.toString().endsWith(".index"))
                    .sorted(Comparator.comparing((Path each) -> each.toFile().lastModified()).reversed())
                    .skip(TREES).forEach(Index::delete);
        }
    }

    /** It is not as it was written. */
    void forget() {
        delete(file);
    }

    private static void delete(Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            // in use
        }
    }

    @Override
    public void close() {
        try {
            if (in != null) {
                in.close();
            }
        } catch (IOException e) {
            // it was only read
        }
    }
}
