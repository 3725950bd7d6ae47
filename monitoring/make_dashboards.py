"""Writes grafana/dashboards/*.json: ``python monitoring/make_dashboards.py``. Panels stand here as a table."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "grafana" / "dashboards"
SOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH, HEIGHT, COLUMNS = 8, 8, 3
Panel = tuple[str, str, list[tuple[str, str]]]
"""Title, unit as Grafana names it, and queries with their legends."""

BOARDS: dict[str, list[Panel]] = {
    "Overview": [
        ("Jobs", "short", [('sum by (state) (mistudio_jobs{state=~"queued|running|paused|failed"})', "{{state}}")]),
        ("Run time, 95 %", "s", [("histogram_quantile(0.95, sum by (le, kind) (mistudio_job_run_seconds_bucket))", "{{kind}}")]),
        ("Oldest heartbeat", "s", [("mistudio_job_heartbeat_age_seconds", "running job")]),
        ("Requests", "reqps", [("sum by (status) (rate(api_requests_total[1m]))", "{{status}}")]),
        ("Answer time", "s", [
            ("histogram_quantile(0.5, sum by (le) (rate(api_request_duration_seconds_bucket[5m])))", "half"),
            ("histogram_quantile(0.95, sum by (le) (rate(api_request_duration_seconds_bucket[5m])))", "95 %"),
        ]),
        ("Age of events passed on, 95 %", "s", [("histogram_quantile(0.95, sum by (le) (rate(websocket_event_lag_seconds_bucket[5m])))", "95 %")]),
        ("Clients of Socket.IO", "short", [("websocket_connections", "clients")]),
        ("Memory", "bytes", [("memory_usage_bytes", "in use"), ("memory_total_bytes", "there"), ("swap_usage_bytes", "swap"), ("zram_memory_bytes", "{{device}}")]),
        ("Files", "bytes", [("mistudio_stored_bytes", "{{category}}")]),
        ("Disk", "bytes", [("disk_free_bytes", "free"), ("disk_total_bytes", "there")]),
    ],
    "Training and GPU": [
        ("Loss", "none", [("training_loss", "{{training_id}}")]),
        ("L0", "none", [("training_l0", "{{training_id}}")]),
        ("Dead latents", "short", [("training_dead_latents", "{{training_id}}")]),
        ("Tokens per second", "short", [("training_tokens_per_second", "{{training_id}}")]),
        ("Step", "short", [("training_step", "{{training_id}}")]),
        ("Duration", "s", [("histogram_quantile(0.5, sum by (le) (training_duration_seconds_bucket))", "half")]),
        ("Checkpoints written", "Bps", [("rate(mistudio_checkpoint_saved_bytes_total[5m])", "bytes a second")]),
        ("GPU in use", "percent", [("gpu_utilization_percent", "{{name}} {{index}}")]),
        ("GPU memory", "bytes", [("gpu_memory_used_bytes", "in use {{index}}"), ("gpu_memory_total_bytes", "there {{index}}")]),
        ("Checkpoints not written", "short", [("mistudio_checkpoint_save_failures_total", "checkpoints")]),
        ("GPU slowed down", "short", [("gpu_throttled", "{{reason}} {{index}}")]),
        ("GPU temperature", "celsius", [("gpu_temperature_celsius", "{{name}} {{index}}")]),
    ],
    "Database and queues": [
        ("Connections", "short", [("db_connections", "open"), ("sum by (state) (db_pool_connections)", "API: {{state}}")]),
        ("Transactions", "ops", [("sum by (end) (rate(db_transactions_total[1m]))", "{{end}}")]),
        ("Statement time, 95 %", "s", [("histogram_quantile(0.95, sum by (le) (rate(db_query_duration_seconds_bucket[5m])))", "95 %")]),
        ("Database", "bytes", [("db_bytes", "database"), ("db_wal_bytes", "write-ahead log")]),
        ("Largest tables", "bytes", [("topk(8, db_table_bytes)", "{{table}}")]),
        ("Dead rows", "short", [("topk(8, db_dead_rows)", "{{table}}")]),
        ("Events dropped", "short", [("mistudio_events_dropped_total", "events")]),
        ("Deadlocks", "short", [("db_deadlocks_total", "deadlocks")]),
        ("Messages that wait", "short", [("mistudio_queue_messages", "{{queue}}")]),
        ("Redis", "bytes", [("redis_memory_bytes", "memory")]),
        ("Event loop lag, 95 %", "s", [("histogram_quantile(0.95, sum by (le) (rate(event_loop_lag_seconds_bucket[5m])))", "95 %")]),
    ],
}  # fmt: skip


def panel(number: int, title: str, unit: str, queries: list[tuple[str, str]]) -> dict[str, Any]:
    row, column = divmod(number, COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": SOURCE,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit, "custom": {"fillOpacity": 8}}, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {"refId": chr(65 + i), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
            for i, (expression, legend) in enumerate(queries)
        ],
    }


def board(title: str, panels: list[Panel]) -> dict[str, Any]:
    return {
        "uid": f"mistudio-{title.lower().replace(' ', '-')}",
        "title": f"MechInterp Studio: {title}",
        "tags": ["mistudio"],
        "schemaVersion": 41,
        "refresh": "15s",
        "time": {"from": "now-3h", "to": "now"},
        "panels": [panel(number, *one) for number, one in enumerate(panels)],
    }


def documents() -> dict[str, str]:
    """File name and content of every dashboard."""
    return {
        f"{title.lower().replace(' ', '-')}.json": json.dumps(board(title, panels), indent=1) + "\n"
        for title, panels in BOARDS.items()
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in documents().items():
        (FOLDER / name).write_text(content, encoding="utf-8")
