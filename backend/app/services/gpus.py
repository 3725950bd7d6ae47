"""The NVIDIA GPUs of this machine, as the driver tells them, without torch."""

import shutil
import subprocess
import time
from collections.abc import Sequence

from app.schemas.system import GpuHealth

SMI_TIMEOUT_SECONDS = 5.0
GPU_CACHE_SECONDS = 2.0
MEBIBYTE = 1024**2
_SMI_FIELDS = "name,memory.total,memory.used,utilization.gpu,temperature.gpu,power.draw"


class GpuReading(GpuHealth):
    """With what only the metrics show."""

    temperature_celsius: float | None
    power_watts: float | None


_gpus_read: tuple[float, list[GpuReading]] = (0.0, [])


def read_gpus() -> Sequence[GpuReading]:
    """The GPUs as the driver sees them; read at most every two seconds."""
    global _gpus_read
    at, found = _gpus_read
    if time.monotonic() - at > GPU_CACHE_SECONDS or at == 0.0:
        found = _ask_driver()
        _gpus_read = (time.monotonic(), found)
    return found


def _ask_driver() -> list[GpuReading]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, f"--query-gpu={_SMI_FIELDS}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=SMI_TIMEOUT_SECONDS, check=True
        )
    except (subprocess.SubprocessError, OSError):
        return []
    return [parse_smi_line(line) for line in answer.stdout.splitlines() if line.strip()]


def parse_smi_line(line: str) -> GpuReading:
    """One line of ``nvidia-smi --format=csv,noheader,nounits``; memory there is in MiB."""
    name, *numbers = (part.strip() for part in line.rsplit(",", 5))
    total, used, utilization, temperature, power = numbers
    return GpuReading(
        available=True,
        name=name,
        memory_total_bytes=_mebibytes(total),
        memory_used_bytes=_mebibytes(used),
        utilization_percent=_number(utilization),
        temperature_celsius=_number(temperature),
        power_watts=_number(power),
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # "[N/A]" on Jetson and under MIG
        return None


def _mebibytes(text: str) -> int | None:
    number = _number(text)
    return None if number is None else int(number * MEBIBYTE)
