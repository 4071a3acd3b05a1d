# SPDX-License-Identifier: MIT
"""
What the steps say of memory, a line each, `name: bytes`.  Two moments matter: before a step has data, and
when it holds all of it.  Under libtrace.so a snapshot is taken then, too, as <tracemalloc.h> does it in C.
"""
import ctypes
import tracemalloc


# Without the recorder there is no such function.
TAKE = getattr(ctypes.CDLL(None), "libtrace_take_snapshot", None)


def snapshot(label):
    if TAKE:
        TAKE(label)


def resident():
    """Resident memory of this process, in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


class Watch:
    """From empty to loaded: `with Watch() as watch: data = ...; watch.loaded()`."""

    def __enter__(self):
        self.resident = resident()
        if tracemalloc.is_tracing():
            tracemalloc.reset_peak()
        self.current, _ = tracemalloc.get_traced_memory()
        snapshot(b"empty")
        return self

    def loaded(self):
        """To be called while the data is still there."""
        current, peak = tracemalloc.get_traced_memory()
        snapshot(b"loaded")
        print(f"resident: {resident() - self.resident}")
        if tracemalloc.is_tracing():
            print(f"current: {current - self.current}")
            print(f"peak: {peak - self.current}")

    def __exit__(self, *_):
        pass
