"""TFRecord: framing by google-crc32c, records by tfrecord's Example, labels by protobuf's text format."""

import struct
from pathlib import Path
from typing import Any

import google_crc32c
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from tfrecord import TFRecordWriter, example_pb2


def examples(path: Path) -> list[dict[str, list[Any]]]:
    """The features of each record; fails unless all checksums hold. Bytes are text of latin-1."""
    content, place, found = path.read_bytes(), 0, []
    while place < len(content):
        length = content[place : place + 8]
        (size,) = struct.unpack("<Q", length)
        _check(length, content[place + 8 : place + 12])
        record = content[place + 12 : place + 12 + size]
        _check(record, content[place + 12 + size : place + 16 + size])
        found.append(_features(example_pb2.Example.FromString(record)))
        place += 16 + size
    return found


def write(path: Path, records: list[dict[str, list[Any]]]) -> None:
    """Writes records with the package's writer; bytes are text of latin-1."""
    types = {str: "byte", int: "int", float: "float"}
    writer = TFRecordWriter(str(path))
    for record in records:
        features = {}
        for name, values in record.items():
            plain = [value.encode("latin-1") if isinstance(value, str) else value for value in values]
            features[name] = (plain, types[type(values[0])])
        writer.write(features)
    writer.close()


def label_map(path: Path) -> dict[str, int]:
    """Names and numbers of the label map."""
    file = descriptor_pb2.FileDescriptorProto(name="label_map.proto", syntax="proto2")
    item = file.message_type.add(name="Item")
    item.field.add(name="id", number=1, type=5, label=1)
    item.field.add(name="name", number=2, type=9, label=1)
    whole = file.message_type.add(name="Map")
    whole.field.add(name="item", number=1, type=11, label=3, type_name=".Item")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    message: Any = message_factory.GetMessageClass(pool.FindMessageTypeByName("Map"))()
    text_format.Parse(path.read_text("utf-8"), message)
    return {one.name: one.id for one in message.item}


def _check(content: bytes, told: bytes) -> None:
    checksum = google_crc32c.value(content)
    masked = (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) % 2**32
    assert struct.unpack("<I", told) == (masked,)


def _features(example: Any) -> dict[str, list[Any]]:
    found = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        values = list(getattr(feature, kind).value) if kind else []
        found[name] = [one.decode("latin-1") for one in values] if kind == "bytes_list" else values
    return found
