"""The sampler: reads every GPU once per interval; everybody else reads its last snapshot.

It starts the library, starts it again with back-off when the driver went away, and never stops
for one GPU: each is read in a thread of its own (`reader.py`), with a bounded wait.
"""

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from trainer.gpu.counts import Counts
from trainer.gpu.nvml import Code, Nvml, code_of
from trainer.gpu.reader import Answer, GpuReader
from trainer.gpu.readings import Device
from trainer.gpu.roles import Roles
from trainer.gpu.snapshot import Identity, Readings, Snapshot
from trainer.gpu.xid import Clock, XidWatcher

logger = logging.getLogger(__name__)
# A healthy GPU answers in milliseconds; one that hangs holds a cycle up once, by this much.
PATIENCE_SECONDS = 2.0
STOP_SECONDS = 2.0
MAX_BACKOFF_SECONDS = 60.0


class GpuSampler:
    """Owns the library: nobody else starts it or shuts it down."""

    def __init__(
        self,
        nvml: Nvml,
        seconds: float,
        *,
        top_processes: int = 0,
        proc: Path = Path("/proc"),
        patience: float = PATIENCE_SECONDS,
        clock: Clock = time.time,
    ) -> None:
        self.nvml = nvml
        self.seconds = seconds
        self.patience = patience
        self.clock = clock
        self.snapshot = Snapshot()
        self.seen: Mapping[str, Identity] = MappingProxyType({})  # every GPU ever; never shrinks
        self.errors = Counts()
        self.xids = XidWatcher(nvml, self.errors, clock)
        self.roles = Roles(top_processes, proc)
        self._readers: list[GpuReader] = []
        self._up = False
        self.backoff = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gpu-sampler", daemon=True)

    def start(self) -> None:
        """Sample from now on, in the background."""
        self._thread.start()

    def stop(self, patience: float = STOP_SECONDS) -> bool:
        """End sampling; return whether it ended within `patience` seconds.

        A thread that hangs in the driver is left behind: it is a daemon, and ends with us.
        """
        self._stop.set()
        if self._thread.ident is None:  # never started: cycles were taken one by one
            self._shut_down()
            return True
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            self.cycle()
            pause = self.seconds if self._up else self.backoff
            self._stop.wait(max(0.0, pause - (time.monotonic() - started)))
        self._shut_down()

    def cycle(self) -> None:
        """Take one sample of everything, and publish it; raises nothing that NVML says."""
        started = time.perf_counter()
        answers: list[Answer] = []
        try:
            if not self._up:
                self._start_up()
            answers = [reader.ask(self.patience) for reader in self._readers]
        except self.nvml.NVMLError as error:
            self._note_start_error(code_of(error))
        self._publish(self._noted(answers), answers, time.perf_counter() - started)
        if any(answer.driver_gone for answer in answers) or all_lost(answers):
            self._shut_down()

    def _start_up(self) -> None:
        """Start the library; raises its error where that is not possible now."""
        self.backoff = min(2 * self.backoff, MAX_BACKOFF_SECONDS)
        self.nvml.nvmlInit()
        self._up = True
        devices = [
            Device(self.nvml, index, self.errors, self.roles)
            for index in range(self.nvml.nvmlDeviceGetCount())
        ]
        self._readers = [GpuReader(device) for device in devices]
        if devices:
            self.xids.start()
        logger.info("NVML is up", extra={"gpus": len(devices)})

    def _note_start_error(self, code: int) -> None:
        """Count an error of the library as a whole, and give up until the next attempt.

        A machine without a driver has no error: `gpu_nvml_available` says it.
        """
        if code != Code.LIBRARY_NOT_FOUND:
            self.errors.add("", "nvmlInit", str(code))
            logger.warning("NVML does not start", extra={"code": code})
        self._shut_down()

    def _shut_down(self) -> None:
        """Give the library up; with it go handles, readers and the XID thread."""
        readers, self._readers = self._readers, []
        was_up, self._up = self._up, False
        # Of those that hang none is waited for, and the library is not pulled away under them.
        ended = [reader.close(self.patience) for reader in readers]
        ended.append(self.xids.stop(self.patience))
        if was_up and all(ended):
            try:
                self.nvml.nvmlShutdown()
            except self.nvml.NVMLError as error:
                self.errors.add("", "nvmlShutdown", str(code_of(error)))

    def _noted(self, answers: list[Answer]) -> dict[str, Readings]:
        """Return the readings by uuid; whoever gave an identity is remembered for ever."""
        gpus = {}
        for reader, answer in zip(self._readers, answers, strict=True):
            if answer.identity and self.seen.get(answer.identity.uuid) != answer.identity:
                self.seen = MappingProxyType({**self.seen, answer.identity.uuid: answer.identity})
            if answer.identity and answer.readings:
                gpus[answer.identity.uuid] = answer.readings
            if answer.hung:
                self.errors.add(reader.device.label, "sample", "hung")
        return gpus

    def _publish(self, gpus: dict[str, Readings], answers: list[Answer], seconds: float) -> None:
        for uuid in self.snapshot.gpus.keys() ^ gpus.keys():
            logger.log(
                logging.INFO if uuid in gpus else logging.ERROR,
                "a GPU answers" if uuid in gpus else "a GPU no longer answers",
                extra={"uuid": uuid},
            )
        if gpus:
            self.backoff = self.seconds
        good = self._up and not any(answer.driver_gone for answer in answers)
        self.snapshot = Snapshot(
            at=self.clock() if good else self.snapshot.at,
            gpus=MappingProxyType(gpus),
            available=good,
            seconds=seconds,
        )


def all_lost(answers: list[Answer]) -> bool:
    """Return whether no GPU answers although none hangs: a new start may find them again.

    So it is where a container lost its devices, or the GPUs were reset under us.
    """
    return bool(answers) and not any(answer.readings or answer.hung for answer in answers)
