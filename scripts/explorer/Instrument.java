package explorer;

import explorer.run.Site;
import java.lang.classfile.AccessFlags;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.FieldModel;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.ArrayLoadInstruction;
import java.lang.classfile.instruction.ArrayStoreInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LineNumber;
import java.lang.classfile.instruction.MonitorInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.constant.DynamicCallSiteDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * Puts a point before each access of the code under test that another thread can tell, and takes over its monitors, its
 * threads and its clock.
 */
final class Instrument {

    private static final MethodTypeDesc POINT = MethodTypeDesc.ofDescriptor("(I)V");
    private static final MethodTypeDesc POINT_OF = MethodTypeDesc.ofDescriptor("(Ljava/lang/Object;I)V");
    private static final MethodTypeDesc OBJECT = MethodTypeDesc.ofDescriptor("(Ljava/lang/Object;)V");
    private static final Redirects REDIRECTS = Redirects.ofCode();
    /** Calls of their methods may meet those of another thread. */
    private static final Set<String> COLLECTIONS = Set.of("Map", "List", "Set", "Collection", "Queue", "Deque",
            "HashMap", "LinkedHashMap", "TreeMap", "ArrayList", "LinkedList", "HashSet", "LinkedHashSet", "TreeSet",
            "ArrayDeque", "PriorityQueue", "SortedMap", "NavigableMap", "SortedSet", "NavigableSet", "Iterator",
            "BitSet",
            "IdentityHashMap", "WeakHashMap", "EnumMap", "Hashtable", "Vector", "Stack");
    private static final Set<String> NOT_SHARED = Set.of("TimeUnit", "Callable", "Executors", "ThreadLocalRandom");
    private static final Set<String> READS = Set.of("get", "getAcquire", "getOpaque", "getPlain", "getVolatile",
            "isDone", "isEmpty", "size", "peek", "isCancelled", "isInterrupted", "interrupted", "isAlive", "getState",
            "getCount",
            "isLocked", "isShutdown", "isTerminated", "state", "intValue", "longValue", "sum");

    private final ClassFile classFile;
    private final Function<String, ClassModel> models;
    private final boolean values;

    /**
     * @param models the class of that internal name if it is not the JDK's, else null
     * @param values whether what is read and written is told too, for a trace
     */
    Instrument(ClassHierarchyResolver resolver, Function<String, ClassModel> models, boolean values) {
        classFile = ClassFile.of(ClassFile.ClassHierarchyResolverOption.of(resolver));
        this.models = models;
        this.values = values;
    }

    /** @param points whether there are points in it; time, threads and monitors are redirected anyway */
    byte[] transform(ClassModel model, boolean points) {
        String file = model.findAttribute(Attributes.sourceFile()).map(a -> a.sourceFile().stringValue())
                .orElse(model.thisClass().name().stringValue());
        return classFile.transformClass(model, (builder, element) -> {
            if (element instanceof MethodModel method && method.code().isPresent()) {
                boolean locks = method.flags().has(AccessFlag.SYNCHRONIZED);
                builder.transformMethod(method, (methodBuilder, part) -> {
                    if (part instanceof CodeModel code) {
                        methodBuilder.transformCode(code, new Body(model, method, file, points, locks));
                    } else if (part instanceof AccessFlags flags) {
                        methodBuilder.withFlags(flags.flagsMask() & ~ClassFile.ACC_SYNCHRONIZED);
                    } else {
                        methodBuilder.with(part);
                    }
                });
            } else {
                builder.with(element);
            }
        });
    }

    private final class Body implements CodeTransform {
        private final ClassModel owner;
        private final MethodModel method;
        private final String file;
        private final boolean points;
        private final boolean locks;
        private Label start;
        private int line;
        private int count;

        Body(ClassModel owner, MethodModel method, String file, boolean points, boolean locks) {
            this.owner = owner;
            this.method = method;
            this.file = file;
            this.points = points && !method.methodName().equalsString("<clinit>"); // nobody else comes in there
            this.locks = locks;
        }

        @Override
        public void atStart(CodeBuilder code) {
            if (locks) {
                monitor(code);
                code.ldc(site("locks the monitor of " + simple(owner.thisClass().asInternalName()), Site.Kind.CALL,
                        false));
                code.invokestatic(Redirects.HOOKS, "point", POINT_OF);
                monitor(code);
                code.invokestatic(Redirects.HOOKS, "enter", OBJECT);
                start = code.newBoundLabel();
            }
        }

