import freemarker.core.ParseException;
import freemarker.template.Configuration;
import freemarker.template.DefaultObjectWrapper;
import freemarker.template.Template;
import freemarker.template.TemplateExceptionHandler;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Renders cases that come as lines of JSON by Apache FreeMarker, all in one JVM.
 *
 * Each line of the input is {"template": …, "event": …}, both texts; each line of the output is {"output": …},
 * {"refused": …} (when parsing) or {"failed": …} (when rendering), in the order of the input.
 */
public final class Render {
    private static final long SECONDS = 5;

    public static void main(String[] args) throws Exception {
        Configuration configuration = new Configuration(Configuration.VERSION_2_3_31);
        configuration.setObjectWrapper(new DefaultObjectWrapper(Configuration.VERSION_2_3_31));
        configuration.setLocale(Locale.US);
        configuration.setTimeZone(TimeZone.getTimeZone("UTC"));
        configuration.setTemplateExceptionHandler(TemplateExceptionHandler.RETHROW_HANDLER);
        configuration.setLogTemplateExceptions(false);
        configuration.setURLEscapingCharset("UTF-8");
        freemarker.log.Logger.selectLoggerLibrary(freemarker.log.Logger.LIBRARY_NONE);
        ExecutorService executor = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        });
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        while ((line = in.readLine()) != null) {
            Map<?, ?> read = (Map<?, ?>) new Json(line).value();
            Callable<String> task = () -> render(configuration, (String) read.get("template"), (String) read.get("event"));
            Future<String> future = executor.submit(task);
            try {
                out.println(future.get(SECONDS, TimeUnit.SECONDS));
            } catch (java.util.concurrent.TimeoutException slow) {
                future.cancel(true);
                out.println("{\"failed\":\"no end after " + SECONDS + " s\"}");
            }
        }
        out.flush();
    }

    private static String render(Configuration configuration, String source, String event) {
        Template template;
        try {
            template = new Template("t", source, configuration);
        } catch (ParseException error) {
            return answer("refused", error.getMessage());
        } catch (Throwable error) {
            return answer("refused", String.valueOf(error));
        }
        try {
            StringWriter writer = new StringWriter();
            Map<String, Object> model = new LinkedHashMap<>();
            model.put("input", new Json(event).value());
            template.process(model, writer);
            return answer("output", writer.toString());
        } catch (Throwable error) {
            return answer("failed", error.getClass().getSimpleName() + ": " + error.getMessage());
        }
    }

    private static String answer(String name, String value) {
        StringBuilder out = new StringBuilder("{\"" + name + "\":\"");
        for (int at = 0; at < value.length(); at++) {
            char unit = value.charAt(at);
            if (unit < ' ' || unit > '~' || unit == '"' || unit == '\\') {
                out.append(String.format("\\u%04x", (int) unit));
            } else {
                out.append(unit);
            }
        }
        return out.append("\"}").toString();
    }

    /** A reader of JSON that keeps the order of keys and the digits of numbers. */
    private static final class Json {
        private final String text;
        private int at;

        Json(String text) {
            this.text = text;
        }

        Object value() {
            space();
            char first = text.charAt(at);
            if (first == '{') {
                Map<String, Object> map = new LinkedHashMap<>();
                at++;
                space();
                while (text.charAt(at) != '}') {
                    space();
                    String key = string();
                    space();
                    at++;
                    map.put(key, value());
                    space();
                    if (text.charAt(at) == ',') {
                        at++;
                    }
                }
                at++;
                return map;
            }
            if (first == '[') {
                List<Object> list = new ArrayList<>();
                at++;
                space();
                while (text.charAt(at) != ']') {
                    list.add(value());
                    space();
                    if (text.charAt(at) == ',') {
                        at++;
                    }
                }
                at++;
                return list;
            }
            if (first == '"') {
                return string();
            }
            int start = at;
            while (at < text.length() && "+-.0123456789abcdefghijklmnopqrstuvwxyzE".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            return number(text.substring(start, at));
        }

        private static Object number(String word) {
            switch (word) {
                case "true":
                    return true;
                case "false":
                    return false;
                case "null":
                    return null;
                default:
            }
            if (word.matches("-?[0-9]+")) {
                BigInteger whole = new BigInteger(word);
                if (whole.bitLength() < 32) {
                    return whole.intValueExact();
                }
                return whole.bitLength() < 64 ? (Object) whole.longValueExact() : whole;
            }
            return new BigDecimal(word);
        }

        private void space() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
        }

        private String string() {
            StringBuilder out = new StringBuilder();
            at++;
            while (text.charAt(at) != '"') {
                char unit = text.charAt(at++);
                if (unit != '\\') {
                    out.append(unit);
                    continue;
                }
                char escape = text.charAt(at++);
                switch (escape) {
                    case 'b':
                        out.append('\b');
                        break;
                    case 'f':
                        out.append('\f');
                        break;
                    case 'n':
                        out.append('\n');
                        break;
                    case 'r':
                        out.append('\r');
                        break;
                    case 't':
                        out.append('\t');
                        break;
                    case 'u':
                        out.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                        at += 4;
                        break;
                    default:
                        out.append(escape);
                }
            }
            at++;
            return out.toString();
        }
    }
}
