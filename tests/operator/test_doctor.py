"""`imapctl doctor`: each finding provoked, with the command that mends it; and nothing where nothing is wrong."""
import json
import os
import re
import shutil
import subprocess

import pytest

import machine
import server as lib
from certificates import Certificates

HOST = "mail.example.org"


def doctor(server, *words):
    """The findings, and the exit status that goes with them."""
    done = server.imapctl("--json", "doctor", *words, check=False)
    answer = json.loads(done.stdout)
    jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")
    schema = json.loads((lib.ROOT / "etc/imapctl.schema.json").read_text())
    jsonschema.validate(answer, {**schema, "$ref": "#/$defs/doctor"}, cls=jsonschema.Draft202012Validator)
    found = answer["finding"]
    assert done.returncode == any(one["severity"] != "note" for one in found), done
    assert all(one["command"] and not one["text"].endswith(".") for one in found)
    return found


def find(found, words):
    """The one finding with these words: severity and command."""
    one, = [one for one in found if words in one["text"]]
    return one["severity"], one["command"]


def serious(found):
    """Without notes, and what a machine for tests is like."""
    return [one for one in found if one["severity"] != "note" and "data-directory" not in one["text"]]


class Patient(lib.Server):
    """A server with nothing wrong: its certificate is signed by an authority, whose own is with it."""

    def __init__(self, *settings, **how):
        super().__init__(settings=[f"hostname {HOST}", *settings], **how)
        pki = Certificates(self.folder / "pki")
        pki.certificate("ca", pki.key("ca"), host="ca.example.org")
        leaf = pki.certificate("leaf", pki.key("leaf"), host=HOST, issuer="ca")
        self.leaf, self.authority = leaf.read_text(), (self.folder / "pki/ca.pem").read_text()
        self.cert.write_text(self.leaf + self.authority)
        shutil.copy(pki.key("leaf"), self.key)

    def fill(self, user):
        """Mail, so that there is a file."""
        with self.client(user) as client:
            client.append(b"INBOX", lib.message(1))

    def edit(self, *lines):
        own = {line.split()[0] for line in lines}
        self.settings = [line for line in self.settings if line.split()[0] not in own] + list(lines)
        self.write_config()


@pytest.fixture(scope="module")
def healthy():
    with Patient() as running:
        yield running


@pytest.fixture
def patient(healthy):
    """The same for all; whatever is done to its files and its process is undone."""
    settings = list(healthy.settings)
    files = {path: (path.read_bytes(), path.stat().st_mode) for path in (healthy.cert, healthy.key)}
    yield healthy
    for path, (octets, mode) in files.items():
        path.write_bytes(octets)
        path.chmod(mode)
    healthy.settings = settings
    healthy.write_config()
    if healthy.process is None or healthy.process.poll() is not None:
        healthy.start()


@pytest.fixture
def victim():
    """One of a test's own, which it may leave ill."""
    with Patient() as running:
        yield running


def test_nothing(patient):
    assert serious(doctor(patient)) == []


def test_words_and_exit_status(patient):
    patient.imapctl("stop", "cas")
    done = patient.imapctl("doctor", check=False)
    assert done.returncode == 1 and done.stderr == ""
    assert "the service cas is stopped since" in done.stdout and f"imapctl --config={patient.config} start cas\n" in done.stdout
    patient.imapctl("start", "cas")
    assert serious(doctor(patient)) == []


def test_a_server_that_does_not_run(patient):
    patient.stop()
    severity, command = find(doctor(patient), "no server runs")
    assert severity == "warning" and command == f"imapd --config={patient.config}"
    patient.config.unlink()
    done = patient.imapctl("--json", "doctor", check=False)
    assert done.returncode == 1 and "setup" in json.loads(done.stdout)["finding"][0]["command"]


