"""Finding the files of one dictionary in a repository of the hub."""

from collections import defaultdict
from pathlib import PurePosixPath

from app.services.hub.model_files import RemoteFile, list_repository
from app.services.sae_source import FORMS, KNOWN, OPTIONAL_FILES, SaeFormatInvalid, is_complete

WANTED = frozenset().union(*FORMS) | OPTIONAL_FILES
LISTED = 5


def list_sae_files(
    repo_id: str, revision: str | None, subfolder: str | None, token: str | None
) -> tuple[str, list[RemoteFile]]:
    """The commit of a repository and the files of the dictionary in a folder of it.

    Raises:
        RepoNotFound: As ``hub_errors``.
        HubUnreachable: As ``hub_errors``.
        SaeFormatInvalid: No dictionary there; the sentence names folders that hold one.
    """
    commit, files = list_repository("dictionary", repo_id, revision, token)
    folders: dict[str, list[RemoteFile]] = defaultdict(list)
    for file in files:
        path = PurePosixPath(file.name)
        if path.name in WANTED:
            folders[str(path.parent)].append(file)
    chosen = folders.get(str(PurePosixPath(subfolder or ".")), [])
    if not is_complete([PurePosixPath(file.name).name for file in chosen]):
        raise _no_dictionary(repo_id, subfolder, folders)
    return commit, chosen


def _no_dictionary(
    repo_id: str, subfolder: str | None, folders: dict[str, list[RemoteFile]]
) -> SaeFormatInvalid:
    held = sorted(
        folder
        for folder, files in folders.items()
        if is_complete([PurePosixPath(file.name).name for file in files])
    )
    where = f"The folder {subfolder} of {repo_id}" if subfolder else repo_id
    hint = f"Wanted is {KNOWN}."
    if held:
        more = f" and {len(held) - LISTED} more" if len(held) > LISTED else ""
        hint = f"Choose a subfolder: {', '.join(held[:LISTED])}{more}."
    return SaeFormatInvalid(
        f"{where} holds no dictionary. {hint}",
        details={"field": "subfolder", "value": subfolder, "choices": held},
    )
