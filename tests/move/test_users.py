"""Many users at once from one list: each comes over whole, one line each, and stopping and starting again is always right."""
import json
import os
import re
import signal
import subprocess

import pytest

import accounts
import comparing
import moving
import servers
from lying import Liar

lib = comparing.lib
USERS = servers.USERS[:50 if os.environ.get("MOVE") else 8]


@pytest.fixture(scope="module")
def source():
    running = servers.Dovecot("sdbox")
    if reason := running.lacks():
        pytest.skip(reason)
    with running:
        letters = accounts.corpus()
        for number, user in enumerate(USERS):
            with comparing.Session(running.port, user, servers.PASSWORD) as session:
                session.ok(b"CREATE Work")
                for path in (("INBOX",), ("Work",)):
                    accounts.append(session, path, [accounts.letter(letters, number * 100 + at) for at in range(5 + number % 20)])
        yield running


@pytest.fixture
def target():
    with lib.Server(users=USERS) as running:
        yield running


@pytest.fixture
def listed(source, tmp_path):
    (tmp_path / "password").write_text(servers.PASSWORD + "\n")
    lines = ["# who moves tonight", ""] + [f"{user},{moving.url(source, user)},{tmp_path}/password" for user in USERS]
    (tmp_path / "list").write_text("\n".join(lines) + "\n")
    return tmp_path / "list"


def words(target, source, listed, *more):
    return [str(word) for word in (lib.IMAPCTL, f"--config={target.config}", "import", f"--list={listed}", "--jobs=6",
                                   f"--tls-ca={source.certificate}", *more)]


def pull(target, source, listed, *more):
    return subprocess.run(words(target, source, listed, *more), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)


def check(source, target, users=USERS):
    for user in users:
        assert moving.differences(moving.read_source(source, user), moving.read_target(target, user)) == [], user


def test_all_of_them(source, target, listed):
    done = pull(target, source, listed)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert sorted(line.split(":")[0] for line in done.stdout.splitlines()) == sorted(USERS)
    for line in done.stdout.splitlines():
        number = USERS.index(line.split(":")[0])
        assert re.search(rf"\b{2 * (5 + number % 20)} imported", line), line
    check(source, target)
    done = pull(target, source, listed, "--jobs-per-host=2")
    assert done.returncode == 0 and all(" 0 imported" in line for line in done.stdout.splitlines()), done


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_and_begun_again(source, target, listed, sign, tmp_path):
    """After the first has come, and while one waits for a source that says nothing; those that had not ended go on, and
    nobody has anything twice."""
    target.add_user("waiting")
    (tmp_path / "p").write_text("p\n")
    with Liar([], silent_at=b"EXAMINE", certificate=(source.certificate, source.key)) as liar:
        more = tmp_path / "more"
        more.write_text(f"waiting,imap://u@localhost:{liar.port},{tmp_path}/p\n" + listed.read_text())
        process = subprocess.Popen(words(target, source, more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True, start_new_session=True)
        assert process.stdout.readline()
        os.killpg(process.pid, sign)
    process.stdout.read()
    assert process.wait(lib.LIMIT_S) != 0
    done = pull(target, source, listed)
    assert done.returncode == 0, (done.stdout, done.stderr)
    check(source, target)


def test_the_worst_is_the_exit_code(source, target, listed, tmp_path):
    (tmp_path / "wrong").write_text("wrong\n")
    lines = listed.read_text().splitlines()
    lines[3] = lines[3].replace("/password", "/wrong")
    lines.append(f"nobody-here,{moving.url(source)},{tmp_path}/password")
    listed.write_text("\n".join(lines) + "\n")
    done = pull(target, source, listed)
    assert done.returncode in (67, 77) and len(done.stdout.splitlines() + done.stderr.splitlines()) >= len(USERS), done
    check(source, target, [user for user in USERS if user != lines[3].split(",")[0]])
