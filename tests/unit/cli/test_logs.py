"""Following the logs of local processes."""

from pathlib import Path

from tonesmith.stack.logs import Tail, follow


def test_lines_are_told_once_they_are_whole(tmp_path: Path) -> None:
    """What was there before is not repeated; half a line waits for its end."""
    path = tmp_path / "x.log"
    path.write_text("before\n")
    tail = Tail(path)
    assert tail.lines() == []
    with path.open("a") as file:
        file.write("one\ntw")
        file.flush()
        assert tail.lines() == ["one"]
        file.write("o\n")
    assert tail.lines() == ["two"]


def test_log_that_starts_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    """supervisord moves a log away when it has grown too large."""
    path = tmp_path / "x.log"
    path.write_text("a long line before\n")
    tail = Tail(path)
    path.write_text("new\n")
    assert tail.lines() == ["new"]
    path.unlink()
    assert tail.lines() == []


def test_every_log_is_followed_until_it_is_enough(tmp_path: Path) -> None:
    """Each line comes with the name of its program."""
    files = {name: tmp_path / f"{name}.log" for name in ("a", "b")}
    for path in files.values():
        path.touch()
    rounds = iter([True, True, False])
    heard: list[tuple[str, str]] = []

    def going_on() -> bool:
        files["b"].write_text("hello\n")
        return next(rounds)

    follow(files, lambda name, line: heard.append((name, line)), going_on)
    assert heard == [("b", "hello")]
