"""Tests of the shared volume: paths, staging and typed documents."""

import json
from pathlib import Path

import pytest

from contracts.artefact import CurrentModel, ServedVersion
from contracts.errors import ErrorBody
from contracts.identity import now
from contracts.volume import Volume, read_document, write_document

BAD_NAMES = [
    "../up",
    "a/b",
    "",
    ".",
    "..",
    ".hidden",
    "UPPER",
    "a..b",
    "x" * 65,
    "a\n",
    "con",
    "nul.x",
]


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    """An empty volume."""
    return Volume(tmp_path)


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("kind", ["style", "dataset", "evaluation", "run", "model"])
def test_no_name_leads_out_of_its_folder(volume: Volume, kind: str, name: str) -> None:
    """A name that is no plain folder name is refused before it becomes a path."""
    with pytest.raises(ValueError, match="must match"):
        getattr(volume, kind)(name)


def test_artefact_exists_when_its_manifest_does(volume: Volume) -> None:
    """Staged work is not listed; the published folder is, with everything in it."""
    target = volume.dataset("d-1")
    (volume.staging(target) / "rows.jsonl").write_text("{}\n")
    assert volume.published("datasets") == []
    volume.publish(target, ErrorBody(code="a", message="b"))
    assert volume.published("datasets") == ["d-1"]
    assert sorted(path.name for path in target.iterdir()) == ["manifest.json", "rows.jsonl"]


def test_folder_without_manifest_is_not_listed(volume: Volume) -> None:
    """A half-copied folder does not count, nor does a file beside the folders."""
    (volume.root / "models" / "half").mkdir(parents=True)
    (volume.root / "models" / "current.json").write_text("{}")
    assert volume.published("models") == []
    assert volume.published("nothing") == []


def test_staging_is_kept_for_resume_until_discarded(volume: Volume) -> None:
    """What a killed job prepared is found again; discarding throws it away."""
    target = volume.model("m-1")
    (volume.staging(target) / "weights").write_text("w")
    assert (volume.staging(target) / "weights").read_text() == "w"
    volume.discard(target)
    assert list(volume.staging(target).iterdir()) == []


def current() -> CurrentModel:
    """Return a document with one version behind an alias."""
    version = ServedVersion(name="tonesmith", version=3, model_id="m-1")
    return CurrentModel(
        generation=4, base="starter", versions=[version], aliases={"tonesmith": 3}, updated_at=now()
    )


def test_current_model_is_none_before_the_first(volume: Volume) -> None:
    """No file is no error; a written one comes back equal."""
    assert volume.current_model() is None
    write_document(volume.current_path, current())
    found = volume.current_model()
    assert found is not None
    assert found.versions[0].served_name == "tonesmith.v3"
    assert found.generation == 4


@pytest.mark.parametrize("content", ["", "{", "[]", '{"generation": "many"}'])
def test_bad_document_is_refused_with_its_path(volume: Volume, content: str) -> None:
    """The message names the file, so that somebody can mend it."""
    volume.current_path.parent.mkdir(parents=True)
    volume.current_path.write_text(content)
    with pytest.raises(ValueError, match=r"models/current\.json"):
        volume.current_model()


def test_newer_document_is_refused_with_its_path(volume: Volume) -> None:
    """A file of a newer Tonesmith is not half understood."""
    newer = current().model_dump(mode="json") | {"schema_version": 2}
    volume.current_path.parent.mkdir(parents=True)
    volume.current_path.write_text(json.dumps(newer))
    with pytest.raises(ValueError, match=r"(?s)current\.json.*upgrade Tonesmith"):
        volume.current_model()


def test_missing_documents_are_file_not_found(volume: Volume) -> None:
    """The caller can tell "not there" from "broken"."""
    for read in (volume.dataset_manifest, volume.run_record, volume.model_manifest):
        with pytest.raises(FileNotFoundError):
            read("none")


def test_document_is_written_for_people_to_read(tmp_path: Path) -> None:
    """Indented, with a final newline, Chinese as Chinese."""
    path = tmp_path / "x.json"
    write_document(path, ErrorBody(code="a", message="傲娇"))
    assert '\n  "message": "傲娇",\n' in path.read_text(encoding="utf-8")
    assert path.read_text(encoding="utf-8").endswith("}\n")
    assert read_document(path, ErrorBody).message == "傲娇"
