"""datagen as the Data tab sees it: the jobs that make datasets."""

from typing import TYPE_CHECKING

from fastapi import FastAPI

from fakes.page_jobs import add_jobs

if TYPE_CHECKING:
    from fakes.stack import Stack


def add_data(app: FastAPI, stack: "Stack") -> None:
    """Add what the tab asks."""
    add_jobs(app, "/datasets", lambda: stack.dataset_jobs)
