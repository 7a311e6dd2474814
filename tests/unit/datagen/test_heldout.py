"""Tests of the held-out questions."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.dataset import Conditioning
from contracts.sample import Turn
from contracts.volume import Volume
from datagen.heldout import HeldOut, load_dataset, plan, without_prefix
from fakes.styled_dataset import BANKS, DATASET, STYLES, imported, publish_dataset, samples
from kit.errors import InvalidInputError, NotFoundError


def planned(volume: Volume, per_style: int = 10, seed: int = 7) -> list[HeldOut]:
    """Return the questions about the published dataset."""
    return plan(load_dataset(volume, DATASET), BANKS, per_style, seed)


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    """A volume with a generated dataset."""
    volume = Volume(tmp_path)
    publish_dataset(volume, samples(20))
    return volume


def test_rows_are_split_by_question(volume: Volume) -> None:
    """No question is on both sides, and every row is on one."""
    dataset = load_dataset(volume, DATASET)
    trained = {row.question for row in dataset.train}
    held = {row.question for row in dataset.heldout}
    assert held
    assert not trained & held
    assert len(dataset.train) + len(dataset.heldout) == 80


def test_each_style_is_asked_about_different_situations(volume: Volume) -> None:
    """The asked number, each about another situation, none in a training wording."""
    questions = planned(volume)
    trained = {row.question for row in load_dataset(volume, DATASET).train}
    for style in STYLES.values():
        own = [question for question in questions if question.style == style.id]
        assert [question.number for question in own] == list(range(10))
        assert len({question.situation.id for question in own if question.situation}) == 10
        assert all(question.language == style.language for question in own)
    assert not trained & {question.question for question in questions}


def test_what_a_simulated_user_said_in_training_is_not_asked(volume: Volume) -> None:
    """Also amid a dialogue, and whatever its punctuation."""
    dataset = load_dataset(volume, DATASET)
    told = planned(volume)[0].question
    said = [Turn(user=f"{told}!!", assistant="Good day.")]
    first, *rest = dataset.train
    train = [first.model_copy(update={"history": said}), *rest]
    asked = plan(replace(dataset, train=train), BANKS, 10, 7)
    assert len(asked) == 40
    assert told not in {one.question for one in asked}


def test_what_people_voted_on_is_not_asked(volume: Volume) -> None:
    """Pairs of votes are trained on, and no row of the dataset has their questions."""
    first, second = [one.question for one in planned(volume)][:2]
    pair = {"instruction": f"{first}!", "chosen": "a", "rejected": "b", "history": [[second, "c"]]}
    path = volume.dataset(DATASET) / "preference.json"
    path.write_text(json.dumps([pair, {"instruction": "Hello.", "history": None}]))
    asked = {one.question for one in planned(volume)}
    assert not {first, second} & asked


def test_situations_come_again_only_when_all_were_asked(volume: Volume) -> None:
    """More questions than situations still never repeat a wording."""
    number = len(BANKS["zh"].situations) + 40
    own = [one for one in planned(volume, per_style=number) if one.style == "gentle"]
    assert len(own) == number
    assert len({one.question for one in own}) == number


def test_questions_follow_from_the_seed(volume: Volume) -> None:
    """The same seed asks the same, another seed something else."""
    texts = [[one.question for one in planned(volume, seed=seed)] for seed in (7, 7, 8)]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    ("conditioning", "roles"),
    [
        (Conditioning.SYSTEM, ["system", "user"]),
        (Conditioning.BOTH, ["system", "user"]),
        (Conditioning.PREFIX, ["user"]),
        (Conditioning.NONE, ["user"]),
    ],
)
def test_system_prompt_is_given_when_the_dataset_trains_with_it(
    tmp_path: Path, conditioning: Conditioning, roles: list[str]
) -> None:
    """The model is asked just as it was taught."""
    volume = Volume(tmp_path)
    publish_dataset(volume, samples(8), conditioning=conditioning)
    assert [message.role for message in planned(volume)[0].messages] == roles


def test_import_is_asked_its_own_evaluation_split(tmp_path: Path) -> None:
    """Without situations the dataset's held-out rows are asked, with their history."""
    volume = Volume(tmp_path)
    publish_dataset(volume, imported(samples(20)))
    questions = planned(volume, per_style=3)
    held = {row.question for row in load_dataset(volume, DATASET).heldout}
    assert questions
    assert {one.question for one in questions} <= held
    assert all(one.situation is None for one in questions)
    roles = ["system", "user", "assistant", "user"]
    assert [message.role for message in questions[0].messages] == roles


def test_nothing_held_out_is_refused_with_a_way_out(tmp_path: Path) -> None:
    """An import without an evaluation split has nothing to ask."""
    volume = Volume(tmp_path)
    publish_dataset(volume, imported(samples(5)), eval_rows=0)
    with pytest.raises(InvalidInputError, match="holds nothing back") as caught:
        planned(volume)
    assert "eval_ratio" in str(caught.value.body.hint)


@pytest.mark.parametrize("name", ["missing", "../etc", ""])
def test_unknown_dataset_is_not_found(volume: Volume, name: str) -> None:
    """A name that is none, or that leaves the volume, is simply not there."""
    with pytest.raises(NotFoundError, match="no dataset"):
        load_dataset(volume, name)


def test_style_name_on_the_first_line_is_cut() -> None:
    """Naming a style is no proof of speaking in it; other first lines stay."""
    names = frozenset({"傲娇"})
    assert without_prefix("傲娇\n哼！", names) == "哼！"
    assert without_prefix("【傲娇】\n哼！", names) == "哼！"
    assert without_prefix("哼！\n傲娇", names) == "哼！\n傲娇"
    assert without_prefix("傲娇", names) == ""


def test_history_is_asked_as_it_was_taught(tmp_path: Path) -> None:
    """With prefix conditioning the model sees its own earlier replies with the prefix."""
    volume = Volume(tmp_path)
    publish_dataset(volume, imported(samples(20)), conditioning=Conditioning.PREFIX)
    earlier = {question.style: question.messages[1].content for question in planned(volume)}
    assert earlier["gentle"] == "温柔\nGood day."
    assert earlier["dry-butler"] == "Dry British butler\nGood day."
