"""Tests of exports: each form is an artefact, made once, from an undamaged model."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.durable import digest_differences
from contracts.export import ExportRequest, Form
from contracts.job import Job, JobState
from contracts.volume import MANIFEST, Volume
from fakes.published import manifest_of, publish_adapter
from fakes.trainer_app import make_settings
from kit.errors import InvalidInputError, NotFoundError
from kit.worker import Worker
from trainer.exports import KIND, ExportJob, find_export, submit
from trainer.workshop import Workshop, open_workshop

MODEL = "tonesmith-20300101-000001"
ENVIRON = {"PATH": os.environ["PATH"]}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """A workshop with the fake engine, and a model with merged weights."""
    settings = make_settings(tmp_path)
    base = settings.models_dir / "starter"
    config = {"hidden_size": 8, "head_dim": 4, "num_attention_heads": 2, "num_key_value_heads": 1}
    text = json.dumps(config | {"num_hidden_layers": 1})
    (base / "config.json").write_text(text, encoding="utf-8")
    volume = Volume(settings.data_dir)
    merged = volume.staging(volume.model(MODEL)) / "merged"
    merged.mkdir()
    publish_adapter(
        volume,
        base,
        MODEL,
        files={
            "README.md": b"a card",
            "merged/config.json": b"{}",
            "merged/model.safetensors": b"weights",
        },
    )
    made = open_workshop(settings, dict(ENVIRON))
    yield made
    for store in (made.store, made.promotions, made.exports):
        store.close()


async def run(shop: Workshop, form: Form) -> Job:
    """Export and return the finished job."""
    job = submit(shop, MODEL, ExportRequest(form=form), None)
    claimed = shop.exports.claim()
    assert claimed is not None
    await Worker(shop.exports, {KIND: ExportJob(shop)}).run_job(claimed)
    return shop.exports.get(job.id)


@pytest.mark.parametrize(
    ("form", "made_with"),
    [("adapter", ""), ("merged", "fake 1.0"), ("int8", "fake-quantiser 1.0")],
)
async def test_export_is_a_whole_artefact(shop: Workshop, form: Form, made_with: str) -> None:
    """Manifest with every digest, a card, readable files, and what made it."""
    job = await run(shop, form)
    assert job.state is JobState.DONE, job.error
    manifest = find_export(shop, f"{MODEL}-{form}")
    assert job.result["export_id"] == manifest.id
    assert (manifest.model_id, manifest.form, manifest.made_with) == (MODEL, form, made_with)
    folder = shop.volume.export(manifest.id)
    assert not digest_differences(folder, manifest.files)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert ("fake-quantiser 1.0" in card) == (form == "int8")
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in folder.iterdir())


async def test_exported_adapter_names_its_base_and_no_path(shop: Workshop) -> None:
    """Another machine has the base elsewhere; merged weights are another export."""
    await run(shop, "adapter")
    folder = shop.volume.export(f"{MODEL}-adapter")
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == "starter"
    assert not (folder / "merged").exists()


async def test_export_is_made_once(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for again, the finished one is the answer, and no engine starts."""
    await run(shop, "int8")
    before = find_export(shop, f"{MODEL}-int8")
    monkeypatch.setattr(ExportJob, "make", None)
    assert (await run(shop, "int8")).state is JobState.DONE
    assert find_export(shop, f"{MODEL}-int8") == before


async def test_left_over_half_is_made_anew(shop: Workshop) -> None:
    """What a kill left in the staging folder is no part of an export."""
    staging = shop.volume.staging(shop.volume.export(f"{MODEL}-int8"))
    (staging / "half.safetensors").write_bytes(b"half")
    await run(shop, "int8")
    assert "half.safetensors" not in find_export(shop, f"{MODEL}-int8").files


async def test_damaged_model_is_not_exported(shop: Workshop) -> None:
    """The error names the file; nothing is published."""
    (shop.volume.model(MODEL) / "merged/model.safetensors").write_bytes(b"others!")
    job = await run(shop, "int8")
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert "merged/model.safetensors" in job.error.message
    assert not shop.volume.published("exports")


async def test_full_disk_fails_before_anything_is_written(shop: Workshop) -> None:
    """With the sizes and the way out."""
    settings = shop.settings.model_copy(update={"reserve_bytes": 1 << 60})
    object.__setattr__(shop, "settings", settings)
    job = await run(shop, "int8")
    assert job.error is not None
    assert job.error.code == "storage_full"
    assert "TRAINER_RESERVE_BYTES" in str(job.error.hint)


async def test_engine_that_fails_is_told_with_its_last_words(shop: Workshop) -> None:
    """Short of memory: said, and no half export stays."""
    shop.engine.environ["FAILPOINT"] = "fake.memory"  # type: ignore[index]
    job = await run(shop, "int8")
    assert job.error is not None
    assert "cannot allocate memory" in job.error.message
    assert not shop.volume.published("exports")


async def test_cancelled_export_stops_its_engine(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine is killed, the staging folder removed."""
    shop.engine.environ["FAILPOINT"] = "fake.deaf"  # type: ignore[index]
    monkeypatch.setattr("kit.worker.JobContext.cancelled", True)
    assert (await run(shop, "int8")).state is JobState.CANCELLED
    assert not list((shop.volume.root / "exports").iterdir())


def test_unknown_names_are_told(shop: Workshop) -> None:
    """A model and an export that are not there, each with the way out."""
    with pytest.raises(NotFoundError, match="there is no model"):
        submit(shop, "nobody", ExportRequest(), None)
    with pytest.raises(NotFoundError, match="there is no export") as error:
        find_export(shop, "nobody-int8")
    assert "exports" in str(error.value.body.hint)


def test_whole_model_has_no_adapter_to_export(shop: Workshop) -> None:
    """A full training leaves merged weights only."""
    base = shop.bases.get("starter").path
    whole = manifest_of(base, "whole", "tonesmith", (), 0)
    target = shop.volume.model("whole")
    shop.volume.publish(target, whole)
    with pytest.raises(InvalidInputError, match="without an adapter"):
        submit(shop, "whole", ExportRequest(form="adapter"), None)
    assert (target / MANIFEST).is_file()
