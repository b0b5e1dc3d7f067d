"""Old and new code run together while an installation is upgraded (docs/operate/upgrade.md).

Two guarantees: migrations only add, and processes of the release before go on while one is applied.
"""

from __future__ import annotations

import ast
import asyncio
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from ipse import __version__
from ipse.runtime.services import Services
from ipse.storage import migrate
from ipse.storage.database import Database
from tests.services.actions import create, show_face
from tests.services.databases import Databases

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

FROM_HERE_ON = "0007"
"""Migrations up to this one came before the first release that promises upgrades without an interruption."""

MIGRATIONS = sorted(
    path
    for path in Path(migrate.__file__).with_name("migrations").glob("versions/0*.py")
    if path.name[:4] > FROM_HERE_ON
)
REMOVING = {"drop_table", "drop_column", "rename_table", "create_unique_constraint", "create_check_constraint"}
IN_SQL = re.compile(
    r"\b(DROP|RENAME|TRUNCATE|SET\s+NOT\s+NULL|ALTER\s+COLUMN|ADD\s+CONSTRAINT|LOCK\s+TABLE)\b", re.IGNORECASE
)

NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9000", "{before}", None, None
def upgrade() -> None:
    op.create_table("of_the_next_release", sa.Column("id", sa.Integer(), primary_key=True))
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("of_the_next_release", sa.String(length=8), nullable=True))
        batch_op.create_index("ix_sessions_next", ["of_the_next_release"], unique=False)
"""


def what_breaks_old_code(source: str) -> list[str]:
    """Operations of a migration that code of the release before could not live with, in the order of their lines."""
    module = ast.parse(source)
    undoing = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "downgrade"]
    skipped = {id(node) for function in undoing for node in ast.walk(function)}
    found: list[tuple[int, str]] = []
    for node in ast.walk(module):
        if id(node) in skipped or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, given = node.func.attr, {keyword.arg: keyword.value for keyword in node.keywords}
        if name in REMOVING or (name == "create_index" and _says(given.get("unique"), True)):
            found.append((node.lineno, name))
        if name == "alter_column" and (
            "new_column_name" in given or "type_" in given or _says(given.get("nullable"), False)
        ):
            found.append((node.lineno, name))
        if name == "add_column" and any(_is_demanded(argument) for argument in node.args):
            found.append((node.lineno, "add_column that old code does not fill"))
        if name in {"execute", "exec_driver_sql"}:
            words = {match.upper() for text in _texts(node) for match in IN_SQL.findall(text)}
            found += [(node.lineno, f"execute {word}") for word in sorted(words)]
    return [what for _, what in sorted(found)]


def _says(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _is_demanded(node: ast.expr) -> bool:
    """True of ``sa.Column(…, nullable=False)`` without a default of the database."""
    if not isinstance(node, ast.Call):
        return False
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    return _says(given.get("nullable"), False) and "server_default" not in given


def _texts(call: ast.Call) -> Iterator[str]:
    for node in ast.walk(call):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def declared(source: str, name: str) -> object:
    """The constant that a module assigns to ``name``; None when it does not."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            return ast.literal_eval(node.value)
    return None


@pytest.mark.parametrize(
    ("line", "breaks"),
    [
        ('op.create_table("t", sa.Column("id", sa.Uuid(), nullable=False))', []),
        ('batch_op.add_column(sa.Column("c", sa.String(), nullable=True))', []),
        ('batch_op.add_column(sa.Column("c", sa.String(), nullable=False, server_default=""))', []),
        (
            'batch_op.add_column(sa.Column("c", sa.String(), nullable=False))',
            ["add_column that old code does not fill"],
        ),
        ('batch_op.create_index("i", ["c"], unique=False)', []),
        ('batch_op.create_index("i", ["c"], unique=True)', ["create_index"]),
        ('batch_op.drop_index("i")', []),
        ('batch_op.drop_column("c")', ["drop_column"]),
        ('batch_op.alter_column("c", new_column_name="d")', ["alter_column"]),
        ('batch_op.alter_column("c", nullable=False)', ["alter_column"]),
        ('batch_op.alter_column("c", nullable=True)', []),
        ('op.rename_table("t", "u")', ["rename_table"]),
        ('op.drop_table("t")', ["drop_table"]),
        ('op.execute("UPDATE t SET c = 1")', []),
        ('op.execute("ALTER TABLE t RENAME TO u")', ["execute RENAME"]),
        (
            'op.execute(sa.text("ALTER TABLE t ALTER COLUMN c SET NOT NULL"))',
            ["execute ALTER COLUMN", "execute SET NOT NULL"],
        ),
    ],
)
def test_the_check_tells_what_old_code_could_not_live_with(line: str, breaks: list[str]) -> None:
    source = f'def upgrade():\n    {line}\n\n\ndef downgrade():\n    op.drop_table("t")\n'
    assert what_breaks_old_code(source) == breaks


