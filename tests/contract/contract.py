"""The wire contract as data, and the judgement whether an answer conforms to it."""

from __future__ import annotations

import ipaddress
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

_DATA = Path(__file__).with_name("operations.json")
_PARAMETER = re.compile(r"\{[^}]+\}")

formats = FormatChecker(formats=())


@formats.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(uuid.UUID(value)) == value.lower()


@formats.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@formats.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or date.fromisoformat(value).isoformat() == value


@formats.checks("ipv4", raises=ValueError)
def _is_ipv4(value: object) -> bool:
    return not isinstance(value, str) or bool(ipaddress.IPv4Address(value))


@formats.checks("uri")
def _is_absolute_url(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


@dataclass(frozen=True)
class Operation:
    """One of the contract's operations."""

    method: str
    path: str
    request: Mapping[str, Any]
    responses: Mapping[str, Mapping[str, Any]]

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def route(self) -> str:
        """The form in which operations and the product's routes are compared."""
        return route_of(self.method, self.path)


class Contract:
    """Every operation of the contract and the schemas they share."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.operations = {
            operation.key: operation
            for operation in (
                Operation(o["method"], o["path"], o["request"], o["responses"]) for o in data["operations"]
            )
        }
        self._definitions: Mapping[str, Any] = data["schemas"]

    @classmethod
    def load(cls) -> Contract:
        return cls(json.loads(_DATA.read_text()))

    def response_problems(self, operation: Operation, status: int, media: str, body: Any) -> list[str]:
        """Sentences about how an answer departs from the contract; empty when it conforms.

        Beyond the schema, a success must carry every property that the schema knows: the official answers do, and
        clients read them without asking whether they are there.
        """
        documented = operation.responses.get(str(status), operation.responses.get(f"{status // 100}XX"))
        if documented is None:
            return [f"status {status} is not among {', '.join(operation.responses)}"]
        if not documented:  # errors are described in words only; they may have any body
            return [] if status >= 400 or body in (None, b"", "") else [f"status {status} must have an empty body"]
        if media not in documented:
            return [f"content type {media} is not among {', '.join(documented)}"]
        if media != "application/json":
            return []
        problems = self.schema_problems(documented[media], body)
        if 200 <= status < 300:
            problems += [f"{path} is missing" for path in self.missing(documented[media], body)]
        return problems

    def request_problems(self, operation: Operation, media: str, body: Any) -> list[str]:
        """Sentences about how a request body departs from the contract."""
        return self.schema_problems(operation.request[media], body) if media in operation.request else []

    def schema_problems(self, schema: Mapping[str, Any], body: Any) -> list[str]:
        validator = Draft202012Validator({**schema, "$defs": self._definitions}, format_checker=formats)
        return [sentence for error in validator.iter_errors(body) for sentence in _sentences(error)]

    def missing(self, schema: Mapping[str, Any], body: Any, path: str = "$") -> Iterator[str]:
        """Paths of properties that the schema knows and the body lacks, through objects and first array items."""
        if "$ref" in schema:
            schema = self._definitions[schema["$ref"].rsplit("/", 1)[-1]]
        for part in schema.get("allOf", ()):
            yield from self.missing(part, body, path)
        alternatives = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
        if len(alternatives) == 1:
            yield from self.missing(alternatives[0], body, path)
        if isinstance(body, dict):
            for name, part in schema.get("properties", {}).items():
                if name not in body:
                    yield f"{path}.{name}"
                else:
                    yield from self.missing(part, body[name], f"{path}.{name}")
        elif isinstance(body, list) and body and "items" in schema:
            yield from self.missing(schema["items"], body[0], f"{path}[]")


def _sentences(error: ValidationError) -> list[str]:
    """One sentence for an error; for alternatives, those of the alternative that fits best."""
    by_alternative: dict[int, list[ValidationError]] = {}
    for part in error.context or ():
        by_alternative.setdefault(int(part.schema_path[0]), []).append(part)
    if not by_alternative:
        return [f"{error.json_path}: {error.message[:300]}"]
    closest = min(by_alternative.values(), key=len)
    return [sentence for part in closest for sentence in _sentences(part)]


def route_of(method: str, path: str) -> str:
    """Method and path without parameter names and without the last slash: both forms of a path are served alike."""
    return f"{method.upper()} {_PARAMETER.sub('{}', path).rstrip('/')}"
