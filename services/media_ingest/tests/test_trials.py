from yard.media_ingest.handlers.trials import Trial


def careful(patience_s: float) -> Trial:
    trial = Trial(limit_s=0.0, patience_s=patience_s)
    assert trial.goes_on(is_late=False), "the first crash makes it careful"
    assert trial.is_careful
    trial.note(3)
    return trial


def test_a_member_that_kills_is_left_out_however_long_its_child_took_to_start() -> None:
    trial = careful(patience_s=60.0)
    assert trial.goes_on(is_late=False)
    assert trial.deadly == [3]


def test_a_member_that_holds_up_is_left_out_but_not_the_one_at_which_a_slow_archive_ran_out_of_time() -> None:
    assert not careful(patience_s=60.0).goes_on(is_late=True)
    held_up = careful(patience_s=0.0)
    assert held_up.goes_on(is_late=True)
    assert held_up.deadly == [3]


def test_a_crash_between_members_is_the_archives_own() -> None:
    trial = careful(patience_s=60.0)
    trial.note(None)
    assert not trial.goes_on(is_late=False)
