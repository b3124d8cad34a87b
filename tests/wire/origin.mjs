// Node's HTTP servers as origins: one port for each case; what arrives is a line of JSON.
//     node origin.mjs PLAIN TLS CERTIFICATE KEY
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";

const [plain, tls, cert, key] = process.argv.slice(2);

const portOf = new WeakMap();

function listen(server) {
  for (const event of ["connection", "secureConnection"]) server.on(event, (socket) => portOf.set(socket, socket.localPort));
  server.on("request", (request, response) => {
    const port = request.socket.localPort;
    const body = [];
    request.on("data", (part) => body.push(part));
    request.on("end", () => {
      const fields = [];
      for (let at = 0; at < request.rawHeaders.length; at += 2) fields.push(request.rawHeaders.slice(at, at + 2));
      console.log(JSON.stringify({ port, method: request.method, target: request.url, fields, body: Buffer.concat(body).toString("latin1") }));
      response.setHeader("Content-Type", "application/json");
      response.end('{"active":true}');
    });
  });
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
  // What Node finds malformed is told too.
  server.on("clientError", (error, socket) => {
    if (error.code?.startsWith("HPE")) console.log(JSON.stringify({ port: portOf.get(socket), refused: error.code }));
    socket.destroy();
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
}

const many = (count, make) => Promise.all(Array.from({ length: Number(count) }, () => listen(make())));
// What Node would refuse by itself is to be seen.
const open = { requireHostHeader: false };
const pair = { cert: readFileSync(cert), key: readFileSync(key) };
const ports = { plain: await many(plain, () => http.createServer(open)), tls: await many(tls, () => https.createServer({ ...pair, ...open })) };
console.log(JSON.stringify(ports));
