// oauth4webapi as its examples do it; each ID Token's signature is verified.
import { CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, browse, isWrong, load, oldKeys, play } from "./user.mjs";

const oauth = await load("oauth4webapi");
const scope = "openid profile";
const client = { client_id: CLIENT_ID, id_token_signed_response_alg: process.env.ALGORITHM };
const authenticate = oauth.ClientSecretPost(CLIENT_SECRET);
const issuer = new URL(ISSUER);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
const keys = await oldKeys(as.jwks_uri);

// Asks, and once more where the server wants a nonce in the proof.
async function withNonce(ask, process, options) {
  try {
    return await process(await ask());
  } catch (error) {
    if (!options?.DPoP || !oauth.isDPoPNonceError(error)) throw error;
    return process(await ask());
  }
}

// The authorization response as each kind of it is validated.
const validators = {
  plain: (url, state) => oauth.validateAuthResponse(as, client, url, state),
  jarm: (url, state) => oauth.validateJwtAuthResponse(as, client, url, state),
  hybrid: (url, state, nonce) => oauth.validateCodeIdTokenResponse(as, client, url, nonce, state),
};
const asking = { plain: {}, jarm: { response_mode: "jwt" }, hybrid: { response_type: "code id_token" } };

async function login({ pushed = false, verifier, options, kind = "plain" } = {}) {
  const code_verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const parameters = new URLSearchParams({
    client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, response_type: "code", scope, state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(code_verifier), code_challenge_method: "S256",
    ...asking[kind],
  });
  const url = new URL(as.authorization_endpoint);
  url.search = parameters;
  if (pushed) {
    const pushing = await oauth.pushedAuthorizationRequest(as, client, authenticate, parameters);
    const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, pushing);
    url.search = new URLSearchParams({ client_id: CLIENT_ID, request_uri: isWrong ? `${request_uri}x` : request_uri });
  }
  const answer = await validators[kind](new URL(browse(url.href)), state, nonce);
  let response;
  const tokens = await withNonce(
    async () => response = await oauth.authorizationCodeGrantRequest(
      as, client, authenticate, answer, REDIRECT_URI, verifier ?? code_verifier, options,
    ),
    (got) => oauth.processAuthorizationCodeResponse(as, client, got, { expectedNonce: nonce, requireIdToken: true }),
    options,
  );
  await oauth.validateApplicationLevelSignature(as, response, keys && { [oauth.jwksCache]: keys });
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  console.log(`token: ${Object.keys(tokens).sort().join(" ")}`);
  console.log(`claims: ${Object.keys(claims).sort().join(" ")}`);
  return { tokens, sub: claims.sub };
}

async function userinfo(token, sub, options) {
  const claims = await withNonce(
    () => oauth.userInfoRequest(as, client, token, options),
    (got) => oauth.processUserInfoResponse(as, client, sub, got),
    options,
  );
  console.log(`userinfo: ${Object.keys(claims).sort().join(" ")}`);
}

async function refreshed(token) {
  const response = await oauth.refreshTokenGrantRequest(as, client, authenticate, token);
  return oauth.processRefreshTokenResponse(as, client, response);
}

await play({
  async code() {
    const { tokens, sub } = await login({ verifier: isWrong ? oauth.generateRandomCodeVerifier() : undefined });
    await userinfo(tokens.access_token, sub);
  },
  async jarm() {
    await login({ kind: "jarm", verifier: isWrong ? oauth.generateRandomCodeVerifier() : undefined });
  },
  async hybrid() {
    await login({ kind: "hybrid", verifier: isWrong ? oauth.generateRandomCodeVerifier() : undefined });
  },
  async refresh() {
    const { tokens, sub } = await login();
    const fresh = await refreshed(tokens.refresh_token);
    console.log(`refreshed: ${fresh.refresh_token === tokens.refresh_token ? "the same" : "another"} refresh token`);
    await userinfo(fresh.access_token, sub);
    if (isWrong) await refreshed(tokens.refresh_token);
  },
  async client_credentials() {
    const secret = oauth.ClientSecretPost(isWrong ? `${CLIENT_SECRET}-not` : CLIENT_SECRET);
    const response = await oauth.clientCredentialsGrantRequest(as, client, secret, {});
    const tokens = await oauth.processClientCredentialsResponse(as, client, response);
    console.log(`token: ${Object.keys(tokens).sort().join(" ")}, ${tokens.expires_in} s`);
  },
  async device() {
    const response = await oauth.deviceAuthorizationRequest(as, client, authenticate, { scope });
    const started = await oauth.processDeviceAuthorizationResponse(as, client, response);
    let tokens;
    while (!tokens) {
      await new Promise((done) => setTimeout(done, (started.interval ?? 5) * 1000));
      const polled = await oauth.deviceCodeGrantRequest(as, client, authenticate, started.device_code);
      try {
        tokens = await oauth.processDeviceCodeResponse(as, client, polled);
        await oauth.validateApplicationLevelSignature(as, polled);
      } catch (error) {
        if (error.error !== "authorization_pending") throw error;
      }
    }
    await userinfo(tokens.access_token, oauth.getValidatedIdTokenClaims(tokens).sub);
  },
  async par() {
    const { tokens, sub } = await login({ pushed: true });
    await userinfo(tokens.access_token, sub);
  },
  async dpop() {
    const options = { DPoP: oauth.DPoP(client, await oauth.generateKeyPair("ES256")) };
    const { tokens, sub } = await login({ options });
    console.log(`token_type: ${tokens.token_type}`);
    await userinfo(tokens.access_token, sub, isWrong ? undefined : options);
  },
}, (error) => error.error ?? error.cause?.[0]?.parameters?.error);
