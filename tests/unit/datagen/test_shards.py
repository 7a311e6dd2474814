"""Tests of shards: their names, their shares, the plan they have in common, what a merge needs."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.dataset import Counts, DatasetRequest
from contracts.question_set import QuestionImport
from contracts.volume import Volume, write_document
from datagen.config import Settings
from datagen.generate import PLAN, Plan
from datagen.library import StyleLibrary
from datagen.makings import open_makings
from datagen.merging import merge
from datagen.metrics import Metrics
from datagen.question_import import import_questions
from datagen.roster import TeacherSpec
from datagen.shard import main
from datagen.shard_teachers import divided, open_rest, open_share, spent
from datagen.shards import (
    DONE,
    Done,
    Shard,
    finished_shards,
    held,
    journal_folders,
    pinned,
    shared_plan,
)
from kit.errors import ConflictError, InvalidInputError, NotFoundError

REQUEST = DatasetRequest(styles=["gentle"], per_style=3)


@pytest.fixture
def library(volume: Volume, shipped: Path) -> StyleLibrary:
    """A library with the shipped cards."""
    library = StyleLibrary(volume)
    library.install(shipped / "styles")
    return library


@given(count=st.integers(1, 40), size=st.integers(0, 200))
def test_shards_have_every_slot_once(count: int, size: int) -> None:
    """And their sizes differ by one at most."""
    shares = [Shard(number + 1, count).share(range(size)) for number in range(count)]
    assert sorted(slot for share in shares for slot in share) == list(range(size))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("text", ["", "0/4", "5/4", "4", "1/0", "1/4/2", "-1/4", "a/b", "1/2000"])
def test_name_of_no_shard_is_refused(text: str) -> None:
    """The message shows how one is named."""
    with pytest.raises(InvalidInputError) as error:
        Shard.parse(text)
    assert error.value.body.field == "shard"


def test_pod_of_an_indexed_job_has_its_shard() -> None:
    """Its index counts from 0."""
    environ = {"JOB_COMPLETION_INDEX": "3", "JOB_COMPLETIONS": "4"}
    assert Shard.of_job(environ) == Shard.parse("4/4")
    for missing in environ:
        with pytest.raises(InvalidInputError):
            Shard.of_job({name: environ[name] for name in environ if name != missing})


def test_first_shard_pins_the_plan_for_all(tmp_path: Path, library: StyleLibrary) -> None:
    """A card that is edited later changes nothing; another request or number is refused."""
    first = pinned(tmp_path, REQUEST, 4, library)
    card = library.get("gentle").style
    library.put(card.model_copy(update={"system_prompt": card.system_prompt + " Be brief."}))
    assert pinned(tmp_path, REQUEST, 4, library) == first == shared_plan(tmp_path)
    with pytest.raises(ConflictError, match="parted into 4 shards, not 5"):
        pinned(tmp_path, REQUEST, 5, library)
    with pytest.raises(ConflictError, match="per_style, seed differ"):
        pinned(tmp_path, REQUEST.model_copy(update={"seed": 9, "per_style": 4}), 4, library)


def test_plan_of_a_service_job_is_none_of_shards(tmp_path: Path) -> None:
    """A merge cannot take the folder of a running job for its own."""
    with pytest.raises(NotFoundError):
        shared_plan(tmp_path)
    write_document(tmp_path / PLAN, Plan(request=REQUEST, styles=[]))
    with pytest.raises(ConflictError, match="none of shards"):
        shared_plan(tmp_path)


def test_merge_names_the_shards_that_are_missing(tmp_path: Path) -> None:
    """Started or not, and those whose document is another shard's."""
    for shard, said in ((Shard(1, 4), "1/4"), (Shard(3, 4), "2/4")):
        write_document(shard.folder(tmp_path) / DONE, Done(shard=said, counts=Counts()))
    Shard(2, 4).folder(tmp_path).mkdir()
    with pytest.raises(ConflictError) as error:
        finished_shards(tmp_path, 4)
    said = error.value.body.message
    assert said == (
        "3 of 4 shards are not finished: 2/4 (unfinished), 3/4 (holds 2/4), 4/4 (missing)"
    )


def test_shard_that_is_being_filled_is_not_filled_twice(tmp_path: Path) -> None:
    """The lock is free again when its holder is through."""
    lock = tmp_path / "lock"
    with held(lock, "first"), pytest.raises(ConflictError, match="taken"), held(lock, "taken"):
        pass
    with held(lock, "taken"):
        pass


