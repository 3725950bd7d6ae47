"""Which dictionary it is: the same on every machine and in every file format."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.paths import checkpoint_dir
from app.db.repositories import trainings

HASHED_BYTES = 1 << 20
DECODER = "W_dec_FD"


@dataclass(frozen=True)
class DictionaryFacts:
    """``fingerprint``: SHA-256 of the decoder's shape and of its first and last MiB.

    Directions are copied bit by bit by every exchange, while headers and biases may differ.
    """

    n_latents: int
    fingerprint: str


def dictionary_of(
    session: Session, settings: Settings, training_id: UUID
) -> DictionaryFacts | None:
    """What the training's latest checkpoint says of itself; None where there is none."""
    checkpoint = trainings.latest_checkpoint(session, training_id)
    if checkpoint is None:
        return None
    return read_facts(settings.data_root / checkpoint_dir(training_id, checkpoint.step))


def read_facts(checkpoint: Path) -> DictionaryFacts | None:
    """Read a checkpoint's facts without loading it; None where it cannot be read."""
    try:
        with (checkpoint / "sae.safetensors").open("rb") as file:
            header_bytes = int.from_bytes(file.read(8), "little")
            entry = json.loads(file.read(header_bytes))[DECODER]
            first, last = (8 + header_bytes + offset for offset in entry["data_offsets"])
            digest = hashlib.sha256(json.dumps(entry["shape"]).encode())
            for start in (first, max(first, last - HASHED_BYTES)):
                file.seek(start)
                digest.update(file.read(min(HASHED_BYTES, last - start)))
    except (OSError, KeyError, ValueError):
        return None
    return DictionaryFacts(int(entry["shape"][0]), digest.hexdigest())
