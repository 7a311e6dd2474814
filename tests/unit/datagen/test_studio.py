"""Tests of the style studio: previews and confusion, with the scripted teacher."""

import asyncio
from typing import Any

import pytest

from contracts.studio import ConfusionRequest, PreviewRequest
from contracts.style import Style
from datagen import studio as module
from datagen.asking import RefusedError, TeacherReply
from datagen.config import Settings
from datagen.errors import TeacherDownError
from datagen.services import Services, open_services
from datagen.studio import Drafts, Studio
from kit.errors import InvalidInputError, NotFoundError, UnavailableError


def studio_of(services: Services) -> Studio:
    """Return the studio of a service."""
    return Studio(
        services.library,
        services.banks,
        services.prompts,
        services.teacher,
        services.drafts,
        services.screens,
    )


@pytest.fixture
def studio(settings: Settings) -> Any:
    """The studio with a scripted teacher that never errs."""
    services = open_services(settings.model_copy(update={"teacher_flaw_rate": 0.0}))
    yield studio_of(services)
    services.store.close()


def renamed(style: Style, **given: Any) -> Style:
    """Return a card that is not in the library."""
    return Style.model_validate(style.model_dump() | {"id": "draft"} | given)


async def test_preview_of_an_unsaved_card_speaks_in_it(studio: Studio, tsundere: Style) -> None:
    """The reply has the draft's own words; every gate says what it thinks; nothing is stored."""
    lexicon = tsundere.lexicon.model_dump() | {"openers": ["呜哇，"], "closers": ["喵。"]}
    card = renamed(tsundere, lexicon=lexicon)
    found = await studio.preview(PreviewRequest(card=card, question="明天要考试，好紧张。"))
    assert found.reply.startswith("呜哇，")
    assert found.accepted
    assert {verdict.gate for verdict in found.verdicts} >= {"length", "echo", "off_style"}
    assert found.version is None
    assert "draft" not in [one.style.id for one in studio.library.all()]
    assert studio.drafts.cards() == []


async def test_preview_says_which_saved_version_it_is(studio: Studio, tsundere: Style) -> None:
    """Equal to version 1, or to none."""
    request = PreviewRequest(card=tsundere, question="明天要考试，好紧张。")
    assert (await studio.preview(request)).version == 1
    other = request.model_copy(update={"card": tsundere.model_copy(update={"temperature": 0.1})})
    assert (await studio.preview(other)).version is None


async def test_preview_names_the_gate_that_refuses(settings: Settings, tsundere: Style) -> None:
    """All verdicts are there, not only the first."""
    services = open_services(settings.model_copy(update={"teacher_flaw_rate": 1.0}))
    try:
        request = PreviewRequest(card=tsundere, question="明天要考试，好紧张。", seed=3)
        found = await studio_of(services).preview(request)
    finally:
        services.store.close()
    refused = [verdict for verdict in found.verdicts if not verdict.passed]
    assert refused
    assert not found.accepted
    assert all(verdict.reason for verdict in refused)


async def test_person_in_a_crisis_gets_a_safe_reply(studio: Studio, tsundere: Style) -> None:
    """Whatever the card, and without asking the teacher."""
    studio.teacher = Mute()
    found = await studio.preview(PreviewRequest(card=tsundere, question="我不想活了，想自杀"))
    assert studio.screens["zh"].is_safe_reply(found.reply)
    assert found.accepted
    assert found.verdicts[0].gate == "crisis"


