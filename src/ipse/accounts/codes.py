"""How the verification code reaches the person: by mail, or through a file only the operator can read.

Without a mail server the code is written to ``<data_dir>/verification-codes/<account id>`` (mode 0600) and
the log says only where it lies: logs travel further than anybody remembers, so neither the code nor
the address is ever in them.
"""

from __future__ import annotations

import asyncio
import os
import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog

from ipse.settings import Settings

log = structlog.get_logger(__name__)

_TIMEOUT_S = 10.0
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_TEXT = """Your verification code is {code}.

It is valid for 15 minutes. If you did not register, ignore this message.
"""


async def send_code(settings: Settings, *, account_id: str, email: str, code: str) -> None:
    """Hand the code over. A mail server that fails is logged; the person asks for another code."""
    if settings.smtp_url is None:
        path = await asyncio.to_thread(_leave, settings.data_dir, account_id, code)
        log.info("account.code_waiting", account=account_id, file=str(path))
        return
    try:
        await asyncio.to_thread(_mail, settings.smtp_url.get_secret_value(), settings.mail_from, email, code)
    except (OSError, smtplib.SMTPException) as error:
        log.error("account.code_not_sent", account=account_id, error=type(error).__name__)
    else:
        log.info("account.code_sent", account=account_id)


def code_file(data_dir: Path, account_id: str) -> Path:
    """Where the code of an account waits when there is no mail server."""
    return data_dir / "verification-codes" / account_id


def forget_code(settings: Settings, account_id: str) -> None:
    """Remove the file of a code that was used."""
    code_file(settings.data_dir, account_id).unlink(missing_ok=True)


def _leave(data_dir: Path, account_id: str, code: str) -> Path:
    path = code_file(data_dir, account_id)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(code + "\n")
    return path


def _mail(url: str, sender: str, recipient: str, code: str) -> None:
    server = urlsplit(url)
    message = EmailMessage()
    message["Subject"] = "Your verification code"
    message["From"], message["To"] = sender, recipient
    message.set_content(_TEXT.format(code=code))
    host, context = server.hostname or "localhost", ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(host, server.port or 465, timeout=_TIMEOUT_S, context=context)
        if server.scheme == "smtps"
        else smtplib.SMTP(host, server.port or 587, timeout=_TIMEOUT_S)
    ) as smtp:
        if server.scheme != "smtps" and host not in _THIS_MACHINE:
            smtp.starttls(context=context)  # raises when the server offers none: a code never travels in clear
        if server.username:
            smtp.login(unquote(server.username), unquote(server.password or ""))
        smtp.send_message(message)
