"""`imapctl setup`: from nothing to a first login, by anybody in a folder and by root on a machine."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

import machine
import server as lib
from certificates import Certificates, openssl

NOBODY = 65534
HOST = "mail.example.org"


class Place:
    """A folder of somebody's who is not root, and what setup makes of it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="im", dir="/tmp"))
        self.folder.chmod(0o755)
        self.config = self.folder / "imapd.conf"
        self.prefix = []
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
            self.prefix = [lib.need("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

    def imapctl(self, *words, input=""):
        return subprocess.run([*self.prefix, lib.IMAPCTL, f"--config={self.config}", *words], input=input, text=True,
                              capture_output=True, timeout=lib.LIMIT_S)

    def setup(self, *words, input="", code=0):
        done = self.imapctl("setup", *words, input=input)
        if "is in use by" in done.stderr:
            pytest.skip("somebody has the port 1143 or 1993")
        assert done.returncode == code, done
        return done

    def files(self):
        """Names, modes and contents of all there is; what a server writes when it takes the folder may change."""
        return {str(path.relative_to(self.folder)): (path.stat().st_mode, path.read_bytes() if path.is_file() else None)
                for path in sorted(self.folder.rglob("*")) if path.name != "lock" and "marks" not in path.parts}

    def serve(self):
        """imapd as it was set up, but at other ports."""
        text = self.config.read_text()
        ports = {name: lib.free_port() for name in ("1993", "1143")}
        self.config.write_text(re.sub(r"\S+:(1993|1143)", lambda found: f"127.0.0.1:{ports[found[1]]}", text))
        process = subprocess.Popen([*self.prefix, lib.IMAPD, f"--config={self.config}"], stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if " ev=ready" in line:
                break
        return process, ports["1993"]


@pytest.fixture
def place():
    made = Place()
    yield made
    shutil.rmtree(made.folder)


def end(process):
    process.send_signal(signal.SIGTERM)
    process.stderr.read()
    process.wait(lib.LIMIT_S)


def states(done):
    return [line.split()[0] for line in done.stdout.split("\n\n")[0].splitlines() if not line.startswith(" ")]


def test_from_nothing_to_a_login(place):
    done = place.setup(f"--hostname={HOST}", "--user=me@example.org", input="geheim 1\n")
    assert set(states(done)) == {"made", "kept", "checked"} and "geheim" not in done.stdout + done.stderr
    lines = place.config.read_text().splitlines()
    assert len(lines) <= 15 and lines[1].split() == ["config-version", "1"]
    assert "_imaps._tcp.example.org. IN SRV 0 1 1993 mail.example.org." in done.stdout
    before = place.files()
    assert [(place.folder / name).stat().st_mode & 0o777 for name in ("data", "tls", "tls/key.pem", "imapd.conf")] == [
        0o700, 0o750, 0o600, 0o644]
    again = place.setup(f"--hostname={HOST}", "--user=me@example.org", input="other\n")
    assert set(states(again)) == {"kept", "checked"} and "nothing was changed" in again.stdout
    assert place.files() == before
    process, port = place.serve()
    try:
        with lib.Client(port, tls=True) as client:
            client.ok(b'LOGIN me@example.org "geheim 1"')
        running = place.setup("--user=you@example.org", input="second\n")
        assert "made    the user you@example.org" in running.stdout
        assert "kept    the user you@example.org" in place.setup("--user=you@example.org").stdout
        with lib.Client(port, tls=True) as client:
            client.ok(b"LOGIN you@example.org second")
    finally:
        end(process)


def test_a_dry_run_touches_nothing(place):
    words = (f"--hostname={HOST}", "--user=me@example.org")
    done = place.setup(*words, "--dry-run")
    assert place.files() == {} and set(re.findall("^would (?:make|keep)", done.stdout, re.M)) == {"would make", "would keep"}
    config = re.search(r"config-version(.*\n)*?would", done.stdout)[0]
    assert "password" not in done.stdout
    place.setup(*words)
    assert config.removesuffix("would") in place.config.read_text() + "\n"
    before = place.files()
    place.setup(*words, "--dry-run")
    place.setup("--hostname=mx.example.org", "--dry-run", "--yes")
    assert place.files() == before


def test_a_password_is_made_and_shown_once(place):
    done = place.setup(f"--hostname={HOST}", "--user=me")
    password, = re.findall("the password of me is (.{16}) and is shown this once", done.stdout)
    assert "password of" not in place.setup("--user=me").stdout
    assert password.encode() not in b"".join(text or b"" for _, text in place.files().values())
    process, port = place.serve()
    try:
        with lib.Client(port, tls=True) as client:
            client.ok(b"LOGIN me %s" % password.encode())
    finally:
        end(process)


def test_json(place):
    jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")
    schema = json.loads((lib.ROOT / "etc/imapctl.schema.json").read_text())
    for words, code in (((f"--hostname={HOST}", "--user=me"), 0), (("--hostname=a b",), 64), (("--hostname=x.org",), 1)):
        answer = json.loads(place.setup("--json", *words, code=code).stdout)
        jsonschema.validate(answer, {**schema, "$ref": "#/$defs/setup"}, cls=jsonschema.Draft202012Validator)
        assert ("password" in answer, "error" in answer) == (code == 0, code != 0)


def test_another_configuration_is_shown_and_kept(place):
    place.setup(f"--hostname={HOST}")
    own = place.config.read_text() + "quota-storage 5G\nidle-timeout 3600\n"
    place.config.write_text(own)
    assert "nothing was changed" in place.setup(f"--hostname={HOST}").stdout, "what else it says is the operator's"
    refused = place.setup("--hostname=mx.example.org", code=1)
    assert "-hostname         mail.example.org\n+hostname         mx.example.org\n" in refused.stderr
    assert "--yes" in refused.stderr and place.config.read_text() == own
    done = place.setup("--hostname=mx.example.org", "--yes")
    assert "hostname         mx.example.org" in place.config.read_text()
    assert (place.folder / "imapd.conf.old").read_text() == own and "is not for the name mx.example.org" in done.stderr
    renewed = place.setup("--self-signed")
    assert "made    a self-signed certificate for mx.example.org" in renewed.stdout and "warning" not in renewed.stderr
    assert "kept    the certificate" in place.setup("--self-signed").stdout


def test_the_example_is_replaced(place):
    shutil.copy(lib.ROOT / "etc/imapd.conf", place.config)
    os.chmod(place.config, 0o644)
    place.setup(f"--hostname={HOST}")
    assert len(place.config.read_text().splitlines()) <= 15 and not (place.folder / "imapd.conf.old").exists()


def test_a_certificate_of_ones_own(place):
    pki = Certificates(place.folder / "pki")
    certificate, key, other = pki.certificate("good"), pki.key(), pki.key("other")
    for path in (certificate, key, other):
        os.chmod(path, 0o640)
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
    words = (f"--hostname={HOST}", f"--cert={certificate}")
    assert "go together" in place.setup(*words, code=64).stderr
    assert "either" in place.setup(*words, f"--key={key}", "--self-signed", code=64).stderr
    assert "No such file" in place.setup(*words, "--key=/nowhere/key.pem", code=66).stderr
    assert place.config.exists() is False
    wrong = place.setup(*words, f"--key={other}", code=78)
    assert "does not belong to the certificate" in wrong.stderr and "run this again" in wrong.stderr
    place.setup(*words, f"--key={key}", "--yes")
    assert f"tls-key          {key}\n" in place.config.read_text()
    openssl("verify", "-CAfile", certificate, certificate)


@pytest.mark.parametrize("words,said", [
    (["--hostname=mail server"], "is not the name of a host"), (["--hostname=a b"], "name of a host"),
    (["--role=server"], "--role is cas, mailbox or both"), (["--role=cas"], "--mailbox-server=HOST"),
    (["--role=mailbox", "--mailbox-server=x"], "keeps no mail"), (["--role=cas", "--user=me"], "users are made where"),
    (["--role=mailbox", "--cert=/etc/hostname", "--key=/etc/hostname"], "clients come to the client access server"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_what_cannot_be(place, words, said):
    done = place.setup(*([] if "hostname" in words[0] else [f"--hostname={HOST}"]), *words, code=64)
    assert said in done.stderr and place.files() == {}


def test_two_hosts(place):
    mailbox = Place()
    try:
        mailbox.setup("--role=mailbox", "--hostname=mbx.example.org", "--user=me", input="secret\n")
        words = ("--role=cas", f"--hostname={HOST}", "--mailbox-server=127.0.0.1")
        assert "copy the file of that name from the mailbox server" in place.setup(*words, code=66).stderr
        (place.folder / "link.key").write_bytes((mailbox.folder / "link.key").read_bytes())
        if os.geteuid() == 0:
            os.chown(place.folder / "link.key", NOBODY, NOBODY)
        os.chmod(place.folder / "link.key", 0o644)
        done = place.setup(*words)
        assert "changed owner and mode of the link key" in done.stdout
        link = lib.free_port()
        for one in (mailbox, place):
            one.config.write_text(re.sub(r"(link-listen +|mailbox-server +mbx1 )\S+", rf"\g<1>127.0.0.1:{link}",
                                         one.config.read_text()))
        back, _ = mailbox.serve()
        front, port = place.serve()
        try:
            with lib.Client(port, tls=True) as client:
                client.ok(b"LOGIN me secret")
                client.ok(b"SELECT INBOX")
        finally:
            end(front)
            end(back)
    finally:
        shutil.rmtree(mailbox.folder)


POINTS = [("mkdir", 2), ("rename", 1), ("rename", 2), ("rename", 3)]
ALL_POINTS = [(call, number) for call in ("mkdir", "rename", "fchmod", "fsync", "unlink", "write") for number in range(1, 9)]


@pytest.mark.parametrize("call,number", ALL_POINTS if os.environ.get("SETUP_KILLS") else POINTS)
def test_an_interrupted_run_is_finished(place, call, number):
    """Killed before a system call that changes something; then once more to the end."""
    words = [lib.IMAPCTL, f"--config={place.config}", "setup", f"--hostname={HOST}", "--user=me"]
    subprocess.run([*place.prefix, lib.need("strace"), "-f", "-o", "/dev/null", "-e",
                    f"inject={call}:signal=KILL:when={number}", *words], input="secret\n", text=True, capture_output=True)
    place.setup(f"--hostname={HOST}", "--user=me", input="secret\n")
    assert "nothing was changed" in place.setup(f"--hostname={HOST}", "--user=me").stdout
    assert list(place.folder.rglob("*.setup")) == []


def readme():
    """The commands of README by which root sets a host up and looks in for the first time."""
    text = (lib.ROOT / "README.md").read_text().split("## Install it")[1].split("\n## ")[0]
    commands = [line.strip() for line in text.splitlines() if re.match(r"    (imapctl setup|systemctl enable|curl) ?", line)]
    assert [command.split()[0] for command in commands] == ["imapctl", "systemctl", "curl"]
    return commands


def test_the_readme(tmp_path):
    """As root, with the paths and ports of a host: three commands to a login with a checked certificate."""
    machine.need_machine()
    lib.need("curl")
    setup, start, login = readme()
    assert start == "systemctl enable --now imapd"
    done = machine.run(f"""
        {setup} > /mnt/said || exit 1
        password=$(sed -n 's/.*the password of ada is \\(.*\\) and is shown.*/\\1/p' /mnt/said)
        imapd 2>/mnt/log & server=$!
        until grep -q ev=ready /mnt/log; do kill -0 $server || exit 2; done
        curl() {{ command curl "$@"; }}
        {login.replace('--user ada', '--user ada:$password')} || exit 3
        suggested=$(grep -o 'curl .*' /mnt/said | sed "s/--user ada/--user ada:$password/")
        $suggested || exit 4
        {setup} | tail -14
        kill $server; wait
        stat -c '%U:%G %a' /var/lib/imapd /etc/imapd/tls /etc/imapd/tls/key.pem /etc/imapd/imapd.conf""")
    assert done.returncode == 0, done
    assert done.stdout.count('* LIST (\\HasNoChildren) "/" INBOX') == 2 and "nothing was changed" in done.stdout
    assert done.stdout.splitlines()[-4:] == ["imapd:imapd 700", "root:imapd 750", "root:imapd 640", "root:root 644"]


def test_a_pair_that_imapd_may_not_read_is_copied(tmp_path):
    """As certbot leaves it: in a folder of root's alone.  A renewed one is copied by the next run."""
    machine.need_machine()
    pki = Certificates(tmp_path / "pki")
    first, second, key = pki.certificate("first"), pki.certificate("second"), pki.key()
    done = machine.run(f"""
        mkdir -m 700 -p /etc/letsencrypt/live && cd /etc/letsencrypt/live
        cp {first} fullchain.pem && cp {key} privkey.pem
        set="imapctl setup --hostname={HOST} --cert=fullchain.pem --key=/etc/letsencrypt/live/privkey.pem"
        $set >/dev/null || exit 1
        cmp -s fullchain.pem /etc/imapd/tls/fullchain.pem || exit 2
        $set | grep -q 'nothing was changed' || exit 3
        cp {second} fullchain.pem
        $set | grep -q 'made *a copy' || exit 4
        cmp -s fullchain.pem /etc/imapd/tls/fullchain.pem || exit 5
        stat -c '%U:%G %a' /etc/imapd/tls/key.pem""")
    assert (done.returncode, done.stdout) == (0, "root:imapd 640\n"), done


def test_others_than_root_name_a_file_of_their_own(place):
    done = subprocess.run([*place.prefix, lib.IMAPCTL, "setup", f"--hostname={HOST}"], capture_output=True, text=True)
    assert done.returncode == 77 and "--config=FILE" in done.stderr
    if pathlib.Path("/etc/imapd/imapd.conf").exists():
        return
    done = subprocess.run([*place.prefix, lib.IMAPCTL, "setup", f"--hostname={HOST}", "--dry-run"], capture_output=True, text=True)
    assert done.returncode == 0 and re.search(r"listen +imaps \S+:993\n(.*\n)*user +imapd\n", done.stdout), "what root would do"
