// openid-client as its README says.
import { CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, browse, isWrong, load, oldKeys, play } from "./user.mjs";

const client = await load("openid-client");
const scope = "openid email";
const metadata = { id_token_signed_response_alg: process.env.ALGORITHM ?? "RS256" };

async function discover(secret = CLIENT_SECRET) {
  const authentication = client.ClientSecretBasic(secret);
  const config = await client.discovery(new URL(ISSUER), CLIENT_ID, { ...metadata, client_secret: secret }, authentication);
  // Signatures are verified though the tokens came by TLS.
  client.enableNonRepudiationChecks(config);
  const keys = await oldKeys(config.serverMetadata().jwks_uri);
  if (keys) client.setJwksCache(config, keys);
  return config;
}

async function login(config, { pushed = false, verifier, options } = {}) {
  const code_verifier = client.randomPKCECodeVerifier();
  const checks = { expectedState: client.randomState(), expectedNonce: client.randomNonce(), idTokenExpected: true };
  const parameters = {
    redirect_uri: REDIRECT_URI, scope, state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(code_verifier), code_challenge_method: "S256",
  };
  const url = pushed
    ? await client.buildAuthorizationUrlWithPAR(config, parameters)
    : client.buildAuthorizationUrl(config, parameters);
  if (pushed && isWrong) url.searchParams.set("request_uri", "urn:ietf:params:oauth:request_uri:nobody-pushed-it");
  const current = new URL(browse(url.href));
  const tokens = await client.authorizationCodeGrant(
    config, current, { ...checks, pkceCodeVerifier: verifier ?? code_verifier }, undefined, options,
  );
  console.log(`token: ${Object.keys(tokens).sort().join(" ")}`);
  console.log(`claims: ${Object.keys(tokens.claims()).sort().join(" ")}`);
  return tokens;
}

async function userinfo(config, tokens, options) {
  const answer = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, options);
  console.log(`userinfo: ${Object.keys(answer).sort().join(" ")}`);
}

await play({
  async code() {
    const config = await discover();
    await userinfo(config, await login(config, { verifier: isWrong ? client.randomPKCECodeVerifier() : undefined }));
  },
  async jarm() {
    const config = await discover();
    client.useJwtResponseMode(config);
    await login(config, { verifier: isWrong ? client.randomPKCECodeVerifier() : undefined });
  },
  async hybrid() {
    const config = await discover();
    client.useCodeIdTokenResponseType(config);
    await login(config, { verifier: isWrong ? client.randomPKCECodeVerifier() : undefined });
  },
  async refresh() {
    const config = await discover();
    const tokens = await login(config);
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
    console.log(`refreshed: ${fresh.refresh_token === tokens.refresh_token ? "the same" : "another"} refresh token`);
    await userinfo(config, fresh);
    if (isWrong) await client.refreshTokenGrant(config, tokens.refresh_token);
  },
  async client_credentials() {
    const config = await discover(isWrong ? `${CLIENT_SECRET}-not` : CLIENT_SECRET);
    const tokens = await client.clientCredentialsGrant(config);
    console.log(`token: ${Object.keys(tokens).sort().join(" ")}, ${tokens.expires_in} s`);
  },
  async device() {
    const config = await discover();
    const started = await client.initiateDeviceAuthorization(config, { scope });
    console.log(`device: ${Object.keys(started).sort().join(" ")}`);
    const tokens = await client.pollDeviceAuthorizationGrant(config, started);
    console.log(`claims: ${Object.keys(tokens.claims()).sort().join(" ")}`);
    await userinfo(config, tokens);
  },
  async par() {
    const config = await discover();
    await userinfo(config, await login(config, { pushed: true }));
  },
  async dpop() {
    const config = await discover();
    const options = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256")) };
    const tokens = await login(config, { options });
    console.log(`token_type: ${tokens.token_type}`);
    await userinfo(config, tokens, isWrong ? undefined : options);
  },
}, (error) => error.error ?? error.cause?.[0]?.parameters?.error);
