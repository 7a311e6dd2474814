"""The library as cards, and the head of the one that is open (pure)."""

from collections.abc import Iterable, Sequence
from html import escape

from contracts.style import Style, StyleVersion
from ui.chat.panel import emoji_of, name_of
from ui.service_notices import service_html
from ui.style.card_yaml import Document, UnreadableError
from ui.style.draft import Draft
from ui.style.form import found
from ui.style.source import USES_SHOWN, Library, Use
from ui.texts import Texts

CARDS_SHOWN = 200
TRAITS_SHOWN = 4
EVERY, ARCHIVED = "all", "archived"


def cards_html(texts: Texts, library: Library, words: str, shown: str, draft: Draft) -> str:
    """Return the library as a grid, or why there is none.

    Args:
        texts: the words.
        library: what there is.
        words: that a card must have.
        shown: a language, `all`, or `archived`.
        draft: the card that is being worked on.
    """
    notice = service_html(texts, library.problem)
    if library.styles is None:
        return notice
    if library.problem:
        notice += f'<p class="ts-faint">{escape(texts("styles.as_known"))}</p>'
    chosen = matching(library, words, shown)
    if not chosen:
        return notice + f'<p class="ts-faint ts-empty">{escape(texts("styles.no_match"))}</p>'
    rows = "".join(card_html(texts, one, library, draft) for one in chosen[:CARDS_SHOWN])
    told = texts("styles.count", number=len(chosen), total=len(library.styles))
    return f'{notice}<ul class="ts-shelf">{rows}</ul><p class="ts-faint">{escape(told)}</p>'


def matching(library: Library, words: str, shown: str) -> list[StyleVersion]:
    """Return the styles in which each of the words is found."""
    offered = library.archived if shown == ARCHIVED else library.styles or ()
    wanted = words.casefold().split()
    return [
        one
        for one in offered
        if shown in (EVERY, ARCHIVED, one.style.language)
        and all(word in sought(one.style) for word in wanted)
    ]


def sought(style: Style) -> str:
    """Return the text in which words are sought."""
    parts = [style.id, style.names.zh, style.names.en, style.description.zh, style.description.en]
    return "\n".join([*parts, *style.traits]).casefold()


def card_html(texts: Texts, one: StyleVersion, library: Library, draft: Draft) -> str:
    """Return one card; its name is the button that opens it."""
    style = one.style
    is_open = draft.id == style.id and draft.is_open
    mark = (
        f'<b class="ts-unsaved">{escape(texts("styles.unsaved"))}</b>'
        if (is_open and draft.dirty)
        else ""
    )
    traits = "".join(f"<li>{escape(trait)}</li>" for trait in style.traits[:TRAITS_SHOWN])
    uses = (library.uses or {}).get(style.id, [])
    facts = [texts("styles.version", number=one.version), texts(f"styles.{style.language}")]
    facts += [uses_text(texts, uses)] if library.uses is not None else []
    told = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    return (
        f'<li class="ts-style{" ts-chosen" if is_open else ""}">'
        f'<span class="ts-glyph" aria-hidden="true">{escape(emoji_of(style))}</span>'
        f'<h3><button type="button" data-style="{escape(style.id)}">'
        f"{escape(name_of(texts, style))}</button>{mark}</h3>"
        f"<p>{escape(str(getattr(style.description, texts.language)))}</p>"
        f'<ul class="ts-traits" lang="{style.language}">{traits}</ul>'
        f'<p class="ts-about">{told}</p></li>'
    )


def uses_text(texts: Texts, uses: Sequence[Use]) -> str:
    """Return in how many datasets and models a style is."""
    if not uses:
        return texts("styles.unused")
    datasets = len({use.id for use in uses if use.kind == "dataset"})
    models = len({use.id for use in uses if use.kind == "model"})
    return texts("styles.used", datasets=datasets, models=models)


def head_html(texts: Texts, draft: Draft) -> str:
    """Return what is open: emoji, name, id, version, and whether it is saved."""
    document = document_of(draft)
    emoji = found(document, "lexicon.emoji")
    glyph = str(emoji[0]) if isinstance(emoji, list) and emoji else "·"
    name = str(found(document, f"names.{texts.language}") or texts("styles.unnamed"))
    facts = [texts("styles.version", number=draft.version) if draft.version else ""]
    facts += [str(document.get("id") or draft.id), texts("styles.put_away") * draft.archived]
    state = "unsaved" if draft.dirty or not draft.version else "saved"
    told = "".join(f"<span>{escape(fact[:80])}</span>" for fact in facts if fact)
    return (
        f'<div class="ts-style-head"><span class="ts-glyph" aria-hidden="true">{escape(glyph[:8])}'
        f'</span><div><h2>{escape(name[:80])}</h2><p class="ts-about">{told}'
        f'<b class="ts-{state}">{escape(texts(f"styles.{state}"))}</b></p></div></div>'
    )


def document_of(draft: Draft) -> Document:
    """Return the card as it stands, or as it was stored where it cannot be read."""
    for text in (draft, draft.with_text(draft.saved)):
        try:
            return text.document()
        except UnreadableError:
            continue
    return {}


def uses_html(texts: Texts, draft: Draft, library: Library) -> str:
    """Return what was made of the versions of a style."""
    if not draft.version:
        return f'<p class="ts-faint">{escape(texts("styles.uses_new"))}</p>'
    if library.uses is None:
        return f'<p class="ts-faint">{escape(texts("styles.uses_unknown"))}</p>'
    uses = library.uses.get(draft.id, [])
    if not uses:
        return f'<p class="ts-faint">{escape(texts("styles.uses_none"))}</p>'
    heads = "".join(
        f'<th scope="col">{escape(texts(f"styles.{name}"))}</th>'
        for name in ("use_kind", "use_id", "use_version", "use_at")
    )
    rows = "".join(use_row(texts, use) for use in uses[:USES_SHOWN])
    label = escape(texts("styles.uses"))
    return (
        f'<div class="ts-scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="ts-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        "</div>"
        f'<p class="ts-faint">{escape(texts("styles.uses_hint"))}</p>'
    )


def use_row(texts: Texts, use: Use) -> str:
    """Return one dataset or model."""
    return (
        f'<tr><th scope="row">{escape(texts(f"styles.use_{use.kind}"))}</th>'
        f"<td><code>{escape(use.id)}</code></td><td>{use.version}</td><td>{escape(use.at)}</td></tr>"
    )


def options(texts: Texts, styles: Iterable[StyleVersion]) -> list[tuple[str, str]]:
    """Return the styles as pickers offer them."""
    return [(f"{emoji_of(one.style)} {name_of(texts, one.style)}", one.style.id) for one in styles]
