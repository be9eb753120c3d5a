"""People who work with the chunks of several tasks over days, as a sequence of calls."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

DAY_S = 86_400.0
HOUR_S = 3_600.0
TASKS, CHUNKS, JOB_CHUNKS = 12, 20, 5


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Call:
    """GetChunk by number, or GetPreview of the first frame of that chunk, `at_s` after the beginning."""

    at_s: float
    task: int
    quality: Literal["compressed", "preview"]
    number: int


def calls(days: int, seed: int = 7) -> Iterator[Call]:
    """All calls of everybody in order of time."""
    random = Random(seed)
    jobs = [(task, first) for task in range(TASKS) for first in range(0, CHUNKS, JOB_CHUNKS)]
    random.shuffle(jobs)
    sessions: list[Iterable[Call]] = []
    for day in range(days):
        morning = day * DAY_S + 8 * HOUR_S
        today, yesterday = jobs[day * 4 : day * 4 + 4], jobs[max(0, day - 1) * 4 : day * 4]
        sessions += [_annotates(random, morning + number * 1_200, job) for number, job in enumerate(today)]
        sessions += [_reviews(random, morning + random.uniform(0, 4) * HOUR_S, job) for job in yesterday]
        sessions += [_lists(random, morning + random.uniform(0, 9) * HOUR_S) for _ in range(6)]
        sessions.append(_exports(morning + random.uniform(2, 8) * HOUR_S, random.sample(range(TASKS), 3)))
    return heapq.merge(*(sorted(session) for session in sessions))


def _annotates(random: Random, at_s: float, job: tuple[int, int]) -> Iterator[Call]:
    """Forward with steps back, twice: first to draw, in the afternoon to look it over."""
    task, first = job
    for begin_s, pace_s in ((at_s, 2_400), (at_s + 5 * HOUR_S, 600)):
        now_s = begin_s
        for number in range(first, first + JOB_CHUNKS):
            for each in (number, *_steps_back(random, number, first)):
                yield Call(at_s=now_s, task=task, quality="compressed", number=each)
                now_s += pace_s * random.uniform(0.1, 0.5)


def _steps_back(random: Random, number: int, first: int) -> Iterator[int]:
    while number > first and random.random() < 0.4:
        number -= 1
        yield number
        yield number + 1


def _reviews(random: Random, at_s: float, job: tuple[int, int]) -> Iterator[Call]:
    """Jumps about."""
    task, first = job
    for step in range(JOB_CHUNKS * 2):
        number = first + random.randrange(JOB_CHUNKS)
        yield Call(at_s=at_s + step * 60, task=task, quality="compressed", number=number)


def _lists(random: Random, at_s: float) -> Iterator[Call]:
    """A page of tasks with their pictures."""
    for task in sorted(random.sample(range(TASKS), 8)):
        yield Call(at_s=at_s, task=task, quality="preview", number=0)


def _exports(at_s: float, tasks: Iterable[int]) -> Iterator[Call]:
    """Whole data sets from the first chunk to the last."""
    for task in tasks:
        for number in range(CHUNKS):
            at_s += 2
            yield Call(at_s=at_s, task=task, quality="compressed", number=number)
