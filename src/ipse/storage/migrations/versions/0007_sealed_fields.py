"""Personal fields are sealed, what is looked up becomes a pseudonym, and words are found by keyed digests.

The columns of old values are dropped. SQLite overwrites what they held; on PostgreSQL the rows as they were lie in the
files until ``VACUUM FULL`` (decision 0017).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.engine import Connection

from ipse.storage.columns import JsonDocument
from ipse.storage.sealed import Vault, VaultMissing, context_of, encode, vault_of
from ipse.storage.search_terms import stored_tags

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_JSON = JsonDocument()
_TEXT = sa.Text()

_SEALED: Mapping[str, Mapping[str, tuple[str, sa.types.TypeEngine[Any], Any]]] = {
    "users": {
        "display_name": ("display_name", _TEXT, None),
        "full_name": ("full_name", _TEXT, None),
        "date_of_birth": ("date_of_birth", _TEXT, None),
        "details": ("details", _JSON, {}),
    },
    "sessions": {
        "callback": ("callback", _TEXT, None),
        "session_metadata": ("metadata", _JSON, None),
        "expected_details": ("expected_details", _JSON, None),
        "contact_details": ("contact_details", _JSON, None),
        "action": ("action", _JSON, None),
        "trace": ("trace", _JSON, []),
        "status_override": ("status_override", _JSON, None),
        "resubmission": ("resubmission", _JSON, None),
    },
    "reports": {"report": ("report", _JSON, {})},
    "captures": {"answer": ("answer", _JSON, {})},
    "reviews": {
        "actor_display": ("actor_display", _TEXT, ""),
        "actor_email": ("actor_email", _TEXT, None),
        "comment": ("comment", _TEXT, None),
        "changes": ("changes", _JSON, {}),
    },
    "step_up_policy_versions": {"published_by": ("published_by", _TEXT, "")},
    "step_up_evaluations": {"facts": ("facts", _JSON, {}), "reasons": ("reasons", _JSON, [])},
    "session_signals": {"signals": ("signals", _JSON, {})},
    "list_entries": {
        "display_label": ("display_label", _TEXT, None),
        "comment": ("comment", _TEXT, None),
        "details": ("details", _JSON, {}),
        "added_by": ("added_by", _TEXT, ""),
    },
    "sightings": {
        "details": ("details", _JSON, {}),
    },
    "faces": {"comment": ("comment", _TEXT, None)},
    "organizations": {"name": ("name", _TEXT, ""), "contact_email": ("contact_email", _TEXT, None)},
    "accounts": {},
    "deliveries": {"response_excerpt": ("response_excerpt", _TEXT, None)},
    "workflow_versions": {"created_by": ("created_by", _JSON, {})},
    "handoffs": {"devices": ("devices", _JSON, {})},
}
"""Table -> sealed field -> the column it had, its type, and the value that an empty column stands for."""

_PLACE = {"latitude": "latitude", "longitude": "longitude"}
"""Numbers of sightings that become text first."""

_PSEUDONYMS: Mapping[str, Mapping[str, str]] = {
    "users": {"vendor_data": "vendor_data"},
    "sessions": {"vendor_data": "vendor_data"},
    "step_up_evaluations": {"vendor_data": "vendor_data", "ip": "address"},
    "list_entries": {"value": "list value"},
    "sightings": {"vendor_data": "vendor_data", "ip": "address", "network": "network", **_PLACE},
    "faces": {"vendor_data": "vendor_data"},
    "accounts": {"email": "email"},
}
"""Table -> column -> the name that its values are bound to."""

_WORDS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "users": {"vendor_data": ("vendor_data",), "name": ("display_name", "full_name")},
    "list_entries": {"list entry": ("value", "display_label")},
}
"""Table -> kind of search term -> the columns whose words it holds."""

_KEYS: Mapping[str, Sequence[str]] = {
    "reports": ("session_id", "node_id"),
    "step_up_policy_versions": ("policy_id", "version"),
    "session_signals": ("session_id",),
}
"""What identifies a row where it is not ``id``."""

_OF_APPLICATIONS = (
    "users",
    "sessions",
    "step_up_evaluations",
    "list_entries",
    "sightings",
    "faces",
    "workflow_versions",
)
"""Tables with a column ``application_id``, which their values are bound to."""

_BATCH = 500


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    op.create_table(
        "search_terms",
        sa.Column("application_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("tag", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_search_terms_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("application_id", "kind", "tag", "object_id", name=op.f("pk_search_terms")),
    )
    op.create_index(op.f("ix_search_terms_object_id"), "search_terms", ["object_id"], unique=False)
    for table in ("users", "list_entries"):
        _take_terms_along(connection, table)
    op.add_column("users", sa.Column("issuing_states", JsonDocument(), nullable=False, server_default="[]"))
    op.add_column("reports", sa.Column("warnings", JsonDocument(), nullable=False, server_default="[]"))
    for table, fields in _SEALED.items():
        for field in fields:
            op.add_column(table, sa.Column(f"{field}_sealed", sa.LargeBinary(), nullable=True))
        if connection.dialect.name == "postgresql":
            for column in (one for one in _PSEUDONYMS.get(table, ()) if one not in _PLACE):
                op.alter_column(table, column, type_=sa.String())
        if table == "sightings":
            _places_as_text()
        _seal(connection, table)
        for column, _, _ in fields.values():
            op.drop_column(table, column)


def _take_terms_along(connection: Connection, table: str) -> None:
    """Terms go with their object, however it is deleted: they belong to several tables, so no foreign key says it."""
    gone = "DELETE FROM search_terms WHERE object_id = OLD.id"
    if connection.dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER {table}_search_terms AFTER DELETE ON {table} BEGIN {gone}; END")
        return
    op.execute(
        f"CREATE FUNCTION {table}_search_terms() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {gone}; RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_search_terms AFTER DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_search_terms()"
    )


def _seal(connection: Connection, table: str) -> None:
    fields, pseudonyms, key = _SEALED[table], _PSEUDONYMS.get(table, {}), _KEYS.get(table, ("id",))
    old = sa.table(
        table,
        *(sa.column(name, sa.Integer() if name == "version" else _key_type(name)) for name in key),
        *(sa.column(column, kind) for column, kind, _ in fields.values()),
        *(sa.column(column, _TEXT) for column in pseudonyms),
        *(sa.column(f"{field}_sealed", sa.LargeBinary()) for field in fields),
        *([sa.column("application_id", sa.Uuid(as_uuid=False))] if table in _OF_APPLICATIONS else []),
        *({"users": [sa.column("issuing_states", _JSON)], "reports": [sa.column("warnings", _JSON)]}.get(table, [])),
    )
    for row in _rows(connection, old, key):
        vault = _vault(connection)
        bound_to = row.get("application_id"), [row[name] for name in key]
        values: dict[str, Any] = {
            column: None if row[column] is None else vault.pseudonym(str(row[column]), field=field)
            for column, field in pseudonyms.items()
        }
        for field, (column, _, empty) in fields.items():
            value = row[column]
            if table == "users" and field == "details":
                values["issuing_states"] = value.get("issuing_states") or []
                value = {name: one for name, one in value.items() if name != "issuing_states"}
            if table == "reports":
                values["warnings"] = [one["risk"] for one in value.get("warnings", [])]
            if value is not None and value != empty:
                values[f"{field}_sealed"] = vault.seal(encode(value), context=context_of(table, field, *bound_to))
        for kind, texts in _WORDS.get(table, {}).items():
            _index(connection, vault, kind, row, texts)
        connection.execute(sa.update(old).where(*(old.c[name] == row[name] for name in key)).values(values))


def _index(connection: Connection, vault: Vault, kind: str, row: sa.RowMapping, texts: Sequence[str]) -> None:
    ids = {name: sa.column(name, sa.Uuid(as_uuid=False)) for name in ("application_id", "object_id")}
    terms = sa.table("search_terms", *ids.values(), sa.column("kind", sa.String()), sa.column("tag", sa.String()))
    tags = stored_tags(vault, row["application_id"], [row[name] for name in texts])
    if tags:
        owner = {"application_id": row["application_id"], "kind": kind, "object_id": row["id"]}
        connection.execute(sa.insert(terms), [{**owner, "tag": tag} for tag in sorted(tags)])


def _places_as_text() -> None:
    """Numbers cannot hold a pseudonym, and SQLite cannot change the type of a column: new ones take the names."""
    for column in _PLACE:
        op.add_column("sightings", sa.Column(f"{column}_text", sa.String(), nullable=True))
        sightings = sa.table("sightings", sa.column(column), sa.column(f"{column}_text"))
        op.execute(sa.update(sightings).values({f"{column}_text": sa.cast(sightings.c[column], _TEXT)}))
        op.drop_column("sightings", column)
        op.execute(f"ALTER TABLE sightings RENAME COLUMN {column}_text TO {column}")


def _rows(connection: Connection, table: sa.TableClause, key: Sequence[str]) -> Iterator[sa.RowMapping]:
    """Every row, a batch at a time in the order of the key, which no change touches."""
    columns = [table.c[name] for name in key]
    query = sa.select(table).order_by(*columns).limit(_BATCH)
    rows = connection.execute(query).mappings().all()
    while rows:
        yield from rows
        after = sa.tuple_(*columns) > sa.tuple_(*(sa.literal(rows[-1][column.name], column.type) for column in columns))
        rows = connection.execute(query.where(after)).mappings().all()


def _key_type(name: str) -> sa.types.TypeEngine[Any]:
    return sa.String() if name == "node_id" else sa.Uuid(as_uuid=False)


def _vault(connection: Connection) -> Vault:
    try:
        return vault_of(connection.dialect)
    except VaultMissing as error:
        raise RuntimeError(
            "Revision 0007 seals the personal fields of rows that exist, and was given no keys: upgrade by `ipse serve`."
        ) from error


def downgrade() -> None:
    raise NotImplementedError("What is sealed is not written back in clear. Restore the backup taken before 0007.")
