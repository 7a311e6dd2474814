"""One process among those that train together; started by torchrun, which names it.

Process 0 decides, and the others do as it says. What to resume from is told before there is a
process group, through the store that torchrun keeps for its processes (on all nodes); what
happens while training goes by the process group itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

# Process 0 may have to read gigabytes of checkpoints before it can tell.
HEAR_SECONDS = 3600


@dataclass(frozen=True)
class Ranks:
    """Which process this is, and of how many."""

    rank: int = 0
    world_size: int = 1

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Ranks":
        """Return what torchrun says in the environment; a process alone where it says nothing."""
        return cls(int(environ.get("RANK", "0")), int(environ.get("WORLD_SIZE", "1")))

    @property
    def first(self) -> bool:
        """Whether this is the process that decides and writes."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        """Whether there is no other process."""
        return self.world_size == 1

    def tell(self, answer: dict[str, Any]) -> None:
        """Have process 0 tell the others how to begin."""
        if not self.alone:
            self._store().set("begin", json.dumps(answer))

    def hear(self) -> dict[str, Any]:
        """Return what process 0 told. Raises torch's DistStoreError where it does not, in time."""
        store = self._store()
        store.wait(["begin"], timedelta(seconds=HEAR_SECONDS))
        answer: dict[str, Any] = json.loads(store.get("begin"))
        return answer

    def _store(self) -> Any:
        """Return torchrun's own store, under a name of ours."""
        from torch.distributed import PrefixStore, rendezvous

        store, _, _ = next(rendezvous("env://", self.rank, self.world_size))
        return PrefixStore("tonesmith", store)

    def agree(self, flag: bool, device: Any) -> bool:
        """Return the flag of process 0, in all processes."""
        if self.alone:
            return flag
        import torch

        tensor = torch.tensor([int(flag)], device=device)
        torch.distributed.broadcast(tensor, src=0)
        return bool(tensor.item())

    def any(self, flag: bool, device: Any) -> bool:
        """Return whether the flag is set in any process."""
        if self.alone:
            return flag
        import torch

        tensor = torch.tensor([int(flag)], device=device)
        torch.distributed.all_reduce(tensor, op=torch.distributed.ReduceOp.MAX)
        return bool(tensor.item())

    def total(self, values: list[float], device: Any) -> list[float]:
        """Return the sums over all processes."""
        if self.alone:
            return values
        import torch

        tensor = torch.tensor(values, dtype=torch.float64, device=device)
        torch.distributed.all_reduce(tensor)
        sums: list[float] = tensor.tolist()
        return sums

    def gather(self, found: Any) -> list[Any]:
        """Return what each process found, in their order."""
        if self.alone:
            return [found]
        import torch

        everything: list[Any] = [None] * self.world_size
        torch.distributed.all_gather_object(everything, found)
        return everything

    def meet(self) -> None:
        """Wait until all processes are here."""
        if not self.alone:
            import torch

            torch.distributed.barrier()

    def part(self) -> None:
        """Leave the process group, if there still is one: all processes do so together."""
        if not self.alone:
            import torch

            if torch.distributed.is_initialized():
                torch.distributed.destroy_process_group()
