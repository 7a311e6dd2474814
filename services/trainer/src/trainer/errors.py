"""Errors of the trainer's own, below the tree of kit."""

from kit.errors import ConflictError, TonesmithError, UnavailableError


class EngineFailedError(TonesmithError):
    """The engine stopped with an error of its own; its log has the rest."""

    code = "engine_failed"


class OutOfMemoryError(EngineFailedError):
    """The model and its batch do not fit."""

    code = "out_of_memory"


class EngineMissingError(UnavailableError):
    """There is no engine environment to train with."""

    code = "engine_missing"


class NoLeaseError(UnavailableError):
    """Serving did not lend the GPU in time."""

    code = "no_lease"


class LeaseLostError(ConflictError):
    """Serving has lent the GPU to somebody else while this run used it."""

    code = "lease_lost"


class GateRefusedError(ConflictError):
    """The parity gate found a difference; the message shows it."""

    code = "gate_refused"
