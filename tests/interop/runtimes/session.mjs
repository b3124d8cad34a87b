// Discovery and a token with fetch, or with node:https.
import * as http from "node:http";
import * as https from "node:https";

const { AS_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
const basic = Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString("base64");

function ask(url, form) {
  const headers = form ? { authorization: `Basic ${basic}`, "content-type": "application/x-www-form-urlencoded" } : {};
  const method = form ? "POST" : "GET";
  if (process.argv[2] === "fetch") {
    return fetch(url, { method, headers, body: form }).then((answer) => answer.json());
  }
  return new Promise((done, failed) => {
    const { request } = url.startsWith("https:") ? https : http;
    const asked = request(url, { method, headers }, async (answer) => {
      let text = "";
      for await (const chunk of answer) text += chunk;
      done(JSON.parse(text));
    });
    asked.on("error", failed).end(form);
  });
}

console.log(Object.keys(await ask(`${AS_URL}/.well-known/openid-configuration`)).length);
console.log(Object.keys(await ask(`${AS_URL}/token`, "grant_type=client_credentials")).join(" "));
