"""Critical errors of the driver (XID): a thread waits for them, since each is told only once."""

import logging
import threading
import time
from collections.abc import Callable
from ctypes import c_void_p, cast
from typing import Any

from trainer.gpu.counts import Counts
from trainer.gpu.nvml import DRIVER_GONE, EVENT_XID, UNSUPPORTED, Code, Handle, Nvml, code_of

logger = logging.getLogger(__name__)
WAIT_MILLISECONDS = 1000
RETRY_SECONDS = 5.0
Clock = Callable[[], float]


class XidWatcher:
    """Counts XIDs by GPU and number; started with each start of the library."""

    def __init__(self, nvml: Nvml, errors: Counts, clock: Clock = time.time) -> None:
        self.nvml = nvml
        self.errors = errors
        self.clock = clock
        self.counts = Counts()
        self._last: dict[tuple[str, ...], float] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def last(self) -> dict[tuple[str, ...], float]:
        """When each (uuid, xid) was seen last, in Unix time; a copy."""
        return dict(self._last)

    def start(self) -> None:
        """Wait for events in a new thread."""
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._watch, args=(self._stop,), name="gpu-xid", daemon=True
        )
        self._thread.start()

    def stop(self, patience: float) -> bool:
        """End the thread; return whether it ended within `patience` seconds."""
        self._stop.set()
        if self._thread is None:
            return True
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _watch(self, stop: threading.Event) -> None:
        """Register and wait, again after an error, until told to stop or the driver is gone."""
        while not stop.is_set():
            try:
                if not self._session(stop):
                    return
            except self.nvml.NVMLError as error:
                code = code_of(error)
                self.errors.add("", "nvmlEventSetWait_v2", str(code))
                if code in DRIVER_GONE:
                    return  # the sampler starts the library again, and us with it
            stop.wait(RETRY_SECONDS)

    def _session(self, stop: threading.Event) -> bool:
        """Count events until told to stop; return whether another session makes sense."""
        events = self.nvml.nvmlEventSetCreate()
        try:
            uuids = self._registered(events)
            if not uuids:
                return False
            while not stop.is_set():
                self._wait(events, uuids)
            return False
        finally:
            self.nvml.nvmlEventSetFree(events)

    def _registered(self, events: Any) -> dict[int, str]:
        """Return the uuid of each GPU whose events come into the set, by its handle.

        Now, since a GPU that fell off the bus (XID 79) no longer tells its uuid.
        """
        uuids = {}
        for index in range(self.nvml.nvmlDeviceGetCount()):
            try:  # a GPU that is lost or has no events must not blind us to the others
                handle = self.nvml.nvmlDeviceGetHandleByIndex(index)
                uuid = self.nvml.nvmlDeviceGetUUID(handle)
                self.nvml.nvmlDeviceRegisterEvents(handle, EVENT_XID, events)
            except self.nvml.NVMLError as error:
                if code_of(error) not in UNSUPPORTED:
                    code = str(code_of(error))
                    self.errors.add(f"index-{index}", "nvmlDeviceRegisterEvents", code)
                continue
            uuids[address(handle)] = uuid
        return uuids

    def _wait(self, events: Any, uuids: dict[int, str]) -> None:
        try:
            event = self.nvml.nvmlEventSetWait_v2(events, WAIT_MILLISECONDS)
        except self.nvml.NVMLError as error:
            if code_of(error) != Code.TIMEOUT:
                raise
            return
        self.note(uuids.get(address(event.device), "unknown"), event.eventData)

    def note(self, uuid: str, xid: int) -> None:
        """Count one event, and remember when it came."""
        labels = uuid, str(xid)
        self._last = self._last | {labels: self.clock()}
        self.counts.add(*labels)
        logger.error("the driver reports an XID", extra={"uuid": uuid, "xid": xid})


def address(handle: Handle) -> int:
    """Return the number behind a handle: two handles of one GPU have the same."""
    return cast(handle, c_void_p).value or 0
