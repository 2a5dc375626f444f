"""Functions that only machine code calls are compiled to be put into their callers, and into nothing else.

numba optimises every function that it compiles by itself, and makes of it what the processor runs, although of one that
is called neither from Python nor by its address only the copies in its callers run, which are optimised there once
more. Here such a function ends as instructions of LLVM, which is what callers are made with, and is kept on disk as
these. It rests on how numba makes its libraries, tried with 0.61.2 and 0.68.1; where it makes them otherwise, the first
function that is compiled says so.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from numba.core import codegen, compiler
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.typed_passes import NativeLowering

Untyped = Any  # what numba hands over without saying what it is
LINKED = "linked"  # the kind of what is kept on disk; numba's own are "object" and "bitcode"

# numba says nothing of types
_Library: Untyped = codegen.JITCodeLibrary
_Compiler: Untyped = compiler.Compiler
_Pass: Untyped = LoweringPass
_Result: Untyped = compiler.CompileResult
_registered: Untyped = register_pass


class LinkedLibrary(_Library):  # type: ignore[misc]  # numba's class is untyped
    """The instructions of one function and of what it calls; nothing of it is ever run where it stands."""

    def _optimize_final_module(self) -> None:
        """Left to its callers."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    def get_pointer_to_function(self, _name: str) -> int:
        """0, as numba says of a function that it has not."""
        return 0

    @property
    def codegen(self) -> Untyped:
        """Whom numba tells where the globals of a function are: of one that does not run there are none."""
        return _NoGlobals()

    def serialize_using_object_code(self) -> tuple[str, str, bytes]:
        """What is kept on disk."""
        return self.name, LINKED, self._get_module_for_linking().as_bitcode()


class _NoGlobals:
    def set_env(self, name: str, env: Untyped) -> None:
        pass


@_registered(mutates_CFG=True, analysis_only=False)
class _BeginLinked(_Pass):  # type: ignore[misc]  # likewise
    _name = "begin_linked_library"

    def __init__(self) -> None:
        _Pass.__init__(self)

    def run_pass(self, state: Untyped) -> bool:
        state.library = LinkedLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return True


class LinkedCompiler(_Compiler):  # type: ignore[misc]  # likewise
    """numba's own, but for the library that it begins."""

    def define_pipelines(self) -> Untyped:
        """The passes, in their order."""
        pipelines = super().define_pipelines()
        for pipeline in pipelines:
            passes = [made for made, _ in pipeline.passes]
            pipeline.add_pass_after(_BeginLinked, passes[passes.index(NativeLowering) - 1])
            pipeline.finalize()
        return pipelines


def rebuilt(context: Untyped, payload: tuple[Untyped, ...]) -> Untyped:
    """A function as it was kept on disk, of either kind."""
    (name, kind, data), *others = payload
    if kind != LINKED:
        return _Result._rebuild(context, *payload)
    library = LinkedLibrary(context.codegen(), name)
    library._final_module = library._shared_module = llvm.parse_bitcode(data)
    library._finalized = True
    return _Result._rebuild(_HasRead(context, library), None, *others)._replace(target_context=context)


class _HasRead:
    """A target that has read a library already, and is its own code generator."""

    def __init__(self, context: Untyped, library: LinkedLibrary) -> None:
        self._context, self._library = context, library

    def __getattr__(self, name: str) -> Untyped:
        return getattr(self._context, name)

    def codegen(self) -> Untyped:
        return self

    def unserialize_library(self, _data: None) -> LinkedLibrary:
        return self._library
