"""Tests of the scripted teacher's user side."""

import random
from pathlib import Path

import pytest

from contracts.sample import Trajectory, Turn
from contracts.style import Language, Style
from datagen.dialogues import TRAJECTORIES, levels
from datagen.intensity import intensity
from datagen.prompts import Prompts, UserPart
from datagen.questions import Bank
from datagen.scripted import ScriptedTeacher
from datagen.scripted_user import lines, read_part
from datagen.user_gates import Said, user_refusal


@pytest.mark.parametrize("trajectory", TRAJECTORIES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_part_is_read_from_the_prompt(
    prompts: Prompts, banks: dict[Language, Bank], language: Language, trajectory: Trajectory
) -> None:
    """What the prompt asks a teacher to play is what the scripted one plays."""
    situation = banks[language].situations[77]
    asked = UserPart(language, situation, trajectory, 4, persona="nurse")
    [system, _] = prompts.user_messages(asked, [Turn(user="u", assistant="a")])
    found = read_part(system["content"], banks, random.Random(1))
    assert found
    assert (found.language, found.situation, found.trajectory, found.level) == (
        language,
        situation,
        trajectory,
        4,
    )
    assert "nurse" in system["content"]


@pytest.fixture
def prompts(shipped: Path) -> Prompts:
    """The shipped templates."""
    return Prompts(shipped / "prompts")


@pytest.mark.parametrize("trajectory", TRAJECTORIES)
def test_words_follow_the_trajectory(
    prompts: Prompts,
    banks: dict[Language, Bank],
    tsundere: Style,
    butler: Style,
    trajectory: Trajectory,
) -> None:
    """Over whole dialogues of six turns about any situation hardly a word is refused."""
    teacher = ScriptedTeacher(lambda: [tsundere, butler], banks)
    refused = asked = 0
    for style in (tsundere, butler):
        bank = banks[style.language]
        for number, situation in enumerate(bank.situations[::12]):
            history = [
                Turn(user=bank.wordings(situation, "train")[number], assistant="哼，谁要帮你啊。")
            ]
            measured = [intensity(history[0].user, style.language)]
            for level in levels(trajectory, 6)[1:]:
                part = UserPart(style.language, situation, trajectory, level)
                messages = prompts.user_messages(part, history)
                text = teacher.reply({"messages": messages, "seed": number})
                said = Said(style, text, history, trajectory, level, measured)
                asked += 1
                refused += user_refusal(said) is not None
                measured.append(intensity(text, style.language))
                history.append(Turn(user=text, assistant="嗯，我在听。"))
            if trajectory == "escalates":
                assert measured[-1] > measured[1]
            else:
                assert measured[-1] <= max(measured[1], 1.0)
    assert refused <= 0.03 * asked


def test_flawed_words_are_mostly_refused(
    prompts: Prompts, banks: dict[Language, Bank], tsundere: Style
) -> None:
    """At flaw rate 1 nearly nothing passes, for several reasons."""
    teacher = ScriptedTeacher(lambda: [tsundere], banks, 1.0)
    situation = banks["zh"].situations[5]
    opening = banks["zh"].wordings(situation, "train")[3]
    history = [Turn(user=opening, assistant="哼，谁要特地帮你啊！先慢慢呼气十次啦。")]
    messages = prompts.user_messages(UserPart("zh", situation, "escalates", 5), history)
    reasons = []
    for seed in range(100):
        text = teacher.reply({"messages": messages, "seed": seed})
        found = user_refusal(Said(tsundere, text, history, "escalates", 5, [1.0]))
        reasons.append(found.reason.value if found else "")
    assert reasons.count("") <= 2
    assert set(reasons) >= {
        "role_reversal",
        "wrong_language",
        "repeated_turn",
        "too_short",
        "off_trajectory",
    }


def test_same_request_has_the_same_words(prompts: Prompts, banks: dict[Language, Bank]) -> None:
    """The seed in the request decides, so that a run can be repeated."""
    part = UserPart("en", banks["en"].situations[9], "calms", 2)
    messages = prompts.user_messages(part, [Turn(user="I am sad.", assistant="Do sit.")])
    one, other = (ScriptedTeacher(lambda: [], banks) for _ in range(2))
    request = {"messages": messages, "seed": 4}
    assert one.reply(request) == other.reply(request)
    assert len({one.reply({"messages": messages, "seed": seed}) for seed in range(30)}) > 20


def test_unknown_situation_is_played_all_the_same(
    prompts: Prompts, banks: dict[Language, Bank]
) -> None:
    """A question set without emotion and area has users, too."""
    messages = prompts.user_messages(
        UserPart("zh", None, "deflects", 2), [Turn(user="在吗", assistant="在。")]
    )
    assert ScriptedTeacher(lambda: [], banks).reply({"messages": messages, "seed": 1})


def test_later_replies_go_on_instead_of_starting_again(
    banks: dict[Language, Bank], tsundere: Style
) -> None:
    """The first reply has both halves of the advice, the next one a step of it."""
    situation = banks["zh"].situations[40]
    opening = banks["zh"].wordings(situation, "train")[2]
    system = {"role": "system", "content": tsundere.system_prompt}
    chat = [system, {"role": "user", "content": opening}]
    teacher = ScriptedTeacher(lambda: [tsundere], banks)
    first = teacher.reply({"messages": chat, "seed": 1})
    chat += [{"role": "assistant", "content": first}, {"role": "user", "content": "我更难过了。"}]
    second = teacher.reply({"messages": chat, "seed": 1})
    assert situation.is_answered_by(first)
    assert not situation.is_answered_by(second)
    assert any(step in second for step in situation.steps)


def test_words_of_both_languages_have_all_parts() -> None:
    """Each course has starts for the levels that are asked after the first turn."""
    wanted = {
        trajectory: {level for turns in range(2, 7) for level in levels(trajectory, turns)[1:]}
        for trajectory in ("escalates", "calms")
    }
    for words in lines().values():
        for trajectory, known in wanted.items():
            for mood in ("hard", "joy"):
                assert set(words[trajectory][mood]["starts"]) == known
