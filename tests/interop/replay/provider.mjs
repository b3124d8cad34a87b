// oidc-provider over TLS with all that the matrix asks of a server: PKCE, OpenID Connect, refresh tokens that
// rotate, client credentials, the device flow, PAR, DPoP with nonces, introspection, revocation.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , tools, issuer, address, key, cert] = process.argv;
const found = createRequire(`${tools}/package.json`).resolve("oidc-provider");
const { default: Provider } = await import(pathToFileURL(found));

const kinds = [["rsa", { modulusLength: 2048 }], ["ec", { namedCurve: "P-256" }], ["ec", { namedCurve: "P-384" }], ["ed25519", {}]];
const keys = kinds.map(([kind, options], at) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" }), kid: `key-${at + 1}`, use: "sig",
}));
const device = "urn:ietf:params:oauth:grant-type:device_code";
const signing = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "HS256"];

const provider = new Provider(issuer, {
  clients: JSON.parse(process.env.CLIENTS).map(({ id, auth, algorithm }) => ({
    client_id: id,
    client_secret: auth === "none" ? undefined : process.env.CLIENT_SECRET,
    token_endpoint_auth_method: auth,
    id_token_signed_response_alg: algorithm,
    application_type: "native",
    // Of two, an error goes to none by itself.
    redirect_uris: ["http://127.0.0.1/cb", "http://127.0.0.1/other"],
    response_types: ["code", "code id_token"],
    grant_types: ["authorization_code", "implicit", "refresh_token", device, ...(auth === "none" ? [] : ["client_credentials"])],
  })),
  jwks: { keys },
  responseTypes: ["code", "code id_token"],
  enabledJWA: { idTokenSigningAlgValues: signing },
  cookies: { keys: [randomBytes(16).toString("hex")] },
  claims: { openid: ["sub"], email: ["email"], profile: ["name"] },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, email: "jane.doe@shop.example.org", name: "Jane Doe" }) }),
  pkce: { required: () => false },
  issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
  rotateRefreshToken: true,
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
    introspection: { enabled: true },
    jwtResponseModes: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    revocation: { enabled: true },
  },
});

// The user of a device takes a second device to the page, after the first has asked for the tokens once.
provider.on("grant.error", async (ctx, error) => {
  if (error.error !== "authorization_pending") return;
  const code = await provider.DeviceCode.find(ctx.oidc.params.device_code);
  if (code.clientId.endsWith("-denied")) {
    Object.assign(code, { error: "access_denied", errorDescription: "End-User aborted interaction" });
  } else {
    const grant = new provider.Grant({ accountId: "jane", clientId: code.clientId });
    grant.addOIDCScope(code.params.scope);
    const authTime = Math.floor(Date.now() / 1000);
    Object.assign(code, { accountId: "jane", authTime, scope: code.params.scope, grantId: await grant.save() });
  }
  await code.save();
});
provider.on("server_error", (_, error) => console.error(error));

const [host, port] = address.split(":");
const answer = provider.callback();
const path = new URL(issuer).pathname;
// Mounted as a framework would do it.
createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
  request.originalUrl = request.url;
  if (request.url.startsWith(`${path}/`)) request.url = request.url.slice(path.length);
  answer(request, response);
}).listen(Number(port), host);
