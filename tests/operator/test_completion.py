"""`imapctl completion`: what the shells themselves make of it."""
import os
import pathlib
import shutil
import subprocess

import pytest

import server as lib

LINES = {
    "imapctl us": {"user"},
    "imapctl user re": {"rename", "renew"},
    "imapctl start ": {"cas", "mailbox", "all"},
    "imapctl --json acl seen alice INBOX s": {"shared"},
    "imapctl user set alice --im": {"--imap=on", "--imap=off"},
    "imapctl user set alice --imap=of": {"--imap=off"},
    "imapctl user set alice --quota-st": {"--quota-storage="},
    "imapctl frobnicate ": set(),
}


def script(shell, folder):
    done = subprocess.run([lib.IMAPCTL, "completion", shell], capture_output=True, text=True, check=True)
    path = pathlib.Path(folder) / "_imapctl"
    path.write_text(done.stdout)
    return path


def answers(shell, program, folder, line):
    done = subprocess.run([shell, *program], capture_output=True, text=True, cwd=folder, timeout=lib.LIMIT_S,
                          env={"PATH": os.environ["PATH"], "HOME": str(folder), "LINE": line, "TERM": "dumb"})
    assert (done.returncode, done.stderr) == (0, "")
    return {answer.split("\t")[0] for answer in done.stdout.splitlines() if answer}


BASH = r"""source ./_imapctl
compopt() { :; }
IFS=' ' read -ra words <<<"${LINE//=/ = }"
[[ $LINE == *' ' ]] && words+=('')
COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1))
_imapctl
printf '%s\n' "${COMPREPLY[@]}"
"""


def test_bash(tmp_path):
    script("bash", tmp_path)
    for line, wanted in LINES.items():
        option = line.split()[-1].split("=")[0] + "=" if "=" in line else ""
        found = {option + answer for answer in answers("bash", ["-c", BASH], tmp_path, line)}
        assert found == wanted, line


ZSH = r"""compadd() { while [[ $1 != -- ]]; do shift; done; [[ $2 == $PREFIX* ]] && print -r -- $2; return 0 }
compset() { return 1 }
words=(${(z)LINE}); [[ $LINE == *' ' ]] && words+=('')
CURRENT=${#words} PREFIX=${words[-1]}
source ./_imapctl || true
"""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh(tmp_path):
    script("zsh", tmp_path)
    for line, wanted in LINES.items():
        assert answers("zsh", ["-f", "-c", ZSH], tmp_path, line) == wanted, line


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
def test_fish(tmp_path):
    script("fish", tmp_path)
    for line, wanted in LINES.items():
        found = answers("fish", ["-N", "-c", "source ./_imapctl; complete -C $LINE"], tmp_path, line)
        if "=" not in line:     # fish adds it, and the values, in a second step
            wanted = {answer.split("=")[0] for answer in wanted}
        assert found == wanted, line


def test_another_shell():
    done = subprocess.run([lib.IMAPCTL, "completion", "csh"], capture_output=True, text=True)
    assert done.returncode == 64 and "bash|zsh|fish" in done.stderr
