package scanner.types;

import java.util.ArrayList;
import java.util.List;

/**
 * A method of a type and its subtypes. @param method {@code *} for all, {@code new} for a constructor. @param arguments
 * -1 for any.
 */
public record Api(String type, String method, int arguments) {
    public boolean fits(String name, int count) {
        return (method.equals("*") || method.equals(name)) && (arguments < 0 || count < 0 || arguments == count);
    }

    public static List<Api> list(String text) {
        var apis = new ArrayList<Api>();
        String type = text.substring(0, text.indexOf('#'));
        for (String part : text.substring(type.length() + 1).split(",")) {
            int slash = part.indexOf('/');
            apis.add(slash < 0 ? new Api(type, part.strip(), -1)
                    : new Api(type, part.substring(0, slash).strip(), Integer.parseInt(part.substring(slash + 1)
                    .strip())));
        }
        return apis;
    }
}
