"""What the manual says is done: every command block and configuration of man/ and README.md, as written.

A page gets a world of its own: hosts are folders, and so /etc/imapd, /var/lib/imapd, /run/imapd and /home
lie in them; addresses become free ports of 127.0.0.1, and the user imapd is whoever runs the tests.  Output
is compared loosely: numbers, dates and ids are any, "..." is anything, further lines do not matter.
"""
import getpass
import grp
import mailbox
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time
import zipfile

import pytest

import server as lib
from manual import blocks_of, inline_commands, is_config, missing, sections_of, steps_of

PAGES = sorted((lib.ROOT / "man").glob("*.[578]")) + [lib.ROOT / "README.md"]

# What is not done here: the first line of the block, or the command, and why.
NOT_RUN = {
    "git clone … imapd && cd imapd": "the sources are here; make run is a test of its own",
    "make check": "this is it",
    "make deps && make && sudo make install": "see test_install",
    "make": "the program under test is made already",
    "make install": "see test_install",
    "groupadd": "groups of the system stay as they are",
    "useradd": "users of the system stay as they are; the tests' own user plays imapd",
    "virtual_mailbox_domains = example.org": "a configuration of Postfix, which need not be here",
    "users:": "a configuration of Exim, which need not be here",
    'table users { "ada@example.org" = vmail, "bert@example.org" = vmail }': "a configuration of OpenSMTPD",
    "postfix": "Postfix need not be here; the letter is handed over by LMTP instead",
    "sendmail": "Postfix need not be here",
    "imapctl setup --hostname=mail.example.org --user=ada": "it is for root on a host of its own: see test_setup.py",
    "curl --user ada --cacert /etc/imapd/tls/fullchain.pem --connect-to ::localhost: imaps://mail.example.org/": "see test_setup.py",
    "certbot": "no authority here; see test_certbot.py",
    "RENEWED_DOMAINS=mail.example.org \\": "see test_certbot.py",
    "systemctl": "no service manager here; tests/services has the units",
    "journalctl": "no service manager here",
    "bert@example.org  smtp:[old.example.org]": "a table of Postfix",
    "bert@example.org  lmtp:inet:127.0.0.1:2003": "a table of Postfix",
    "Return-Path: <bounces+17@example.net>": "fields of a message",
    "usermod": "groups of the system stay as they are",
    "imapctl import ada imaps://ada@old.example.org": "no other server here; see test_pull.py",
    "# imapctl move alice mbx2": "one host has nowhere to move a user to; see tests/split/test_rehome.py",
    "# imapctl import alice imaps://alice@old.example.org --password-file=alice.secret": "no other server here; see test_pull.py",
}
MORE = {"imapd-exchange.7": "start-services no\n", "imapctl.8": "admin-listen 127.0.0.1:9993\n"}
DEFAULTS = """hostname mail.example.org
tls-certificate /etc/imapd/tls/fullchain.pem
tls-key /etc/imapd/tls/key.pem
"""


# The public key of RFC 8037 appendix A.2.
KEY_SET = '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'


