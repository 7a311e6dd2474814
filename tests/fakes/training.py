"""What a training run needs: a base without real weights, and a published dataset of a few rows."""

import json
from pathlib import Path

from contracts.artefact import ModelManifest
from contracts.dataset import Conditioning, Counts, DatasetManifest
from contracts.durable import digest_differences, tree_digests
from contracts.identity import now
from contracts.style import Style, StyleVersion
from contracts.volume import Volume
from trainer.engine import checkpoints
from trainer.runfolder import RunFolder

DATASET = "styled-20260101-00000b"
TEMPLATE = (
    "{%- for message in messages -%}\n"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}\n"
    "{%- endfor -%}\n"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}\n"
)
STYLE = {
    "id": "tsundere",
    "language": "zh",
    "names": {"zh": "傲娇", "en": "Tsundere"},
    "description": {"zh": "嘴硬心软", "en": "Harsh words, soft heart"},
    "traits": ["嘴硬"],
    "system_prompt": "你说话傲娇。",
    "lexicon": {"openers": ["哼，"], "closers": ["才不是关心你。"]},
}
COLUMNS = {
    "prompt": "instruction",
    "query": "input",
    "response": "output",
    "system": "system",
    "history": "history",
}


def write_base(folder: Path) -> None:
    """Write a base model that only the fake engine can train."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "qwen3"}', encoding="utf-8")
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"not real weights")


def rows(count: int) -> list[dict[str, object]]:
    """Return training rows as datagen writes them; every fourth has a history."""
    return [
        {
            "instruction": f"第{number}天，我还是有点累。",
            "input": "",
            "output": f"哼，累了{number}天就去睡，才不是关心你。",
            "system": STYLE["system_prompt"],
            "history": [["早。", "早什么早。"]] if number % 4 == 0 else [],
        }
        for number in range(count)
    ]


def publish_rows(volume: Volume, *, train: int = 48, held_out: int = 8) -> DatasetManifest:
    """Publish a dataset of these many rows."""
    target = volume.dataset(DATASET)
    folder = volume.staging(target)
    made = rows(train + held_out)
    info = {}
    for split, part in (("train", made[:train]), ("eval", made[train:])):
        (folder / f"{split}.json").write_text(json.dumps(part, ensure_ascii=False), "utf-8")
        info[split] = {"file_name": f"{split}.json", "columns": COLUMNS}
    (folder / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    manifest = DatasetManifest(
        id=DATASET,
        created_at=now(),
        source="generated",
        status="complete",
        conditioning=Conditioning.SYSTEM,
        styles=[StyleVersion(version=1, style=Style.model_validate(STYLE))],
        counts=Counts(accepted=len(made)),
        rows={"train": train, "eval": held_out},
        files=tree_digests(folder),
    )
    volume.publish(target, manifest)
    return manifest


def expect_whole_run(volume: Volume, run_id: str) -> ModelManifest:
    """Check what every finished run has, made by the real engine or by the fake one."""
    record = volume.run_record(run_id)
    assert record.step == record.max_steps > 0
    assert record.loss is not None
    assert record.eval_loss is not None
    assert record.engine.llamafactory
    assert record.engine.torch
    events = RunFolder(volume, run_id).events()
    steps = [event.step for event in events]
    assert steps == sorted(steps)
    assert (events[0].kind, events[-1].kind) == ("start", "end")
    assert {"log", "eval", "save"} <= {event.kind for event in events}
    kept = checkpoints.verified(volume.run(run_id) / "checkpoints")
    assert kept[0].step == record.max_steps
    assert kept[0].eval_loss == record.eval_loss
    return expect_whole_model(volume, run_id)


def expect_whole_model(volume: Volume, model_id: str) -> ModelManifest:
    """Check what every published model has."""
    model = volume.model_manifest(model_id)
    folder = volume.model(model_id)
    assert not digest_differences(folder, model.files)
    assert model.gate.passed
    names = {check.name for check in model.gate.checks}
    assert {"chat_template", "eos", "token_ids:history", "reply:empty"} <= names
    wanted = {"adapter_config.json", "adapter_model.safetensors", "merged/model.safetensors"}
    assert wanted | {"chat_template.jinja", "tokenizer.json"} <= set(model.files)
    assert all(golden.token_ids for golden in model.golden)
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    assert Path(config["base_model_name_or_path"]).is_absolute()
    assert config["r"] == model.lora_rank
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in folder.rglob("*") if path.is_file())
    return model
