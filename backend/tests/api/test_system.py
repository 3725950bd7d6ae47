"""Health and facts of the machine."""

import os
from datetime import datetime

import pytest
from fastapi.testclient import TestClient

from app.core.config import Settings
from app.main import create_app
from app.services import system_service
from app.services.gpus import parse_smi_line, parse_throttling
from tests.api.asserts import data_of, error_of
from tests.fixtures.servers import forget_connections


def test_health(client: TestClient) -> None:
    health = data_of(client.get("/api/v1/health"))
    assert (health["status"], health["db"], health["redis"]) == ("ok", "connected", "connected")
    assert set(health["gpu"]) == {
        "available", "name", "memory_total_bytes", "memory_used_bytes", "utilization_percent"
    }  # fmt: skip
    assert health["components"]["database"] == health["components"]["redis"] == "connected"
    assert health["components"]["storage"] == "writable"
    assert set(health["components"]["gpu"]) == {
        "available", "name", "memory_total", "memory_used", "utilization"
    }  # fmt: skip
    assert datetime.fromisoformat(health["timestamp"])
    assert data_of(client.get("/api/v1/health/ready"))["db"] == "connected"
    assert data_of(client.get("/api/v1/health/live")) == {"status": "ok"}


def test_health_without_servers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    forget_connections()
    with TestClient(create_app(), base_url="http://localhost") as client:
        health = data_of(client.get("/api/v1/health"))
        assert (health["status"], health["db"]) == ("degraded", "disconnected")
        assert health["redis"] == "disconnected"
        error_of(client.get("/api/v1/health/ready"), 503, "SERVICE_UNAVAILABLE")
        assert data_of(client.get("/api/v1/health/live")) == {"status": "ok"}
        error_of(client.get("/api/v1/jobs"), 503, "SERVICE_UNAVAILABLE")
    monkeypatch.undo()
    forget_connections()


def test_health_without_a_place_to_write(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: path != settings.data_root)
    health = data_of(client.get("/api/v1/health"))
    assert (health["status"], health["components"]["storage"]) == ("degraded", "read-only")
    error_of(client.get("/api/v1/health/ready"), 503, "SERVICE_UNAVAILABLE", "data folder")


def test_a_disk_that_is_nearly_full_still_serves(settings: Settings) -> None:
    low = settings.model_copy(update={"read_only_below_bytes": 2**62})
    health = system_service.require_ready(low)
    assert (health.status, health.components.storage) == ("degraded", "nearly full")


def test_a_gpu_in_the_words_of_the_record() -> None:
    gpu = parse_smi_line("Orin, 7620, 2355, 45, 50, 8")
    shown = system_service._in_words(gpu)
    assert (shown.memory_total, shown.memory_used, shown.utilization) == ("7.4GB", "2.3GB", "45%")


def test_info(client: TestClient, settings: Settings) -> None:
    info = data_of(client.get("/api/v1/system/info"))
    assert info["memory_info"]["total_bytes"] >= info["memory_info"]["available_bytes"] > 0
    assert info["disk"]["path"] == str(settings.home)
    assert info["disk"]["free_bytes"] > 0
    assert info["cpu_count"] >= 1
    assert info["device_name"]
    assert info["packages"]["torch"]


def test_smi_lines() -> None:
    gpu = parse_smi_line("NVIDIA RTX A6000, 49140, 1024, 17, 61, 98.50")
    assert gpu.memory_total_bytes == 49140 * 1024**2
    assert (gpu.name, gpu.utilization_percent) == ("NVIDIA RTX A6000", 17.0)
    assert (gpu.temperature_celsius, gpu.power_watts) == (61.0, 98.5)
    orin = parse_smi_line("Orin (nvgpu), [N/A], [N/A], [N/A], [N/A], [N/A]")
    assert (orin.name, orin.memory_total_bytes, orin.utilization_percent) == (
        "Orin (nvgpu)", None, None
    )  # fmt: skip


def test_masks_of_throttling() -> None:
    assert parse_throttling("0x0000000000000000") == frozenset()
    assert parse_throttling("0x0000000000000001") == frozenset(), "idle is not slowed down"
    assert parse_throttling("0x0000000000000044") == {"power_cap", "hardware_thermal"}
    assert parse_throttling("[N/A]") is None


def test_the_device_can_be_chosen_and_hidden(settings: Settings) -> None:
    forced = settings.model_copy(update={"device": "cuda:1"})
    assert system_service.compute_device(forced) == "cuda:1"
    hidden = settings.model_copy(update={"device": "auto", "cuda_visible_devices": ""})
    assert system_service.compute_device(hidden) == "cpu"
