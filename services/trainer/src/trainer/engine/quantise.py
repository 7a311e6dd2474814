"""Write merged weights in another form: in 16 bits, or quantised to 8.

    python -m trainer.engine.quantise < request.json > report.json

The request: {source, target, form: merged or int8}. The report: {made_with}. It runs on the CPU;
int8 needs four bytes of memory for each weight, 16 bits need two.

int8 is W8A8: each linear layer's weights in 8 bits with one scale for each output channel
(symmetric, half the range is the largest weight), its input quantised token by token while the
model answers. Nothing is calibrated, so no data is needed. Embeddings, norms and the output layer
stay in 16 bits. compressed-tensors writes it, the library whose files vLLM reads.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from trainer.engine.parent import die_with_parent

SCHEME = "W8A8"
# Tied to the embeddings in small models, and the layer that choosing the next token hangs on.
IGNORED = ["lm_head"]
# Written again with the weights; the rest (tokenizer, chat template) is copied as it is.
OWN = {"config.json", "generation_config.json", "model.safetensors.index.json", "README.md"}


def main() -> int:
    """Read the request from standard input, write the report to standard output."""
    die_with_parent()
    request = json.load(sys.stdin)
    source, target = Path(request["source"]), Path(request["target"])
    target.mkdir(parents=True, exist_ok=True)
    copy_tokenizer(source, target)
    made_with = int8(source, target) if request["form"] == "int8" else half(source, target)
    json.dump({"made_with": made_with}, sys.stdout)
    return 0


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy every file of a model but its weights and what is written with them."""
    for path in sorted(source.iterdir()):
        if path.is_file() and path.name not in OWN and path.suffix != ".safetensors":
            shutil.copyfile(path, target / path.name)


def half(source: Path, target: Path) -> str:
    """Write the weights in 16 bits; return what wrote them."""
    import transformers

    load(source, half_of(source)).save_pretrained(target)
    return f"transformers {transformers.__version__}"


def int8(source: Path, target: Path) -> str:
    """Write the weights quantised; return what wrote them."""
    import compressed_tensors
    import torch
    from compressed_tensors.compressors import ModelCompressor
    from compressed_tensors.quantization import (
        QuantizationConfig,
        apply_quantization_config,
        preset_name_to_scheme,
    )

    # Scales are found and kept in 32 bits: rounded to bfloat16 they would be off by up to 0.4 %.
    model = load(source, torch.float32)
    scheme = preset_name_to_scheme(SCHEME, ["Linear"])
    config = QuantizationConfig(config_groups={"group_0": scheme}, ignore=IGNORED)
    apply_quantization_config(model, config)
    for module in model.modules():
        if hasattr(module, "quantization_scheme"):
            scale(module)
    compressor = ModelCompressor.from_pretrained_model(model)
    compressor.compress_model(model)
    compressor.remove_decompression_hook(model)
    shorten(model, half_of(source))
    model.save_pretrained(target)
    compressor.update_config(str(target))
    return f"compressed-tensors {compressed_tensors.__version__}"


def half_of(source: Path) -> Any:
    """Return the 16-bit type of a model: float16 where that is its own, else bfloat16."""
    import torch
    from transformers import AutoConfig

    own = AutoConfig.from_pretrained(source).dtype
    return own if own == torch.float16 else torch.bfloat16


def load(source: Path, dtype: Any) -> Any:
    """Return the model with its weights as `dtype`."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(source, dtype=dtype)


def scale(module: Any) -> None:
    """Set the scale of each output channel of a linear layer from its largest weight."""
    from compressed_tensors.quantization.utils import calculate_qparams

    low = module.weight.data.amin(dim=1, keepdim=True)
    high = module.weight.data.amax(dim=1, keepdim=True)
    scales, zeros = calculate_qparams(low, high, module.quantization_scheme.weights)
    module.weight_scale.data.copy_(scales)
    module.weight_zero_point.data.copy_(zeros)


def shorten(model: Any, dtype: Any) -> None:
    """Turn what was not quantised into 16 bits, but for the scales."""
    for name, parameter in model.named_parameters():
        if parameter.is_floating_point() and not name.endswith("weight_scale"):
            parameter.data = parameter.data.to(dtype)
    model.config.dtype = dtype


if __name__ == "__main__":
    sys.exit(main())
