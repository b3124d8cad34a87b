"""What is compared: how each target is started, and what is true of it."""
import json
import time

from rig import BUILD, Failed, HOST, Process, TOOLS, free_port

NAMES = 200

FORM = "application/x-www-form-urlencoded"
GRANT = (
    "grant_type=refresh_token&client_id=8kqf3mz2x7&client_secret=Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N"
    "&refresh_token=Mn6Bv4Cx2Zl0Kj8Hg6Fd4Sa2Po0Iu8Yt6Re4Wq2X"
)
TOKEN = {"method": "POST", "path": "/token", "type": FORM, "body": GRANT, "length": 1228}
# As long as the grant, and nothing of OAuth's.
PLAIN = {
    "method": "POST",
    "path": "/plain",
    "type": "application/json",
    "body": json.dumps({"rows": "x" * (len(GRANT) - 12)}),
    "length": 1228,
}

NGINX = """
daemon off; master_process on; worker_processes 2; user root; error_log stderr error; pid {work}/{name}.pid;
events {{ worker_connections 8192; }}
worker_rlimit_nofile 20000;
http {{
  access_log off; keepalive_requests 1000000; proxy_max_temp_file_size 0;
  client_body_temp_path {work}/{name}-1; proxy_temp_path {work}/{name}-2; fastcgi_temp_path {work}/{name}-3;
  uwsgi_temp_path {work}/{name}-4; scgi_temp_path {work}/{name}-5;
  proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_set_header Connection "";
  proxy_ssl_verify on; proxy_ssl_trusted_certificate {pki}/ca.pem; proxy_ssl_name idp.test; proxy_ssl_server_name on;
  proxy_ssl_protocols TLSv1.2 TLSv1.3; proxy_ssl_session_reuse {reuse};
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off;
  upstream origin {{ server 127.0.0.1:{origin}; {keep} }}
  server {{ listen 127.0.0.1:{port} ssl backlog=4096; ssl_certificate {pki}/leaf.pem; ssl_certificate_key {pki}/leaf.key;
    location / {{ proxy_pass https://origin; }} }}
}}
"""

# mitmdump looks names up with the system's resolver, which knows none of these.
TO_LOOPBACK = """
def server_connect(data):
    data.server.address = ("127.0.0.1", data.server.address[1])
"""


class Target:
    """A way from the client to the origin. Started anew, it has seen nothing."""

    by = "connect"
    request = TOKEN
    is_authtape = False
    # Whether connections to the origin are shared, unless each is to have its own.
    shares = False

    def __init__(self, run):
        self.run = run
        self.process = None

    def words(self, port, fresh):
        raise NotImplementedError

    def start(self, fresh=False, wait=True):
        """Starts it; `fresh` asks for a connection to the origin for each of the client's."""
        self.asked = 0
        self.at = {"name": self.name, "by": self.by, "port": free_port(), "ca": self.run.origin.ca}
        words = self.words(self.at["port"], fresh)
        self.process = Process(words, self.run.work / f"{self.name.replace(' ', '-')}.log", self.environment())
        self.run.running.append(self.process)
        if wait:
            self.process.listening(self.at["port"])
            self.ready()

    def environment(self):
        return {}

    def ready(self):
        """What is to be waited for besides its port."""

    def stop(self):
        self.run.running.remove(self.process)
        self.process.kill()

    def authority(self, path, patience=60):
        began = time.monotonic()
        while not path.exists():
            self.process.alive()
            if time.monotonic() - began > patience:
                raise Failed(f"{self.name}: {path} is not written")
            time.sleep(0.001)
        return path


class Direct(Target):
    name = "direct"
    by = "straight"

    def start(self, fresh=False, wait=True):
        self.asked = 0
        self.at = {"name": self.name, "by": self.by, "port": self.run.origin.port, "ca": self.run.origin.ca}

    def stop(self):
        pass


class Nginx(Target):
    name = "nginx"
    by = "straight"
    shares = True

    def words(self, port, fresh):
        name = f"nginx-{port}"
        config = self.run.work / f"{name}.conf"
        config.write_text(NGINX.format(
            work=self.run.work, name=name, pki=self.run.origin.pki, origin=self.run.origin.port, port=port,
            reuse="off" if fresh else "on", keep="" if fresh else "keepalive 128; keepalive_requests 1000000;",
        ))
        return ["nginx", "-c", config, "-p", self.run.work, "-e", "stderr"]


