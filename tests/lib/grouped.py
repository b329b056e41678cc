"""A server that sees a group file of its own: daemon (1) may look, bin (2) may change, games (5) neither."""
import os
import shutil
import subprocess

import pytest

import server as lib

GROUPS = "root:x:0:\ndaemon:x:1:\nbin:x:2:\nimapd-view:x:9001:daemon\nimapd-admin:x:9002:bin\n"
VIEW, CHANGE, NEITHER = 1, 2, 5


def skip_unless_possible():
    if os.geteuid() != 0:
        pytest.skip("needs root, to be others")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        pytest.skip("no mount namespaces here")


class Grouped(lib.Server):
    def start(self):
        (self.folder / "group").write_text(GROUPS)
        self.folder.chmod(0o711)
        self.reachable = shutil.copy(lib.IMAPD, self.folder / "imapctl")     # a clone in /root is not
        self.prefix = ["unshare", "--mount", "sh", "-c", f'mount --bind {self.folder}/group /etc/group && exec "$@"', "sh"]
        return super().start()

    def as_user(self, uid, *words):
        return subprocess.run([self.reachable, f"--config={self.config}", *words], user=uid, group=uid, extra_groups=[],
                              capture_output=True, text=True, timeout=lib.LIMIT_S)
