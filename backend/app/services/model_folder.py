"""What a model's folder tells without being loaded."""

from uuid import UUID

from app.core.config import Settings
from app.core.paths import model_dir


def has_chat_template(settings: Settings, model_id: UUID) -> bool:
    """Whether the folder says how a conversation is written."""
    folder = settings.data_root / model_dir(model_id)
    if (folder / "chat_template.jinja").is_file():
        return True
    try:
        return '"chat_template"' in (folder / "tokenizer_config.json").read_text()
    except OSError:
        return False
