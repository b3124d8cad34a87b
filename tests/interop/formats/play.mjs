// Plays exported definitions with nock: the token request must get its answer.
import {createRequire} from "node:module";
import {readFileSync} from "node:fs";
import https from "node:https";

const nock = createRequire(process.argv[2] + "/")("nock");
nock.disableNetConnect();
nock.define(nock.loadDefs(process.argv[3] + "/login.json"));
const body = readFileSync(process.argv[3] + "/body", "utf8");
const options = {method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded"}};
const request = https.request("https://accounts.example.com/token", options, response => {
    let text = "";
    response.on("data", part => (text += part));
    response.on("end", () => console.log([response.statusCode, response.headers["x-request-id"], text].join("\n")));
});
request.end(body);
