"""Files that are read as text say what a parser would tell of them."""

from xml.etree.ElementTree import fromstring

from hypothesis import given
from hypothesis import strategies as st
from yard.export.formats.labelme_plain import plainly_said
from yard.export.formats.labelme_tree import said_by_tree
from yard.export.wording.xml_text import text

BLANKS = st.sampled_from(["", " ", "\n", "\n    ", "\t"])
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r", exclude_categories=("Cc", "Cs", "Cn")), max_size=12
)
DECLARATIONS = ("", '<?xml version="1.0"?>', "<?xml version='1.0' encoding='utf-8'?>")
NAMES = ("name", "deleted", "verified", "occluded", "date", "id", "type", "attributes")


@st.composite
def leaves(draw: st.DrawFn, name: str, texts: st.SearchStrategy[str] = TEXTS) -> str:
    said = draw(texts)
    if not said and draw(st.booleans()):
        return f"<{name}/>" + draw(BLANKS)
    return f"<{name}>{text(said)}</{name}>" + draw(BLANKS)


@st.composite
def objects(draw: st.DrawFn) -> str:
    blank = draw(BLANKS)
    before = [draw(leaves(name)) for name in NAMES[:6] if name == "name" or draw(st.booleans())]
    parts = ""
    if draw(st.booleans()):
        parts = f"<parts>{blank}{draw(leaves('hasparts'))}{draw(leaves('ispartof'))}</parts>{blank}"
    kind = draw(leaves("type")) if draw(st.booleans()) else ""
    numbers = st.floats(0, 999).map(repr)
    points = [
        f"<pt>{blank}{draw(leaves('x', numbers))}{draw(leaves('y', numbers))}</pt>{blank}"
        for _ in range(draw(st.integers(0, 4)))
    ]
    user = draw(leaves("username")) if draw(st.booleans()) else ""
    place = f"<polygon>{blank}{''.join(points)}{user}</polygon>{blank}"
    after = draw(leaves("attributes")) if draw(st.booleans()) else ""
    return f"<object>{blank}{''.join(before)}{parts}{kind}{place}{after}</object>{blank}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    blank = draw(BLANKS)
    name = draw(leaves("filename"))
    folder = draw(leaves("folder")) if draw(st.booleans()) else ""
    inner = "".join(draw(st.lists(objects(), max_size=3)))
    declared = draw(st.sampled_from(DECLARATIONS))
    return f"{declared}{blank}<annotation>{blank}{name}{folder}{inner}</annotation>{blank}"


@given(documents())
def test_what_is_plain_is_read_as_a_parser_reads_it(document: str) -> None:
    plain = plainly_said(document.encode())
    if "&" in document:
        assert plain is None
    elif plain is not None:
        assert plain == said_by_tree(fromstring(document))


PLAIN = (
    "<annotation><filename>a.png</filename><object><name>car</name><deleted>0</deleted><occluded>no</occluded>"
    "<id>0</id><polygon><pt><x>1.5</x><y>2</y></pt></polygon><attributes/></object></annotation>"
)


def test_the_usual_file_is_plain() -> None:
    found = plainly_said(PLAIN.encode())
    assert found is not None
    assert found.objects[0].coordinates == ["1.5", "2"]


def test_what_needs_a_parser_is_not_plain() -> None:
    for changed in (
        PLAIN.replace("car", "c&amp;r"),
        PLAIN.replace("car", "c<!-- -->r"),
        PLAIN.replace("car", "<![CDATA[car]]>"),
        PLAIN.replace("car", "c\rr"),
        PLAIN.replace("car", "c\x01r"),
        PLAIN.replace("<name>", '<name a="b">'),
        PLAIN.replace("</annotation>", ""),
        PLAIN.replace("</pt>", "</pt><pt>"),
        PLAIN + "<annotation/>",
        PLAIN + "text",
    ):
        assert plainly_said(changed.encode()) is None
    assert plainly_said(PLAIN.replace("car", "é").encode("latin-1")) is None
