"""Describes every event as an AsyncAPI 3 document, from the protos and their comments.

`python tools/asyncapi.py PROTOS TARGET`: a FileDescriptorSet with source info, and the document to write.
"""

import sys
from pathlib import Path
from typing import Any

import yaml
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

# The numbers of fields in descriptor.proto, of which paths to comments are made.
_MESSAGES, _ENUMS, _FIELDS = 4, 5, 2
_WHOLE_64 = {"type": "integer", "format": "int64"}
_WHOLE_32 = {"type": "integer", "format": "int32"}
_SCALARS: dict[int, dict[str, str]] = {
    FieldDescriptorProto.TYPE_INT64: _WHOLE_64,
    FieldDescriptorProto.TYPE_UINT64: _WHOLE_64,
    FieldDescriptorProto.TYPE_INT32: _WHOLE_32,
    FieldDescriptorProto.TYPE_UINT32: _WHOLE_32,
    FieldDescriptorProto.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptorProto.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptorProto.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptorProto.TYPE_STRING: {"type": "string"},
    FieldDescriptorProto.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}
_GOOGLE: dict[str, dict[str, str]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "description": "Seconds, such as 1.5s."},
    "google.rpc.Status": {"type": "object", "description": "A google.rpc.Status: code, message, details."},
}
_HEADERS = {
    "ce-specversion": "1.0.",
    "ce-id": "Id of the event, a UUIDv7; a repeat carries the same.",
    "ce-type": "Full name of the message.",
    "ce-source": "Service that emitted it.",
    "ce-subject": "Key: what the event is about, and within which events keep their order.",
    "ce-time": "When the change was made, RFC 3339.",
    "ce-sequence": "Number of the event among those of its source, without gaps.",
    "ce-keyversion": "Number of the event among those of its source and key, without gaps.",
    "content-type": "application/protobuf.",
    "traceparent": "W3C trace context of the change; absent if it was not traced.",
}
_ABOUT = """\
Every change is told as an event: CloudEvents 1.0 in binary mode over NATS, in the JetStream stream EVENTS.
The body is the protobuf message; the schemas here show its fields. Events of one key keep their order.
An event may come again: its id says so.
"""


def document(protos: FileDescriptorSet) -> str:
    """The document as YAML; the set needs source info and imports."""
    book = _Book(protos)
    events = [
        (file, message)
        for file in protos.file
        if file.name.endswith("_events.proto")
        for message in file.message_type
    ]
    names = [f"{file.package}.{message.name}" for file, message in events]
    messages = {name: book.event(name) for name in names}
    content = {
        "asyncapi": "3.0.0",
        "info": {"title": "Frameyard events", "version": "1", "description": _ABOUT},
        "defaultContentType": "application/protobuf",
        "channels": {name: _channel(name) for name in names},
        "operations": {name: _operation(name) for name in names},
        "components": {
            "messages": messages,
            "messageTraits": {"cloudEvent": {"headers": _headers()}},
            "schemas": book.schemas,
        },
    }
    head = "# Generated from proto/ by `make generate`.\n---\n"
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def _channel(name: str) -> dict[str, Any]:
    package, _, event = name.rpartition(".")
    domain = package.split(".")[1]
    return {
        "address": f"frameyard.event.{domain}.{event}.{{key}}",
        "parameters": {"key": {"description": "The event's key, as in ce-subject."}},
        "messages": {event: {"$ref": f"#/components/messages/{name}"}},
    }


def _operation(name: str) -> dict[str, Any]:
    return {"action": "send", "channel": {"$ref": f"#/channels/{name}"}}


def _headers() -> dict[str, Any]:
    optional = {"traceparent"}
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": text} for name, text in _HEADERS.items()},
        "required": [name for name in _HEADERS if name not in optional],
    }


class _Book:
    """All messages and enums by full name with their comments; `schemas` gathers those that events need."""

    def __init__(self, protos: FileDescriptorSet) -> None:
        self.schemas: dict[str, Any] = {}
        self._messages: dict[str, tuple[DescriptorProto, dict[int, str]]] = {}
        self._enums: dict[str, EnumDescriptorProto] = {}
        self._comments: dict[str, str] = {}
        for file in protos.file:
            self._read(file)

    def event(self, name: str) -> dict[str, Any]:
        self._need(name)
        return {
            "name": name,
            "summary": self._comments[name],
            "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
            "payload": {"$ref": f"#/components/schemas/{name}"},
        }

    def _read(self, file: FileDescriptorProto) -> None:
        comments = {
            tuple(place.path): _one_line(place.leading_comments) for place in file.source_code_info.location
        }

        def read(message: DescriptorProto, name: str, path: tuple[int, ...]) -> None:
            fields = {
                number: comments.get((*path, _FIELDS, number), "") for number in range(len(message.field))
            }
            self._messages[name] = (message, fields)
            self._comments[name] = comments.get(path, "")
            for number, inner in enumerate(message.nested_type):
                read(inner, f"{name}.{inner.name}", (*path, 3, number))
            for inner_enum in message.enum_type:
                self._enums[f"{name}.{inner_enum.name}"] = inner_enum

        for number, message in enumerate(file.message_type):
            read(message, f"{file.package}.{message.name}", (_MESSAGES, number))
        for number, enum in enumerate(file.enum_type):
            self._enums[f"{file.package}.{enum.name}"] = enum
            self._comments[f"{file.package}.{enum.name}"] = comments.get((_ENUMS, number), "")

    def _need(self, name: str) -> None:
        if name in self.schemas:
            return
        self.schemas[name] = {}
        if name in self._enums:
            self.schemas[name] |= {
                "type": "string",
                "enum": [value.name for value in self._enums[name].value],
            }
            return
        message, comments = self._messages[name]
        properties = {
            field.name: self._field(field, comments[number]) for number, field in enumerate(message.field)
        }
        self.schemas[name] |= {
            "type": "object",
            "description": self._comments[name],
            "properties": properties,
        }

    def _field(self, field: FieldDescriptorProto, comment: str) -> dict[str, Any]:
        name = field.type_name.lstrip(".")
        if name in self._messages and self._messages[name][0].options.map_entry:
            value = self._value(self._messages[name][0].field[1])
            return {"description": comment, "type": "object", "additionalProperties": value}
        value = self._value(field)
        if field.label == FieldDescriptorProto.LABEL_REPEATED:
            return {"description": comment, "type": "array", "items": value}
        return {"description": comment} | ({"allOf": [value]} if "$ref" in value else value)

    def _value(self, field: FieldDescriptorProto) -> dict[str, Any]:
        name = field.type_name.lstrip(".")
        if not name:
            return dict(_SCALARS[field.type])
        if name in _GOOGLE:
            return dict(_GOOGLE[name])
        self._need(name)
        return {"$ref": f"#/components/schemas/{name}"}


def _one_line(comment: str) -> str:
    return " ".join(comment.split())


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(document(FileDescriptorSet.FromString(Path(sys.argv[1]).read_bytes())))
