"""Why serving does not serve something."""

from kit.errors import ConflictError, UnavailableError


class BaseModelError(ConflictError):
    """The base model cannot be served; the message names the file at fault."""

    code = "base_model_refused"


class AdapterError(ConflictError):
    """An adapter must not be served; the message shows what differs."""

    code = "adapter_refused"


class EngineError(UnavailableError):
    """vLLM does not answer as it should."""

    code = "engine_error"


class LeaseHeldError(ConflictError):
    """Somebody else has the GPU; the message names the holder."""

    code = "lease_held"
