"""What changes the library: storing a card, putting one away, and reading one from a file."""

from dataclasses import dataclass
from html import escape

from contracts.style import Style, StyleVersion
from ui.errors import ProblemError
from ui.service_notices import service_html
from ui.style.card_yaml import UnreadableError
from ui.style.diff import diff_html
from ui.style.draft import Draft, card_text, completed, opened
from ui.style.faults import Fault, faults_of
from ui.style.files import draft_of, imported_html, own_card
from ui.style.source import Library
from ui.tabs.styles.editor import checked
from ui.texts import Texts
from ui.upstream.style_calls import StyleCalls

CONFLICT = "style_changed"


@dataclass(frozen=True)
class Outcome:
    """What came of an order.

    Attributes:
        draft: as it stands afterwards; None where nothing is to be opened.
        said: HTML that tells of it.
        theirs: the version that somebody else stored meanwhile; 0 if nobody did.
        more: faults that datagen found.
        done: whether something was stored, or put away.
    """

    draft: Draft | None
    said: str
    theirs: int = 0
    more: tuple[Fault, ...] = ()
    done: bool = False


def done_html(text: str) -> str:
    """Return that something went well."""
    return f'<div class="ts-done" role="status"><strong>{escape(text)}</strong></div>'


def why_html(text: str) -> str:
    """Return why something was not done."""
    return f'<div class="ts-notice" role="alert"><strong>{escape(text)}</strong></div>'


class Orders:
    """Gives orders to datagen; never raises.

    Args:
        calls: to datagen.
    """

    def __init__(self, calls: StyleCalls) -> None:
        self.calls = calls

    async def save(self, texts: Texts, draft: Draft, library: Library) -> Outcome:
        """Store the card as the next version."""
        try:
            document = draft.document()
        except UnreadableError:
            return Outcome(draft, why_html(texts("styles.not_valid")))
        if checked(draft, document, library):
            return Outcome(draft, why_html(texts("styles.not_valid")))
        if draft.version and not draft.dirty and not draft.archived:
            return Outcome(draft, done_html(texts("styles.nothing_new")))
        return await self.store(texts, draft, Style.model_validate(document), "styles.stored")

    async def store(self, texts: Texts, draft: Draft, style: Style, key: str) -> Outcome:
        """Store `style` as the version after the draft's, and tell so with the words of `key`."""
        try:
            version = await self.calls.save(style, draft.version)
        except ProblemError as problem:
            if problem.values.get("code") == CONFLICT:
                return await self.conflict(texts, draft, style, problem)
            field = str(problem.values.get("field") or "")
            more = (Fault(field, "refused", said=problem.detail),) if field else ()
            return Outcome(draft, service_html(texts, problem), more=more)
        after = opened(version)
        return Outcome(after, done_html(texts(key, number=version.version)), done=True)

    async def conflict(
        self, texts: Texts, draft: Draft, style: Style, problem: ProblemError
    ) -> Outcome:
        """Return what somebody else stored meanwhile, beside what is not stored yet."""
        try:
            theirs = (await self.calls.versions(style.id))[-1]
        except ProblemError:
            return Outcome(draft, service_html(texts, problem))
        label = texts("styles.diff", older=texts("styles.theirs"), newer=texts("styles.now"))
        said = (
            f'<div class="ts-notice" role="alert">'
            f"<strong>{escape(texts('styles.conflict', number=theirs.version))}</strong>"
            f"<p>{escape(texts('styles.conflict_hint'))}</p>"
            f"{diff_html(texts, card_text(theirs.style), card_text(style), label)}</div>"
        )
        return Outcome(draft, said, theirs=theirs.version)

    async def rebase(self, texts: Texts, draft: Draft) -> Outcome:
        """Return the draft as an edit of what somebody else stored; nothing is stored by it."""
        style_id = draft.id or str(draft.document().get("id", ""))
        try:
            theirs = (await self.calls.versions(style_id))[-1]
        except ProblemError as problem:
            return Outcome(draft, service_html(texts, problem))
        mine = opened(theirs).with_text(draft.text)
        return Outcome(mine, done_html(texts("styles.rebased", number=theirs.version)))

    async def restore(
        self, texts: Texts, draft: Draft, versions: list[StyleVersion], number: str
    ) -> Outcome:
        """Store an old version once more, as the newest."""
        old = next((one for one in versions if str(one.version) == number), None)
        if old is None:
            return Outcome(draft, "")
        if draft.dirty:
            return Outcome(draft, why_html(texts("styles.save_first")))
        return await self.store(texts, draft, old.style, "styles.restored")

    async def archive(self, texts: Texts, draft: Draft) -> Outcome:
        """Put the card away; or back, where it was away. Neither takes an unsaved edit along."""
        if draft.dirty:
            return Outcome(draft, why_html(texts("styles.save_first")))
        try:
            if draft.archived:
                stored = Style.model_validate(draft.with_text(draft.saved).document())
                version = await self.calls.save(stored, draft.version)
                return Outcome(opened(version), done_html(texts("styles.is_back")), done=True)
            await self.calls.archive(draft.id)
        except ProblemError as problem:
            return Outcome(draft, service_html(texts, problem))
        return Outcome(None, done_html(texts("styles.is_away")), done=True)

    async def read_file(self, texts: Texts, content: bytes, library: Library) -> Outcome:
        """Return the draft of a card in a file."""
        if (document := own_card(content)) is not None:
            draft = draft_of(document, library)
            wrong = len(faults_of(document))
            key = "styles.read_edit" if draft.version else "styles.read_new"
            return Outcome(draft, done_html(texts(key, number=wrong)))
        try:
            card = await self.calls.read_card(content)
        except ProblemError as problem:
            return Outcome(None, service_html(texts, problem))
        return Outcome(completed(card.draft, library.ids), imported_html(texts, card))
