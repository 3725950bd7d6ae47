"""Python's garbage collector in a server: it looks for cycles where there are few."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects before the youngest are looked through, and how often the older ones are.
THRESHOLDS = (50_000, 20, 20)


@contextmanager
def spared_collector() -> Iterator[None]:
    """Leave alone what is there already, and look less often at what comes.

    A page of rows is thousands of new objects, none of them in a cycle, beside some 100,000 of the
    program that stay: at Python's thresholds the collector took up to a tenth of such a request.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