def test_the_configuration(patient):
    good = patient.config.read_text()
    patient.config.write_text(good.replace("config-version 1\n", "") + "lisen imap 127.0.0.1:1\n")
    number = good.count("\n")
    found = doctor(patient)
    assert find(found, 'did you mean "listen"') == ("wrong", f"${{EDITOR:-vi}} +{number} {patient.config}")
    assert find(found, "does not say config-version")[0] == "note"
    patient.config.write_text("\0")
    assert doctor(patient)[0]["severity"] == "wrong"


@pytest.mark.parametrize("begins,ends,host,words", [
    (-100, -10, HOST, "expired 10 days ago"), (-1, 3.5, HOST, "expires in 3 days"), (5, 90, HOST, "begins in the future"),
    (-1, 90, "www.example.net", f"is not for the name {HOST}")])
def test_certificates(patient, begins, ends, host, words):
    pki = Certificates(patient.folder / "other")
    certificate = pki.certificate(f"{host}{begins}{ends}", host=host, begins=begins, ends=ends)
    patient.edit(f"tls-certificate {certificate}", f"tls-key {pki.key()}")
    found = doctor(patient)
    assert find(found, words)[0] == "warning" and find(found, "is self-signed")[0] == "warning"
    assert "certbot" in find(found, "is self-signed")[1]


def test_a_chain_without_its_middle(patient):
    patient.cert.write_text(patient.leaf)
    assert find(doctor(patient), "holds the server's certificate alone")[0] == "warning"


def test_keys_and_folders(patient):
    patient.key.chmod(0o644)
    assert find(doctor(patient), "others can read the secret") == ("wrong", f"chmod 640 {patient.key}")
    patient.key.chmod(0o600)
    patient.data.chmod(0o755)
    assert find(doctor(patient), "others than its owner may enter") == ("warning", f"chmod 700 {patient.data}")
    patient.data.chmod(0o700)
    shutil.copy(Certificates(patient.folder / "other").key("x"), patient.key)
    severity, command = find(doctor(patient), "does not belong to the certificate")
    assert severity == "wrong" and "setup --cert=FILE" in command


def test_a_port_that_somebody_has(patient):
    with lib.socket.create_server(("127.0.0.1", 0)) as taken:
        patient.edit(f"lmtp-listen 127.0.0.1:{taken.getsockname()[1]}")
        severity, command = find(doctor(patient), "is in use by")
        assert severity in ("wrong", "warning") and command == f"ps -fp {os.getpid()}"


def test_files_of_somebody_else(victim):
    if os.geteuid():
        pytest.skip("root is needed to give files away")
    victim.fill("demo")
    path = next(victim.data.glob("data/*/*/mail.db"))
    os.chown(path, 65534, 65534)
    severity, command = find(doctor(victim), f"{path} does not belong to user")
    assert severity == "wrong" and command.startswith("chown -R ") and command.endswith(str(victim.data))


def test_a_clock_that_was_ahead(victim):
    victim.stop()
    later = lib.time.time() + 10 * 86400
    os.utime(victim.data / "directory.db", (later, later))
    assert find(doctor(victim), "directory.db is from the future") == ("warning", "timedatectl set-ntp true")


def test_orphans(patient):
    patient.add_user("eve")
    patient.fill("eve")
    patient.imapctl("user", "del", "eve", "--yes")
    assert find(doctor(patient), "the mail of 1 user who were removed")[1].endswith("user list --orphans")


def test_a_user_with_a_fault(victim):
    victim.fill("demo")
    victim.stop()
    path = next(victim.data.glob("data/*/*/mail.db"))
    path.write_bytes(b"no database\n" * 400)
    victim.start()
    victim.imapctl("verify", "demo", check=False)
    with victim.client() as client:
        client.send(b'a LOGIN demo "%s"\r\n' % lib.PASSWORD.encode())
        client.line()
    severity, command = find(doctor(victim), "damaged of demo")
    assert severity == "wrong" and command.endswith("verify demo")


