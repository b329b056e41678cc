"""--json: one object for each verb and each outcome, of the form that etc/imapctl.schema.json describes."""
import functools
import json
import os
import pty
import re
import select
import subprocess

import pytest

import server as lib

jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")

SCHEMA = json.loads((lib.ROOT / "etc/imapctl.schema.json").read_text())


@functools.cache
def verbs():
    table = (lib.ROOT / "src/imapctl/verbs/verbs.c").read_text().split("verbs[] = {")[1].split("\n};")[0]
    return re.findall(r'^\t\{ "([a-z -]+)", "', table, re.M)


@pytest.fixture(scope="module")
def server():
    with lib.Server(settings=["drain-time 1"]) as running:
        yield running


def distinct(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


def nonsense(word):
    raise AssertionError(f"{word} is no JSON")


def parse(text, verb):
    """One object and nothing else, and it is what the schema says of the verb."""
    assert text.endswith("}\n") and "\n" not in text[:-1] and "\x1b" not in text, text
    answer = json.loads(text, object_pairs_hook=distinct, parse_constant=nonsense)
    jsonschema.validate(answer, {**SCHEMA, "$ref": f"#/$defs/{verb}"},
                        cls=jsonschema.Draft202012Validator)
    return answer


def ask(server, *words, input=None, code=0):
    verb = next(verb for verb in sorted(verbs(), key=len, reverse=True) if " ".join(words).startswith(verb))
    done = server.imapctl("--json", *words, input=input, check=False)
    assert done.returncode == code, done
    answer = parse(done.stdout, verb)
    if done.stderr:
        assert answer["error"] == {"code": code, "text": done.stderr.splitlines()[-1].removeprefix("imapctl: ")}
    return answer


def test_the_schema_is_one_and_has_all_verbs():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert len(verbs()) > 20 and set(verbs()) <= set(SCHEMA["$defs"])


# In the order of a life: what each verb says when all is well, then when it is not.

def test_users(server):
    assert ask(server, "user", "add", "12", input="secret\n") == {"schema": 1}
    ask(server, "user", "add", "Grüße@example.org", input="secret\n")
    ask(server, "user", "passwd", "12", input="other\n")
    ask(server, "user", "set", "12", "--imap=off")
    user, = ask(server, "user", "show", "12")["user"]
    assert (user["name"], user["imap"]) == ("12", "off")
    assert [user["name"] for user in ask(server, "user", "list")["user"]] == ["12", "demo", "grüße@example.org"] or \
        {user["name"] for user in ask(server, "user", "list")["user"]} >= {"12", "demo"}
    ask(server, "user", "set", "12", "--home=imaps://old.example.org")
    homes = {user["name"]: user["home"] for user in ask(server, "user", "list")["user"]}
    assert (homes["12"], homes["demo"]) == ("imaps://old.example.org", "")
    assert [mail["state"] for mail in ask(server, "user", "del", "12", "--yes")["mail"]] == ["gone"]
    assert ask(server, "user", "list", "--orphans")["orphan"] == []
    assert ask(server, "user", "purge", "12", "--yes", code=67)["mail"] == []
    ask(server, "user", "add", "demo", input="x\n", code=73)
    ask(server, "user", "add", "a b", input="x\n", code=65)
    ask(server, "user", "passwd", "nobody", input="x\n", code=67)
    ask(server, "user", "passwd", "demo", input="", code=65)
    ask(server, "user", "set", "nobody", "--imap=on", code=67)
    ask(server, "user", "set", "demo", code=64)
    assert ask(server, "user", "show", "nobody", code=67)["user"] == []
    ask(server, "user", "del", "nobody", "--yes", code=67)
    ask(server, "user", "del", "demo", code=64)         # nobody can be asked
    ask(server, "user", "renew", "nobody", "--yes", code=67)
    ask(server, "user", "renew", "demo", "--yes")       # there never was a file


def test_aliases(server):
    ask(server, "alias", "add", "info@example.org", "demo")
    ask(server, "alias", "add", "demo", "demo", code=73)
    assert ask(server, "alias", "list")["alias"] == [{"name": "info@example.org", "user": "demo"}]
    assert ask(server, "user", "show", "demo")["alias"] == [{"name": "info@example.org"}]
    ask(server, "user", "add", "short", input="x\n")
    ask(server, "alias", "add", "sh", "short")
    assert ask(server, "user", "del", "short", "--yes")["alias"] == [{"name": "sh"}]
    ask(server, "alias", "remove", "info@example.org")
    ask(server, "alias", "remove", "info@example.org", code=67)


def test_import_of_users(server, tmp_path):
    (tmp_path / "users").write_text("anna:{PLAIN}secret::::::x=y\nbad name:x\n")
    answer = ask(server, "user", "import", str(tmp_path / "users"), code=65)
    assert answer["import"][0] == {"added": 1, "updated": 0, "there": 0, "refused": 1, "passed-over": 0}
    assert answer["refusal"][0]["line"] == 2 and answer["field"] == [{"name": "x", "users": 1}]
    ask(server, "user", "import", "/nowhere", code=66)
    ask(server, "user", "import", str(tmp_path / "users"), "--update", "--if-missing", code=64)


def test_alias_import(server, tmp_path):
    (tmp_path / "aliases").write_text("info demo\nother nobody\n")
    answer = ask(server, "alias", "import", str(tmp_path / "aliases"), code=65)
    assert answer["import"] == [{"added": 1, "updated": 0, "there": 0, "refused": 1}]
    assert answer["refusal"] == [{"line": 2, "name": "other", "reason": "there is no such user"}]
    ask(server, "alias", "import", "/nowhere", code=66)
    ask(server, "alias", "import", code=64)
    ask(server, "alias", "remove", "info")


def test_groups_and_shared_accounts(server):
    ask(server, "user", "add", "ann", input="secret\n")
    ask(server, "group", "add", "Domain Users", "demo", "Ann")
    ask(server, "group", "add", "boss", "ann")
    assert ask(server, "group", "list")["member"] == [
        {"group": "boss", "user": "ann"}, {"group": "domain users", "user": "ann"},
        {"group": "domain users", "user": "demo"}]
    assert ask(server, "user", "show", "ann")["group"] == [{"name": "boss"}, {"name": "domain users"}]
    assert "nobody" in ask(server, "group", "add", "boss", "demo", "nobody", code=67)["error"]["text"]
    assert ask(server, "group", "remove", "boss", "nobody", code=67)["error"]["text"]
    ask(server, "group", "remove", "boss", "demo", "ann")
    assert ask(server, "group", "list", "boss")["member"] == []
    ask(server, "group", "add", "boss", code=64)
    ask(server, "group", "add", "a\u2028b", "ann", code=65)
    ask(server, "group", "add", "boss", "a b", code=65)

    ask(server, "user", "add", "support", "--shared")
    ask(server, "user", "add", "support", "--shared", code=73)
    ask(server, "user", "add", "support", "--shared", "--if-missing")
    ask(server, "user", "add", "support", code=73, input="x\n")
    user, = ask(server, "user", "show", "support")["user"]
    assert (user["imap"], user["shared"]) == ("off", "yes")
    assert {user["name"]: user["login"] for user in ask(server, "user", "list")["user"]}["support"] == "no"
    assert "shared" in ask(server, "user", "passwd", "support", input="x\n", code=69)["error"]["text"]
    ask(server, "user", "set", "support", "--imap=on")          # which does not make it one to log in to
    with lib.Client(server.imap_port) as client:
        assert b"AUTHENTICATIONFAILED" in client.command(b'LOGIN support ""').tagged
    ask(server, "user", "del", "support", "--yes")
    ask(server, "user", "del", "ann", "--yes")
    assert [member["user"] for member in ask(server, "group", "list")["member"]] == ["demo"]


def test_quotas(server):
    assert ask(server, "quota", "demo")["quota"] == [
        {"user": "demo", "resource": "storage", "used": 0, "limit": "none", "percent": ""},
        {"user": "demo", "resource": "messages", "used": 0, "limit": "none", "percent": ""},
        {"user": "demo", "resource": "mailboxes", "used": 0, "limit": "none", "percent": ""}]
    ask(server, "user", "add", "ann", "--quota-messages=2", input="secret\n")
    ask(server, "user", "set", "ann", "--quota-storage=2G", "--quota-mailboxes=none")
    user, = ask(server, "user", "show", "ann")["user"]
    assert [user[f"quota-{what}"] for what in ("storage", "messages", "mailboxes")] == ["2147483648", "2", "none"]
    by_user = ask(server, "quota", "--all")["quota"]
    assert [(row["user"], row["resource"], row["limit"]) for row in by_user if row["user"] == "ann"] == [
        ("ann", "storage", 2147483648), ("ann", "messages", 2), ("ann", "mailboxes", "none")]
    assert any(row["user"] == "demo" for row in by_user)
    ask(server, "user", "set", "ann", "--quota-storage=default", "--quota-messages=default", "--quota-mailboxes=default")
    assert ask(server, "user", "show", "ann")["user"][0]["quota-storage"] == "default"
    ask(server, "user", "set", "ann", "--quota-storage=much", code=65)
    ask(server, "user", "set", "ann", "--quota-messages=1G", code=65)
    ask(server, "user", "set", "nobody", "--quota-messages=1", code=67)
    ask(server, "quota", "nobody", code=67)
    ask(server, "quota", code=64)
    ask(server, "quota", "ann", "--all", code=64)
    ask(server, "user", "del", "ann", "--yes")


def test_sessions(server):
    assert ask(server, "who")["session"] == []
    with server.client("demo") as client:
        session, = ask(server, "who")["session"]
        assert session["user"] == "demo" and isinstance(session["in"], int)
        assert ask(server, "who", "other")["session"] == []
        assert ask(server, "kick", "demo")["kicked"] == [{"sessions": 1}]
        assert ask(server, "kick", "demo", code=1)["error"]["text"]
        assert client.file.read().startswith(b"* BYE ")         # RFC 9051 section 7.1.5
    assert ask(server, "kick", "demo", code=1)["error"]["text"]


def test_services(server):
    assert [service["state"] for service in ask(server, "services")["service"]] == ["running", "running"]
    stopped, = ask(server, "net", "stop", "imap4")["service"]
    assert (stopped["name"], stopped["state"]) == ("cas", "stopped")
    assert ask(server, "status", "cas", code=3)["role"][0]["state"] == "stopped"
    assert ask(server, "who")["session"] == []
    ask(server, "stop", "mailbox")
    assert ask(server, "who", code=69)["session"] == []
    ask(server, "start", "mailbox")
    assert ask(server, "net", "start", "imap4")["service"][0]["state"] == "running"
    for verb, state in (("restart", "running"), ("drain", "stopped"), ("start", "running"), ("stop", "stopped")):
        assert [service["state"] for service in ask(server, verb, "all")["service"]] == [state, state]
    assert ask(server, "status", code=3)["listener"] == []
    ask(server, "start", "all")
    assert ask(server, "start", "pop3", code=64)["service"] == []
    assert ask(server, "net", "start", "pop3", code=64)["service"] == []


def test_status(server):
    answer = ask(server, "status")
    assert [role["name"] for role in answer["role"]] == ["cas", "mailbox"] and len(answer["listener"]) == 3
    assert answer["server"][0]["pid"] == server.process.pid
    assert ask(server, "status", "mailbox")["server"] == []
    ask(server, "status", "pop3", code=64)
    assert ask(server, "acknowledge", "all", code=1)["acknowledged"] == [{"problems": 0}]


def test_index(server):
    users = sum(record["login"] == "yes" for record in ask(server, "user", "list")["user"])
    assert len(ask(server, "index", "--all")["index"]) >= users
    assert ask(server, "index", "nobody-at-all", code=67)["index"] == []


def test_undelete(server):
    assert ask(server, "undelete", "demo", "--list")["undelete"][0]["restored"] == 0
    assert ask(server, "undelete", "nobody-at-all", code=67)["message"] == []


def test_backup(server, tmp_path):
    assert {record["state"] for record in ask(server, "backup", str(tmp_path / "backup"))["backup"]} <= {"copied", "none"}
    assert ask(server, "backup", str(tmp_path / "backup"), "--verify")["fault"] == []
    assert ask(server, "backup", str(tmp_path / "other"), "--verify", code=66)["backup"] == []
    assert {record["state"] for record in ask(server, "restore", str(tmp_path / "backup"), "--all")["restore"]} <= {"whole", "merged"}
    assert ask(server, "restore", str(tmp_path / "other"), "demo", code=66)["restore"] == []
    assert ask(server, "restore", str(tmp_path / "backup"), "nobody-at-all", code=67)["restore"] == []


def test_verify(server):
    assert all(record["faults"] == 0 for record in ask(server, "verify", "--all")["verify"])
    assert ask(server, "verify", "nobody-at-all", code=67)["verify"] == []


def test_seen(server):
    with server.client("demo") as client:
        client.ok(b"STATUS INBOX (MESSAGES)")      # with the first command there is a file
    assert ask(server, "acl", "seen", "demo", "INBOX")["seen"] == [{"user": "demo", "mailbox": "INBOX", "seen": "default"}]
    assert ask(server, "acl", "seen", "demo", "inbox", "shared")["seen"][0]["seen"] == "shared"
    assert ask(server, "acl", "seen", "demo", "INBOX")["seen"][0]["seen"] == "shared"
    assert ask(server, "acl", "seen", "demo", "nowhere", code=66)["seen"] == []
    assert ask(server, "acl", "seen", "nobody-at-all", "INBOX", code=67)["seen"] == []
    assert ask(server, "acl", "seen", "demo", "INBOX", "mine", code=64)["seen"] == []


def test_health(server):
    assert {one["state"] for one in ask(server, "health")["health-set"]} == {"Healthy"}
    ask(server, "health", "--light")
    url = f"imap://demo@127.0.0.1:{server.imap_port}"
    assert len(ask(server, "test-connectivity", url, "--insecure", input=lib.PASSWORD + "\n")["step"]) == 11
    assert ask(server, "test-connectivity", url, input="x\n", code=76)["step"][3]["Result"] == "Failure"
    assert ask(server, "test-connectivity", "imap://127.0.0.1", code=64)["step"] == []


def test_stats(server):
    stats = ask(server, "stats")
    assert stats["period"][0]["from"] == "start" and stats["amount"] and stats["rate"]
    assert ask(server, "stats", "--interval=1")["period"][0]["from"] == "interval"
    ask(server, "stats", "--interval=0", code=64)
    ask(server, "stats", "--interval=soon", code=64)


def test_metrics(server):
    metrics = ask(server, "metrics")
    assert metrics["moment"] and metrics["series"] and metrics["histogram"]


def test_log(server):
    assert ask(server, "log")["line"]
    assert len(ask(server, "log", "2")["line"]) == 2
    assert ask(server, "log", "0")["line"] == []
    assert ask(server, "log", "many", code=64)["line"] == []


def test_import(server, tmp_path):
    letter = tmp_path / "one.eml"
    letter.write_bytes(lib.message(1))
    assert ask(server, "import", "demo", "eml", str(letter))["imported"] == 1
    ask(server, "import", "demo", "eml", str(tmp_path / "none"), code=66)
    ask(server, "import", "nobody", "eml", str(letter), code=67)
    url = f"imap://demo@localhost:{server.imap_port}"
    words = ["import", "other", url, f"--tls-ca={server.cert}"]
    server.add_user("other")
    secret = lib.PASSWORD + "\n"
    assert ask(server, *words, input=secret)["imported"] > 0
    assert ask(server, *words, "--verify", input=secret)["differences"] == []
    with server.client("other") as client:
        client.ok(b"SELECT INBOX")
        client.ok(rb"UID STORE 1 FLAGS (\Deleted)")
    assert ask(server, *words, "--verify", input=secret, code=1)["differences"][0]["origin"] == "INBOX UID 1"
    assert ask(server, *words, "--mirror", input=secret)["changed"] == 1
    ask(server, *words, input="wrong\n", code=77)


def test_export(server, tmp_path):
    report = ask(server, "export", "demo", "eml", str(tmp_path / "out"))
    assert report["refused"] == [] and report["mailboxes"] >= 1
    assert ask(server, "export", "demo", str(tmp_path / "out"), "--mirror")["already"] == report["exported"]
    ask(server, "export", "demo", "mbox", str(tmp_path / "out"), code=73)
    ask(server, "export", "demo", "pst", str(tmp_path / "out"), code=64)
    ask(server, "export", "demo", "eml", str(tmp_path / "other"), "--mailbox=nowhere", code=66)
    ask(server, "export", "nobody", "eml", str(tmp_path / "none"), code=67)


def test_configuration(server, tmp_path):
    assert ask(server, "reload")["problem"] == []
    options = ask(server, "config", "show")["option"]
    assert {"name": "hostname", "value": "localhost"} in options
    good = server.config.read_text()
    server.config.write_text(good + "no-such-option 1\n")
    assert "no-such-option" in server.imapctl("--json", "config", "show", check=False).stderr
    parse(server.imapctl("--json", "config", "show", check=False).stdout, "config show")
    server.config.write_text(good)
    ask(server, "config", "show", "-n", "--origin")
    ask(server, "config", "diff")
    server.config.write_text(good + "log-level debug\n")
    ask(server, "config", "diff", code=1)
    ask(server, "completion", "bash")
    ask(server, "completion", "csh", code=64)
    server.config.write_text(good.replace("tls-key ", "tls-key /nowhere"))
    assert ask(server, "reload", code=78)["problem"]
    server.config.write_text(good)
    ask(server, "link-key", str(tmp_path / "link.key"))
    ask(server, "link-key", str(tmp_path / "link.key"), code=73)


def test_words_that_are_none(server):
    for words in (["frobnicate"], ["user"], ["user", "frobnicate"]):
        done = server.imapctl("--json", *words, check=False)
        assert done.returncode == 64 and parse(done.stdout, "done")["error"]["code"] == 64
    for verb in verbs():
        done = server.imapctl("--json", *verb.split(), *["word"] * 60, check=False)
        assert done.returncode == 64 and parse(done.stdout, verb)["error"]["code"] == 64


def test_options_that_are_none(server):
    for words in (["user", "list", "--frob"], ["--frob", "status"], ["status", "-z"], ["--timeout"], ["--timeout=x", "status"],
                  ["user", "list", "--orphans=x"], []):
        done = server.imapctl("--json", *words, check=False)
        assert done.returncode == 64 and parse(done.stdout, "done")["error"]["code"] == 64, words
    assert parse(server.imapctl("status", "--frob", "--json", check=False).stdout, "done")["error"]["code"] == 64


def test_acl(server):
    server.add_user("sharer")
    assert ask(server, "acl", "list", "sharer") == {"schema": 1, "acl": []}
    ask(server, "acl", "set", "sharer", "INBOX", "demo", "lrs")
    ask(server, "acl", "set", "sharer", "inbox", "Demo", "+te")
    ask(server, "acl", "set", "sharer", "Sent", "--", "-anyone", "w")
    assert ask(server, "acl", "list", "sharer")["acl"] == [
        {"mailbox": "INBOX", "identifier": "demo", "rights": "lrsted"}, {"mailbox": "Sent", "identifier": "-anyone", "rights": "w"}]
    assert len(ask(server, "acl", "list", "sharer", "Sent")["acl"]) == 1
    with server.client("demo") as client:
        client.ok(b'SELECT "Other Users/sharer/INBOX"')
        ask(server, "acl", "remove", "sharer", "INBOX", "demo")
        assert client.line().startswith(b"* BYE")
    ask(server, "acl", "list", "sharer", "nowhere", code=65)
    ask(server, "acl", "set", "sharer", "nowhere", "demo", "l", code=65)
    ask(server, "acl", "set", "sharer", "INBOX", "demo", "lq", code=65)
    ask(server, "acl", "set", "sharer", "INBOX", "$", "l", code=65)
    ask(server, "acl", "set", "sharer", "INBOX", "sharer", "l", code=65)
    ask(server, "acl", "remove", "nobody-at-all", "INBOX", "demo", code=67)


def test_move(server):
    """On one host there is nowhere to go; tests/split/test_rehome.py has the rest."""
    moved, = ask(server, "move", "demo", "localhost")["move"]
    assert (moved["user"], moved["to"], moved["phase"], moved["error"]) == ("demo", "localhost", "there", "")
    assert ask(server, "move", "--status")["move"][-1]["phase"] == "there"
    assert ask(server, "move", "demo", "--status")["move"][0]["user"] == "demo"
    ask(server, "move", "demo", "--cancel", code=67)
    assert "mailbox-server" in ask(server, "move", "demo", "mbx9", code=69)["error"]["text"]
    assert ask(server, "move", "nobody-at-all", "localhost", code=67)["move"][0]["phase"] == "failed"
    ask(server, "move", "nobody-known", "--status", code=67)
    ask(server, "move", "demo", code=64)
    ask(server, "move", "demo", "localhost", "--cancel", code=64)
    ask(server, "move", "--cancel", "--status", code=64)


def test_nobody_answers():
    """No verb hangs, none prints anything but its object, when there is no server."""
    server = lib.Server(users=("a",))
    with server:
        server.imapctl("backup", server.folder / "backup")
        server.stop()
        arguments = {"restore": [f"{server.folder}/backup", "a"], "user add": ["a"], "user import": [str(server.config)], "alias add": ["i", "a"], "alias remove": ["i"], "alias import": [str(server.config)], "user passwd": ["a"], "user rename": ["a", "b"],
                     "user set": ["a", "--imap=on"], "user show": ["a"],
                     "user del": ["a", "--yes"], "import": ["a", "eml", str(server.config)], "export": ["a", f"{server.folder}/out"], "kick": ["a"], "trace": ["a"],
                     "start": ["all"], "stop": ["all"], "drain": ["all"], "restart": ["all"], "net start": ["imap4"],
                     "net stop": ["imap4"], "user renew": ["a", "--yes"], "user purge": ["a", "--yes"], "acknowledge": ["all"],
                     "index": ["a"], "verify": ["a"], "undelete": ["a"], "move": ["a", "b"], "backup": [f"{server.folder}/backup"], "group add": ["g", "a"], "quota": ["a"], "user allow": ["a", "--delegate=b"],
                     "user deny": ["a", "--delegate=b"], "group remove": ["g", "a"],
                     "test-connectivity": [f"imap://a@127.0.0.1:{server.imap_port}"], "acl list": ["a"], "acl set": ["a", "INBOX", "b", "lr"], "acl remove": ["a", "INBOX", "b"], "acl seen": ["a", "INBOX"]}
        for verb in verbs():
            if verb in ("setup", "doctor", "clientconfig", "link-key", "config show", "completion", "sysreport"):
                continue        # they ask nobody
            ask(server, *verb.split(), *arguments.get(verb, []), input="x\n", code=3 if verb in ("status", "health") else 69)
        server.start()


def test_a_server_that_hangs_is_given_up():
    with lib.Server() as server:
        lib.freeze(server.process)
        try:
            for words in (["status"], ["who"], ["start", "all"], ["user", "list"], ["services"], ["reload"]):
                silent = server.imapctl("--timeout=1", *words, check=False)
                assert silent.returncode == 75 and "--timeout" in silent.stderr
        finally:
            lib.thaw(server.process)
        assert server.imapctl("--timeout=60", "status").returncode == 0
        for wrong in ("0", "-1", "x", "", "100000"):
            assert server.imapctl(f"--timeout={wrong}", "status", check=False).returncode == 64


def screen(command, **environment):
    """What a program prints on a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                               env={**os.environ, "TERM": "xterm", **environment})
    os.close(slave)
    text = b""
    while True:
        if not select.select([master], [], [], lib.LIMIT_S)[0]:
            break
        try:
            text += os.read(master, 65536)
        except OSError:
            break
    process.wait(lib.LIMIT_S)
    os.close(master)
    return text


def test_escape_sequences_are_for_the_console(server):
    """No verb but services draws, and that not on a pipe; NO_COLOR is for colours."""
    for words in (["status"], ["user", "list"], ["log"], ["config", "show"], ["who"], ["--json", "services"]):
        assert b"\x1b" not in screen([lib.IMAPCTL, f"--config={server.config}", *words])
        assert "\x1b" not in server.imapctl(*words).stdout
    assert "\x1b" not in server.imapctl("services").stdout
