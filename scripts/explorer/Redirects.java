package explorer;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.constant.MethodHandleDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.HashMap;
import java.util.Map;

/** Which calls become calls of {@link explorer.run.Hooks}. */
final class Redirects {

    static final ClassDesc HOOKS = ClassDesc.of("explorer.run.Hooks");
    private static final ClassDesc THREAD = ClassDesc.of("java.lang.Thread");

    private record Target(String name, boolean receiver) { }

    private final Map<String, Target> targets = new HashMap<>();

    private Redirects() {
        to("currentTimeMillis", false, "java/lang/System.currentTimeMillis()J");
        to("currentThread", false, "java/lang/Thread.currentThread()Ljava/lang/Thread;");
        to("join", true, "java/lang/Thread.join(Ljava/time/Duration;)Z");
        to("holdsLock", false, "java/lang/Thread.holdsLock(Ljava/lang/Object;)Z");
        to("await", true, "wait()V", "wait(J)V", "wait(JI)V"); // of any class
        to("signal", true, "notify()V");
        to("signalAll", true, "notifyAll()V");
    }

    static Redirects ofCode() {
        Redirects redirects = new Redirects();
        redirects.to("yields", false, "java/lang/Thread.onSpinWait()V", "java/lang/Thread.yield()V");
        redirects.to("lookAtTime", false, "java/lang/System.nanoTime()J");
        String condition = "java/util/concurrent/locks/Condition.";
        redirects.to("await", true, condition + "await()V", condition + "await(JLjava/util/concurrent/TimeUnit;)Z");
        redirects.to("awaitNanos", true, condition + "awaitNanos(J)J");
        redirects.to("awaitUninterruptibly", true, condition + "awaitUninterruptibly()V");
        String lockSupport = "java/util/concurrent/locks/LockSupport.";
        redirects.to("park", false, lockSupport + "park()V", lockSupport + "park(Ljava/lang/Object;)V");
        redirects.to("exit", false, "java/lang/System.exit(I)V");
        redirects.to("randomUUID", false, "java/util/UUID.randomUUID()Ljava/util/UUID;");
        return redirects;
    }

    static Redirects ofJdk() {
        Redirects redirects = new Redirects();
        redirects.to("spins", false, "java/lang/Thread.onSpinWait()V", "java/lang/Thread.yield()V");
        redirects.to("nanoTime", false, "java/lang/System.nanoTime()J");
        redirects.to("nanosSince", false, "jdk/internal/misc/VM.getNanoTimeAdjustment(J)J");
        redirects.to("park", true, "jdk/internal/misc/Unsafe.park(ZJ)V");
        redirects.to("unpark", true, "jdk/internal/misc/Unsafe.unpark(Ljava/lang/Object;)V");
        return redirects;
    }

    /** Only what tells the time. */
    static Redirects ofTime() {
        Redirects redirects = ofJdk();
        redirects.targets.keySet().removeIf(call -> !call.contains("Time") && !call.contains("Millis"));
        return redirects;
    }

    private void to(String name, boolean receiver, String... calls) {
        for (String call : calls) {
            targets.put(call, new Target(name, receiver));
        }
    }

    /** Whether the call was replaced. */
    boolean redirect(CodeBuilder code, InvokeInstruction call) {
        Target target = target(call.owner().asInternalName(), call.name().stringValue(), call.type().stringValue());
        if (target == null) {
            return false;
        }
        code.invokestatic(HOOKS, target.name, type(target, call.owner().asSymbol(), call.typeSymbol()));
        return true;
    }

    /** The same for a method reference. */
    DirectMethodHandleDesc redirect(DirectMethodHandleDesc method) {
        if (method.kind() != DirectMethodHandleDesc.Kind.VIRTUAL
                && method.kind() != DirectMethodHandleDesc.Kind.INTERFACE_VIRTUAL
                && method.kind() != DirectMethodHandleDesc.Kind.STATIC) {
            return method;
        }
        String owner = method.owner().descriptorString();
        Target target = owner.startsWith("L") ? target(owner.substring(1, owner.length() - 1), method.methodName(),
                method.lookupDescriptor()) : null;
        return target == null ? method : MethodHandleDesc.ofMethod(DirectMethodHandleDesc.Kind.STATIC, HOOKS,
                target.name, type(target, method.owner(), MethodTypeDesc.ofDescriptor(method.lookupDescriptor())));
    }

    private Target target(String owner, String name, String type) {
        Target target = targets.get(owner + "." + name + type);
        return target != null ? target : targets.get(name + type);
    }

    private static MethodTypeDesc type(Target target, ClassDesc owner, MethodTypeDesc type) {
        if (!target.receiver) {
            return type;
        }
        boolean known = owner.equals(THREAD) || owner.descriptorString().endsWith("/Condition;");
        return type.insertParameterTypes(0, known ? owner : ConstantDescs.CD_Object);
    }
}
