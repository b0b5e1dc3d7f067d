"""Every router of the public interface. Routes are compared one after the other: what is asked most comes first."""

from __future__ import annotations

from fastapi import FastAPI

from ipse.accounts.endpoints import router as accounts
from ipse.api.system import router as system
from ipse.branding.endpoints import router as branding
from ipse.capture.challenge_endpoints import router as challenges
from ipse.capture.device_endpoints import router as capture_devices
from ipse.capture.endpoints import router as capture
from ipse.capture.entry_endpoints import router as entries
from ipse.capture.handoff_endpoints import router as handoffs
from ipse.evidence.endpoints import router as evidence
from ipse.hosted.endpoints import router as hosted
from ipse.lists.endpoints import router as lists
from ipse.lists.legacy_endpoints import router as blocklist
from ipse.lockout.endpoints import router as lockouts
from ipse.media.endpoints import router as media
from ipse.privacy.endpoints import router as privacy
from ipse.risk.endpoints import router as risk
from ipse.sandbox.endpoints import router as sandbox
from ipse.sessions.endpoints import router as sessions
from ipse.sessions.review_endpoints import router as reviews
from ipse.sessions.signal_endpoints import router as signals
from ipse.shop.endpoints import router as shop
from ipse.standalone.endpoints import router as standalone
from ipse.step_up.otp_endpoints import router as otp
from ipse.step_up.policy_endpoints import router as policies
from ipse.step_up.verdict_endpoints import router as verdicts
from ipse.users.endpoints import router as users
from ipse.webhooks.endpoints import router as webhooks
from ipse.workflows.endpoints import router as workflows


def include(app: FastAPI) -> None:
    """Mount every router."""
    for router in (
        risk,
        policies,
        sessions,
        reviews,
        signals,
        evidence,
        capture,
        challenges,
        capture_devices,
        handoffs,
        entries,
        standalone,
        workflows,
        webhooks,
        lockouts,
        privacy,
        users,
        lists,
        blocklist,
        accounts,
        branding,
        sandbox,
        media,
        system,
        verdicts,
        otp,
        hosted,
        shop,
    ):
        app.include_router(router)
