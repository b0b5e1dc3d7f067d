"""Forgetting the faces of a person, and the images behind them."""

from __future__ import annotations

from sqlalchemy import delete, or_, select

from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.storage.tables import FaceRow, UserRow


async def forget_faces(scope: Scope, user: UserRow) -> int:
    """Delete every face of a person, live selfies included, with their images; return how many there were.

    The images are looked up before the rows go: the other order loses the only trace of them.
    """
    whose = (
        FaceRow.application_id == scope.application_id,
        or_(FaceRow.user_id == user.id, FaceRow.vendor_data == user.vendor_data),
    )
    found = (await scope.tx.execute(select(FaceRow.id, FaceRow.media_id).where(*whose))).all()
    await media.erase(scope, {row.media_id for row in found if row.media_id is not None})
    await scope.tx.execute(delete(FaceRow).where(*whose))
    return len(found)
