"""What all Python tests share: one server for the tests that do not need their own."""
import itertools
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))

import server as lib  # noqa: E402

numbers = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "same_everywhere: what one session gets back and takes long to ask: it depends on neither "
                            "threads nor hosts, and is not asked again under ThreadSanitizer and over a link")


def pytest_collection_modifyitems(config, items):
    """With TOPOLOGY=split a test that starts servers of its own would be the same again."""
    if os.environ.get("TOPOLOGY") == "split":
        same = [item for item in items if "shared_server" not in item.fixturenames]
        config.hook.pytest_deselected(items=same)
        items[:] = [item for item in items if "shared_server" in item.fixturenames]


@pytest.fixture(scope="session")
def shared_server():
    """One process; with TOPOLOGY=split two, on hosts of their own as far as the network goes."""
    if os.environ.get("TOPOLOGY") == "split":
        import split
        if not split.is_possible():
            pytest.skip("network namespaces need root and iproute2")
        with split.SplitServer(settings=lib.EVERYTHING) as running:
            yield running
        return
    with lib.Server(settings=lib.EVERYTHING, users=()) as running:
        yield running


@pytest.fixture
def user(shared_server):
    """A user nobody else has."""
    name = f"user{next(numbers)}"
    shared_server.add_user(name)
    return name


@pytest.fixture
def client(shared_server, user):
    with shared_server.client(user) as connected:
        yield connected
