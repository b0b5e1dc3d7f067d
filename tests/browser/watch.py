"""What a page did behind the person's back: requests to other places, breaches of its policy, uncaught errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError


@dataclass
class Watch:
    """Listens to everything in a context. ``allowed``: origins that the test itself brings in."""

    allowed: set[str]
    requests: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Begin to listen."""
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", self._error)

    def check(self) -> None:
        """Nothing left the origins, the Content-Security-Policy was kept, no error went uncaught."""
        assert not self.strangers, f"requests to other origins: {self.strangers}"
        assert not self.breaches, f"Content-Security-Policy: {self.breaches}"
        assert not self.errors, f"uncaught in the page: {self.errors}"

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)
        parts = urlsplit(request.url)
        own = parts.scheme in ("blob", "data") or f"{parts.scheme}://{parts.netloc}" in self.allowed
        if not own:
            self.strangers.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.breaches.append(message.text)

    def _error(self, error: WebError) -> None:
        self.errors.append(str(error.error))
