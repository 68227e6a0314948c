"""What an inspection may use at most. The child sets its own limits, before it imports any codec.

`preexec_fn` would set them between fork and exec, which is unsafe in a process with threads.
"""

import contextlib
import os
import signal

import msgspec

MIB = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of one inspection: sizes in bytes, times in seconds. `image_pixels` is how large an image may be to be
    decoded for a preview; its facts are read in any case."""

    wall_seconds: float = 60
    cpu_seconds: int = 60
    memory_bytes: int = 2048 * MIB
    file_bytes: int = 16 * MIB
    open_files: int = 64
    stdout_bytes: int = MIB
    preview_bytes: int = 4 * MIB
    image_pixels: int = 256_000_000
    nice: int = 10


def apply(limits: Limits) -> None:
    """Bind this process to its limits for good: soft and hard, so that nothing in it can raise them again."""
    try:
        import resource
    except ImportError:  # Windows: the parent's time limit is all there is
        return
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
    ):
        _, hard = resource.getrlimit(kind)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS; the others still hold
            resource.setrlimit(kind, (most, most))
    # The parent ends us in time; should it die first, this does. The default action of SIGALRM needs no Python code, so
    # it works inside a codec too.
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + 1)
    with contextlib.suppress(OSError):
        os.nice(limits.nice)
