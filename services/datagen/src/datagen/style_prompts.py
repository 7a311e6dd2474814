"""The best style prompt for a base model: what a person gets without any fine-tuning.

Three forms of a card: `card` says all of it in the system prompt, `shots` shows its examples as
earlier turns too, `text` writes a script outside the chat that the model goes on with, which is
how a base that knows no system prompt is led. For each style a few questions apart from the judged
ones choose between them. Where a prompt does not fit the model's context, examples are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from contracts.sample import Message
from contracts.style import Language, Style
from datagen.chat import Answer, ChatClient, PromptTooLongError, Sampling

Form = Literal["card", "shots", "text"]
TEXT: Form = "text"
FORMS: tuple[Form, ...] = ("card", "shots", TEXT)
LABELS: dict[Language, tuple[str, str, str]] = {
    "zh": ("性格：{}。", "不要：{}。", "准则：{}。"),
    "en": ("Traits: {}.", "Never: {}.", "Rules: {}."),
}
JOINERS: dict[Language, str] = {"zh": "；", "en": "; "}


@dataclass(frozen=True)
class StylePrompt:
    """A form of a card's prompt.

    Attributes:
        style: the card.
        form: how the card is told.
        examples: how many of the card's are shown.
    """

    style: Style
    form: Form
    examples: int

    def fewer(self) -> "StylePrompt":
        """Return the same prompt with an example less."""
        return replace(self, examples=self.examples - 1)

    def messages(self, earlier: Sequence[Message], question: str) -> list[Message]:
        """Return the chat that asks `question` after `earlier` turns."""
        shown = [
            Message(role=role, content=text)
            for example in self.style.examples[: self.examples]
            for role, text in (("user", example.user), ("assistant", example.assistant))
        ]
        system = Message(role="system", content=instructions(self.style))
        return [system, *shown, *earlier, Message(role="user", content=question)]

    def script(self, earlier: Sequence[Message], question: str) -> str:
        """Return the script that ends where the reply to `question` begins: a line for each turn.

        The card's description stands before every scene. On the starter, which answers any chat
        plainly, it leads to the asked style more often than the system prompt (26 against 15 of
        48); examples change little.
        """
        about = getattr(self.style.description, self.style.language)
        scenes = [
            f"{about}\n{line(example.user)}\n{line(example.assistant)}"
            for example in self.style.examples[: self.examples]
        ]
        said = [line(message.content) for message in earlier]
        return "\n\n".join([*scenes, "\n".join([about, *said, line(question), ""])])


def prompt_of(style: Style, form: Form) -> StylePrompt:
    """Return a card's prompt with all examples that its form shows."""
    return StylePrompt(style, form, 0 if form == "card" else len(style.examples))


def forms_of(style: Style) -> list[StylePrompt]:
    """Return every form of a card's prompt; `shots` without examples would be `card` again."""
    return [prompt_of(style, form) for form in FORMS if form != "shots" or style.examples]


def instructions(style: Style) -> str:
    """Return all that a card says about the tone, as one system prompt."""
    parts = (style.traits, style.avoid, style.guardrails)
    told = [
        label.format(JOINERS[style.language].join(values))
        for label, values in zip(LABELS[style.language], parts, strict=True)
        if values
    ]
    return "\n".join([style.system_prompt, *told])


def line(text: str) -> str:
    """Return `text` on one line: in a script a line end is the end of a turn."""
    return " ".join(text.split())


async def ask_prompted(
    client: ChatClient,
    model: str,
    prompt: StylePrompt,
    earlier: Sequence[Message],
    question: str,
    sampling: Sampling,
) -> tuple[Answer, int]:
    """Return the answer under a style prompt, and how many examples fitted the context.

    Raises:
        PromptTooLongError: not even the prompt without examples fits.
        TonesmithError: the model does not answer.
    """
    while True:
        try:
            if prompt.form == TEXT:
                script = prompt.script(earlier, question)
                answer = await client.write_on(model, script, sampling)
            else:
                answer = await client.ask(model, prompt.messages(earlier, question), sampling)
        except PromptTooLongError:
            if not prompt.examples:
                raise
            prompt = prompt.fewer()
        else:
            return answer, prompt.examples
