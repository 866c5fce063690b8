"""The only way out of a network namespace with nothing in it: a port inside that leads to a unix socket of the daemon's.

Promises that whoever is inside speaks with the daemon's proxy and reaches nothing else by it: the bridge itself can make
no sockets but such as lead there, is nobody's child that is counted or ended with a call, and ends with the namespace. Knows
no host and no request.
"""

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path

from picklebot.toolhost.confining import confine
from picklebot.toolhost.walls import hide_memory

PLACE = Path("/run/picklebot-way-out")  #: inside, where the daemon's socket is mounted
PORT = 3128  #: of 127.0.0.1 in the namespace
AT_ONCE = 64  #: connections; further ones wait
_CHUNK = 65_536


def build() -> None:
    """Leave a process behind that bridges, from before this one gives anything up."""
    listening = socket.create_server(("127.0.0.1", PORT), backlog=AT_ONCE)
    if child := os.fork():
        os.waitpid(child, 0)
        listening.close()
        return
    try:
        if not os.fork():  # its parent ends at once, so that it belongs to the namespace and to no call
            _become_the_bridge(listening)
    finally:
        os._exit(0)


def _become_the_bridge(listening: socket.socket) -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # the daemon waits for the end of these
        os.dup2(nothing, standard)
    hide_memory()
    confine(sockets="bridge")
    places = threading.BoundedSemaphore(AT_ONCE)
    while True:
        places.acquire()
        came, _ = listening.accept()
        threading.Thread(target=_cross, args=(came, places), name="crossing", daemon=True).start()


def _cross(came: socket.socket, places: threading.BoundedSemaphore) -> None:
    try:
        with came, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as beyond:
            beyond.connect(str(PLACE))
            back = threading.Thread(target=_pour, args=(beyond, came), name="crossing back", daemon=True)
            back.start()
            _pour(came, beyond)
            back.join()
    except OSError:
        pass  # the daemon is gone, or hung up
    finally:
        places.release()


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
