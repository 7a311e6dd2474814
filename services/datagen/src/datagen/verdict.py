"""From judged replies to the report: figures per style and contestant, and one verdict."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from contracts.evaluation import (
    ClassifierScore,
    ContestantScore,
    Difference,
    EvaluationReport,
    EvaluationRequest,
    Reply,
    StyleScore,
)
from datagen.scores import confusion, distinct_bigrams, paired_difference, share, wilson

Verdict = Literal["took", "partly", "not", "unclear"]
BASE, TUNED = "base", "tuned"
# Below this the judge itself mixes the styles up, and no figure of the models means much.
TRUSTED_JUDGE = 0.7
# A style "took" where four replies in five are recognised; less, but surely more than base: partly.
TOOK = 0.8


def score_replies(
    replies: Sequence[Reply],
    *,
    report_id: str,
    created_at: datetime,
    request: EvaluationRequest,
    classifier: ClassifierScore,
    questions: Literal["bank", "dataset"],
    conditioning: str,
    languages: Mapping[str, str],
) -> EvaluationReport:
    """Return the report on `replies`, which hold a pair (base, tuned) for every question.

    `languages` says which language each style speaks.
    """
    by_name = {name: of(replies, name) for name in (BASE, TUNED)}
    difference = paired_difference(marks(by_name[BASE]), marks(by_name[TUNED]), seed=request.seed)
    contestants = {name: contestant_score(rows) for name, rows in by_name.items()}
    tuned = by_name[TUNED]
    floor = random_accuracy({row.style: languages.get(row.style, "") for row in tuned})
    return EvaluationReport(
        id=report_id,
        created_at=created_at,
        request=request,
        styles=style_scores(replies),
        contestants=contestants,
        confusion=confusion((row.style for row in tuned), (row.predicted_style for row in tuned)),
        classifier_accuracy=classifier.accuracy,
        verdict=verdict(contestants[TUNED], difference, classifier, floor),
        difference=difference,
        questions=questions,
        conditioning=conditioning,
        random_accuracy=floor,
        classifier=classifier,
    )


def verdict(
    tuned: ContestantScore, difference: Difference, classifier: ClassifierScore, floor: float
) -> Verdict:
    """Return whether the style took.

    It needs a trusted judge, an interval of the gain above zero, and an interval of the accuracy
    above `floor`: speaking in just any style is a gain over plain speech, but no proof.
    """
    if classifier.heldout_rows and classifier.accuracy < TRUSTED_JUDGE:
        return "unclear"
    interval = tuned.accuracy_interval
    if difference.interval.low <= 0 or interval is None or interval.low <= floor:
        return "not"
    return "took" if tuned.accuracy >= TOOK else "partly"


def random_accuracy(languages: Mapping[str, str]) -> float:
    """Return the accuracy of a model that speaks in a random style of the right language.

    Where a language has one style only, there is none to mix it up with: that counts as 0.
    """
    sizes = Counter(languages.values())
    chances = [1 / sizes[language] for language in languages.values() if sizes[language] > 1]
    return sum(chances) / len(languages) if languages else 0.0


def style_scores(replies: Sequence[Reply]) -> list[StyleScore]:
    """Return the figures of each style, in the order in which they were asked."""
    by_style: dict[str, list[Reply]] = defaultdict(list)
    for reply in replies:
        by_style[reply.style].append(reply)
    return [style_score(style, rows) for style, rows in by_style.items()]


def style_score(style: str, replies: Sequence[Reply]) -> StyleScore:
    """Return the figures of one style."""
    base, tuned = of(replies, BASE), of(replies, TUNED)
    return StyleScore(
        id=style,
        replies=len(tuned),
        base_accuracy=share(marks(base)),
        tuned_accuracy=share(marks(tuned)),
        on_topic=on_topic(tuned),
        base_interval=wilson(sum(marks(base)), len(base)),
        tuned_interval=wilson(sum(marks(tuned)), len(tuned)),
        base_on_topic=on_topic(base),
        tuned_strength=mean(reply.strength for reply in tuned),
    )


def contestant_score(replies: Sequence[Reply]) -> ContestantScore:
    """Return the figures of one contestant."""
    hits = marks(replies)
    return ContestantScore(
        accuracy=share(hits),
        on_topic=on_topic(replies),
        distinct_2=distinct_bigrams(reply.reply for reply in replies),
        mean_characters=mean(len(reply.reply) for reply in replies),
        defects=dict(Counter(defect for reply in replies for defect in reply.defects)),
        model=replies[0].model if replies else "",
        replies=len(replies),
        accuracy_interval=wilson(sum(hits), len(hits)),
        strength=mean(reply.strength for reply in replies),
        forced_accuracy=share([reply.nearest_style == reply.style for reply in replies]),
    )


def of(replies: Sequence[Reply], contestant: str) -> list[Reply]:
    """Return the replies of one contestant, in their order."""
    return [reply for reply in replies if reply.contestant == contestant]


def marks(replies: Sequence[Reply]) -> list[bool]:
    """Return for each reply whether it was taken for the asked style."""
    return [reply.predicted_style == reply.style for reply in replies]


def on_topic(replies: Sequence[Reply]) -> float | None:
    """Return the share of replies with the advice of their situation; None without situations."""
    known = [reply.on_topic for reply in replies if reply.on_topic is not None]
    return share(known) if known else None


def mean(values: Iterable[float]) -> float:
    """Return the mean of `values`, 0 where there are none."""
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else 0.0
