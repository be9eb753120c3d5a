"""Tries every row of the table as everybody, and says what is not as it says.

What is to be refused is about scenes that are shared, and must change nothing at all. What is to be let in
gets a scene of its own each, and comes last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from tests.rights import scene as scenes
from tests.rights.calling import Call, Outcome, answer_of, methods, outcome
from tests.rights.people import PEOPLE, Who
from tests.rights.platform import Platform, services_of
from tests.rights.scene import Scene
from tests.rights.snapshot import differences, quiet
from tests.rights.table import Row

T = TypeVar("T")

Calls = Mapping[tuple[str, str], Call]

AT_ONCE: Final = 12
_METHODS: Final = methods()


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One method in one case, of one service, as one person."""

    row: Row
    call: Call
    service: str
    who: Who

    @property
    def expected(self) -> str:
        """What the table says."""
        return self.row.answer(self.who.key)

    def __str__(self) -> str:
        """For who reads what failed."""
        case = f" ({self.row.case})" if self.row.case else ""
        return f"{self.row.method}{case} of {self.service} as {self.who.key}"


def tries_of(rows: Iterable[Row], calls: Calls) -> list[Try]:
    """All of them."""
    return [
        Try(row=row, call=calls[row.method, row.case], service=service, who=who)
        for row in rows
        for service in services_of(row.method)
        for who in PEOPLE.values()
    ]


async def faults_of(platform: Platform, tries: Sequence[Try]) -> list[str]:
    """What is wrong, a line each."""
    matrix = _Matrix(platform)
    alone = [each for each in tries if each.call.alone]
    others = [each for each in tries if not each.call.alone]
    faults = await matrix.alone(alone)
    faults += await matrix.refused([each for each in others if each.expected != "yes"])
    faults += await matrix.let_in([each for each in others if each.expected == "yes"])
    return [fault for fault in faults if fault]


@dataclass(slots=True)
class _Matrix:
    platform: Platform
    shared: dict[tuple[Any, ...], Scene] = field(default_factory=dict)

    async def alone(self, tries: Sequence[Try]) -> list[str]:
        """All about one scene, one after the other; who is let in comes last and finds it as it was."""
        if not tries:
            return []
        scene = await self._scene(tries[0])
        in_order = sorted(tries, key=lambda each: each.expected == "yes")
        return [await self._fault(each, scene) for each in in_order]

    async def refused(self, tries: Sequence[Try]) -> list[str]:
        """About shared scenes."""
        for each in tries:
            await self._shared(each)
        before = await quiet(self.platform)

        async def fault(each: Try) -> str:
            return await self._fault(each, await self._shared(each))

        faults = await _at_once(tries, fault)
        return [*faults, *differences(before, await quiet(self.platform))]

    async def let_in(self, tries: Sequence[Try]) -> list[str]:
        """Each about a scene of its own."""

        async def fault(each: Try) -> str:
            return await self._fault(each, await self._scene(each))

        return await _at_once(tries, fault)

    async def _fault(self, each: Try, scene: Scene) -> str:
        """What is wrong with the answer, "" if nothing is."""
        found = await self._called(each, scene)
        if (answer := answer_of(found, each.call, scene)) != each.expected:
            return f"{each}: {answer} instead of {each.expected}"
        if answer != "hidden" or not each.call.has_target:
            return ""
        for asked in (scene, scene.otherwise_written()):
            absent = asked.absent(each.call.targets)
            nothing = await self._called(each, absent)
            found = found if asked is scene else await self._called(each, asked)
            if _alike(nothing, absent, asked) != found:
                return f"{each}: {found} is not {nothing}"
        return ""

    async def _called(self, each: Try, scene: Scene) -> Outcome:
        channel = self.platform.channel(each.service, each.who)
        return await outcome(channel, _METHODS[each.row.method], each.call.request(scene))

    async def _shared(self, each: Try) -> Scene:
        call = each.call
        key = (each.who.key, call.in_project, call.before, call.parts, call.parts and each.service)
        if key not in self.shared:
            self.shared[key] = await self._scene(each)
        return self.shared[key]

    async def _scene(self, each: Try) -> Scene:
        call = each.call
        scene = await scenes.make(self.platform, each.who, in_project=call.in_project)
        for part in call.parts:
            scene = await part(self.platform, scene, each.who, each.service)
        if call.before:
            await self.platform.db("task").execute(call.before, scene.task, scene.project)
        return scene


def _alike(nothing: Outcome, absent: Scene, asked: Scene) -> Outcome:
    """As if it had been about what was asked; names may come back as they are written usually."""
    for (_, old), (_, new) in zip(absent.names().items(), asked.names().items(), strict=True):
        if old:
            nothing = nothing.renamed(old, new).renamed(old.lower(), new.lower())
    return nothing


async def _at_once(tries: Sequence[Try], run: Callable[[Try], Awaitable[T]]) -> list[T]:
    """All of them, some at the same time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(each: Try) -> T:
        async with places:
            return await run(each)

    return await asyncio.gather(*map(one, tries))
