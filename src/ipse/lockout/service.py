"""Counting failed attempts of the face, refusing further ones, and lifting the refusal.

The rules are in :mod:`ipse.decision.lockout`; here they meet the tables. A failure counts in the transaction that
reports it, and whoever decides on a person waits for whoever is deciding on them: many sessions at once buy no more
attempts than one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Counter

from ipse.audit import service as audit
from ipse.decision.lockout import (
    OTHER_DEVICES,
    Allowance,
    Allowed,
    Attempts,
    Limits,
    Run,
    Stopped,
    Wait,
    Window,
    after_failure,
    after_pass,
    budget_of,
    decide,
)
from ipse.devices import service as devices
from ipse.devices.identity import identify
from ipse.edge.client_address import network_of
from ipse.intelligence.facts import DeviceFacts
from ipse.lockout import repository
from ipse.lockout.errors import LockedOut
from ipse.lockout.outcomes import Outcome
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.settings import Settings
from ipse.storage.tables import AttemptRow, LockRow

LOCKS = Counter("ipse_lockouts", "Times that somebody was locked out", ["why"])

KEPT: Final = timedelta(days=1)
"""No window looks further back."""
_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Trial:
    """Who is being tried, and from where: digests. ``subject_tag`` is None for a session of nobody in particular."""

    subject_tag: str | None
    budget: str
    address_tag: str | None
    vendor_data: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class LockView:
    """A budget of a person as an operator sees it. ``until`` None and not stopped: nothing is refused."""

    is_own_device: bool
    failures_in_a_row: int
    failures_today: int
    until: datetime | None
    is_stopped: bool


def limits_of(settings: Settings) -> Limits:
    """The limits of this installation."""
    five_minutes, an_hour, a_day = Limits().windows
    return Limits(
        in_a_row=settings.lockout_failures_in_a_row,
        stop_after=max(settings.lockout_stop_after, settings.lockout_failures_in_a_row),
        windows=(
            Window(settings.lockout_failures_per_5_minutes, five_minutes.period),
            Window(settings.lockout_failures_per_hour, an_hour.period),
            Window(settings.lockout_failures_per_day, a_day.period),
        ),
        per_address=Window(settings.lockout_address_failures_per_5_minutes, Limits().per_address.period),
    )


def subject_tag(scope: Scope, vendor_data: str) -> str:
    """The digest under which a person's attempts are kept, known or not."""
    return scope.services.lookup.tag("subject", scope.application_id, vendor_data)


async def trial_of(scope: Scope, *, vendor_data: str | None, device: DeviceFacts, ip: str | None) -> Trial | None:
    """Name a coming attempt; None where attempts do not count: an application that answers by scenario."""
    services = scope.services
    if scope.application.answers_by_scenario and not services.settings.lockout_of_scenarios:
        return None
    address = services.lookup.tag("lockout-address", scope.application_id, network_of(ip))
    if vendor_data is None:
        return Trial(None, OTHER_DEVICES, address, None)
    identity = await identify(scope, vendor_data, device)
    own, tag = False, None
    # A fingerprint can be copied, and every device that opens a link of the person's has been "used": what makes a
    # device their own is an approval on it, and the id that only this device keeps.
    if identity.device is not None and identity.by_persistent_id:
        own = devices.is_trusted(identity.device)
        tag = services.lookup.tag("lockout-device", scope.application_id, identity.device.id)
    return Trial(subject_tag(scope, vendor_data), budget_of(tag, is_trusted=own), address, vendor_data)


async def require_allowed(
    scope: Scope, trial: Trial | None, alternative: Callable[[], str | None], *, settling: bool = False
) -> None:
    """Refuse an attempt that may not be made now.

    ``settling``: its result is about to be written; wait for other results of the person and keep others waiting.

    Raises:
        LockedOut: with the ``alternative``, the way without biometrics; asked for only then.
    """
    if trial is None:
        return
    if settling and trial.subject_tag is not None:
        await repository.take_turns(scope, trial.subject_tag)
    allowance = await _allowance(scope, trial)
    now = scope.services.clock.now()
    match allowance:
        case Allowed():
            return
        case Wait():
            raise LockedOut(allowance.until, now, alternative())
        case Stopped():
            raise LockedOut(None, now, alternative())


