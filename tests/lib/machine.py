"""A machine of one's own for a script: the real paths of /etc, /var/lib and /run, and ports below 1024, of which nothing
is left behind.  Root is needed for the namespaces."""
import contextlib
import fcntl
import os
import subprocess

import pytest

import server as lib

PREPARE = """set -e
mount -t tmpfs tmpfs /mnt
for folder in etc var/lib; do
    mkdir -p /mnt/$folder.upper /mnt/$folder.work
    mount -t overlay overlay -o lowerdir=/$folder,upperdir=/mnt/$folder.upper,workdir=/mnt/$folder.work /$folder
done
rm -rf /etc/imapd /var/lib/imapd
mount -t tmpfs tmpfs /run
ip link set lo up
set +e
"""
UNSHARE = ["unshare", "--mount", "--net", "--propagation", "private", "bash", "-c"]


@contextlib.contextmanager
def hold_accounts(how):
    """Meanwhile users and groups of this machine stay as they are, but for whoever holds them alone."""
    with open(f"/tmp/imapd-test-accounts-{os.getuid()}", "ab") as lock:
        fcntl.flock(lock, how)
        yield


def change_accounts(*words):
    """Run useradd, groupadd and their kind: one at a time on the machine, since each wants the system's files alone."""
    with hold_accounts(fcntl.LOCK_EX):
        done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: {done.stderr}"


def need_machine():
    """Skip, with the reason, where there cannot be one."""
    if os.geteuid() != 0:
        pytest.skip("root is needed for namespaces")
    for tool in ("unshare", "ip", "mount"):
        lib.need(tool)
    tried = subprocess.run([*UNSHARE, PREPARE + "exit 0"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no namespaces here: {tried.stderr.strip()[:100]}")


def run(script, **how):
    """Run a script in a new machine, where imapd and imapctl are in the PATH.  Below its /etc lies the one of this machine."""
    path = f"{lib.IMAPD.parent}:/usr/sbin:/usr/bin:/sbin:/bin"
    with hold_accounts(fcntl.LOCK_SH):
        return subprocess.run([*UNSHARE, PREPARE + script], text=True, capture_output=True, timeout=lib.LIMIT_S,
                              env={**os.environ, "PATH": path}, **{"stdin": subprocess.DEVNULL, **how})
