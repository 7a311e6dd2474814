"""`tonesmith export` against the fake services, with real archives."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from fakes.exported import INT8, MERGED, OWN, TEMPLATE, Exported, tar_of
from fakes.tonesmith_services import MODEL, FakeServices, error, job

from .conftest import Call

ID = str(MODEL["id"])
Give = Callable[[Exported], Exported]


@pytest.fixture
def give(fake: FakeServices) -> Give:
    """Have the fake trainer give away a model."""

    def given(exported: Exported) -> Exported:
        def answer(form: str) -> httpx.Response:
            return httpx.Response(200, content=exported.tar(form))

        def start(request: httpx.Request) -> httpx.Response:
            form = json.loads(request.content)["form"]
            fake.jobs["/exports"] = job("export", "e-1", result={"export_id": f"{ID}-{form}"})
            path = f"GET /exports/{ID}-{form}/archive"
            fake.answers.setdefault(path, lambda _: answer(form))
            return httpx.Response(202, json=fake.jobs["/exports"])

        fake.answers[f"POST /models/{ID}/exports"] = start
        return exported

    return given


@pytest.mark.parametrize(("form", "files"), [("adapter", OWN), ("merged", MERGED), ("int8", INT8)])
def test_folder_holds_the_files_of_the_form(
    call: Call, give: Give, tmp_path: Path, form: str, files: dict[str, bytes]
) -> None:
    """Byte for byte, with the manifest; nothing else stays behind."""
    give(Exported())
    called = call("export", ID, "--form", form)
    assert called.code == 0, called.err
    folder = tmp_path / f"{ID}-{form}"
    assert {name: (folder / name).read_bytes() for name in files} == files
    assert {path.name for path in folder.iterdir()} == {*files, "manifest.json"}
    assert list(tmp_path.iterdir()) == [folder]
    assert "vllm serve" in called.err


def test_export_is_a_job_that_is_followed(call: Call, give: Give, fake: FakeServices) -> None:
    """The key makes it safe to ask twice; one that fails says why, and nothing is saved."""
    give(Exported())
    assert call("export", ID, "--form", "int8", "--key", "once").code == 0
    posted = [request for request in fake.requests if request.method == "POST"]
    assert posted[0].headers["Idempotency-Key"] == "once"
    failed = job("export", "e-1", "failed", error={"code": "c", "message": "no room"})
    fake.jobs["/exports"] = failed
    fake.answers[f"POST /models/{ID}/exports"] = lambda _: httpx.Response(202, json=failed)
    called = call("export", ID, "--form", "int8", "--to", "other")
    assert called.code == 1
    assert "no room" in called.err


def test_command_serves_what_was_saved(call: Call, give: Give, tmp_path: Path) -> None:
    """Merged weights alone; an adapter on its base, with room for its rank."""
    give(Exported())
    merged = call("export", ID, "--to", "out", "--json").json
    assert merged["serve"].startswith("vllm serve out --served-model-name tonesmith")
    (tmp_path / "models" / "starter").mkdir(parents=True)
    called = call(
        "export",
        ID,
        "--form",
        "adapter",
        "--to",
        "b",
        "--json",
        MODELS_DIR=str(tmp_path / "models"),
    )
    command = called.json["serve"]
    assert f"vllm serve {tmp_path}/models/starter --enable-lora --max-lora-rank 8" in command
    assert f"--lora-modules tonesmith=b --chat-template b/{TEMPLATE}" in command
    assert '{"enable_thinking": false}' in command


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"model.safetensors": b"other"}, "model.safetensors: 5 bytes"),
        ({"surprise.py": b"x"}, "surprise.py: not in the manifest"),
        ({"../up": b"x"}, "outside its folder"),
    ],
)
def test_archive_that_is_not_as_promised_is_not_kept(
    call: Call, give: Give, tmp_path: Path, changed: dict[str, bytes], told: str
) -> None:
    """Exit code 1, what is wrong, and no file anywhere."""
    give(Exported(changed=changed))
    called = call("export", ID)
    assert called.code == 1
    assert told in called.err
    assert list(tmp_path.iterdir()) == []


def test_export_without_a_manifest_is_not_kept(
    call: Call, give: Give, fake: FakeServices, tmp_path: Path
) -> None:
    """Nothing says what should be in it."""
    give(Exported())
    bare = httpx.Response(200, content=tar_of(INT8))
    fake.answers[f"GET /exports/{ID}-int8/archive"] = lambda _: bare
    assert "no manifest" in call("export", ID, "--form", "int8").err
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_there_is_never_written_to(
    call: Call, fake: FakeServices, tmp_path: Path
) -> None:
    """It is refused before anything is asked; an empty one may be filled."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    called = call("export", ID, "--to", "out")
    assert called.code == 2
    assert "--to" in called.err
    assert fake.requests == []


def test_empty_folder_is_filled(call: Call, give: Give, tmp_path: Path) -> None:
    """Somebody made room for it."""
    give(Exported())
    (tmp_path / "out").mkdir()
    assert call("export", ID, "--to", "out").code == 0
    assert (tmp_path / "out" / TEMPLATE).is_file()


def test_unknown_model_form_and_disk_are_told(
    call: Call, give: Give, fake: FakeServices, tmp_path: Path
) -> None:
    """Each names what is wrong."""
    give(Exported())
    assert "form" in call("export", ID, "--form", "gguf").err
    fake.answers["GET /models/other"] = lambda _: error(404, "not_found", "there is no model other")
    assert "there is no model other" in call("export", "other").err
    (tmp_path / "file").write_text("x")
    called = call("export", ID, "--to", "file/below")
    assert called.code == 1
    assert "cannot be written" in called.err
