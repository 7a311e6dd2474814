"""A TCP server that does what its client asks in the first line; the standard library is enough.

`echo`: send everything back until the client ends, then `bye`. `tell`: three lines, each once the
client has answered the one before. `close NOTE`: end its own direction first, then keep what still
comes under NOTE. `note NOTE`: say what was kept. `reset`: break off in the middle of a word. Run:
`talkative.py PORT`.
"""

import socket
import struct
import sys
import threading

NOTES: dict[str, bytes] = {}


def serve(listener: socket.socket) -> None:
    """Serve every client in a thread of its own."""
    while True:
        client, _ = listener.accept()
        threading.Thread(target=talk, args=(client,), daemon=True).start()


def talk(client: socket.socket) -> None:
    """Do what a client asks."""
    with client, client.makefile("rb") as lines:
        word, _, note = lines.readline().decode().strip().partition(" ")
        if word == "echo":
            while piece := lines.read1(1 << 16):
                client.sendall(piece)
            client.sendall(b"bye")
        elif word == "tell":
            for number in range(3):
                client.sendall(b"line %d\n" % number)
                lines.readline()
        elif word == "close":
            client.sendall(b"done")
            client.shutdown(socket.SHUT_WR)
            NOTES[note] = lines.read()
        elif word == "note":
            client.sendall(NOTES.get(note, b""))
        elif word == "reset":
            client.sendall(b"hal")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


if __name__ == "__main__":
    serve(socket.create_server(("127.0.0.1", int(sys.argv[1]))))