def test_migrations_only_add_unless_an_earlier_release_stopped_using_what_goes() -> None:
    changelog = (Path(__file__).parents[2] / "CHANGELOG.md").read_text("utf-8")
    for path in MIGRATIONS:
        source = path.read_text("utf-8")
        breaks = what_breaks_old_code(source)
        if declared(source, "contract") is True:
            release = declared(source, "unused_since")
            assert isinstance(release, str), f"{path.name} says in which release nothing used what goes any more"
            assert re.search(rf"^## {re.escape(release)} - \d{{4}}-", changelog, re.MULTILINE), (
                f"{release} was released"
            )
            assert release != __version__, f"{path.name} belongs into a later release than {release}"
        else:
            assert breaks == [], f"{path.name}; see docs/operate/upgrade.md"


@pytest.fixture
def next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make this code know one migration more, as the next release would; return its revision."""
    before = migrate.head_revision()
    scripts = Path(migrate.__file__).with_name("migrations")
    shutil.copytree(scripts, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "migrations" / "versions" / "9000_next.py").write_text(NEXT.format(before=before), "utf-8")
    monkeypatch.setattr(migrate, "_SCRIPTS", tmp_path / "migrations")
    return "9000"


async def test_processes_of_the_release_before_go_on_while_the_schema_is_upgraded(
    client: AsyncClient, services: Services, next_release: str
) -> None:
    done = asyncio.Event()

    async def step_ups() -> list[str]:
        ended: list[str] = []
        while not done.is_set() or len(ended) < 6:  # connections have prepared their statements after five
            session = await create(client, None)
            state = (await show_face(client, session["session_token"])).json()
            ended.append(state["status"])
        return ended

    async def upgrade() -> None:
        await asyncio.sleep(0)
        database = Database(services.settings.resolved_database_url)
        try:
            await migrate.upgrade(database.engine)
            assert await migrate.current_revision(database.engine) == next_release
        finally:
            await database.close()
            done.set()

    working = asyncio.create_task(step_ups())
    await asyncio.gather(upgrade(), working)
    session = await create(client, None)
    ended = [*working.result(), (await show_face(client, session["session_token"])).json()["status"]]
    assert set(ended) == {"Approved"}


async def test_a_migration_lets_requests_pass_while_somebody_holds_its_table(
    client: AsyncClient, services: Services, databases: Databases, next_release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if databases.engine != "postgresql":
        pytest.skip("SQLite has one writer at a time: a migration waits its turn like any other")
    monkeypatch.setattr(migrate, "_LOCK_WAIT", "100ms")
    monkeypatch.setattr(migrate, "_PAUSE_S", 0.3)
    monkeypatch.setattr(migrate, "_ATTEMPTS", 10_000)
    database = Database(services.settings.resolved_database_url)
    try:
        async with database.reading() as tx:
            await tx.execute(sa.text("SELECT count(*) FROM sessions"))  # an analyst's long report, say
            upgrading = asyncio.create_task(migrate.upgrade(database.engine))
            for _ in range(5):
                await create(client, None)
            assert not upgrading.done()
        await upgrading
        assert await migrate.current_revision(database.engine) == next_release
    finally:
        await database.close()
