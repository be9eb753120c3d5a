"""How tests are spread over processes: loaded by `-p yard.testkit.spreading` (see pyproject.toml).

pytest-xdist has a mark for tests that belong together, but 3.8 writes it into an attribute that pytest 9.2 no
longer reads: the marked tests went to any process, and each process started servers of its own for them.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

OPTION = "together"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The folders and files."""
    parser.addini(
        OPTION, "folders and files whose tests run in one process, longest first", type="linelist", default=[]
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts what takes long in front: begun last, it would leave the other processes with nothing to do."""
    order = config.getini(OPTION)
    items.sort(key=lambda item: _place(order, item.nodeid))


def pytest_collection_finish() -> None:
    """Spares the collector of garbage thousands of tests, which stay to the end, in each of its rounds."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """For `--dist loadgroup`: what lies in one of those places is a group, all else goes one by one."""
    if config.getoption("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Spreading(LoadScopeScheduling):  # type: ignore[misc]  # it comes without types
        def _split_scope(self, nodeid: str) -> str:
            order = self.config.getini(OPTION)
            place = _place(order, nodeid)
            return str(order[place]) if place < len(order) else nodeid

    return Spreading(config, log)


def _place(order: list[str], nodeid: str) -> int:
    """Where in the order the test stands; behind it if it belongs nowhere."""
    path = nodeid.partition("::")[0]
    places = (place for place, start in enumerate(order) if path == start or path.startswith(f"{start}/"))
    return next(places, len(order))
