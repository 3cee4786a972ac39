"""What this process and this machine have of memory."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from lsr_core.errors import InputError
from lsr_core.refinement.cgroups import cgroup_room

LIBRARIES = 330 * 2**20  # resident size of Python with PyTorch, before any data
LIBRARIES_ADDRESSES = 720 * 2**20  # their address space
LARGE_BLOCK = 4 * 2**20  # bytes from which a block of memory is the system's own
_M_MMAP_THRESHOLD = -3  # of malloc.h
THREAD = 10 * 2**20  # address space of a thread's stack and its share of the allocator


def peak_rss_bytes() -> int:
    """Largest resident size of this process so far."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    if sys.platform == "linux":  # ru_maxrss would be that of the process that started this one, where that is larger
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def available_bytes() -> int:
    """Memory that a job here may use, its libraries included.

    The smallest of what the machine has free, what the control groups of this process leave (a container's limit), and what its own
    limits on address space and data leave. Libraries that are loaded already are counted as to be had.
    """
    held = psutil.Process().memory_info()
    own = held.rss - getattr(held, "shared", 0)  # what is shared may be counted to somebody else
    return room_bytes() + min(max(0, own), LIBRARIES)


def room_bytes() -> int:
    """Bytes that this process can still take before something refuses or ends it."""
    rooms = [int(psutil.virtual_memory().available), *_rlimit_rooms()]
    if (inside := cgroup_room()) is not None:
        rooms.append(inside)
    return max(0, min(rooms))


def give_back() -> None:
    """Let the allocator return what it holds of freed memory, so that a stage does not start from the peak of the one before."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than glibc
            ctypes.CDLL(None).malloc_trim(0)


def return_large_blocks() -> None:
    """Have the allocator return every large block as soon as it is freed, for the rest of this process.

    Left alone, glibc raises the size from which it does to that of the largest block freed so far (up to 32 MB) and keeps smaller ones in
    its heap, where what happens to be allocated between them decides how much of it can be used again: the same job took 735 to 978 MB.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK)


def require_libraries() -> None:
    """Refuse work where not even the libraries can be loaded; they would end with a sentence of their own, or none.

    Raises:
        InputError: the limits of this process or its control group are below what PyTorch takes.
    """
    if "torch" in sys.modules:
        return
    addresses = min(_rlimit_rooms(), default=None)
    if room_bytes() < LIBRARIES and (addresses is None or addresses >= LIBRARIES):
        raise InputError(_too_small(LIBRARIES, room_bytes()), key="memory")
    if addresses is not None and addresses < LIBRARIES_ADDRESSES:
        raise InputError(_too_small(LIBRARIES_ADDRESSES, addresses, " of address space"), key="memory")


def _too_small(need: int, have: int, of: str = "") -> str:
    return (
        f"PyTorch alone needs about {need // 2**20} MB{of}, and {have // 2**20} MB may be used here; "
        "raise the limit of the container or shell (ulimit -v)"
    )


def _rlimit_rooms() -> list[int]:
    """What RLIMIT_AS and RLIMIT_DATA leave, where they are set."""
    if sys.platform == "win32":
        return []
    import resource

    process = psutil.Process()
    used = process.memory_info()
    addresses = used.vms + THREAD * process.num_threads()
    taken = {resource.RLIMIT_AS: addresses, resource.RLIMIT_DATA: getattr(used, "data", 0)}
    limits = {kind: resource.getrlimit(kind)[0] for kind in taken}
    return [limit - taken[kind] for kind, limit in limits.items() if limit != resource.RLIM_INFINITY]


def sized(count: int) -> str:
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{max(1, round(count / 2**20))} MB"
