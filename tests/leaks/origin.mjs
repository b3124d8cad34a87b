// Stands before the origin that knows the answers, for clients of TLS with HTTP/1.1 and HTTP/2.
//     node origin.mjs ANSWERS_PORT CERTIFICATE KEY
import { readFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";

const [answers, cert, key] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
// Of one connection, or pseudo fields: none of them may stand in the other version's message.
const ours = (name) => /^(:.*|connection|transfer-encoding|upgrade|keep-alive|proxy-connection)$/i.test(name);

function without(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !ours(name)));
}

function end(response) {
  if (response.stream) response.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  else response.socket?.destroy();
}

function answer(request, response) {
  const asked = http.request({ agent, port: answers, host: "127.0.0.1", method: request.method, path: "/", headers: { "x-request-id": request.headers["x-request-id"] ?? "" } });
  asked.on("error", () => end(response));
  asked.on("response", (told) => {
    response.writeHead(told.statusCode, without(told.headers));
    told.on("data", (part) => response.write(part));
    told.on("error", () => end(response));
    told.on("end", () => {
      if (!told.complete) return end(response);
      if (Object.keys(told.trailers).length > 0) response.addTrailers(told.trailers);
      response.end();
    });
  });
  request.resume();
  request.on("end", () => asked.end());
  request.on("error", () => asked.destroy());
}

function pass(request, socket) {
  const other = net.connect(answers, "127.0.0.1");
  const fields = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  other.write(`GET / HTTP/1.1\r\n${fields.join("")}\r\n`);
  for (const [from, to] of [[other, socket], [socket, other]]) {
    from.pipe(to);
    from.on("error", () => to.destroy());
  }
}

const server = http2.createSecureServer({ cert: readFileSync(cert), key: readFileSync(key), allowHTTP1: true });
server.on("request", answer);
server.on("upgrade", pass);
server.on("sessionError", () => {});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
