"""Write a base model of a known shape with random weights: what memory and speed need, no download.

Runs in the LLaMA-Factory environment:

    ENGINE_PYTHON benchmarks/random_base.py FOLDER --shape qwen3-1.7b

The tokenizer is the starter's, whose ids are all among the model's 151,936 words.
"""

import argparse
import shutil
from pathlib import Path

STARTER = Path(__file__).parents[1] / "services/trainer/bases/starter"
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "generation_config.json",
)
# Hidden, intermediate, layers, heads, heads of keys: the config.json of the Qwen3 models.
SHAPES = {
    "qwen3-0.6b": (1024, 3072, 28, 16, 8),
    "qwen3-1.7b": (2048, 6144, 28, 16, 8),
}
WORDS = 151_936


def main() -> None:
    """Write the model into the folder."""
    parser = argparse.ArgumentParser(description="A base model with random weights")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="qwen3-1.7b")
    options = parser.parse_args()
    import torch
    from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

    options.folder.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER:
        shutil.copyfile(STARTER / name, options.folder / name)
    tokenizer = AutoTokenizer.from_pretrained(STARTER)
    hidden, intermediate, layers, heads, kv_heads = SHAPES[options.shape]
    config = Qwen3Config(
        vocab_size=WORDS,
        hidden_size=hidden,
        intermediate_size=intermediate,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        head_dim=128,
        max_position_embeddings=40_960,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        dtype="bfloat16",
    )
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.device(device):
        model = Qwen3ForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(options.folder)


if __name__ == "__main__":
    main()
