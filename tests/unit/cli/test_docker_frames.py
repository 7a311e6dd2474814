"""Frames of the relay: what two programs that share no memory agree on."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonesmith.docker.relay import END, frame, frames


@given(st.lists(st.binary(max_size=50)), st.integers(1, 7))
def test_frames_survive_any_cutting(payloads: list[bytes], at_most: int) -> None:
    """Whatever the sizes in which the bytes arrive."""
    stream = io.BytesIO(b"".join(map(frame, payloads)))
    assert list(frames(lambda count: stream.read(min(count, at_most)))) == payloads


@pytest.mark.parametrize("lost", range(1, 8))
def test_frame_that_is_cut_short_is_not_taken_for_the_end(lost: int) -> None:
    """An empty frame means "no more"; half a frame means that the other side is gone."""
    content = frame(b"one") + frame(b"two")
    assert list(frames(io.BytesIO(content[:-lost]).read)) == [b"one"]
    assert list(frames(io.BytesIO(frame(END)).read)) == [b""]
