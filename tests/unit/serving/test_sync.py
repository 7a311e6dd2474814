"""From one document to the next: what is loaded, what an alias means, and what is let go."""

import pytest

from contracts.artefact import CurrentModel
from contracts.volume import Volume
from fakes.gated_engine import GatedEngine, golden_prompt
from fakes.published import publish_adapter, write_current
from serving.bases import Base
from serving.errors import EngineError
from serving.metrics import ServingMetrics
from serving.sync import Synchroniser

pytestmark = pytest.mark.usefixtures("models")


@pytest.fixture
def models(volume: Volume, base: Base) -> None:
    """Three good adapters, and one whose token ids are wrong."""
    for model_id in ("m1", "m2", "m3"):
        publish_adapter(volume, base.path, model_id, golden=[golden_prompt()])
    publish_adapter(volume, base.path, "bad", golden=[golden_prompt(token_ids=[1, 2])])


def document(
    volume: Volume, generation: int, versions: dict[int, str], alias: int | None
) -> CurrentModel:
    """Return a document."""
    return write_current(volume, generation, versions, alias)


async def test_staged_version_is_loaded_without_alias(
    sync: Synchroniser, volume: Volume, engine: GatedEngine
) -> None:
    """It can be asked for by its own name only."""
    await sync.apply(document(volume, 1, {1: "m1"}, None))
    assert sync.loaded.models == {"tonesmith.v1": "m1"}
    assert engine.gate.names.resolve("tonesmith.v1") == "tonesmith.v1"
    assert engine.gate.names.aliases == {}


async def test_alias_flips_and_the_old_version_stays_for_the_rollback(
    sync: Synchroniser, volume: Volume, engine: GatedEngine, metrics: ServingMetrics
) -> None:
    """Promotion and rollback only move the alias: nothing is loaded twice."""
    await sync.apply(document(volume, 1, {1: "m1", 2: "m2"}, 1))
    for generation, version in ((2, 2), (3, 1)):
        await sync.apply(document(volume, generation, {1: "m1", 2: "m2"}, version))
        assert engine.gate.names.resolve("tonesmith") == f"tonesmith.v{version}"
    loads = [path for path, _ in engine.fake.received if path == "/v1/load_lora_adapter"]
    assert len(loads) == 2
    assert metrics.flips._value.get() == 3


async def test_adapter_is_never_loaded_in_place(
    sync: Synchroniser, volume: Volume, engine: GatedEngine
) -> None:
    """The load request holds name and absolute path, nothing more."""
    await sync.apply(document(volume, 1, {1: "m1"}, 1))
    body = dict(engine.fake.received)["/v1/load_lora_adapter"]
    assert body == {"lora_name": "tonesmith.v1", "lora_path": str(volume.model("m1").resolve())}


async def test_alias_stays_when_the_new_version_is_refused(
    sync: Synchroniser, volume: Volume, engine: GatedEngine
) -> None:
    """The reason is shown under version and alias, and vLLM keeps nothing of it."""
    await sync.apply(document(volume, 1, {1: "m1"}, 1))
    await sync.apply(document(volume, 2, {1: "m1", 2: "bad"}, 2))
    assert engine.gate.names.resolve("tonesmith") == "tonesmith.v1"
    assert "token ids differ" in sync.loaded.errors["tonesmith.v2"]
    assert "stays where it was" in sync.loaded.errors["tonesmith"]
    assert list(engine.fake.adapters) == ["tonesmith.v1"]
    assert sync.loaded.generation == 2


async def test_alias_target_stays_loaded_when_it_is_listed_no_more(
    sync: Synchroniser, volume: Volume, engine: GatedEngine
) -> None:
    """A refused promotion that dropped the old version must not take the service down."""
    await sync.apply(document(volume, 1, {1: "m1"}, 1))
    await sync.apply(document(volume, 2, {2: "bad"}, 2))
    assert engine.gate.names.resolve("tonesmith") == "tonesmith.v1"
    assert list(engine.fake.adapters) == ["tonesmith.v1"]


async def test_refused_version_is_tried_again_with_the_next_document(
    sync: Synchroniser, volume: Volume, base: Base, engine: GatedEngine
) -> None:
    """A cause that has gone needs no restart; until then the same document is quiet."""
    await sync.apply(document(volume, 1, {1: "m1", 2: "later"}, 1))
    assert "not published" in sync.loaded.errors["tonesmith.v2"]
    publish_adapter(volume, base.path, "later", golden=[golden_prompt()])
    await sync.apply(document(volume, 1, {1: "m1", 2: "later"}, 1))
    assert "tonesmith.v2" not in engine.fake.adapters
    await sync.apply(document(volume, 2, {1: "m1", 2: "later"}, 2))
    assert sync.loaded.errors == {}
    assert engine.gate.names.resolve("tonesmith") == "tonesmith.v2"


