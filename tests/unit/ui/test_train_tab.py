"""The Train tab: its sheets, each asked as the page asks it."""

from typing import Any

import pytest

from contracts.job import JobState
from fakes.page_stack_models import finish_export
from fakes.recorded_runs import FLAT, OVERFIT, recorded
from fakes.stack import Stack
from fakes.train_sheets import train_sheets
from fakes.train_state import ADVICE
from ui.tabs.train.comparing import Comparing
from ui.tabs.train.going import Runs
from ui.tabs.train.new_run import NewRun
from ui.tabs.train.shelf import Models
from ui.texts import texts_in
from ui.training.recipe_form import FIELDS
from ui.training.source import TrainingSource
from ui.upstream.backend import Backend
from ui.upstream.jobs import JobWatch

ZH, EN = texts_in("zh"), texts_in("en")
UNCHANGED = {"__type__": "update"}
GOING = {"id": "r-new", "state": "running", "step": 3, "max_steps": 9}


class NoTime:
    """A clock at which every answer is old."""

    now = 0.0

    def __call__(self) -> float:
        """Return a later time than ever before."""
        self.now += 1000
        return self.now


@pytest.fixture
async def sheets(backend: Backend, stack: Stack) -> dict[type, Any]:
    """The sheets of the tab, which ask the stand-ins each time."""
    found = train_sheets(backend, stack)
    runs, models = found[Runs], found[Models]
    runs.source = runs.hall.source = TrainingSource(backend, NoTime())
    models.watches = tuple(
        JobWatch(calls, NoTime()) for calls in (backend.trainer.promotions, backend.trainer.exports)
    )
    return found


def owner(function: Any) -> Any:
    """Return whose method a function is."""
    return getattr(function, "__self__", None)


@pytest.fixture
def runs(sheets: dict[type, Any]) -> Runs:
    """The sheet of the runs."""
    found: Runs = sheets[Runs]
    return found


@pytest.fixture
def new(sheets: dict[type, Any]) -> NewRun:
    """The sheet of a new run."""
    found: NewRun = sheets[NewRun]
    return found


@pytest.fixture
def models(sheets: dict[type, Any]) -> Models:
    """The sheet of the models."""
    found: Models = sheets[Models]
    return found


async def test_sheet_shows_the_runs_when_it_is_opened(runs: Runs) -> None:
    """Before, nobody asks; the clock runs only while the tab is seen."""
    assert not runs.clock.timer.active
    here, seen, listed, one, picker, card, live, plot, output, stop, resume = await runs.open(
        None, "", "en"
    )
    assert here == "runs"
    assert len(seen) == len(runs.shown)
    assert "The loss went flat" in listed
    assert one["visible"]
    assert len(picker["choices"]) == 4
    assert "The loss went flat" in card
    assert EN("run.best_eval") in live
    assert EN("run.best_mark", step=380) in plot
    assert "10/90" in output
    assert (stop["visible"], resume["visible"]) == (False, False)


async def test_nothing_moves_while_nothing_is_new(runs: Runs, stack: Stack) -> None:
    """A picker that is open stays so; a new step is shown; another sheet costs nothing."""
    seen, *_ = await runs.tick("runs", None, "", "zh")
    assert (await runs.tick("runs", seen, "", "zh"))[1:] == [UNCHANGED] * len(runs.shown)
    stack.runs = [recorded(GOING)]
    listed = (await runs.tick("runs", seen, "", "zh"))[1]
    assert "r-new" in listed
    assert await runs.tick("models", seen, "", "zh") == [UNCHANGED] * (1 + len(runs.shown))


async def test_picked_run_stays_picked(runs: Runs) -> None:
    """Whatever begins meanwhile, in whatever language."""
    picked, *rest = await runs.pick(OVERFIT["id"], "en")
    assert picked == OVERFIT["id"]
    assert any(isinstance(each, dict) and each.get("value") == picked for each in rest)
    listed = (await runs.tick("runs", None, picked, "zh"))[1]
    assert listed.count("ts-chosen") == 1
    assert ZH("train.why") in listed


async def test_tab_says_that_the_trainer_is_down(runs: Runs, stack: Stack) -> None:
    """And finds it again by itself."""
    stack.trainer_up = False
    seen, listed, one, *_ = await runs.tick("runs", None, "", "zh")
    assert ZH("train.down") in listed
    assert not one["visible"]
    stack.trainer_up = True
    assert (await runs.tick("runs", seen, "", "zh"))[2]["visible"]


