"""Faults of services in the words of clients."""

import pytest
from yard.gateway.cvat.faults import OF_JOBS, OF_LABEL, OF_TASKS, field_of, told
from yard.runtime import errors


@pytest.mark.parametrize(
    ("names", "path", "field"),
    [
        (OF_TASKS, "task.name", "name"),
        (OF_TASKS, "task.owner", "owner_id"),
        (OF_TASKS, "project.issue_tracker", "bug_tracker"),
        (OF_TASKS, "labels[10].attributes[2].input", "labels.10.attributes.2.input_type"),
        (OF_LABEL, "labels[0].kind", "type"),
        (OF_LABEL, "labels[0].attributes[1].values[0]", "attributes.1.values.0"),
        (OF_JOBS, "job.assignee", "assignee"),
        (OF_JOBS, "assignee_id", "assignee"),
        (OF_JOBS, "issue.position", "position"),
        (OF_JOBS, "", ""),
    ],
)
def test_fields_have_the_names_that_clients_gave(names: dict[str, str], path: str, field: str) -> None:
    assert field_of(path, names) == field


def test_other_errors_pass() -> None:
    with pytest.raises(errors.NotFound), told(OF_TASKS):
        raise errors.NotFound("task", "1")
    with pytest.raises(errors.InvalidArgument, match="taken") as caught, told(OF_TASKS):
        raise errors.InvalidArgument("taken", [errors.Violation("task.name", "taken")], reason="TAKEN")
    assert caught.value.violations == (errors.Violation("name", "taken"),)
    assert caught.value.reason == "TAKEN"
