"""Pages, sorting, bulk loading and series on a real PostgreSQL."""

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.errors import ValidationFailed
from app.db.models import Feature, FeatureActivation, FeatureToken
from app.db.packed import pack
from app.db.repositories import datasets, feature_loading, feature_pages, features, trainings
from app.db.repositories.context_rows import ContextRow
from app.db.repositories.copying import encode_field
from tests.factories.rows import make_dataset, make_example, make_feature, make_token, make_training


def test_pages_are_stable_and_count_all(session: Session) -> None:
    names = [f"page-{number}" for number in range(5)]
    for name in names:
        make_dataset(session, name=name)
    page = datasets.list_page(session, page=2, limit=2, search="page-", sort_by="name", order="asc")
    assert [row.name for row in page.items] == ["page-2", "page-3"]
    assert (page.total, page.has_next) == (5, True)
    last = datasets.list_page(session, page=3, limit=2, search="page-")
    assert (len(last.items), last.has_next) == (1, False)


def test_search_takes_wildcards_literally(session: Session) -> None:
    make_dataset(session, name="100% real")
    make_dataset(session, name="1000 real")
    found = datasets.list_page(session, search="100%")
    assert [row.name for row in found.items] == ["100% real"]


def test_an_unknown_sort_key_is_refused(session: Session) -> None:
    with pytest.raises(ValidationFailed, match="Cannot sort by 'secret'"):
        datasets.list_page(session, sort_by="secret")


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, "\\N"),
        (True, "t"),
        (1.5, "1.5"),
        ("a\tb\nc\\d\r", "a\\tb\\nc\\\\d\\r"),
        ("nul\0", "nul\N{REPLACEMENT CHARACTER}"),
        ({"k": ["\n"]}, '{"k":["\\\\n"]}'),
        (["\0", "\\u0000"], '["\\\\ufffd","\\\\\\\\u0000"]'),
    ],
)
def test_copy_fields(value: object, field: str) -> None:
    assert encode_field(value) == field


def test_json_cannot_hold_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_field([float("nan")])


def test_features_are_loaded_and_loaded_again(session: Session) -> None:
    training = make_training(session)
    rows = [
        {"neuron_index": n, "max_activation": float(n), "name": f"f{n}", "metadata": {"n": n}}
        for n in range(20)
    ]
    ids = feature_loading.put_features(session, training.id, rows)
    assert sorted(ids) == list(range(20))
    kept = features.get(session, ids[3])
    assert kept is not None
    kept.name, kept.is_favorite = "mine", True
    session.flush()
    again = feature_loading.put_features(
        session, training.id, ({**row, "max_activation": 9.0} for row in rows)
    )
    session.expire_all()
    kept = features.get(session, ids[3])
    assert again == ids
    assert kept is not None
    assert (kept.name, kept.is_favorite, kept.max_activation) == ("mine", True, 9.0)


def test_examples_keep_odd_text(session: Session) -> None:
    training = make_training(session)
    [feature_id] = feature_loading.put_features(
        session, training.id, [{"neuron_index": 0}]
    ).values()
    texts = ["tab\there", "line\nbreak", "back\\slash", "lone \ud800 surrogate", "nul \0"]
    rows = (
        ContextRow(
            feature_id=feature_id, rank=rank, document=1, position=0, max_activation=1.5,
            kind="top", split="train", sample_text=sample, token_ids=pack("i", [70_000]),
            token_lengths=pack("H", [len(sample)]), activations=pack("f", [1.5]),
            octave=None if rank else -3, margin=-0.25, token_index=2**40, window_position=rank,
        )
        for rank, sample in enumerate(texts)
    )  # fmt: skip
    assert feature_loading.put_examples(session, rows) == len(texts)
    found = features.list_examples(session, feature_id, 10)
    shown = [*texts[:3], "lone ? surrogate", "nul \N{REPLACEMENT CHARACTER}"]
    assert [example.sample_text for example in found] == shown
    assert [example.tokens for example in found] == [[sample] for sample in shown]
    assert (found[0].token_ids, found[0].activations) == ([70_000], [1.5])
    assert [example.octave for example in found] == [-3, None, None, None, None]
    assert (found[4].margin, found[4].token_index, found[4].window_position) == (-0.25, 2**40, 4)
    assert features.top_examples(session, [feature_id])[feature_id].rank == 0
    first, n_examples = features.first_example(session, feature_id)
    assert first is not None
    assert (first.sample_text, n_examples) == (texts[0], len(texts))
    spread = session.scalar(text("SELECT count(DISTINCT tableoid) FROM feature_activations"))
    assert spread >= 1
    feature_loading.delete_examples(session, training.id)
    assert features.first_example(session, feature_id) == (None, 0)


