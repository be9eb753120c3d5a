"""Which labels of a place take the place of those that a task has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from yard.annotations.labels import Attribute, Label, LabelKind
from yard.runtime import errors

# Misfits that an error names one by one; `validate_only` tells them all.
MOST_NAMED: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """What keeps a label from being taken over; without an attribute, the label itself."""

    label: Label
    attribute: str = ""
    description: str

    def __str__(self) -> str:
        of_label = f"label {self.label.name}"
        return f"{f'attribute {self.attribute} of ' if self.attribute else ''}{of_label} {self.description}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Pairs of a label and the one that takes its place, and what stands in the way of others."""

    pairs: Sequence[tuple[Label, Label]]
    misfits: Sequence[Misfit] = ()
    left_behind: Sequence[str] = ()

    @property
    def unfit(self) -> list[int]:
        """Ids of the labels that do not match."""
        return sorted({misfit.label.id for misfit in self.misfits})

    @property
    def label_ids(self) -> dict[int, int]:
        """New ids by old ones."""
        return {old.id: new.id for old, new in self.pairs}

    @property
    def attribute_ids(self) -> dict[int, int]:
        """New ids by old ones."""
        return {
            attribute.id: by_name[attribute.name].id
            for old, new in self.pairs
            for by_name in [_by_name(new.attributes)]
            for attribute in old.attributes
        }

    def without(self, unused: Set[int]) -> Matching:
        """The same where labels with these ids may be left behind."""
        gone = dict.fromkeys(misfit.label.name for misfit in self.misfits if misfit.label.id in unused)
        return replace(
            self,
            misfits=[misfit for misfit in self.misfits if misfit.label.id not in unused],
            left_behind=list(gone),
        )


def matched(labels: Iterable[Label], place: Iterable[Label]) -> Matching:
    """The labels of a task beside those of the place where it goes, by name."""
    there = {label.name: label for label in place}
    pairs, misfits = [], []
    for label in labels:
        found = list(_misfits(label, there.get(label.name)))
        if found:
            misfits += found
        else:
            pairs.append((label, there[label.name]))
    return Matching(pairs=pairs, misfits=misfits)


def refusal(misfits: Sequence[Misfit], project_id: int) -> errors.FailedPrecondition:
    """The error that names what does not match, as far as a message holds it."""
    named = [str(misfit) for misfit in misfits[:MOST_NAMED]]
    if len(misfits) > MOST_NAMED:
        named.append(f"and {len(misfits) - MOST_NAMED} more")
    return errors.FailedPrecondition(
        f"labels do not match those of project {project_id}: {'; '.join(named)}",
        reason="LABELS_DO_NOT_MATCH",
        metadata={"misfits": str(len(misfits))},
    )


def _misfits(label: Label, there: Label | None) -> Iterator[Misfit]:
    if there is None:
        yield Misfit(label=label, description="is not there")
        return
    if there.kind not in (label.kind, LabelKind.ANY):
        wanted = f"is for {_word(label.kind)}, not for {_word(there.kind)} as there"
        yield Misfit(label=label, description=wanted)
    by_name = _by_name(there.attributes)
    for attribute in label.attributes:
        for description in _differences(attribute, by_name.get(attribute.name)):
            yield Misfit(label=label, attribute=attribute.name, description=description)


def _differences(attribute: Attribute, there: Attribute | None) -> Iterator[str]:
    if there is None:
        yield "is not there"
        return
    if attribute.input is not there.input or attribute.is_boolean is not there.is_boolean:
        yield f"is entered as {_entered(attribute)}, not as {_entered(there)} as there"
    elif not there.admits(attribute):
        yield "has values that are not allowed there"
    if attribute.mutable is not there.mutable:
        yield f"is {_mutability(attribute)}, not {_mutability(there)} as there"
    # Objects without a value have the default: it must stay what it was.
    if attribute.default != there.default:
        yield f"has the default {attribute.default[:40]!r}, not {there.default[:40]!r} as there"


def _by_name(attributes: Iterable[Attribute]) -> Mapping[str, Attribute]:
    return {attribute.name: attribute for attribute in attributes}


def _word(kind: LabelKind) -> str:
    return kind.name.lower()


def _entered(attribute: Attribute) -> str:
    return "true or false" if attribute.is_boolean else attribute.input.name.lower()


def _mutability(attribute: Attribute) -> str:
    return "mutable" if attribute.mutable else "immutable"
