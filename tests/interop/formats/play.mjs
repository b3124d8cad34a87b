// Plays what was exported with nock, or with Polly: the token request must get its answer.
import {createRequire} from "node:module";
import {mkdirSync, copyFileSync, readFileSync} from "node:fs";
import https from "node:https";

const [, , tools, directory, tool] = process.argv;
const require = createRequire(tools + "/");
const stop = tool === "polly" ? playPolly() : playNock();

function playNock() {
    const nock = require("nock");
    nock.disableNetConnect();
    nock.define(nock.loadDefs(directory + "/login.json"));
    return () => {};
}

function playPolly() {
    const {Polly} = require("@pollyjs/core");
    Polly.register(require("@pollyjs/adapter-node-http"));
    Polly.register(require("@pollyjs/persister-fs"));
    const polly = new Polly("authtape", {
        adapters: ["node-http"],
        persister: "fs",
        persisterOptions: {fs: {recordingsDir: directory + "/recordings"}},
        recordIfMissing: false,
        matchRequestsBy: {headers: false, body: false, url: {query: false}},
    });
    mkdirSync(`${directory}/recordings/${polly.recordingId}`, {recursive: true});
    copyFileSync(directory + "/login.polly.har", `${directory}/recordings/${polly.recordingId}/recording.har`);
    return () => polly.stop();
}

const body = readFileSync(directory + "/body", "utf8");
const options = {method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded"}};
const request = https.request("https://accounts.example.com/token", options, response => {
    let text = "";
    response.on("data", part => (text += part));
    response.on("end", async () => {
        console.log([response.statusCode, response.headers["x-request-id"], text].join("\n"));
        await stop();
    });
});
request.end(body);
