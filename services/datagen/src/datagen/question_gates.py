"""What a question must be before it goes into a set: one reason for each that is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.question_set import QuestionReason
from contracts.style import Language
from datagen.duplicates import NEAR, DuplicateIndex
from datagen.known_wordings import KnownWordings
from datagen.languages import language_share
from datagen.personal_data import find_personal_data
from datagen.questions import Bank, Situation
from datagen.text import broken_character, control_token
from kit.crisis import Screen, crisis_of

# Characters of a question: the shipped bank's have 12 to 60 Chinese or 40 to 170 English ones.
SIZES: Mapping[Language, tuple[int, int]] = {"zh": (8, 160), "en": (24, 480)}
# People bring their own lists: any length that a chat takes.
IMPORTED_SIZES: Mapping[Language, tuple[int, int]] = {"zh": (2, 1000), "en": (2, 2000)}
LANGUAGE_SHARE = 0.5


@dataclass(frozen=True)
class Objection:
    """Why a question is refused; `detail` shows what was found."""

    reason: QuestionReason
    detail: str = ""


@dataclass(frozen=True)
class Draft:
    """A question before the gates.

    Attributes:
        text: what the person says.
        language: that it must be in.
        situation: that it must be about; None where nobody says which.
        emotion, area: what its author calls them (id or name); empty where nothing is said.
    """

    text: str
    language: Language
    situation: Situation | None = None
    emotion: str = ""
    area: str = ""


@dataclass
class QuestionGates:
    """Judges questions one by one, against what was accepted before and what the bank asks.

    Args:
        banks: situations by language.
        screens: tell a crisis, by language.
        sizes: fewest and most characters, by language.
        labelled: whether a question must say, in words or by label, that it is on its cell.
    """

    banks: Mapping[Language, Bank]
    screens: Mapping[Language, Screen] = field(default_factory=dict)
    sizes: Mapping[Language, tuple[int, int]] = field(default_factory=lambda: SIZES)
    labelled: bool = True
    index: DuplicateIndex = field(default_factory=DuplicateIndex)
    _known: dict[Language, KnownWordings] = field(default_factory=dict)

    def objection(self, draft: Draft) -> Objection | None:
        """Return the first thing that is wrong with a question, None where it may be taken."""
        for gate in (self._form, self._harm, self._cell, self._novelty):
            if found := gate(draft):
                return found
        return None

    def add(self, draft: Draft) -> None:
        """Remember an accepted question, so that it is not taken again."""
        self.index.add(draft.language, draft.text)

    def _form(self, draft: Draft) -> Objection | None:
        text, (shortest, longest) = draft.text, self.sizes[draft.language]
        if found := control_token(text):
            return Objection(QuestionReason.CONTROL_TOKEN, found[:40])
        if len(text) < shortest:
            detail = f"{len(text)} of at least {shortest} characters"
            return Objection(QuestionReason.TOO_SHORT, detail)
        if len(text) > longest:
            detail = f"{len(text)} of at most {longest} characters"
            return Objection(QuestionReason.TOO_LONG, detail)
        if broken := broken_character(text):
            return Objection(QuestionReason.BROKEN_TEXT, f"U+{ord(broken):04X}")
        share = language_share(text, draft.language)
        if share < LANGUAGE_SHARE:
            return Objection(QuestionReason.WRONG_LANGUAGE, f"{share:.0%} {draft.language}")
        return None

    def _harm(self, draft: Draft) -> Objection | None:
        """Refuse what is nobody's business, and what needs a safe reply rather than a style."""
        if found := find_personal_data(draft.text):
            kinds = ", ".join(sorted({one.kind for one in found}))
            return Objection(QuestionReason.PERSONAL_DATA, kinds)
        if kind := crisis_of(self.screens, draft.language, [draft.text]):
            return Objection(QuestionReason.CRISIS, kind)
        return None

    def _cell(self, draft: Draft) -> Objection | None:
        """Refuse what is about another cell: the bank's own words decide, else the label."""
        if draft.situation is None or draft.language not in self.banks:
            return None
        area, emotion = self.banks[draft.language].named(draft.text)
        cell = draft.situation
        axes = (
            ("area", area, draft.area, cell.area.id, cell.area.name),
            ("emotion", emotion, draft.emotion, cell.emotion.id, cell.emotion.name),
        )
        for axis, by_words, label, wanted, name in axes:
            said = by_words or label
            if not said and not self.labelled:
                continue
            if said.casefold() not in (wanted, name.casefold()):
                shown = said[:40] or "nothing"
                return Objection(QuestionReason.OFF_CELL, f"{axis}: {shown}, not {wanted}")
        return None

    def _novelty(self, draft: Draft) -> Objection | None:
        if self.index.is_duplicate(draft.language, draft.text):
            return Objection(QuestionReason.DUPLICATE)
        within = self.index.nearest(draft.language, draft.text).within
        if within >= NEAR:
            return Objection(QuestionReason.NEAR_DUPLICATE, f"similarity {within:.2f}")
        similar, wording = self._nearest_wording(draft)
        if similar >= NEAR:
            return Objection(QuestionReason.IN_BANK, f"similarity {similar:.2f}: {wording[:80]}")
        return None

    def _nearest_wording(self, draft: Draft) -> tuple[float, str]:
        """Return the most similar wording of the language's bank, with its similarity."""
        if draft.language not in self.banks:
            return 0.0, ""
        if draft.language not in self._known:
            self._known[draft.language] = KnownWordings(self.banks[draft.language])
        return self._known[draft.language].nearest(draft.text)
