"""From judged replies to the report: figures per style and contestant, and one verdict."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from contracts.evaluation import (
    ClassifierScore,
    ContestantScore,
    EvaluationReport,
    EvaluationRequest,
    Reply,
    StyleScore,
)
from contracts.proof import Drift, ForgettingProbe, JudgedPairs, PromptChoice
from datagen.classifier import PLAIN
from datagen.contestants import BASE as BASE
from datagen.contestants import TUNED as TUNED
from datagen.drift import drifts
from datagen.proof_figures import all_figures, differences, paired, ranking
from datagen.reasons import Evidence, reasons_of, verdict_of
from datagen.scores import (
    confusion,
    distinct_bigrams,
    distinct_characters,
    paired_difference,
    share,
    wilson,
)
from datagen.surprisal import Trigrams


@dataclass(frozen=True)
class Proof:
    """What was found besides the replies to single questions.

    Attributes:
        dialogues: replies of the later turns of conversations.
        prompts: how the prompted base was prompted.
        probe: what was forgotten.
        judged: what a language model preferred.
        natural: the yardstick of naturalness for each style.
        natural_surprisal: bits a character of held-out rows, by language.
    """

    dialogues: Sequence[Reply] = ()
    prompts: Sequence[PromptChoice] = ()
    probe: ForgettingProbe | None = None
    judged: JudgedPairs | None = None
    natural: Mapping[str, Trigrams] = field(default_factory=dict)
    natural_surprisal: Mapping[str, float] = field(default_factory=dict)


NOTHING_MORE = Proof()


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
    proof: Proof = NOTHING_MORE,
) -> EvaluationReport:
    """Return the report on `replies`, which hold base and tuned, at least, for every question.

    `languages` says which language each style speaks.
    """
    tuned = of(replies, TUNED)
    floor = random_accuracy({row.style: languages.get(row.style, "") for row in tuned})
    names = dict.fromkeys(reply.contestant for reply in replies)
    report = EvaluationReport(
        id=report_id,
        created_at=created_at,
        request=request,
        styles=style_scores(replies),
        contestants={name: contestant_score(of(replies, name)) for name in names},
        confusion=confusion((row.style for row in tuned), (row.predicted_style for row in tuned)),
        classifier_accuracy=classifier.accuracy,
        questions=questions,
        conditioning=conditioning,
        random_accuracy=floor,
        classifier=classifier,
        prompts=list(proof.prompts),
        probe=proof.probe,
        judged=proof.judged,
        natural_surprisal=dict(proof.natural_surprisal),
    )
    return proven(report, replies, proof, classifier)


def proven(
    report: EvaluationReport, replies: Sequence[Reply], proof: Proof, classifier: ClassifierScore
) -> EvaluationReport:
    """Return `report` with its figures, the ranking, and the verdict with its reasons."""
    seed = report.request.seed
    figures = all_figures(replies, proof.natural, seed)
    pairs = differences(replies, seed)
    drift = drifts([*replies, *proof.dialogues], seed) if proof.dialogues else []
    base, tuned = of(replies, BASE), of(replies, TUNED)
    difference = paired_difference(marks(base), marks(tuned), seed=seed)
    found = Evidence(
        classifier=classifier,
        tuned=report.contestants[TUNED],
        difference=difference,
        floor=report.random_accuracy,
        astray=share([row.predicted_style not in ("", PLAIN, row.style) for row in tuned]),
        sound=next(one.defect_free for one in figures if one.contestant == TUNED),
        pairs=pairs,
        sound_gain=paired(replies, TUNED, BASE, "sound", seed),
        topic_gain=paired(replies, TUNED, BASE, "on_topic", seed),
        drift=drift_of(drift, TUNED),
        probe=proof.probe,
    )
    reasons = reasons_of(found)
    return report.model_copy(
        update={
            "verdict": verdict_of(found, reasons),
            "reasons": reasons,
            "difference": difference,
            "figures": figures,
            "pairs": pairs,
            "ranking": ranking(figures, pairs),
            "drift": drift,
        }
    )


def drift_of(drifts: Sequence[Drift], contestant: str) -> Drift | None:
    """Return the drift of one contestant, if it held conversations."""
    return next((one for one in drifts if one.contestant == contestant), None)


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
        distinct_1=distinct_characters(reply.reply for reply in replies),
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
