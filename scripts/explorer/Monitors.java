package explorer;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.Label;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.MonitorInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/** Monitors of the schedule for those of the JVM. */
record Monitors(ClassDesc owner, boolean statics, boolean whole, Label[] start) implements CodeTransform {
    static final MethodTypeDesc OBJECT = MethodTypeDesc.ofDescriptor("(Ljava/lang/Object;)V");

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
