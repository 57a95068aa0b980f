package explorer;

import java.io.IOException;
import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.MonitorInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Makes, once for a JDK, the classes of java.base that a schedule needs otherwise: its clock instead of the machine's,
 * its threads instead of platform threads, its monitors where the JDK calls back under one. For all other threads they
 * do what they always did. Arguments: the folder of our classes, the folder to write, for {@code --patch-module}.
 */
public final class PatchJdk {

    private static final ClassDesc THREAD = ClassDesc.of("java.lang.Thread");
    private static final ClassDesc FUTURE = ClassDesc.of("java.util.concurrent.Future");
    private static final ClassDesc STATE = ClassDesc.of("java.lang.Thread$State");
    private static final Set<String> ASK_THEIR_CALLER = Set.of("ResourceBundle", "ServiceLoader", "Locale", "Currency",
            "PropertyResourceBundle", "ListResourceBundle", "Properties", "TimeZone", "SimpleTimeZone", "Formatter");

    /** What happens first in a method: what is called, and what its answer does. */
    private enum First { CALL, RETURN_IF_TRUE, RETURN_IF_THERE, ASK_STAND_IN, REPLACE }

    private record Prefix(First first, String hook) { }

    private static final Map<String, Prefix> PREFIXES = Map.ofEntries(
            Map.entry("java/lang/Thread.start()V", new Prefix(First.RETURN_IF_TRUE, "start")),
            Map.entry("java/lang/Thread.start(Ljdk/internal/vm/ThreadContainer;)V",
                    new Prefix(First.RETURN_IF_TRUE, "start")),
            Map.entry("java/lang/Thread.join(J)V", new Prefix(First.RETURN_IF_TRUE, "join")),
            Map.entry("java/lang/Thread.interrupt()V", new Prefix(First.ASK_STAND_IN, null)),
            Map.entry("java/lang/Thread.isInterrupted()Z", new Prefix(First.ASK_STAND_IN, null)),
            Map.entry("java/lang/Thread.alive()Z", new Prefix(First.ASK_STAND_IN, null)),
            Map.entry("java/lang/Thread.threadState()Ljava/lang/Thread$State;", new Prefix(First.ASK_STAND_IN, null)),
            Map.entry("java/lang/Thread.getStackTrace()[Ljava/lang/StackTraceElement;",
                    new Prefix(First.ASK_STAND_IN, null)),
            Map.entry("java/lang/VirtualThread.start(Ljdk/internal/vm/ThreadContainer;)V",
                    new Prefix(First.CALL, "starting")),
            Map.entry("java/lang/VirtualThread.interrupt()V", new Prefix(First.CALL, "interrupting")),
            Map.entry("java/lang/VirtualThread.threadState()Ljava/lang/Thread$State;",
                    new Prefix(First.RETURN_IF_THERE, "state")),
            Map.entry("java/lang/VirtualThread.schedule(Ljava/lang/Runnable;JLjava/util/concurrent/TimeUnit;)"
                    + "Ljava/util/concurrent/Future;", new Prefix(First.RETURN_IF_THERE, "schedule")),
            Map.entry("java/lang/VirtualThread.parkOnCarrierThread(ZJ)V", new Prefix(First.CALL, "pinned")),
            Map.entry("java/util/concurrent/locks/LockSupport.unpark(Ljava/lang/Thread;)V",
                    new Prefix(First.REPLACE, "real")),
            Map.entry("java/util/concurrent/locks/LockSupport.getBlocker(Ljava/lang/Thread;)Ljava/lang/Object;",
                    new Prefix(First.REPLACE, "real")));

    private final ClassFile classFile = ClassFile.of(ClassFile.StackMapsOption.DROP_STACK_MAPS); // java.base is trusted
    private final Set<String> notFound = new HashSet<>(PREFIXES.keySet());

    private PatchJdk() { }

