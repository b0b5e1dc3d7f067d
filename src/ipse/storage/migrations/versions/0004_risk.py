"""Risk: lists, devices and where they were seen, step-up policies, verdicts bound to an action, signals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipse.storage.columns import JsonDocument, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("algorithm", sa.String(length=8), nullable=False),
        sa.Column("public_jwk", JsonDocument(), nullable=False),
        sa.Column("private_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("retired_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("persistent_hash", sa.String(length=64), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("components", JsonDocument(), nullable=False),
        sa.Column("details", JsonDocument(), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_devices_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
    )
    op.create_index(
        op.f("ix_devices_application_id_fingerprint"), "devices", ["application_id", "fingerprint"], unique=False
    )
    op.create_index(
        op.f("ix_devices_application_id_persistent_hash"), "devices", ["application_id", "persistent_hash"], unique=True
    )
    op.create_table(
        "lists",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("list_type", sa.String(length=9), nullable=False),
        sa.Column("entry_type", sa.String(length=18), nullable=False),
        sa.Column("is_system", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_lists_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lists")),
        sa.UniqueConstraint("application_id", "name", name=op.f("uq_lists_application_id_name")),
    )
    op.create_table(
        "step_up_evaluations",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("evaluated_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("vendor_data", sa.String(length=256), nullable=True),
        sa.Column("action_type", sa.String(length=64), nullable=False),
        sa.Column("action_hash", sa.String(length=64), nullable=False),
        sa.Column("amount", sa.String(length=40), nullable=True),
        sa.Column("currency", sa.String(length=12), nullable=True),
        sa.Column("payee_key", sa.String(length=64), nullable=True),
        sa.Column("device_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("facts", JsonDocument(), nullable=False),
        sa.Column("policy_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(length=8), nullable=False),
        sa.Column("reasons", JsonDocument(), nullable=False),
        sa.Column("session_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("completed_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_step_up_evaluations_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_up_evaluations")),
    )
    op.create_index(
        op.f("ix_step_up_evaluations_application_id_device_id_evaluated_at"),
        "step_up_evaluations",
        ["application_id", "device_id", "evaluated_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_step_up_evaluations_application_id_evaluated_at"),
        "step_up_evaluations",
        ["application_id", "evaluated_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_step_up_evaluations_application_id_ip_evaluated_at"),
        "step_up_evaluations",
        ["application_id", "ip", "evaluated_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_step_up_evaluations_application_id_vendor_data_action_type_evaluated_at"),
        "step_up_evaluations",
        ["application_id", "vendor_data", "action_type", "evaluated_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_step_up_evaluations_application_id_vendor_data_payee_key"),
        "step_up_evaluations",
        ["application_id", "vendor_data", "payee_key"],
        unique=False,
    )
    op.create_index(
        op.f("ix_step_up_evaluations_application_id_payee_key_evaluated_at"),
        "step_up_evaluations",
        ["application_id", "payee_key", "evaluated_at"],
        unique=False,
    )
    op.create_index(op.f("ix_step_up_evaluations_session_id"), "step_up_evaluations", ["session_id"], unique=False)
    op.create_table(
        "step_up_policies",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("current_version", sa.Integer(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_step_up_policies_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_up_policies")),
        sa.UniqueConstraint("application_id", "name", name=op.f("uq_step_up_policies_application_id_name")),
    )
    op.create_table(
        "list_entries",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("list_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("entry_type", sa.String(length=18), nullable=False),
        sa.Column("value", sa.String(length=512), nullable=False),
        sa.Column("display_label", sa.String(length=255), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("details", JsonDocument(), nullable=False),
        sa.Column("reference_session_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("reference_object_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("added_by", sa.String(length=320), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_list_entries_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["lists.id"], name=op.f("fk_list_entries_list_id_lists"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_entries")),
        sa.UniqueConstraint("list_id", "value", name=op.f("uq_list_entries_list_id_value")),
    )
    op.create_index(
        op.f("ix_list_entries_application_id_entry_type_value"),
        "list_entries",
        ["application_id", "entry_type", "value"],
        unique=False,
    )
    op.create_index(op.f("ix_list_entries_expires_at"), "list_entries", ["expires_at"], unique=False)
    op.create_index(
        op.f("ix_list_entries_list_id_created_at_id"), "list_entries", ["list_id", "created_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_list_entries_reference_session_id"), "list_entries", ["reference_session_id"], unique=False
    )
    op.create_table(
        "step_up_policy_versions",
        sa.Column("policy_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", JsonDocument(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("published_by", sa.String(length=320), nullable=False),
        sa.Column("published_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["step_up_policies.id"],
            name=op.f("fk_step_up_policy_versions_policy_id_step_up_policies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("policy_id", "version", name=op.f("pk_step_up_policy_versions")),
    )
    op.create_table(
        "user_devices",
        sa.Column("user_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("device_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("times_seen", sa.Integer(), nullable=False),
        sa.Column("trusted_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("trusted_by", sa.String(length=16), nullable=True),
        sa.Column("revoked_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_user_devices_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_user_devices_device_id_devices"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_devices_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "device_id", name=op.f("pk_user_devices")),
    )
    op.create_table(
        "session_signals",
        sa.Column("session_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("signals", JsonDocument(), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_session_signals_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_session_signals")),
    )
    op.create_table(
        "sightings",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("session_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("evaluation_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("vendor_data", sa.String(length=256), nullable=True),
        sa.Column("device_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("network", sa.String(length=49), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("asn", sa.Integer(), nullable=True),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("details", JsonDocument(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_sightings_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_sightings_device_id_devices"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_sightings_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sightings")),
    )
    op.create_index(
        op.f("ix_sightings_application_id_device_id_seen_at"),
        "sightings",
        ["application_id", "device_id", "seen_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_sightings_application_id_fingerprint_seen_at"),
        "sightings",
        ["application_id", "fingerprint", "seen_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_sightings_application_id_ip_seen_at"), "sightings", ["application_id", "ip", "seen_at"], unique=False
    )
    op.create_index(
        op.f("ix_sightings_application_id_vendor_data_seen_at"),
        "sightings",
        ["application_id", "vendor_data", "seen_at"],
        unique=False,
    )
    op.create_index(op.f("ix_sightings_session_id"), "sightings", ["session_id"], unique=False)
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("session_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("action_hash", sa.String(length=64), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("issued_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("redeemed_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_verdicts_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_verdicts_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
    )
    op.create_index(
        op.f("ix_verdicts_application_id_expires_at"), "verdicts", ["application_id", "expires_at"], unique=False
    )
    op.create_index(op.f("ix_verdicts_session_id"), "verdicts", ["session_id"], unique=False)
    op.add_column("sessions", sa.Column("action", JsonDocument(), nullable=True))
    op.add_column("sessions", sa.Column("action_hash", sa.String(length=64), nullable=True))
    op.add_column("sessions", sa.Column("evaluation_id", sa.Uuid(as_uuid=False), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "evaluation_id")
    op.drop_column("sessions", "action_hash")
    op.drop_column("sessions", "action")
    op.drop_index(op.f("ix_verdicts_session_id"), table_name="verdicts")
    op.drop_index(op.f("ix_verdicts_application_id_expires_at"), table_name="verdicts")
    op.drop_table("verdicts")
    op.drop_index(op.f("ix_sightings_session_id"), table_name="sightings")
    op.drop_index(op.f("ix_sightings_application_id_vendor_data_seen_at"), table_name="sightings")
    op.drop_index(op.f("ix_sightings_application_id_ip_seen_at"), table_name="sightings")
    op.drop_index(op.f("ix_sightings_application_id_fingerprint_seen_at"), table_name="sightings")
    op.drop_index(op.f("ix_sightings_application_id_device_id_seen_at"), table_name="sightings")
    op.drop_table("sightings")
    op.drop_table("session_signals")
    op.drop_table("user_devices")
    op.drop_table("step_up_policy_versions")
    op.drop_index(op.f("ix_list_entries_reference_session_id"), table_name="list_entries")
    op.drop_index(op.f("ix_list_entries_list_id_created_at_id"), table_name="list_entries")
    op.drop_index(op.f("ix_list_entries_expires_at"), table_name="list_entries")
    op.drop_index(op.f("ix_list_entries_application_id_entry_type_value"), table_name="list_entries")
    op.drop_table("list_entries")
    op.drop_table("step_up_policies")
    op.drop_index(op.f("ix_step_up_evaluations_session_id"), table_name="step_up_evaluations")
    op.drop_index(op.f("ix_step_up_evaluations_application_id_vendor_data_payee_key"), table_name="step_up_evaluations")
    op.drop_index(
        op.f("ix_step_up_evaluations_application_id_payee_key_evaluated_at"), table_name="step_up_evaluations"
    )
    op.drop_index(
        op.f("ix_step_up_evaluations_application_id_vendor_data_action_type_evaluated_at"),
        table_name="step_up_evaluations",
    )
    op.drop_index(op.f("ix_step_up_evaluations_application_id_ip_evaluated_at"), table_name="step_up_evaluations")
    op.drop_index(op.f("ix_step_up_evaluations_application_id_evaluated_at"), table_name="step_up_evaluations")
    op.drop_index(
        op.f("ix_step_up_evaluations_application_id_device_id_evaluated_at"), table_name="step_up_evaluations"
    )
    op.drop_table("step_up_evaluations")
    op.drop_table("lists")
    op.drop_index(op.f("ix_devices_application_id_persistent_hash"), table_name="devices")
    op.drop_index(op.f("ix_devices_application_id_fingerprint"), table_name="devices")
    op.drop_table("devices")
    op.drop_table("signing_keys")
