"""What parameters mean whose endpoints do not say it themselves."""

from typing import Any

from app.services.paging import SORT_CHOICES

_IDS = {
    "dataset_id": "dataset",
    "model_id": "model",
    "activation_id": "activation store",
    "training_id": "training",
    "checkpoint_id": "checkpoint",
    "sae_id": "dictionary (the id of its training)",
    "feature_id": "feature",
    "sweep_id": "sweep (the id of its job)",
    "run_id": "saved run",
    "preset_id": "preset",
    "template_id": "template",
    "job_id": "job",
    "workflow_id": "workflow",
    "resource_id": "dataset, model, … that the job works on",
}
_OTHERS = {
    "status": "Only rows in this state",
    "search": "Only rows that hold this text, upper and lower case alike",
    "sort_by": "Field that the rows are sorted by; rows without a value come last",
    "order": "Direction of the sorting",
    "is_favorite": "Only favourites, or only the others",
    "source": "Only what was trained here, or only what was imported",
    "resource_type": "Only jobs that work on this kind of thing",
    "start_step": "First step wanted",
    "end_step": "Last step wanted",
    "format": "Form of the file",
}


def describe_parameters(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        if "description" not in parameter:
            parameter["description"] = _description(name, parameter["in"])
        if name == "sort_by":
            parameter["schema"] = _sorting(operation["operationId"], parameter["schema"])


def _description(name: str, place: str) -> str:
    if name not in _IDS:
        return _OTHERS.get(name, "")
    return f"Id of the {_IDS[name]}" if place == "path" else f"Only of this {_IDS[name]}"


def _sorting(operation_id: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The columns that the table really can be sorted by."""
    choices = SORT_CHOICES[operation_id.removeprefix("list_")]
    return {"type": "string", "enum": list(choices), "default": schema["default"]}
