"""user import: the users of other programs' files, with their hashes of passwords.  MANY=1 makes more of them, and kills more."""
import json
import os
import shutil
import signal
import subprocess

import pytest

import server as lib
from scram import Scram

PENCIL = "$2y$05$4KF.0BCCBNqljx8PALQz/ulgRHmDWdjQcicfouLiFZvM.9Y2MTqo."
WEAK = "{SSHA}lCQlXOFvHWDvbUQoLUt5KPsqYzCAgR6i"
SHA512 = "$6$HuHO3ILbvvauspf9$RwyaLYZ6CQvITi/NKfw6z0S.da6Cdzx3xS4z3Pqjft12d8VfAlEbLCq1FvmngEoB84ncFSfKq9C5j/oRoSEEd."
YESCRYPT = "$y$j9T$abcdefgh$kff4zjKKNjmHWBD6KG8N2k8WunPqZGAsrQj0LdJ5QM9"
KEYS = ("{SCRAM-SHA-256}4096,OCBJO/RZoj4oaexF3CGwqA==,Y+GInmyb8NeMWOkkOilRzyk9hHEBQ0CJpbQqJCG2mXM=,"
        "9wIzUuGk5MsuStrBQ974VhztO7v4VrxzLdo0NjRTT7c=")
UNKNOWN = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$LzBJ/f4PVPuR4w35HonjoA$sEhfQ7wBCfTNg6G1lISUXuYE6xqvC/betGVnqkAJfCY"
LONG = bool(os.environ.get("MANY"))


@pytest.fixture
def server():
    with lib.Server(users=()) as running:
        yield running


def write(server, text, name="users"):
    path = server.folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def run(server, text, *words, code=0, name="users"):
    done = server.imapctl("--json", "user", "import", write(server, text, name), *words, check=False)
    assert done.returncode == code, done.stderr[-1000:]
    said = done.stdout + done.stderr
    assert not any(secret in said for secret in ("pencil", "$2y$", "$6$", "$y$", WEAK[6:], KEYS[20:])), said[-1000:]
    return json.loads(done.stdout)


def sums(answer):
    return {key: count for key, count in answer["import"][0].items() if count}


def refused(answer):
    return {entry["line"]: entry["reason"] for entry in answer["refusal"]}


def show(server, name):
    return json.loads(server.imapctl("--json", "user", "show", name).stdout)["user"][0]


def names(server):
    return [user["name"] for user in json.loads(server.imapctl("--json", "user", "list").stdout)["user"]]


def logs_in(server, name, password="pencil"):
    with server.client() as client:
        return client.command(b'LOGIN %s "%s"' % (name.encode(), password.encode())).is_ok


def test_hashes_log_in(server):
    stored = {"bcrypt": PENCIL, "sha512": "{SHA512-CRYPT}" + SHA512, "keys": KEYS, "plain": "{PLAIN}pencil", "weak": WEAK,
              "hexadecimal": "{PLAIN.HEX}70656e63696c", "yescrypt": YESCRYPT}
    answer = run(server, "".join(f"{name}:{text}\n" for name, text in stored.items()))
    assert sums(answer) == {"added": len(stored)} and answer["refusal"] == answer["field"] == []
    assert {name: show(server, name)["password"] for name in stored} == {
        "bcrypt": "hash", "sha512": "hash", "keys": "yes", "plain": "yes", "weak": "hash", "hexadecimal": "yes", "yescrypt": "hash"}
    for name in stored:
        assert logs_in(server, name), name
    assert not logs_in(server, "bcrypt", "Pencil")
    assert not logs_in(server, "weak", "Pencil")
    lib.wait_until(lambda: show(server, "weak")["password"] == "yes")
    assert show(server, "bcrypt")["password"] == "hash"
    server.stop()
    assert [line for line in server.log_lines if "ev=password-upgraded" in line and "user=weak" in line]
    assert not [line for line in server.log_lines if "pencil" in line or "$" in line]


def test_scram_from_the_first_login_on(server):
    run(server, f"bcrypt:{PENCIL}\nkept:{PENCIL}\n")
    server.settings = ["upgrade-passwords all"]
    server.write_config()
    server.imapctl("reload")
    with server.client() as client:
        assert not Scram("bcrypt", "pencil").run(client).startswith(b"s OK")
    assert logs_in(server, "bcrypt")
    lib.wait_until(lambda: show(server, "bcrypt")["password"] == "yes")
    with server.client() as client:
        assert Scram("bcrypt", "pencil").run(client).startswith(b"s OK")
    server.settings = ["upgrade-passwords none"]
    server.write_config()
    server.imapctl("reload")
    run(server, f"kept:{WEAK}\n", "--update")
    assert logs_in(server, "kept")
    server.stop()
    assert not [line for line in server.log_lines if "ev=password-upgraded" in line and "user=kept" in line]


