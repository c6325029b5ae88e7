"""Where settings come from, and how a wrong one is told."""

import pytest

from api import settings
from api.roles.services import build_services
from missions.clock import ScaledClock, SystemClock
from missions.errors import InputWrong
from missions.model import Hazard


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """No settings of the developer's own shell or folder."""
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(f"GRIDPATROL_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_a_flag_wins_over_the_environment_and_that_over_the_file(monkeypatch, tmp_path):
    (tmp_path / "gridpatrol.toml").write_text('http_port = 8001\nseed = 8\nlog_level = "debug"\n')
    monkeypatch.setenv("GRIDPATROL_HTTP_PORT", "8002")
    monkeypatch.setenv("GRIDPATROL_SEED", "9")
    found = settings.read(seed=10, log_level=None)
    assert (found.http_port, found.seed, found.log_level) == (8002, 10, "debug")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HTTP_PORT", "eight", "found 'eight', expected a valid integer"),
        ("HTTP_PORT", "70000", "found '70000', expected less than or equal to 65535"),
        ("CAP_SENDER", "a, b", "found 'a, b', expected a text that should match pattern"),
        ("GATEWAY", "g 1", "found 'g 1', expected a text that should match pattern"),
    ],
)
def test_a_wrong_value_is_told_with_its_name(monkeypatch, name, value, words):
    monkeypatch.setenv(f"GRIDPATROL_{name}", value)
    with pytest.raises(InputWrong) as caught:
        settings.read()
    assert str(caught.value).startswith(f"GRIDPATROL_{name}: {words}")
    assert "\n" not in str(caught.value)


def test_an_unknown_name_in_the_file_is_told(tmp_path):
    (tmp_path / "gridpatrol.toml").write_text("http_prot = 8001\n")
    with pytest.raises(InputWrong, match=r"gridpatrol\.toml: found 'http_prot', expected one of data, site"):
        settings.read()


def test_a_file_that_is_no_toml_is_told(tmp_path):
    (tmp_path / "gridpatrol.toml").write_text("http_port: 8001\n")
    with pytest.raises(InputWrong, match=r"^gridpatrol\.toml: "):
        settings.read()


def test_a_child_gets_the_same_settings(monkeypatch, tmp_path):
    given = settings.read(data=tmp_path / "d", clock="2026-06-01T02:00:00+00:00@5.0x20", docks=False, seed=3)
    for name, value in given.environment().items():
        monkeypatch.setenv(name, value)
    assert settings.read() == given


def test_the_clock_is_the_machines_unless_one_is_given():
    assert isinstance(settings.read().make_clock(), SystemClock)
    assert isinstance(settings.read(clock="2026-06-01T02:00:00+00:00@5.0x20").make_clock(), ScaledClock)


async def test_what_the_operator_says_of_the_world_outside_reaches_the_service(tmp_path):
    told = settings.read(data=tmp_path, public_url="https://patrol.example", cap_sender="patrol.example")
    built = await build_services(told, None)
    await built.database.close()
    assert (built.options.public_url, built.options.cap_sender) == (told.public_url, told.cap_sender)
    assert built.options.secure_cookie, "the page is reached by https"


def test_detectors_on_trial_are_tried_by_hazard_or_all_and_a_strange_name_is_refused(tmp_path):
    assert settings.read(data=tmp_path).tried == frozenset()
    assert settings.read(data=tmp_path, trials="flood, logging").tried == {Hazard.FLOOD, Hazard.LOGGING}
    assert settings.read(data=tmp_path, trials="all").tried == frozenset(Hazard)
    with pytest.raises(InputWrong, match=r"TRIALS: .dreams. is not a"):
        _ = settings.read(data=tmp_path, trials="dreams").tried
