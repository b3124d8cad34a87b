// simple-oauth2 as its README says; it reads no ID Token.
import { randomBytes, createHash } from "node:crypto";
import { CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, browse, isWrong, play, require } from "./user.mjs";

const { AuthorizationCode, ClientCredentials } = require("simple-oauth2");
const { origin, pathname } = new URL(ISSUER);
const config = (secret = CLIENT_SECRET) => ({
  client: { id: CLIENT_ID, secret },
  auth: { tokenHost: origin, tokenPath: `${pathname}/token` },
});
const told = (token) => console.log(`token: ${Object.keys(token.token).sort().join(" ")}`);

async function login() {
  const client = new AuthorizationCode({
    client: config().client, auth: { ...config().auth, authorizePath: `${pathname}/auth` },
  });
  const state = randomBytes(16).toString("hex");
  const verifier = randomBytes(32).toString("base64url");
  const code_challenge = createHash("sha256").update(verifier).digest("base64url");
  const url = client.authorizeURL({
    redirect_uri: REDIRECT_URI, scope: "openid email", state, code_challenge, code_challenge_method: "S256",
  });
  const answer = new URL(browse(url)).searchParams;
  if (answer.get("state") !== state) throw new Error("another state");
  const code_verifier = isWrong && process.argv[2] === "code" ? randomBytes(32).toString("base64url") : verifier;
  const token = await client.getToken({ code: answer.get("code"), redirect_uri: REDIRECT_URI, code_verifier });
  told(token);
  return token;
}

await play({
  code: login,
  async refresh() {
    const first = await login();
    const second = await first.refresh();
    told(second);
    console.log(`refreshed: ${second.token.refresh_token === first.token.refresh_token ? "the same" : "another"} refresh token`);
    if (isWrong) await first.refresh();
  },
  async client_credentials() {
    const client = new ClientCredentials(config(isWrong ? `${CLIENT_SECRET}-not` : CLIENT_SECRET));
    told(await client.getToken({}));
  },
}, (error) => error.data?.payload?.error);
