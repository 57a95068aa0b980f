import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;

/**
 * aiohttp: {@code ssl.create_default_context(cafile=...)} in a test against {@code web.run_app(app, ssl_context=...)}.
 * Final API, JDK 21 and later.
 *
 * <p>Use in tests of code that speaks HTTPS: it makes a certificate that only the client with this context trusts. Do
 * not use a trust manager that accepts everything, or {@code jdk.internal.httpclient.disableHostnameVerification}: they
 * end up in production. In production use the default context.
 *
 * <p>No state, thread-safe. Making a certificate runs the JDK's {@code keytool}, about half a second.
 *
 * <p>Run: {@code java examples/http/TlsLoopback.java}
 */
public final class TlsLoopback {

    private TlsLoopback() {
    }

    // @start region="context"
    /**
     * A context with a new key and a certificate for {@code names}, valid for a day: for the server it is the identity,
     * for the client the only thing trusted.
     *
     * @param names such as {@code dns:localhost,ip:127.0.0.1}
     */
    public static SSLContext selfSigned(String names) throws IOException, GeneralSecurityException,
            InterruptedException {
        Objects.requireNonNull(names, "names");
        Path folder = Files.createTempDirectory("tls");
        Path store = folder.resolve("key.p12");
        char[] password = Long.toHexString(new SecureRandom().nextLong() | 1L << 62).toCharArray();
        try {
            String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
            var process = new ProcessBuilder(keytool, "-genkeypair", "-alias", "test", "-keyalg", "EC", "-groupname",
                    "secp256r1",
                    "-dname", "CN=test", "-ext", "san=" + names, "-validity", "1", "-storetype", "PKCS12", "-keystore",
                            store.toString(),
                    "-storepass:env", "TEST_STORE_PASSWORD").redirectErrorStream(true);
            // an argument could be read in the list of processes
            process.environment().put("TEST_STORE_PASSWORD", new String(password));
            run(process);
            var keys = KeyStore.getInstance(store.toFile(), password);
            var identity = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            identity.init(keys, password);
            var trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry("test", keys.getCertificate("test"));
            var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            var context = SSLContext.getInstance("TLS");
            context.init(identity.getKeyManagers(), trust.getTrustManagers(), null);
            return context;
        } finally {
            Files.deleteIfExists(store);
            Files.delete(folder);
        }
    }

    private static void run(ProcessBuilder process) throws IOException, InterruptedException {
        var running = process.start();
        try {
            if (!running.waitFor(60, TimeUnit.SECONDS)) { // what it says fits into the pipe
                throw new IOException("keytool has not ended within a minute");
            }
            if (running.exitValue() != 0) {
                throw new IOException("keytool: " + new String(running.getInputStream().readAllBytes()).strip());
            }
        } finally {
            running.destroyForcibly().onExit().join();
        }
    }
    // @end region="context"

    public static void main(String[] args) throws Exception {
        // before the first server: on 21 a kept connection stalls 40 ms
        System.setProperty("sun.net.httpserver.nodelay", "true");
        // @start region="use"
        SSLContext context = TlsLoopback.selfSigned("dns:localhost");
        var server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        server.setExecutor(Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory()));
        var client = HttpClient.newBuilder().sslContext(context).connectTimeout(Duration.ofSeconds(5)).build();
        // @end region="use"
        server.createContext("/", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, 2);
                exchange.getResponseBody().write("ok".getBytes());
            }
        });
        server.start();
        int port = server.getAddress().getPort();
        try (client; var stranger = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/")).build();
            var response = client.send(request, BodyHandlers.ofString());
            System.out.println(response.body() + " over " + response.sslSession().orElseThrow().getProtocol() + ", "
                    + response.version());
            check(response.body().equals("ok"), "the client trusts the certificate");
            refused("another name than the certificate's", client, URI.create("https://127.0.0.1:" + port + "/"));
            refused("a client that does not know it", stranger, request.uri());
        } finally {
            server.stop(0);
        }
    }

    private static void refused(String what, HttpClient client, URI uri) throws IOException, InterruptedException {
        try {
            client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.discarding());
            check(false, what + " is refused");
        } catch (SSLException e) {
            System.out.println(what + ": " + e.getMessage());
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
