from google.rpc import code_pb2, error_details_pb2, status_pb2
from yard.client.failures import ClientError, Violation


def status(code: int, message: str, *details: object) -> status_pb2.Status:
    made = status_pb2.Status(code=code, message=message)
    for detail in details:
        made.details.add().Pack(detail)
    return made


def test_violations_come_before_the_message() -> None:
    bad = error_details_pb2.BadRequest()
    bad.field_violations.add(field="overlap", description="must be 0 or more, got -1")
    bad.field_violations.add(field="name", description="must have 1 to 256 characters")
    fault = ClientError.from_status(status(code_pb2.INVALID_ARGUMENT, "2 faults", bad))
    assert fault.code == "INVALID_ARGUMENT"
    assert fault.lines() == ["overlap: must be 0 or more, got -1", "name: must have 1 to 256 characters"]
    assert fault.violations[0] == Violation(field="overlap", description="must be 0 or more, got -1")


def test_other_details_are_passed_over() -> None:
    info = error_details_pb2.ErrorInfo(reason="TASK_NOT_READY", domain="frameyard")
    fault = ClientError.from_status(status(code_pb2.FAILED_PRECONDITION, "no frames yet", info))
    assert fault.lines() == ["no frames yet"]


def test_codes_that_a_person_can_do_something_about_carry_a_hint() -> None:
    fault = ClientError.from_status(status(code_pb2.UNAUTHENTICATED, "a token is needed"))
    assert fault.lines() == ["a token is needed", "log in first: frameyard login"]


def test_a_status_without_words_is_named_by_its_code() -> None:
    assert ClientError.from_status(status(code_pb2.INTERNAL, "")).lines() == ["INTERNAL"]
    assert ClientError.from_status(status(99, "")).code == "UNKNOWN"
