from services.export.tests.document import FILE, document


def test_the_page_of_formats_is_current() -> None:
    assert FILE.read_text() == document(), "run `python -m services.export.tests.document`"
