"""Health and facts of the machine."""

from app.api.deps import MetaDep, SessionDep, SettingsDep, enveloped, failures
from app.api.section import Section
from app.schemas.common import Envelope
from app.schemas.system import Health, Live, SystemInfo
from app.services import system_service

router = Section(tags=["system"])


@router.get("/health")
def get_health(settings: SettingsDep, meta: MetaDep) -> Envelope[Health]:
    """Overall health; answers 200 also when a part is away."""
    return enveloped(system_service.health(settings), meta)


@router.get("/health/ready", responses=failures(503))
def get_ready(settings: SettingsDep, meta: MetaDep) -> Envelope[Health]:
    """Ready to serve: 503 while the database is away."""
    return enveloped(system_service.require_ready(settings), meta)


@router.get("/health/live")
def get_live(meta: MetaDep) -> Envelope[Live]:
    """The process answers, whatever is away."""
    return enveloped(Live(status="ok"), meta)


@router.get("/system/info", responses=failures())
def get_system_info(
    session: SessionDep, settings: SettingsDep, meta: MetaDep
) -> Envelope[SystemInfo]:
    """Version, platform, processor, GPU, memory, disk."""
    return enveloped(system_service.info(session, settings), meta)
