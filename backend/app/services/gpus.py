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
# Bits of the driver's mask that say that a GPU is slower than it could be (nvml.h).
THROTTLE_REASONS = {
    0x04: "power_cap",
    0x08: "hardware",
    0x20: "software_thermal",
    0x40: "hardware_thermal",
    0x80: "power_brake",
}
# The second is its name before driver 535.
_THROTTLE_FIELDS = ("clocks_event_reasons.active", "clocks_throttle_reasons.active")


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


def read_throttling() -> list[frozenset[str] | None]:
    """Why each GPU is slowed down now; None where its driver does not tell, as on Jetson.

    A question of its own: a driver that does not know the field answers nothing at all.
    """
    for field in _THROTTLE_FIELDS:
        lines = _ask(field)
        if lines:
            return [parse_throttling(line) for line in lines]
    return []


def parse_throttling(mask: str) -> frozenset[str] | None:
    """Reasons in a mask such as ``0x0000000000000004``."""
    try:
        bits = int(mask, 16)
    except ValueError:  # "[N/A]"
        return None
    return frozenset(reason for bit, reason in THROTTLE_REASONS.items() if bits & bit)


def _ask_driver() -> list[GpuReading]:
    return [parse_smi_line(line) for line in _ask(_SMI_FIELDS)]


def _ask(fields: str) -> list[str]:
    """A line of each GPU; none without a driver or for fields that it does not know."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=SMI_TIMEOUT_SECONDS, check=True
        )
    except (subprocess.SubprocessError, OSError):
        return []
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()]


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