def test_a_mailbox_server_that_cannot_be_reached(victim):
    key = victim.folder / "link.key"
    subprocess.run([lib.IMAPCTL, "link-key", key], check=True, capture_output=True)
    victim.stop()
    victim.edit(f"mailbox-server mbx1 127.0.0.1:{lib.free_port()}", f"link-key {key}")
    assert find(doctor(victim), "mailbox server mbx1 cannot be reached")[0] == "wrong"
    key.chmod(0o644)
    assert find(doctor(victim), "link-key: ") [1].startswith("chmod 600")
    key.chmod(0o600)
    victim.start()
    victim.imapctl("user", "set", "demo", "--home=mbx1")
    lib.wait_until(lambda: any("mbx1" in one["text"] and "is down since" in one["text"] for one in doctor(victim)))


def test_files_that_the_process_may_not_open():
    prlimit = lib.need("prlimit")

    class Limited(Patient):
        prefix = (prlimit, "--nofile=1000:1000")
    with Limited() as server:
        severity, command = find(doctor(server), "may open 1000 files")
        assert severity == "warning" and "LimitNOFILE" in command


def test_a_program_from_before_an_upgrade(tmp_path):
    program = tmp_path / "imapd"

    class Old(Patient):
        prefix = ("sh", "-c", f'shift; exec {program} "$@"', "sh")
    shutil.copy(lib.IMAPD, program)
    with Old() as server:
        assert serious(doctor(server)) == []
        program.unlink()
        assert find(doctor(server), "program from before an upgrade") == ("warning", "systemctl restart imapd")


def test_kinds_of_disks(patient):
    """A folder in memory; and one that is full, whose size is that of the mount."""
    machine.need_machine()
    config = patient.config.read_text()
    patient.stop()
    done = machine.run(f"""
        mount -t tmpfs -o size=2M,nr_inodes=50 tmpfs {patient.data} && chmod 700 {patient.data}
        imapctl --config={patient.config} doctor
        head -c 1900K /dev/zero > {patient.data}/filler
        imapctl --config={patient.config} doctor
        rm {patient.data}/filler
        for i in $(seq 60); do : > {patient.data}/$i; done 2>/dev/null
        imapctl --config={patient.config} doctor
        mount -o remount,ro {patient.data}
        imapctl --config={patient.config} doctor""")
    assert re.search(r"is on a file system that cannot be written to.*; try findmnt -T \S+\n +findmnt -T \S+\n", done.stdout)
    assert "lies on tmpfs" in done.stdout and f"findmnt -T {patient.data}" in done.stdout
    assert "is full" in done.stdout and f"df -h {patient.data}" in done.stdout
    assert "has few inodes left" in done.stdout and config


def test_another_configuration_than_the_file(patient):
    """What was written and not yet read again, and what only a start takes."""
    patient.settings = [*patient.settings, "idle-timeout 1900"]
    patient.write_config()
    severity, command = find(doctor(patient), "other settings than its files have: idle-timeout")
    assert severity == "warning" and command == f"imapctl --config={patient.config} reload"
    patient.settings = [*patient.settings, "storage-threads 3"]
    patient.write_config()
    assert find(doctor(patient), "idle-timeout, storage-threads")[1] == "systemctl restart imapd"
    patient.settings = patient.settings[:-2]
    patient.write_config()
    assert serious(doctor(patient)) == []


def test_a_postmaster_who_is_not_there(victim):
    victim.edit("postmaster nobody-yet")
    victim.imapctl("reload")
    severity, command = find(doctor(victim), "what is sent to postmaster is for nobody-yet")
    assert severity == "warning" and command.endswith("user add nobody-yet")
    victim.add_user("nobody-yet")
    assert serious(doctor(victim)) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_key_that_the_server_may_not_read(victim):
    """What is asked for opens it to the server alone."""
    victim.stop()
    victim.edit("user nobody")
    for folder in (victim.key.parent, victim.folder):
        folder.chmod(0o711)
    severity, command = find(doctor(victim), f"user nobody may not read {victim.key}")
    assert (severity, command) == ("wrong", f"chgrp nogroup {victim.key} && chmod 640 {victim.key}")
    subprocess.run(command, shell=True, check=True)
    assert not [one for one in doctor(victim) if "may not read" in one["text"] and str(victim.key) in one["text"]]
    victim.edit("user root")
    severity, command = find(doctor(victim), "would go on as root")
    assert severity == "warning" and "EDITOR" in command


