# http.client, urllib3 without a proxy of its own, and aiohttp read no proxy variables. What they would
# send to a server goes through a tunnel of the recorder instead, whatever its port.
import os
import sys
from importlib.machinery import PathFinder

_proxy = os.environ.get("https_proxy", "")
_user, _, _address = _proxy.rpartition("/")[2].rpartition("@")
_host, _, _port = _address.rpartition(":")
_host = _host.strip("[]")


def _headers():
    headers = {"User-Agent": "Python-http.client"}
    if _user:
        from base64 import b64encode

        headers["Proxy-Authorization"] = "Basic " + b64encode(_user.encode()).decode()
    return headers


def _tunnelled(connect):
    def through_tunnel(self, *args, **kwargs):
        host, port = self.host, self.port
        # urllib, requests and urllib3 have chosen a proxy by now, if they use one.
        chosen = self._tunnel_host or getattr(self, "proxy", None) or (host, port) == (_host, int(_port))
        if chosen or self.sock:
            return connect(self, *args, **kwargs)
        self.set_tunnel(host, port, _headers())
        self.host, self.port = _host, int(_port)
        try:
            return connect(self, *args, **kwargs)
        finally:
            # Its own code goes on to ask for the server by these.
            self.host, self.port, self._tunnel_host = host, port, None

    return through_tunnel


def _connections(*names):
    def change(module):
        for name in names:
            kind = getattr(module, name)
            kind.connect = _tunnelled(kind.connect)

    return change


def _sessions(module):
    request = module.ClientSession._request

    # Not `trust_env`, which would read the user's .netrc, too.
    async def through_proxy(self, *args, **kwargs):
        is_tcp = type(self._connector).__name__ == "TCPConnector"
        if is_tcp and not (kwargs.get("proxy") or getattr(self, "_default_proxy", None)):
            kwargs["proxy"] = _proxy
        return await request(self, *args, **kwargs)

    module.ClientSession._request = through_proxy


_changes = {
    "http.client": _connections("HTTPConnection"),
    "urllib3.connection": _connections("HTTPConnection", "HTTPSConnection"),
    "aiohttp.client": _sessions,
}


class _WhenImported:
    """Changes a module once it has run, so that a program pays only for what it uses."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        change = _changes.get(name)
        spec = change and PathFinder.find_spec(name, path, target)
        if not spec or not spec.loader:
            return None
        run = spec.loader.exec_module

        def run_and_change(module):
            run(module)
            change(module)

        spec.loader.exec_module = run_and_change
        return spec


if _port.isdigit():
    sys.meta_path.insert(0, _WhenImported)
    for _name in _changes.keys() & sys.modules.keys():
        _changes[_name](sys.modules[_name])


def _next():
    """Runs the sitecustomize that this one stands before."""
    from importlib.util import module_from_spec

    here = os.path.dirname(os.path.abspath(__file__))
    spec = PathFinder.find_spec(__name__, [entry for entry in sys.path if os.path.abspath(entry) != here])
    if spec and spec.loader:
        spec.loader.exec_module(module_from_spec(spec))


_next()
