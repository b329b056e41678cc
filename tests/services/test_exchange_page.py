"""imapd-exchange(7): the commands of its examples, in the order of the page, print what the page says."""
import os
import pwd
import re

import server as lib

PAGE = lib.ROOT / "man/imapd-exchange.7"
NOT_HERE = ("systemctl", "journalctl", "usermod", "openssl")


def examples():
    """(command, the lines printed under it) of every block."""
    for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", PAGE.read_text(), re.M | re.S):
        command, shown = None, []
        for line in block.replace("\\&", "").splitlines():
            if not line.startswith("# "):
                shown.append(line)
                continue
            if command:
                yield command, shown
            command, shown = line[2:], []
        if command:
            yield command, shown


def is_as_shown(printed, shown):
    """Word for word; a time stands for any time, the operator's name for whoever runs the tests, and a
    line of three dots for more lines."""
    for line, wanted in zip(printed, shown):
        if wanted == "...":
            return True
        words, expected = line.split(), wanted.split()
        if len(words) != len(expected):
            return False
        for word, want in zip(words, expected):
            is_same = word == want or (want == "root" and word == operator())
            if not is_same and not (re.match(r"\d{4}-\d\d-\d\dT", want) and re.match(r"\d{4}-\d\d-\d\dT", word)):
                return False
    return len(printed) == len(shown)


def operator():
    """Who runs the tests."""
    return pwd.getpwuid(os.getuid()).pw_name


def test_examples():
    count = 0
    with lib.Server(settings=["start-services no", "drain-time 1"], users=("alice",)) as server:
        for command, shown in examples():
            words = command.split()
            if words[0] in NOT_HERE:
                continue
            assert words[0] == "imapctl", command
            done = server.imapctl(*words[1:], check=False)
            assert done.returncode == 0, (command, done)
            if shown or words[1] in ("start", "stop", "drain", "net"):
                assert is_as_shown(done.stdout.splitlines(), shown), (command, done.stdout, shown)
            count += 1
    assert count > 15


def test_every_setting_exists():
    """What the page calls an option is one, and what it calls a verb is one."""
    known = lib.ROOT.joinpath("man/imapd.conf.5").read_text()
    for line in PAGE.read_text().splitlines():
        found = re.search(r"(?:^\.|Ta )Ic ([a-z-]+)(?: , ([a-z-]+))?", line)
        for option in found.groups() if found else ():
            assert option is None or f".It Ic {option}" in known, option
