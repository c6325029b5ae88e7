"""The bus: subjects, streams, who may say what, and the client every role uses.

SQL is the truth and the bus wakes people, with three exceptions that live here
until they are done: a frame waiting for an analyst, an observation waiting for
the coordinator, and a sortie's event. These are JetStream streams on disk.

  telemetry.<gateway>.<drone>, docks.<gateway>.<dock>   core, a lost one is replaced by the next
  sorties.command.<gateway>, plans.command              request and reply, with command ids
  FRAMES        frames.new.<frame>         work queue: one analyst gets each
                frames.first.<frame>       likewise, before the others: a camera follows something
  OBSERVATIONS  observations.new.<id>      read by the coordinator
  SORTIES       sorties.event.<gateway>    read by the coordinator
  INCIDENTS     incidents.<id>             which incidents changed, for whoever follows them
  changes                                  core: there are new rows in the event table

Every stored message carries an id: within the duplicate window the server drops
a repetition, after it the consumer does, because what it writes has that id as
its key. Each role has a key of its own and may use only the subjects below.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig
from structlog.stdlib import get_logger

from missions.errors import WorkFailed

log = get_logger(__name__)

Value = dict[str, Any]
Handler = Callable[[str, Value], Awaitable[None]]
Answerer = Callable[[Value], Awaitable[Value]]

WEEK_S = 7 * 24 * 3600.0
DUPLICATE_WINDOW_S = 10 * 60.0
# An analyst that has not answered within this is taken for dead; its frame goes to another.
FRAME_PATIENCE_S = 60.0
# How long one question for messages stands; one that a dying server swallowed is asked again after it.
READ_S = 2.0


@dataclass(frozen=True, slots=True)
class Stream:
    """Messages kept on disk, by the reader of each subject. A work queue forgets what is acknowledged."""

    name: str
    readers: Mapping[str, str | None]
    is_queue: bool = False


STREAMS = (
    Stream("FRAMES", {"frames.new.*": "analyst", "frames.first.*": "analyst-first"}, is_queue=True),
    Stream("OBSERVATIONS", {"observations.new.*": "coordinator"}),
    Stream("SORTIES", {"sorties.event.*": "coordinator"}),
    Stream("INCIDENTS", {"incidents.*": None}),
)


@dataclass(frozen=True, slots=True)
class Rights:
    """The subjects one role may publish on and listen to, beside its own inbox."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...] = ()
    may_answer: bool = False


