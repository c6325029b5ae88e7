"""What happens because time passes: calls while nobody acknowledges, orders that are late, looks, silence.

Timers are rows (`api.store.timers`) and belong to no process: every api and every
coordinator runs a timekeeper, each fires what is due, and the row sees to it that
it happens once. So a timer is on time as long as one of them lives.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.stdlib import get_logger

from api.alerts import AlertAct, AlertState, NotifyReason
from api.escalation import Rung, SilencePatience, ladder
from api.orders import By, OrderState
from api.services import Services
from api.store import alerting, beats, escalating, events, orders, outbox, receivers, timers
from api.store.beats import Heard
from api.store.models import AlertRow, IncidentRow
from api.store.tables.delivery import ReceiverRow
from api.store.tables.orders import AlertStepRow, OrderRow, OrderStepRow, TimerRow

log = get_logger(__name__)

AT_ONCE = 10
"""Timers in one transaction: a storm of them keeps no delivery from being written down."""

POLL_S = 0.4
"""Wall seconds between two looks: another process may have set a timer, and a bell does not reach here."""

HOUSEKEEPING_S = 2.0
"""Wall seconds between two rounds of what nobody set a timer for: looks answered, incidents over, silence."""

PERSONAL_STEP = 1000
"""The step of receivers that are a person's own: nothing but the ladder writes to them."""


