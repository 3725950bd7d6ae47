"""Asking the hub: only public addresses, and its errors in words that help."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.core.errors import AppError
from app.services.hub.border import guard_requests
from app.services.hub.errors import HubUnreachable, RepoNotFound


@contextmanager
def hub_errors(kind: str, repo_id: str) -> Iterator[None]:
    """Translate the hub libraries' errors.

    Args:
        kind: ``model`` or ``dataset``.
        repo_id: The repository that was asked for.

    Raises:
        RepoNotFound: Unknown, private or gated repository, or unknown revision.
        HubUnreachable: No answer, or an answer that is the hub's fault.
    """
    from huggingface_hub import errors

    guard_requests()
    details = {"repo_id": repo_id}
    try:
        yield
    except errors.GatedRepoError as error:
        raise RepoNotFound(
            f"The {kind} {repo_id} is gated. Accept its terms on the hub and give an access token.",
            details=details,
        ) from error
    except (errors.RepositoryNotFoundError, errors.DisabledRepoError) as error:
        raise RepoNotFound(
            f"There is no {kind} {repo_id} on the hub, or it is private. Check the spelling, or "
            "give an access token.",
            details=details,
        ) from error
    except errors.RevisionNotFoundError as error:
        raise RepoNotFound(
            f"The {kind} {repo_id} has no such revision.", details=details
        ) from error
    except errors.HfHubHTTPError as error:
        raise _of_status(error, kind, repo_id) from error
    except (
        errors.LocalEntryNotFoundError,
        errors.OfflineModeIsEnabled,
        errors.HTTPError,  # type: ignore[attr-defined]  # of the library's own HTTP client
        ConnectionError,
        TimeoutError,
    ) as error:
        raise HubUnreachable(
            f"The hub did not answer while {repo_id} was asked for. Check this machine's network, "
            f"or import the {kind} from a folder.",
            details=details,
        ) from error


def _of_status(error: Exception, kind: str, repo_id: str) -> AppError:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status in {401, 403, 404}:
        return RepoNotFound(
            f"The hub refuses access to the {kind} {repo_id}. Check the spelling and the access "
            "token.",
            details={"repo_id": repo_id, "status": status},
        )
    return HubUnreachable(
        f"The hub answered with an error ({status}) for {repo_id}. Try again later.",
        details={"repo_id": repo_id, "status": status},
    )