class World:
    """Hosts in a folder, and the commands of the manual in their PATH."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = {}
        self.here = {}
        self.running = {}
        self.sid = "0"
        self.idle = []
        self.old, self.old_port = None, None        # the server that users move away from
        self.tools = folder / "bin"
        self.tools.mkdir()
        self.tool("curl", 'a=; for w; do [ "$a" = --user ] && w="$w:%s"; set -- "$@" "$w"; a=$w; shift; done\n'
                  'exec %s -sk "$@" --connect-to "mail.example.org:993:%s"'
                  % (lib.PASSWORD, shutil.which("curl"), self.port("mail", "mail.example.org:993")))
        self.tool("scp", 'exec cp $(echo "$@" | sed "s#root@\\([a-z0-9]*\\):#%s/\\1#")' % folder)
        for name in ("imapd", "imapctl"):
            self.tool(name, f'exec {lib.IMAPD.parent / name} --config={folder}/$HOST/etc/imapd/imapd.conf "$@"')

    def tool(self, name, script):
        path = self.tools / name
        path.write_text("#!/bin/sh\n" + script + "\n")
        path.chmod(0o755)

    def port(self, host, address):
        """An address of the manual -> one of this machine; 993 of a host is the same by any name."""
        number = address.rsplit(":", 1)[1]
        if address.startswith("10."):
            host = address.rsplit(":", 1)[0]
        elif address.startswith("cas1"):
            host = "cas1"
        if (host, number) not in self.ports:
            self.ports[host, number] = f"127.0.0.1:{lib.free_port()}"
        return self.ports[host, number]

    def here_is(self, host, text):
        """What the manual says, for this world."""
        me, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
        text = re.sub(r"(?<=-o )(imapd|root)\b", me, text)
        text = re.sub(r"(?<=-g )imapd\b|(?<=chgrp )imapd\b", group, text)
        text = re.sub(r"(?<=chown )imapd(:imapd)?\b", me, text)
        text = re.sub(r"(?m)^user\s+imapd$", "" if me == "root" else f"user {me}", text)
        text = re.sub(r"\bsid=[0-9a-f]{12}\b", f"sid={self.sid}", text)
        if self.old is not None:
            text = re.sub(r"(?<=imaps://)((?:[\w*]+@)?)old\.example\.org", rf"\1localhost:{self.old_port}", text)
        text = re.sub(r"(?:\[::\]|mail\.example\.org|cas1|[0-9.]+):[0-9]+\b", lambda found: self.port(host, found[0]), text)
        text = text.replace("~ada/", "/home/ada/")
        text = re.sub(r"(?<![\w/.:])/(etc/(?=imapd|letsencrypt)|var/lib/imapd|run/imapd|home/|root/|tmp/)",
                      rf"{self.folder}/{host}/\1", text)
        text = text.replace("addr2line -fpie /usr/sbin/imapd", f"addr2line -fpie {lib.IMAPD}")    # it may lie below /root
        for file in self.path(host, "/var/lib/imapd/data").glob("*/*/mail.db"):
            text = text.replace("data/XX/ID/mail.db", str(file))
        return text

    def there_was(self, host, text):
        """The other way round, for comparison."""
        text = re.sub(rf"(?m)^(bert +imaps://)localhost:{self.old_port}", r"\1old.example.org", text)     # a home, as it was given
        text = text.replace(f"{self.folder}/{host}/", "/").replace(f"localhost:{self.old_port}", "old.example.org:993")
        for (_, number), address in self.ports.items():
            text = text.replace(address, f"[::]:{number}" if number in ("993", "143") else f"127.0.0.1:{number}")
        return re.sub(rf"(?m)^{getpass.getuser()} (?=\d+$)", "imapd ", text)

    def path(self, host, path):
        return self.folder / host / path.lstrip("/")

    def configure(self, host, text):
        """Write a host's configuration; what it leaves to defaults is said, since the defaults are elsewhere."""
        is_mailbox = re.search(r"(?m)^role\s+mailbox", text)
        said = {line.split()[0] for line in text.splitlines() if line.strip()}
        for line in ("data-directory /var/lib/imapd", "control-socket /run/imapd/control",
                     *(() if is_mailbox else ("listen imaps [::]:993", "listen imap [::]:143"))):
            text += "" if line.split()[0] in said else line + "\n"
        path = self.path(host, "/etc/imapd/imapd.conf")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.here_is(host, text))

    def environment(self, host):
        return {**os.environ, "PATH": f"{self.tools}:/usr/sbin:{os.environ['PATH']}", "HOST": host,
                "RENEWED_LINEAGE": str(self.folder / "renewed"), "TERM": "dumb"}

    def furnish(self, host):
        """What a host of a page that does not begin at the beginning has."""
        for name in ("/etc/imapd/tls", "/var/lib/imapd", "/run/imapd", "/tmp/imapd"):
            self.path(host, name).mkdir(mode=0o700, parents=True, exist_ok=True)
        cert, key = lib.certificate(self.path(host, "/etc/imapd/tls"))
        shutil.copy(cert, cert.with_name("old-ca.pem"))
        cert.rename(cert.with_name("fullchain.pem"))
        self.path(host, "/etc/imapd/ldap.password").write_text("secret\n")
        self.path(host, "/etc/imapd/ldap.password").chmod(0o600)
        self.path(host, "/etc/imapd/jwks.json").write_text(KEY_SET)
        self.configure(host, DEFAULTS)

    def link_key(self, host):
        subprocess.run([lib.IMAPCTL, "link-key", self.path(host, "/etc/imapd/link.key")], check=True,
                       capture_output=True)

    def letters(self, host, names):
        """Mail from before, and what else lies about at home."""
        for name in names:
            home = self.path(host, f"/home/{name}")
            (home / "mail").mkdir(parents=True)
            box = mailbox.Maildir(home / "Maildir")
            for number in range(1, 4):
                box.add(lib.message(number).replace(b"\r\n", b"\n"))
            text = b"".join(b"From ada@example.org Sat Jan  1 10:00:00 2022\n" + lib.message(number).replace(
                b"\r\n", b"\n") + b"\n" for number in range(1, 4))
            (home / "mail/archive").write_bytes(text)
            (home / "r-devel.mbox").write_bytes(text)
            mailbox.MH(home / "Mail").add_folder("inbox").add(lib.message(1).replace(b"\r\n", b"\n"))
            (home / "letters").mkdir()
            (home / "letters/1.eml").write_bytes(lib.message(1))
            local = home / ".thunderbird/x.default/Mail/Local Folders"
            local.mkdir(parents=True)
            (home / ".thunderbird/x.default/prefs.js").write_text("")
            (local / "Inbox").write_bytes(text)
            (local / "Inbox.msf").write_text("")
            with zipfile.ZipFile(home / "takeout-20240101T000000Z-001.zip", "w") as archive:
                archive.writestr("Takeout/Mail/Inbox.mbox", text)
            (home / "password-file").write_text(lib.PASSWORD + "\n")
            (home / "users.passwd").write_text("ann:{PLAIN}secret:1000:1000::/home/ann::\nbob:{PLAIN}secret\n")
        self.here[host] = self.path(host, "/home/ada")

    def renew(self):
        renewed = self.folder / "renewed"
        renewed.mkdir()
        cert, key = lib.certificate(renewed)
        shutil.copy(cert, renewed / "fullchain.pem")
        key.rename(renewed / "privkey.pem")
        shutil.copy(renewed / "fullchain.pem", self.path("mail", "/home/ada/new.pem"))
        shutil.copy(renewed / "privkey.pem", self.path("mail", "/home/ada/new.key"))

    def serve(self, host, command):
        """imapd in the foreground, after another one has ended; returns what it printed until it was ready."""
        if host in self.running:
            self.stop(host)
        process = subprocess.Popen(["sh", "-c", "exec " + self.here_is(host, command)], stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, text=True, env=self.environment(host))
        lines, is_ready = [], threading.Event()

        def read():
            for line in process.stderr:
                lines.append(line.rstrip("\n"))
                if " ev=ready" in line:
                    is_ready.set()
            is_ready.set()
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        self.running[host] = (process, lines, reader)
        assert is_ready.wait(lib.LIMIT_S) and process.poll() is None, lines
        return "\n".join(lines)

    def run(self, host, command):
        """A command as the manual has it; returns what it printed."""
        script = f"cd '{self.here.get(host, self.folder)}'\n{self.here_is(host, command)}\n" \
                 f"status=$?; pwd >{self.folder}/pwd; exit $status"
        typed = f"{lib.PASSWORD}\n" if "user add" in command else "a LOGOUT\r\n" if "s_client" in command else ""
        done = subprocess.run(["bash", "-c", script], input=typed, text=True, timeout=lib.LIMIT_S, env=self.environment(host),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.here[host] = (self.folder / "pwd").read_text().strip()
        for sid in re.findall(r" ev=login sid=(\w+)", done.stdout):
            self.sid = sid
        return done.returncode, self.there_was(host, done.stdout)

    def stop(self, host):
        process, lines, reader = self.running.pop(host)
        process.send_signal(signal.SIGTERM)
        process.wait(lib.LIMIT_S)
        reader.join(lib.LIMIT_S)
        return "\n".join(lines)

    def log(self, host):
        return "\n".join(self.running[host][1])

    def client(self, user):
        """A mail program that stays connected."""
        client = lib.Client(int(self.port("mail", "mail:993").rsplit(":", 1)[1]), tls=True)
        client.ok(b'LOGIN %s "%s"' % (user, lib.PASSWORD.encode()))
        client.ok(b"SELECT INBOX")
        self.idle.append(client)

    def deliver(self, host, number):
        """What Postfix would do."""
        with lib.Lmtp(int(self.port(host, f"127.0.0.1:{number}").rsplit(":", 1)[1])) as lmtp:
            assert lmtp.deliver(b"Subject: hello\r\n\r\nHello, Ada.\r\n", b"ada@example.org")[0].startswith(b"250")

    def begin_to_move(self):
        """The old server is one of ours, with a master user and a mailbox more than a new user has."""
        self.old = lib.Server(users=("bert", "mover")).start()
        self.old_port = self.old.imaps_port
        self.old.imapctl("user", "set", "mover", "--master")
        with self.old.client("bert") as client:
            client.ok(b"CREATE Old")
            for number, mailbox in enumerate((b"INBOX", b"INBOX", b"Old", b"Sent"), 1):
                client.append(mailbox, lib.message(number))
        shutil.copy(self.old.cert, self.path("mail", "/etc/imapd/tls/old-ca.pem"))
        (self.path("mail", "/root")).mkdir()
        self.path("mail", "/root/mover").write_text(lib.PASSWORD + "\n")

    def close(self):
        if self.old is not None:
            self.old.__exit__(None, None, None)
        for client in self.idle:
            client.close()
        for host in list(self.running):
            self.stop(host)


@pytest.fixture
def world(tmp_path_factory):
    folder = pathlib.Path(lib.tempfile.mkdtemp(prefix="im", dir="/tmp"))	# socket paths are short
    made = World(folder)
    yield made
    made.close()
    shutil.rmtree(folder)


def why_not(block, command):
    """Why this is not run, or None."""
    first = command.split("\n")[0]
    return NOT_RUN.get(block[0]) or NOT_RUN.get(first) or NOT_RUN.get(first.split()[0]) or next(
        (why for word, why in NOT_RUN.items() if f"| {word} " in first), None)


def do(world, host, command, expected):
    """One command; what only looks is asked again until the news has come."""
    if re.match(r"imapd( --role=\w+)?$", command):
        status, printed = 0, world.there_was(host, world.serve(host, command))
    else:
        status, printed = world.run(host, command)
    deadline = time.monotonic() + lib.LIMIT_S
    while re.match(r"imapctl (log|who|services|status)\b|curl ", command) and missing(expected, printed) \
            and time.monotonic() < deadline:
        status, printed = world.run(host, command)
    line = missing(expected, printed)
    assert line is None, f"{command}\nshould print\n{line}\nand printed\n{printed}"
    assert status == 0 or any(re.match(r"(imapctl|imapd|curl): ", line) for line in expected), \
        f"{command}\nexit {status}\n{printed}"


def follow(world, block, steps):
    """One session of a page."""
    for host, command, expected in steps:
        if why_not(block, command):
            if "sendmail" in command:
                world.deliver("mail", 2003)
            continue
        if re.match(r"imapctl who\b", command) and not world.idle:
            world.client(b"ada")
        do(world, host, command, expected)


def start(world, config):
    world.configure("mail", config)
    world.serve("mail", "imapd")
    for user in ("ada", "alice"):
        world.run("mail", f"imapctl user add {user} --if-missing")


def prepare(world, page, section):
    """What is there when a page, or a section of it, begins."""
    blocks = blocks_of(page, section)
    steps = [step for block in blocks if not is_config(block) for step in steps_of(block)]
    for host in sorted({step[0] for step in steps} | {"mail"}):
        world.letters(host, ("ada", "alice"))
        if section != "ONE HOST":
            world.furnish(host)
    world.renew()
    if section == "MOVING A SITE":
        world.begin_to_move()
    if section in ("FROM ONE HOST TO TWO", "MOVING A SITE"):
        start(world, next("\n".join(block) + "\n" for block in blocks_of(page, "ONE HOST") if is_config(block)))
    elif section is None and (page.name == "imapd.8" or not any(step[1] == "imapd" for step in steps)):
        start(world, DEFAULTS + "lmtp-listen 127.0.0.1:2003\n" + MORE.get(page.name, ""))
        if page.name == "imapd.8":
            world.deliver("mail", 2003)         # so that there is a file of a user


@pytest.mark.parametrize("page,section", [(page, section) for page in PAGES for section in sections_of(page)
                                          if page.name not in ("imapd-schema.7", "imapd.conf.5")],
                         ids=lambda value: getattr(value, "name", value))
def test_commands(world, page, section):
    lib.need("curl")
    prepare(world, page, section)
    for block in blocks_of(page, section):
        if is_config(block):
            named = re.match(r"# (\w+)", block[0])
            world.configure(named[1] if named else "mail", "\n".join(block) + "\n")
        elif block[0] not in NOT_RUN:
            follow(world, block, steps_of(block))


# Within a sentence: what is refused in the world of the test, and by which words.
REFUSED = {
    "imapctl export bert imaps://bert@old.example.org": "no such user",
    "imapctl kick bert": "nobody has a session",
    "imapctl user add ada --home=mbx1": "no mailbox-server",
    "imapctl user set ada --home=mbx2": "no mailbox-server",
    "imapctl user set NAME --entry=any": "no such user",
    "imapctl user del NAME": "say --yes",
}


def test_inline_commands(world):
    """Each is done as it stands; what is but the name of a verb, which wants arguments, has its help."""
    page = lib.ROOT / "man/imapctl.8"
    prepare(world, page, None)
    world.run("mail", "imapctl backup /home/backup")
    for command in sorted({command for page in PAGES for command in inline_commands(page)}):
        typed = f"{command} --seconds=1" if re.match(r"imapctl trace \S", command) else command
        typed += " --help" if command == "imapctl setup" else ""        # it would make users of the machine's
        status, printed = world.run("mail", typed)
        if status == 64 and re.search("usage: imapctl |no such verb", printed):
            status, printed = world.run("mail", f"{command} --help")
            words = command.removeprefix("imapctl ")
            assert status == 0 and re.search(f"^  (?:imapctl )?{words} ", printed, re.M), f"{command}\n{printed}"
        elif command == "imapctl doctor":       # of the machine there is always something to say
            assert status == 1 and "is self-signed" in printed, printed
        elif command in REFUSED:
            assert status != 0 and REFUSED[command] in printed, f"{command}\nexit {status}\n{printed}"
        else:
            assert status == 0, f"{command}\nexit {status}\n{printed}"


@pytest.mark.parametrize("page,number", [(page, number) for page in PAGES for number, block in enumerate(blocks_of(page))
                                         if is_config(block)], ids=lambda value: getattr(value, "name", value))
def test_configuration(world, page, number):
    world.furnish("mail")
    world.link_key("mail")
    text = "\n".join(blocks_of(page)[number]) + "\n"
    is_whole = re.search(r"(?m)^(tls-certificate|role\s+mailbox|allow-plaintext-login)\b", text)
    world.configure("mail", text if is_whole else DEFAULTS + text)
    status, printed = world.run("mail", "imapd --check-config")
    lines = [line for line in printed.splitlines() if "there is no address for the name ldap" not in line]
    assert status == 0 and re.fullmatch(r"/etc/imapd/imapd.conf: no errors(, 2 warnings)?", "\n".join(lines)), printed


def test_sql(world):
    """The statements of imapd-schema(7), on the mail of a user."""
    page = lib.ROOT / "man/imapd-schema.7"
    lib.need("sqlite3")
    prepare(world, page, None)
    world.run("mail", "imapctl import ada mbox mail/archive")
    for _ in range(5):
        world.deliver("mail", 2003)
    world.stop("mail")
    database = next(world.path("mail", "/var/lib/imapd/data").glob("*/*/mail.db"))
    for block in blocks_of(page):
        text = "\n".join(block)
        command = ["sqlite3", database, text] if text.startswith("SELECT") else ["bash", "-ec", text]
        done = subprocess.run(command, cwd=database.parent, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, ""), text
    assert b"Hello, Ada." in (database.parent / "7.eml").read_bytes()


def test_install(tmp_path):
    """make install puts the program, its pages and the configuration into place, and starts nothing."""
    build = os.path.relpath(lib.IMAPD.parent, lib.ROOT)
    done = subprocess.run(["make", "-s", "install", f"BUILD={build}", f"DESTDIR={tmp_path}"], cwd=lib.ROOT, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert {"usr/sbin/imapd", "usr/sbin/imapctl", "etc/imapd/imapd.conf"} <= found
    assert {f"usr/share/man/man{page.suffix[1]}/{page.name}" for page in PAGES if page.suffix != ".md"} <= found
    done = subprocess.run([tmp_path / "usr/sbin/imapctl", "--help"], capture_output=True)
    assert done.returncode == 0


def test_nothing_is_forgotten():
    """Each block is a configuration, a session, SQL, or listed; each reason is still needed."""
    texts = "\n".join(page.read_text() for page in PAGES)
    for entry in NOT_RUN:
        assert entry in texts, f"{entry}: no page has it any more"
    for page in PAGES:
        for block in blocks_of(page):
            assert block != [], page
