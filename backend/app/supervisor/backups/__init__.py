"""Backups of database and files in one archive, and their way back."""

from app.supervisor.backups.archive import BackupInvalid, Contents, read_contents
from app.supervisor.backups.restoring import NotEmpty, restore_backup
from app.supervisor.backups.writing import BackupFailed, write_backup

__all__ = [
    "BackupFailed",
    "BackupInvalid",
    "Contents",
    "NotEmpty",
    "read_contents",
    "restore_backup",
    "write_backup",
]
