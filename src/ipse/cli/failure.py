"""Errors as people meet them: one sentence on stderr and an exit code, never a traceback.

Exit codes: 0 done; 1 the answer is no, or the work failed; 2 the command was called wrongly; 130 interrupted.
``IPSE_TRACEBACK=1`` shows the traceback, for those who mend the program itself.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

EXIT_NO = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class CommandError(Exception):
    """A failure with a sentence that says what to do."""

    def __init__(self, sentence: str, exit_code: int = EXIT_NO) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.exit_code = exit_code


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn whatever is raised inside into one sentence and an exit code."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        if os.environ.get("IPSE_TRACEBACK"):
            raise
        print(f"ipse: {sentence_of(error)}", file=sys.stderr)
        sys.exit(error.exit_code if isinstance(error, CommandError) else EXIT_NO)


def sentence_of(error: Exception) -> str:
    """One sentence for an error. Modules are looked up, not imported: what was not loaded cannot have raised."""
    if isinstance(error, CommandError):
        return error.sentence
    if _is(error, "pydantic", "ValidationError"):
        return _bad_settings(error)
    if _is(error, "sqlalchemy.exc", "ArgumentError", "NoSuchModuleError"):
        return "IPSE_DATABASE_URL is not a database URL this program knows."
    if _is(error, "sqlalchemy.exc", "OperationalError", "InterfaceError"):
        return f"The database cannot be reached: {_first_line(getattr(error, 'orig', error))}"
    if any(
        _is(error, module, name)
        for module, name in (
            ("ipse.biometrics.errors", "BiometricsError"),
            ("ipse.biometrics.images", "ImageError"),
            ("ipse.intelligence.errors", "DataError"),
            ("ipse.security.keyring", "KeyRingError"),
            ("ipse.storage.blobs", "BlobError"),
            ("ipse.runtime.services", "ModelsUnavailable"),
            ("ipse.demo.calls", "DemoFailed"),
        )
    ):
        return _first_line(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return f"Unexpected {type(error).__name__}: {_first_line(error)} (IPSE_TRACEBACK=1 shows where)"


def _is(error: Exception, module: str, *names: str) -> bool:
    loaded = sys.modules.get(module)
    kinds = tuple(kind for kind in (getattr(loaded, name, None) for name in names) if isinstance(kind, type))
    return isinstance(error, kinds)


def _bad_settings(error: Exception) -> str:
    problems = [
        f"IPSE_{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}"
        for item in error.errors()  # type: ignore[attr-defined]
    ]
    return "The configuration is wrong. " + "; ".join(problems)


def _first_line(error: object) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