async def settle(
    scope: Scope, trial: Trial | None, session_id: str, outcome: Outcome, *, compares: bool
) -> Wait | Stopped | None:
    """Count a finished attempt; return the lock that it raised, if it raised one.

    ``compares``: the workflow compares with the person's face. Where it does not, a pass recognises nobody and ends no
    run, so a failure begins none either; the short windows and the address count it all the same.
    """
    if trial is None or outcome is Outcome.NEITHER:
        return None
    now = scope.services.clock.now()
    if outcome is Outcome.RECOGNISED:
        await _end_run(scope, trial)
        return None
    if compares:
        await _lengthen_run(scope, trial, now)
    scope.tx.add(
        AttemptRow(
            id=scope.services.identifiers.uuid(),
            application_id=scope.application_id,
            session_id=session_id,
            subject_tag=trial.subject_tag,
            device_tag=trial.budget or None,
            address_tag=trial.address_tag,
            has_passed=False,
            attempted_at=now,
        )
    )
    await scope.tx.flush()
    raised = await _allowance(scope, trial)
    if isinstance(raised, Allowed):
        return None
    LOCKS.labels(raised.why.value).inc()
    details = {**told_of(raised), "own_device": trial.budget != OTHER_DEVICES}
    await audit.record(
        scope,
        "lock.raised",
        object_type="session",
        object_id=session_id,
        vendor_data=trial.vendor_data,
        details=details,
    )
    return raised


def told_of(lock: Wait | Stopped) -> dict[str, str | None]:
    """A lock as events and the audit log tell it: ``why`` and ``until`` (null: until it is lifted)."""
    until = lock.until.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(lock, Wait) else None
    return {"why": lock.why.value, "until": until}


async def locks_of(scope: Scope, vendor_data: str) -> Sequence[LockView]:
    """What has failed for a person, and who must wait; that of other devices first."""
    tag, now = subject_tag(scope, vendor_data), scope.services.clock.now()
    today = dict(await repository.budgets_with_failures(scope, tag, now - KEPT))
    rows = {row.device_tag: row for row in await repository.locks(scope, tag)}
    found = []
    for budget in sorted({*today, *rows}):
        allowance = await _allowance(scope, Trial(tag, budget, None, vendor_data))
        found.append(
            LockView(
                is_own_device=budget != OTHER_DEVICES,
                failures_in_a_row=rows[budget].failures if budget in rows else 0,
                failures_today=today.get(budget, 0),
                until=allowance.until if isinstance(allowance, Wait) else None,
                is_stopped=isinstance(allowance, Stopped),
            )
        )
    return found


async def lift(scope: Scope, vendor_data: str) -> int:
    """Let a person try again on every device, because another factor or an operator vouches; return rows forgotten."""
    forgotten = await repository.forget(scope, subject_tag(scope, vendor_data), ())
    await audit.record(
        scope, "lock.lifted", object_type="user", object_id=vendor_data, vendor_data=vendor_data, details={}
    )
    return forgotten


async def forget(scope: Scope, *, vendor_data: str | None = None, session_ids: Sequence[str] = ()) -> int:
    """Delete what is kept of a person's or of sessions' attempts, for erasure; return how many rows."""
    tag = None if vendor_data is None else subject_tag(scope, vendor_data)
    return await repository.forget(scope, tag, session_ids)


async def forget_old(services: Services) -> int:
    """Delete attempts that no window looks at any more; return how many."""
    deleted = 0
    while True:
        async with services.database.writing() as tx:
            count = await repository.forget_before(tx, services.clock.now() - KEPT, _AT_ONCE)
        deleted += count
        if count < _AT_ONCE:
            return deleted


async def _allowance(scope: Scope, trial: Trial) -> Allowance:
    limits, now = limits_of(scope.services.settings), scope.services.clock.now()
    of_budget: Sequence[datetime] = ()
    at_address: Sequence[datetime] = ()
    run = Run()
    if trial.subject_tag is not None:
        most = max(window.most for window in limits.windows)
        of_budget = await repository.failures_of(scope, trial.subject_tag, trial.budget, now - KEPT, most)
        run = _run(await repository.lock(scope, trial.subject_tag, trial.budget))
    if trial.address_tag is not None and trial.budget == OTHER_DEVICES:
        window = limits.per_address
        at_address = await repository.failures_at(scope, trial.address_tag, now - window.period, window.most)
    return decide(Attempts(of_budget, at_address), run, now, limits, budget=trial.budget)


async def _lengthen_run(scope: Scope, trial: Trial, now: datetime) -> None:
    if trial.subject_tag is None:
        return
    row = await repository.lock(scope, trial.subject_tag, trial.budget)
    run = after_failure(_run(row), now, limits_of(scope.services.settings))
    if row is None:
        row = LockRow(application_id=scope.application_id, subject_tag=trial.subject_tag, device_tag=trial.budget)
        scope.tx.add(row)
    row.failures, row.locked_until, row.updated_at = run.failures, run.locked_until, now
    row.stopped_at = row.stopped_at or (now if run.is_stopped else None)


async def _end_run(scope: Scope, trial: Trial) -> None:
    row = await repository.lock(scope, trial.subject_tag, trial.budget) if trial.subject_tag is not None else None
    if row is not None and after_pass(_run(row)) == Run():
        await scope.tx.delete(row)


def _run(row: LockRow | None) -> Run:
    return Run() if row is None else Run(row.failures, row.locked_until, row.stopped_at is not None)
