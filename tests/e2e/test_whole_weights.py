"""The real LLaMA-Factory: a full training leaves whole weights, which are measured and exported."""

import json
from pathlib import Path

import pytest

from e2e.engine_folder import EngineFolder, make_tiny_base
from trainer.parity import gate_result

pytestmark = pytest.mark.engines
GOLDEN = [
    {
        "name": "system",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
    },
    {
        "name": "history",
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
        ],
    },
]


def test_full_training_is_measured_and_exported_without_an_adapter(tmp_path: Path) -> None:
    """Its checkpoint has no adapter: the weights are the model, and the gate compares them."""
    base = make_tiny_base(tmp_path / "tiny")
    measure = {"rows": 4, "max_new_tokens": 8}
    run = EngineFolder(tmp_path / "run", base, finetuning_type="full", plan={"measure": measure})
    plan = run.read("plan.json")
    plan["export"] |= {"golden": GOLDEN}
    run.write_plan(measure=measure, publish=True, export=plan["export"])
    assert run.run() == 0
    outcome = run.outcome()
    assert outcome["state"] == "done", outcome
    assert outcome["metrics"]["measured_rows"] == 4
    report = run.read("export.json")
    template = (base / "chat_template.jinja").read_text(encoding="utf-8")
    gate = gate_result(report, template, template)
    assert gate.passed, gate
    assert report["lora_rank"] == 0
    model = run.path / "model"
    assert not (model / "adapter_config.json").exists()
    assert (model / "merged/model.safetensors").is_file()
    config = json.loads((model / "merged/config.json").read_text(encoding="utf-8"))
    assert "quantization_config" not in config
