// Discovery and a token with HttpURLConnection or HttpClient.
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Base64;
import java.util.regex.Pattern;

class Session {
    static String library;

    static String ask(String url, String form) throws Exception {
        var credentials = System.getenv("CLIENT_ID") + ":" + System.getenv("CLIENT_SECRET");
        var basic = "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes());
        var kind = "application/x-www-form-urlencoded";
        if (library.equals("HttpClient")) {
            var request = HttpRequest.newBuilder(URI.create(url));
            if (form != null) {
                request.header("Authorization", basic).header("Content-Type", kind).POST(HttpRequest.BodyPublishers.ofString(form));
            }
            return HttpClient.newHttpClient().send(request.build(), BodyHandlers.ofString()).body();
        }
        var connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
        if (form != null) {
            connection.setRequestProperty("Authorization", basic);
            connection.setRequestProperty("Content-Type", kind);
            connection.setDoOutput(true);
            connection.getOutputStream().write(form.getBytes());
        }
        return new String(connection.getInputStream().readAllBytes());
    }

    public static void main(String[] arguments) throws Exception {
        library = arguments[0];
        var server = System.getenv("AS_URL");
        System.out.println(ask(server + "/.well-known/openid-configuration", null).contains("\"issuer\""));
        var names = Pattern.compile("\"([a-z_]+)\":").matcher(ask(server + "/token", "grant_type=client_credentials"));
        System.out.println(String.join(" ", names.results().map(found -> found.group(1)).toList()));
    }
}
