"""A whole product of its own, to be killed as often as a test likes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.product import Product


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with tempfile.TemporaryDirectory(prefix="mistudio-faults-", ignore_cleanup_errors=True) as home:
        product = Product(Path(home))
        product.start()
        yield product
        product.stop()
