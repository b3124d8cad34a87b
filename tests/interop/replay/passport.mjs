// passport-oauth2 and passport-openidconnect as their READMEs say, without a framework around them.
import { CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, browse, isWrong, play, require } from "./user.mjs";

const session = {};
const endpoints = { authorizationURL: `${ISSUER}/auth`, tokenURL: `${ISSUER}/token` };
const registered = { clientID: CLIENT_ID, clientSecret: CLIENT_SECRET, callbackURL: REDIRECT_URI };

// What Passport gives a strategy, and where it goes with each of its answers.
function authenticate(strategy, query) {
  return new Promise((resolve, reject) => {
    const here = Object.create(strategy);
    here.redirect = (url) => resolve({ url });
    here.success = (user) => resolve({ user });
    here.fail = (challenge) => reject(new Error(`not authenticated: ${challenge?.message}`));
    here.error = reject;
    here.authenticate({ session, query, headers: {}, connection: {} }, {});
  });
}

async function login(strategy, between = () => {}) {
  const { url } = await authenticate(strategy, {});
  between();
  const query = Object.fromEntries(new URL(browse(url)).searchParams);
  const { user } = await authenticate(strategy, query);
  console.log(`user: ${user}`);
}

const modules = {
  oauth2() {
    const Strategy = require("passport-oauth2");
    const options = { ...endpoints, ...registered, scope: ["openid", "email"], state: true, pkce: true };
    const strategy = new Strategy(options, (access, refresh, params, profile, done) => done(null, Object.keys(params).sort().join(" ")));
    return login(strategy, () => {
      // The verifier that the session kept is another's.
      const kept = Object.values(session)[0].state;
      if (isWrong) kept.code_verifier = [...kept.code_verifier].reverse().join("");
    });
  },
  openidconnect() {
    const Strategy = require("passport-openidconnect");
    const options = { issuer: ISSUER, userInfoURL: `${ISSUER}/me`, ...endpoints, ...registered, scope: "email", nonce: true };
    const strategy = new Strategy(options, (issuer, profile, done) => done(null, Object.keys(profile).sort().join(" ")));
    // It knows no PKCE: the wrong client is one that redeems for another redirect URI.
    return login(strategy, () => { if (isWrong) strategy._callbackURL = `${REDIRECT_URI}/`; });
  },
};

await play({ code: modules[process.env.STRATEGY] }, (error) => error.code ?? JSON.parse(error.oauthError?.data ?? "{}").error);