    public static void main(String[] args) throws IOException {
        Path to = Path.of(args[1]);
        PatchJdk patch = new PatchJdk();
        patch.all(to);
        if (!patch.notFound.isEmpty()) {
            System.err.println("this JDK (" + System.getProperty("java.version") + ") has no " + patch.notFound
                    + "; use an older one");
            System.exit(2);
        }
        Path own = Path.of(args[0]).resolve("explorer/run");
        Files.createDirectories(to.resolve("explorer/run"));
        try (Stream<Path> files = Files.list(own)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve("explorer/run").resolve(file.getFileName()),
                        StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private void all(Path to) throws IOException {
        Path base = FileSystems.getFileSystem(URI.create("jrt:/")).getPath("modules/java.base");
        try (Stream<Path> files = Stream.of("java/util/concurrent", "java/util", "java/time")
                .flatMap(folder -> list(base.resolve(folder), folder.endsWith("concurrent") ? 9 : 1))) {
            for (Path file : files.toList()) {
                String name = base.relativize(file).toString().replace(".class", "");
                write(to, name, transform(name, Files.readAllBytes(file)));
            }
        }
        for (String name : List.of("java/lang/Thread", "java/lang/VirtualThread")) {
            write(to, name, transform(name, Files.readAllBytes(base.resolve(name + ".class"))));
        }
    }

    private static Stream<Path> list(Path folder, int depth) {
        try {
            return Files.walk(folder, depth).filter(file -> file.toString().endsWith(".class"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void write(Path to, String name, byte[] bytes) throws IOException {
        if (bytes != null) {
            Path file = to.resolve(name + ".class");
            Files.createDirectories(file.getParent());
            Files.write(file, bytes);
        }
    }

    /** Null if nothing in it is different. */
    private byte[] transform(String name, byte[] bytes) {
        String simple = name.substring(name.lastIndexOf('/') + 1);
        if (name.startsWith("java/time/") && !simple.startsWith("Clock")
                || ASK_THEIR_CALLER.contains(simple.split("\\$")[0])) {
            return null;
        }
        boolean threads = name.startsWith("java/util/") && !simple.equals("LockSupport");
        boolean[] changed = {false};
        ClassModel model = classFile.parse(bytes);
        byte[] result = classFile.transformClass(model, (builder, element) -> {
            if (element instanceof MethodModel method && method.code().isPresent()) {
                if (threads && locks(method)) {
                    changed[0] = true;
                    dispatch(builder, model, method, changed);
                } else {
                    builder.transformMethod(method, (to, part) -> {
                        if (part instanceof CodeModel code) {
                            to.transformCode(code, calls(name, method, threads, changed));
                        } else {
                            to.with(part);
                        }
                    });
                }
            } else {
                builder.with(element);
            }
        });
        return changed[0] ? result : null;
    }

    private static boolean locks(MethodModel method) {
        return !method.methodName().stringValue().startsWith("<") && (method.flags().has(AccessFlag.SYNCHRONIZED)
                || method.code().get().elementStream().anyMatch(MonitorInstruction.class::isInstance));
    }

    private CodeTransform calls(String type, MethodModel method, boolean threads, boolean[] changed) {
        boolean parent = type.equals("java/lang/Thread") && method.methodName().equalsString("<init>")
                && method.methodType().stringValue().startsWith("(Ljava/lang/ThreadGroup;");
        Redirects redirects = threads || parent ? Redirects.ofJdk() : Redirects.ofTime();
        String name = type + "." + method.methodName().stringValue() + method.methodType().stringValue();
        Prefix prefix = PREFIXES.get(name);
        return new CodeTransform() {
            @Override
            public void atStart(CodeBuilder code) {
                if (prefix != null) {
                    notFound.remove(name);
                    changed[0] = true;
                    first(code, type, method, prefix);
                }
            }

            @Override
            public void accept(CodeBuilder code, CodeElement element) {
                if (element instanceof InvokeInstruction call && redirects.redirect(code, call)) {
                    changed[0] = true;
                    return;
                }
                code.with(element);
                if (threads && element instanceof FieldInstruction field && field.opcode() == Opcode.GETSTATIC
                        && (field.name().equalsString("common") || field.name().equalsString("ASYNC_POOL"))
                        && field.typeSymbol().displayName().equals("ForkJoinPool")) {
                    changed[0] = true;
                    code.invokestatic(Redirects.HOOKS, "pool",
                            MethodTypeDesc.of(field.typeSymbol(), field.typeSymbol()));
                }
            }
        };
    }

    private static void first(CodeBuilder code, String type, MethodModel method, Prefix prefix) {
        MethodTypeDesc parameters = method.methodTypeSymbol();
        Label go = code.newLabel();
        switch (prefix.first) {
            case CALL -> {
                if (prefix.hook.equals("pinned")) {
                    code.invokestatic(Redirects.HOOKS, "pinned", ConstantDescs.MTD_void);
                } else {
                    code.aload(0).invokestatic(Redirects.HOOKS, prefix.hook,
                            MethodTypeDesc.of(ConstantDescs.CD_void, THREAD));
                }
            }
            case RETURN_IF_TRUE -> {
                MethodTypeDesc hook = MethodTypeDesc.of(ConstantDescs.CD_boolean, THREAD);
                if (parameters.parameterCount() > 0) {
                    ClassDesc first = parameters.parameterType(0);
                    hook = hook.insertParameterTypes(1, first.isPrimitive() ? first : ConstantDescs.CD_Object);
                }
                code.aload(0);
                arguments(code, parameters, 1);
                code.invokestatic(Redirects.HOOKS, prefix.hook, hook).ifeq(go).return_();
            }
            case RETURN_IF_THERE -> {
                code.aload(0);
                arguments(code, parameters, 1);
                code.invokestatic(Redirects.HOOKS, prefix.hook,
                        parameters.insertParameterTypes(0, THREAD).changeReturnType(
                                prefix.hook.equals("state") ? STATE : FUTURE));
                int answer = code.allocateLocal(TypeKind.REFERENCE);
                code.astore(answer).aload(answer).ifnull(go).aload(answer).areturn();
            }
            case ASK_STAND_IN -> {
                int standIn = code.allocateLocal(TypeKind.REFERENCE);
                code.aload(0).invokestatic(Redirects.HOOKS, "standIn", MethodTypeDesc.of(THREAD, THREAD));
                code.astore(standIn).aload(standIn).ifnull(go).aload(standIn);
                code.invokevirtual(THREAD, method.methodName().stringValue(), parameters);
                code.return_(TypeKind.from(parameters.returnType()));
            }
            case REPLACE -> code.aload(0).invokestatic(Redirects.HOOKS, prefix.hook, MethodTypeDesc.of(THREAD, THREAD))
                    .astore(0);
        }
        code.labelBinding(go);
    }

    private static void arguments(CodeBuilder code, MethodTypeDesc type, int slot) {
        int next = slot;
        for (ClassDesc parameter : type.parameterList()) {
            TypeKind kind = TypeKind.from(parameter);
            code.loadLocal(kind.asLoadable(), next);
            next += kind.slotSize();
        }
    }

    /** The method as it was for others, with our monitors for threads of a schedule, and between them a choice. */
    private void dispatch(ClassBuilder builder, ClassModel model, MethodModel method, boolean[] changed) {
        String name = method.methodName().stringValue();
        String type = model.thisClass().asInternalName();
        ClassDesc owner = model.thisClass().asSymbol();
        MethodTypeDesc descriptor = method.methodTypeSymbol();
        boolean statics = method.flags().has(AccessFlag.STATIC);
        boolean inInterface = model.flags().has(AccessFlag.INTERFACE);
        int hidden = ClassFile.ACC_PRIVATE | ClassFile.ACC_SYNTHETIC | (statics ? ClassFile.ACC_STATIC : 0);
        int lock = method.flags().flagsMask() & ClassFile.ACC_SYNCHRONIZED;
        builder.withMethod(name + "$usual", descriptor, hidden | lock, copy -> copy.transformCode(method.code().get(),
                calls(type, method, true, changed)));
        builder.withMethod(name + "$scheduled", descriptor, hidden, copy -> copy.transformCode(method.code().get(),
                new Monitors(owner, statics, lock != 0).andThen(calls(type, method, true, changed))));
        builder.transformMethod(method, (to, part) -> {
            if (part instanceof CodeModel) {
                to.withCode(code -> {
                    Label usual = code.newLabel();
                    code.invokestatic(Redirects.HOOKS, "controlled", MethodTypeDesc.of(ConstantDescs.CD_boolean));
                    code.ifeq(usual);
                    for (String which : List.of("$scheduled", "$usual")) {
                        if (which.equals("$usual")) {
                            code.labelBinding(usual);
                        }
                        if (!statics) {
                            code.aload(0);
                        }
                        arguments(code, descriptor, statics ? 0 : 1);
                        if (statics) {
                            code.invokestatic(owner, name + which, descriptor, inInterface);
                        } else {
                            code.invokespecial(owner, name + which, descriptor, inInterface);
                        }
                        code.return_(TypeKind.from(descriptor.returnType()));
                    }
                });
            } else if (part instanceof java.lang.classfile.AccessFlags flags) {
                to.withFlags(flags.flagsMask() & ~ClassFile.ACC_SYNCHRONIZED);
            } else {
                to.with(part);
            }
        });
    }

    /** Monitors of the schedule for those of the JVM. */
    private record Monitors(ClassDesc owner, boolean statics, boolean whole, Label[] start) implements CodeTransform {
        private static final MethodTypeDesc OBJECT = MethodTypeDesc.ofDescriptor("(Ljava/lang/Object;)V");

        Monitors(ClassDesc owner, boolean statics, boolean whole) {
            this(owner, statics, whole, new Label[1]);
        }

        @Override
        public void atStart(CodeBuilder code) {
            if (whole) {
                call(code, "enter");
                start[0] = code.newBoundLabel();
            }
        }

        @Override
        public void atEnd(CodeBuilder code) {
            if (whole) {
                Label handler = code.newBoundLabel();
                code.exceptionCatchAll(start[0], handler, handler);
                call(code, "exit");
                code.athrow();
            }
        }

        private void call(CodeBuilder code, String hook) {
            if (statics) {
                code.ldc(owner);
            } else {
                code.aload(0);
            }
            code.invokestatic(Redirects.HOOKS, hook, OBJECT);
        }

        @Override
        public void accept(CodeBuilder code, CodeElement element) {
            if (element instanceof MonitorInstruction monitor) {
                code.invokestatic(Redirects.HOOKS, monitor.opcode() == Opcode.MONITORENTER ? "enter" : "exit", OBJECT);
                return;
            }
            if (whole && element instanceof ReturnInstruction) {
                call(code, "exit");
            }
            code.with(element);
        }
    }
}
