#!/usr/bin/env python3
"""Attacks the datagrams between the servers of a job, as somebody on their network could.

    forge_datagrams.py capture FILE          writes one datagram of a job to FILE, heard on this host
    forge_datagrams.py attack FILE HOST…     sends it again from here, changed in every way, at most 3,000 of them

Needs root. The second form pretends to be the sender, and itself too. Only for hosts of launch/testbed: other
addresses than 10.88.0.0/16 are refused.
"""
import json
import socket
import struct
import sys
import time

LIMIT = 3000


def capture(path):
    """Looks for a datagram of the size that heartbeats have had in any version, among all that pass here."""
    listener = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    listener.settimeout(30)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        packet = listener.recv(65535)
        header = (packet[0] & 15) * 4
        if packet[9] != socket.IPPROTO_UDP:
            continue
        source, target = (socket.inet_ntoa(packet[at : at + 4]) for at in (12, 16))
        source_port, target_port, length = struct.unpack("!HHH", packet[header : header + 6])
        if length - 8 in (56, 64) and source.startswith("10.88.") and target.startswith("10.88.") and source != target:
            payload = packet[header + 8 : header + length]
            with open(path, "w", encoding="ascii") as file:
                json.dump([source, source_port, target, target_port, payload.hex()], file)
            return
    sys.exit("no datagram was heard in 30 s")


def spoofed(source, source_port, target, target_port, payload):
    """An IP packet whose sender is whoever we say; the kernel fills in the IP checksum."""
    datagram = struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0) + payload
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 0, 0, 64, socket.IPPROTO_UDP, 0,
        socket.inet_aton(source), socket.inet_aton(target))  # fmt: skip
    return header + datagram


def variants(payload):
    """The datagram itself, each of its words set to what would do harm, and words that name other servers."""
    yield payload
    harmful = [0, 1, 2, 3, 2**31, 2**64 - 1, *struct.unpack("<2Q", struct.pack("<2d", 1e300, float("inf")))]
    for at in range(0, len(payload), 8):
        for word in harmful:
            yield payload[:at] + struct.pack("<Q", word) + payload[at + 8 :]
    for server in range(2, 400):
        for at in (0, 8):
            yield payload[:at] + struct.pack("<Q", server) + payload[at + 8 :]
    for bit in range(8 * len(payload)):
        changed = bytearray(payload)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)
    yield payload[:-1]
    yield payload + b"\0"
    yield b""


def attack(path):
    with open(path, encoding="ascii") as file:
        source, source_port, target, target_port, payload = json.load(file)
    if not (source.startswith("10.88.") and target.startswith("10.88.")):
        sys.exit("only hosts of launch/testbed")
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sent = 0
    for changed in variants(bytes.fromhex(payload)):
        raw.sendto(spoofed(source, source_port, target, target_port, changed), (target, 0))
        own.sendto(changed, (target, target_port))
        sent += 2
        if sent >= LIMIT:
            break
        time.sleep(0.001)
    # Port unreachable, as the sender's system says it of a process that has ended: quotes the target's datagram.
    quoted = spoofed(target, target_port, source, source_port, bytes.fromhex(payload))[:28]
    for _ in range(20):
        body = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
        total = sum(struct.unpack("!" + "H" * (len(body) // 2), body))
        total = (total >> 16) + (total & 0xFFFF)
        total += total >> 16
        body = body[:2] + struct.pack("!H", ~total & 0xFFFF) + body[4:]
        header = struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, socket.IPPROTO_ICMP, 0,
            socket.inet_aton(source), socket.inet_aton(target))  # fmt: skip
        raw.sendto(header + body, (target, 0))
        time.sleep(0.05)
    print(f"{sent} datagrams and 20 refusals were sent")


if __name__ == "__main__":
    {"capture": capture, "attack": attack}[sys.argv[1]](sys.argv[2])
