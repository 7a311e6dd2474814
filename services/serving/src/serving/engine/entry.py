"""Start vLLM's OpenAI server: `python -m serving.engine.entry <vLLM's own options>`.

Two reasons not to start vLLM's module itself. Its processes must not outlive their parent, also
after `kill -9`: a forgotten one keeps the port and the memory. And its engine process imports the
main module again: this one costs nothing, the API server costs 5 s.
"""

import ctypes
import signal

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the thread that started it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Run the server until it is told to stop; the options come from `sys.argv`."""
    # Only the engine's environment has vLLM.
    from vllm.entrypoints.launchers.api_server.entry import (
        main as serve,
    )

    serve()


if __name__ in ("__main__", "__mp_main__"):  # the second: in the engine process
    die_with_parent()
if __name__ == "__main__":
    main()