def test_what_a_passwd_file_has(server):
    longest = "x" * 243 + "@example.org"
    lines = ["\ufeff# a mark of byte order, and CR LF", "", ":nobody:x",
             f"Ann@Example.org:{PENCIL}:1000:1000:Ann:/home/ann::userdb_quota_rule=*:storage=1G userdb_mail=maildir:~/a:b",
             f"ann@example.org:{PENCIL}",
             f"{longest}:{PENCIL}", f"x{longest}:{PENCIL}", f"a b:{PENCIL}", f"grün:{PENCIL}", "-x:" + PENCIL,
             "unknown:" + UNKNOWN, "des:NHf7ClOkYNCo6", "damaged:$6$HuHO3ILbvvauspf9$RwyaLY", "none", "empty::::::: nopassword",
             f"locked:!{PENCIL}", f"bound:{PENCIL}::::::allow_nets=10.0.0.0/8", f"off:{PENCIL}::::::nologin",
             f"rules:{PENCIL}::::::userdb_quota_rule=*:messages=7 userdb_quota_rule2=Trash:storage=+10%% quota_rule3=*:bytes=2048",
             f"wrong:{PENCIL}::::::quota_rule=*:storage=much", f"two\tones:{PENCIL}", f"cost:$2y$31${PENCIL[7:]}"]
    answer = run(server, "\r\n".join(lines) + "\r\n", code=65)
    assert sums(answer) == {"added": 9, "refused": 10}, answer
    assert {number: text.split(":")[0][:20] for number, text in refused(answer).items()} == {
        5: "the name stood on a ", 7: "not a name for a use", 8: "not a name for a use", 10: "not a name for a use",
        11: "ARGON2ID", 12: "DES-CRYPT", 13: "sha512crypt", 20: "the rule of quota is", 21: "not a name for a use", 22: "bcrypt"}
    assert names(server) == sorted([longest, "ann@example.org", "bound", "empty", "grün", "locked", "none", "off", "rules"])
    assert [field["name"] for field in answer["field"]] == ["userdb_mail", "nopassword", "allow_nets"]
    assert {name: show(server, name)["imap"] for name in ("ann@example.org", "locked", "bound", "off", "none")} == {
        "ann@example.org": "on", "locked": "off", "bound": "off", "off": "off", "none": "on"}
    assert show(server, "ann@example.org")["quota-storage"] == str(2 ** 30)
    assert (show(server, "rules")["quota-messages"], show(server, "rules")["quota-storage"]) == ("7", "2048")
    assert show(server, "none")["password"] == show(server, "empty")["password"] == "no"
    assert logs_in(server, "ANN@example.org")
    server.imapctl("user", "set", "locked", "--imap=on")
    assert logs_in(server, "locked")            # the hash came along


def test_accounts_of_the_system_are_passed_over(server):
    write(server, "root:x:0:0::/root:/bin/sh\nmail:x:8:8::/var/mail:\nann:x:1000:1000::/home/ann:\nbob:x:1001:1001::/:\n"
          "cleo:x:1002:1002::/:\ndan:x:1003:1003::/:\neve:x:1004:1004::/:\nnobody:x:65534:65534::/:\n", "passwd")
    shadow = (f"root:{YESCRYPT}:19000:0:99999:7:::\nmail:{YESCRYPT}:19000:0:99999:7:::\nann:{YESCRYPT}:19000:0:99999:7:::\n"
              f"bob:!{YESCRYPT}:19000:0:99999:7:::\ncleo:{YESCRYPT}:19000:0:99999:7::18000:\ndan:*:19000:0:99999:7:::\n"
              f"eve:{YESCRYPT}:10000:0:90:7:30::\nnobody:{YESCRYPT}:19000:0:99999:7:::\nbroken:{YESCRYPT}:1\n")
    answer = run(server, shadow, "--format=shadow", code=65, name="shadow")
    assert sums(answer) == {"added": 4, "passed-over": 4, "refused": 1} and list(refused(answer)) == [9]
    assert {name: show(server, name)["imap"] for name in names(server)} == {"ann": "on", "bob": "off", "cleo": "off", "eve": "off"}
    assert logs_in(server, "ann")
    guessed = refused(run(server, shadow, code=65, name="shadow"))
    assert "--format=shadow" in guessed[1]


def test_again_and_changed(server):
    first = f"ann:{PENCIL}\nbob:{PENCIL}\n"
    assert sums(run(server, first, "--dry-run")) == {"added": 2} and names(server) == []
    assert sums(run(server, first)) == {"added": 2}
    wrong = server.imapctl("user", "import", write(server, "foo@:!\ncora:!\n"), "--dry-run", check=False)
    assert wrong.returncode == 65 and "the others would be in" in wrong.stderr and "cora" not in names(server)
    changed = f"ann:{{PLAIN}}other\nbob:{PENCIL}\ncleo:{PENCIL}\n"
    assert sums(run(server, changed)) == {"added": 1, "there": 2}
    assert sums(run(server, changed, "--if-missing")) == {"there": 3}
    assert logs_in(server, "ann")
    assert sums(run(server, changed, "--update")) == {"updated": 1, "there": 2}
    assert logs_in(server, "ann", "other") and not logs_in(server, "ann")
    with server.client("bob", password="pencil") as client:
        assert sums(run(server, f"bob:!{PENCIL}\n", "--update")) == {"updated": 1}
        assert b"* BYE" in client.line()
    server.imapctl("user", "add", "team", "--shared")
    assert sums(run(server, f"team:{PENCIL}\n", "--update")) == {"there": 1}
    assert show(server, "team")["shared"] == "yes" and show(server, "team")["password"] == "no"
    run(server, changed, "--update", "--if-missing", code=64)


