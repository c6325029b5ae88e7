"""The form of a site file: the published schema, and its refusals in words a person can act on."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import jsonschema

from missions.yaml_lines import Keys, Lined


@cache
def site_schema() -> dict[str, Any]:
    """Return the published JSON Schema of site files."""
    text = resources.files("missions").joinpath("data/site.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def check_form(lined: Lined) -> None:
    """Return if the file has the published form.

    Raises:
        SiteWrong: a key is missing or unknown, or a value is of another kind.
    """
    if not isinstance(lined.root, Mapping):
        raise lined.wrong((), found="no keys at all", expected="a site: id, name, timezone, docks …")
    root = _plain(lined.root)
    # YAML has .nan and .inf; neither is below or above any limit a schema can set.
    for keys, number in _numbers(root, ()):
        if not math.isfinite(number):
            raise lined.wrong(keys, found=str(number), expected="a finite number")
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(site_schema()).iter_errors(root))
    if error is not None:
        found, expected = _worded(error)
        raise lined.wrong(tuple(error.absolute_path), found=found, expected=expected)


def _plain(node: Any) -> Any:
    """Return the node as plain dicts and lists, which the schema checker compares by type."""
    if isinstance(node, Mapping):
        return {str(k): _plain(v) for k, v in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_plain(v) for v in node]
    return node


def _numbers(node: Any, keys: Keys) -> Iterator[tuple[Keys, float]]:
    if isinstance(node, float):
        yield keys, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _numbers(value, (*keys, key))
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from _numbers(value, (*keys, i))


def _worded(error: jsonschema.ValidationError) -> tuple[str, str]:
    """Return what was found and what was expected, in words."""
    value, found = error.validator_value, repr(error.instance)[:80]
    match error.validator:
        case "required":
            missing = [key for key in value if key not in error.instance]
            return f"no key {missing[0]!r}", f"the keys {', '.join(value)}"
        case "additionalProperties":
            known = error.schema.get("properties", {})
            extra = [key for key in error.instance if key not in known]
            return f"the unknown key {extra[0]!r}", f"only {', '.join(known)}"
        case "enum":
            return found, f"one of {', '.join(map(str, value))}"
        case "type":
            return "nothing" if error.instance is None else found, f"{_KINDS[value]}"
        case "exclusiveMinimum":
            return found, f"a number above {value}"
        case "minimum":
            return found, f"{value} or more"
        case "maximum":
            return found, f"{value} or less"
        case "minItems" | "minProperties" | "minLength":
            return "nothing" if not error.instance else found, f"{value} or more"
        case "maxItems":
            return found, f"{value} at most"
        case "pattern":
            return found, f"text of the form {value}"
        case "oneOf":
            return found, str(error.schema.get("description", error.message))
        case _:
            return found, error.message


_KINDS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "object": "keys with values",
    "array": "a list",
}
