"""kill -9 in the middle of a move, of each process that takes part: nothing is lost, and a second run finishes it.

`make rehome-kills` does it REHOME_KILLS times for each; as a test, once.
"""
import os
import random

import pytest

import rehoming
import split

pytestmark = pytest.mark.skipif(not split.is_possible(), reason="network namespaces need root and iproute2")

KILLS = int(os.environ.get("REHOME_KILLS", "1"))


@pytest.fixture(scope="module")
def three():
    with split.SplitServer(mailbox_servers=2, cas_settings=["link-timeout 4"]) as running:
        running.add_user("ada", home=0)
        yield running


def test_killed_in_the_middle(three):
    seed = int(os.environ.get("REHOME_SEED", random.randrange(1 << 30) if KILLS > 1 else 1))
    chance = random.Random(seed)
    print("REHOME_SEED", seed)
    for number in range(KILLS):
        for victim in chance.sample(["source", "target", "cas", "imapctl"], 4):
            server = "mbx1" if rehoming.host_of(three, "ada") == "mbx2" else "mbx2"
            with rehoming.Traffic(three, "ada") as traffic:
                rehoming.kill_in_the_middle(three, "ada", server, victim, chance.uniform(0, 0.12))
                rehoming.finish(three, "ada", server)
            traffic.check()
            if KILLS > 1:
                print(number, victim, len(traffic.acknowledged), len(traffic.delivered), flush=True)