        private void monitor(CodeBuilder code) {
            if (method.flags().has(AccessFlag.STATIC)) {
                code.ldc(owner.thisClass().asSymbol());
            } else {
                code.aload(0);
            }
        }

        @Override
        public void atEnd(CodeBuilder code) {
            if (locks) {
                Label handler = code.newBoundLabel();
                code.exceptionCatchAll(start, handler, handler);
                monitor(code);
                code.invokestatic(Redirects.HOOKS, "exit", OBJECT);
                code.athrow();
            }
        }

        @Override
        public void accept(CodeBuilder code, CodeElement element) {
            switch (element) {
                case LineNumber number -> {
                    line = number.line();
                    code.with(element);
                }
                case FieldInstruction field -> field(code, field);
                case ArrayLoadInstruction load when points -> {
                    code.dup2().pop();
                    point(code, "reads an element", Site.Kind.READ, true, true);
                    code.with(element);
                    value(code, load.typeKind());
                }
                case ArrayStoreInstruction store when points -> {
                    int value = code.allocateLocal(store.typeKind());
                    code.storeLocal(store.typeKind().asLoadable(), value).dup2().pop();
                    point(code, "writes an element", Site.Kind.WRITE, true, true);
                    code.loadLocal(store.typeKind().asLoadable(), value);
                    value(code, store.typeKind());
                    code.with(element);
                }
                case MonitorInstruction monitor -> {
                    boolean enters = monitor.opcode() == Opcode.MONITORENTER;
                    if (enters && points) {
                        code.dup();
                        point(code, "locks a monitor", Site.Kind.CALL, true, false);
                    }
                    code.invokestatic(Redirects.HOOKS, enters ? "enter" : "exit", OBJECT);
                }
                case ReturnInstruction _ when locks -> {
                    monitor(code);
                    code.invokestatic(Redirects.HOOKS, "exit", OBJECT);
                    code.with(element);
                }
                case InvokeInstruction call -> call(code, call);
                case InvokeDynamicInstruction dynamic -> dynamic(code, dynamic);
                default -> code.with(element);
            }
        }

        private void field(CodeBuilder code, FieldInstruction field) {
            boolean reads = field.opcode() == Opcode.GETFIELD || field.opcode() == Opcode.GETSTATIC;
            boolean statics = field.opcode() == Opcode.GETSTATIC || field.opcode() == Opcode.PUTSTATIC;
            TypeKind kind = TypeKind.from(field.typeSymbol());
            boolean unborn = method.methodName().equalsString("<init>") && !reads && !statics;
            FieldModel declared = declared(field.owner().asInternalName(), field.name().stringValue());
            if (!points || unborn || declared == null || declared.flags().has(AccessFlag.FINAL)) {
                code.with(field); // of the JDK, or nobody can see a change of it
                return;
            }
            String what = (reads ? "reads " : "writes ") + field.name().stringValue();
            Site.Kind access = reads ? Site.Kind.READ : Site.Kind.WRITE;
            if (statics) {
                code.ldc(field.owner().asInternalName() + "." + field.name().stringValue());
            } else if (reads) {
                code.dup();
            } else if (kind.slotSize() == 1) {
                code.dup2().pop();
            } else {
                code.dup2_x1().pop2().dup_x2();
            }
            point(code, what, access, true, !declared.flags().has(AccessFlag.VOLATILE));
            if (reads) {
                code.with(field);
            }
            value(code, kind);
            if (!reads) {
                code.with(field);
            }
        }

        /** Null if it is the JDK's. */
        private FieldModel declared(String type, String name) {
            for (ClassModel model = models.apply(type); model != null;) {
                for (FieldModel field : model.fields()) {
                    if (field.fieldName().equalsString(name)) {
                        return field;
                    }
                }
                model = model.superclass().map(parent -> models.apply(parent.asInternalName())).orElse(null);
            }
            return null;
        }

        private void call(CodeBuilder code, InvokeInstruction call) {
            String type = call.owner().asInternalName();
            String name = call.name().stringValue();
            boolean statics = call.opcode() == Opcode.INVOKESTATIC;
            boolean meets = points && meets(type, name, statics) && call.opcode() != Opcode.INVOKESPECIAL;
            if (meets) {
                receiver(code, call, statics);
                point(code, "calls " + simple(type) + "." + name,
                        READS.contains(name) ? Site.Kind.READ : Site.Kind.CALL, !statics, false);
            }
            if (!REDIRECTS.redirect(code, call)) {
                code.with(call);
            }
            if (meets && !name.startsWith("set")) {
                value(code, TypeKind.from(call.typeSymbol().returnType()));
            }
        }