class Mute:
    """A teacher that refuses, or says nothing for long."""

    model = "mute"
    most = 1
    is_down = False

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    async def ask(self, *_: Any, **__: Any) -> TeacherReply:
        """Refuse after a while."""
        await asyncio.sleep(self.seconds)
        raise RefusedError("HTTP 400")

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("seconds", "limit", "words"),
    [(0.0, 60.0, "no usable answer"), (3600.0, 0.05, "not answer")],
)
async def test_teacher_without_an_answer_is_unavailable(
    studio: Studio,
    tsundere: Style,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    limit: float,
    words: str,
) -> None:
    """A person does not wait as long as a job does."""
    monkeypatch.setattr(module, "PREVIEW_SECONDS", limit)
    monkeypatch.setattr(module, "CONFUSION_SECONDS", limit)
    studio.teacher = Mute(seconds)
    with pytest.raises(UnavailableError, match="answer") as caught:
        await studio.preview(PreviewRequest(card=tsundere, question="在吗"))
    assert words in str(caught.value)
    with pytest.raises(UnavailableError):
        await studio.confuse(ConfusionRequest(styles=["tsundere", "gentle"], replies=3))
    assert studio.drafts.cards() == []


async def test_half_a_character_in_a_reply_can_be_shown(
    studio: Studio, tsundere: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gates name it; the answer to the person can still be sent."""

    async def half(*_: Any, **__: Any) -> TeacherReply:
        return TeacherReply("哼，快去睡啦\ud83d。")

    monkeypatch.setattr(studio.teacher, "ask", half)
    found = await studio.preview(PreviewRequest(card=tsundere, question="明天要考试，好紧张。"))
    assert not found.accepted
    assert "睡啦?。" in found.model_dump_json()


async def test_teacher_that_is_down_is_said_to_be(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many calls at once the first one's error, as it is."""

    async def down(*_: Any, **__: Any) -> TeacherReply:
        raise TeacherDownError("the teacher does not answer")

    monkeypatch.setattr(studio.teacher, "ask", down)
    with pytest.raises(TeacherDownError):
        await studio.confuse(ConfusionRequest(styles=["tsundere", "gentle"], replies=3))
    assert studio.drafts.cards() == []


async def test_styles_of_the_library_are_told_apart(studio: Studio) -> None:
    """Rows of the matrix are the asked styles, and add up to the replies."""
    found = await studio.confuse(ConfusionRequest(replies=8))
    assert len(found.matrix) == 12
    assert all(sum(row.values()) == 8 for row in found.matrix.values())
    assert found.replies == 96
    assert found.accuracy >= 0.85
    assert not [pair for pair in found.collisions if pair.indistinguishable]


async def test_two_cards_of_equal_content_are_indistinguishable(
    studio: Studio, tsundere: Style
) -> None:
    """A draft beside the saved card that it was copied from."""
    request = ConfusionRequest(styles=["tsundere"], cards=[renamed(tsundere)], replies=12)
    found = await studio.confuse(request)
    pair = found.collisions[0]
    assert pair.indistinguishable
    assert set(pair.styles) == {"draft", "tsundere"}
    assert found.accuracy < 0.75


async def test_draft_stands_in_for_the_saved_card_of_its_id(
    studio: Studio, tsundere: Style
) -> None:
    """What is edited is compared with the others, not with its own past."""
    request = ConfusionRequest(styles=["tsundere", "gentle"], cards=[tsundere], replies=3)
    assert [card.id for card in studio.asked_cards(request)] == ["tsundere", "gentle"]


async def test_confusion_needs_two_styles_that_exist(studio: Studio, tsundere: Style) -> None:
    """The field is named."""
    for request in (ConfusionRequest(styles=["gentle"]), ConfusionRequest(cards=[tsundere])):
        with pytest.raises(InvalidInputError, match="needs two"):
            await studio.confuse(request)
    with pytest.raises(InvalidInputError, match="occurs twice"):
        await studio.confuse(ConfusionRequest(cards=[tsundere, tsundere]))
    with pytest.raises(NotFoundError):
        await studio.confuse(ConfusionRequest(styles=["gentle", "nobody"]))


def test_drafts_are_known_only_while_they_are_asked_for(tsundere: Style) -> None:
    """Also where an error ends it."""
    drafts = Drafts()

    def ask() -> None:
        with drafts.known([tsundere]):
            assert drafts.cards() == [tsundere]
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        ask()
    assert drafts.cards() == []
