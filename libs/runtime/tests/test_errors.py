import grpc
import pytest
from google.rpc import status_pb2
from yard.runtime import errors
from yard.runtime.errors import tree


def all_errors(cls: type[errors.YardError] = errors.YardError) -> list[type[errors.YardError]]:
    """The classes of the tree's own module, root first."""
    below = [found for child in cls.__subclasses__() for found in all_errors(child)]
    return [cls, *below] if cls.__module__ == tree.__name__ else below


def example(cls: type[errors.YardError]) -> errors.YardError:
    if cls is errors.NotFound:
        return errors.NotFound("task", 12)
    return cls("what happened", metadata={"key": "value"})


def test_every_error_stands_in_each_table() -> None:
    for table in (errors.GRPC_STATUS, errors.HTTP_STATUS, errors.ACK_DECISION):
        assert set(table) == set(all_errors())


def test_every_error_is_offered_and_described() -> None:
    assert {cls.__name__ for cls in all_errors()} <= set(errors.__all__)
    assert all(cls.__name__ in (tree.__doc__ or "") for cls in all_errors())
    assert all(cls.__doc__ for cls in all_errors())


def test_reasons_are_unique_and_follow_the_name() -> None:
    reasons = [cls.reason for cls in all_errors()]
    assert len(set(reasons)) == len(reasons)
    assert errors.FailedPrecondition.reason == "FAILED_PRECONDITION"
    assert errors.InvalidArgument("x", reason="NAME_TAKEN").reason == "NAME_TAKEN"
    assert errors.InvalidArgument("x").reason == "INVALID_ARGUMENT"


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_every_error_survives_the_wire(cls: type[errors.YardError]) -> None:
    error = example(cls)
    status = errors.to_status(error)
    again = errors.from_status(status_pb2.Status.FromString(status.SerializeToString()))
    assert type(again) is cls
    assert (again.message, again.reason) == (error.message, error.reason)
    assert again.metadata == error.metadata
    assert status.code == errors.grpc_status(error).value[0]
    assert 400 <= errors.http_status(error) < 600


def test_details_survive_the_wire() -> None:
    invalid = errors.invalid("a", "is wrong") + errors.invalid("b.c", "too")
    found = errors.from_status(errors.to_status(invalid))
    assert isinstance(found, errors.InvalidArgument)
    assert found.violations == (errors.Violation("a", "is wrong"), errors.Violation("b.c", "too"))
    assert found.message == "a: is wrong; b.c: too"

    exhausted = errors.from_status(errors.to_status(errors.ResourceExhausted("later", 1.5)))
    assert exhausted.retry_after_s == 1.5
    assert errors.from_status(errors.to_status(errors.ResourceExhausted("later"))).retry_after_s is None

    missing = errors.from_status(errors.to_status(errors.NotFound("task", 12)))
    assert isinstance(missing, errors.NotFound)
    assert (missing.kind, missing.name, missing.message) == ("task", "12", "task 12 was not found")


def test_a_subclass_of_a_service_means_what_its_parent_means() -> None:
    class TooMany(errors.ResourceExhausted):
        """Of some service."""

    error = TooMany("stop")
    assert error.reason == "TOO_MANY"
    assert errors.grpc_status(error) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (errors.http_status(error), errors.ack_decision(error)) == (429, "retry")
    again = errors.from_status(errors.to_status(error))
    assert type(again) is errors.ResourceExhausted
    assert again.reason == "TOO_MANY"


@pytest.mark.parametrize("code", [1, 2, 15, 99])
def test_any_code_becomes_an_error(code: int) -> None:
    found = errors.from_status(status_pb2.Status(code=code, message="of another make"))
    assert isinstance(found, errors.YardError)
    assert found.message == "of another make"


def test_every_code_that_grpc_has_is_known() -> None:
    for code in grpc.StatusCode:
        if code is not grpc.StatusCode.OK:
            found = errors.from_status(status_pb2.Status(code=code.value[0], message="x"))
            same = errors.grpc_status(found) is code
            assert same or code is grpc.StatusCode.UNKNOWN


def test_what_helps_to_repeat_is_repeated() -> None:
    assert errors.is_permanent(errors.Poison("x"))
    assert errors.is_permanent(errors.invalid("a", "b"))
    assert not errors.is_permanent(errors.Unavailable("x"))
    assert not errors.is_permanent(errors.Conflict("x"))
    assert not errors.is_permanent(errors.Cancelled("x"))
