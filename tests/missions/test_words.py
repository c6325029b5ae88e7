"""Both languages say the same things."""

import string
from importlib import resources

import pytest
from ruamel.yaml import YAML

from missions.words import LANGUAGES, area_text, named, text


def catalogues() -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = {}
    for entry in resources.files("missions").joinpath("locale").iterdir():
        package, language, _ = entry.name.split(".")
        found.setdefault(package, {})[language] = YAML(typ="safe").load(entry.read_text("utf-8"))
    return found


@pytest.mark.parametrize("package", sorted(catalogues()))
def test_every_language_has_the_same_keys_and_values(package: str) -> None:
    """A sentence missing in one language, or a number left out of it, is found here."""

    def shape(catalogue: dict[str, str]) -> dict[str, set[str | None]]:
        return {
            key: {part[1] for part in string.Formatter().parse(words)} for key, words in catalogue.items()
        }

    languages = catalogues()[package]
    assert languages.keys() == set(LANGUAGES)
    english, chinese = (shape(languages[language]) for language in LANGUAGES)
    assert english.keys() == chinese.keys()
    for key in english:
        assert english[key] - {None} == chinese[key] - {None}, key


def test_an_unknown_language_reads_english() -> None:
    """Better a foreign sentence than none."""
    assert text("places.left_bank", "fr-FR") == "left bank"
    assert named({"zh-CN": "和平村"}, "en-US") == "和平村"


@pytest.mark.parametrize(
    ("m2", "english", "chinese"),
    [(3.64, "3.6 m²", "3.6平方米"), (1268.0, "1,268 m²", "1268平方米"), (12_026.3, "1.2 ha", "1.2公顷")],
)
def test_an_area_is_said_in_the_unit_that_fits(m2: float, english: str, chinese: str) -> None:
    assert (area_text(m2), area_text(m2, "zh-CN")) == (english, chinese)
