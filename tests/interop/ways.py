"""Ways out: a session through real proxies, and servers that ask for a certificate or show a bad one.

    python3 tests/interop/ways.py target/release/authtape

tinyproxy (HTTP, Basic), microsocks (SOCKS5) and nginx (client certificates) are started here and
stopped here; `.ci/install` installs them.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

from run import CLIENTS, Server, fail, run, wait_for

PASSWORD = "proxy-canary-3f81c6a0d2"

TINYPROXY = """Port {port}
Listen 127.0.0.1
Timeout 30
MaxClients 20
BasicAuth user {password}
LogFile "{log}"
"""

NGINX = """daemon off; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {work}; proxy_temp_path {work}; fastcgi_temp_path {work};
  uwsgi_temp_path {work}; scgi_temp_path {work};
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {work}/server.pem; ssl_certificate_key {work}/server.key;
    ssl_client_certificate {work}/client.pem; ssl_verify_client on;
    location / {{ default_type application/json; return 200 '{{"serial":"$ssl_client_serial"}}'; }}
  }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Peers:
    """The programs that run beside; they end with the test."""

    def __init__(self, work):
        self.work, self.running = work, []

    def start(self, command, port):
        self.running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait_for(lambda: listens(port), command[0])
        return port

    def tinyproxy(self):
        port, log = free_port(), self.work / "tinyproxy.log"
        conf = self.work / "tinyproxy.conf"
        conf.write_text(TINYPROXY.format(port=port, password=PASSWORD, log=log))
        return self.start(["tinyproxy", "-d", "-c", str(conf)], port), log

    def microsocks(self):
        port = free_port()
        return self.start(["microsocks", "-i", "127.0.0.1", "-p", str(port), "-u", "user", "-P", PASSWORD], port)

    def nginx(self):
        for name, subject in (("server", "/CN=localhost"), ("client", "/CN=a client")):
            run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", subject, "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
                 "-keyout", str(self.work / f"{name}.key"), "-out", str(self.work / f"{name}.pem")])
        both = self.work / "client-both.pem"
        both.write_text((self.work / "client.pem").read_text() + (self.work / "client.key").read_text())
        port, conf = free_port(), self.work / "nginx.conf"
        conf.write_text(NGINX.format(port=port, work=self.work))
        return self.start(["nginx", "-c", str(conf), "-p", str(self.work)], port), both

    def stop(self):
        for process in self.running:
            process.terminate()
            process.wait(10)


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        peers = Peers(work)
        try:
            play(binary, work, peers)
        finally:
            peers.stop()