def _takes(stream: str, consumer: str) -> tuple[str, ...]:
    """Return the subjects that pulling from one consumer and acknowledging needs."""
    return (f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", f"$JS.ACK.{stream}.{consumer}.>")


RIGHTS: Mapping[str, Rights] = {
    # Makes the streams; carries no message of the others.
    "supervisor": Rights(publish=("$JS.API.>",)),
    "api": Rights(
        publish=("frames.new.*", "frames.first.*", "sorties.command.*", "plans.command"),
        subscribe=("telemetry.>", "docks.>", "changes"),
    ),
    "coordinator": Rights(
        publish=(
            "sorties.command.*",
            "incidents.*",
            "changes",
            *_takes("OBSERVATIONS", "coordinator"),
            *_takes("SORTIES", "coordinator"),
        ),
        subscribe=("telemetry.>", "docks.>", "plans.command"),
        may_answer=True,
    ),
    "gateway": Rights(
        publish=("telemetry.>", "docks.>", "sorties.event.*"),
        subscribe=("sorties.command.*",),
        may_answer=True,
    ),
    "analyst": Rights(
        publish=(
            "observations.new.*",
            *_takes("FRAMES", "analyst"),
            *_takes("FRAMES", "analyst-first"),
        )
    ),
}


class BusDown(WorkFailed):
    """The bus did not take a message or answer a request in time."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message taken from a stream; acknowledge it when its work is stored."""

    subject: str
    value: Value
    attempt: int
    _message: Msg

    async def done(self) -> None:
        """Tell the server that this message need not come again."""
        await self._message.ack()

    async def later(self, delay_s: float) -> None:
        """Ask for this message again after a while."""
        await self._message.nak(delay=delay_s)

    async def working(self) -> None:
        """Ask for more time before the message is given to another."""
        await self._message.in_progress()


class Bus:
    """One role's connection. Callable from the event loop that opened it."""

    def __init__(self, client: Client, stream: JetStreamContext) -> None:
        self._client = client
        self._stream = stream

    @classmethod
    async def connect(cls, url: str, *, role: str, key: str, patience_s: float = 15.0) -> Self:
        """Return a connection that mends itself for ever once it was there.

        Raises:
            BusDown: nothing answers at the address, or the key is wrong.
        """
        client = Client()
        try:
            await asyncio.wait_for(_open(client, url, role, key), patience_s)
        except (TimeoutError, OSError, nats.errors.Error) as error:
            with contextlib.suppress(Exception):
                await client.close()
            raise BusDown(f"no bus for {role} at {url}: {str(error) or 'no answer'}") from None
        return cls(client, client.jetstream(timeout=10.0))

    async def publish(self, subject: str, value: Value) -> None:
        """Tell whoever listens now; nothing is kept."""
        await self._client.publish(subject, _to_bytes(value))

    async def store(self, subject: str, value: Value, *, message_id: str, patience_s: float = 10.0) -> None:
        """Put a message on disk; the same id again changes nothing.

        Raises:
            BusDown: the server did not confirm it. Try again later.
        """
        try:
            await self._stream.publish(
                subject, _to_bytes(value), headers={"Nats-Msg-Id": message_id}, timeout=patience_s
            )
        except (TimeoutError, nats.errors.Error) as error:
            raise BusDown(f"the bus did not store {subject}: {str(error) or 'no answer'}") from None

    async def request(self, subject: str, value: Value, *, patience_s: float) -> Value:
        """Return the answer to a request.

        Raises:
            BusDown: nobody answers on the subject, or not in time.
        """
        try:
            reply = await self._client.request(subject, _to_bytes(value), timeout=patience_s)
        except (TimeoutError, nats.errors.Error) as error:
            raise BusDown(f"no answer on {subject}: {str(error) or 'too late'}") from None
        return _from_bytes(reply.data)

    async def answer(self, subject: str, answerer: Answerer) -> None:
        """Answer every request on a subject from now on, each in a task of its own."""

        async def respond(message: Msg) -> None:
            await message.respond(_to_bytes(await answerer(_from_bytes(message.data))))

        tasks: set[asyncio.Task[None]] = set()

        async def receive(message: Msg) -> None:
            task = asyncio.create_task(_logged(respond(message), message.subject))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        await self._client.subscribe(subject, cb=receive)

    async def listen(self, subject: str, handler: Handler) -> None:
        """Hand every message on a subject to the handler from now on, one after the other."""

        async def receive(message: Msg) -> None:
            await _logged(handler(message.subject, _from_bytes(message.data)), message.subject)

        await self._client.subscribe(subject, cb=receive)

    async def take(self, stream: str, consumer: str, *, batch: int = 1) -> AsyncIterator[Delivered]:
        """Yield the messages of a stream as they come, for ever, across lost connections."""
        inbox = await self._stream.pull_subscribe_bind(consumer=consumer, stream=stream)
        while True:
            if (task := asyncio.current_task()) and task.cancelling():
                raise asyncio.CancelledError  # the client waits by wait_for, which may have lost it
            try:
                messages = await inbox.fetch(batch, timeout=READ_S)
            except (TimeoutError, nats.errors.TimeoutError):
                continue  # nothing came: ask again
            except nats.errors.ConnectionClosedError:
                raise BusDown(f"the bus closed while {consumer} read {stream}") from None
            except nats.errors.Error as error:
                log.warning("bus read failed, trying again", stream=stream, error=str(error))
                await asyncio.sleep(1.0)  # the server is restarting; it has no event to wait for
                continue
            for message in messages:
                attempt = int(message.metadata.num_delivered or 1)
                yield Delivered(message.subject, _from_bytes(message.data), attempt, message)

    async def flush(self) -> None:
        """Return once the server has seen everything published so far."""
        await self._client.flush()

    async def close(self) -> None:
        """Send what is left and hang up."""
        with contextlib.suppress(TimeoutError, nats.errors.Error):
            await self._client.flush(timeout=5)
        await self._client.close()

    async def make_streams(self, *, frame_patience_s: float = FRAME_PATIENCE_S) -> None:
        """Make the streams and their readers, or bring them up to date (role supervisor)."""
        for stream in STREAMS:
            await self._make_stream(stream)
            for subject, reader in stream.readers.items():
                if reader is None:
                    continue
                await self._stream.add_consumer(
                    stream.name,
                    ConsumerConfig(
                        durable_name=reader,
                        filter_subject=subject,
                        ack_policy=AckPolicy.EXPLICIT,
                        ack_wait=frame_patience_s,
                        max_ack_pending=256,
                    ),
                )

    async def waiting(self, stream: str) -> int:
        """Return how many messages no reader of a stream has worked off yet (role supervisor)."""
        readers = await self._stream.consumers_info(stream)
        return sum((state.num_pending or 0) + (state.num_ack_pending or 0) for state in readers)

    async def _make_stream(self, stream: Stream) -> None:
        wanted = StreamConfig(
            name=stream.name,
            subjects=list(stream.readers),
            retention=RetentionPolicy.WORK_QUEUE if stream.is_queue else RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            max_age=0.0 if stream.is_queue else WEEK_S,
            duplicate_window=DUPLICATE_WINDOW_S,
        )
        try:
            await self._stream.add_stream(wanted)
        except nats.js.errors.BadRequestError:  # it is there with other settings
            await self._stream.update_stream(wanted)


async def _open(client: Client, url: str, role: str, key: str) -> None:
    async def complain(error: Exception) -> None:
        log.warning("bus", role=role, error=str(error) or type(error).__name__)

    await client.connect(
        url,
        user=role,
        password=key,
        name=role,
        inbox_prefix=inbox(role),
        error_cb=complain,
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        allow_reconnect=True,
    )


def inbox(role: str) -> str:
    """Return the prefix of a role's reply subjects: nobody else may listen there."""
    return f"_INBOX_{role}"


async def _logged(work: Awaitable[None], subject: str) -> None:
    """Let one bad message fail alone: the listener goes on."""
    try:
        await work
    except Exception:
        log.exception("a message could not be handled", subject=subject)


def _to_bytes(value: Value) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _from_bytes(data: bytes) -> Value:
    found = json.loads(data)
    if not isinstance(found, dict):
        raise ValueError("a bus message must be one JSON object")
    return found
