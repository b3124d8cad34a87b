// Records a token request with nock.
import {createRequire} from "node:module";
import {writeFileSync} from "node:fs";
import http from "node:http";

const [, , tools, file, url, secret] = process.argv;
const nock = createRequire(tools + "/")("nock");
nock.recorder.rec({output_objects: true, dont_print: true});
const body = new URLSearchParams({grant_type: "client_credentials", client_id: "web", client_secret: secret}).toString();
const options = {method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": body.length}};
const request = http.request(url, options, response => {
    response.resume();
    response.on("end", () => writeFileSync(file, JSON.stringify(nock.recorder.play())));
});
request.end(body);
