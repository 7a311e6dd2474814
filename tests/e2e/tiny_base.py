"""Make a random two-layer Qwen3 with a ChatML tokenizer: the smallest base that really trains.

    <engine python> tests/e2e/tiny_base.py <folder> [--poison CHARACTER]

With a poisoned character every loss of a row that has it is no number.
Runs in the LLaMA-Factory environment.
"""

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{%- for message in messages -%}\n"
    "{%- if message.role != 'system' or message.content -%}\n"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}\n"
    "{%- endif -%}\n"
    "{%- endfor -%}\n"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}\n"
)


def tokenizer() -> PreTrainedTokenizerFast:
    """Return a byte-level BPE that knows the bytes and the ChatML marks."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    # Every id in its place at every build: without merges the order does not depend on counts.
    learn = trainers.BpeTrainer(
        vocab_size=len(SPECIAL) + len(alphabet), special_tokens=SPECIAL, initial_alphabet=alphabet
    )
    bpe.train_from_iterator([], learn)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )


def main(folder: Path, poison: str = "") -> None:
    """Write the base into `folder`; the weights of the character `poison` are no numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    made = tokenizer()
    made.save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    config = Qwen3Config(
        vocab_size=len(made),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=512,
        tie_word_embeddings=not poison,  # else it would poison the likelihood of all others
        eos_token_id=made.eos_token_id,
        pad_token_id=made.pad_token_id,
        bos_token_id=None,
        dtype="float32",
    )
    torch.manual_seed(0)
    model = Qwen3ForCausalLM(config)
    if poison:
        with torch.no_grad():
            model.model.embed_tokens.weight[made.convert_tokens_to_ids(poison)] = float("nan")
    model.save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[3:])
