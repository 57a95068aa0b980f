package explorer;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/** The code under test: compiled where it is source, instrumented, loaded. */
final class Code {

    private static final Pattern PACKAGE = Pattern.compile("(?m)^\\s*package\\s+([\\w.]+)\\s*;");

    final String scenario;
    private final URLClassLoader files;
    private final Pattern points;
    private final Map<String, ClassModel> models = new HashMap<>();
    private final Map<String, byte[]> transformed = new HashMap<>();

    /** @param folder where to compile to */
    Code(Options options, Path folder) throws Misuse, IOException {
        points = options.points();
        List<Path> sources = new ArrayList<>();
        List<URL> places = new ArrayList<>(List.of(folder.toUri().toURL()));
        StringBuilder classPath = new StringBuilder(options.classPath());
        for (String code : options.code()) {
            if (code.endsWith(".java")) {
                sources.add(existing(code));
            } else if (code != options.code().get(0)) {
                existing(code);
                classPath.append(classPath.isEmpty() ? "" : System.getProperty("path.separator")).append(code);
            }
        }
        for (String place : classPath.toString().split(System.getProperty("path.separator"))) {
            if (!place.isEmpty()) {
                places.add(existing(place).toUri().toURL());
            }
        }
        if (!sources.isEmpty()) {
            compile(sources, classPath.toString(), folder);
        }
        files = new URLClassLoader(places.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
        String first = options.code().get(0);
        scenario = first.endsWith(".java") ? className(Path.of(first)) : first;
        if (model(scenario.replace('.', '/')) == null) {
            throw new Misuse(first.endsWith(".java") ? first + " has no class " + scenario
                    : "no class " + scenario + " in "
                            + (classPath.isEmpty() ? "the class path; see --classpath" : classPath));
        }
    }

    private static Path existing(String name) throws Misuse {
        Path path = Path.of(name).toAbsolutePath();
        if (!Files.exists(path)) {
            throw new Misuse("no file " + name);
        }
        return path;
    }

    private static String className(Path source) throws IOException {
        Matcher matcher = PACKAGE.matcher(Files.readString(source));
        String simple = source.getFileName().toString().replaceFirst("\\.java$", "");
        return matcher.find() ? matcher.group(1) + "." + simple : simple;
    }

    private static void compile(List<Path> sources, String classPath, Path folder) throws Misuse, IOException {
        JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
        Set<String> roots = new LinkedHashSet<>(); // for what was not named: found beside what was
        List<String> options = new ArrayList<>(List.of("-g", "-nowarn", "-proc:none", "-encoding", "UTF-8",
                "-implicit:class", "-d", folder.toString(),
                "-cp", classPath.isEmpty() ? folder.toString() : classPath));
        for (Path source : sources) {
            Path root = source.getParent();
            String name = className(source);
            for (int i = name.indexOf('.'); i >= 0 && root != null; i = name.indexOf('.', i + 1)) {
                root = root.getParent();
            }
            roots.add(String.valueOf(root));
            options.add(source.toString());
        }
        options.addAll(0, List.of("-sourcepath", String.join(System.getProperty("path.separator"), roots)));
        StringWriter complaints = new StringWriter();
        List<String> files = options.subList(options.size() - sources.size(), options.size());
        var units = javac.getStandardFileManager(null, null, null).getJavaFileObjectsFromStrings(files);
        if (!javac.getTask(complaints, null, null, options.subList(0, options.size() - sources.size()), null, units)
                .call()) {
            throw new Misuse("it does not compile:\n" + complaints.toString().strip());
        }
    }

    /** The class of that internal name, or null if it is the JDK's or not there. */
    ClassModel model(String name) {
        return models.computeIfAbsent(name, this::read);
    }

    private ClassModel read(String name) {
        try (InputStream in = stream(name + ".class")) {
            return in == null ? null : ClassFile.of().parse(in.readAllBytes());
        } catch (IOException e) {
            return null;
        }
    }

    private InputStream stream(String name) {
        try {
            URL place = files.findResource(name);
            return place == null ? null : place.openStream();
        } catch (IOException e) {
            return null;
        }
    }

    private byte[] transformed(String name, boolean values) {
        String key = name + values;
        byte[] bytes = transformed.get(key);
        ClassModel model = bytes == null ? model(name.replace('.', '/')) : null;
        if (model != null) {
            ClassHierarchyResolver resolver = ClassHierarchyResolver.ofResourceParsing(type ->
                    stream(type.descriptorString().substring(1).replace(";", ".class")))
                    .orElse(ClassHierarchyResolver.defaultResolver());
            bytes = new Instrument(resolver, this::model, values).transform(model, points.matcher(name).matches());
            transformed.put(key, bytes);
        }
        return bytes;
    }

    /** Loads it anew. */
    ClassLoader loader(boolean values) {
        ClassLoader loader = new Loader(values);
        loader.setDefaultAssertionStatus(true);
        return loader;
    }

    private final class Loader extends ClassLoader {
        private final boolean values;

        Loader(boolean values) {
            super(Code.class.getClassLoader());
            this.values = values;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                Class<?> known = findLoadedClass(name);
                byte[] bytes = known == null ? transformed(name, values) : null;
                return known != null ? known
                        : bytes == null ? super.loadClass(name, resolve) : defineClass(name, bytes, 0, bytes.length);
            }
        }

        @Override
        public URL getResource(String name) {
            URL own = files.findResource(name);
            return own != null ? own : super.getResource(name);
        }
    }

}
