"""Exchange formats in JSON."""

from frameyard.export.v1 import export_service_pb2
from pydantic import BaseModel


class FormatRead(BaseModel):
    """A format, as far as clients choose by it."""

    name: str
    ext: str
    version: str
    enabled: bool
    dimension: str


class FormatsRead(BaseModel):
    """What annotations are read from and written to."""

    importers: list[FormatRead]
    exporters: list[FormatRead]


def formats_read(formats: export_service_pb2.ListFormatsResponse) -> FormatsRead:
    """All formats; extensions of importers have those of files outside archives first."""
    return FormatsRead(
        importers=[
            _format(one, [*one.bare_extensions, one.extension]) for one in formats.formats if one.can_import
        ],
        exporters=[_format(one, [one.extension]) for one in formats.formats if one.can_export],
    )


def _format(one: export_service_pb2.Format, extensions: list[str]) -> FormatRead:
    _, _, version = one.name.rpartition(" ")
    return FormatRead(
        name=one.name,
        ext=", ".join(dict.fromkeys(extension.upper() for extension in extensions)),
        version=version if version[:1].isdigit() else "1.0",
        enabled=True,
        dimension="2d",
    )
