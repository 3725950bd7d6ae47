"""The state of everything as Prometheus reads it, measured when it is asked for."""

from app.services.metrics.page import state_page

__all__ = ["state_page"]
