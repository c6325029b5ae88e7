"""Which CAP messages an alert has become: Alert, then Updates, at last Cancel, each naming all before it.

There are two chains. The restricted one tells the alert's agency, a message for
each time it was told. The public one begins when a named person of that agency
releases the incident, with an Alert of what is then known, follows the same
tellings, and ends when the alert is cancelled or the release withdrawn. Neither
refers to the other: the public learns of no message that it may not read.

Both follow from what is kept of an alert and never changes, so nothing is
written when an agency is told, and no message can be forgotten by a crash.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from api.alerts import AlertAct
from api.delivery.cap import Audience, Kind, Reference, Saying
from api.discretion import NOTHING, is_rough
from api.schemas import IncidentOut
from api.store.models import AlertRow
from api.store.tables.delivery import ReleaseRow
from api.store.tables.orders import AlertStepRow
from missions.model import Hazard, Severity


def restricted_chain(
    alert: AlertRow, steps: Iterable[AlertStepRow] = (), *, knows: frozenset[Hazard] = NOTHING
) -> list[Saying]:
    """Return the messages to the alert's agency, oldest first, as a reader gets them.

    knows: the hazards whose exact places the reader is trusted with. Messages that tell more than those of
    other readers have identifiers of their own, so that no identifier names two documents.
    """
    endings = [s for s in steps if s.act == AlertAct.CANCEL.value]
    sayings = [_telling(alert, told, knows) for told in alert.history]
    for step in endings:
        told_before = [s for s in sayings if s.sent_at <= step.at]
        if told_before:
            last = told_before[-1]
            over = replace(last, identifier=f"{last.identifier}-c", kind=Kind.CANCEL, sent_at=step.at)
            sayings.append(replace(over, why=step.note))
    return _linked(sorted(sayings, key=lambda s: s.sent_at))


def public_chain(
    alert: AlertRow, release: ReleaseRow | None, steps: Iterable[AlertStepRow] = ()
) -> list[Saying]:
    """Return the messages to the public, oldest first; none before a release."""
    if release is None or release.agency != alert.agency:
        return []
    known = restricted_chain(alert, steps)
    before = [s for s in known if s.sent_at <= release.released_at]
    if not before or before[-1].kind is Kind.CANCEL:
        return []
    end_at = release.withdrawn_at
    said = [replace(before[-1], sent_at=release.released_at)]
    said += [s for s in known if s.sent_at > release.released_at and (end_at is None or s.sent_at < end_at)]
    if end_at is not None and said[-1].kind is not Kind.CANCEL:
        said.append(replace(said[-1], kind=Kind.CANCEL, sent_at=end_at, why=None))
    era = f"{int(release.released_at.timestamp())}"
    return _linked(
        [
            replace(s, identifier=f"{alert.id}-p{era}-{n}", audience=Audience.PUBLIC)
            for n, s in enumerate(said, 1)
        ]
    )


def latest(chain: Sequence[Saying]) -> Saying | None:
    """Return the message that now counts."""
    return chain[-1] if chain else None


def _telling(alert: AlertRow, told: Mapping[str, Any], knows: frozenset[Hazard]) -> Saying:
    is_exact = "exact" in told and not is_rough(alert.hazard, knows)
    incident = IncidentOut.model_validate(told["incident"] | (told["exact"] if is_exact else {}))
    return Saying(
        identifier=f"{alert.id}-{told['revision']}" + ("-x" if is_exact else ""),
        alert=alert.id,
        kind=Kind.UPDATE,
        audience=Audience.RESTRICTED,
        sent_at=datetime.fromisoformat(told["told_at"]),
        hazard=Hazard(alert.hazard),
        severity=Severity(told.get("severity", incident.severity)),
        incident=incident,
        parts=int(told.get("parts", 1)),
        is_exact=is_exact,
    )


def _linked(sayings: Sequence[Saying]) -> list[Saying]:
    """Return messages with their references; after a Cancel a new chain begins with an Alert."""
    chain: list[Saying] = []
    before: tuple[Reference, ...] = ()
    for saying in sayings:
        kind = saying.kind
        if kind is not Kind.CANCEL:
            kind = Kind.UPDATE if before else Kind.ALERT
        chain.append(replace(saying, kind=kind, references=before))
        told = Reference(saying.identifier, saying.sent_at)
        before = () if kind is Kind.CANCEL else (*before, told)
    return chain
