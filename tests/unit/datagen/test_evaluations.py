"""Tests of the job "evaluation" and its routes, against a fake OpenAI server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.durable import digest_differences
from contracts.evaluation import EvaluationManifest
from contracts.job import JobState
from contracts.proof import Reason
from contracts.volume import Volume, read_document
from fakes.evaluation_jobs import PER_STYLE, REPLIES, report_of, run, server_of, submit
from fakes.openai_server import OpenAIServer
from fakes.styled_dataset import (
    STYLES,
    echoing_model,
    imported,
    led_model,
    plain_model,
    publish_dataset,
    samples,
    styled_model,
)
from kit.errors import InvalidInputError
from kit.jobs import JobStore

# Each style under the other name of its language.
SHUFFLED = dict(zip(STYLES, ["gentle", "tsundere", "pep-coach", "dry-butler"], strict=True))


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    """A volume with a generated dataset of four styles."""
    volume = Volume(tmp_path / "data")
    publish_dataset(volume, samples(14))
    return volume


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """An empty table of jobs."""
    store = JobStore(tmp_path / "state")
    yield store
    store.close()


async def test_styled_model_is_found_to_have_taken(volume: Volume, store: JobStore) -> None:
    """The tuned model speaks in the asked tone, the base does not; all of it is published."""
    submit(store)
    job = await run(store, volume, server_of(styled_model()))
    report = report_of(volume)
    assert job.state is JobState.DONE
    assert job.result["verdict"] == report.verdict == "took"
    tuned, base = report.contestants["tuned"], report.contestants["base"]
    assert tuned.accuracy >= 0.9
    assert base.accuracy <= 0.1
    assert base.forced_accuracy is not None
    assert 0.2 <= base.forced_accuracy <= 0.9  # a plain reply has to fall somewhere
    assert tuned.on_topic == base.on_topic == 1.0
    assert tuned.defects == {}
    assert [score.replies for score in report.styles] == [PER_STYLE] * 4
    assert report.difference is not None
    assert report.difference.interval.low > 0


async def test_tuned_ranks_over_prompted_over_base(volume: Volume, store: JobStore) -> None:
    """A base that a script leads, half the time, lies between the base and the tuned model."""
    submit(store, per_style=20, models=["noise"])
    models = {"base": led_model, "tonesmith": styled_model(), "noise": lambda _: "\ufffd\ufffd"}
    job = await run(store, volume, OpenAIServer(models))
    assert job.error is None
    report = report_of(volume)
    assert (report.verdict, report.reasons) == ("took", [])
    ranked = [(rank.place, rank.contestant) for rank in report.ranking]
    assert ranked[:2] == [(1, "tuned"), (2, "prompted")]
    assert {name for _, name in ranked[2:]} == {"base", "noise"}
    tuned, prompted, base, _ = (rank.strength.interval for rank in report.ranking)
    assert tuned.low > prompted.high > prompted.low > base.high
    assert {choice.form for choice in report.prompts} == {"text"}
    assert {drift.contestant for drift in report.drift} == {"base", "prompted", "tuned", "noise"}
    assert report.probe is not None
    assert report.probe.verdict == "cannot_tell"
    bits = {one.contestant: one.surprisal for one in report.figures if one.style == "gentle"}
    assert bits["noise"]
    assert bits["tuned"]
    assert bits["noise"].value > bits["tuned"].value + 4


async def test_broken_model_is_refused_with_its_reasons(volume: Volume, store: JobStore) -> None:
    """A spoiled adapter that says nothing but broken characters."""
    submit(store)
    await run(store, volume, server_of(lambda _: "\ufffd\ufffd"))
    report = report_of(volume)
    assert report.verdict == "not"
    assert {Reason.BELOW_BASE, Reason.BROKEN_REPLIES, Reason.OFF_TOPIC} <= set(report.reasons)


async def test_plain_evaluation_asks_no_more_than_it_did(volume: Volume, store: JobStore) -> None:
    """Without prompted, turns and probe there are base and tuned, as in older reports."""
    submit(store, prompted=False, turns=1, probe=False)
    server = server_of(styled_model())
    await run(store, volume, server)
    report = report_of(volume)
    assert len(server.requests) == 8 * PER_STYLE
    assert (report.verdict, set(report.contestants)) == ("took", {"base", "tuned"})
    assert (report.prompts, report.drift, report.probe) == ([], [], None)


async def test_server_that_takes_no_script_is_asked_in_chats(
    volume: Volume, store: JobStore
) -> None:
    """Without `/v1/completions` the form `text` is left out, and the report says so."""
    submit(store, turns=1, probe=False)
    server = OpenAIServer({"base": plain_model, "tonesmith": styled_model()}, scripts=False)
    job = await run(store, volume, server)
    report = report_of(volume)
    assert (job.error, job.progress.done) == (None, job.progress.total)
    assert {tuple(one.strengths) for one in report.prompts} == {("card", "shots")}
    assert {tuple(one.untried) for one in report.prompts} == {("text",)}
    page = (volume.evaluation("eval-1") / "report.html").read_text(encoding="utf-8")
    assert "a script outside the chat" in page


async def test_judge_that_is_not_there_is_a_clear_error(volume: Volume, store: JobStore) -> None:
    """Before anybody is asked, with the way out."""
    submit(store, judge=True)
    server = server_of(styled_model())
    job = await run(store, volume, server)
    assert job.error is not None
    assert (job.error.field, server.requests) == ("judge", [])


async def test_published_folder_describes_itself(volume: Volume, store: JobStore) -> None:
    """The manifest names every file with its digest, and nothing is left beside it."""
    submit(store)
    await run(store, volume, server_of(styled_model()))
    folder = volume.evaluation("eval-1")
    manifest = read_document(folder / "manifest.json", EvaluationManifest)
    assert sorted(manifest.files) == [
        "dialogues.jsonl",
        "probe.jsonl",
        "replies.jsonl",
        "report.html",
        "report.json",
        "selection.jsonl",
    ]
    assert digest_differences(folder, manifest.files) == []
    assert volume.published("evaluations") == ["eval-1"]
    assert [path.name for path in folder.parent.iterdir()] == ["eval-1"]


async def test_shuffled_labels_are_found_not_to_have_taken(volume: Volume, store: JobStore) -> None:
    """A model that learnt each style under another's name does not pass."""
    submit(store)
    await run(store, volume, server_of(styled_model(SHUFFLED)))
    report = report_of(volume)
    assert (report.verdict, report.reasons[-2:]) == (
        "not",
        [Reason.WRONG_STYLE, Reason.NO_BETTER_THAN_PROMPT],
    )
    assert report.contestants["tuned"].accuracy <= 0.1


