"""Gates for what a simulated user says: each refusal has its reason, and the first one counts.

Role reversal is looked for in both directions by what people plainly say (`dialogue_words.yaml`),
by the style's own openers and closers in the user's mouth, and by a user who repeats the reply. It
is a net with holes: a model that gives advice without any of the usual words passes.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from contracts.sample import RejectReason, Trajectory, Turn
from contracts.style import Language, Style
from datagen.gates import ASSISTANT_VOICE, Refusal, repeated_share
from datagen.intensity import intensity, voice_pattern
from datagen.languages import language_share
from datagen.text import broken_character, control_token, letters

# A simulated user writes one to three sentences; characters.
LENGTHS: dict[Language, tuple[int, int]] = {"zh": (2, 160), "en": (4, 480)}
LANGUAGE_SHARE = 0.5
# Share of the shorter text's 4-grams that the other one has too: then it is said again.
REPEATED_SHARE = 0.75
# Share of a reply's 4-grams in the user's words: then the user reads the reply out.
PARROT_SHARE = 0.5
# A style's phrase of fewer letters ("hm.") may be anyone's.
PHRASE_LETTERS: dict[Language, int] = {"zh": 4, "en": 10}
# The lexicon sees about three of five levels in what people write, so its bands are wide.
BELOW, ABOVE, SLACK = 2.0, 0.5, 1.0
# Between two texts that are both as faint as this there is no rise.
FAINT = 1.0
# Away from the topic: not excited, and with few of the opening's 4-grams.
DEFLECTED_MOST = 3.0
TOPIC_SHARE = 0.2


@dataclass(frozen=True)
class Said:
    """What a simulated user says before the gates, with all that they look at.

    Attributes:
        style: of the dialogue's replies, which the user must not speak in.
        text: the words.
        history: exchanges so far, the opening first; never empty.
        trajectory, level: what was asked for; the level is 1 to 5.
        before: measured intensity of the user's turns so far, the opening's first.
        known: letters of what simulated users of this dataset have said already.
        cut: whether the teacher ran into its token limit.
    """

    style: Style
    text: str
    history: Sequence[Turn]
    trajectory: Trajectory
    level: int
    before: Sequence[float]
    known: Container[str] = frozenset()
    cut: bool = False

    @property
    def language(self) -> Language:
        """The language of the dialogue."""
        return self.style.language


Check = Callable[[Said], Refusal | None]


def form(said: Said) -> Refusal | None:
    """Refuse control tokens, what is empty, too short or too long, and broken text."""
    if found := control_token(said.text):
        return Refusal(RejectReason.CONTROL_TOKEN, found[:40])
    least, most = LENGTHS[said.language]
    if len(letters(said.text)) < least:
        return Refusal(RejectReason.TOO_SHORT, f"{len(letters(said.text))} of at least {least}")
    if len(said.text) > most:
        return Refusal(RejectReason.TOO_LONG, f"{len(said.text)} of at most {most} characters")
    if character := broken_character(said.text):
        return Refusal(RejectReason.BROKEN_TEXT, f"U+{ord(character):04X}")
    return Refusal(RejectReason.BROKEN_TEXT, "cut at the token limit") if said.cut else None


def language(said: Said) -> Refusal | None:
    """Refuse words that are not in the language of the dialogue."""
    share = language_share(said.text, said.language)
    if share >= LANGUAGE_SHARE:
        return None
    return Refusal(RejectReason.WRONG_LANGUAGE, f"{share:.0%} {said.language}")


def reversal(said: Said) -> Refusal | None:
    """Refuse a user who speaks as the helper, in the style, or reads the reply out."""
    reply = letters(said.history[-1].assistant)
    if repeated_share(reply, letters(said.text)) >= PARROT_SHARE:
        return Refusal(RejectReason.ROLE_REVERSAL, "repeats the reply")
    if phrase := spoken_phrase(said.style, said.text):
        return Refusal(RejectReason.ROLE_REVERSAL, f"speaks in the style: {phrase[:40]}")
    found = ASSISTANT_VOICE.search(said.text)
    found = found or voice_pattern(said.language, "helper").search(said.text)
    return Refusal(RejectReason.ROLE_REVERSAL, found.group().strip()[:60]) if found else None


def spoken_phrase(style: Style, text: str) -> str:
    """Return the style's opener or closer that `text` holds; empty where it holds none."""
    plain, least = letters(text), PHRASE_LETTERS[style.language]
    phrases = [*style.lexicon.openers, *style.lexicon.closers]
    long = (one for one in phrases if len(letters(one)) >= least)
    return next((one for one in long if letters(one) in plain), "")


def repetition(said: Said) -> Refusal | None:
    """Refuse what this user, or another one of the dataset, has said already."""
    plain = letters(said.text)
    for number, turn in enumerate(said.history):
        earlier = letters(turn.user)
        short, long = sorted((plain, earlier), key=len)
        if repeated_share(short, long) >= REPEATED_SHARE:
            return Refusal(RejectReason.REPEATED_TURN, f"as turn {number + 1}")
    if plain in said.known:
        return Refusal(RejectReason.DUPLICATE, "as another user of this dataset")
    return None


def course(said: Said) -> Refusal | None:
    """Refuse words whose feeling does not go the asked way.

    Rising or settling is held against a wide band of the asked level and against the user's turn
    before; the opening, which nobody asked to be of some strength, counts for no more than its
    band. A user who turns away must leave the topic's words behind.
    """
    strength = intensity(said.text, said.language)
    before = said.before[-1] if len(said.before) > 1 else None
    if said.trajectory == "escalates":
        least = max(said.level - BELOW, (before or 0) - SLACK)
        wrong = "" if strength >= least else f"intensity {strength:.2f} of at least {least:.2f}"
    elif said.trajectory == "calms":
        most = min(said.level + ABOVE, 5.0 if before is None else max(before, FAINT) + SLACK)
        wrong = "" if strength <= most else f"intensity {strength:.2f} of at most {most:.2f}"
    else:
        wrong = not_away(said, strength)
    return Refusal(RejectReason.OFF_TRAJECTORY, wrong) if wrong else None


def not_away(said: Said, strength: float) -> str:
    """Return in which way a user who should turn away does not; empty where the user does."""
    if strength > DEFLECTED_MOST:
        return f"intensity {strength:.2f} of at most {DEFLECTED_MOST:.2f}"
    share = repeated_share(letters(said.history[0].user), letters(said.text))
    return f"{share:.0%} of the opening is still the topic" if share > TOPIC_SHARE else ""


CHECKS: tuple[Check, ...] = (form, language, reversal, repetition, course)


def user_refusal(said: Said) -> Refusal | None:
    """Return the first gate's refusal of a user's words, or None where all let them pass."""
    return next((refusal for check in CHECKS if (refusal := check(said))), None)


def asking_reply(style: Style, reply: str) -> Refusal | None:
    """Refuse a reply that asks for help as the user would; the style's own phrases may."""
    plain = reply
    for phrase in (*style.lexicon.openers, *style.lexicon.closers):
        plain = plain.replace(phrase, " ")
    found = voice_pattern(style.language, "asker").search(plain)
    return Refusal(RejectReason.ROLE_REVERSAL, found.group().strip()[:60]) if found else None
