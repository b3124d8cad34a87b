// Node before 22.21 and 24.5 reads no proxy variables. What it would send over TLS to port 443 goes to
// the recorder's TLS port instead, which goes by the host that is named in TLS.
"use strict";
const net = require("node:net");
const tls = require("node:tls");
const [major, minor] = process.versions.node.split(".").map(Number);
const readsVariables = major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
const [, host, port] = /^(.*):(\d+)$/.exec(process.env.AUTHTAPE_TLS || "") || [];

if (port && !readsVariables) {
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    // Node's own callers hand over one list, marked as already sorted out; the mark is on the list itself.
    const list = Array.isArray(args[0]) ? args[0] : args;
    const to = list[0];
    if (this instanceof tls.TLSSocket && to && typeof to === "object" && Number(to.port) === 443) {
      list[0] = { ...to, host, port: Number(port), lookup: undefined, family: undefined };
    }
    return connect.apply(this, args);
  };
}
