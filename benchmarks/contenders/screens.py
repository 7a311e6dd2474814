"""Other libraries on the same texts: personal data and language.

    <python with them> benchmarks/contenders/screens.py < texts.json > verdicts.json

In: {"personal": [text, ...], "language": [text, ...]}. Out, for each library that is installed:
`personal`: the spans found in each text; `language`: the code of each text; and seconds a text.
"""

import importlib.util
import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any


def presidio(texts: list[str]) -> list[list[tuple[int, int]]]:
    """Return the spans of presidio's pattern recognisers; those that need no language model."""
    from presidio_analyzer import predefined_recognizers as known

    recognizers = [
        known.PhoneRecognizer(supported_regions=("CN", "US", "GB")),
        known.EmailRecognizer(),
        known.CreditCardRecognizer(),
        known.UsSsnRecognizer(),
        known.UsPassportRecognizer(),
    ]
    found = []
    for text in texts:
        results = [
            result
            for one in recognizers
            for result in one.analyze(text, one.supported_entities, None)
        ]
        found.append([(result.start, result.end) for result in results if result.score >= 0.4])
    return found


def langid(texts: list[str]) -> list[str]:
    """Return the codes of py3langid."""
    import py3langid

    return [py3langid.classify(text)[0] for text in texts]


def lingua(texts: list[str]) -> list[str]:
    """Return the codes of lingua; empty where it does not know."""
    from lingua import LanguageDetectorBuilder

    detector = LanguageDetectorBuilder.from_all_languages().build()
    found = map(detector.detect_language_of, texts)
    return [one.iso_code_639_1.name.lower() if one else "" for one in found]


Contender = Callable[[list[str]], list[Any]]
CONTENDERS: dict[str, tuple[str, str, Contender]] = {
    "presidio-analyzer": ("presidio_analyzer", "personal", presidio),
    "py3langid": ("py3langid", "language", langid),
    "lingua-language-detector": ("lingua", "language", lingua),
}


def main() -> None:
    """Judge the texts with every library that is here."""
    texts: dict[str, list[str]] = json.load(sys.stdin)
    verdicts = []
    for name, (module, what, judge) in CONTENDERS.items():
        if importlib.util.find_spec(module) is None:
            continue
        judge(texts[what][:1])  # loading is not what is timed
        started = time.perf_counter()
        found = judge(texts[what])
        seconds = (time.perf_counter() - started) / max(1, len(found))
        known = {"name": f"{name} {version(name)}", "what": what}
        verdicts.append(known | {"found": found, "seconds": seconds})
    json.dump(verdicts, sys.stdout)


if __name__ == "__main__":
    main()
