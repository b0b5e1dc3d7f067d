"""Why a backup cannot be made, is not whole, or must not be restored here."""

from __future__ import annotations


class BackupError(Exception):
    """Carries a sentence for the operator; ``code`` is stable."""

    code = "BACKUP_ERROR"


class FolderInUse(BackupError):
    """A backup is written into an empty folder only."""

    code = "BACKUP_FOLDER_IN_USE"


class NotABackup(BackupError):
    """The folder holds no finished backup."""

    code = "BACKUP_UNFINISHED"


class BackupDamaged(BackupError):
    """A file is missing or was changed."""

    code = "BACKUP_DAMAGED"


class InstallationInUse(BackupError):
    """A backup is restored into an empty installation only."""

    code = "BACKUP_TARGET_IN_USE"


class OtherEngine(BackupError):
    """A backup of SQLite goes to SQLite, one of PostgreSQL to PostgreSQL."""

    code = "BACKUP_OTHER_ENGINE"
