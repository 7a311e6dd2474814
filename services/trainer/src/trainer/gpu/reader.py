"""A thread for each GPU, which reads it when asked: a GPU that hangs holds up nobody else."""

import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from trainer.gpu.readings import Device, DriverGoneError, GpuLostError
from trainer.gpu.snapshot import Identity, Readings


@dataclass(frozen=True)
class Answer:
    """What came of one question; without readings the GPU is lost, or hangs."""

    identity: Identity | None = None
    readings: Readings | None = None
    driver_gone: bool = False
    hung: bool = False


HUNG = Answer(hung=True)


class GpuReader:
    """Asks one device in a thread of its own; only the sampler uses it, from one thread."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._questions: SimpleQueue[bool] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._busy = False
        # A thread that hangs in the driver cannot be ended: it must not keep the process alive.
        name = f"gpu-{device.index}"
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def ask(self, patience: float) -> Answer:
        """Return the GPU's readings, or HUNG where it takes longer than `patience` seconds.

        While an earlier question hangs no new one is asked and nobody waits; once it is
        answered after all, that answer is returned.
        """
        try:
            if self._busy:
                answer = self._answers.get_nowait()
            else:
                self._busy = True
                self._questions.put(True)
                answer = self._answers.get(timeout=patience)
        except Empty:
            return HUNG
        self._busy = False
        return answer

    def close(self, patience: float) -> bool:
        """End the thread; return whether it ended within `patience` seconds."""
        self._questions.put(False)
        self._thread.join(patience if not self._busy else 0)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while self._questions.get():
            self._answers.put(self._answer())
        try:
            self.device.close()
        except (DriverGoneError, GpuLostError):
            return  # then there is nothing left to give back

    def _answer(self) -> Answer:
        try:
            readings = self.device.read()
            return Answer(identity=self.device.identity, readings=readings)
        except DriverGoneError:
            return Answer(identity=self.device.identity, driver_gone=True)
        except (GpuLostError, ValueError):  # ValueError: names that are no text
            return Answer(identity=self.device.identity)