async def test_run_is_stopped_after_a_question_and_goes_on(runs: Runs, stack: Stack) -> None:
    """A second click finds it done; what cannot be done is said in the trainer's words."""
    stack.runs = [recorded(GOING)]
    about, box, question = runs.ask("r-new", "en")
    assert box["visible"]
    assert "r-new" in question
    problem, asked, box, *_, stop, resume = await runs.cancel(about, "en")
    assert (problem, asked, box["visible"]) == ("", "", False)
    assert stack.runs[0].state is JobState.CANCELLED
    assert (stop["visible"], resume["visible"]) == (False, True)
    assert (await runs.cancel(about, "en"))[0] == ""
    await runs.go_on("r-new", "en")
    assert stack.runs[0].state is JobState.QUEUED
    assert "no such run" in (await runs.go_on("gone", "en"))[0]


async def filled(new: NewRun, stage: str = "sft") -> tuple[str, dict[str, Any], str]:
    """Return the nonce, the values of the fields, and the YAML of a sheet that was opened."""
    empty = [component.value for component in new.values]
    _, nonce, _, _, text, _, _, *updates = await new.open("en", None, stage, *empty)
    fields = {name: update["value"] for name, update in zip(FIELDS, updates, strict=True)}
    return nonce, fields, text


async def test_new_run_begins_with_what_there_is(new: NewRun, stack: Stack) -> None:
    """The newest dataset, the shipped base and recipe; with the card that it will run on."""
    nonce, fields, text = await filled(new)
    assert nonce
    assert fields["dataset_id"] in {each.id for each in stack.datasets}
    assert (fields["base_model"], fields["recipe"]) == ("starter", "lora")
    assert "recipe: lora" in text


async def test_form_writes_the_yaml_and_the_yaml_the_form(new: NewRun) -> None:
    """What is wrong is said at its field, and only what is new is sent."""
    _, fields, text = await filled(new)
    written, faults, seen, *_ = new.typed(
        "en", None, "form", text, *(fields | {"lora_rank": "64"}).values()
    )
    assert "lora_rank: 64" in written
    assert EN("recipe.fine") in faults
    faults, _, *updates = new.written("en", seen, text + "\noverrides: {lora_rank: 999}")
    changed = dict(zip(FIELDS, updates, strict=True))
    assert changed["lora_rank"]["value"] == "999"
    assert EN("recipe.bad_less_than_equal", limit=256) in changed["lora_rank"]["info"]
    assert "info" not in changed["cutoff_len"]
    assert EN("recipe.lora_rank") in faults
    still = [UNCHANGED] * (2 + 1 + len(FIELDS))
    assert new.typed("en", seen, "form", text, *fields.values()) == still
    filling = (fields | {"seed": "9"}).values()
    assert new.typed("en", seen, "yaml", text, *filling) == still
    broken = new.written("en", seen, "a: [")
    assert EN("recipe.bad_yaml", line=1) in broken[0]
    assert broken[1:] == [UNCHANGED] * (1 + len(FIELDS))


async def test_advice_fills_both_faces(new: NewRun, stack: Stack) -> None:
    """With its reasons; a dataset that is not there is the trainer's refusal."""
    _, fields, _ = await filled(new)
    problem, card, told, button, text, *_ = await new.propose("zh", None, "sft", *fields.values())
    assert (problem, button["interactive"]) == ("", True)
    assert ZH("advice.title") in card
    assert told["recipe"] == ADVICE.recipe
    assert "cutoff_len: 512" in text
    refused = await new.propose("en", None, "sft", *(fields | {"dataset_id": "gone"}).values())
    assert "there is no dataset" in refused[0]
    stack.trainer_up = False
    assert (await new.propose("en", None, "sft", *fields.values()))[0]


async def test_run_begins_once_however_often_it_is_asked_for(new: NewRun, stack: Stack) -> None:
    """The same form in the same visit is the same run; in another visit it is another one."""
    nonce, fields, text = await filled(new)
    count = len(stack.runs)
    first = await new.begin("en", None, nonce, text, *fields.values())
    again = await new.begin("en", None, nonce, text, *fields.values())
    assert first[1] == again[1] == stack.runs[0].id
    assert first[2]["selected"] == "runs"
    assert len(stack.runs) == count + 1
    await new.begin("en", None, "another", text, *fields.values())
    assert len(stack.runs) == count + 2