        private static boolean meets(String type, String name, boolean statics) {
            String simple = simple(type);
            if (type.startsWith("java/util/concurrent/")) {
                return !NOT_SHARED.contains(simple) && (!statics || simple.equals("LockSupport"));
            }
            return type.equals("java/lang/invoke/VarHandle")
                    || type.equals("java/lang/Thread") && Set.of("start", "join", "interrupt", "isInterrupted",
                            "interrupted", "isAlive", "getState").contains(name)
                    || type.startsWith("java/util/") && !statics && COLLECTIONS.contains(simple);
        }

        /** Leaves a copy of what the call is made on, below which all is as it was. */
        private void receiver(CodeBuilder code, InvokeInstruction call, boolean statics) {
            if (statics) {
                return;
            }
            List<ClassDesc> parameters = call.typeSymbol().parameterList();
            int[] locals = new int[parameters.size()];
            for (int i = locals.length - 1; i >= 0; i--) {
                TypeKind kind = TypeKind.from(parameters.get(i)).asLoadable();
                locals[i] = code.allocateLocal(kind);
                code.storeLocal(kind, locals[i]);
            }
            boolean handle = simple(call.owner().asInternalName()).equals("VarHandle") && locals.length > 0
                    && !parameters.get(0).isPrimitive();
            if (handle) {
                code.aload(locals[0]);
            } else {
                code.dup();
            }
            int copy = code.allocateLocal(TypeKind.REFERENCE);
            code.astore(copy);
            for (int i = 0; i < locals.length; i++) {
                code.loadLocal(TypeKind.from(parameters.get(i)).asLoadable(), locals[i]);
            }
            code.aload(copy);
        }

        private void dynamic(CodeBuilder code, InvokeDynamicInstruction dynamic) {
            ConstantDesc[] arguments = dynamic.bootstrapArgs().toArray(new ConstantDesc[0]);
            boolean changed = false;
            for (int i = 0; i < arguments.length; i++) {
                if (arguments[i] instanceof DirectMethodHandleDesc method) {
                    DirectMethodHandleDesc redirected = REDIRECTS.redirect(method);
                    changed |= redirected != method;
                    arguments[i] = redirected;
                }
            }
            if (changed) {
                code.invokedynamic(DynamicCallSiteDesc.of(dynamic.bootstrapMethod(), dynamic.name().stringValue(),
                        dynamic.typeSymbol(), arguments));
            } else {
                code.with(dynamic);
            }
        }

        private void point(CodeBuilder code, String what, Site.Kind kind, boolean object, boolean plain) {
            code.ldc(site(what, kind, plain));
            code.invokestatic(Redirects.HOOKS, "point", object ? POINT_OF : POINT);
        }

        private int site(String what, Site.Kind kind, boolean plain) {
            String unique = owner.thisClass().asInternalName() + "." + method.methodName().stringValue()
                    + method.methodType().stringValue() + "#" + count++;
            return Site.number(unique, file + ":" + line, what, kind, plain);
        }

        /** Tells what lies on the stack. */
        private void value(CodeBuilder code, TypeKind kind) {
            if (!values || kind == TypeKind.VOID) {
                return;
            }
            if (kind.slotSize() == 2) {
                code.dup2();
            } else {
                code.dup();
            }
            if (kind != TypeKind.REFERENCE) {
                ClassDesc box = switch (kind) {
                    case BOOLEAN -> ConstantDescs.CD_Boolean;
                    case BYTE -> ConstantDescs.CD_Byte;
                    case CHAR -> ConstantDescs.CD_Character;
                    case SHORT -> ConstantDescs.CD_Short;
                    case LONG -> ConstantDescs.CD_Long;
                    case FLOAT -> ConstantDescs.CD_Float;
                    case DOUBLE -> ConstantDescs.CD_Double;
                    default -> ConstantDescs.CD_Integer;
                };
                code.invokestatic(box, "valueOf", MethodTypeDesc.of(box, kind.upperBound()));
            }
            code.invokestatic(Redirects.HOOKS, "value", OBJECT);
        }
    }

    private static String simple(String type) {
        return type.substring(Math.max(type.lastIndexOf('/'), type.lastIndexOf('$')) + 1);
    }
}
