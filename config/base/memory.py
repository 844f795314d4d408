"""When memory is tidied up."""

import contextlib
import gc
from collections.abc import Iterator
from typing import Final

# More than a batch of the largest size for a touchpoint leaves alive until it is answered.
YOUNG_OBJECTS: Final = 200_000


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Look for no cycles meanwhile: what a batch holds is alive until it is written.

    The collector would walk all of it over and over, for a fifth of an import's time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def settle() -> None:
    """Leave alone what a process has loaded to serve, and look for cycles less often.

    Nearly everything that a request makes ends with it, without the collector; to walk a batch when
    it is over, and the loaded program now and then, took a tenth of a batch's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 5, 10)