async def test_bad_recipe_is_not_sent(new: NewRun, stack: Stack) -> None:
    """Nor one whose two faces differ; a refusal is shown at the field that it names."""
    nonce, fields, text = await filled(new)
    count = len(stack.runs)
    bad = await new.begin("en", None, nonce, "dataset_id: 7 8", *fields.values())
    assert bad[1] == UNCHANGED
    apart = await new.begin("en", None, nonce, text, *(fields | {"seed": "9"}).values())
    assert EN("recipe.two_faces") in apart[0]
    gone = fields | {"dataset_id": "gone"}
    written = new.picked("en", None, "yaml", text, *gone.values())[0]
    problem, _, _, _, _, _, *updates = await new.begin("en", None, nonce, written, *gone.values())
    assert "there is no dataset" in problem
    assert "there is no dataset" in updates[FIELDS.index("dataset_id")]["info"]
    assert len(stack.runs) == count


async def test_stage_offers_its_own_recipes(new: NewRun) -> None:
    """A preference run takes another recipe, and only datasets with pairs."""
    _, fields, _ = await filled(new)
    _, _, _, _, text, *_ = new.choose_stage("en", None, "dpo", *fields.values())
    assert "recipe: dpo" in text


async def test_runs_are_compared(sheets: dict[type, Any], stack: Stack) -> None:
    """The two newest at first; what is picked stays; a trainer that is down is told."""
    sheet: Comparing = sheets[Comparing]
    here, problem, picker, chart, table = await sheet.open([], "held_out", "en")
    assert (here, problem) == ("compare", "")
    assert picker["value"] == [FLAT["id"], OVERFIT["id"]]
    assert "ts-line-run-1" in chart
    assert EN("run.differences") in table
    one = await sheet.compare([stack.runs[3].id], "smoothed", "en")
    assert stack.runs[3].id in one[1]
    assert EN("run.compare_none") in (await sheet.compare([], "held_out", "en"))[1]
    stack.trainer_up = False
    assert (await sheet.open([], "held_out", "en"))[1]


async def test_model_is_promoted_after_a_question(models: Models, stack: Stack) -> None:
    """And rolled back after another; the buttons say what can be done."""
    here, problem, _, listed, one, picker, *_ = await models.open(None, "", "en")
    assert (here, problem) == ("models", "")
    assert one["visible"]
    other = next(value for _, value in picker["choices"] if value != picker["value"])
    about, box, question = models.ask_promote(other, "en")
    assert other in question
    answer = await models.confirmed(about, "en")
    assert (answer[0], answer[3]) == ("", "")
    assert stack.train.current is not None
    assert stack.train.current.aliases == {"tonesmith": 2}
    assert (await models.confirmed("", "en"))[3] == ""
    about, *_ = await models.ask_rollback(other, "en")
    await models.confirmed(about, "en")
    assert stack.train.current.aliases == {"tonesmith": 1}


async def test_gate_that_refuses_is_readable(models: Models, stack: Stack) -> None:
    """The failed job shows every difference."""
    stack.train.refuse_promotion = "nothing was promoted:\n- eos: want <a>"
    about, *_ = models.ask_promote("tonesmith-20261122-3f9a1c", "en")
    answer = await models.confirmed(about, "en")
    assert any("- eos: want &lt;a&gt;" in str(each) for each in answer)


async def test_model_is_staged_and_exported(models: Models, stack: Stack) -> None:
    """An export is followed until it is done, and then can be fetched."""
    other = "tonesmith-20261122-3f9a1c"
    await models.stage(other, "en")
    assert stack.train.current
    assert len(stack.train.current.versions) == 2
    answer = await models.export(other, "int8", "en")
    assert any(EN("stage.write int8") in str(each) for each in answer)
    finish_export(stack)
    seen, *updates = await models.tick("models", None, other, "en")
    assert any("tonesmith export" in str(each) for each in updates)
    assert await models.tick("runs", seen, other, "en") == [UNCHANGED] * (1 + len(models.shown))
    assert "no such model" in (await models.stage("gone", "en"))[0]


async def test_models_say_that_the_trainer_is_down(models: Models, stack: Stack) -> None:
    """And come back by themselves."""
    stack.trainer_up = False
    _, seen, listed, one, *_ = await models.look(None, "", "zh")
    assert "ts-notice" in listed
    assert not one["visible"]
    stack.trainer_up = True
    assert (await models.tick("models", seen, "", "zh"))[2]["visible"]