def test_without_passwords_and_elsewhere(server):
    assert sums(run(server, f"ann:{PENCIL}\nbob:{UNKNOWN}\n", code=65)) == {"added": 1, "refused": 1}
    assert sums(run(server, f"ann:{PENCIL}\nbob:{UNKNOWN}\n", "--no-password")) == {"added": 1, "there": 1}
    assert (show(server, "ann")["password"], show(server, "bob")["password"]) == ("hash", "no")
    assert sums(run(server, "cleo\n", "--home=imaps://old.example.org")) == {"added": 1}
    assert show(server, "cleo")["home"] == "imaps://old.example.org"
    run(server, "dan\n", "--home=imaps://a b", code=65)
    run(server, "dan\n", "--home=nowhere", code=65)
    run(server, "# nobody\n", code=66)
    run(server, "dan\n", "--format=csv", code=64)
    assert server.imapctl("user", "import", "/nowhere", check=False).returncode == 66
    assert server.imapctl("user", "import", str(server.folder), check=False).returncode == 66
    done = server.imapctl("user", "import", "-", input="dan\neve\n")
    assert done.stdout.startswith("2 added") and names(server) == ["ann", "bob", "cleo", "dan", "eve"]


def test_lines_that_are_no_users(server):
    """Whatever comes: octets, lines without an end, and so many that only some are told."""
    rubbish = bytes(range(256)) * 400 + b"\n" + b"x" * 100000 + b"\nann:" + PENCIL.encode() + b"\nbob:{PLAIN}" + b"y" * 1025 + b"\nlast"
    answer = run(server, rubbish, code=65)
    assert names(server) == ["ann", "last"] and "too long" in " ".join(refused(answer).values())
    many = run(server, "a b:x\n" * (1000000 if LONG else 5000), code=65)
    assert many["import"][0]["refused"] == (1000000 if LONG else 5000) and len(many["refusal"]) == 1000


@pytest.mark.parametrize("killed", ["imapctl", "imapd"])
def test_killed_in_the_middle(server, killed):
    """All of a call or nothing of it; and the same again brings the rest."""
    expected = sorted(f"user{number}@example.org" for number in range(100000 if LONG else 6000))
    path = write(server, "".join(f"{name}:{SHA512}\n" for name in expected))
    words = [lib.IMAPCTL, f"--config={server.config}", "user", "import", path]
    server.imapctl("user", "add", "here", input="x\n")
    for attempt in range(20 if LONG else 3):
        before = len(names(server))
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lib.wait_until(lambda: len(names(server)) > before or process.poll() is not None)
        if killed == "imapd":
            server.kill()
            server.start()
        else:
            process.send_signal(signal.SIGKILL)
        process.wait(lib.LIMIT_S)
        there = names(server)
        assert there == sorted(expected[:len(there) - 1] + ["here"])
    server.imapctl("user", "import", path)
    assert names(server) == sorted(expected + ["here"])
    assert sums(run(server, "".join(f"{name}:{SHA512}\n" for name in expected))) == {"there": len(expected)}
    assert logs_in(server, expected[-1])


@pytest.mark.skipif(shutil.which("doveadm") is None, reason="Dovecot is not installed")
def test_what_dovecot_writes(server):
    """Of every scheme that doveadm pw knows: the user comes and logs in, or the line is refused."""
    schemes = subprocess.run(["doveadm", "pw", "-l"], capture_output=True, text=True, check=True).stdout.split()
    lines = []
    for number, scheme in enumerate(schemes):
        made = subprocess.run(["doveadm", "pw", "-s", scheme, "-p", "pencil", "-u", f"u{number}"], capture_output=True, text=True)
        if made.returncode == 0:
            lines.append((f"u{number}", scheme, made.stdout.strip()))
    answer = run(server, "".join(f"{name}:{stored}\n" for name, _, stored in lines), code=65)
    there = set(names(server))
    left_out = {scheme for name, scheme, _ in lines if name not in there}
    assert left_out <= {"HMAC-MD5", "OTP", "DES-CRYPT", "PLAIN-MD4", "ARGON2I", "ARGON2ID", "PBKDF2", "CRAM-MD5", "PLAIN-TRUNC",
                        "DIGEST-MD5", "SKEY", "NTLM", "LANMAN", "RPA"}, left_out
    assert len(refused(answer)) == len(left_out) and len(there) > 10
    for name in there:
        assert logs_in(server, name), name
