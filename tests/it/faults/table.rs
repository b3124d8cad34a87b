//! The faults, from threads in which people asked for help, and what is to be said of each.

use authtape::model::{percent_decode, percent_encode};
use authtape::oauth::pkce;
use sha2::{Digest as _, Sha256, Sha512};

use super::flow::{
    CALLBACK, CLIENT, CLOCK, CODE, FORM, HOST, ISSUED, REFRESH, REFUSED, SECRET, STATE, VERIFIER,
    Written, basic, form,
};
use super::{Case, case};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

pub(super) const CASES: &[Case] = &[
    // redirect_uri
    case("E-11: a final slash", |f| {
        f.send("redirect_uri", &format!("{CALLBACK}/"));
    })
    .finds(&["error redirect-uri-trailing-slash 1 authorize 2 token"]),
    case("the case of the host", |f| {
        f.send("redirect_uri", &CALLBACK.replace("shop.acme", "Shop.Acme"));
    })
    .finds(&["error redirect-uri-case 1 authorize 2 token"]),
    case("the case of the path", |f| {
        f.send("redirect_uri", &CALLBACK.replace("callback", "Callback"));
    })
    .finds(&["error redirect-uri-case 1 authorize 2 token"]),
    case("another host", |f| {
        f.send("redirect_uri", &CALLBACK.replace("shop.", "www."));
    })
    .finds(&["error redirect-uri-host-or-port 1 authorize 2 token"]),
    case("another port of one's own machine", |f| {
        f.ask("redirect_uri", "http://127.0.0.1:51004/cb")
            .send("redirect_uri", "http://127.0.0.1:51007/cb");
    })
    .finds(&["error redirect-uri-host-or-port 1 authorize 2 token"]),
    case("another name of one's own machine", |f| {
        f.ask("redirect_uri", "http://127.0.0.1:51004/cb")
            .send("redirect_uri", "http://localhost:51004/cb");
    })
    .finds(&["error redirect-uri-host-or-port 1 authorize 2 token"]),
    case("the port that goes without saying", |f| {
        f.send("redirect_uri", &CALLBACK.replace("/oauth", ":443/oauth"));
    })
    .finds(&["error redirect-uri-host-or-port 1 authorize 2 token"]),
    case("E-13: http behind a proxy that ends TLS", |f| {
        f.send("redirect_uri", &CALLBACK.replace("https", "http"));
    })
    .finds(&["error redirect-uri-scheme 1 authorize 2 token"]),
    case("E-12: the address of the page, with the code in it", |f| {
        let code = [("code".to_owned(), CODE.to_owned())].to_vec();
        f.send("redirect_uri", &format!("{CALLBACK}?{}", form(&code)));
    })
    .finds(&["error redirect-uri-contains-response-params 1 authorize 2 token"]),
    case("E-10: none at the token endpoint", |f| {
        f.unsend("redirect_uri");
    })
    .finds(&["error redirect-uri-missing-at-token 1 authorize 2 token"]),
    case("E-10: another that is registered too", |f| {
        f.send("redirect_uri", &CALLBACK.replace("/oauth/", "/auth/"));
    })
    .finds(&["error redirect-uri-differs 1 authorize 2 token"]),
    case("encoded before it is encoded", |f| {
        f.send("redirect_uri", &percent_encode(CALLBACK));
    })
    .finds(&["error redirect-uri-encoding 1 authorize 2 token"])
    .facts(&["2 redirect_uri.spelling=pct-level"]),
    case("E-14: a query of its own, escaped in one of them", |f| {
        let escaped = format!("{CALLBACK}?origin=https%3A%2F%2Fshop.acme-store.example%2Fcart");
        f.ask("redirect_uri", &escaped)
            .send("redirect_uri", &percent_decode(&escaped));
    })
    .finds(&["error redirect-uri-encoding 1 authorize 2 token"])
    .facts(&["2 redirect_uri.spelling=pct-level"]),
    case("E-14: escapes in another case", |f| {
        f.ask("redirect_uri", &format!("{CALLBACK}?origin=%2Fcart"))
            .send("redirect_uri", &format!("{CALLBACK}?origin=%2fcart"));
    })
    .finds(&["error redirect-uri-encoding 1 authorize 2 token"])
    .facts(&["2 redirect_uri.spelling=pct-case"]),
    case("a query of its own, in one of them", |f| {
        f.ask("redirect_uri", &format!("{CALLBACK}?tenant=1"))
            .send("redirect_uri", CALLBACK);
    })
    .finds(&["error redirect-uri-differs 1 authorize 2 token"]),
    case("a query of its own, in another order", |f| {
        f.ask("redirect_uri", &format!("{CALLBACK}?a=1&b=2"))
            .send("redirect_uri", &format!("{CALLBACK}?b=2&a=1"));
    })
    .finds(&["error redirect-uri-differs 1 authorize 2 token"]),
    case("a fragment", |f| {
        f.send("redirect_uri", &format!("{CALLBACK}#/login"));
    })
    .finds(&["error redirect-uri-differs 1 authorize 2 token", "error redirect-uri-fragment 2 token"]),
    case("a blank behind it", |f| {
        f.send("redirect_uri", &format!("{CALLBACK} "));
    })
    .finds(&["error redirect-uri-differs 1 authorize 2 token"]),
    case("one that is not registered, and a page that says so", |f| {
        f.calls.clear();
        f.asked[0].back = None;
        f.asked[0].status = 400;
        f.asked[0].page = "<html><h1>Error 400: redirect_uri_mismatch</h1></html>";
    })
    .finds(&["error redirect-uri-rejected-at-authorize 1 authorize 1 response"])
    .facts(&["1 page.mentions_redirect_uri=true"]),
    // The request and its body
    case("E-01: multipart under the type of a form", |f| {
        f.write(Written::Multipart)
            .answer(401, "application/json", "{\"error\":\"invalid_grant\",\"error_description\":\"Unable to authenticate username and password\"}");
    })
    .finds(&["error token-body-multipart-as-urlencoded 2 header 2 body", "note token-error-misleading 2 response"])
    .facts(&["2 body.sniff=multipart"]),
    case("E-01: multipart", |f| {
        f.write(Written::Multipart)
            .header("Content-Type", "multipart/form-data; boundary=------------------------d74496d66958873e");
    })
    .finds(&["error token-body-multipart 2 header"])
    .facts(&["2 body.sniff=multipart"]),
    case("E-01: JSON", |f| {
        f.write(Written::Json).header("Content-Type", "application/json");
    })
    .finds(&["error token-body-json 2 header 2 body"])
    .facts(&["2 body.sniff=json"]),
    case("E-01: GET", |f| {
        f.write(Written::Query).unheader("Content-Type").call().method = "GET";
    })
    .finds(&["error token-method-not-post 2 token 2 query", "warning client-secret-in-url 2 query"]),
    case("E-01: the form set and then emptied", |f| {
        f.write(Written::Text(String::new()))
            .header("Transfer-Encoding", "chunked")
            .header("Expect", "100-continue");
    })
    .finds(&["error token-body-empty 2 token"])
    .facts(&["2 body.sniff=empty"]),
    case("E-02: JSON to a server that misses what is there", |f| {
        f.write(Written::Json)
            .header("Content-Type", "application/json")
            .sends(&[("grant_type", "client_credentials"), ("client_id", CLIENT), ("client_secret", SECRET)])
            .answer(400, "application/json", "{\"error\":\"invalid_request\",\"error_description\":\"The request body must contain the following parameter: 'grant_type'.\",\"error_codes\":[900144]}");
    })
    .finds(&["error token-body-json 2 header 2 body", "note token-error-misleading 2 response"])
    .facts(&["2 body.sniff=json"]),
    case("E-03: JSON under the type of a form", |f| {
        f.write(Written::Json);
    })
    .finds(&["error token-body-json-as-urlencoded 2 header 2 body"])
    .facts(&["2 body.sniff=json"]),
    case("E-04: parameters in the URL", |f| {
        f.write(Written::Query).unheader("Content-Type");
    })
    .finds(&["error token-params-in-query 2 query", "warning client-secret-in-url 2 query"])
    .facts(&["2 body.sniff=empty"]),
    case("E-05: parameters in the URL, and Basic without base64", |f| {
        f.write(Written::Query)
            .authorized_by("Basic myid-Cn8Qw3Er5Ty7:mysecret-Op1As2Df4Gh6Jk8Lz0")
            .answer(400, "application/json", "{\"error\":\"unsupported_grant_type\",\"error_description\":\"Only authorization and refresh_token grant types are supported\"}");
    })
    .finds(&["error token-params-in-query 2 query", "error client-auth-basic-malformed 2 header"])
    .facts(&["2 body.sniff=empty", "2 basic.not_base64=true"]),
    case("E-06: a URL escaped as HTML, and a grant type of one's own", |f| {
        f.send("grant_type", "ClientCredentials");
        let query = form(&f.call().params).replace('&', "&amp;");
        f.write(Written::Text(String::new())).unheader("Content-Type");
        f.call().method = "GET";
        f.call().url = format!("https://{HOST}/oauth2/token?{query}");
    })
    .finds(&["error token-method-not-post 2 token 2 query", "error token-body-double-encoded 2 token", "error token-grant-type-wrong 2 token", "warning client-secret-in-url 2 query"]),
    case("a form escaped as HTML", |f| {
        let body = form(&f.call().params).replace('&', "&amp;");
        f.write(Written::Text(body));
    })
    .finds(&["error token-body-double-encoded 2 token", "warning redirect-uri-missing-at-token 1 authorize 2 token"])
    .facts(&["2 body.sniff=form-html-amp"]),
    case("a form encoded as a whole", |f| {
        let body = percent_encode(&form(&f.call().params));
        f.write(Written::Text(body));
    })
    .finds(&["error token-body-double-encoded 2 token"])
    .facts(&["2 body.sniff=form-pct-encoded-whole"]),
    case("a form under the type of text", |f| {
        f.header("Content-Type", "text/plain;charset=UTF-8");
    })
    .finds(&["error token-body-form-mislabelled 2 header"]),
    case("a form without a type", |f| {
        f.unheader("Content-Type");
    })
    .finds(&["error token-body-form-mislabelled 2 header"]),
    case("a form under the type of JSON", |f| {
        f.header("Content-Type", "application/json");
    })
    .finds(&["error token-body-form-mislabelled 2 header"]),
    case("E-07: http leads to https", |f| {
        f.call().url = format!("http://{HOST}/oauth2/token");
        let to = format!("https://{HOST}/oauth2/token");
        f.answer(301, "text/html", "").call().reply.0.push(("Location".to_owned(), to));
        f.again(90);
        f.call().url = format!("https://{HOST}/oauth2/token");
        f.call().reply.0.retain(|(name, _)| name != "Location");
        f.write(Written::Text(String::new())).call().method = "GET";
        f.answer(405, "text/html", "<html>Method not allowed</html>");
    })
    .finds(&["error token-post-redirected 2 token 2 location", "error token-over-http 2 token"]),
    case("E-08: a slash is missing behind the token URL", |f| {
        let to = format!("https://{HOST}/oauth2/token/");
        f.sends(&[("grant_type", "refresh_token"), ("client_id", CLIENT), ("client_secret", SECRET), ("refresh_token", REFRESH)])
            .answer(301, "text/html", "")
            .call().reply.0.push(("Location".to_owned(), to));
    })
    .finds(&["error token-post-redirected 2 token 2 location"]),
    case("E-09: parameters in the URL, and a length is asked for", |f| {
        f.write(Written::Query)
            .answer(411, "text/html", "<html><h2>Length Required</h2></html>");
    })
    .finds(&["error token-length-required 2 response", "error token-params-in-query 2 query", "warning client-secret-in-url 2 query"])
    .facts(&["2 body.sniff=empty"]),
    case("JSON to a provider that documents it", |f| {
        f.sends(&[("grant_type", "client_credentials"), ("client_id", CLIENT), ("client_secret", SECRET)])
            .write(Written::Json).header("Content-Type", "application/json").header("Host", "acme.eu.auth0.com");
        f.call().url = f.call().url.replace(HOST, "acme.eu.auth0.com");
    })
    .finds(&["note token-body-json 2 header 2 body"])
    .facts(&["2 body.sniff=json", "2 provider.takes=json"]),
    case("a parameter that was written as an array", |f| {
        f.call().params.push(("scope[]".to_owned(), "openid".to_owned()));
    })
    .finds(&["error token-param-duplicate 2 token"]),
    case("the type of a form with a charset", |f| {
        f.header("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
            .answer(415, "text/html", "<html>Unsupported Media Type</html>");
    })
    .finds(&["warning token-content-type-charset 2 header"]),
    case("a token request of a page that may not read the answer", |f| {
        f.unsend("client_secret")
            .header("Origin", "https://shop.acme-store.example")
            .header("Sec-Fetch-Mode", "cors")
            .header("Sec-Fetch-Site", "cross-site")
            .answer(200, "application/json", ISSUED);
    })
    .finds(&["error token-cors-blocked 2 header 2 response"]),
    case("a token request of a page that may", |f| {
        let allowed = ("Access-Control-Allow-Origin".to_owned(), "https://shop.acme-store.example".to_owned());
        f.unsend("client_secret")
            .header("Origin", "https://shop.acme-store.example")
            .header("Sec-Fetch-Mode", "cors")
            .header("Sec-Fetch-Site", "cross-site")
            .answer(200, "application/json", ISSUED)
            .call().reply.0.push(allowed);
    }),
    case("a pause that was not kept", |f| {
        f.answer(429, "application/json", "{\"error\":\"temporarily_unavailable\"}")
            .call().reply.0.push(("Retry-After".to_owned(), "30".to_owned()));
        f.again(200);
    })
    .finds(&["error token-rate-limited 2 response 3 token"]),
    case("a page of what stands before the server", |f| {
        f.answer(403, "text/html", "<html><title>Just a moment...</title></html>");
        f.call().reply.0.push(("Server".to_owned(), "cloudflare".to_owned()));
    })
    .finds(&["error token-intermediary-answered 2 response"]),
    case("no grant_type", |f| {
        f.unsend("grant_type");
    })
    .finds(&["error token-grant-type-missing 2 body"]),
    case("grant_type in another spelling", |f| {
        f.rename("grant_type", "grantType");
    })
    .finds(&["error token-param-misspelled 2 token"]),
    case("another grant_type than its parameters ask for", |f| {
        f.send("grant_type", "refresh_token");
    })
    .finds(&["error token-grant-type-wrong 2 token"]),
    case("a grant_type that nobody knows", |f| {
        f.send("grant_type", "authorization_token");
    })
    .finds(&["error token-grant-type-wrong 2 token"]),
    case("client_secret in another spelling", |f| {
        f.rename("client_secret", "clientSecret");
    })
    .finds(&["error token-param-misspelled 2 token"])
    .reads(&["2 clientSecret=REDACTED-value-1"]),
    case("no client_id", |f| {
        f.unsend("client_id").answer(401, "application/json", "{\"error\":\"invalid_client\"}");
    })
    .finds(&["error client-auth-missing 2 token 2 response"]),
    case("a client_id that is encoded in Basic", |f| {
        f.ask("client_id", "https://shop.acme-store.example/app").unsend("client_id");
        f.authorized_by(&basic("https%3A%2F%2Fshop.acme-store.example%2Fapp", "Cn8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz"));
    })
    .facts(&["2 basic.looks_form_encoded=true"]),
    case("another client_id than the code was issued to", |f| {
        f.send("client_id", "8kqf3mz2x7-dev");
    })
    .finds(&["error client-id-mismatch-authorize-token 1 authorize 2 token"])
    .reads(&["2 code=REDACTED-code-1"]),
    case("a code that was sent twice in one form", |f| {
        f.call().params.push(("code".to_owned(), CODE.to_owned()));
    })
    .finds(&["error token-param-duplicate 2 token"])
    .reads(&["2 code=REDACTED-code-1"]),
    case("E-17: credentials in two places", |f| {
        f.header("Authorization", &basic(CLIENT, SECRET));
    })
    .finds(&["error client-auth-multiple 2 token 2 token"])
    .facts(&["2 basic.reserved=true"]),
    case("E-15: Basic of raw halves", |f| {
        f.authorized_by(&basic(CLIENT, SECRET)).answer(401, "application/json", "{\"error\":\"invalid_client\"}");
    })
    .finds(&["error client-auth-basic-not-form-encoded 2 header"])
    .facts(&["2 basic.reserved=true"])
    .reads(&["2 basic.password=REDACTED-client_secret-1"]),
    case("E-15: Basic of encoded halves", |f| {
        f.authorized_by(&basic(CLIENT, &percent_encode(SECRET))).answer(401, "application/json", "{\"error\":\"invalid_client\"}");
    })
    .finds(&["warning client-auth-basic-server-expects-raw 2 header"])
    .facts(&["2 basic.looks_form_encoded=true"])
    .reads(&["2 basic.password=REDACTED-client_secret-1"]),
    case("E-15: both, one after the other", |f| {
        f.authorized_by(&basic(CLIENT, SECRET)).answer(401, "application/json", "{\"error\":\"invalid_client\"}").again(900).header("Authorization", &basic(CLIENT, &percent_encode(SECRET)));
    })
    .finds(&["error client-auth-basic-not-form-encoded 2 header", "warning client-auth-basic-server-expects-raw 3 header"])
    .facts(&["2 basic.reserved=true", "3 basic.looks_form_encoded=true"])
    .reads(&["3 basic.password=REDACTED-client_secret-1--pct"]),
    case("Basic without its padding", |f| {
        let halves = format!("{CLIENT}:Cn8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb");
        f.authorized_by(&format!("Basic {}", STANDARD_NO_PAD.encode(halves)));
    })
    .finds(&["error client-auth-basic-malformed 2 header"])
    .facts(&["2 basic.unpadded=true"])
    .reads(&["2 basic.password=REDACTED-client_secret-1"]),
    case("Basic with a blank in it", |f| {
        let mut header = basic(CLIENT, SECRET);
        header.insert(40, ' ');
        f.authorized_by(&header);
    })
    .finds(&["error client-auth-basic-malformed 2 header"])
    .facts(&["2 basic.not_base64=true", "2 basic.white_space=true"]),
    case("Basic without a colon", |f| {
        f.authorized_by(&format!("Basic {}", STANDARD.encode(SECRET)));
    })
    .finds(&["error client-auth-basic-malformed 2 header"])
    .facts(&["2 basic.colons=0", "2 basic.reserved=true"]),
    case("Basic the wrong way round", |f| {
        f.authorized_by(&basic(SECRET, CLIENT));
    })
    .finds(&["error client-auth-basic-swapped 2 header"])
    .facts(&["2 basic.swapped=true", "2 basic.reserved=true"]),
    case("Basic the wrong way round, beside client_id", |f| {
        f.authorized_by(&basic("Cn8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N", CLIENT));
    })
    .finds(&["error client-auth-basic-swapped 2 header"])
    .facts(&["2 basic.swapped=true"]),
    case("Basic with a line break behind the secret", |f| {
        f.authorized_by(&basic(CLIENT, &format!("{SECRET}\n")));
    })
    .finds(&["error client-credential-whitespace 2 token"])
    .facts(&["2 basic.reserved=true"])
    .reads(&["2 basic.password=REDACTED-client_secret-1\n"]),
    case("credentials without a scheme", |f| {
        f.authorized_by(basic(CLIENT, SECRET).trim_start_matches("Basic "));
    })
    .finds(&["error client-auth-basic-malformed 2 header"])
    .facts(&["2 basic.no_scheme=true"]),
    case("a scheme of somebody's own", |f| {
        f.header("Authorization", "Acme Cn8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N");
    }),
    case("another scheme than Basic", |f| {
        f.authorized_by("Bearer Cn8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N");
    })
    .finds(&["error client-auth-wrong-scheme 2 header"]),
    // The client's secret
    case("E-16: a line break behind the secret", |f| {
        f.send("client_secret", &format!("{SECRET}\n"));
    })
    .finds(&["error client-credential-whitespace 2 token"])
    .reads(&["2 client_secret=REDACTED-client_secret-1\n"]),
    case("E-16: a line break behind the secret, and then none", |f| {
        f.send("client_secret", &format!("{SECRET}\r\n")).again(900).send("client_secret", SECRET);
    })
    .finds(&["error client-credential-whitespace 2 token", "warning code-reused 2 token 3 token"])
    .reads(&["2 client_secret=REDACTED-client_secret-1\r\n", "3 client_secret=REDACTED-client_secret-1"]),
    case("a blank before the secret", |f| {
        f.send("client_secret", &format!(" {SECRET}"));
    })
    .finds(&["error client-credential-whitespace 2 token"])
    .reads(&["2 client_secret= REDACTED-client_secret-1"]),
    case("quotes around the secret", |f| {
        f.send("client_secret", &format!("\"{SECRET}\""));
    })
    .finds(&["error client-credential-whitespace 2 token"])
    .reads(&["2 client_secret=\"REDACTED-client_secret-1\""]),
    case("quotes around the secret, and then none", |f| {
        f.send("client_secret", &format!("'{SECRET}'")).again(900).send("client_secret", SECRET);
    })
    .finds(&["error client-credential-whitespace 2 token", "warning code-reused 2 token 3 token"])
    .reads(&["2 client_secret='REDACTED-client_secret-1'", "3 client_secret=REDACTED-client_secret-1"]),
    case("a mark of byte order before the secret", |f| {
        f.send("client_secret", &format!("\u{feff}{SECRET}"));
    })
    .finds(&["error client-credential-whitespace 2 token"])
    .reads(&["2 client_secret=\u{feff}REDACTED-client_secret-1"]),
    case("a blank that does not break behind the secret", |f| {
        f.send("client_secret", &format!("{SECRET}\u{a0}"));
    })
    .finds(&["error client-credential-whitespace 2 token"])
    .reads(&["2 client_secret=REDACTED-client_secret-1\u{a0}"]),
    case("the secret encoded twice, and then once", |f| {
        f.send("client_secret", &percent_encode(SECRET)).again(900).send("client_secret", SECRET);
    })
    .finds(&["warning code-reused 2 token 3 token"])
    .reads(&["3 client_secret=REDACTED-client_secret-1--unpct"]),
    case("the secret escaped as HTML", |f| {
        f.again(900).send("client_secret", &SECRET.replace('&', "&amp;"));
    })
    .finds(&["warning code-reused 2 token 3 token"])
    .reads(&["3 client_secret=REDACTED-client_secret-1--html-amp"]),
    case("a secret that is not encoded ends at its &", |f| {
        f.again(900);
        let body = form(&f.call().params).replace("%26X2gT%3D", "&X2gT=");
        f.write(Written::Text(body));
    })
    .finds(&["error token-value-unencoded 3 token", "warning code-reused 2 token 3 token"])
    .reads(&["3 client_secret=REDACTED-client_secret-1--first-31-of-37"]),
    case("a template where the secret should be", |f| {
        f.send("client_secret", "${OAUTH_CLIENT_SECRET}");
    })
    .finds(&["error placeholder-literal-value 2 token"])
    .facts(&["2 placeholder.in=client_secret"])
    .reads(&["2 client_secret=REDACTED-client_secret-1"]),
    case("a sample where the secret should be", |f| {
        f.send("client_secret", "YOUR_CLIENT_SECRET");
    })
    .finds(&["error placeholder-literal-value 2 token"])
    .reads(&["2 client_secret=YOUR_CLIENT_SECRET"]),
    case("an empty secret", |f| {
        f.send("client_secret", "").answer(401, "application/json", "{\"error\":\"invalid_client\"}");
    })
    .finds(&["error client-secret-empty 2 token"]),
    case("E-19: a secret that is a JWT for a year", |f| {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let claims = format!("{{\"iat\":{},\"exp\":{}}}", CLOCK - 9, CLOCK + 31_536_000);
        let head = part("{\"alg\":\"ES256\",\"typ\":\"JWT\"}");
        let signature = part("Cn7sQ2wE4rT6yU8iO0pALk9jM3x5VbCn7sQ2wE4rT6yU8iO0pALk9jM3x5VbCn7s");
        f.send("client_secret", &format!("{head}.{}.{signature}", part(&claims)))
            .answer(400, "application/json", "{\"error\":\"invalid_client\"}");
    })
    .finds(&["error client-assertion-time 2 token"])
    .reads(&["2 client_secret=REDACTED-client_secret-1", "2 client_secret-1 {\"iat\":\"-9\",\"exp\":\"+31536000\"}"]),
    case("another secret than before", |f| {
        f.again(900).send("client_secret", "Cn8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N");
    })
    .finds(&["warning code-reused 2 token 3 token"])
    .reads(&["3 client_secret=REDACTED-client_secret-2"]),
    case("E-17: client_id beside Basic, which the server counts", |f| {
        f.authorized_by(&basic(CLIENT, "Cn8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz"))
            .answer(401, "application/json", "{\"error\":\"invalid_request\",\"error_description\":\"Cannot supply multiple client credentials. Use one of the following: credentials in the Authorization header or the body.\"}");
    })
    .finds(&["error client-auth-multiple 2 token 2 token"]),
    case("the number of the secret", |f| {
        f.send("client_secret", "3f1c9f2e-1b2a-4c3d-8e9f-0a1b2c3d4e5f")
            .answer(401, "application/json", "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client secret provided.\",\"error_codes\":[7000215]}");
    })
    .finds(&["warning client-secret-looks-like-identifier 2 token"])
    .facts(&["2 client_secret.looks_like=uuid"]),
    case("a public key for a secret", |f| {
        f.send("client_secret", "pk_live_Cn8Qw3Er5Ty7Ui9Op1As2Df4")
            .answer(401, "application/json", "{\"error\":\"invalid_client\"}");
    })
    .finds(&["warning client-secret-looks-like-identifier 2 token"])
    .facts(&["2 client_secret.looks_like=publishable-key"]),
    case("a secret of a public client", |f| {
        f.answer(401, "application/json", "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS700025: Client is public so neither client_assertion nor client_secret should be presented.\"}");
    })
    .finds(&["error client-secret-sent-by-public-client 2 response"]),
    case("a redirect URI for pages, and a server", |f| {
        f.answer(400, "application/json", "{\"error\":\"invalid_request\",\"error_description\":\"AADSTS9002327: Tokens issued for the client type may only be redeemed via requests of another origin.\",\"error_codes\":[9002327]}");
    })
    .finds(&["error entra-spa-origin 2 header 2 response"]),
    case("an assertion of another client, signed in ASN.1, and too late", |f| {
        let claims = format!("{{\"iss\":\"Cn4rT6yU8iO0\",\"sub\":\"Cn4rT6yU8iO0\",\"jti\":\"Cn1nX3cV5bN7mK9\",\"iat\":{},\"exp\":{}}}", CLOCK - 900, CLOCK - 600);
        f.asserted("{\"alg\":\"ES256\"}", &claims, &[&[0x30, 0x44][..], &[7; 68]].concat());
    })
    .finds(&["error client-assertion-identity 2 token", "error client-assertion-time 2 token", "error client-assertion-key 2 token"])
    .facts(&["2 client_assertion.identity=not-client-id", "2 client_assertion.signature=der"]),
    case("an assertion that is used twice", |f| {
        let claims = format!("{{\"iss\":\"{CLIENT}\",\"sub\":\"{CLIENT}\",\"jti\":\"Cn1nX3cV5bN7mK9\",\"iat\":{CLOCK},\"exp\":{}}}", CLOCK + 300);
        f.asserted("{\"alg\":\"ES256\"}", &claims, &[7; 64]);
        f.answer(200, "application/json", ISSUED).again(900).answer(401, "application/json", "{\"error\":\"invalid_client\"}");
    })
    .finds(&["error client-assertion-replayed 2 token 3 token", "error code-reused 2 token 3 token"]),
    case("an assertion of another type", |f| {
        f.unsend("client_secret")
            .send("client_assertion_type", "jwt-bearer")
            .send("client_assertion", "Cn8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N");
    })
    .finds(&["error client-assertion-envelope 2 token"])
    .facts(&["2 client_assertion.not_jwt=true"]),
    // The code
    case("E-23: the code encoded twice", |f| {
        f.send("code", &percent_encode(CODE));
    })
    .finds(&["error code-over-encoded 1 redirect 2 token"])
    .reads(&["2 code=REDACTED-code-1--pct"]),
    case("the code encoded three times", |f| {
        let once = percent_encode(CODE);
        f.send("code", &percent_encode(&once));
    })
    .finds(&["error code-over-encoded 1 redirect 2 token"])
    .reads(&["2 code=REDACTED-code-1--pct2"]),
    case("a + of the code became a blank", |f| {
        f.send("code", &CODE.replace('+', " "));
    })
    .finds(&["error code-plus-became-space 1 redirect 2 token"])
    .reads(&["2 code=REDACTED-code-1--plus-as-space"]),
    case("the code cut at a dot", |f| {
        f.send("code", CODE.split('.').next().expect("a part"));
    })
    .finds(&["error code-truncated 1 redirect 2 token"])
    .reads(&["2 code=REDACTED-code-1--first-31-of-38"]),
    case("the code cut at its =", |f| {
        f.send("code", CODE.split('=').next().expect("a part"));
    })
    .finds(&["error code-truncated 1 redirect 2 token"])
    .reads(&["2 code=REDACTED-code-1--first-26-of-38"]),
    case("the code with #_ behind it", |f| {
        f.send("code", &format!("{CODE}#_"));
    })
    .finds(&["error code-has-extra-suffix 1 redirect 2 token"])
    .reads(&["2 code=REDACTED-code-1#_"]),
    case("the code with #_=_ behind it", |f| {
        f.send("code", &format!("{CODE}#_=_"));
    })
    .finds(&["error code-has-extra-suffix 1 redirect 2 token"])
    .reads(&["2 code=REDACTED-code-1#_=_"]),
    case("the code with a quote behind it", |f| {
        f.send("code", &format!("{CODE}\""));
    })
    .finds(&["error code-has-extra-suffix 1 redirect 2 token"])
    .reads(&["2 code=REDACTED-code-1\""]),
    case("the code in quotes", |f| {
        f.send("code", &format!("\"{CODE}\""));
    })
    .finds(&["error code-has-extra-suffix 1 redirect 2 token"])
    .reads(&["2 code=\"REDACTED-code-1\""]),
    case("the code with a line break behind it", |f| {
        f.send("code", &format!("{CODE}\n"));
    })
    .finds(&["error code-has-extra-suffix 1 redirect 2 token"])
    .reads(&["2 code=REDACTED-code-1\n"]),
    case("the code with the next parameter behind it", |f| {
        f.send("code", &format!("{CODE}&scope=openid"));
    })
    .finds(&["error code-has-extra-suffix 1 redirect 2 token"])
    .reads(&["2 code=REDACTED-code-1&scope=openid"]),
    case("the code in lower case", |f| {
        f.send("code", &CODE.to_ascii_lowercase());
    })
    .reads(&["2 code=REDACTED-code-1--lower"]),
    case("the code decoded once too often", |f| {
        f.back(&[("code", "4%2F0AQCn7sQ2wE4rT6yU8iO0pALk9jM3x5Vb"), ("state", STATE)])
            .send("code", "4/0AQCn7sQ2wE4rT6yU8iO0pALk9jM3x5Vb");
    })
    .reads(&["2 code=REDACTED-code-1--unpct"]),
    case("no code", |f| {
        f.unsend("code");
    })
    .finds(&["error code-missing 2 token"])
    .reads(&["1 code=REDACTED-code-1"]),
    case("a code that never came back", |f| {
        f.send("code", "4/0AQCn1zX3cV5bN7mK9jH2gF4dS6aP8oI0uY");
    })
    .finds(&["warning code-unknown 1 redirect 2 token"])
    .reads(&["2 code=REDACTED-code-2"]),
    case("E-24: the code redeemed twice", |f| {
        f.answer(200, "application/json", ISSUED).again(40).answer(400, "application/json", REFUSED);
    })
    .finds(&["error code-reused 2 token 3 token"])
    .reads(&["2 code=REDACTED-code-1", "3 code=REDACTED-code-1"]),
    case("E-24: the code redeemed twice, and refused with a 200", |f| {
        f.answer(200, "application/json", ISSUED).again(40).answer(200, "application/json", "{\"error\":\"bad_verification_code\",\"error_description\":\"The code passed is incorrect or expired.\"}");
    })
    .finds(&["error code-reused 2 token 3 token", "error token-response-200-error 3 response", "note token-error-misleading 3 response"])
    .reads(&["3 code=REDACTED-code-1"]),
    case("the code of a login before", |f| {
        f.begun_before("4/0AQCn1zX3cV5bN7mK9jH2gF4dS6aP8oI0uY", "CnzX3cV5bN7mK9jH2gF4dS6aP8oI0uY1tR3eW5qA7sD")
            .send("code", "4/0AQCn1zX3cV5bN7mK9jH2gF4dS6aP8oI0uY");
    })
    .finds(&["error code-from-another-flow 1 redirect 2 redirect 3 token"])
    .facts(&["3 pkce.check=of-other-flow"])
    .reads(&["1 code=REDACTED-code-1", "2 code=REDACTED-code-2", "3 code=REDACTED-code-1"]),
    case("a code that is twelve minutes old", |f| {
        f.call().at += 720_000;
    })
    .finds(&["error code-expired 1 redirect 2 token"]),
    // PKCE
    case("E-20: the challenge of the hex text", |f| {
        f.ask("code_challenge", &URL_SAFE_NO_PAD.encode(hex(VERIFIER)));
    })
    .finds(&["error pkce-challenge-hex 1 authorize 2 token"])
    .facts(&["1 pkce.challenge=b64-of-hex", "2 pkce.check=b64-of-hex"]),
    case("the challenge in hex", |f| {
        f.ask("code_challenge", &hex(VERIFIER));
    })
    .finds(&["error pkce-challenge-hex 1 authorize 2 token"])
    .facts(&["1 pkce.challenge=hex", "2 pkce.check=hex"]),
    case("E-21: a challenge in base64 whose + became a blank", |f| {
        let verifier = "CnjftJeZ4CVP/mB92K27uhbUJU1p1r+wW1gFWFOEjX07";
        let challenge = STANDARD.encode(Sha256::digest(verifier)).replace('+', " ");
        assert!(challenge.contains(' '), "{challenge}");
        f.ask("code_challenge", &challenge).send("code_verifier", verifier);
    })
    .finds(&["error pkce-challenge-not-base64url 1 authorize 2 token", "error pkce-verifier-format 2 token"])
    .facts(&["1 pkce.challenge=plus-became-space", "2 pkce.check=plus-became-space", "2 pkce.verifier=alphabet"]),
    case("a challenge in base64", |f| {
        f.ask("code_challenge", &STANDARD_NO_PAD.encode(Sha256::digest(VERIFIER)));
    })
    .finds(&["error pkce-challenge-not-base64url 1 authorize 2 token"])
    .facts(&["1 pkce.challenge=std-b64", "2 pkce.check=std-b64"]),
    case("a challenge with its padding", |f| {
        f.ask("code_challenge", &URL_SAFE.encode(Sha256::digest(VERIFIER)));
    })
    .finds(&["error pkce-challenge-not-base64url 1 authorize 2 token"])
    .facts(&["1 pkce.challenge=padded", "2 pkce.check=padded"]),
    case("a challenge by another hash", |f| {
        f.ask("code_challenge", &URL_SAFE_NO_PAD.encode(Sha512::digest(VERIFIER)));
    })
    .finds(&["error pkce-mismatch 1 authorize 2 token"])
    .facts(&["2 pkce.check=sha512"]),
    case("E-22: the method in lower case", |f| {
        f.ask("code_challenge_method", "s256");
    })
    .finds(&["error pkce-method-invalid 1 authorize"]),
    case("E-20: the method as the hash is called", |f| {
        f.ask("code_challenge_method", "SHA-256");
    })
    .finds(&["error pkce-method-invalid 1 authorize"]),
    case("a hashed challenge without its method", |f| {
        f.unask("code_challenge_method");
    })
    .finds(&["error pkce-method-omitted-for-hash 1 authorize 2 token"])
    .facts(&["2 pkce.check=method-omitted"]),
    case("a plain challenge that is called S256", |f| {
        f.ask("code_challenge", VERIFIER);
    })
    .finds(&["error pkce-plain-labelled-s256 1 authorize 2 token"])
    .facts(&["2 pkce.check=plain-equal"])
    .reads(&["2 code_verifier=REDACTED-code_challenge-1"]),
    case("another verifier", |f| {
        f.send("code_verifier", "CnzX3cV5bN7mK9jH2gF4dS6aP8oI0uY1tR3eW5qA7sD");
    })
    .finds(&["error pkce-mismatch 1 authorize 2 token"])
    .facts(&["2 pkce.check=mismatch"])
    .reads(&["2 code_verifier=REDACTED-code_verifier-1"]),
    case("the verifier of a login before", |f| {
        f.begun_before("4/0AQCn1zX3cV5bN7mK9jH2gF4dS6aP8oI0uY", "CnzX3cV5bN7mK9jH2gF4dS6aP8oI0uY1tR3eW5qA7sD")
            .send("code_verifier", "CnzX3cV5bN7mK9jH2gF4dS6aP8oI0uY1tR3eW5qA7sD");
    })
    .finds(&["error pkce-verifier-from-other-flow 2 authorize 3 token"])
    .facts(&["3 pkce.check=of-other-flow"])
    .reads(&["3 code=REDACTED-code-2"]),
    case("no verifier", |f| {
        f.unsend("code_verifier");
    })
    .finds(&["error pkce-verifier-missing 1 authorize 2 token"])
    .facts(&["2 pkce.check=no-verifier"]),
    case("a verifier nobody had asked for", |f| {
        f.unask("code_challenge").unask("code_challenge_method");
    })
    .finds(&["error pkce-verifier-without-challenge 1 authorize 2 token", "note bcp-pkce-missing-or-plain 1 authorize"])
    .facts(&["2 pkce.check=no-challenge"]),
    case("a verifier that is too short", |f| {
        f.ask("code_challenge", &pkce::s256("Cn3eR7tY")).send("code_verifier", "Cn3eR7tY");
    })
    .finds(&["error pkce-verifier-format 2 token"])
    .facts(&["2 pkce.verifier=short"]),
    // state
    case("a + of the state became a blank", |f| {
        f.back(&[("code", CODE), ("state", &STATE.replace('+', " "))]);
    })
    .finds(&["error state-mismatch 1 authorize 1 redirect"])
    .reads(&["1 state=REDACTED-state-1--plus-as-space"]),
    case("the state encoded twice", |f| {
        f.back(&[("code", CODE), ("state", &percent_encode(STATE))]);
    })
    .finds(&["error state-mismatch 1 authorize 1 redirect"])
    .reads(&["1 state=REDACTED-state-1--pct"]),
    case("another state", |f| {
        f.back(&[("code", CODE), ("state", "Cn9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c")]);
    })
    .finds(&["error state-mismatch 1 authorize 1 redirect"])
    .reads(&["1 state=REDACTED-state-2"]),
    // Refresh tokens
    case("a refresh token that is undefined", |f| {
        f.sends(&[("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", "undefined")]);
    })
    .finds(&["error placeholder-literal-value 2 token"])
    .reads(&["2 refresh_token=undefined"]),
    case("E-25: a refresh token used by two at once", |f| {
        let rotated = "{\"access_token\":\"Cn2bX4cV6bN8mQ0wE2rT4yU6iO8p\",\"token_type\":\"Bearer\",\"refresh_token\":\"1//0eCn9oL7kJ5hG3fD1sA2pO4iU6yT8rE0wQ\"}";
        f.sends(&[("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", REFRESH)])
            .answer(200, "application/json", rotated)
            .again(13)
            .answer(400, "application/json", REFUSED);
    })
    .finds(&["error refresh-token-reused 2 token 3 token"])
    .reads(&["2 refresh_token=REDACTED-refresh_token-1", "2 refresh_token=REDACTED-refresh_token-2", "3 refresh_token=REDACTED-refresh_token-1"]),
    case("a refresh token with a line break behind it", |f| {
        f.sends(&[("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", &format!("{REFRESH}\n"))]);
    })
    .finds(&["error refresh-request-invalid 2 token"])
    .reads(&["2 refresh_token=REDACTED-refresh_token-1\n"]),
    // The answer
    case("E-18: a 200 with an error", |f| {
        f.authorized_by(&basic(CLIENT, "Cn8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz")).answer(200, "application/json", "{\"ok\":false,\"error\":\"bad_client_secret\"}");
    })
    .finds(&["warning client-auth-method-not-registered 2 response 2 token", "error token-response-200-error 2 response", "note token-error-misleading 2 response"])
    .reads(&["2 basic.password=REDACTED-client_secret-1"]),
    case("E-18: a client that is registered for another method", |f| {
        f.answer(401, "application/json", "{\"error\":\"invalid_client\",\"error_description\":\"The OAuth 2.0 Client supports client authentication method 'client_secret_basic', but method 'client_secret_post' was requested.\"}");
    })
    .finds(&["error client-auth-method-not-registered 2 response 2 token"]),
    case("a page for an answer", |f| {
        f.answer(200, "text/html", "<html><form><input name=user><input type=password name=p></form></html>");
    })
    .finds(&["error token-response-login-page 2 response"])
    .facts(&["2 page.asks_password=true"]),
    case("a form for an answer", |f| {
        f.answer(200, FORM, "access_token=Cn2bX4cV6bN8mQ0wE2rT4yU6iO8p&token_type=bearer&scope=");
    })
    .finds(&["warning token-response-not-json 2 response", "note token-accept-not-json 2 header 2 response"])
    .reads(&["2 access_token=REDACTED-access_token-1"]),
    case("text under the type of JSON for an answer", |f| {
        f.answer(500, "application/json", "upstream connect error or disconnect/reset before headers");
    })
    .finds(&["warning token-server-error 2 response"]),
    case("a server whose clock is an hour ahead", |f| {
        f.answer(401, "application/json", "{\"error\":\"invalid_client\"}").call().reply.0.push(("Date".to_owned(), "Mon, 21 Sep 2026 15:13:21 GMT".to_owned()));
    })
    .finds(&["warning clock-skew 2 response"])
    .facts(&["2 time.date_skew=3601"]),
];

fn hex(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
