// oidc-provider over TLS with its own pages for sign-in and consent, and a client that may ask for forms.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , tools, issuer, port, key, cert] = process.argv;
const found = createRequire(`${tools}/package.json`).resolve("oidc-provider");
const { default: Provider } = await import(pathToFileURL(found));
const provider = new Provider(issuer, {
  clients: [{
    client_id: process.env.CLIENT_ID,
    client_secret: process.env.CLIENT_SECRET,
    redirect_uris: [process.env.REDIRECT_URI],
    response_types: ["code id_token", "code"],
    grant_types: ["implicit", "authorization_code"],
    application_type: "native",
  }],
  cookies: { keys: [process.env.CLIENT_SECRET] },
  pkce: { required: () => false },
  features: { devInteractions: { enabled: true } },
});
provider.proxy = true;
createServer({ key: readFileSync(key), cert: readFileSync(cert) }, provider.callback()).listen(Number(port), "127.0.0.1");
