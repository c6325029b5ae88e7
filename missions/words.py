"""What people read, in their language.

One catalogue file a package and language, `missions/locale/PACKAGE.LANGUAGE.yaml`,
a flat mapping from key to a `str.format` pattern. Both languages hold the same
keys; a test compares them. A language we do not have falls back to English.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources

from ruamel.yaml import YAML

LANGUAGES = ("en-US", "zh-CN")


def text(key: str, language: str = "en-US", **values: object) -> str:
    """Return the sentence of a key with its values put in.

    Raises:
        KeyError: the catalogue has no such key, or a value it names is missing.
    """
    return _catalogue(language if language in LANGUAGES else "en-US")[key].format(**values)


def named(names: Mapping[str, str], language: str = "en-US") -> str:
    """Return the name in the language wanted, else in English, else in any."""
    return names.get(language) or names.get("en-US") or next(iter(names.values()))


@cache
def _catalogue(language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in resources.files("missions").joinpath("locale").iterdir():
        if entry.name.endswith(f".{language}.yaml"):
            found |= {str(k): str(v) for k, v in YAML(typ="safe").load(entry.read_text("utf-8")).items()}
    return found
