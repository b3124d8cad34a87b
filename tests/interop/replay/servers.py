"""The servers of the matrix, each under a name of its own at port 443 of a loopback address of its own."""

import json
import os
import pathlib
import random
import secrets
import socket
import subprocess
import sys

from run import TOOLS, fail, wait_for

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "wire"))
from support import Pki, with_us  # noqa: E402

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
NODE, PYTHON = str(TOOLS / "node_modules/node/bin/node"), str(TOOLS / "venv/bin/python")

# By the name on the page: its host, the path of its issuer, and how it is started.
KINDS = {
    "oidc-provider": ("op.example", "/oidc", [NODE, str(HERE / "provider.mjs"), str(TOOLS)]),
    "django-oauth-toolkit": ("django.example", "/o", [PYTHON, str(HERE / "django_server.py")]),
}


class Server:
    """A server that runs, with what a client needs to know of it."""

    def __init__(self, kind, work, clients):
        self.host, path, command = KINDS[kind]
        self.kind, self.issuer, self.secret = kind, f"https://{self.host}{path}", secrets.token_hex(24)
        self.address = "127." + ".".join(str(random.randint(2, 254)) for _ in range(3))
        self.work = work / kind
        self.work.mkdir()
        pki = Pki(self.work)
        pem, key = pki.leaf("server", f"DNS:{self.host}")
        self.log, self.ca = self.work / "server.log", pki.ca
        environment = {**os.environ, "CLIENT_SECRET": self.secret, "CLIENTS": json.dumps(clients)}
        command = [*command, self.issuer, f"{self.address}:443", str(key), str(pem)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, preexec_fn=with_us)
        wait_for(lambda: self.listens() or self.process.poll() is not None, kind)
        if self.process.poll() is not None:
            fail(f"{kind} does not start\n{self.log.read_text()}")
        self.options = ["--upstream-ca", str(self.ca), "--resolve", f"{self.host}:443:{self.address}:443"]
        self.direct = self.without_us()

    def without_us(self):
        """What runs a client where the name resolves and the certificate is trusted, as on a machine that is set up so."""
        hosts, bundle = self.work / "hosts", self.work / "bundle.pem"
        hosts.write_text(f"127.0.0.1 localhost\n{self.address} {self.host}\n")
        bundle.write_text(pathlib.Path(BUNDLE).read_text() + self.ca.read_text())
        mounts = f"mount --bind {hosts} /etc/hosts && mount --bind {bundle} {BUNDLE}"
        return ["unshare", "-m", "sh", "-c", f'{mounts} && exec "$@"', "sh"]

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex((self.address, 443)) == 0

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
