"""Sessions pin the content of their workflow, so that an in-place change of a version cannot reach them."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from ipse.storage.columns import JsonDocument, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workflow_contents",
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("graph", JsonDocument(), nullable=False),
        sa.Column("settings", JsonDocument(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_workflow_contents_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("application_id", "digest", name=op.f("pk_workflow_contents")),
    )
    op.add_column("workflow_versions", sa.Column("content", sa.String(length=64), nullable=True))
    op.add_column("sessions", sa.Column("workflow_content", sa.String(length=64), nullable=True))
    _pin_what_exists(op.get_bind())


def downgrade() -> None:
    op.drop_column("sessions", "workflow_content")
    op.drop_column("workflow_versions", "content")
    op.drop_table("workflow_contents")


def _pin_what_exists(connection: sa.Connection) -> None:
    """Give every published or deleted version its content, and its sessions with it."""
    identifier = sa.Uuid(as_uuid=False)
    versions = sa.table(
        "workflow_versions",
        sa.column("id", identifier),
        sa.column("application_id", identifier),
        sa.column("status", sa.String()),
        sa.column("graph", JsonDocument()),
        sa.column("settings", JsonDocument()),
        sa.column("content", sa.String()),
    )
    contents = sa.table(
        "workflow_contents",
        sa.column("application_id", identifier),
        sa.column("digest", sa.String()),
        sa.column("graph", JsonDocument()),
        sa.column("settings", JsonDocument()),
        sa.column("created_at", UtcDateTime(timezone=True)),
    )
    sessions = sa.table(
        "sessions", sa.column("workflow_version_id", identifier), sa.column("workflow_content", sa.String())
    )
    written: set[tuple[str, str]] = set()
    published = connection.execute(sa.select(versions).where(versions.c.status.in_(["published", "deleted"]))).all()
    for row in published:
        digest = _digest(row.graph, row.settings)
        if (row.application_id, digest) not in written:
            written.add((row.application_id, digest))
            connection.execute(
                contents.insert().values(
                    application_id=row.application_id,
                    digest=digest,
                    graph=row.graph,
                    settings=row.settings,
                    created_at=datetime.now(UTC),
                )
            )
        connection.execute(versions.update().where(versions.c.id == row.id).values(content=digest))
        connection.execute(
            sessions.update().where(sessions.c.workflow_version_id == row.id).values(workflow_content=digest)
        )


def _digest(graph: object, settings: object) -> str:
    """As ``ipse.workflows.contents`` computed it when this migration was written."""
    text = json.dumps({"graph": graph, "settings": settings}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
