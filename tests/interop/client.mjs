// The correct session with Node's fetch. It never prints a code, a token or a secret.
import { randomBytes, createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';

const { AS_URL, CLIENT_ID, CLIENT_SECRET, CANARY_FILE } = process.env;
const callback = 'https://shop.example.org/oauth/callback';
const state = randomBytes(16).toString('hex');
const verifier = randomBytes(32).toString('base64url');
const challenge = createHash('sha256').update(verifier).digest('base64url');

const metadata = await (await fetch(`${AS_URL}/.well-known/openid-configuration`)).json();
console.log(`discovery: ${Object.keys(metadata).length} fields`);
const query = new URLSearchParams({
  client_id: CLIENT_ID, response_type: 'code', redirect_uri: callback, state,
  code_challenge: challenge, code_challenge_method: 'S256',
});
const moved = await fetch(`${metadata.authorization_endpoint}?${query}`, { redirect: 'manual' });
const returned = new URL(moved.headers.get('location')).searchParams;
console.log(`authorize: ${moved.status}, ${returned.get('state') === state ? 'our' : 'another'} state`);
const answer = await fetch(metadata.token_endpoint, {
  method: 'POST',
  body: new URLSearchParams({
    grant_type: 'authorization_code', code: returned.get('code'), redirect_uri: callback,
    client_id: CLIENT_ID, client_secret: CLIENT_SECRET, code_verifier: verifier,
  }),
});
const tokens = await answer.json();
console.log(`token: ${answer.status} ${Object.keys(tokens).join(' ')}`);
const { access_token, refresh_token } = tokens;
writeFileSync(CANARY_FILE, JSON.stringify({
  state, verifier, challenge, code: returned.get('code'), client_secret: CLIENT_SECRET, access_token, refresh_token,
}));
