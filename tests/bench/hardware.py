"""What was measured, when, and on what."""
import os
import pathlib
import re
import subprocess
import time

from rivals import ROOT


def output(*words):
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True).stdout.strip()


def describe():
    """The date, the commit, the machine and what it did beside: an entry of the results."""
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    changed = " and changes" if output("git", "status", "--porcelain", "--untracked-files=no") else ""
    return {"date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "commit": output("git", "rev-parse", "--short=10", "HEAD") + changed,
            "machine": f"{len(os.sched_getaffinity(0))} cores ({processor[1] if processor else 'unknown'}), "
                       f"{int(memory[1]) / 2**20:.0f} GiB, Linux {os.uname().release.split('-')[0]}",
            "load": f"{os.getloadavg()[1]:.1f}", "dovecot_version": output("dovecot", "--version").split(" ")[0]}
