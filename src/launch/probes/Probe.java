import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

class Probe {
    public static void main(String[] arguments) throws Exception {
        var address = URI.create(arguments[1]);
        if (arguments[0].equals("HttpClient")) {
            HttpClient.newHttpClient().send(HttpRequest.newBuilder(address).build(), BodyHandlers.discarding());
        } else {
            address.toURL().openStream().readAllBytes();
        }
    }
}
