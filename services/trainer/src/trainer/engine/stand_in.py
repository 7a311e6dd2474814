"""Stand-ins for libraries that LLaMA-Factory imports and text training never calls.

The torchaudio of the package index is linked against CUDA and cannot be loaded beside a CPU torch,
so the environment leaves it out and an empty module takes its place.
"""

import importlib.machinery
import importlib.util
import sys
import types


def register(name: str = "torchaudio") -> None:
    """Make `import <name>` give an empty module, unless the real one is installed.

    It needs a `__spec__`: transformers asks `importlib.util.find_spec` whether it is there.
    """
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        return
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    sys.modules[name] = module