def play(binary, work, peers):
    server = Server(binary, work)
    port = server.options[-1].rsplit(":", 1)[1]
    environment = {**server.environment, "AS_URL": f"https://localhost:{port}", "CANARY_FILE": str(work / "canaries")}
    trusted = ["--upstream-ca", server.ca]

    def session(name, options, variables=None, expect=0):
        done = run([binary, "record", str(work / f"{name}.yaml"), *options, "--", *CLIENTS["curl"]],
                   {**environment, **(variables or {})}, expect)
        return done, (work / f"{name}.yaml").read_text()

    def says(text, word, name):
        if word not in text:
            fail(f"{name}: no `{word}` in\n{text}")

    http, log = peers.tinyproxy()
    _, text = session("http", [*trusted, "--upstream-proxy", f"http://user:{PASSWORD}@127.0.0.1:{http}"])
    says(text, "status: 200", "tinyproxy")
    says(log.read_text(), f"CONNECT localhost:{port}", "tinyproxy's log")
    print("  way        an HTTP proxy with a password")

    _, text = session("wrong", [*trusted, "--upstream-proxy", f"http://user:wrong@127.0.0.1:{http}"], expect=None)
    says(text, "proxy_failure", "a wrong password")
    print("  way        an HTTP proxy that refuses us is an outcome")

    socks = peers.microsocks()
    _, text = session("socks", [*trusted, "--upstream-proxy", f"socks5h://user:{PASSWORD}@127.0.0.1:{socks}"])
    says(text, "status: 200", "microsocks")
    print("  way        a SOCKS5 proxy with a password")

    dead = {"HTTPS_PROXY": f"http://127.0.0.1:{free_port()}"}
    _, text = session("spared", trusted, dead)
    says(text, "status: 200", "the environment's proxy, which this machine's own servers do without")
    _, text = session("asked", [*trusted, "--upstream-proxy", dead["HTTPS_PROXY"]], expect=None)
    says(text, "proxy_failure", "a proxy that is not there")
    print("  way        the environment's proxy is not asked for what is on this machine")

    _, text = session("refused", [], expect=None)
    says(text, "tls_failure", "a certificate nobody vouches for")
    _, text = session("insecure", ["--insecure-upstream", "localhost"])
    says(text, "status: 200", "--insecure-upstream")
    says(text, 'insecure_upstream: ["localhost"]', "the cassette's header")
    print("  way        a certificate nobody vouches for is refused, or let through and said so")

    # --noproxy: the client of a local origin knows of no proxy.
    stands = free_port()
    local = {"AS_URL": f"http://127.0.0.1:{stands}", "CURL_HOME": str(work)}
    (work / ".curlrc").write_text("noproxy = *\n")
    options = ["--reverse", f"https://localhost:{port}=127.0.0.1:{stands}"]
    done, text = session("reverse", [*trusted, *options], local)
    says(text, f"url: https://localhost:{port}/token", "a local origin")
    server.stop()
    replayed = run([binary, "replay", str(work / "reverse.yaml"), *options, "--", *CLIENTS["curl"]], {**environment, **local})
    if replayed.stdout != done.stdout:
        fail(f"a local origin: recorded\n{done.stdout}\nreplayed\n{replayed.stdout}{replayed.stderr}")
    print("  way        a local origin stands for the server, recorded and replayed")

    secure, both = peers.nginx()
    serial = int(run(["openssl", "x509", "-in", str(work / "client.pem"), "-noout", "-serial"]).stdout.split("=")[1], 16)
    ask = ["curl", "-sS", f"https://localhost:{secure}/token"]
    options = ["--upstream-ca", str(work / "server.pem"), "--keep", "all"]
    bare = run([binary, "record", str(work / "bare.yaml"), *options, "--", *ask])
    says(bare.stdout, "No required SSL certificate", "nginx without a certificate")
    shown = run([binary, "record", str(work / "shown.yaml"), *options, "--client-cert", f"localhost={both}", "--", *ask])
    if int(json.loads(shown.stdout)["serial"], 16) != serial:
        fail(f"nginx saw another certificate: {shown.stdout}")
    print("  way        a server that asks for a certificate gets it")

    packed = work / "client.p12"
    run(["openssl", "pkcs12", "-export", "-in", str(work / "client.pem"), "-inkey", str(work / "client.key"),
         "-out", str(packed), "-passout", f"pass:{PASSWORD}"])
    shows = [*options, "--client-cert", f"localhost={packed}", "--", *ask]
    opened = {**os.environ, "AUTHTAPE_CLIENT_CERT_PASSPHRASE": PASSWORD}
    shown = run([binary, "record", str(work / "packed.yaml"), *shows], opened)
    if int(json.loads(shown.stdout)["serial"], 16) != serial:
        fail(f"nginx saw another certificate: {shown.stdout}")
    wrong = run([binary, "record", str(work / "sealed.yaml"), *shows], {**opened, "AUTHTAPE_CLIENT_CERT_PASSPHRASE": "wrong"}, 3)
    says(wrong.stderr, "PKCS#12 with its passphrase", "a wrong passphrase")
    if list(work.glob("sealed.yaml*")):
        fail("a wrong passphrase left a file")
    print("  way        the same from PKCS#12, and a wrong passphrase is said")

    for path in work.glob("*.yaml*"):
        if PASSWORD in path.read_text():
            fail(f"{path.name} holds the proxy's password")


if __name__ == "__main__":
    main()
