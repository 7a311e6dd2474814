"""What a run's engine wrote, a bounded piece at a time: for people who look at a run."""

from contracts.run import RunOutput
from trainer.runfolder import RunFolder

PIECE_BYTES = 32_768


def read_output(folder: RunFolder, start: int | None) -> RunOutput:
    """Return a piece of the engine's log; nothing before it has one.

    Args:
        folder: of the run.
        start: the byte at which the piece begins; None: the last piece, from a whole line on.
    """
    if not folder.log.is_file():
        return RunOutput()
    size = folder.log.stat().st_size
    begin = max(0, size - PIECE_BYTES) if start is None else min(start, size)
    with folder.log.open("rb") as file:
        file.seek(begin)
        piece = file.read(PIECE_BYTES)
    if start is None and begin:
        cut = piece.find(b"\n") + 1
        begin, piece = begin + cut, piece[cut:]
    # The data folder's path is the operator's business, as in `endings.engine_error`.
    words = piece.decode("utf-8", errors="replace")
    text = words.replace(str(folder.volume.root.resolve()), "$DATA_DIR")
    return RunOutput(text=text, start=begin, end=begin + len(piece), size=size)
