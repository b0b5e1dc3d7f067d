"""The sealed seed under which an application's vectors stand in the vector index (decision 0016)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "face_spaces",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seed_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["applications.id"], name=op.f("fk_face_spaces_id_applications"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face_spaces")),
    )


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS face_vectors")  # made by `ipse faces index build`; unreadable without its seeds
    op.drop_table("face_spaces")