class Hudsucker(Target):
    name = "hudsucker"
    shares = True

    def words(self, port, fresh):
        return [BUILD / "hudsucker", "--pki", self.run.origin.pki, "--port", port] + (["--pool", "0"] if fresh else [])


class Mitmdump(Target):
    name = "mitmdump"
    more = []

    def words(self, port, fresh):
        addon = self.run.work / "to_loopback.py"
        addon.write_text(TO_LOOPBACK)
        return [TOOLS / "venv/bin/mitmdump", "-q", "--listen-host", "127.0.0.1", "-p", port, "-s", addon,
                "--set", f"confdir={self.confdir()}",
                "--set", f"ssl_verify_upstream_trusted_ca={self.run.origin.ca}"] + self.more

    def confdir(self):
        # Shared, so that only the very first start makes the RSA keys of its authority.
        return self.run.work / "mitmproxy"

    def ready(self):
        self.at["ca"] = self.authority(self.confdir() / "mitmproxy-ca-cert.pem")


class MitmdumpWriting(Mitmdump):
    name = "mitmdump -w"

    def words(self, port, fresh):
        self.more = ["-w", self.run.work / f"flows-{port}.mitm"]
        return super().words(port, fresh)


class Relay(Target):
    """authtape's proxy as a library: intercepted, and nothing around it."""

    name = "authtape relay"
    is_authtape = True

    def words(self, port, fresh):
        self.ca_file = self.run.work / f"relay-{port}.pem"
        return [BUILD / "relay", "--pki", self.run.origin.pki, "--origin", self.run.origin.port, "--port", port,
                "--ca-file", self.ca_file, "--names", self.run.names]

    def ready(self):
        self.at["ca"] = self.authority(self.ca_file)


class Record(Target):
    """The whole program, with everything on tape."""

    name = "authtape record"
    is_authtape = True
    options = ["--keep", "all"]
    # A recording of nothing says so with its status.
    status = 0

    def words(self, port, fresh):
        self.cassette = self.run.work / f"record-{port}.yaml"
        self.ready_file = self.run.work / f"ready-{port}.json"
        to = self.run.origin.port
        hosts = [HOST] + [f"h{name}.{HOST}" for name in range(self.run.names)]
        resolved = [word for host in hosts for word in ("--resolve", f"{host}:{to}:127.0.0.1")]
        return [self.run.authtape, "record", self.cassette, "--quiet", "--upstream-proxy", "none",
                "--listen", f"127.0.0.1:{port}", "--limit", "connections=10000", "--upstream-ca", self.run.origin.ca,
                "--ready-file", self.ready_file] + self.options + resolved

    def ready(self):
        told = json.loads(self.authority(self.ready_file).read_text())
        self.at["ca"] = told["ca"]

    def stop(self):
        """Ends the recording, which must hold all that the origin answered through it."""
        self.run.running.remove(self.process)
        code = self.process.stop()
        if code != self.status:
            raise Failed(f"{self.name}: ended with {code}; see {self.process.log}")
        self.check()

    def check(self):
        with open(self.cassette) as cassette:
            kept = sum(line.startswith("# end ") for line in cassette)
        self.cassette.unlink()
        if kept != self.asked:
            raise Failed(f"{self.name}: {kept} interactions on tape, {self.asked} answered")


class Passing(Record):
    """The whole program, with messages that are none of OAuth's: intercepted, and not kept."""

    name = "authtape not kept"
    request = PLAIN
    options = []
    status = 1

    def check(self):
        if self.cassette.exists():
            raise Failed(f"{self.name}: something was recorded")


class Tunnelled(Record):
    """The whole program, with a host that is not opened: its bytes pass unread."""

    name = "authtape tunnel"
    options = ["--host", "other.test"]
    status = 1

    def ready(self):
        super().ready()
        self.at["ca"] = self.run.origin.ca

    def check(self):
        if self.cassette.exists():
            raise Failed(f"{self.name}: something was recorded")


TARGETS = [Direct, Nginx, Hudsucker, Mitmdump, MitmdumpWriting, Tunnelled, Relay, Passing, Record]
