"""Trust: audit log, erasure receipts, retention, lock-outs, shared counters, template spaces, a key for every blob."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipse.storage.columns import JsonDocument, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


_ENTRY_COLUMNS = (
    "id",
    "chain",
    "occurred_at",
    "act",
    "actor_type",
    "object_type",
    "object_tag",
    "subject_tag",
    "commitment",
    "digest",
)
"""What no update of an audit entry may touch. Its place is given once; its content is sealed again or destroyed."""


def upgrade() -> None:
    op.create_table(
        "audit_checkpoints",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("chain", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checkpoints")),
        sa.UniqueConstraint("chain", "position", name=op.f("uq_audit_checkpoints_chain_position")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("chain", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("occurred_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("actor_type", sa.String(length=16), nullable=False),
        sa.Column("object_type", sa.String(length=32), nullable=False),
        sa.Column("object_tag", sa.String(length=64), nullable=True),
        sa.Column("subject_tag", sa.String(length=64), nullable=True),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("details_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("chained", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sa.UniqueConstraint("chain", "position", name=op.f("uq_audit_entries_chain_position")),
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entries_chain_object_tag"), ["chain", "object_tag"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entries_chain_subject_tag"), ["chain", "subject_tag"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_audit_entries_position_occurred_at"), ["position", "occurred_at"], unique=False
        )

    op.create_table(
        "erasure_receipts",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("object_tag", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("destroyed", JsonDocument(), nullable=False),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_receipts")),
    )
    with op.batch_alter_table("erasure_receipts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_erasure_receipts_application_id_object_tag"), ["application_id", "object_tag"], unique=False
        )

    op.create_table(
        "request_counters",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("window", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "window", name=op.f("pk_request_counters")),
    )
    if op.get_bind().dialect.name == "postgresql":  # counts may be lost in a crash, and need no journal
        op.execute("ALTER TABLE request_counters SET UNLOGGED")
    with op.batch_alter_table("request_counters", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_request_counters_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "retention_runs",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("is_dry", sa.Boolean(), nullable=False),
        sa.Column("report", JsonDocument(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_runs")),
    )
    with op.batch_alter_table("retention_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_retention_runs_application_id"), ["application_id"], unique=False)

    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("session_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("subject_tag", sa.String(length=64), nullable=True),
        sa.Column("device_tag", sa.String(length=64), nullable=True),
        sa.Column("address_tag", sa.String(length=64), nullable=True),
        sa.Column("has_passed", sa.Boolean(), nullable=False),
        sa.Column("attempted_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_attempts_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_attempts_application_id_address_tag_attempted_at"),
            ["application_id", "address_tag", "attempted_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_attempts_application_id_subject_tag_attempted_at"),
            ["application_id", "subject_tag", "attempted_at"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_attempts_attempted_at"), ["attempted_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_attempts_session_id"), ["session_id"], unique=False)

    op.create_table(
        "locks",
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("subject_tag", sa.String(length=64), nullable=False),
        sa.Column("device_tag", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", UtcDateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_locks_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("application_id", "subject_tag", "device_tag", name=op.f("pk_locks")),
    )
    op.create_table(
        "template_spaces",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seed_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("retired_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_template_spaces_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_spaces")),
        sa.UniqueConstraint("application_id", "version", name=op.f("uq_template_spaces_application_id_version")),
    )
    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.add_column(sa.Column("retention_days", sa.Integer(), nullable=True))

    with op.batch_alter_table("faces", schema=None) as batch_op:
        batch_op.add_column(sa.Column("space_version", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("search_sealed", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("renewed_at", UtcDateTime(timezone=True), nullable=True))

    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.add_column(sa.Column("session_id", sa.Uuid(as_uuid=False), nullable=True))
        batch_op.add_column(sa.Column("subject_tag", sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f("ix_idempotency_keys_session_id"), ["session_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_idempotency_keys_subject_tag"), ["subject_tag"], unique=False)

    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key_sealed", sa.LargeBinary(), nullable=True))

    _make_audit_append_only()


def _make_audit_append_only() -> None:
    """Let the database itself refuse to change or to delete audit entries and checkpoints."""
    if op.get_bind().dialect.name == "postgresql":
        differs = "IS DISTINCT FROM"
        op.execute(
            "CREATE FUNCTION ipse_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'the audit log is append-only'; END $$"
        )
        for table in ("audit_entries", "audit_checkpoints"):
            op.execute(
                f"CREATE TRIGGER {table}_no_delete BEFORE DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION ipse_append_only()"
            )
        forbid = "FOR EACH ROW WHEN ({}) EXECUTE FUNCTION ipse_append_only()"
    else:
        differs = "IS NOT"
        forbid = "FOR EACH ROW WHEN {} BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        for table in ("audit_entries", "audit_checkpoints"):
            op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {forbid.format('1 = 1')}")
    touched = [f"NEW.{name} {differs} OLD.{name}" for name in _ENTRY_COLUMNS]
    moved = [f"(OLD.{name} IS NOT NULL AND NEW.{name} {differs} OLD.{name})" for name in ("position", "chained")]
    revived = "(OLD.details_sealed IS NULL AND NEW.details_sealed IS NOT NULL)"
    changed = " OR ".join((*touched, *moved, revived))
    op.execute(f"CREATE TRIGGER audit_entries_no_change BEFORE UPDATE ON audit_entries {forbid.format(changed)}")
    op.execute(
        f"CREATE TRIGGER audit_checkpoints_no_change BEFORE UPDATE ON audit_checkpoints {forbid.format('1 = 1')}"
    )


def downgrade() -> None:
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.drop_column("key_sealed")

    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_keys_subject_tag"))
        batch_op.drop_index(batch_op.f("ix_idempotency_keys_session_id"))
        batch_op.drop_column("subject_tag")
        batch_op.drop_column("session_id")

    with op.batch_alter_table("faces", schema=None) as batch_op:
        batch_op.drop_column("renewed_at")
        batch_op.drop_column("search_sealed")
        batch_op.drop_column("space_version")

    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.drop_column("retention_days")

    op.drop_table("template_spaces")
    op.drop_table("locks")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempts_session_id"))
        batch_op.drop_index(batch_op.f("ix_attempts_attempted_at"))
        batch_op.drop_index(batch_op.f("ix_attempts_application_id_subject_tag_attempted_at"))
        batch_op.drop_index(batch_op.f("ix_attempts_application_id_address_tag_attempted_at"))

    op.drop_table("attempts")
    with op.batch_alter_table("retention_runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_retention_runs_application_id"))

    op.drop_table("retention_runs")
    with op.batch_alter_table("request_counters", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_request_counters_expires_at"))

    op.drop_table("request_counters")
    with op.batch_alter_table("erasure_receipts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasure_receipts_application_id_object_tag"))

    op.drop_table("erasure_receipts")
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_entries_position_occurred_at"))
        batch_op.drop_index(batch_op.f("ix_audit_entries_chain_subject_tag"))
        batch_op.drop_index(batch_op.f("ix_audit_entries_chain_object_tag"))

    op.drop_table("audit_entries")
    op.drop_table("audit_checkpoints")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION ipse_append_only()")
