// HAR files as real tools write them, of one OAuth session with a server on loopback.
//
//     node har.mjs playwright OUT.har CANARIES.json    Chromium, through Playwright's recorder
//     node har.mjs polly OUT.har CANARIES.json         node:http, through Polly's recorder
//     node har.mjs validate FILE...                    har-validator's opinion, schema by schema

import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

const tools = new URL('../../target/interop/', import.meta.url).pathname;
const load = createRequire(`${tools}package.json`);
const canary = () => `Cn${randomBytes(24).toString('base64url')}`;

const secrets = Object.fromEntries(
  ['code', 'state', 'cookie', 'access_token', 'refresh_token', 'client_secret', 'page', 'header'].map((name) => [name, canary()]),
);

const page = (url) => `<html><input type=hidden value="${secrets.page}"><script>
  fetch('/token', { method: 'POST', headers: { 'X-Unheard-Of': '${secrets.header}' },
    body: new URLSearchParams({ grant_type: 'authorization_code', code: new URL('${url}').searchParams.get('code'),
      client_id: 'web', client_secret: '${secrets.client_secret}' }) })
    .then((answer) => answer.json())
    .then((tokens) => fetch('/userinfo', { headers: { Authorization: 'Bearer ' + tokens.access_token } }))
    .then(() => { document.title = 'done'; });
</script></html>`;

const server = http.createServer((request, response) => {
  const url = new URL(request.url, `http://${request.headers.host}`);
  const json = (value) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
  switch (url.pathname) {
    case '/authorize': {
      const to = `/callback?code=${secrets.code}&state=${url.searchParams.get('state')}`;
      return response.writeHead(302, { Location: to, 'Set-Cookie': [`sid=${secrets.cookie}; HttpOnly`, 'lang=en'] }).end();
    }
    case '/callback':
      return response.writeHead(200, { 'Content-Type': 'text/html' }).end(page(url));
    case '/token':
      return json({ access_token: secrets.access_token, token_type: 'Bearer', refresh_token: secrets.refresh_token });
    case '/userinfo':
      return json({ email_verified: true });
    default:
      return response.writeHead(404).end();
  }
});

const authorize = (origin) =>
  `${origin}/authorize?response_type=code&client_id=web&redirect_uri=${encodeURIComponent(`${origin}/callback`)}&state=${secrets.state}`;

async function playwright(origin, out) {
  const { chromium } = load('playwright-core');
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  const context = await browser.newContext({ recordHar: { path: out, content: 'embed' } });
  const tab = await context.newPage();
  await tab.goto(authorize(origin));
  await tab.waitForFunction(() => document.title === 'done');
  await context.close();
  await browser.close();
}

async function polly(origin, out) {
  const { Polly } = load('@pollyjs/core');
  const recordings = fs.mkdtempSync(path.join(os.tmpdir(), 'polly-'));
  const options = {
    adapters: [load('@pollyjs/adapter-node-http')],
    persister: load('@pollyjs/persister-fs'),
    persisterOptions: { fs: { recordingsDir: recordings } },
    mode: 'record',
    logLevel: 'silent',
  };
  const recorder = new Polly('session', options);
  const ask = (method, url, headers = {}, body) => new Promise((answered, failed) => {
    const request = http.request(url, { method, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => answered({ headers: response.headers, text: Buffer.concat(chunks).toString() }));
    });
    request.on('error', failed).end(body);
  });
  const asked = await ask('GET', authorize(origin), { Cookie: `sid=${secrets.cookie}` });
  const code = new URL(asked.headers.location, origin).searchParams.get('code');
  const form = new URLSearchParams({ grant_type: 'authorization_code', code, client_id: 'web', client_secret: secrets.client_secret });
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'X-Unheard-Of': secrets.header };
  const tokens = JSON.parse((await ask('POST', `${origin}/token`, headers, form.toString())).text);
  await ask('GET', `${origin}/userinfo`, { Authorization: `Bearer ${tokens.access_token}` });
  await ask('GET', `${origin}/callback?code=${code}&state=${secrets.state}`);
  await recorder.stop();
  const written = fs.readdirSync(recordings, { recursive: true }).find((name) => name.endsWith('.har'));
  fs.copyFileSync(path.join(recordings, written), out);
}

async function validate(files) {
  const { har } = load('har-validator/lib/promise.js');
  for (const file of files) {
    await har(JSON.parse(fs.readFileSync(file, 'utf8'))).catch((refused) => {
      console.error(file, JSON.stringify(refused.errors));
      process.exitCode = 1;
    });
  }
}

const [what, ...rest] = process.argv.slice(2);
if (what === 'validate') {
  await validate(rest);
} else {
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const [out, canaries] = rest;
  await { playwright, polly }[what](`http://127.0.0.1:${server.address().port}`, out);
  server.close();
  fs.writeFileSync(canaries, JSON.stringify(secrets));
}
