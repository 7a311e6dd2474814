"""Predict the memory of a card that a training step takes, term by term, from config.json. Pure.

What is counted is what LLaMA-Factory 0.9.5 with transformers 5.6, peft 0.18 and torch really keeps,
read in their sources and compared with hooks on CPU (docs/log.md has the errors):

- weights: in the compute type; with 4 bits 0.5 byte and double-quantised block constants (QLoRA,
  arXiv 2305.14314, section 3: blocks of 64 and of 256), embeddings and norms in 16 bits. Trained
  weights are held in float32 (llamafactory/model/adapter.py: "Upcasting trainable params").
- gradients: 4 bytes for each trained weight; AdamW: two moments of 4 bytes (arXiv 1711.05101).
- activations: the tensors that autograd saves in a layer (torch: "Saved tensors"): a frozen linear
  saves no input, its LoRA does; RMSNorm saves a float32 copy; attention its inputs and its output.
- logits: transformers' ForCausalLMLoss upcasts to float32; log_softmax keeps its output, and in its
  backward two gradients of that size live beside it: 12 bytes for each token and word.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
# 4 bits, a uint8 constant for 64 weights, a float32 for 256 of those.
BYTES_4BIT = 0.5 + 1 / 64 + 4 / (64 * 256)
FLOAT = 4
# The driver's own memory for a process, with cuBLAS: 400-600 MiB on Ampere to Hopper.
CONTEXT = 600 << 20
# Blocks that the caching allocator holds and cannot join, of what changes from step to step.
# Assumed, not measured: tests/gpu holds the sum to 15 % of a real card's peak.
SLACK = 0.04


@dataclass(frozen=True)
class Architecture:
    """The sizes of a decoder, as config.json has them."""

    family: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    intermediate: int
    vocabulary: int
    tied: bool
    attention_bias: bool
    qk_norm: bool
    bits16: bool  # the weights are stored in 16 bits

    @property
    def query(self) -> int:
        """Width of all queries."""
        return self.heads * self.head

    @property
    def key(self) -> int:
        """Width of all keys."""
        return self.kv_heads * self.head

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of each linear layer of a decoder layer."""
        h, q, kv, i = self.hidden, self.query, self.key, self.intermediate
        shapes = ((h, q), (h, kv), (h, kv), (q, h), (h, i), (h, i), (i, h))
        return dict(zip(LINEARS, shapes, strict=True))

    @property
    def linear_weights(self) -> int:
        """Weights of all linear layers, without the word head."""
        return self.layers * sum(into * out for into, out in self.linears.values())

    @property
    def other_weights(self) -> int:
        """Embeddings, word head, norms and biases."""
        words = self.vocabulary * self.hidden * (1 if self.tied else 2)
        norms = self.layers * (2 * self.hidden + (2 * self.head if self.qk_norm else 0))
        biases = self.layers * (self.query + 2 * self.key) if self.attention_bias else 0
        if self.attention_bias and self.family in ("llama", "qwen3"):
            biases += self.layers * self.hidden  # these put one on the output projection too
        return words + norms + biases + self.hidden

    @property
    def pair_cost(self) -> float:
        """What attention to one more token costs a token, as a share of its way through the layers.

        Multiplications: two of `query` width for each pair (scores, values) against one for each
        weight that the token meets.
        """
        met = self.linear_weights + self.vocabulary * self.hidden
        return 2 * self.layers * self.query / met


SIZES = frozenset(
    {
        "num_attention_heads",
        "hidden_size",
        "num_hidden_layers",
        "intermediate_size",
        "vocab_size",
    }
)


