"""What the page can offer."""

import pytest

from contracts.artefact import ServingStatus
from contracts.dataset import Conditioning
from contracts.job import Progress
from fakes.lent import lease
from fakes.live_model import MODEL_ID, current, manifest
from fakes.stack import Stack
from ui.catalog import CatalogSource, Findings, build_catalog
from ui.errors import ProblemError


def found(stack: Stack, *, served: bool = True) -> Findings:
    """Return what the stand-ins would say."""
    return Findings(
        served=stack.served if served else None,
        status=ServingStatus.model_validate(
            {"state": stack.state, "base": "starter", "lease": lease(stack.holder)}
        ),
        current=current(promoted=stack.promoted),
        manifests={MODEL_ID: manifest(stack.styles, stack.conditioning)} if stack.promoted else {},
        library=stack.styles,
    )


def test_promoted_model_comes_first_and_base_last() -> None:
    """A picker starts with what was tuned; every served name is there."""
    catalog = build_catalog(found(Stack()))
    assert [model.name for model in catalog.models] == ["tonesmith", "tonesmith.v1", "base"]
    assert catalog.promoted
    assert catalog.state == "ready"


def test_styles_and_conditioning_come_from_the_manifest() -> None:
    """What the model was taught is offered, not what the library holds now."""
    stack = Stack(conditioning=Conditioning.PREFIX)
    stack.styles = stack.styles[:2]
    findings = found(stack)
    catalog = build_catalog(Findings(**{**findings.__dict__, "library": Stack().styles}))
    assert len(catalog.styles_for("tonesmith")) == 2
    assert catalog.conditioning_for("tonesmith") is Conditioning.PREFIX


def test_base_is_asked_as_the_tuned_model_is() -> None:
    """Side by side, only the weights differ."""
    catalog = build_catalog(found(Stack(conditioning=Conditioning.BOTH)))
    assert catalog.conditioning_for("base") is Conditioning.BOTH
    assert catalog.styles_for("base") == catalog.styles_for("tonesmith")


def test_library_is_offered_when_nothing_is_promoted() -> None:
    """Before the first promotion the base can be asked, in the styles of datagen."""
    catalog = build_catalog(found(Stack(promoted=False)))
    assert [model.name for model in catalog.models] == ["base"]
    assert not catalog.promoted
    assert catalog.style_for("base", "gentle") is not None
    assert catalog.conditioning_for("base") is Conditioning.SYSTEM


def test_version_that_serving_did_not_load_is_not_offered() -> None:
    """The picker never names a model that would be refused."""
    findings = found(Stack())
    catalog = build_catalog(Findings(**{**findings.__dict__, "served": ["base", "tonesmith"]}))
    assert [model.name for model in catalog.models] == ["tonesmith", "base"]


def test_served_models_are_offered_when_the_trainer_is_away() -> None:
    """Chatting needs serving only."""
    catalog = build_catalog(Findings(served=["base", "tonesmith"], library=Stack().styles))
    assert [model.name for model in catalog.models] == ["tonesmith", "base"]
    assert len(catalog.styles_for("tonesmith")) == 12


def test_state_is_down_when_nobody_answers() -> None:
    """Nothing found is no error: the page says so."""
    catalog = build_catalog(Findings())
    assert catalog.state == "down"
    assert catalog.model(None) is None
    assert catalog.style_for(None, "gentle") is None


def test_state_is_the_launchers_when_serving_does_not_answer() -> None:
    """A model that loads is told from a server that is gone."""
    catalog = build_catalog(found(Stack(state="starting"), served=False))
    assert catalog.state == "starting"


def test_state_is_down_when_the_launcher_is_mistaken() -> None:
    """A launcher that says ready while nobody answers is not believed."""
    assert build_catalog(found(Stack(), served=False)).state == "down"


def test_unknown_choice_falls_back_on_the_best_model() -> None:
    """A page that is older than the last promotion still works."""
    catalog = build_catalog(found(Stack()))
    model = catalog.model("gone.v9")
    assert model is not None
    assert model.name == "tonesmith"


async def test_manifest_is_fetched_once(talk_source: CatalogSource, stack: Stack) -> None:
    """A published manifest never changes, so it is kept."""
    first = await talk_source.find()
    second = await talk_source.find()
    assert first.manifests[MODEL_ID] is second.manifests[MODEL_ID]


async def test_catalog_leaves_out_what_does_not_answer(
    talk_source: CatalogSource, stack: Stack
) -> None:
    """One service that is away does not take the others with it."""
    stack.datagen_up = stack.trainer_up = False
    catalog = await talk_source.catalog()
    assert catalog.state == "ready"
    assert [model.name for model in catalog.models] == ["tonesmith", "tonesmith.v1", "base"]


async def test_lent_serving_names_its_holder_and_how_far_that_is(
    talk_source: CatalogSource, stack: Stack
) -> None:
    """While a training run has the GPU, the trainer says when it may end."""
    stack.state, stack.holder = "lent", "r-1"
    stack.progress = Progress(stage="train", done=120, total=400)
    catalog = await talk_source.catalog()
    assert (catalog.state, catalog.holder) == ("lent", "r-1")
    assert catalog.progress == stack.progress
    assert [model.name for model in catalog.models] == ["tonesmith", "tonesmith.v1", "base"]


async def test_progress_is_unknown_when_the_trainer_does_not_say_it(
    talk_source: CatalogSource, stack: Stack
) -> None:
    """The notice does without."""
    stack.state, stack.holder, stack.trainer_up = "lent", "r-1", False
    catalog = await talk_source.catalog()
    assert (catalog.holder, catalog.progress) == ("r-1", None)


def test_engine_that_drains_for_a_run_is_as_good_as_lent() -> None:
    """It still lists its models, but takes no message."""
    catalog = build_catalog(found(Stack(state="draining", holder="r-1")))
    assert (catalog.state, catalog.holder) == ("lent", "r-1")


async def test_launcher_that_loads_and_falls_silent_is_still_loading(
    talk_source: CatalogSource, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine answers late; only a refused connection, or a long silence, means down."""
    stack.state = "starting"
    assert (await talk_source.catalog()).state == "starting"
    kind = "timeout"

    async def silent(_: float) -> ServingStatus:
        raise ProblemError("control", kind)  # type: ignore[arg-type]

    monkeypatch.setattr("ui.catalog.FRESH_SECONDS", 0.0)
    monkeypatch.setattr(talk_source.backend.serving, "status", silent)
    assert (await talk_source.catalog()).state == "starting"
    assert (await talk_source.explained()).state == "starting"
    kind = "connect"
    assert (await talk_source.catalog()).state == "down"
    kind = "timeout"
    monkeypatch.setattr("ui.catalog.REMEMBERED_SECONDS", 0.0)
    assert (await talk_source.catalog()).state == "down"