def test_the_host(patient):
    """What the kernel, fail2ban and systemd are set to, on a machine of its own."""
    machine.need_machine()
    patient.stop()
    done = machine.run(f"""
        sysctl -qw net.core.somaxconn=128
        mkdir -p /etc/systemd/system && echo '[Service]' > /etc/systemd/system/imapd.service
        mount -t tmpfs tmpfs /usr/local
        mkdir /usr/local/bin && printf '#!/bin/sh\necho "Suppressed 4711 messages from imapd.service"\n' > /usr/local/bin/journalctl
        chmod 755 /usr/local/bin/journalctl
        imapctl --config={patient.config} doctor""")
    assert "net.core.somaxconn is 128" in done.stdout and "sysctl -w net.core.somaxconn=4096" in done.stdout
    assert "/etc/systemd/system/imapd.service stands before the unit" in done.stdout
    assert "has left out lines of the log: Suppressed 4711" in done.stdout and "LogRateLimitIntervalSec=0" in done.stdout


ZONE_SERVER = r'''
import socket, struct, sys
zone = dict(line.split("=", 1) for line in sys.argv[1:])

def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    query, peer = server.recvfrom(512)
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    kind, = struct.unpack("!H", query[at + 1:at + 3])
    value = zone.get(f"{'.'.join(labels).lower()}/{kind}")
    data = b"" if value is None else socket.inet_aton(value) if kind == 1 else \
        struct.pack("!HHH", 0, 1, int(value.split()[0])) + name(value.split()[1])
    record = b"" if value is None else b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data
    known = any(key.startswith(".".join(labels).lower() + "/") for key in zone)
    server.sendto(query[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, int(value is not None), 0, 0) +
                  query[12:at + 5] + record, peer)
'''


@pytest.mark.parametrize("zone,words,severity", [
    ((), f"no address for the name {HOST}", "wrong"),
    (("mail.example.org/1=127.0.0.1",), "has no SRV record _imaps._tcp.example.org", "warning"),
    (("mail.example.org/1=127.0.0.1", "_imaps._tcp.example.org/33=993 imap.example.net"), "leads to imap.example.net port 993", "warning"),
    (("mail.example.org/1=127.0.0.1",), "there is no autoconfig.example.org", "note"),
    (("mail.example.org/1=127.0.0.1", "_imaps._tcp.example.org/33={imaps} mail.example.org",
      "_imap._tcp.example.org/33={imap} mail.example.org", "autoconfig.example.org/1=127.0.0.1"), None, None),
], ids=["no address", "no SRV", "another SRV", "no autoconfig", "all is there"])
def test_the_zone(patient, tmp_path, zone, words, severity):
    machine.need_machine()
    patient.stop()
    script = tmp_path / "zone.py"
    script.write_text(ZONE_SERVER)
    lines = " ".join(f"'{line}'" for line in zone).format(imaps=patient.imaps_port, imap=patient.imap_port)
    done = machine.run(f"""
        rm -f /etc/resolv.conf; echo 'nameserver 127.0.0.1' > /etc/resolv.conf
        echo 'hosts: files dns' > /etc/nsswitch.conf
        python3 {script} {lines} & zone=$!
        until grep -q 0100007F:0035 /proc/net/udp; do kill -0 $zone || exit 2; done
        imapctl --config={patient.config} --json doctor --dns > /mnt/found
        kill $zone; cat /mnt/found""")
    found = json.loads(done.stdout)["finding"]
    if words is not None:
        assert find(found, words)[0] == severity, found
    else:
        assert not [one for one in found if "example.org" in one["text"] and "SRV" in one["text"]
                    or "autoconfig" in one["text"] or "no address" in one["text"]], found
