"""A client access server and mailbox servers in network namespaces of their own, and one for the clients.

    clients ---- cas ---- mbx1
                     \\--- mbx2

A SplitServer offers what a Server does: while it runs, socket.create_connection() to its ports of 127.0.0.1
connects in the namespace and to the address where they really are, so that tests need not know.
"""
import contextlib
import ctypes
import itertools
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import server as lib

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
numbers = itertools.count()
routes = {}         # port -> (namespace, address)
create_connection = socket.create_connection


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


def is_possible():
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"imapd-probe-{os.getpid()}"
    if ip("netns", "add", name, check=False).returncode != 0:
        return False
    is_usable = ip("-n", name, "link", "set", "lo", "up", check=False).returncode == 0
    ip("netns", "del", name)
    return is_usable


class Namespace:
    def __init__(self, name):
        self.name = f"imapd-{os.getpid()}-{next(numbers)}-{name}"
        ip("netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words, check=True):
        return ip("-n", self.name, *words, check=check)

    def tc(self, *words):
        return subprocess.run(["tc", "-n", self.name, *words], capture_output=True, text=True).returncode == 0

    @contextlib.contextmanager
    def inside(self):
        """This thread is in the namespace meanwhile; sockets stay where they were made."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as there:
            libc.setns(there.fileno(), CLONE_NEWNET)
            try:
                yield
            finally:
                libc.setns(home.fileno(), CLONE_NEWNET)

    def delete(self):
        ip("netns", "del", self.name, check=False)


def connect(address, *words, **more):
    namespace, host = routes.get(address[1], (None, None)) if address[0] == "127.0.0.1" else (None, None)
    if namespace is None:
        return create_connection(address, *words, **more)
    with namespace.inside():		# where there is one address to come from
        return create_connection((host, address[1]), *words[:1], **more)


class Wire:
    """Two namespaces joined by veth; the far end can be made to fail."""

    def __init__(self, near, far, number):
        self.near, self.far = near, far
        self.near_address, self.far_address = f"10.77.{number}.1", f"10.77.{number}.2"
        self.near_device, self.far_device = f"n{number}", f"f{number}"
        near.ip("link", "add", self.near_device, "type", "veth", "peer", "name", self.far_device, "netns", far.name)
        near.ip("addr", "add", f"{self.near_address}/24", "dev", self.near_device)
        far.ip("addr", "add", f"{self.far_address}/24", "dev", self.far_device)
        near.ip("link", "set", self.near_device, "up")
        far.ip("link", "set", self.far_device, "up")

    def cut(self):
        """No cable."""
        self.far.ip("link", "set", self.far_device, "down")

    def swallow(self):
        """Half-open: what comes arrives, what should go back is lost in silence."""
        self.far.ip("route", "add", "blackhole", f"{self.near_address}/32")

    def swallow_near(self):
        """The same the other way round."""
        self.near.ip("route", "add", "blackhole", f"{self.far_address}/32")

    def slow(self):
        """Delay: packets wait in a queue (netem where the kernel has it)."""
        return self.far.tc("qdisc", "add", "dev", self.far_device, "root", "netem", "delay", "200ms", "50ms") or \
            self.far.tc("qdisc", "add", "dev", self.far_device, "root", "tbf", "rate", "64kbit", "burst", "2k",
                        "latency", "3s")

    def lose(self):
        """Loss: the queue has no room (netem where the kernel has it)."""
        return self.far.tc("qdisc", "add", "dev", self.far_device, "root", "netem", "loss", "20%") or \
            self.far.tc("qdisc", "add", "dev", self.far_device, "root", "tbf", "rate", "96kbit", "burst", "2k",
                        "limit", "3000")

    def heal(self):
        self.far.tc("qdisc", "del", "dev", self.far_device, "root")
        self.far.ip("route", "del", "blackhole", f"{self.near_address}/32", check=False)
        self.near.ip("route", "del", "blackhole", f"{self.far_address}/32", check=False)
        self.far.ip("link", "set", self.far_device, "up")


class MailboxHost(lib.Server):
    role = "mailbox"

    def __init__(self, split, namespace, wire, folder, settings):
        self.split, self.namespace, self.wire = split, namespace, wire
        self.prefix = ("ip", "netns", "exec", namespace.name)
        self.link_port = lib.free_port()
        folder.mkdir()
        super().__init__(folder, settings, users=())

    def lines(self):
        return ["config-version 1", "hostname localhost", f"data-directory {self.data}",
                f"control-socket {self.control}", f"link-listen {self.wire.far_address}:{self.link_port}",
                f"lmtp-listen 127.0.0.1:{self.lmtp_port}", f"lmtp-listen {self.folder}/lmtp",
                *self.split.link_lines(self, "mailbox")]


class CasHost(lib.Server):
    role = "cas"

    def __init__(self, split, namespace, wire, folder, settings):
        self.split, self.namespace, self.wire = split, namespace, wire
        self.prefix = ("ip", "netns", "exec", namespace.name)
        folder.mkdir()
        super().__init__(folder, settings, users=())

    def lines(self):
        servers = [f"mailbox-server mbx{n} {host.wire.far_address}:{host.link_port}"
                   for n, host in enumerate(self.split.mailboxes, 1)]
        directory = "link mbx1" if len(servers) == 1 else "sqlite"
        both = [line for line in super().lines() if line.split()[0] not in ("listen", "lmtp-listen", "directory")]
        return [*both, f"listen imap 0.0.0.0:{self.imap_port}", f"listen imaps 0.0.0.0:{self.imaps_port}",
                f"directory {directory}", *servers, *self.split.link_lines(self, "cas")]


class SplitServer:
    """Use as a context manager.  With several mailbox servers the cas has a directory of its own."""

    def __init__(self, mailbox_servers=1, settings=(), cas_settings=(), link="key"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="imapd-split-"))
        self.link = link
        self.link_key = self.folder / "link.key"
        subprocess.run([lib.IMAPCTL, "link-key", self.link_key], check=True, capture_output=True)
        self.namespaces = [Namespace("clients"), Namespace("cas")]
        self.clients, self.middle = self.namespaces
        self.wire = Wire(self.clients, self.middle, 0)
        self.mailboxes = []
        for number in range(1, mailbox_servers + 1):
            space = Namespace(f"mbx{number}")
            self.namespaces.append(space)
            self.mailboxes.append(MailboxHost(self, space, Wire(self.middle, space, number),
                                              self.folder / f"mbx{number}", settings))
        self.cas = CasHost(self, self.middle, self.wire, self.folder / "cas", cas_settings)
        self.imap_port, self.imaps_port = self.cas.imap_port, self.cas.imaps_port
        self.lmtp_port = self.mailboxes[0].lmtp_port
        self.cert, self.key = self.cas.cert, self.cas.key

    def link_lines(self, host, role):
        if self.link == "key":
            return [f"link-key {self.link_key}"]
        return self.link(self, host, role)

    @property
    def process(self):
        return self.cas.process

    @property
    def log_lines(self):
        return [line for host in self.hosts() for line in host.log_lines]

    def hosts(self):
        return [self.cas, *self.mailboxes]

    def start(self):
        for host in reversed(self.hosts()):
            host.start()
        routes[self.imap_port] = routes[self.imaps_port] = (self.clients, self.wire.far_address)
        for host in self.mailboxes:
            routes[host.lmtp_port] = (host.namespace, "127.0.0.1")
        socket.create_connection = connect
        self.await_link()
        return self

    def await_link(self, number=0):
        """Until the cas has found the mailbox server."""
        name = f"server=mbx{number + 1} "

        def is_up():
            last = [line for line in self.cas.log_lines if name in line and ("ev=link-up" in line or "ev=link-down" in line)]
            return last and "ev=link-up" in last[-1]
        lib.wait_until(is_up)

    def add_user(self, name, password=lib.PASSWORD, home=0):
        self.mailboxes[home].add_user(name, password)
        if len(self.mailboxes) > 1:
            self.cas.imapctl("user", "add", name, f"--home=mbx{home + 1}", input=password + "\n")

    def imapctl(self, *words, **more):
        host = self.mailboxes[0] if words[0] in ("user", "import") else self.cas
        return host.imapctl(*words, **more)

    def client(self, user=None, tls=False, password=lib.PASSWORD, address=None):
        return lib.Server.client(self, user, tls, password, address)

    def lmtp(self, number=0):
        return lib.Lmtp(self.mailboxes[number].lmtp_port)

    def descriptors(self, host):
        return host.descriptors()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *error):
        try:
            statuses = [host.stop() for host in self.hosts()]
            for host in self.hosts():
                host.check_log()
            if error[0] is None:
                assert all(status in (0, None) for status in statuses), statuses
        finally:
            self.close()

    def close(self):
        for host in self.hosts():
            host.kill()
            routes.pop(host.imap_port, None)
            routes.pop(host.imaps_port, None)
            routes.pop(host.lmtp_port, None)
        for namespace in self.namespaces:
            namespace.delete()
        shutil.rmtree(self.folder, ignore_errors=True)

