// oidc-provider over TLS, with one client that may ask for tokens for itself.
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
    grant_types: ["client_credentials"],
    response_types: [],
    redirect_uris: [],
  }],
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
});
createServer({ key: readFileSync(key), cert: readFileSync(cert) }, provider.callback()).listen(Number(port), "127.0.0.1");
