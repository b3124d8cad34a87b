"""An HTTP/1.1 origin that answers what it was told to, found by the number in `X-Request-Id`."""

import contextlib
import re
import socket
import struct
import threading

ID = re.compile(rb"(?im)^x-request-id: *([0-9a-f-]+)")
LENGTH = re.compile(rb"(?im)^content-length: *(\d+)")
CHUNKED = re.compile(rb"(?im)^transfer-encoding: *chunked")


class Origin:
    """Also stands as a proxy for any host: a request in absolute form is answered the same."""

    def __init__(self):
        self.answers, self.secure_port = {}, None
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.socket.getsockname()[1]
        # Bound and not listening: who connects is refused, and nobody else gets the port.
        self.closed = socket.socket()
        self.closed.bind(("127.0.0.1", 0))
        self.refusing_port = self.closed.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError), client, client.makefile("rb") as reader:
            while head := read_head(reader):
                if head.startswith(b"CONNECT "):
                    return self.pass_on(client)
                skip_body(reader, head)
                found = ID.search(head)
                exchange = self.answers.get(found[1].decode()) if found else None
                if exchange is None:
                    client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                elif exchange.how == "reset":
                    # A linger of nothing makes the close a reset.
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                else:
                    client.sendall(exchange.response())
                    if exchange.how:
                        return

    def pass_on(self, client):
        """A tunnel to us, or to whoever speaks TLS for us, whatever host was asked for."""
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.secure_port or self.port)) as other:
            back = threading.Thread(target=copy, args=(other, client), daemon=True)
            back.start()
            copy(client, other)
            back.join()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.closed.close()


def copy(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def read_head(reader):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = reader.readline(1 << 20)
        if not line:
            return b""
        head += line
    return head


def skip_body(reader, head):
    if CHUNKED.search(head):
        read_chunks(reader)
    elif length := LENGTH.search(head):
        reader.read(int(length[1]))


def read_chunks(reader):
    body = b""
    while size := int(reader.readline().split(b";")[0] or b"0", 16):
        body += reader.read(size)
        reader.readline()
    while reader.readline() not in (b"\r\n", b""):
        pass
    return body
