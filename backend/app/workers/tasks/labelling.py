"""Labels by a language model, a feature at a time: what stands when it stops is kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from app.core.paths import model_dir
from app.ml.language_models import load_language_model
from app.ml.language_models.answering import answer
from app.services.label_writing import labelling
from app.services.label_writing.endpoint import MAX_TOKENS, EndpointWriter
from app.services.label_writing.labelling import MODEL, WriterFacts
from app.services.label_writing.prompt import Message, make_messages, read_label
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.reporting import should_stop
from app.workers.tasks.resource import resource_id_of

Ask = Callable[[list[Message]], str]


def run_feature_label(context: JobContext) -> JobOutcome:
    """Ask about every feature that this job has not asked about yet."""
    payload, training_id = context.payload, resource_id_of(context)
    find = partial(
        labelling.features_to_label,
        training_id=training_id, job_id=context.job_id, payload=payload,
    )  # fmt: skip
    ids = context.transaction(find)
    facts = WriterFacts(payload["writer"], payload["model"], context.job_id)
    written = 0
    with _writer(context) as ask:
        for done, feature_id in enumerate(ids):
            context.raise_if_stopped()
            message = f"Writing labels: {done:,} of {len(ids):,}"
            context.report(done, len(ids), message, unit="features")
            read = partial(
                labelling.read_evidence, feature_id=feature_id, n_contexts=payload["contexts"]
            )
            label = read_label(ask(make_messages(context.transaction(read))))
            put = partial(labelling.put_label, feature_id=feature_id, label=label, facts=facts)
            context.transaction(put)
            written += label is not None
    return JobOutcome(result={"n_asked": len(ids), "n_written": written, "model": facts.model})


@contextmanager
def _writer(context: JobContext) -> Iterator[Ask]:
    payload = context.payload
    if payload["writer"] == MODEL:
        context.report(0, 0, "Loading the model")
        folder = context.data_root / model_dir(UUID(payload["model_id"]))
        loaded = load_language_model(folder, device=context.settings.device)
        yield lambda messages: answer(loaded, messages, MAX_TOKENS, should_stop(context))
        return
    writer = EndpointWriter(payload["endpoint"], payload["model"])
    try:
        yield writer.answer
    finally:
        writer.close()
