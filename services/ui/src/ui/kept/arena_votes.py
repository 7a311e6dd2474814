"""Votes of the arena: kept with who has seen which pair, and put into the outbox for datagen.

Both in one transaction: a vote that is counted here is on its way, also while datagen is down, and
what a person voted on is not shown to them again.
"""

import sqlite3
from contextlib import suppress

from contracts.identity import now
from ui.kept.ballots import Ballots, enqueue
from ui.kept.state import State
from ui.proof.arena import Outcome, Past, Seated, past_of, vote_of

COLUMNS = "pair, style, first, second, outcome, left_seat AS left"


class ArenaVotes:
    """Takes the votes of the arena.

    Args:
        state: the page's state.
        ballots: knows under which id datagen knows a person.
    """

    def __init__(self, state: State, ballots: Ballots) -> None:
        self.state = state
        self.ballots = ballots

    def cast(self, user: str, seated: Seated, outcome: Outcome) -> bool:
        """Note a vote; return whether it is new. A second one on the same pair changes nothing."""
        vote = vote_of(seated, outcome, self.ballots.opaque(user))
        kept = past_of(seated, outcome)
        row = (kept.pair, kept.style, kept.first, kept.second, kept.outcome, kept.left)
        with suppress(sqlite3.IntegrityError), self.state.write() as database:
            database.execute(
                "INSERT INTO arena (user, evaluation, at, pair, style, first, second, outcome, "
                "left_seat) VALUES (?,?,?,?,?,?,?,?,?)",
                (user, seated.duel.evaluation, now().isoformat(), *row),
            )
            enqueue(database, user, vote)
            return True
        return False

    def past(self, user: str, evaluation: str) -> list[Past]:
        """Return what a person voted on, in that order."""
        return self._read("user = ? AND evaluation = ?", [user, evaluation])

    def everybody(self, evaluation: str) -> list[Past]:
        """Return all votes on an evaluation, of everybody."""
        return self._read("evaluation = ?", [evaluation])

    def on_their_way(self, user: str) -> int:
        """Return how many votes of a person datagen has not got yet."""
        if not self.state.present:
            return 0
        rows = self.state.read(
            "SELECT count(*) AS count FROM outbox WHERE user = ? AND refused = ''", [user]
        )
        return int(rows[0]["count"])

    def forget(self, user: str) -> None:
        """Remove all that a person voted on here."""
        with self.state.write() as database:
            database.execute("DELETE FROM arena WHERE user = ?", (user,))

    def _read(self, where: str, values: list[str]) -> list[Past]:
        if not self.state.present:
            return []
        rows = self.state.read(
            f"SELECT {COLUMNS} FROM arena WHERE {where} ORDER BY at, pair", values
        )
        return [Past(**dict(row)) for row in rows]
