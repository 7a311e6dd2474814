"""Clients that chat without pause while a test changes what is served."""

import re
import threading
from collections import Counter
from typing import Self

import httpx

from fakes.serving_process import ServingProcess, until


class ChatClients:
    """Two clients that ask for the alias without pause, one of them with streams."""

    def __init__(self, serving: ServingProcess) -> None:
        self.serving = serving
        self.answers: Counter[tuple[int, str]] = Counter()
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(way,)) for way in (False, True)]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def ask(self, stream: bool) -> None:
        """Ask again and again; an answer that breaks off counts as status 0."""
        while not self.stop.is_set():
            try:
                answer = self.serving.chat("tonesmith", stream=stream)
            except httpx.HTTPError as error:
                self.answers[0, type(error).__name__] += 1
                continue
            whole = not stream or answer.text.rstrip().endswith("[DONE]")
            model = re.search(r'"model": ?"([^"]+)"', answer.text)
            self.answers[answer.status_code if whole else 0, model[1] if model else ""] += 1

    def served_by(self, model: str, seconds: float) -> None:
        """Wait until both clients have had an answer of `model` from now on."""
        before = self.answers[200, model]
        until(lambda: self.answers[200, model] >= before + 4, seconds)
