package explorer.run;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A place in the code under test where another thread may go on instead, known by its number. */
public final class Site {

    /** What happens there, as far as another thread can tell. */
    public enum Kind { READ, WRITE, CALL }

    private static final List<Site> ALL = new ArrayList<>();
    private static final Map<String, Site> BY_NAME = new HashMap<>();

    public final int number;
    public final String place;
    public final String what;
    public final Kind kind;
    /** A thread came here. */
    public boolean reached;
    /** The first schedule where a thread came here. */
    int known = Integer.MAX_VALUE;
    /** The first where an object was used here that another thread had used. Without, nobody can tell who was first. */
    private int shared = Integer.MAX_VALUE;

    private Site(int number, String place, String what, Kind kind) {
        this.number = number;
        this.place = place;
        this.what = what;
        this.kind = kind;
    }

    /** The same number for the same place, however often its class is loaded. */
    public static synchronized int number(String unique, String place, String what, Kind kind) {
        Site site = BY_NAME.get(unique);
        if (site == null) {
            site = new Site(ALL.size(), place, what, kind);
            ALL.add(site);
            BY_NAME.put(unique, site);
        }
        return site.number;
    }

    /** Whether it can matter who comes here first, as far as the schedules before that one tell. */
    public boolean matters(int number) {
        return shared < number || known >= number;
    }

    void meets(int number) {
        shared = Math.min(shared, number);
    }

    /** Another scenario: nothing is known yet. */
    public static synchronized void forgetAll() {
        ALL.clear();
        BY_NAME.clear();
    }

    static Site of(int number) {
        return ALL.get(number);
    }

    public static synchronized List<Site> all() {
        return new ArrayList<>(ALL);
    }

    @Override
    public String toString() {
        return place + "  " + what;
    }
}