class Timekeeper:
    """Fires what is due. `name` is what its beat is called by: the role it lives in."""

    def __init__(self, services: Services, name: str) -> None:
        self._services = services
        self._name = name
        self._next_at: datetime | None = None  # the next timer known of; another may be due earlier
        self._fires: Mapping[str, Callable[[AsyncSession, TimerRow, datetime], Awaitable[str]]] = {
            escalating.RUNG: self._climb,
            escalating.UNSHELVE: self._unshelve,
            orders.OVERDUE: self._overdue,
            orders.WATCH: self._watch,
        }

    async def run(self) -> None:
        """Fire and tidy until cancelled; a call that is due waits for no tidying."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_firing())
            group.create_task(self._keep_tidy())

    async def _keep_firing(self) -> None:
        with self._services.feed.listen(pushes=False) as bell:
            while True:
                try:
                    wait_s = 0.0 if await self.fire() == AT_ONCE else await self._until_next_s()
                except SQLAlchemyError:
                    log.exception("timers could not be read; trying again")
                    wait_s = POLL_S
                await bell.wait(wait_s)

    async def _keep_tidy(self) -> None:
        while True:
            try:
                await self.tidy()
            except SQLAlchemyError:
                log.exception("what nobody set a timer for could not be done; trying again")
            await asyncio.sleep(HOUSEKEEPING_S)

    async def fire(self) -> int:
        """Fire what is due now, each once whoever else does the same; return how many were looked at."""
        if self._next_at is None or self._next_at > self._services.clock.now():
            async with self._services.database.read() as session:
                self._next_at = await timers.next_due(session)
        if self._next_at is None or self._next_at > self._services.clock.now():
            return 0
        self._next_at = None
        async with self._services.database.write(is_brief=True) as session:
            now = self._services.clock.now()
            due = await timers.due(session, now=now, limit=AT_ONCE)
            for timer in due:
                outcome = await self._fires[timer.kind](session, timer, now)
                log.info("timer", kind=timer.kind, subject=timer.subject, outcome=outcome)
        self._services.feed.wake()
        return len(due)

    async def _until_next_s(self) -> float:
        """Return how long to wait, in wall seconds: until what is known to be next, and not past a look."""
        if self._next_at is None:
            async with self._services.database.read() as session:
                self._next_at = await timers.next_due(session)
        if self._next_at is None:
            return POLL_S
        wait_s = (self._next_at - self._services.clock.now()).total_seconds() / self._services.clock.speed
        return min(max(wait_s, 0.001), POLL_S)

    async def _climb(self, session: AsyncSession, timer: TimerRow, now: datetime) -> str:
        """Make every call of an alert's ladder that is due, and set the timer of the next one."""
        alert = await escalating.waiting_alert(session, timer)
        if alert is None:
            await timers.claim(session, timer, now=now, outcome="no call is needed any more")
            return "no call is needed any more"
        if not self._is_known(alert.agency):
            await timers.claim(session, timer, now=now, outcome="its agency is gone")
            return "its agency is gone"
        begun_at = datetime.fromisoformat(timer.facts["begun_at"])
        site, agency = self._services.site, self._services.site.agency(alert.agency)
        steps = await receivers.steps_of(session, alert.agency, below=PERSONAL_STEP)
        rungs = ladder(agency, begun_at, site.timezone, self._services.options.patience, steps)
        number, said = int(timer.facts["rung"]), []
        if not await timers.claim(session, timer, now=now, outcome="called"):
            return "another was faster"
        while number < len(rungs) and begun_at + timedelta(seconds=rungs[number].after_s) <= now:
            said.append(await self._call(session, alert, rungs[number], now))
            number += 1
        if number < len(rungs):
            await escalating.set_next(session, timer, rung=number, after_s=rungs[number].after_s, now=now)
        return "; ".join(said) or "begun"

    def _is_known(self, agency: str) -> bool:
        """Return whether the site still has an agency: one that was taken out may have left timers behind."""
        return any(known.id == agency for known in self._services.site.agencies)

    async def _call(self, session: AsyncSession, alert: AlertRow, rung: Rung, now: datetime) -> str:
        if rung.is_operator:
            said = {"alert": alert.id, "agency": alert.agency, "incident": alert.incident}
            await events.append(session, "escalation", {**said, "severity": alert.severity}, now=now)
            note = "nobody answers: the operator is told"
        else:
            called = await self._receivers(session, alert, rung, now)
            incident = await session.get_one(IncidentRow, alert.incident)
            telling = alerting.Telling(self._services.site, now, self._services.options.public_url)
            for receiver in called:
                session.add(alerting.promised(alert, incident, NotifyReason.REMINDER, receiver, telling))
            await session.flush()
            await outbox.hurry(session, [receiver.id for receiver in called], now=now)
            who = rung.member.name if rung.member else f"the desk's step {rung.desk_step}"
            note = f"{who} by {', '.join(receiver.channel for receiver in called) or 'nothing'}"
        step = AlertStepRow(alert=alert.id, act="call", state=alert.state, by="service", at=now, note=note)
        session.add(step)
        return note

    async def _receivers(
        self, session: AsyncSession, alert: AlertRow, rung: Rung, now: datetime
    ) -> list[ReceiverRow]:
        if rung.member is None or rung.channel is None:
            at_step = await receivers.listening(session, step=rung.desk_step or 0)
            return at_step.get(alert.agency, [])
        name = f"{alert.agency}-{rung.member.id}-{rung.channel.kind}"
        row = await session.get(ReceiverRow, name)
        if row is None:
            agency = self._services.site.agency(alert.agency)
            row = await receivers.add(
                session,
                alert.agency,
                channel=rung.channel.kind,
                address=rung.channel.to,
                now=now,
                language=agency.language,
                step=PERSONAL_STEP,
                receiver_id=name,
            )
        row.address = rung.channel.to
        return [row]

    async def _unshelve(self, session: AsyncSession, timer: TimerRow, now: datetime) -> str:
        """Bring an alert back from its shelf and call people again."""
        alert = await alerting.whole(session, timer.subject)
        if not await timers.claim(session, timer, now=now, outcome="back"):
            return "another was faster"
        if alert is None or alert.state != AlertState.SHELVED:
            return "it is not on the shelf any more"
        act, by = AlertAct.UNSHELVE, (By.SERVICE,)
        await alerting.act(session, alert, act, by=by, name="service", now=now, note="the time is over")
        site = self._services.site
        if not self._is_known(alert.agency):
            return "back from the shelf, and its agency is gone"
        await escalating.begin(session, alert, site.agency(alert.agency), site, now=now)
        return "back from the shelf"

    async def _overdue(self, session: AsyncSession, timer: TimerRow, now: datetime) -> str:
        """Say that an order is late."""
        order = await orders.order(session, timer.subject, to_change=True)
        if not await timers.claim(session, timer, now=now, outcome="late"):
            return "another was faster"
        session.add(
            OrderStepRow(order=order.id, act="overdue", state=order.state, by="service", at=now, facts={})
        )
        said = {"id": order.id, "incident": order.incident, "agency": order.agency, "state": order.state}
        hears = [order.agency]
        await events.append(session, "order", {**said, "act": "overdue"}, now=now, agencies=hears)
        return f"order is {order.state} and late"

    async def _watch(self, session: AsyncSession, timer: TimerRow, now: datetime) -> str:
        """Look again at a fire that is out, and set the timer of the look after."""
        if not await timers.claim(session, timer, now=now, outcome="asked"):
            return "another was faster"
        if not await orders.watch_again(session, timer.subject, now=now):
            return "its orders were opened again"
        left = int(timer.facts["left"]) - 1
        if left > 0:
            due_at = timer.due_at + timedelta(seconds=self._services.options.watch.every_s)
            name = f"{timer.id.rpartition(':')[0]}:{left}"
            facts = {"left": left}
            await timers.set_timer(
                session, orders.WATCH, timer.subject, due_at=due_at, now=now, facts=facts, timer_id=name
            )
        return f"a look was asked for, {left} to follow"

    async def tidy(self) -> None:
        """Do what nobody set a timer for: looked for while others write, and written in short turns."""
        now, speed, options = self._services.clock.now(), self._services.clock.speed, self._services.options
        patience = SilencePatience(**{k: v * speed for k, v in _seconds(options.silence).items()})
        own = Heard("worker", self._name, now, patience.worker_s)
        database = self._services.database
        async with database.read() as session:
            words = await beats.news(session, own, patience, now=now)
            answered = await orders.answered_looks(session)
            over = await _over(session)
        for first in range(0, len(words), AT_ONCE):
            async with database.write(survives_power_cut=False, is_brief=True) as session:
                for row in await beats.note(session, words[first : first + AT_ONCE], now=now):
                    log.warning("silent" if row.silent_since else "heard again", kind=row.kind, name=row.name)
        for order in answered:
            async with database.write(is_brief=True) as session:
                await orders.settle_look(session, order, now=now, watch=options.watch)
        telling = alerting.Telling(self._services.site, now, options.public_url)
        for incident in over:
            async with database.write(is_brief=True) as session:
                if incident in await _over(session, incident):  # nobody has gone to work on it meanwhile
                    await alerting.cancel_all(session, incident, telling, note="the incident is over")
        if words or answered or over:
            self._services.feed.wake()


async def _over(session: AsyncSession, incident: str | None = None) -> list[str]:
    """Return the incidents that have closed, on which nobody works, and whose alerts still stand."""
    working = exists().where(
        OrderRow.incident == AlertRow.incident,
        OrderRow.state.not_in([state.value for state in OrderState if state.is_done]),
    )
    over = (
        select(AlertRow.incident)
        .join(IncidentRow, IncidentRow.id == AlertRow.incident)
        .where(IncidentRow.state == "closed", AlertRow.state != AlertState.CANCELLED.value, ~working)
        .distinct()
    )
    if incident is not None:
        over = over.where(AlertRow.incident == incident)
    return list(await session.scalars(over))


def _seconds(patience: SilencePatience) -> dict[str, float]:
    return {name: getattr(patience, name) for name in SilencePatience.__slots__}
