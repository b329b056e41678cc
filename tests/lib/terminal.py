"""A program that wants a terminal, without anybody in front of it."""
import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading

from server import LIMIT_S


class Terminal:
    """A program on a pseudo terminal of 80 by 24; use as a context manager."""

    def __init__(self, *words, env):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.shown = b""
        self.process = subprocess.Popen([str(word) for word in words], env=env, stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        try:
            while octets := os.read(self.master, 65536):
                self.shown += octets
        except OSError:         # Linux says so when the last process has closed the terminal
            pass

    def type(self, keys):
        os.write(self.master, keys)

    def ended(self):
        """Wait for its end; what it showed."""
        try:
            status = self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(self.shown[-3000:]) from None
        self.reader.join(LIMIT_S)
        assert status == 0, (status, self.shown[-3000:])
        return self.shown

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(LIMIT_S)
        os.close(self.master)
