"""Machine code of a compiled function only once somebody asks for its address.

Numba makes machine code of everything that it compiles: of each function that only other kernels
call, and of its own for arrays and ranges. Their callers take in the intermediate code and make
machine code of it again, so that nobody runs the first. That was a seventh of compiling.

It wraps private methods of the release of numba that is pinned; in another one nothing is changed.
"""

from __future__ import annotations

from typing import Any, Final

import numba
from numba.core import codegen, environment

_WRITTEN_FOR: Final = "0.68.1"
_ENVIRONMENT: Final = "_ZN08NumbaEnv"
"""What the names of global variables begin with that point to a function's environment."""


def make_machine_code_late() -> None:
    """Have numba do so, from now on, in this process."""
    if numba.__version__ != _WRITTEN_FOR or hasattr(codegen.JITCodeLibrary, "waits"):
        return
    library: Any = codegen.JITCodeLibrary
    engine: Any = codegen.JITCPUCodegen
    environments: Any = environment
    hand_over, address_of, set_environment = (
        library._finalize_final_module,
        library.get_pointer_to_function,
        engine.set_env,
    )

    def wait(self: Any) -> None:
        if self._shared_module is not None:  # from the cache, with its machine code
            hand_over(self)
            return
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = self.waits = True

    def ask(self: Any, name: str) -> int:
        self._ensure_finalized()
        if self.waits and name in {found.name for found in self.get_defined_functions()}:
            self.waits = False
            hand_over(self)
            _name_environments(self)
        found: int = address_of(self, name)
        return found

    def _name_environments(self: Any) -> None:
        """Of the functions taken in, which had nowhere to write theirs to when they were made."""
        for variable in self._final_module.global_variables:
            if variable.name.startswith(_ENVIRONMENT) and not variable.is_declaration:
                known = environments.lookup_environment(variable.name)
                if known is not None:
                    set_environment(self.codegen, variable.name, known)

    def set_where_there_is_code(self: Any, name: str, value: Any) -> None:
        if self._engine.is_symbol_defined(name):
            set_environment(self, name, value)

    library.waits = False
    library._finalize_final_module = wait
    library.get_pointer_to_function = ask
    engine.set_env = set_where_there_is_code
