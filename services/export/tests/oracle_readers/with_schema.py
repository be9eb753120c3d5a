"""XML schemas, held by xmlschema."""

from pathlib import Path

import xmlschema


def faults(path: Path, schema: str) -> list[str]:
    """What is wrong with an XML file by the schema, with its place."""
    known = xmlschema.XMLSchema(schema)
    return [f"{fault.path}: {fault.reason}" for fault in known.iter_errors(str(path))]
