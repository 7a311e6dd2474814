"""From votes to preference pairs, and to a version of a dataset that has them.

Of one question in one style: a correction beats the reply it corrects; a reply that people like
beats one that they dislike; a disliked one without a rival loses to the dataset's own reply. A
liked reply without any rival beats another style's, to the same question or the nearest one.

Two replies that were compared are a pair by themselves, the better one chosen, whoever made it; a
tie is none. Where people disagree the majority counts; a reply that was bad beside another bad one
counts as disliked.
"""

import hashlib
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from contracts.dataset import DatasetManifest
from contracts.sample import Sample, Turn
from contracts.style import StyleVersion
from contracts.volume import Volume
from contracts.votes import PairRequest, Rival, Vote
from datagen.board import encodable
from datagen.errors import NothingAcceptedError
from datagen.journals import REJECTED, SAMPLES, read_samples
from datagen.personal_data import mask
from datagen.preferences import Pair, Shelf, Shelved, find
from datagen.publish import Description, PairsWanted, publish_dataset
from datagen.regating import Screens
from datagen.review_publish import DEFAULT_SEED, ever_held
from datagen.split import questions_of, split_like
from datagen.storage import RETRY, full_volume_told
from datagen.text import control_token, letters
from datagen.versions import next_id, next_lineage, numbered, published
from datagen.votes import VoteStore
from kit.crisis import crisis_of

Place = tuple[str, ...]


@dataclass
class Opinion:
    """What people think of the replies to one question in one style."""

    scores: Counter[str] = field(default_factory=Counter)
    votes: dict[str, Vote] = field(default_factory=dict)
    corrections: list[Vote] = field(default_factory=list)
    duels: dict[tuple[str, str], tuple[Vote, Vote]] = field(default_factory=dict)
    balance: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, vote: Vote) -> None:
        """Count a vote; replies are the same where their letters are."""
        if vote.against:
            self.compare(vote, vote.against)
            return
        name = letters(vote.reply)
        self.scores[name] += vote.value
        self.votes.setdefault(name, vote)
        if vote.correction:
            self.corrections.append(vote)

    def compare(self, vote: Vote, rival: Rival) -> None:
        """Count a vote between two replies, from the side of the one that comes first."""
        other = swapped(vote, rival)
        if vote.both_bad:
            for worse in (vote, other):
                self.add(worse.model_copy(update={"value": -1, "against": None}))
            return
        first, second = sorted((vote, other), key=lambda one: letters(one.reply))
        key = letters(first.reply), letters(second.reply)
        self.duels.setdefault(key, (first, second))
        self.balance[key] += first.value

    def decided(self) -> Iterator[tuple[Vote, Vote]]:
        """Yield the better and the worse of every two replies of which more prefer one."""
        for key, (first, second) in self.duels.items():
            if self.balance[key]:
                yield (first, second) if self.balance[key] > 0 else (second, first)

    def side(self, sign: int) -> list[Vote]:
        """Return the liked (1) or disliked (-1) replies; where opinions cancel out, neither."""
        return [vote for name, vote in self.votes.items() if self.scores[name] * sign > 0]


def swapped(vote: Vote, rival: Rival) -> Vote:
    """Return the same comparison, told from the side of the other reply."""
    return vote.model_copy(
        update={
            "reply": rival.reply,
            "model": rival.model,
            "contestant": rival.contestant,
            "value": -vote.value,
            "against": Rival(reply=vote.reply, model=vote.model, contestant=vote.contestant),
        }
    )


def author_of(vote: Vote) -> str:
    """Return whose reply a vote is on: in an arena the contestant, and the model behind it."""
    return f"{vote.contestant}: {vote.model}" if vote.contestant else vote.model


def place_of(vote: Vote) -> Place:
    """Return what two votes must share to be about the same question."""
    before = [letters(text) for turn in vote.history for text in (turn.user, turn.assistant)]
    return (vote.style, letters(vote.question), *before)


