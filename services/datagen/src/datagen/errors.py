"""Errors of datagen's own, below the tree of kit."""

from kit.errors import ConflictError, TonesmithError, UnavailableError


class TeacherDownError(UnavailableError):
    """The teacher has not answered for longer than the operator's patience."""

    code = "teacher_down"


class TeacherSetupError(ConflictError):
    """The teacher refuses us altogether: wrong key, model or address."""

    code = "teacher_setup"


class EmbeddingsSetupError(ConflictError):
    """The embeddings endpoint refuses us altogether, or answers with no vectors."""

    code = "embeddings_setup"


class BudgetSpentError(ConflictError):
    """The teacher has cost what it may cost."""

    code = "budget_spent"


class NothingAcceptedError(TonesmithError):
    """Not one row passed the gates, so there is nothing to publish."""

    status = 409
    code = "nothing_accepted"


class GateRefusedError(ConflictError):
    """A gate refuses what a person wrote; a person may overrule it."""

    code = "gate_refused"


class StyleChangedError(ConflictError):
    """Somebody stored a version of a style since its author began.

    Args:
        style_id: of the style.
        after: the version that the author began with.
        newest: the one there is.
    """

    code = "style_changed"

    def __init__(self, style_id: str, after: int, newest: int) -> None:
        super().__init__(
            f"{style_id}: the newest version is {newest}, not {after}",
            field="after",
            hint=f"look at version {newest}, then store yours with after={newest}",
        )
