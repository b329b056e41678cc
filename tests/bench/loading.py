"""The load generator load.c, as run and its steps use it."""
import itertools
import os
import pathlib
import subprocess
import threading

from rivals import ROOT, cpu_seconds

LOAD = ROOT / "build/tests/bench/load"
LIMIT_S = 300			# what takes longer hangs
cells = itertools.count(1)


def busy_seconds():
    """Of all processors, since the start."""
    user, nice, system = map(int, pathlib.Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """The server refused, or closed the connection, or said nothing."""


class Load:
    """A load generator; once it is entered, its connections are there."""

    def __init__(self, server, options, work, values):
        """The options of a row, with what its needs have said put in; {cell} is another mailbox each time."""
        words = options.format(cell=f"{next(cells)}x%u", **values).split()
        port = server.lmtp_port if work == "lmtp" else server.imaps_port if {"-t", "-r"} & set(words) else server.imap_port
        self.server, self.command = server, [LOAD, *words, str(port), work]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.timer = threading.Timer(LIMIT_S, self.process.kill)
        self.timer.start()
        try:
            self.expect("ready")
        except Failed:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        self.timer.cancel()
        self.process.kill()
        self.process.communicate()

    def expect(self, word=""):
        line = self.process.stdout.readline()
        if not line or not line.startswith(word):
            raise Failed(self.process.stderr.read().strip() or "took too long")
        return line

    def go(self):
        """Operations per second, p50 and p99 of their times, what was sent and received, the server's CPU time for each.

        foreign: the share of the machine's time that neither the server nor the load generator has used.
        """
        before, busy, own = cpu_seconds(self.server.pid), busy_seconds(), cpu_seconds(self.process.pid)
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        operations, seconds, p50, p99, octets, resumed = map(float, self.expect().split())
        used, own = cpu_seconds(self.server.pid) - before, cpu_seconds(self.process.pid) - own
        foreign = (busy_seconds() - busy - used - own) / seconds / os.cpu_count()
        return {"operations": operations, "ops": operations / seconds, "p50_us": p50, "p99_us": p99,
                "mb": octets / seconds / 1e6, "cpu_us": used / max(operations, 1) * 1e6,
                "resumed": resumed / max(operations, 1), "foreign": max(foreign, 0)}
