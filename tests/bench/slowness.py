"""A clock for a server that goes a thousand times slower: nothing falls into a count because time has passed."""
import os
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).parent / "slow_clock.c"


def slow_clock(folder):
    """Words before a command line, which have it run so."""
    shim = folder / "slow_clock.so"
    if not shim.exists():
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", shim, SOURCE], check=True)
    return "env", f"LD_PRELOAD={shim}"
