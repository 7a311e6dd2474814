"""Which form of a card's style prompt speaks in the style best: chosen on questions of its own.

No question that is judged later chooses, so the prompted base is not fitted to its own exam.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from contracts.evaluation import Reply
from contracts.proof import PromptChoice
from contracts.style import Style
from datagen.contestants import PROMPTED
from datagen.evaluate import Asked
from datagen.heldout import HeldOut
from datagen.style_prompts import FORMS, StylePrompt, forms_of, prompt_of


def trials(questions: Iterable[HeldOut], styles: Mapping[str, Style], base: str) -> list[Asked]:
    """Return every selection question in every form of its style's prompt."""
    return [
        Asked(PROMPTED, base, question, prompt=prompt)
        for question in questions
        if question.style in styles
        for prompt in forms_of(styles[question.style])
    ]


def choices(replies: Sequence[Reply], styles: Mapping[str, Style]) -> list[PromptChoice]:
    """Return the best form for each style, by the mean strength of its replies to the trials."""
    heard: dict[str, dict[str, list[Reply]]] = defaultdict(lambda: defaultdict(list))
    for reply in replies:
        heard[reply.style][reply.prompt].append(reply)
    return [choice(styles[style], by_form) for style, by_form in heard.items()]


def choice(style: Style, by_form: Mapping[str, Sequence[Reply]]) -> PromptChoice:
    """Return the best form of one style's prompt; among equals the first, which is the simplest."""
    strengths = {
        form: sum(reply.strength for reply in by_form[form]) / len(by_form[form])
        for form in FORMS
        if by_form.get(form)
    }
    form = max(strengths, key=strengths.__getitem__)
    shown = min(reply.examples for reply in by_form[form])
    return PromptChoice(
        style=style.id,
        form=form,
        strengths=strengths,
        questions=len(by_form[form]),
        examples=shown,
        left_out=full_examples(style, form) - shown,
        untried=[one.form for one in forms_of(style) if one.form not in strengths],
    )


def full_examples(style: Style, form: str) -> int:
    """Return how many examples a form shows where the context has room for all."""
    return next(prompt_of(style, one).examples for one in FORMS if one == form)


def chosen(choices: Iterable[PromptChoice], styles: Mapping[str, Style]) -> dict[str, StylePrompt]:
    """Return the style prompt of each style, as it was chosen."""
    return {
        one.style: StylePrompt(styles[one.style], form, one.examples)
        for one in choices
        for form in FORMS
        if form == one.form
    }


def as_asked(choices: Iterable[PromptChoice], replies: Iterable[Reply]) -> list[PromptChoice]:
    """Return `choices` with the examples that fitted beside the judged questions too."""
    fewest: dict[str, int] = {}
    for reply in replies:
        if reply.contestant == PROMPTED:
            fewest[reply.style] = min(reply.examples, fewest.get(reply.style, reply.examples))
    return [one.model_copy(update=fitted(one, fewest.get(one.style))) for one in choices]


def fitted(choice: PromptChoice, shown: int | None) -> dict[str, int]:
    """Return the examples shown and left out, where some question had room for fewer."""
    if shown is None or shown >= choice.examples:
        return {}
    return {"examples": shown, "left_out": choice.left_out + choice.examples - shown}
