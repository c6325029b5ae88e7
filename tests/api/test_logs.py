"""The log says what happened and never a secret."""

import io
import json
import logging

import pytest
import structlog

from api import logs


@pytest.fixture
def written():
    """A configured log, its stream; the state before is put back."""
    root, before = logging.getLogger(), (logging.getLogger().handlers, logging.getLogger().level)
    stream = io.StringIO()
    logs.configure("api", stream=stream)
    yield stream
    root.handlers, root.level = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_line_is_json_with_role_time_and_level(written):
    structlog.stdlib.get_logger("x").info("frame kept", frame="f1")
    line = json.loads(written.getvalue())
    assert (line["event"], line["frame"], line["role"], line["level"]) == ("frame kept", "f1", "api", "info")
    assert line["at"].endswith("Z")


def test_the_standard_library_s_log_takes_the_same_form(written):
    logging.getLogger("uvicorn.error").warning("port %d is taken", 8000)
    assert json.loads(written.getvalue())["event"] == "port 8000 is taken"


@pytest.mark.parametrize(
    ("values", "secret"),
    [
        ({"token": "abcdefghijk"}, "abcdefghijk"),
        ({"webhook_secret": "abcdefghijk"}, "abcdefghijk"),
        ({"error": "401 for Authorization: Bearer abcdefghijk"}, "abcdefghijk"),
        ({"url": "mqtt://docks:abcdefghijk@127.0.0.1:1883"}, "abcdefghijk"),
        ({"error": "bad secret whsec_abcdefghijk="}, "abcdefghijk"),
        ({"error": f"token gp_{'a' * 43} is unknown"}, "aaaaaa"),
    ],
)
def test_a_secret_is_never_written(written, values, secret):
    structlog.stdlib.get_logger("x").warning("refused", **values)
    assert secret not in written.getvalue()
    assert logs.MASK in written.getvalue()


def test_what_is_no_json_becomes_an_error_of_its_role():
    assert logs.to_event("Traceback: boom", role="gateway") == {
        "event": "Traceback: boom",
        "level": "error",
        "role": "gateway",
    }
