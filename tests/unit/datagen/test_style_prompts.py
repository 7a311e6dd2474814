"""Tests of the style prompts, of the choice between them, and of who is asked what."""

import httpx
import pytest

from contracts.evaluation import EvaluationRequest, Reply
from contracts.sample import Message
from datagen.chat import ChatClient, PromptTooLongError, Sampling
from datagen.contestants import contestants_of, questions_to
from datagen.heldout import HeldOut
from datagen.prompt_choice import as_asked, choices, chosen, trials
from datagen.style_prompts import Form, StylePrompt, ask_prompted, forms_of, prompt_of
from fakes.openai_server import Messages, OpenAIServer
from fakes.styled_dataset import STYLES
from kit.errors import InvalidInputError

CARD = STYLES["tsundere"]
EARLIER = [Message(role="user", content="先前？"), Message(role="assistant", content="哼！\n好。")]


def question(number: int = 0) -> HeldOut:
    """Return a question in the card's style."""
    messages = (Message(role="user", content="怎么办？"),)
    return HeldOut(CARD.id, number, "zh", "怎么办？", messages)


def test_card_says_all_that_it_knows() -> None:
    """System prompt, traits, what to avoid and the rules; no examples."""
    system, *rest = prompt_of(CARD, "card").messages(EARLIER, "怎么办？")
    for said in (CARD.system_prompt, *CARD.traits, *CARD.avoid, *CARD.guardrails):
        assert said in system.content
    assert [one.role for one in rest] == ["user", "assistant", "user"]


def test_shots_shows_the_examples_as_turns() -> None:
    """Each example is an earlier exchange."""
    said = prompt_of(CARD, "shots").messages([], "怎么办？")
    assert len(said) == 2 + 2 * len(CARD.examples)
    assert said[1].content == CARD.examples[0].user


def test_text_is_a_script_with_a_line_for_each_turn() -> None:
    """The description stands before each scene; the script ends where the reply begins."""
    script = prompt_of(CARD, "text").script(EARLIER, "怎么办？")
    assert script.count(CARD.description.zh) == len(CARD.examples) + 1
    assert script.endswith(f"{CARD.description.zh}\n先前？\n哼！ 好。\n怎么办？\n")


def test_card_without_examples_has_no_shots() -> None:
    """They would be the card again."""
    bare = CARD.model_copy(update={"examples": []})
    assert [prompt.form for prompt in forms_of(bare)] == ["card", "text"]


async def asked(server: OpenAIServer, form: Form) -> tuple[str, int]:
    """Ask under a style prompt; return the answer and the examples shown."""
    async with httpx.AsyncClient(transport=server.transport, base_url="http://x") as http:
        client, prompt = ChatClient(http), prompt_of(CARD, form)
        answer, shown = await ask_prompted(client, "base", prompt, [], "怎么办？", Sampling())
    return answer.text, shown


@pytest.mark.parametrize("form", ["shots", "text"])
async def test_examples_are_left_out_where_they_do_not_fit(form: Form) -> None:
    """The prompt is cut until the context has room for it."""

    def heard(messages: Messages) -> str:
        return messages[0]["role"]

    whole = OpenAIServer({"base": heard})
    assert await asked(whole, form) == ("system" if form == "shots" else "text", 4)
    small = OpenAIServer({"base": heard}, context=260)
    _, shown = await asked(small, form)
    assert 0 < shown < 4
    assert len(small.requests) == 1 + 4 - shown


async def test_prompt_that_never_fits_is_an_error_with_a_way_out() -> None:
    """Nothing is left to leave out."""
    with pytest.raises(PromptTooLongError, match="context"):
        await asked(OpenAIServer({"base": str}, context=5), "shots")


def tried(form: Form, strength: float, examples: int = 4) -> Reply:
    """Return a reply to a trial."""
    return Reply(
        contestant="prompted",
        model="base",
        style=CARD.id,
        situation=None,
        question="?",
        reply="!",
        predicted_style="",
        strength=strength,
        on_topic=None,
        prompt=form,
        examples=examples,
    )


def test_strongest_form_is_chosen_and_the_simplest_among_equals() -> None:
    """By mean strength over the selection questions."""
    styles = {CARD.id: CARD}
    forms = [tried("card", 0.2, 0), tried("card", 0.4, 0), tried("shots", 0.5), tried("text", 0.4)]
    (best,) = choices(forms, styles)
    assert (best.form, best.strengths) == (
        "shots",
        {"card": pytest.approx(0.3), "shots": 0.5, "text": 0.4},
    )
    (first,) = choices([tried("text", 0.1), tried("card", 0.1, 0)], styles)
    assert first.form == "card"


def test_report_says_what_did_not_fit() -> None:
    """Examples cut in the trials, and later beside a longer question."""
    styles = {CARD.id: CARD}
    found = choices([tried("shots", 0.5, 3)], styles)
    assert (found[0].examples, found[0].left_out) == (3, 1)
    assert chosen(found, styles) == {CARD.id: StylePrompt(CARD, "shots", 3)}
    (later,) = as_asked(found, [tried("shots", 0.5, 3), tried("shots", 0.5, 1)])
    assert (later.examples, later.left_out) == (1, 3)


def test_every_form_is_tried_on_every_selection_question() -> None:
    """Styles without a card are not: there is nothing to prompt with."""
    other = HeldOut("unknown", 0, "zh", "?", (Message(role="user", content="?"),))
    assert len(trials([question(0), question(1), other], {CARD.id: CARD}, "base")) == 6


def test_prompted_base_gets_its_prompt_and_others_none() -> None:
    """Rivals are asked next to each other; further models exactly as tuned."""
    models = contestants_of(EvaluationRequest(dataset_id="d", models=["other.v2"]))
    prompts = {CARD.id: prompt_of(CARD, "card")}
    found = questions_to([question()], models, prompts)
    assert [(one.contestant, one.model, one.form) for one in found] == [
        ("base", "base", ""),
        ("prompted", "base", "card"),
        ("tuned", "tonesmith", ""),
        ("other.v2", "other.v2", ""),
    ]
    assert len(questions_to([question()], models, {})) == 3


@pytest.mark.parametrize("name", ["tuned", "base", "tonesmith", "prompted"])
def test_model_is_not_compared_with_itself(name: str) -> None:
    """A name that is asked already is refused, with the field."""
    with pytest.raises(InvalidInputError, match="compared already"):
        contestants_of(EvaluationRequest(dataset_id="d", models=[name]))
    with pytest.raises(InvalidInputError):
        contestants_of(EvaluationRequest(dataset_id="d", models=["x", "x"]))


def test_base_by_its_own_served_name_is_compared_already() -> None:
    """Whatever serving calls the base."""
    with pytest.raises(InvalidInputError, match="compared already"):
        contestants_of(EvaluationRequest(dataset_id="d", base="qwen", models=["qwen"]))