async def test_random_tones_are_found_not_to_have_taken(volume: Volume, store: JobStore) -> None:
    """Speaking in just any tone is a gain over plain speech, but no proof of style."""
    random_tone = styled_model()

    def any_tone(messages: list[dict[str, str]]) -> str:
        asked = messages[0]["content"]
        own = next((s for s in STYLES.values() if s.system_prompt == asked), None)
        if own is None:  # the probe
            return plain_model(messages)
        other = STYLES[SHUFFLED[own.id]] if len(messages[-1]["content"]) % 2 else own
        system = {"role": "system", "content": other.system_prompt}
        return random_tone([system, *messages[1:]])

    submit(store, per_style=8)
    await run(store, volume, server_of(any_tone))
    report = report_of(volume)
    assert report.random_accuracy == 0.5
    assert report.difference is not None
    assert report.difference.interval.low > 0
    assert report.verdict == "not"


async def test_base_against_itself_gains_nothing(volume: Volume, store: JobStore) -> None:
    """No difference means no verdict in favour, however good the base is."""
    submit(store)
    await run(store, volume, OpenAIServer({"base": styled_model(), "tonesmith": styled_model()}))
    report = report_of(volume)
    assert report.verdict == "not"
    assert report.difference is not None
    assert report.difference.value == 0


async def test_echoing_model_is_flagged(volume: Volume, store: JobStore) -> None:
    """Every reply that gives the question back is counted as an echo."""
    submit(store)
    await run(store, volume, server_of(echoing_model))
    tuned = report_of(volume).contestants["tuned"]
    assert tuned.defects["echo"] == 4 * PER_STYLE
    assert tuned.on_topic == 0.0


async def test_import_is_judged_on_its_own_split(tmp_path: Path, store: JobStore) -> None:
    """Without situations the evaluation split is asked, and topic stays unknown."""
    volume = Volume(tmp_path / "data")
    publish_dataset(volume, imported(samples(14)))
    submit(store)
    await run(store, volume, server_of(styled_model()))
    report = report_of(volume)
    assert report.questions == "dataset"
    assert report.contestants["tuned"].on_topic is None


async def test_progress_counts_replies(volume: Volume, store: JobStore) -> None:
    """The last progress says that all replies are in."""
    submit(store)
    job = await run(store, volume, server_of(styled_model()))
    assert (job.progress.stage, job.progress.done, job.progress.total) == (
        "publish",
        REPLIES,
        REPLIES,
    )


async def test_unknown_model_fails_the_job_with_a_way_out(volume: Volume, store: JobStore) -> None:
    """The job's error names the model; nothing is published."""
    submit(store, tuned="missing")
    job = await run(store, volume, server_of(styled_model()))
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.code == InvalidInputError.code
    assert "missing" in job.error.message
    assert volume.published("evaluations") == []
