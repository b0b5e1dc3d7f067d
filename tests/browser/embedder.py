"""A site that shows the hosted page in a frame: another port and another host name, as an integrator's shop has."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_PAGE = """<!doctype html><html lang="en"><title>Shop</title>
<style>iframe {{ width: 380px; height: 780px; border: 0 }}</style><h1>Shop</h1>
<iframe id="ipse" title="Confirm" src="{url}" allow="camera; microphone; fullscreen; autoplay; encrypted-media">
</iframe><script>
window.heard = [];
const frame = document.getElementById("ipse");
window.addEventListener("message", (event) => {{
  if (event.source !== frame.contentWindow) return;
  const message = typeof event.data === "string" ? JSON.parse(event.data) : event.data;
  window.heard.push({{ origin: event.origin, ...message }});
}});
</script>"""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        body = _PAGE.format(url=asked["show"][0]) if "show" in asked else "<!doctype html><title>Shop</title>"
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output clean."""


@contextlib.contextmanager
def running_embedder() -> Iterator[str]:
    """Its address; ``/?show=URL`` embeds a page and keeps what it posts in ``window.heard``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        # The page itself is opened as 127.0.0.1: to a browser that is another site.
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