def architecture(config: Mapping[str, Any]) -> Architecture | None:
    """Return the sizes in a config.json; None where they are not in it, or the layers differ."""
    config = config.get("text_config") or config
    family = str(config.get("model_type", ""))
    if family not in FAMILIES or not config.keys() >= SIZES:
        return None
    heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
    dtype = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    return Architecture(
        family=family,
        hidden=hidden,
        layers=int(config["num_hidden_layers"]),
        heads=heads,
        kv_heads=int(config.get("num_key_value_heads") or heads),
        head=int(config.get("head_dim") or hidden // heads),
        intermediate=int(config["intermediate_size"]),
        vocabulary=int(config["vocab_size"]),
        tied=bool(config.get("tie_word_embeddings", family == "qwen3")),
        attention_bias=family == "qwen2" or bool(config.get("attention_bias", False)),
        qk_norm=family == "qwen3",
        bits16="16" in dtype,
    )


@dataclass(frozen=True)
class Training:
    """What of a run's arguments decides its memory."""

    full: bool
    rank: int
    targets: tuple[str, ...]
    dropout: bool
    bits: int | None  # of the frozen base
    bits16: bool  # of the compute type
    autocast: bool  # trained weights in float32, computed in 16 bits
    eager: bool  # attention that keeps its whole square
    moments: int  # of the optimizer, for each trained weight
    sides: int  # sequences that a row stands for: two for a pair

    @property
    def width(self) -> int:
        """Bytes of an activation."""
        return 2 if self.bits16 else FLOAT


def training(arguments: Mapping[str, Any], arch: Architecture) -> Training:
    """Return what LLaMA-Factory makes of a run's arguments."""
    target = str(arguments.get("lora_target") or "all")
    targets = LINEARS if target == "all" else tuple(name.strip() for name in target.split(","))
    half = bool(arguments.get("bf16") or arguments.get("fp16") or arguments.get("pure_bf16"))
    optimizer = str(arguments.get("optim") or "adamw_torch")
    return Training(
        full=arguments.get("finetuning_type") == "full",
        rank=int(arguments.get("lora_rank") or 8),
        targets=tuple(name for name in targets if name in LINEARS),
        dropout=float(arguments.get("lora_dropout") or 0) > 0,
        bits=arguments.get("quantization_bit"),
        bits16=half or arch.bits16,
        autocast=bool(arguments.get("bf16") or arguments.get("fp16")),
        eager=arguments.get("flash_attn") == "disabled",
        moments=1 if arguments.get("use_muon") or optimizer == "sgd" else 2,
        sides=sides_of(arguments),
    )


def sides_of(arguments: Mapping[str, Any]) -> int:
    """Return how many sequences a row stands for: two where a reply is compared with another."""
    return 2 if arguments.get("stage") in ("dpo", "rm", "kto") else 1


def trained_weights(arch: Architecture, run: Training) -> int:
    """Return how many weights are trained."""
    if run.full:
        return arch.linear_weights + arch.other_weights
    chosen = (arch.linears[name] for name in run.targets)
    return arch.layers * sum(run.rank * (into + out) for into, out in chosen)


def weight_bytes(arch: Architecture, run: Training) -> int:
    """Return the bytes of the base's weights."""
    if run.full:
        return (arch.linear_weights + arch.other_weights) * FLOAT
    linear = {4: BYTES_4BIT, 8: 1.0}.get(run.bits or 0, float(run.width))
    return int(arch.linear_weights * linear + arch.other_weights * run.width)


def layer_bytes(arch: Architecture, run: Training, sequence: int) -> int:
    """Return the bytes that autograd saves in one decoder layer for one token, without the mask.

    Args:
        arch: the model.
        run: how it is trained.
        sequence: tokens of the padded sequence; it counts with eager attention only.
    """
    h, q, kv, i, e = arch.hidden, arch.query, arch.key, arch.intermediate, run.width
    # RMSNorm computes in float32 and keeps its input so, with a factor; queries and keys have one.
    norms = FLOAT * (2 * h + 2)
    if arch.qk_norm:
        norms += FLOAT * (q + kv + arch.heads + arch.kv_heads)
    # A mask lets transformers repeat keys and values for every head (sdpa_attention.py, repeat_kv).
    attention = 4 * q * e + FLOAT * arch.heads
    if run.eager:
        attention = 3 * q * e + arch.heads * sequence * (FLOAT + (e if run.bits16 else 0))
    gate = 3 * i * e  # the gate, its SiLU, and what it is multiplied with
    return norms + attention + gate + input_bytes(arch, run)


def input_bytes(arch: Architecture, run: Training) -> int:
    """Return the bytes of the inputs that trained linear layers save for one token."""
    h, q, i, e = arch.hidden, arch.query, arch.intermediate, run.width
    if run.full:
        # Norms keep what they scale; under autocast every linear casts its input for itself.
        scaled = 2 * h * (FLOAT if run.autocast else e)
        scaled += (q + arch.key) * e if arch.qk_norm else 0
        return scaled + ((5 * h + i) * e if run.autocast else (2 * h + i) * e)
    inner = run.rank * len(run.targets) * e
    wide = [arch.linears[name][0] for name in run.targets]
    dropped = sum(wide) * (e + 1) if run.dropout else 0
    if run.autocast and not run.bits:
        return sum(wide) * e + inner + dropped  # peft casts to float32, autocast back: a copy each
    # One tensor serves the projections that read it; attention's output is saved already.
    shared = {"q_proj": "a", "k_proj": "a", "v_proj": "a", "gate_proj": "m", "up_proj": "m"}
    own = {shared.get(name, name): arch.linears[name][0] for name in run.targets}
    own.pop("o_proj", None)
    return sum(own.values()) * e + inner + dropped


@dataclass(frozen=True)
class Step:
    """One forward and backward pass: `micro` rows (packs) of `sequence` tokens, padding too."""

    micro: int
    sequence: int
    packed: bool
    checkpointing: bool


def saved_bytes(arch: Architecture, run: Training, step: Step) -> dict[str, int]:
    """Return what is alive between the forward and the backward pass, without the logits, in bytes.

    `layers` is what the decoder layers keep, `mask` attention's masks, `copies` 16-bit copies of
    trained weights.
    """
    tokens = step.micro * step.sequence * run.sides
    layer = arch.hidden * run.width if step.checkpointing else layer_bytes(arch, run, step.sequence)
    head = FLOAT * (arch.hidden + 1) + ((FLOAT + run.width) * arch.hidden if run.full else 0)
    # LLaMA-Factory's mask of packs is a float one that all layers share. The one of padding is of
    # bools: each layer's attention makes a float one of it, and keeps that.
    masks = 1 if step.packed or step.checkpointing else arch.layers
    words = arch.vocabulary * arch.hidden
    return {
        "layers": (layer * arch.layers + head) * tokens,
        "mask": masks * step.micro * run.sides * step.sequence**2 * run.width,
        "copies": 2 * (arch.linear_weights + words) if run.full and run.autocast else 0,
    }


def predict(arch: Architecture, run: Training, step: Step) -> dict[str, int]:
    """Return the peak of a step on the card by its terms, in bytes; they add up to it."""
    tokens = step.micro * step.sequence * run.sides
    trained = trained_weights(arch, run)
    saved = sum(saved_bytes(arch, run, step).values())
    logits = 3 * FLOAT * arch.vocabulary * tokens
    # The gradients of a layer's widest tensors; with checkpointing the layer itself once more.
    again = layer_bytes(arch, run, step.sequence) if step.checkpointing else 0
    inner = tokens * (again + (4 * arch.intermediate + 4 * arch.hidden) * run.width)
    if run.bits:  # one layer's weights are unpacked at a time
        inner += 2 * max(into * out for into, out in arch.linears.values())
    return {
        "weights": weight_bytes(arch, run),
        "adapter": 0 if run.full else trained * FLOAT,
        "gradients": trained * FLOAT,
        "optimizer": trained * FLOAT * run.moments,
        "activations": saved + max(0, inner - logits),
        "logits": logits,
        "slack": int((saved + max(logits, inner)) * SLACK),
        "context": CONTEXT,
    }


def total(terms: Mapping[str, int]) -> int:
    """Return the whole peak of a prediction, in bytes."""
    return sum(terms.values())
