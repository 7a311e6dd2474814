"""datagen as the Prove tab sees it: the jobs that evaluate models, and votes."""

from typing import TYPE_CHECKING

from fastapi import FastAPI

from contracts.votes import Vote
from fakes.page_jobs import add_jobs

if TYPE_CHECKING:
    from fakes.stack import Stack


def add_prove(app: FastAPI, stack: "Stack") -> None:
    """Add what the tab asks."""
    add_jobs(app, "/evaluations", lambda: stack.evaluation_jobs)

    @app.post("/votes", status_code=201)
    def vote(told: Vote) -> Vote:
        stack.votes.append(told)
        return told
