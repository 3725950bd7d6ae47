"""What several tests of the API begin with."""

import pytest
from sqlalchemy.orm import Session

from app.db.models import Training
from tests.factories import make_checkpoint, make_training


@pytest.fixture
def training(session: Session) -> Training:
    """One that can be discovered: it has a checkpoint."""
    training = make_training(session)
    make_checkpoint(session, training, 100)
    return training
