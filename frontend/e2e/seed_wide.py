"""Put a training with 131,072 features and 100,000 metric points into the stack's own database.

Measuring such a dictionary takes an hour; how fast the page shows one does not depend on it. All
rows are copies of the ones that the journey made, so that every screen has real shapes. Prints the
training's id.
"""

import json
import os
import sys
import uuid
from pathlib import Path

import psycopg2

FEATURES, POINTS = 131_072, 100_000
NAME = "wide dictionary"

TRAINING = """
    INSERT INTO trainings SELECT (jsonb_populate_record(t, %(change)s)).* FROM trainings t
    WHERE t.id = %(source)s
"""
CHECKPOINT = """
    INSERT INTO checkpoints SELECT (jsonb_populate_record(
        c, jsonb_build_object('id', gen_random_uuid(), 'training_id', %(id)s::text))).*
    FROM checkpoints c WHERE c.training_id = %(source)s ORDER BY step DESC LIMIT 1
"""
METRICS = """
    INSERT INTO training_metrics
        (training_id, step, loss, sparsity, explained_variance, dead_neurons, timestamp)
    SELECT %(id)s::uuid, n, 1 / sqrt(n) + 0.01 * sin(n), 32 + sin(n / 50.0), 1 - 1 / sqrt(n + 1),
        n %% 17, now() FROM generate_series(1, %(points)s) n
"""
FEATURE_ROWS = """
    INSERT INTO features (training_id, neuron_index, layer, label, top_token, n_fires,
        activation_frequency, max_activation, mean_activation, map_x, map_y, cluster)
    SELECT %(id)s::uuid, n, 1, 'token number ' || n, ' the', 1 + n,
        (1 + n) / 1e7, 1 + 20 * abs(sin(n)), 2.5, cos(n) * sqrt(n), sin(n) * sqrt(n), n %% 24
    FROM generate_series(0, %(features)s - 1) n
"""
CONTEXTS = """
    INSERT INTO feature_activations (feature_id, kind, rank, split, document, position,
        max_activation, sample_text, token_ids, token_lengths, activations)
    SELECT f.id, 'top', 0, a.split, a.document, a.position, a.max_activation, a.sample_text,
        a.token_ids, a.token_lengths, a.activations
    FROM features f, (SELECT * FROM feature_activations WHERE kind = 'top' AND rank = 0 LIMIT 1) a
    WHERE f.training_id = %(id)s
"""


def seed() -> str:
    """Copy the newest completed training and give it a large dictionary; once per database."""
    services = Path(os.environ["MISTUDIO_HOME"], "run", "services.json")
    url = json.loads(services.read_text())["database_url"]
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM trainings WHERE name = %s", (NAME,))
        known = cursor.fetchone()
        if known:
            return str(known[0])
        cursor.execute(
            "SELECT t.id FROM trainings t JOIN features f ON f.training_id = t.id "
            "WHERE t.status = 'completed' ORDER BY t.created_at DESC LIMIT 1"
        )
        found = cursor.fetchone()
        if not found:
            sys.exit("No completed training with features is there to copy.")
        made = str(uuid.uuid4())
        change = json.dumps({"id": made, "name": NAME})
        values = {"id": made, "source": found[0], "change": change, "points": POINTS,
                  "features": FEATURES}  # fmt: skip
        for statement in (TRAINING, CHECKPOINT, METRICS, FEATURE_ROWS, CONTEXTS):
            cursor.execute(statement, values)
    with psycopg2.connect(url) as connection:
        connection.autocommit = True
        connection.cursor().execute("ANALYZE features, feature_activations, training_metrics")
    return made


if __name__ == "__main__":
    print(seed())
