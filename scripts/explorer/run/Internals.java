package explorer.run;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.AbstractOwnableSynchronizer;

/** The private parts of the JDK that the explorer needs, in one place: a JDK that has them otherwise is refused. */
public final class Internals {

    private static final Constructor<?> VIRTUAL;
    private static final Method START;
    private static final Field SCHEDULER;
    private static final Field CONTINUATION;
    private static final Field HOLDER;
    private static final Field TASK;
    private static final Method OWNER;
    private static final AtomicLong SEEDER;
    private static final AtomicInteger PROBES;
    private static final AtomicLong UNIQUE;
    private static final Random MATH;

    static {
        try {
            Class<?> virtual = Class.forName("java.lang.VirtualThread");
            VIRTUAL = virtual.getDeclaredConstructor(Executor.class, String.class, int.class, Runnable.class);
            VIRTUAL.setAccessible(true);
            START = virtual.getDeclaredMethod("start", Class.forName("jdk.internal.vm.ThreadContainer"));
            START.setAccessible(true);
            SCHEDULER = field(virtual, "scheduler");
            CONTINUATION = field(virtual, "runContinuation");
            HOLDER = field(Thread.class, "holder");
            TASK = field(HOLDER.getType(), "task");
            OWNER = AbstractOwnableSynchronizer.class.getDeclaredMethod("getExclusiveOwnerThread");
            OWNER.setAccessible(true);
            SEEDER = (AtomicLong) field(ThreadLocalRandom.class, "seeder").get(null);
            PROBES = (AtomicInteger) field(ThreadLocalRandom.class, "probeGenerator").get(null);
            UNIQUE = (AtomicLong) field(Random.class, "seedUniquifier").get(null);
            MATH = (Random) field(Class.forName("java.lang.Math$RandomNumberGeneratorHolder"),
                    "randomNumberGenerator").get(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("its internals are not those that are known: " + e.getMessage(), e);
        }
    }

    private Internals() { }

    /** Throws IllegalStateException, with a sentence, on a JDK that is not known. */
    public static void check() { }

    private static Field field(Class<?> owner, String name) throws ReflectiveOperationException {
        Field field = owner.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    static Thread virtual(Executor scheduler, String name, Runnable body) {
        try {
            return (Thread) VIRTUAL.newInstance(scheduler, name, 0, body);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    static void start(Thread virtual, Object container) {
        try {
            if (container == null) {
                virtual.start();
            } else {
                START.invoke(virtual, container);
            }
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof RuntimeException known ? known : new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    static boolean runsIn(Thread thread, Executor scheduler) {
        return thread.isVirtual() && SCHEDULER.getDeclaringClass().isInstance(thread)
                && get(SCHEDULER, thread) == scheduler;
    }

    static Runnable continuation(Thread virtual) {
        return (Runnable) get(CONTINUATION, virtual);
    }

    /** What a platform thread runs, or null. */
    static Object task(Thread platform) {
        return get(TASK, get(HOLDER, platform));
    }

    static Thread owner(Object synchronizer) {
        try {
            return synchronizer instanceof AbstractOwnableSynchronizer ? (Thread) OWNER.invoke(synchronizer) : null;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** All random numbers of a schedule come from its seed. */
    static void seed(long seed) {
        SEEDER.set(seed * 0x9E3779B97F4A7C15L);
        PROBES.set(0);
        UNIQUE.set(seed | 1);
        MATH.setSeed(seed);
    }

    private static Object get(Field field, Object of) {
        try {
            return field.get(of);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
