"""Runs a command in a network where a canary answers whoever is called, and fails when anyone but loopback was.

    python3 watched.py COMMAND [ARGUMENT...]

The network is a namespace of its own in which every address leads to the canary. It sees each TCP connection that
is begun to any address but loopback, and each datagram, so that a look-up of a name is one. It is tried first:
a connection and a look-up of its own must be seen. The exit status is the command's, or 97.
"""

import os
import socket
import struct
import subprocess
import sys
import threading
import time

OUTSIDE, MARK, CANARY = ("203.0.113.7", 443), "198.51.100.53", 97
ALL_PROTOCOLS, IPV4, IPV6, TCP, UDP = 0x0003, 0x0800, 0x86DD, 6, 17


class Canary:
    """What was dialled in this network: as `protocol address:port`."""

    def __init__(self):
        self.seen, self.lock, self.round = [], threading.Lock(), 0
        self.tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL_PROTOCOLS))
        listener = socket.create_server(("0.0.0.0", OUTSIDE[1]))
        for work in (self.watch, lambda: self.answer(listener)):
            threading.Thread(target=work, daemon=True).start()

    def watch(self):
        while True:
            packet, (_, protocol, *_) = self.tap.recvfrom(65535)
            if call := dialled(protocol, packet):
                with self.lock:
                    self.seen.append(call)

    def answer(self, listener):
        while True:
            connection, _ = listener.accept()
            connection.sendall(b"canary")
            connection.close()

    def take(self):
        """All that was seen so far: a datagram of its own, sent behind the rest, is waited for."""
        # To a port that no earlier one went to: a packet on loopback is seen twice.
        self.round += 1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as query:
            query.sendto(b"name?", (MARK, self.round))
        deadline = time.monotonic() + 5
        while f"UDP {MARK}:{self.round}" not in self.seen:
            if time.monotonic() > deadline:
                raise SystemExit(f"the canary is blind: {self.seen}")
            time.sleep(0.01)
        with self.lock:
            seen, self.seen = [call for call in self.seen if MARK not in call], []
        return set(seen)

    def prove(self):
        """It must see what it is there for, and answer."""
        with socket.create_connection(OUTSIDE, 5) as connection:
            if connection.recv(6) != b"canary":
                raise SystemExit("the canary does not answer")
        if self.take() != {f"TCP {OUTSIDE[0]}:{OUTSIDE[1]}"}:
            raise SystemExit("the canary is blind to a connection")


def dialled(protocol, packet):
    """Who is called by a packet that begins a connection, or is a datagram; a loopback connection is none."""
    if protocol == IPV4:
        kind, head, there = packet[9], (packet[0] & 15) * 4, socket.inet_ntop(socket.AF_INET, packet[16:20])
    elif protocol == IPV6:
        kind, head, there = packet[6], 40, socket.inet_ntop(socket.AF_INET6, packet[24:40])
    else:
        return None
    is_near = there.startswith("127.") or there == "::1"
    if kind == UDP:
        return f"UDP {there}:{struct.unpack_from('!H', packet, head + 2)[0]}"
    if kind == TCP and packet[head + 13] & 0x12 == 0x02 and not is_near:
        return f"TCP {there}:{struct.unpack_from('!H', packet, head + 2)[0]}"
    return None


def inside(command):
    for words in ("link set lo up", "route add local default dev lo", "-6 route add local default dev lo"):
        subprocess.run(["ip", *words.split()], check=not words.startswith("-6"), stderr=subprocess.DEVNULL)
    canary = Canary()
    canary.prove()
    status = subprocess.run(command).returncode
    if seen := canary.take():
        print(f"DIALLED: {', '.join(sorted(seen))}", file=sys.stderr)
        return CANARY
    return status


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        sys.exit(inside(sys.argv[2:]))
    os.execvp("unshare", ["unshare", "-n", sys.executable, __file__, "--inside", *sys.argv[1:]])