def test_the_strongest_context_is_looked_up_by_key_before_the_planner_knows_the_table(
    session: Session,
) -> None:
    training = make_training(session)
    rows = [{"neuron_index": n} for n in range(2000)]
    ids = list(feature_loading.put_features(session, training.id, rows).values())
    contexts = (
        ContextRow(
            feature_id=feature_id, rank=0, document=0, position=0, max_activation=1.0, kind="top",
            split="train", sample_text="a", token_ids=pack("i", [1]), token_lengths=pack("H", [1]),
            activations=pack("f", [1.0]), octave=None, margin=None, token_index=0,
            window_position=0,
        )
        for feature_id in ids
    )  # fmt: skip
    feature_loading.put_examples(session, contexts)
    wanted, rows_read = ids[::100], "SELECT sum(idx_tup_fetch) FROM pg_stat_xact_user_tables"
    before = session.scalar(text(rows_read))
    assert sorted(features.top_examples(session, wanted)) == wanted
    assert session.scalar(text(rows_read)) - before == len(wanted)


def test_deleting_features_takes_their_examples(session: Session) -> None:
    training = make_training(session)
    gone, kept = (
        make_feature(session, training, 0),
        make_feature(session, make_training(session), 0),
    )
    for feature in (gone, kept):
        make_example(session, feature, 0)
        make_token(session, feature, "fires_on", "cat", 0.5)
    feature_loading.delete_features(session, training.id)
    assert features.count_by_training(session, [training.id]) == {}
    assert session.scalars(select(FeatureActivation.feature_id)).all() == [kept.id]
    assert session.scalars(select(FeatureToken.feature_id)).all() == [kept.id]


def test_metric_rows_may_come_twice(session: Session) -> None:
    training = make_training(session)
    rows = [{"training_id": training.id, "step": s, "loss": 1.0 / s} for s in range(1, 101)]
    trainings.add_metrics(session, rows)
    trainings.add_metrics(session, [{"training_id": training.id, "step": 7, "loss": 5.0}])
    series = trainings.list_metrics(session, training.id)
    assert [metric.step for metric in series] == list(range(1, 101))
    assert series[6].loss == 5.0


def test_a_thinned_series_keeps_its_ends(session: Session) -> None:
    training = make_training(session)
    rows = [{"training_id": training.id, "step": s, "loss": 1.0} for s in range(1, 1001)]
    trainings.add_metrics(session, rows)
    series = trainings.list_metrics(session, training.id, start_step=101, max_points=50)
    steps = [metric.step for metric in series]
    assert (steps[0], steps[-1]) == (101, 1000)
    assert 40 <= len(steps) <= 51
    assert steps == sorted(steps)


def test_a_model_in_use_cannot_be_deleted(session: Session) -> None:
    training = make_training(session)
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text("DELETE FROM models WHERE id = :id"), {"id": training.model_id})


def test_an_unknown_status_is_refused_by_the_database(session: Session) -> None:
    training = make_training(session)
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(
            text("UPDATE trainings SET status = 'odd' WHERE id = :id"), {"id": training.id}
        )


def test_two_features_cannot_share_a_neuron(session: Session) -> None:
    training = make_training(session)
    session.add(Feature(training_id=training.id, neuron_index=1))
    session.flush()
    session.add(Feature(training_id=training.id, neuron_index=1))
    with pytest.raises(IntegrityError):
        session.flush()


def test_the_database_counts_features_itself(session: Session) -> None:
    first, second = make_training(session), make_training(session)
    rows = [{"neuron_index": index} for index in range(3)]
    feature_loading.put_features(session, first.id, rows)
    feature_loading.put_features(session, first.id, [*rows, {"neuron_index": 3}])
    feature_loading.put_features(session, second.id, rows)
    assert features.count_by_training(session, [first.id, second.id]) == {first.id: 4, second.id: 3}
    session.execute(
        delete(Feature).where(Feature.training_id == first.id, Feature.neuron_index > 0)
    )
    assert feature_pages.count_features(session, first.id) == 1
    feature_loading.delete_features(session, first.id)
    assert features.count_by_training(session, [first.id, second.id]) == {second.id: 3}
    assert feature_pages.count_features(session, None) == 3
