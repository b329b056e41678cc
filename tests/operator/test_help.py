"""`imapctl VERB --help`: from the same tables as everything else, with an example that fits."""
import re
import shlex
import subprocess

import pytest

import server as lib
from server import IMAPCTL


def run(*words):
    return subprocess.run([IMAPCTL, *words], capture_output=True, input="secret\n", text=True, timeout=lib.LIMIT_S)


def verbs():
    page = (lib.ROOT / "man/imapctl.8").read_text()
    return [name.split() for name in re.findall(r"^\.It Ic ([a-z-]+(?: [a-z-]+)?)(?: (?:Ar|Oo|Op|Cm|Fl)|$)", page, re.M)]


@pytest.mark.parametrize("verb", verbs(), ids=" ".join)
def test_verb(verb, tmp_path):
    done = run(*verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    example, usage, options = re.fullmatch(
        r"Example:\n  imapctl (.*)\n\nUsage:\n  imapctl (.*(?:\n {10}.*)*)\n(?: {6}\S.*\n)+\n"
        r"Options:\n((?:  --.*\n(?: {36}.*\n)*)+)\nSee imapctl\(8\)\.\n",
        done.stdout).groups()
    assert example.split()[:len(verb)] == verb and usage.split()[:len(verb)] == verb
    of_all = {"config", "json", "timeout", "help"}
    assert set(re.findall(r"--([a-z-]+)", usage)) <= set(re.findall(r"^  --([a-z-]+)", options, re.M)) - of_all
    if verb not in (["setup"], ["doctor"], ["clientconfig"], ["link-key"], ["completion"], ["sysreport"]):      # need no server
        words = shlex.split(example.split(" < ")[0])
        done = run(*words, f"--config={tmp_path}/missing.conf")
        assert "usage" not in done.stderr and "option" not in done.stderr, "it fits the verb, and then something is missing"
        assert done.returncode in (66, 78) or "say --yes" in done.stderr


def test_a_family():
    done = run("user", "--help")
    assert done.returncode == 0 and len(re.findall("^  user ", done.stdout, re.M)) == sum(verb[0] == "user" for verb in verbs())
    assert run("frobnicate", "--help").returncode == 64


@pytest.mark.parametrize("words", [["--help"], ["user", "--help"], *([*verb, "--help"] for verb in verbs())], ids=" ".join)
def test_it_fits_a_terminal(words):
    assert [line for line in run(*words).stdout.splitlines() if len(line) >= 80 and "/" not in line] == []
