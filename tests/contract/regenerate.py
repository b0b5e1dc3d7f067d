"""Rebuild ``operations.json`` from the contract: ``.venv/bin/python -m tests.contract.regenerate [openapi.json]``.

The result holds what the conformance test needs and nothing else: method, path, who may call, request and response
schemas as JSON Schema (``nullable`` spelled out), without titles, descriptions, examples and defaults.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[3] / "shared" / "contract" / "openapi.json"
TARGET = Path(__file__).with_name("operations.json")

_METHODS = ("get", "post", "put", "patch", "delete")
_KEPT = {
    "type", "format", "enum", "required", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems",
    "maxItems", "uniqueItems",
}  # fmt: skip
_NESTED_LISTS = ("oneOf", "anyOf", "allOf")


def json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Translate an OpenAPI 3.0 schema to JSON Schema 2020-12 and drop what validates nothing."""
    if "$ref" in schema:
        translated: dict[str, Any] = {"$ref": schema["$ref"].replace("#/components/schemas/", "#/$defs/")}
    else:
        translated = {key: value for key, value in schema.items() if key in _KEPT}
        if "properties" in schema:
            translated["properties"] = {name: json_schema(part) for name, part in schema["properties"].items()}
        if isinstance(schema.get("items"), dict):
            translated["items"] = json_schema(schema["items"])
        if isinstance(schema.get("additionalProperties"), dict):
            translated["additionalProperties"] = json_schema(schema["additionalProperties"])
        elif schema.get("additionalProperties") is False:
            translated["additionalProperties"] = False
        for key in _NESTED_LISTS:
            if key in schema:
                translated[key] = [json_schema(part) for part in schema[key]]
    return _or_null(translated) if schema.get("nullable") else translated


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(schema.get("type"), str):
        return {"anyOf": [schema, {"type": "null"}]} if schema else {}
    schema = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema


def _content(part: dict[str, Any]) -> dict[str, Any]:
    return {media: json_schema(body.get("schema", {})) for media, body in part.get("content", {}).items()}


def build(document: dict[str, Any]) -> dict[str, Any]:
    """The compact form of a whole OpenAPI document."""
    shared_responses = document["components"].get("responses", {})
    operations = []
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method not in item:
                continue
            operation = item[method]
            responses = {}
            for status, response in operation["responses"].items():
                if "$ref" in response:
                    response = shared_responses[response["$ref"].rsplit("/", 1)[-1]]
                responses[status] = _content(response)
            operations.append(
                {
                    "method": method.upper(),
                    "path": path,
                    "auth": sorted({name for need in operation.get("security", []) for name in need}),
                    "request": _content(operation.get("requestBody", {})),
                    "responses": responses,
                }
            )
    schemas = {name: json_schema(schema) for name, schema in document["components"]["schemas"].items()}
    return {"schemas": schemas, "operations": operations}


def main() -> None:
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE
    TARGET.write_text(render(build(json.loads(source.read_text()))))
    print(f"wrote {TARGET}")


def render(data: dict[str, Any]) -> str:
    """One line for each schema and operation, so that a change of the contract reads well as a difference."""

    def line(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    schemas = ",\n".join(f"{line(name)}:{line(schema)}" for name, schema in data["schemas"].items())
    operations = ",\n".join(line(operation) for operation in data["operations"])
    return f'{{"schemas":{{\n{schemas}\n}},\n"operations":[\n{operations}\n]}}\n'


if __name__ == "__main__":
    main()
