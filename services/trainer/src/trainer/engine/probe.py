"""The real card: steps of a run's own model, loaded as LLaMA-Factory loads it, with full batches.

A probe runs forward, backward and optimizer on random ids of the longest length; what it measured
is what the training will take. An overflow is caught and its memory given back.
"""

import contextlib
import gc
import tempfile
import time
from pathlib import Path
from typing import Any

from trainer.engine import stand_in
from trainer.engine.planner import Probe

STEPS = 3  # the first pays for kernels and takes the optimizer's memory; the others are timed
DRIVER = Path("/proc/driver/nvidia/gpus")
DEVICES = Path("/dev")


def smallest_card(driver: Path = DRIVER, devices: Path = DEVICES) -> int | None:
    """Return the memory of the smallest card that training may use, in bytes; None: there is none.

    Torch is asked only where a driver is loaded: importing it takes seconds.
    """
    if not driver.is_dir() and not any(devices.glob("nvidia[0-9]*")):
        return None
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    sizes = [torch.cuda.get_device_properties(each).total_memory for each in range(count)]
    return min(sizes, default=None)


class CudaCard:
    """The first visible card, with a model on it while the context lasts.

    Args:
        arguments: LLaMA-Factory's arguments of the run.
        packed: steps have the mask of packs.
        checkpointing: activations are computed twice.
        sides: sequences that a row stands for.
    """

    def __init__(
        self, arguments: dict[str, Any], *, packed: bool, checkpointing: bool, sides: int = 1
    ) -> None:
        self.arguments = arguments
        self.sides = sides
        self.packed = packed
        self.checkpointing = checkpointing
        self.model: Any = None
        self.optimizer: Any = None
        self.bytes = smallest_card() or 0

    def __enter__(self) -> "CudaCard":
        stand_in.register()
        from llamafactory.extras.misc import get_current_device
        from llamafactory.hparams import get_train_args
        from llamafactory.model import load_model, load_tokenizer

        with tempfile.TemporaryDirectory() as folder:
            changed = {
                "output_dir": folder,
                "disable_gradient_checkpointing": not self.checkpointing,
                "report_to": "none",
                "eval_dataset": None,
                "eval_strategy": "no",
                "resume_from_checkpoint": None,
            }
            model_args, _, self.training, finetuning, _ = get_train_args(self.arguments | changed)
        tokenizer = load_tokenizer(model_args)["tokenizer"]
        self.model = load_model(tokenizer, model_args, finetuning, is_trainable=True)
        if self.model.device.type == "cpu":  # a quantised one is where it belongs
            self.model.to(get_current_device())
        self.model.train()
        return self

    def __exit__(self, *_: object) -> None:
        self.model = self.optimizer = None
        self.free()

    def free(self) -> None:
        """Give back what no tensor holds."""
        import torch

        gc.collect()
        torch.cuda.empty_cache()

    def probe(self, micro_batch: int, length: int) -> Probe:
        """Run full steps; return their peak on the card and their speed, or that memory ran out."""
        import torch

        self.optimizer = None
        self.free()
        torch.cuda.reset_peak_memory_stats()
        try:
            seconds = self.steps(micro_batch * self.sides, length)
        except torch.OutOfMemoryError:
            return Probe(micro_batch, self.bytes, 0.0, True)
        finally:
            peak = torch.cuda.max_memory_reserved() + self.others()
            self.optimizer = None
            self.model.zero_grad(set_to_none=True)
            self.free()
        return Probe(micro_batch, peak, micro_batch * self.sides * length / seconds, False)

    def others(self) -> int:
        """Return the bytes of the card that are not this process's tensors: driver, neighbours.

        `mem_get_info` counts as NVML does.
        """
        import torch

        free, whole = torch.cuda.mem_get_info()
        return int(whole - free - torch.cuda.memory_reserved())

    def steps(self, micro_batch: int, length: int) -> float:
        """Run `STEPS` steps of the training; return the median seconds of all but the first."""
        import torch

        weights = [each for each in self.model.parameters() if each.requires_grad]
        self.optimizer = torch.optim.AdamW(weights, lr=0.0, fused=True)
        taken = []
        for _ in range(STEPS):
            inputs = self.inputs(micro_batch, length)
            torch.cuda.synchronize()
            began = time.perf_counter()
            with self.precision():
                loss = self.model(**inputs, use_cache=False).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            self.optimizer.step()
            # Kept for the next step as between the micro-batches of an update: `zero_` in place.
            self.optimizer.zero_grad(set_to_none=False)
            torch.cuda.synchronize()
            taken.append(time.perf_counter() - began)
        return sorted(taken[1:])[(STEPS - 1) // 2]

    def precision(self) -> Any:
        """Return the context in which the Trainer computes."""
        import torch

        if self.training.bf16:
            return torch.autocast("cuda", dtype=torch.bfloat16)
        if self.training.fp16:
            return torch.autocast("cuda", dtype=torch.float16)
        return contextlib.nullcontext()

    def inputs(self, micro_batch: int, length: int) -> dict[str, Any]:
        """Return a batch of random ids, masked as the training's is; every token is learned."""
        import torch

        device = self.model.device
        words = self.model.get_input_embeddings().num_embeddings
        ids = torch.randint(0, words, (micro_batch, length), device=device)
        found = {"input_ids": ids, "labels": ids.clone()}
        mask = torch.ones(micro_batch, length, dtype=torch.long)
        if not self.packed:
            mask[:, -1] = 0  # a batch without padding would get no mask, and take less
            return {**found, "attention_mask": mask.to(device)}
        from llamafactory.data.collator import prepare_4d_attention_mask

        half = length // 2
        mask[:, half:] = 2
        positions = torch.cat([torch.arange(half), torch.arange(length - half)])
        dtype = torch.bfloat16 if self.training.bf16 else self.model.dtype
        return {
            **found,
            "attention_mask": prepare_4d_attention_mask(mask, dtype).to(device),
            "position_ids": positions.expand(micro_batch, -1).to(device),
        }