def test_merge_of_nothing_says_so(settings: Settings) -> None:
    """A mistyped id makes no folder."""
    with pytest.raises(NotFoundError):
        asyncio.run(merge(settings, "nothing"))
    assert not settings.data_dir.exists()


@pytest.mark.usefixtures("logs_as_before")
@pytest.mark.parametrize(
    ("request_text", "arguments", "said"),
    [
        ('{"per_style": 0}', ["--shard", "1/2"], "per_style"),
        ("[", ["--shard", "1/2"], "request"),
        ("{}", ["--shard", "3/2"], "shard"),
        ("{}", [], "JOB_COMPLETION_INDEX"),
        ("{}", ["--shard", "1/2", "--dataset", "../up"], "dataset"),
    ],
)
def test_arguments_that_cannot_be_used_end_with_2(
    tmp_path: Path,
    request_text: str,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The message names the field, and nothing is written."""
    path = tmp_path / "request.json"
    path.write_text(request_text)
    environ = {"DATA_DIR": str(tmp_path / "data")}
    assert main(["--dataset", "made", "--request", str(path), *arguments], environ) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("logs_as_before")
@pytest.mark.parametrize(
    ("request_text", "environ", "said"),
    [
        ('{"styles": ["nobody"]}', {}, "there is no style 'nobody'"),
        ('{"questions": "nothing"}', {}, "there is no question set 'nothing'"),
        ('{"styles": ["dry-butler"], "questions": "QUESTIONS"}', {}, "no training question in en"),
        ("{}", {"DATAGEN_TEACHERS_FILE": "/nowhere/teachers.yaml"}, "teachers.yaml"),
    ],
)
def test_request_that_no_generation_could_fill_ends_with_2(
    settings: Settings,
    volume: Volume,
    request_text: str,
    environ: dict[str, str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """To start it again would not help; no request is pinned that has to be corrected."""
    makings = open_makings(settings)
    options = QuestionImport(name="chinese", form="txt")
    made = import_questions(
        volume, "今天的会议又拖了很久。\n我的猫不吃饭了。".encode(), options, makings.banks, {}
    )
    path = tmp_path / "request.json"
    path.write_text(request_text.replace("QUESTIONS", made.id))
    arguments = ["--dataset", "made", "--request", str(path), "--shard", "1/2"]
    assert main(arguments, environ | {"DATA_DIR": str(volume.root)}) == 2
    assert said in capsys.readouterr().err
    begun = (volume.root / "datasets" / ".tmp-made").exists()
    assert begun == bool(environ)  # settings are no part of a plan


@pytest.mark.usefixtures("logs_as_before")
def test_shard_of_a_dataset_that_is_another_job_leaves_no_trace_in_it(
    volume: Volume, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder of shards would hide the rows that the job has so far."""
    staging = volume.staging(volume.dataset("made"))
    write_document(staging / PLAN, Plan(request=REQUEST, styles=[]))
    path = tmp_path / "request.json"
    path.write_text(REQUEST.model_dump_json())
    arguments = ["--dataset", "made", "--request", str(path), "--shard", "1/2"]
    assert main(arguments, {"DATA_DIR": str(volume.root)}) == 1
    assert "none of shards" in capsys.readouterr().err
    assert journal_folders(staging) == [staging]


def test_limits_a_minute_and_the_budget_are_parted(
    settings: Settings, library: StyleLibrary, tmp_path: Path
) -> None:
    """Four shards have a quarter each; the merge has what they left."""
    spec = TeacherSpec(model="m", requests_per_minute=60, concurrency=8)
    assert divided(spec, 4) == spec.model_copy(update={"requests_per_minute": 15.0})
    paid = settings.model_copy(
        update={
            "teacher_input_dollars": 1.0,
            "teacher_output_dollars": 1.0,
            "budget_dollars": 2.0,
        }
    )
    banks = open_makings(settings).banks
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        teacher = open_share(paid, Metrics(), folder, library, banks, 4)
        assert teacher.budget_left == 0.5
    (folders[0] / "spent.json").write_text('{"spent": {"scripted": 0.4}, "in_doubt": 0.05}')
    assert spent(folders) == pytest.approx(0.45)
    rest = open_rest(paid, Metrics(), tmp_path / "rest", library, banks, folders)
    assert rest.budget_left == pytest.approx(1.55)
