"""The log of a server: what comes from its standard error, as lines, and a copy of it in a file."""
import os
import select
import threading


class ServerLog:
    """
    Whoever asks for the lines has all that the server has written by then.  It writes a line before it answers: so a test
    that has got the answer finds the line, however busy the machine is.
    """

    def __init__(self, path):
        self.path, self.lock = path, threading.Lock()
        self.taken = []         # whole lines
        self.source = None      # a pipe; None: nobody writes to it any more
        self.rest = b""         # of a line that has begun

    def begin(self, source, on_line):
        """Read from a process that has been started; on_line() is called for each of its lines."""
        os.set_blocking(source.fileno(), False)
        with self.lock:
            self.source, self.on_line = source, on_line
            self.copy = open(self.path, "ab", buffering=0)

    def follow(self, source):
        """Take what comes until the last process has closed the pipe."""
        waiting = select.poll()
        waiting.register(source, select.POLLIN)
        while self.source is source:
            waiting.poll()
            self.take()
        source.close()

    def lines(self):
        self.take()
        return self.taken

    def take(self):
        """Read what is there."""
        with self.lock:
            try:
                while self.source is not None:
                    self.add(os.read(self.source.fileno(), 65536))
            except BlockingIOError:
                pass

    def add(self, octets):
        self.copy.write(octets)
        *whole, self.rest = (self.rest + octets).split(b"\n")
        if not octets:
            whole, self.rest = [self.rest] if self.rest else [], b""
            self.copy.close()
            self.source = None
        for raw in whole:
            line = raw.decode("utf-8", "backslashreplace")
            self.taken.append(line)
            self.on_line(line)