class Feedback:
    """Makes pairs of votes.

    Args:
        samples: the dataset's rows: rivals where the votes have none.
        cards: its cards; votes on other styles are left alone.
        seed: of the draws.
        screens: tell a crisis: what is said there is no matter of taste.
        held: questions that are held out, in normal form: their rows stand against each other only.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        cards: dict[str, StyleVersion],
        seed: int,
        screens: Screens | None = None,
        held: frozenset[str] = frozenset(),
    ) -> None:
        self.screens: Screens = screens or {}
        self.cards = cards
        self.seed = seed
        self._shelves: dict[tuple[str, bool], Shelf] = defaultdict(Shelf)
        away = split_like(list(samples), held)[1]
        self.held = held.union(question for row in away for question in questions_of(row))
        for sample in samples:
            self.shelf(sample).add(Shelved(sample))

    def shelf(self, row: Sample) -> Shelf:
        """Return the rows of the language and of the split that a row is of."""
        return self._shelves[row.language, not self.held.isdisjoint(questions_of(row))]

    def pairs(self, votes: Iterable[Vote]) -> Iterator[Pair]:
        """Yield the pairs: corrections, comparisons, then in the order of the questions."""
        opinions: dict[Place, Opinion] = defaultdict(Opinion)
        for vote in votes:
            if vote.style in self.cards and self.is_fit(vote):
                opinions[place_of(vote)].add(vote)
        for opinion in opinions.values():
            for vote in opinion.corrections:
                better = self.row(vote, vote.correction or "")
                yield Pair(better, self.row(vote, vote.reply), "question", "votes")
        for opinion in opinions.values():
            for best, worst in opinion.decided():
                better, worse = self.row(best, best.reply), self.row(worst, worst.reply)
                yield Pair(better, worse, "question", "votes")
        for opinion in opinions.values():
            yield from self.ranked(opinion)

    def ranked(self, opinion: Opinion) -> Iterator[Pair]:
        """Yield the pairs of liked and disliked replies to one question."""
        liked = [self.row(vote, vote.reply) for vote in opinion.side(1)]
        disliked = [self.row(vote, vote.reply) for vote in opinion.side(-1)]
        if not liked and not opinion.corrections:
            liked = [row for worse in disliked[:1] for row in self.own_replies(worse)]
        for better in liked:
            for worse in disliked:
                yield Pair(better, worse, "question", "votes")
        if not disliked:
            for better in liked:
                if pair := self.against_another(better):
                    yield pair

    def own_replies(self, row: Sample) -> list[Sample]:
        """Return the dataset's replies to the same question in the same style."""
        key = (row.style, letters(row.question))
        every = self.shelf(row).questions.get(key, [])
        return [one.row for one in every if one.row.history == row.history]

    def against_another(self, better: Sample) -> Pair | None:
        """Return a pair of a liked reply and another style's, or None."""
        digest = hashlib.sha256(f"{self.seed}/{better.slot}".encode()).digest()
        pair = find(Shelved(better), self.shelf(better), random.Random(digest))
        return Pair(better, pair.rejected, pair.match, "votes") if pair else None

    def row(self, vote: Vote, reply: str) -> Sample:
        """Return a reply of the chat as a row."""
        card = self.cards[vote.style]

        def plain(text: str) -> str:  # chats hold names and numbers; a dataset must not
            return encodable(mask(text, card.style.language)[0])

        name = hashlib.sha256(f"{place_of(vote)}/{letters(reply)}".encode()).hexdigest()[:12]
        return Sample(
            id=f"vote-{name}",
            slot=f"vote/{name}",
            style=vote.style,
            style_version=card.version,
            language=card.style.language,
            question=plain(vote.question),
            reply=plain(reply),
            system=card.style.system_prompt,
            history=[
                Turn(user=plain(turn.user), assistant=plain(turn.assistant))
                for turn in vote.history
            ],
            teacher=author_of(vote),
        )

    def is_fit(self, vote: Vote) -> bool:
        """Return whether a vote may be learnt from.

        Not where a text would break out of a chat template, a person tells of a crisis, or a reply
        tells one to harm themselves.
        """
        said = [vote.question, *(turn.user for turn in vote.history)]
        rival = vote.against.reply if vote.against else ""
        earlier = (turn.assistant for turn in vote.history)
        replies = [vote.reply, vote.correction or "", rival, *earlier]
        if any(control_token(text) for text in (*said, *replies)):
            return False
        if crisis_of(self.screens, self.cards[vote.style].style.language, said):
            return False
        screens = self.screens.values()
        return not any(screen.incites(text) for screen in screens for text in replies)


@numbered
def publish_pairs(
    volume: Volume, store: VoteStore, request: PairRequest, screens: Screens | None = None
) -> DatasetManifest:
    """Publish a new version of a dataset: its rows and split, with pairs from the asked sources.

    Raises:
        NotFoundError: there is no such dataset.
        NothingAcceptedError: there is no pair.
        StorageFullError: the volume is full; nothing stays.
    """
    parent = published(volume, request.dataset_id)
    folder = volume.dataset(parent.id)
    samples = sorted(read_samples(folder), key=lambda sample: sample.slot)
    cards = {version.style.id: version for version in parent.styles}
    votes = store.every(sorted(cards)) if "votes" in request.sources else []
    given = parent.request.get("seed", DEFAULT_SEED)
    seed = given if isinstance(given, int) else DEFAULT_SEED
    held = ever_held(volume, parent.id)
    extra = tuple(Feedback(samples, cards, seed, screens, held).pairs(votes))
    description = Description(
        source="paired",
        status=parent.status,
        conditioning=parent.conditioning,
        eval_ratio=0.0,
        seed=seed,
        styles=parent.styles,
        counts=parent.counts,
        request=request.model_dump(mode="json") | {"seed": seed},
        teacher=parent.teacher,
        lineage=next_lineage(volume, parent),
        held=held,
        pairs_wanted=PairsWanted(
            sources=frozenset(request.sources),
            extra=extra,
            same_question=request.same_question,
            votes=len(votes),
            needed=True,
        ),
    )
    return publish_with_pairs(volume, parent, samples, description, request.name)


def publish_with_pairs(
    volume: Volume,
    parent: DatasetManifest,
    samples: list[Sample],
    description: Description,
    name: str | None,
) -> DatasetManifest:
    """Publish the version. On an error nothing stays."""
    made = next_id(parent, name)
    target = volume.dataset(made)
    staging = volume.staging(target)
    source = volume.dataset(parent.id)
    with full_volume_told(RETRY):
        try:
            for journal in (SAMPLES, REJECTED):
                if (source / journal).exists():
                    shutil.copyfile(source / journal, staging / journal)
            return publish_dataset(volume, made, samples, description)
        except (NothingAcceptedError, OSError):
            volume.discard(target)
            raise
