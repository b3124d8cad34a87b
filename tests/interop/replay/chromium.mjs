// A web application with openid-client, and Chromium as its user's browser.
import { createServer } from "node:http";
import { CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, Refused, isWrong, load, play, require } from "./user.mjs";

const client = await load("openid-client");
const { chromium } = require("playwright-core");

async function application() {
  const authentication = client.ClientSecretBasic(CLIENT_SECRET);
  const config = await client.discovery(new URL(ISSUER), CLIENT_ID, { client_secret: CLIENT_SECRET }, authentication);
  client.enableNonRepudiationChecks(config);
  const verifier = client.randomPKCECodeVerifier();
  const checks = { expectedState: client.randomState(), expectedNonce: client.randomNonce(), idTokenExpected: true };
  const code_challenge = await client.calculatePKCECodeChallenge(verifier);
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI, scope: "openid email", state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge, code_challenge_method: "S256",
  });
  const pkceCodeVerifier = isWrong ? client.randomPKCECodeVerifier() : verifier;
  async function signedIn(back) {
    const tokens = await client.authorizationCodeGrant(config, back, { ...checks, pkceCodeVerifier });
    const user = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    return `signed in: ${Object.keys(user).sort().join(" ")}`;
  }
  return createServer((request, response) => {
    const here = new URL(request.url, REDIRECT_URI);
    if (here.pathname === "/login") return response.writeHead(302, { Location: url.href }).end();
    if (here.pathname !== new URL(REDIRECT_URI).pathname) return response.writeHead(404).end();
    signedIn(here).catch((error) => `refused: ${error.error ?? error.stack}`).then((text) => response.end(text));
  });
}

async function code() {
  const server = await application();
  const { port, origin } = new URL(REDIRECT_URI);
  await new Promise((done) => server.listen(Number(port), "127.0.0.1", done));
  const proxy = process.env.HTTPS_PROXY ? { server: process.env.HTTPS_PROXY, bypass: "127.0.0.1" } : undefined;
  // Where the clock is ahead by a preloaded library it is so for the application alone: Chromium does not start with one.
  const env = { ...process.env, LD_PRELOAD: "" };
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"], proxy, env });
  try {
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    await page.goto(`${origin}/login`);
    for (let pages = 0; !page.url().startsWith(REDIRECT_URI) && pages < 5; pages += 1) {
      if (await page.locator("input[name=login]").count()) {
        await page.fill("input[name=login]", "jane");
        await page.fill("input[name=password]", "a-password-canary-77e0");
      }
      await Promise.all([page.waitForNavigation(), page.click("[type=submit]")]);
    }
    const [what, said] = (await page.textContent("body")).split(": ");
    if (what === "refused") throw new Refused(said);
    console.log(`${what}: ${said}`);
  } finally {
    await browser.close();
    server.close();
  }
}

await play({ code }, () => undefined);
