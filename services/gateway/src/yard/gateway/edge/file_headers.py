"""Headers by which files come in steps, as the API's description has them."""

from typing import Any, Final


def _header(name: str, description: str, *, required: bool = False, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": schema or {"type": "string"},
    }


_NUMBER: Final[dict[str, Any]] = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}

VERSION: Final = _header("Tus-Resumable", "1.0.0, the version of tus.", type="string", enum=["1.0.0"])
OFFSET: Final = _header("Upload-Offset", "Bytes of the file that are there.", required=True, **_NUMBER)
OF_FILES: Final = [
    _header("Upload-Start", "Present: files will come in steps; what was left of others is dropped."),
    _header("Upload-Finish", "Present: all files are there."),
    _header("Upload-Length", "Announces a file of so many bytes, by tus.", **_NUMBER),
    _header("Upload-Metadata", "`filename` and the name in base64, of a file that is announced."),
    VERSION,
]
MANY: Final = _header("Upload-Multiple", "Present: the form holds some of the files.")
NAME: Final[dict[str, Any]] = {
    "name": "filename",
    "in": "query",
    "required": False,
    "description": "With Upload-Finish: what Upload-Filename told when the file was announced.",
    "schema": {"type": "string"},
}
OTHER_VERSION: Final = "Not a version of tus that is spoken here."
