"""The log says what happened and never a secret."""

import gzip
import io
import json
import logging
import os
from datetime import UTC, datetime, timedelta

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


def record(text):
    return logging.makeLogRecord({"msg": text, "levelno": logging.INFO})


def put_away(folder):
    return {name.name: gzip.decompress(name.read_bytes()).decode() for name in sorted(folder.glob("*.gz"))}


def test_a_day_s_log_is_put_away_whole(tmp_path):
    now = [datetime(2026, 6, 1, 23, 59, tzinfo=UTC)]
    kept = logs.KeptLog(tmp_path / "gridpatrol.log", now=lambda: now[0])
    kept._day = now[0].date()
    kept.emit(record("one"))
    kept.emit(record("two"))
    now[0] += timedelta(minutes=2)
    kept.emit(record("three"))
    kept.close()
    assert put_away(tmp_path) == {"gridpatrol-20260602T000100Z.log.gz": "one\ntwo\n"}
    assert (tmp_path / "gridpatrol.log").read_text() == "three\n"


def test_a_big_log_is_put_away_and_no_name_is_used_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "ROTATE_BYTES", 4)
    now = datetime(2026, 6, 1, tzinfo=UTC)
    kept = logs.KeptLog(tmp_path / "gridpatrol.log", now=lambda: now)
    kept._day = now.date()
    for text in ("aaaa", "bbbb", "cccc"):
        kept.emit(record(text))
    kept.close()
    assert sorted(put_away(tmp_path).values()) == ["aaaa\n", "bbbb\n"]


def test_logs_are_kept_for_half_a_year_and_then_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "ROTATE_BYTES", 1)
    for days in (170, 190):
        old = tmp_path / f"gridpatrol-{days}.log.gz"
        old.write_bytes(gzip.compress(b"old"))
        at = (datetime.now(UTC) - timedelta(days=days)).timestamp()
        os.utime(old, (at, at))
    kept = logs.KeptLog(tmp_path / "gridpatrol.log")
    kept.emit(record("one"))
    kept.emit(record("two"))
    kept.close()
    names = [name.name for name in tmp_path.glob("*.gz")]
    assert "gridpatrol-170.log.gz" in names
    assert "gridpatrol-190.log.gz" not in names
