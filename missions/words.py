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


def area_text(m2: float, language: str = "en-US") -> str:
    """Return an area as people say it: square metres, from ten thousand on hectares."""
    if m2 >= 10_000.0:
        return text("area.ha", language, area=m2 / 10_000.0)
    return text("area.small" if m2 < 100.0 else "area.m2", language, area=m2)


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
