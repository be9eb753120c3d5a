"""Tracks without the frames that are deleted."""

from collections.abc import Callable, Iterable, Iterator

from yard.export.datasets.drawn import Drawn

State = tuple[Drawn, bool]
Following = Callable[[int], int | None]


def without_deleted(states: Iterable[State], shown_from: Following) -> Iterator[State]:
    """The states of a track that are on shown frames.

    Where deleted frames hide a keyframe, the states before and after them become keyframes, and a track that
    ends on a deleted frame ends on the following one: who interpolates finds the same states.
    """
    held: State | None = None
    hidden: list[State] = []
    for state in states:
        if shown_from(state[0].frame) != state[0].frame:
            if hidden and shown_from(hidden[-1][0].frame) != shown_from(state[0].frame):
                yield from _before(held, hidden, shown_from, upto=state[0].frame)
                held, hidden = None, []
            # Only the last one matters, and whether there was a keyframe.
            hidden = [state] if state[0].is_keyframe or not hidden else hidden
            continue
        if any(one.is_keyframe for one, _ in hidden):
            yield from _before(held, hidden, shown_from, upto=state[0].frame)
            held, state = None, _as_keyframe(state)
        elif held is not None:
            yield held
        held, hidden = state, []
    if any(one.is_keyframe for one, _ in hidden):
        yield from _before(held, hidden, shown_from, upto=None)
    elif held is not None:
        yield held


def _before(
    held: State | None, hidden: list[State], shown_from: Following, *, upto: int | None
) -> Iterator[State]:
    """The state before deleted frames, and after them the end of a track that they hide."""
    if held is None:
        return
    yield held if held[1] else _as_keyframe(held)
    last, is_outside = hidden[-1]
    after = shown_from(last.frame)
    if is_outside and not held[1] and after is not None and (upto is None or after < upto):
        yield last._replace(frame=after), True


def _as_keyframe(state: State) -> State:
    return state[0]._replace(is_keyframe=True), state[1]