async def test_version_is_unloaded_only_when_no_request_holds_it(
    sync: Synchroniser, volume: Volume, engine: GatedEngine
) -> None:
    """The name is gone at once, the adapter when its last request has ended."""
    await sync.apply(document(volume, 1, {1: "m1", 2: "m2"}, 2))
    engine.gate.inflight["tonesmith.v1"] += 1
    current = document(volume, 2, {2: "m2"}, 2)
    await sync.apply(current)
    assert "tonesmith.v1" not in engine.gate.names.versions
    assert "tonesmith.v1" in engine.fake.adapters
    engine.gate.inflight["tonesmith.v1"] -= 1
    await sync.apply(current)
    assert list(engine.fake.adapters) == ["tonesmith.v2"]
    assert list(sync.loaded.models) == ["tonesmith.v2"]


async def test_adapter_that_vllm_let_go_already_is_no_trouble(
    sync: Synchroniser, volume: Volume, engine: GatedEngine
) -> None:
    """An unload whose answer was lost is not repeated for ever."""
    await sync.apply(document(volume, 1, {1: "m1", 2: "m2"}, 2))
    del engine.fake.adapters["tonesmith.v1"]
    await sync.apply(document(volume, 2, {2: "m2"}, 2))
    assert (sync.loaded.generation, list(sync.loaded.models)) == (2, ["tonesmith.v2"])


async def test_version_that_changes_its_model_is_refused(
    sync: Synchroniser, volume: Volume
) -> None:
    """A served name means one model for ever: caches and clients rely on it."""
    await sync.apply(document(volume, 1, {1: "m1"}, 1))
    await sync.apply(document(volume, 2, {1: "m2"}, 1))
    assert "never changes" in sync.loaded.errors["tonesmith.v1"]
    assert sync.loaded.models == {"tonesmith.v1": "m1"}
    assert sync.loaded.aliases == {"tonesmith": "tonesmith.v1"}


async def test_adapter_beyond_the_room_is_refused(
    sync: Synchroniser, volume: Volume, engine: GatedEngine
) -> None:
    """vLLM would push a loaded one out and read it again, maybe from files that are gone."""
    sync.settings = sync.settings.model_copy(update={"max_adapters": 2})
    await sync.apply(document(volume, 1, {1: "m1", 2: "m2", 3: "m3"}, 1))
    assert "SERVING_MAX_ADAPTERS" in sync.loaded.errors["tonesmith.v3"]
    assert engine.fake.most_adapters == 2


async def test_alias_called_base_is_refused(sync: Synchroniser, volume: Volume) -> None:
    """The base keeps its name."""
    current = document(volume, 1, {1: "m1"}, 1)
    await sync.apply(current.model_copy(update={"aliases": {"base": 1, "tonesmith": 1}}))
    assert "base" in sync.loaded.errors
    assert sync.loaded.aliases == {"tonesmith": "tonesmith.v1"}


async def test_weights_that_vllm_refuses_leave_the_old_model(
    sync: Synchroniser, volume: Volume, base: Base
) -> None:
    """vLLM's own word is the reason."""
    broken = {"adapter_model.safetensors": b"broken"}
    publish_adapter(volume, base.path, "broken", files=broken)
    await sync.apply(document(volume, 1, {1: "m1"}, 1))
    await sync.apply(document(volume, 2, {1: "m1", 2: "broken"}, 2))
    assert "invalid header" in sync.loaded.errors["tonesmith.v2"]
    assert sync.loaded.aliases == {"tonesmith": "tonesmith.v1"}


async def test_work_goes_on_where_it_stopped_when_the_engine_failed(
    sync: Synchroniser, volume: Volume, engine: GatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that was silent between load and verification is asked again, without harm."""
    current = document(volume, 1, {1: "m1"}, 1)

    async def silent(*_: object) -> list[int]:
        raise EngineError("/tokenize: silent")

    with monkeypatch.context() as patch:
        patch.setattr(engine.backend, "tokenize", silent)
        with pytest.raises(EngineError):
            await sync.apply(current)
    assert sync.loaded.models == {}
    await sync.apply(current)
    assert sync.loaded.aliases == {"tonesmith": "tonesmith.v1"}
    assert sync.loaded.errors == {}
