import java.util.concurrent.StructuredTaskScope;

/** The job "gather" of {@code Calls} on StructuredTaskScope as of JDK 25 and later, a preview. */
public final class Scope implements Calls.Call {

    @Override
    public Object call(long i) throws Exception {
        try (var scope = StructuredTaskScope.open()) {
            for (int k = 0; k < Calls.BATCH; k++) {
                scope.fork(Calls.NOTHING);
            }
            scope.join();
            return scope;
        }
    }
}
