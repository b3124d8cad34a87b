// Node before 22.21 and 24.5 reads no proxy variables, and later ones do not where an agent is of the
// program's own. What HTTP would send to a server goes through a tunnel of the recorder instead.
"use strict";
const http = require("node:http");
const https = require("node:https");
const net = require("node:net");
const tls = require("node:tls");
const [major, minor] = process.versions.node.split(".").map(Number);
const readsVariables = major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
const [, user, proxyHost, proxyPort] = /^http:\/\/(?:(.*)@)?\[?(.*?)\]?:(\d+)$/.exec(process.env.https_proxy || "") || [];

function tunnel(host, port, done) {
  const authority = `${net.isIPv6(host) ? `[${host}]` : host}:${port}`;
  const headers = { host: authority, "user-agent": "node" };
  if (user) headers["proxy-authorization"] = `Basic ${Buffer.from(user).toString("base64")}`;
  const createConnection = () => net.connect({ host: proxyHost, port: proxyPort });
  const asked = http.request({ method: "CONNECT", path: authority, headers, createConnection });
  asked.once("error", done);
  asked.once("connect", (answer, socket) => {
    asked.off("error", done);
    if (answer.statusCode === 200) return done(null, socket);
    socket.destroy();
    done(new Error(`the proxy refused a tunnel to ${authority}: ${answer.statusCode} ${answer.statusMessage}`));
  });
  asked.end();
}

function throughTunnel(kind, overTunnel) {
  const direct = kind.Agent.prototype.createConnection;
  kind.Agent.prototype.createConnection = function (options, done) {
    const { host, port, socketPath } = options;
    const isProxy = host === proxyHost && Number(port) === Number(proxyPort);
    if (isProxy || socketPath || typeof done !== "function" || this.options?.proxyEnv) {
      return direct.apply(this, arguments);
    }
    tunnel(host, port, (failed, socket) => failed ? done(failed) : done(null, overTunnel(this, direct, { ...options, socket })));
  };
}

// The class of the dispatcher behind `fetch` can be had from the one that Node makes on first use only;
// a dispatcher that the program has put there is its own.
function fetchThroughTunnel() {
  const dispatcher = Symbol.for("undici.globalDispatcher.1");
  const direct = globalThis.fetch;
  let isPrepared = false;
  globalThis.fetch = function fetch(...args) {
    if (!isPrepared) {
      isPrepared = true;
      if (!globalThis[dispatcher] && globalThis.Headers && globalThis[dispatcher]) {
        globalThis[dispatcher] = new globalThis[dispatcher].constructor({ connect });
      }
    }
    return direct.apply(this, args);
  };

  function connect({ hostname, protocol, port, servername }, done) {
    const isTls = protocol === "https:";
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    tunnel(host, port || (isTls ? 443 : 80), (failed, socket) => {
      if (failed || !isTls) return done(failed, socket);
      const name = servername || (net.isIP(host) ? "" : host);
      const secure = tls.connect({ socket, servername: name, host, ALPNProtocols: ["http/1.1"] });
      secure.once("error", done);
      secure.once("secureConnect", () => done(null, secure.off("error", done)));
    });
  }
}

if (proxyPort) {
  throughTunnel(http, (_agent, _direct, { socket }) => socket);
  throughTunnel(https, (agent, direct, options) => direct.call(agent, options));
  if (!readsVariables && globalThis.fetch) fetchThroughTunnel();
}
