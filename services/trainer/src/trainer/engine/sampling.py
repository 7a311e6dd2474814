"""The order of rows that are grouped by length: the same again after a resume, on every rank.

transformers 5.6 draws the order of `train_sampling_strategy: group_by_length` from torch's global
generator, which a resumed process has in another state: from the second epoch on it would read
other batches than the run that was never killed. It also shuffles the held-out rows, so that two
evaluations of one checkpoint differ. Here both orders follow from the seed and the epoch alone.
And it sorts the rows of fifty updates, which then follow each other from long to short; here they
are eight, and their micro-batches come in any order, so that no stretch of a run reads long rows
or one style only.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from trainer.engine.heldout import unpacked_evaluation
from trainer.engine.ways import blocks_of

GROUPED = "group_by_length"


def grouped_order(lengths: Sequence[int], micro: int, update: int, seed: int) -> list[int]:
    """Return every index once, so that rows of like length share a micro-batch.

    Rows are shuffled, sorted within blocks of a few updates, and the micro-batches shuffled again:
    an update has micro-batches of any length. The longest row of all comes first, so that a batch
    too large for the card fails at once; a micro-batch with too few rows comes last.

    Args:
        lengths: of each row, in tokens.
        micro: rows of a micro-batch.
        update: rows of an update of the weights, on all processes.
        seed: decides the order.
    """
    chance, longest = random.Random(seed), max(lengths, default=0)
    indices = list(range(len(lengths)))
    chance.shuffle(indices)
    size = update * blocks_of(len(lengths), update)
    batches = []
    for at in range(0, len(indices), size):
        block = sorted(indices[at : at + size], key=lambda index: -lengths[index])
        batches += [block[start : start + micro] for start in range(0, len(block), micro)]
    whole = [each for each in batches if len(each) == micro]
    chance.shuffle(whole)
    whole.sort(key=lambda each: lengths[each[0]] < longest)  # keeps the order of the others
    rest = [each for each in batches if len(each) < micro]
    return longest_first([index for each in (*whole, *rest) for index in each], lengths)


def longest_first(order: list[int], lengths: Sequence[int]) -> list[int]:
    """Return the order with the longest row of all in the first place."""
    if order:
        at = max(range(len(order)), key=lambda place: lengths[order[place]])
        order[0], order[at] = order[at], order[0]
    return order


class GroupedOrder:
    """A sampler of a Trainer; its epoch is the Trainer's own, which a resume restores.

    Args:
        trainer: the transformers Trainer that reads the rows.
        lengths: of each row, in tokens.
    """

    def __init__(self, trainer: Any, lengths: Sequence[int]) -> None:
        self.trainer = trainer
        self.lengths = lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        arguments = self.trainer.args
        micro = arguments.train_batch_size
        update = micro * arguments.gradient_accumulation_steps * arguments.world_size
        # A share of an epoch may be a rounding error below the whole.
        epoch = int((self.trainer.state.epoch or 0.0) + 1e-6)
        order = grouped_order(self.lengths, micro, update, arguments.seed + epoch)
        return iter(order)


def row_lengths(rows: Any) -> list[int]:
    """Return the tokens of each row of an encoded dataset."""
    return [len(ids) for ids in rows["input_ids"]]


def steady_sampling() -> None:
    """Let every Trainer of this process group rows in our order, and evaluate rows without packs.

    Other strategies stay as they are.
    """
    from transformers import Trainer

    unpacked_evaluation()

    train, evaluate = Trainer._get_train_sampler, Trainer._get_eval_sampler

    def train_sampler(self: Any, train_dataset: Any = None) -> Any:
        rows = self.train_dataset if train_dataset is None else train_dataset
        if rows is None or self.args.train_sampling_strategy != GROUPED:
            return train(self, train_dataset)
        return GroupedOrder(self, row_lengths(rows))

    def eval_sampler(self: Any, eval_dataset: Any) -> Any:
        if eval_dataset is None or self.args.train_sampling_strategy != GROUPED:
            return evaluate(self, eval_dataset)
        # As they are, which is what other strategies do: the loss is a mean of batches' means, so
        # that sorted rows would give another figure for the same weights.
        return range(len(eval_dataset))

    Trainer._get_train_sampler = train_sampler
    Trainer._get_eval_sampler = eval_sampler
