"""What the jobs of a model write about it when they are done."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import Quantization
from app.core.paths import model_dir
from app.services.lookup import require_model


def record_card(
    session: Session, model_id: UUID, card: dict[str, Any], origin: dict[str, Any]
) -> None:
    """Keep what the core read from the model's folder.

    Args:
        session: Open session.
        model_id: The model.
        card: The core's model card as JSON.
        origin: Where the model came from.
    """
    model = require_model(session, model_id, lock=True)
    model.architecture = card["architecture"]
    model.quantization = Quantization(card["quantization"])
    model.params_count = card["params_count"]
    model.memory_req_bytes = card["memory_bytes"]
    model.file_path = str(model_dir(model_id))
    model.metadata_ = card | {"origin": origin}
    session.flush()
