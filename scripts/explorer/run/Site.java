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
    /** A field that is not volatile, or an element of an array. */
    final boolean plain;
    /** Of the field. */
    final String name;
    /** A thread came here. */
    public boolean reached;
    /** The first schedule where a thread came here. */
    int known = Integer.MAX_VALUE;
    /** The first where two threads met on what is used here. Without, nobody can tell who was first. */
    private int met = Integer.MAX_VALUE;
    /** More than one thread uses what is used here. */
    boolean shared;

    private Site(int number, String place, String what, Kind kind, boolean plain) {
        this.number = number;
        this.place = place;
        this.what = what;
        this.kind = kind;
        this.plain = plain;
        name = kind == Kind.CALL || what.startsWith("calls") ? "" : what.substring(what.indexOf(' '));
    }

    /** The same number for the same place, however often its class is loaded. */
    public static synchronized int number(String unique, String place, String what, Kind kind,
            boolean plain) {
        Site site = BY_NAME.get(unique);
        if (site == null) {
            site = new Site(ALL.size(), place, what, kind, plain);
            ALL.add(site);
            BY_NAME.put(unique, site);
        }
        return site.number;
    }

    /** Whether it can matter who comes here first, as far as the schedules before that one tell. */
    boolean matters(int schedule) {
        return met < schedule || known >= schedule;
    }

    void meets(int schedule) {
        met = Math.min(met, schedule);
    }

    /** Whether it tells something of how threads work together. */
    public boolean worthTelling() {
        return shared || matters(Integer.MAX_VALUE);
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
